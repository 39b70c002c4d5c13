#!/usr/bin/env python3
"""Measures Troupe beside its peers on the same machine in the same minutes, and says which goals are reached.

Knows graphs and command lines, nothing of Troupe's insides. Each figure is the median of several rounds, and the tools take turns within a
round, so that a machine that slows down slows down for all of them. Exit status 0 if every goal is reached, 1 if not.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

import graphs

TOUCHES = 1000
SMALL, FULL = 20_000, 100_000


def quiet(command, folder):
    """Runs a command to its end; its output only if it fails."""
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} in {folder} ended with {done.returncode}:\n{done.stdout.decode(errors='replace')[-2000:]}")
    return done.stdout.decode(errors="replace")


def seconds(command, folder):
    started = time.perf_counter()
    quiet(command, folder)
    return time.perf_counter() - started


def peak_mb(command, folder):
    """Peak resident memory. Through GNU time: a child of this process would be charged with this process's own memory."""
    report = os.path.join(folder, ".peak")
    quiet(["/usr/bin/time", "-o", report, "-f", "%M", *command], folder)
    with open(report, encoding="ascii") as file:
        return int(file.read().split()[-1]) / 1024


def in_turns(commands, folder, rounds):
    """{name: median seconds}; every round runs each command once."""
    times = {tool: [] for tool in commands}
    for _ in range(rounds):
        for tool, command in commands.items():
            times[tool].append(seconds(command, folder))
    return {tool: statistics.median(values) for tool, values in times.items()}


