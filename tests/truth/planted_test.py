#!/usr/bin/env python3
"""Random lives are worth what they find: every bug of planted_bugs.txt must make one of them fail within few lives; without one, none fails.

usage: planted_test.py TROUPE_PLANTED SOURCE_ROOT [--bug N] [--jobs N]

Knows the planted program by TROUPE_PLANTED_BUG alone.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "simulation"))
import plant_bugs

LIVES = 60


def hunt(program, number, lives, groups=()):
    """(exit status of incremental_test.py, the first line of what it found)"""
    done = subprocess.run([sys.executable, HERE.parent / "e2e" / "incremental_test.py", program, "--seeds", str(lives), "--until-failure", "--groups", *groups],
                          env={**os.environ, "TROUPE_PLANTED_BUG": str(number)}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = re.search(r"^FAILED  (seed \d+).*?\]: (.*)$", done.stdout, re.MULTILINE)
    return done.returncode, f"{found[1]}: {found[2][:150]}" if found else (done.stdout + done.stderr)[-1000:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--bug", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    bugs = plant_bugs.read_bugs((HERE / "planted_bugs.txt").read_text())
    files = {file for bug in bugs for file, _, _ in bug["changes"]}
    lost = plant_bugs.plant(bugs, {file: (arguments.root / file).read_text() for file in files})
    failed = [f"{bugs[number - 1]['what']}: its place in the sources is gone, plant it anew" for number in sorted(lost)]
    wanted = [number for number in range(1, len(bugs) + 1) if arguments.bug in (None, number) and number not in lost]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        without = pool.submit(hunt, arguments.program, 0, 2)
        hunts = {number: pool.submit(hunt, arguments.program, number, LIVES, bugs[number - 1]["expects"].split()) for number in wanted}
        for number, one in hunts.items():
            status, found = one.result()
            print(f"{number}, {bugs[number - 1]['what']}: {found}", flush=True)
            if status != 1 or not found.startswith("seed"):
                failed.append(f"{number}, {bugs[number - 1]['what']}: not found in {LIVES} lives")
        if without.result()[0] != 0:
            failed.append(f"with no bug switched on: {without.result()[1]}")
    for one in failed:
        print(f"FAILED  {one}")
    print(f"{len(wanted) + len(lost) + 1 - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
