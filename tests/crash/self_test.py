#!/usr/bin/env python3
"""Whether the trials notice what they are there to notice: each of these troupes does one thing wrong, and a trial has to say which.
usage: self_test.py TROUPE FAULT_AT"""
import os
import sys
import tempfile

from crash_test import SKIP_NOTHING, SKIPPED
from scenes import Folder, all_scenes
from trials import KILL_CALLS, Fault, Tally, crash_trial, error_trial

# (what is wrong, the command line, what is done instead, what has to be said of it)
WRONG = [
    ("runs again what has succeeded", "run --json", 'exec "$T" run --json --force', "ran it again"),
    ("makes something else", "run --json", '"$T" run --json; status=$?; echo else > out/first; exit $status', "ended with"),
    ("leaves a process behind", "run --json", '(setsid sleep 300 > /dev/null 2>&1 < /dev/null &); exec "$T" run --json', "left running"),
    ("fails", "run --json", "exit 3", "not 0"),
    ("shows an interrupted run as succeeded", "runs --json", '"$T" runs --json | sed s/interrupted/succeeded/', "is shown as"),
    ("shows an attempt as succeeded that failed", "journal dump", '"$T" journal dump | sed \'s/"outcome":"exited"/"outcome":"succeeded"/\'', "recorded as succeeded"),
    ("finds its journal damaged", "journal verify --json", 'echo \'{"ok": false, "problems": ["x"]}\'', "journal verify"),
]
WRONG_UNDER_ERRORS = [
    ("dies of a signal", "run --json", "kill -SEGV $$", "ended by signal 11"),
    ("tells of a success that was none", "run --json", 'echo \'{"status": "succeeded", "run": "x"}\'', "is not recorded"),
    ("refuses without a word", "run --json", "exit 3", "no word"),
    ("fails without a word", "run --json", "exit 1", "neither a document"),
]


def late_call(scene, troupe, fault_at):
    """A call not long before the end of a run, so that much is recorded and yet something is missing."""
    folder = Folder(scene, troupe)
    try:
        fault = Fault(fault_at)
        fault.strike(folder, "run")[0].must(0)
        return fault.count * 8 // 10
    finally:
        folder.remove()


def expect(trial, scene, late, troupe, fault_at, what, line, instead, said):
    folder = tempfile.mkdtemp(prefix="troupe-crash-self-")
    wrong = os.path.join(folder, "troupe")
    with open(wrong, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nT={troupe}\nif [ "$*" = "{line}" ]; then\n{instead}\nexit\nfi\nexec "$T" "$@"\n')
    os.chmod(wrong, 0o755)
    # Of errors a call that is not there, so that nothing goes wrong but this.
    fault = Fault(fault_at, at=late, kill="before") if trial is crash_trial else Fault(fault_at, calls=KILL_CALLS, at=1_000_000, error=5)
    try:
        trial(scene, wrong, fault, Tally())
    except AssertionError as problem:
        if said in str(problem):
            print(f"ok      a troupe that {what}")
            return True
        print(f"FAILED  a troupe that {what}: of it was said {str(problem)[:500]!r}, not {said!r}")
        return False
    finally:
        os.remove(wrong)
        os.rmdir(folder)
    print(f"FAILED  a troupe that {what} was not noticed")
    return False


def main(troupe, fault_at):
    if os.spawnlp(os.P_WAIT, fault_at, fault_at, "--calls", "write", "--", "true") != 0:
        print("tracing is not permitted here")
        return 1 if os.environ.get(SKIP_NOTHING) else SKIPPED
    scene = next(scene for scene in all_scenes() if scene.name == "strict")
    late = late_call(scene, troupe, fault_at)
    good = [expect(trial, scene, late, troupe, fault_at, *wrong) for trial, all_wrong in ((crash_trial, WRONG), (error_trial, WRONG_UNDER_ERRORS)) for wrong in all_wrong]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))