class Table:
    def __init__(self):
        self.rows, self.missed = [], 0

    def add(self, work, troupe, peer, ratio, goal, reached):
        self.rows.append((work, troupe, peer, ratio, goal, "PASS" if reached else "MISS"))
        self.missed += not reached
        print(f"  {work}: {troupe}; {peer}; {'reached' if reached else 'MISSED'}", flush=True)

    def compare(self, work, unit, troupe, peer_name, peer, at_most):
        ratio = troupe / peer
        show = (lambda v: f"{v:.0f} MB") if unit == "MB" else duration
        self.add(work, show(troupe), f"{peer_name} {show(peer)}", f"{ratio:.2f}", f"at most {at_most:.2f}", ratio <= at_most)

    def tell(self, work, troupe, peer_name, peer):
        """For comparison; no goal."""
        self.rows.append((work, duration(troupe), f"{peer_name} {duration(peer)}", f"{troupe / peer:.2f}", "", ""))
        print(f"  {work}: {duration(troupe)}; {peer_name} {duration(peer)}", flush=True)

    def limit(self, work, troupe, under):
        self.add(work, duration(troupe), "", "", f"under {duration(under)}", troupe < under)

    def print(self):
        head = ("work", "Troupe", "peer", "ratio", "goal", "")
        widths = [max(len(row[i]) for row in [head, *self.rows]) for i in range(len(head))]
        print()
        for row in [head, tuple("-" * w for w in widths), *self.rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def duration(s):
    return f"{s:.2f} s" if s >= 1 else f"{s * 1000:.1f} ms"


def remove_and_wait(folder):
    """Removes what an earlier bench left. ext4 without a journal keeps the inodes of the last minute's deleted files from being used again, and
    looks at each of them for every file that is made: as much time as the command itself takes, whoever runs it."""
    if os.path.exists(folder):
        print("  removing what the last bench made, and waiting for a minute", flush=True)
        shutil.rmtree(folder)
        time.sleep(60)


def touches(table, troupe, root, rounds, bare_loop):
    base = os.path.join(root, "touch")
    remove_and_wait(base)
    print(f"{TOUCHES} x touch, 2 at a time ({rounds} rounds)", flush=True)
    commands = {"make": ["make", "-j2"], "ninja": ["ninja", "-j2"], "troupe": [troupe, "run", "--workers", "2"]}
    if bare_loop:
        commands["bare loop"] = [os.path.abspath(bare_loop), str(TOUCHES)]
    times = {tool: [] for tool in commands}
    for turn in range(rounds):
        for tool, command in commands.items():
            folder = os.path.join(base, f"{turn}-{tool}")   # nothing is removed between rounds
            graphs.write_all(folder, TOUCHES)
            times[tool].append(seconds(command, folder))
    times = {tool: statistics.median(values) for tool, values in times.items()}
    work = f"{TOUCHES} x touch, two dependencies each"
    table.compare(work, "s", times["troupe"], "make -j2", times["make"], 1.05)
    table.compare(work, "s", times["troupe"], "ninja -j2", times["ninja"], 0.60)
    if bare_loop:
        table.tell(work + ", the limit", times["troupe"], "a bare loop", times["bare loop"])


def prepare_idle(troupe, root, size):
    """A folder in which Troupe and ninja both have everything made. Kept from one bench to the next: making it takes minutes."""
    folder = os.path.join(root, f"idle-{size}")
    graphs_text = os.path.join(folder, "troupe.json")
    if not os.path.exists(os.path.join(folder, ".complete")):
        shutil.rmtree(folder, ignore_errors=True)
        print(f"  making {size:,} files, once (about {size * 3 / 1000 / 60:.0f} min)", flush=True)
        graphs.write_all(folder, size)
    assert os.path.exists(graphs_text)
    quiet([troupe, "run", "--workers", str(os.cpu_count())], folder)   # the first run; where the folder was kept, a run of a newer Troupe
    if not os.path.exists(os.path.join(folder, ".ninja_log")):
        graphs.write_ninja_log(folder, size)
        if "no work to do" not in quiet(["ninja", "-n"], folder):      # another version of ninja: let it make everything itself
            os.remove(os.path.join(folder, ".ninja_log"))
            quiet(["ninja"], folder)
            quiet([troupe, "run"], folder)
    with open(os.path.join(folder, ".complete"), "w", encoding="ascii"):
        pass
    quiet([troupe, "run"], folder)
    if "no work to do" not in quiet(["ninja", "-n"], folder):
        sys.exit(f"bench: ninja finds work to do in {folder}; remove it and try again")
    return folder


def idle(table, troupe, root, rounds, size):
    print(f"nothing to do, {size:,} assets ({rounds} rounds)", flush=True)
    folder = prepare_idle(troupe, root, size)
    commands = {"ninja": ["ninja"], "troupe": [troupe, "run"]}
    times = in_turns(commands, folder, rounds)
    work = f"nothing to do, {size:,} assets"
    table.compare(work, "s", times["troupe"], "ninja", times["ninja"], 0.60)
    table.compare(work + ": memory", "MB", peak_mb(commands["troupe"], folder), "ninja", peak_mb(commands["ninja"], folder), 1.50)


def demo(table, troupe, root, rounds, pipeline):
    if shutil.which("apt-cache") is None:
        print("nothing to do, the demo: skipped, there is no apt-cache here")
        return
    print(f"nothing to do, the demo ({rounds} rounds)", flush=True)
    folder = os.path.join(root, "demo")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.dirname(os.path.abspath(pipeline)), folder, ignore=shutil.ignore_patterns("out"))
    command = [troupe, "run", "-f", os.path.basename(pipeline)]
    quiet(command, folder)
    quiet(command, folder)
    table.limit("nothing to do, the demo", in_turns({"troupe": command}, folder, rounds)["troupe"], 0.050)


def version(table, troupe, root, rounds):
    print(f"troupe version ({rounds} rounds)", flush=True)
    table.limit("troupe version", in_turns({"troupe": [troupe, "version"]}, root, rounds)["troupe"], 0.010)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--troupe", required=True)
    parser.add_argument("--demo", required=True, help="the demo's pipeline file")
    parser.add_argument("--bare-loop", help="bench/bare_loop.cpp, built; without it, nothing is compared with it")
    parser.add_argument("--folder", default="build/bench", help="where the graphs are made")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--full", action="store_true", help=f"nothing to do: {FULL:,} assets instead of {SMALL:,}")
    parser.add_argument("--only", nargs="+", choices=["touch", "idle", "demo", "version"], default=["touch", "idle", "demo", "version"])
    arguments = parser.parse_args()
    troupe, root = os.path.abspath(arguments.troupe), os.path.abspath(arguments.folder)
    os.makedirs(root, exist_ok=True)
    table = Table()
    if "version" in arguments.only:
        version(table, troupe, root, arguments.rounds * 4)
    if "demo" in arguments.only:
        demo(table, troupe, root, arguments.rounds * 2, arguments.demo)
    if "touch" in arguments.only:
        touches(table, troupe, root, arguments.rounds, arguments.bare_loop)
    if "idle" in arguments.only:
        idle(table, troupe, root, arguments.rounds, FULL if arguments.full else SMALL)
    table.print()
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
