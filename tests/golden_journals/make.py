#!/usr/bin/env python3
"""Makes a golden journal: a small pipeline with a life behind it, its state, and what the program says of it now.

usage: make.py TROUPE FOLDER      FOLDER: tests/golden_journals/vN, N the journal's format; it must not be there yet

Done once for each format, with the program that introduces it, and never again: replay.py holds every later program to what is
recorded. Knows the command line only.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PIPELINE = {
    "name": "golden",
    "engine": {"workers": 1, "error_strategy": "continue", "keep_runs": 6, "grace_period": "1s"},
    "params": {"top": 3},
    "assets": {
        "raw": {"outputs": ["raw.txt"]},
        "sorted": {"command": "sort -n raw.txt > sorted.txt", "inputs": ["raw.txt"], "outputs": ["sorted.txt"]},
        "top": {"command": "head -n {{ params.top }} sorted.txt > top.txt; wc -l < top.txt", "inputs": ["sorted.txt"], "outputs": ["top.txt"]},
        "by": {"matrix": {"n": ["1", "2"]}, "command": "grep -c {{ matrix.n }} raw.txt > by.{{ matrix.n }}.txt", "inputs": ["raw.txt"],
               "outputs": ["by.{{ matrix.n }}.txt"]},
        "reported": {"command": "printf '{\"data_version\": \"seven\", \"metadata\": {\"rows\": 7}}' > $TROUPE_RESULT", "deps": ["by"]},
        "flaky": {"command": "test ! -e broken", "deps": ["top"], "retry": {"attempts": 2, "delay": "10ms"}},
        "allowed": {"command": "exit 3", "deps": ["raw"], "allow_failure": True},
        "report": {"command": "test ! -e slow || { touch started; sleep 60; }; cat top.txt by.*.txt > report.txt", "deps": ["flaky", "allowed"],
                   "inputs": ["top.txt", "by.*.txt"], "outputs": ["report.txt"]},
    },
}
LOOKS = {                                    # what is recorded: file -> command
    "verify.json": ["journal", "verify", "--json"],
    "dump.jsonl": ["journal", "dump"],
    "status.json": ["status", "--json"],
    "plan.json": ["plan", "--json"],
    "runs.json": ["runs", "--json", "--limit", "0"],
}


def looks_of(runs_document):
    """All that is recorded, the runs listed in it one by one included."""
    shown = {f"show-{run['number']}.json": ["show", str(run["number"]), "--json"] for run in json.loads(runs_document)["runs"]}
    return {**LOOKS, **shown}


def troupe(program, folder, *arguments, status=0):
    done = subprocess.run([program, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    if done.returncode != status:
        sys.exit(f"troupe {' '.join(arguments)}: exit status {done.returncode}, not {status}\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout.decode()


def live(program, folder):
    """Runs of every kind: succeeded, all fresh, failed and resumed, cut short by its supervisor's death."""
    def write(name, text):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)

    write("troupe.json", json.dumps(PIPELINE, indent=1) + "\n")
    for n in range(1, 7):
        write("raw.txt", "".join(f"{i * n % 29}\n" for i in range(20)))
        troupe(program, folder, "run")
    troupe(program, folder, "run")
    troupe(program, folder, "run", "--param", "top=5")
    write("broken", "")
    troupe(program, folder, "run", "--force", "flaky", status=1)
    os.unlink(os.path.join(folder, "broken"))
    troupe(program, folder, "resume")
    write("slow", "")
    run = subprocess.Popen([program, "run", "--force", "report"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not os.path.exists(os.path.join(folder, "started")):
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    for name in ("slow", "started"):
        os.unlink(os.path.join(folder, name))


def main():
    program, target = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as top:
        folder = os.path.join(top, "work")
        os.mkdir(folder)
        live(program, folder)
        os.makedirs(os.path.join(target, "expected"))
        for file, look in looks_of(troupe(program, folder, *LOOKS["runs.json"])).items():
            with open(os.path.join(target, "expected", file), "w", encoding="utf-8") as out:
                out.write(troupe(program, folder, *look).replace(folder, "FOLDER"))     # paths of logs
        shutil.copy(os.path.join(folder, ".troupe", "journal.mdb"), target)
        for name in os.listdir(folder):
            if name != ".troupe":
                shutil.copy(os.path.join(folder, name), target)
        # The command that was cut short goes on until a writer ends it.
        troupe(program, folder, "run")
    print(f"{target}: {os.path.getsize(os.path.join(target, 'journal.mdb'))} bytes of journal")


if __name__ == "__main__":
    main()
