"""Writes one graph as three build files: Makefile, build.ninja, troupe.json. Knows the formats, runs nothing.

The graph: `size` files out/0, out/1, ... in layers of `width`; each is made by `touch` from two files of the layer before.
"""
import json
import os

WIDTH = 20
MULTIPLIER = 0xC6A4A7935BD1E995
MASK = (1 << 64) - 1


def name(i):
    return f"out/{i}"


def needs(i, width=WIDTH):
    """The two files that file i is made from; none in the first layer."""
    if i < width:
        return []
    before, place = (i // width - 1) * width, i % width
    return [name(before + place), name(before + (place + 1) % width)]


def write_all(folder, size):
    os.makedirs(os.path.join(folder, "out"), exist_ok=True)
    write_make(folder, size)
    write_ninja(folder, size)
    write_troupe(folder, size)


def write_make(folder, size):
    with open(os.path.join(folder, "Makefile"), "w", encoding="ascii") as file:
        file.write("MAKEFLAGS += -rR\nall: " + " ".join(name(i) for i in range(size)) + "\n")
        for i in range(size):
            file.write(f"{name(i)}: {' '.join(needs(i))}\n\ttouch {name(i)}\n")


def write_ninja(folder, size):
    with open(os.path.join(folder, "build.ninja"), "w", encoding="ascii") as file:
        file.write("rule touch\n  command = touch $out\n")
        for i in range(size):
            file.write(f"build {name(i)}: touch {' '.join(needs(i))}\n")


def write_troupe(folder, size):
    with open(os.path.join(folder, "troupe.json"), "w", encoding="ascii") as file:
        file.write('{"name": "bench", "assets": {\n')
        for i in range(size):
            asset = {"command": ["touch", name(i)], "inputs": needs(i), "outputs": [name(i)]}
            if not asset["inputs"]:
                del asset["inputs"]
            file.write(f'  "a{i}": {json.dumps(asset)}{"," if i + 1 < size else ""}\n')
        file.write("}}\n")


def murmur_hash_64a(key):
    """The digest of a command in ninja's log, version 5 (MurmurHash64A by Austin Appleby, public domain)."""
    length = len(key)
    h = (0xDECAFBADDECAFBAD ^ (length * MULTIPLIER)) & MASK
    whole = length - length % 8
    for at in range(0, whole, 8):
        k = int.from_bytes(key[at:at + 8], "little") * MULTIPLIER & MASK
        k = (k ^ (k >> 47)) * MULTIPLIER & MASK
        h = (h ^ k) * MULTIPLIER & MASK
    if length % 8:
        h = (h ^ int.from_bytes(key[whole:], "little")) * MULTIPLIER & MASK
    h = (h ^ (h >> 47)) * MULTIPLIER & MASK
    return h ^ (h >> 47)


def write_ninja_log(folder, size):
    """What ninja would have written had it made the files that are there; the caller must see that ninja agrees."""
    with open(os.path.join(folder, ".ninja_log"), "w", encoding="ascii") as file:
        file.write("# ninja log v5\n")
        for i in range(size):
            mtime = os.stat(os.path.join(folder, name(i))).st_mtime_ns
            file.write(f"0\t1\t{mtime}\t{name(i)}\t{murmur_hash_64a(f'touch {name(i)}'.encode()):x}\n")
