#!/usr/bin/env python3
"""A state of format 1 with 1,000 assets: its making, once, with the program of then; and what every later program has to make of it.

usage: thousand.py make TROUPE ARCHIVE      ARCHIVE: tests/golden_journals/v1-1000/work.tar.xz, with a program that writes format 1
       thousand.py TROUPE                   the test

Knows the command line only. The archive holds the pipeline's folder as it was after the last run, sources, outputs and state.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

ARCHIVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "v1-1000", "work.tar.xz")
ASSETS = 1000
# What the same texts execute otherwise today: these run once more, and nothing else does.
ONCE_MORE = {"under_cwd": "command_changed", "dashed": "command_changed", "dashed_in_env": "command_changed", "deep_glob": "input_added"}


def some_assets():
    """One asset, or a few, of each kind that the program of then knew."""
    return {
        "raw": {"outputs": ["in/a.txt", "in/b.txt"]},                                                    # a source
        "folder_source": {"outputs": ["tree"]},
        "glob": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["in/*.txt"], "outputs": ["out/glob"]},
        "deep_glob": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["tree/**/*.txt"], "outputs": ["out/deep_glob"]},   # ** goes into linked folders now
        "own_glob": {"command": "cat in/*.txt | sort -u > out/own_glob", "inputs": ["in/*.txt"], "outputs": ["out/own_glob"]},
        "folder": {"command": "ls -R tree > {{ outputs[0] }}", "inputs": ["tree"], "outputs": ["out/folder"]},   # with links of each kind
        "through_link": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["linked/a.txt", "in/../in/b.txt"], "outputs": ["out/through_link"]},
        "makes_folder": {"command": "mkdir -p out/parts/x; cp in/a.txt out/parts/x/1; cp in/b.txt out/parts/2; ln -sfn 2 out/parts/inner; ln -sfn ../../in/a.txt out/parts/outer",
                         "inputs": ["in/a.txt", "in/b.txt"], "outputs": ["out/parts"]},
        "reads_folder": {"command": "cat out/parts/2 out/parts/outer > out/reads_folder", "inputs": ["out/parts"], "outputs": ["out/reads_folder"]},
        "globs_folder": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["out/parts/*/1"], "deps": ["makes_folder"], "outputs": ["out/globs_folder"]},
        "latest": {"command": "ln -sfn glob out/latest", "inputs": ["out/glob"], "outputs": ["out/latest"]},                  # an output that is a link
        "by_name": {"command": ["cp", "out/latest", "{{ outputs[0] }}"], "deps": ["latest", "cell"], "outputs": ["out/by_name"]},
        "cell": {"matrix": {"size": ["s", "m", "l"], "n": [1, 2.50, True]}, "command": "echo {{ matrix.size }} {{ matrix.n }} {{ asset.name }} > {{ outputs[0] }}",
                 "outputs": ["out/cell/{{ matrix.size }}.{{ matrix.n }}"]},
        "cells": {"command": ["sort", "-o", "{{ outputs[0] }}", "{{ inputs }}"], "inputs": ["out/cell/*"], "outputs": ["out/cells"]},
        "quoted": {"command": "printf '%s|' {{ params.odd }} \"{{ params.odd }}\" '{{ params.odd }}' > {{ outputs[0] }}", "outputs": ["out/quoted"]},
        "env": {"command": "echo \"$ODD $LC_ALL $SECRET\" | cut -c 1-3 > out/env", "outputs": ["out/env"],
                "env": {"ODD": "{{ params.odd }} {{ outputs }}", "LC_ALL": "C", "SECRET": {"from_env": "GOLDEN_SECRET"}}},
        "bare_env": {"command": "echo $PATH | cut -c 1 > out/bare_env", "outputs": ["out/bare_env"], "inherit_env": ["PATH"], "shell": "/bin/bash"},
        "in_folder": {"cwd": "in", "command": "cat a.txt > ../out/in_folder", "inputs": ["in/a.txt"], "outputs": ["out/in_folder"]},
        "discovers": {"command": "cat in/b.txt > out/discovers; printf '{\"inputs\": [\"in/b.txt\", \"linked/a.txt\", \"in/../in/a.txt\"]}' > $TROUPE_RESULT", "outputs": ["out/discovers"]},
        "discovers_made": {"command": "cat out/glob > out/discovers_made; printf '{\"inputs\": [\"out/glob\"]}' > $TROUPE_RESULT", "deps": ["glob"], "outputs": ["out/discovers_made"]},
        "version": {"command": "printf '{\"data_version\": \"7\", \"metadata\": {\"rows\": 7.50}}' > $TROUPE_RESULT", "version": "2", "max_age": "36500d"},
        "needs_version": {"command": "true", "deps": ["version"], "retry": {"attempts": 2}},
        "no_outputs": {"command": "true", "deps": ["raw"], "tags": ["t"], "group": "g"},
        "run_id": {"command": "echo {{ run.id }} | wc -c > out/run_id", "outputs": ["out/run_id"]},
        "executable": {"command": "cp in/tool.sh out/tool.sh; chmod +x out/tool.sh", "inputs": ["in/tool.sh"], "outputs": ["out/tool.sh"]},
        "runs_it": {"command": ["out/tool.sh"], "inputs": ["out/tool.sh"]},
        "empty": {"command": "true > out/empty", "inputs": ["none/*.txt"], "outputs": ["out/empty"]},
        "under_cwd": {"cwd": "in", "command": "cat a.txt > ../out/under_cwd; : {{ inputs[0] }}", "inputs": ["in/a.txt"], "outputs": ["out/under_cwd"]},
        "dashed": {"command": "cat -- {{ inputs[0] }} > out/dashed", "inputs": ["-n"], "outputs": ["out/dashed"]},
        "dashed_in_env": {"command": "cat -- \"$IT\" > out/dashed_in_env", "env": {"IT": "{{ inputs[0] }}"}, "inputs": ["-n"], "outputs": ["out/dashed_in_env"]},
    }


def pipeline():
    """Those, and layers of small ones up to the number."""
    assets = some_assets()
    count = len(assets) + 8                      # the matrix has nine
    layer = []
    for n in range(ASSETS - count):
        inputs = [f"in/many/{n % 40}"] if n % 100 < 20 or not layer else [f"l/{layer[(n * 7) % len(layer)]}", f"l/{layer[(n * 11 + 3) % len(layer)]}"]
        assets[f"n{n}"] = {"command": ["cp", "{{ inputs[0] }}", "{{ outputs[0] }}"] if n % 3 else "cat {{ inputs }} | head -c 100 > {{ outputs }}",
                           "inputs": sorted(set(inputs)), "outputs": [f"l/{n}"]}
        layer = (layer + [n])[-60:]
    return {"name": "thousand", "params": {"odd": "it's \"$HOME\" *", "n": 1.50}, "engine": {"workers": 2, "keep_runs": 3}, "assets": assets}


def troupe(program, folder, *arguments, status=0):
    done = subprocess.run([program, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False,
                          env={**os.environ, "GOLDEN_SECRET": "x"})
    assert done.returncode == status, f"troupe {' '.join(arguments)}: exit status {done.returncode}, not {status}\n{done.stdout.decode()[-3000:]}{done.stderr.decode()[-3000:]}"
    return done.stdout.decode()


def make(program, archive):
    with tempfile.TemporaryDirectory() as top:
        folder = os.path.join(top, "work")

        def write(name, text):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(text)

        for name, text in {"in/a.txt": "a\n", "in/b.txt": "b\n", "in/tool.sh": "#!/bin/sh\n", "-n": "dash\n", "tree/x/1.txt": "1\n", "tree/x/y/2.txt": "2\n",
                           "tree/3.txt": "3\n", "far/4.txt": "4\n", **{f"in/many/{n}": f"{n % 7}\n" for n in range(40)}}.items():
            write(name, text)
        for link, target in {"linked": "in", "tree/inner": "x/1.txt", "tree/outer": "../far/4.txt", "tree/far": "../far", "tree/lost": "nowhere", "tree/up": ".."}.items():
            os.symlink(target, os.path.join(folder, link))
        write("troupe.json", json.dumps(pipeline(), indent=0))
        troupe(program, folder, "run")
        assert "all fresh" in troupe(program, folder, "run")
        shutil.rmtree(os.path.join(folder, ".troupe", "logs"), ignore_errors=True)
        troupe(program, folder, "journal", "compact")
        os.makedirs(os.path.dirname(archive), exist_ok=True)
        with tarfile.open(archive, "w:xz", preset=9) as tar:
            def plain(entry):
                entry.uid = entry.gid = 0
                entry.uname = entry.gname = ""
                return None if entry.name.endswith("-lock") else entry
            tar.add(folder, "work", filter=plain)
    print(f"{archive}: {os.path.getsize(archive)} bytes")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def outputs(folder):
    found = {}
    for top in ("out", "l"):
        for where, _, names in os.walk(os.path.join(folder, top)):
            for name in names:
                path = os.path.join(where, name)
                found[path] = (os.lstat(path).st_ino, os.lstat(path).st_mtime_ns)
    return found


def actions(program, folder):
    document = json.loads(troupe(program, folder, "plan", "--json"))
    return {name: (asset["action"], asset["reasons"]) for name, asset in document["assets"].items() if asset["action"] != "fresh"}, len(document["assets"])


def replay(program, folder):
    journal = os.path.join(folder, ".troupe", "journal.mdb")
    before, first = digest(journal), outputs(folder)
    stale, count = actions(program, folder)
    assert count == ASSETS, count
    assert {name: [reason["kind"] for reason in reasons] for name, (_, reasons) in stale.items()} == {name: [kind] for name, kind in ONCE_MORE.items()}, f"stale after the upgrade: {stale}"
    shown = json.loads(troupe(program, folder, "status", "--json"))["assets"]
    assert {name for name, asset in shown.items() if not asset["fresh"]} == set(ONCE_MORE), shown
    assert digest(journal) == before and os.listdir(os.path.dirname(journal)).count("journal.mdb.format1") == 0, "plan and status have written"

    troupe(program, folder, "journal", "trust", "--yes")                               # it was made elsewhere, but for where it was made
    ran = json.loads(troupe(program, folder, "run", "--json"))["assets"]
    assert {name for name, asset in ran.items() if asset["status"] != "fresh"} == set(ONCE_MORE), ran
    now = outputs(folder)
    again = {os.path.basename(path) for path in now if now[path] != first.get(path)}
    assert again == set(ONCE_MORE), f"written again: {again}"
    verified = json.loads(troupe(program, folder, "journal", "verify", "--json"))
    assert verified["ok"] and not verified["problems"], verified
    assert digest(journal + ".format1") == before, "the file of format 1 is not kept as it was"

    events = [json.loads(line) for line in troupe(program, folder, "journal", "dump").splitlines()]
    restated = [event for event in events if event["type"] == "record_restated"]
    assert len(restated) == ASSETS - len(ONCE_MORE), len(restated)                     # each once
    written = digest(journal)
    assert actions(program, folder) == ({}, ASSETS), actions(program, folder)          # by the new rule now
    assert digest(journal) == written
    troupe(program, folder, "run")
    events = [json.loads(line) for line in troupe(program, folder, "journal", "dump").splitlines()]
    assert sum(event["type"] == "record_restated" for event in events) == len(restated), "what was restated is restated again"

    troupe(program, folder, "journal", "compact")
    assert not os.path.exists(journal + ".format1")
    assert actions(program, folder) == ({}, ASSETS)
    with open(os.path.join(folder, "in", "a.txt"), "a", encoding="ascii") as file:      # and a change is one
        file.write("more\n")
    stale, _ = actions(program, folder)
    assert {name for name, (action, _) in stale.items() if action == "run"} == {"raw", "glob", "own_glob", "through_link", "makes_folder", "in_folder", "under_cwd", "discovers"}, stale


def main():
    if sys.argv[1] == "make":
        make(os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3]))
        return 0
    with tempfile.TemporaryDirectory(prefix="troupe-golden-") as top:
        with tarfile.open(ARCHIVE) as tar:
            tar.extractall(top)
        try:
            replay(os.path.abspath(sys.argv[1]), os.path.join(top, "work"))
        except AssertionError as wrong:
            print(f"FAILED  {wrong}\n0 passed, 1 failed")
            return 1
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
