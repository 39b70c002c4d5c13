#!/usr/bin/env python3
"""Crashes and faults of the system, one after the other, on the real program: which trials there are, and what they came to. What a
trial does and checks is in trials.py, the pipelines are in scenes.py.
usage: crash_test.py TROUPE FAULT_AT kills|moments|errors|all [--every N] [--most N] [--scene NAME] [--at K] [--moments N] [--jobs N]
  kills    SIGKILL at every N-th system call that writes, syncs, starts, waits, makes or removes
  moments  SIGKILL at N random moments
  errors   an error from every N-th call that opens, writes, syncs or starts (--most: at most so many trials of a kind in a scene)"""
import argparse
import collections
import concurrent.futures
import errno
import os
import random
import subprocess
import sys
import threading
import time
import traceback

from scenes import Folder, all_scenes
from trials import KILL_CALLS, Fault, Tally, crash_trial, error_trial

SKIPPED = 77                     # meson's exit status for it
SKIP_NOTHING = "TROUPE_TESTS_SKIP_NOTHING"
ENOUGH_FAILURES = 12
ERRORS = [errno.EIO, errno.ENOSPC, errno.EINTR, errno.EMFILE, errno.ENOMEM]
ERROR_CALLS = {"open": "open,openat,pipe2,eventfd2,epoll_create1", "write": "write,pwrite64,writev,pwritev", "sync": "fsync,fdatasync,msync", "start": "clone,clone3,fork,vfork,execve"}
# What has gone wrong once: every call, whatever --every says. (what, calls, on what, errors)
ONCE_WRONG = [("threads and processes refused", "clone,clone3,fork,vfork", "", [errno.EAGAIN]), ("wakes interrupted", "write", "eventfd", [errno.EINTR]),
              ("processes that cannot be looked at", "open,openat", "/proc/", [errno.EMFILE])]
ERROR_SCENES = ("first run", "strict", "some stale", "fail_fast")


class Total:
    """All trials of all sweeps."""

    def __init__(self):
        self.counts, self.failures = collections.Counter(), 0

    def add(self, tally, failures):
        self.counts.update(vars(tally))
        self.failures += failures

    def __str__(self):
        return (f"{self.counts['trials']} trials held: {self.counts['killed']} killed, {self.counts['twice']} of them twice, {self.counts['resumed']} resumed; "
                f"of those with an error {self.counts['succeeded']} succeeded all the same, {self.counts['failed']} failed assets, {self.counts['refused']} "
                f"refused with a reason; {self.failures} did not hold")


class Sweep:
    """Trials of one kind in one scene, several at a time."""

    def __init__(self, arguments, scene, what):
        self.arguments, self.scene, self.what = arguments, scene, what
        self.tally, self.failures, self.lock = Tally(), 0, threading.Lock()

    def fault(self, **more):
        return Fault(self.arguments.fault_at, **more)

    def counted(self, calls, on="", first=None):
        """How many such calls an undisturbed run makes, perhaps after one that was killed."""
        folder = Folder(self.scene, self.arguments.troupe)
        try:
            folder.prepare()
            if first:
                first.strike(folder, "run")
            fault = self.fault(calls=calls, on=on)
            fault.strike(folder, "run")[0].must(self.scene.ends_with)
            return fault.count
        finally:
            folder.remove()

    def duration_s(self):
        """How long an undisturbed run takes."""
        folder = Folder(self.scene, self.arguments.troupe)
        try:
            folder.prepare()
            started = time.monotonic()
            folder.troupe("run").must(self.scene.ends_with)
            return time.monotonic() - started
        finally:
            folder.remove()

    def one(self, trial, fault, **more):
        if self.failures >= ENOUGH_FAILURES:
            return
        try:
            trial(self.scene, self.arguments.troupe, fault, self.tally, **more)
        except Exception:  # whatever it is: report it, and go on with the next trial
            with self.lock:
                self.failures += 1
                print(f"FAILED  {self.what}, scene {self.scene.name!r}, {fault}" + (f", then {more['second']}" if more.get("second") else "") +
                      (", then resume" if more.get("resume") else ""), flush=True)
                traceback.print_exc(limit=-2, file=sys.stdout)

    def run(self, trials):
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
            list(pool.map(lambda trial: self.one(trial[0], trial[1], **trial[2]), trials))
        if self.failures == 0 and self.tally.trials == 0:
            self.failures = 1
        state = "ok     " if self.failures == 0 else f"FAILED ({self.failures}) "
        self.arguments.total.add(self.tally, self.failures)
        print(f"{state} {self.what}, scene {self.scene.name!r}: {self.tally} ({time.monotonic() - started:.1f} s)", flush=True)
        return self.failures == 0


def kills(arguments, scene):
    """Every call in turn: killed before it and after it, the next command being run or resume, killed itself every third time."""
    sweep = Sweep(arguments, scene, "kill at a call")
    count = sweep.counted(KILL_CALLS)
    chosen = [arguments.at] if arguments.at else range(1 + arguments.first, count + 1, arguments.every)
    trials = []
    for number, at in enumerate(chosen):
        for side in ("before", "after") if arguments.every == 1 else ("before", "after")[number % 2:][:1]:
            second = sweep.fault(at=1 + at * 7 % count, kill="after" if at % 2 else "before") if number % 3 == 2 else None
            trials.append((crash_trial, sweep.fault(at=at, kill=side), {"second": second, "resume": (number // 2) % 2 == 0}))
    print(f"        {scene.name}: {count} calls, {len(trials)} trials", flush=True)
    return sweep.run(trials)


def moments(arguments, scene):
    """Random moments, from the beginning to just after the end."""
    sweep = Sweep(arguments, scene, "kill at a moment")
    chance = random.Random(f"{arguments.seed} {scene.name}")
    took_s = sweep.duration_s()
    trials = [(crash_trial, sweep.fault(after_s=chance.uniform(0, took_s)), {"resume": number % 2 == 0}) for number in range(arguments.moments)]
    return sweep.run(trials)


def errors(arguments, scene):
    """Every call of a kind fails in turn, with every error; then those of a run that has to recover from one that was killed."""
    killed = Sweep(arguments, scene, "").fault(at=Sweep(arguments, scene, "").counted(KILL_CALLS) // 2, kill="before")
    kinds = [(f"errors from {kind}", calls, "", ERRORS, arguments.every, None) for kind, calls in ERROR_CALLS.items()]
    kinds += [(f"errors from {kind} after a crash", calls, "", ERRORS, 2 * arguments.every, killed) for kind, calls in ERROR_CALLS.items() if kind != "sync"]
    if scene.name == ERROR_SCENES[0]:
        kinds += [(what, calls, on, wrong, 1, first) for what, calls, on, wrong in ONCE_WRONG for first in ((None, killed) if on == "/proc/" else (None,))]
    good = True
    for what, calls, on, wrong, every, first in kinds:
        sweep = Sweep(arguments, scene, what)
        count = sweep.counted(calls, on, first)
        pairs = [(at, error) for at in ([arguments.at] if arguments.at else range(1, count + 1)) for error in wrong]
        chosen = pairs if arguments.at else pairs[arguments.first::max(every, -(-len(pairs) // arguments.most))]
        print(f"        {scene.name}, {what}: {count} calls, {len(chosen)} trials", flush=True)
        trials = [(error_trial, sweep.fault(calls=calls, on=on, at=at, error=error), {"resume": number % 2 == 0, "first": first}) for number, (at, error) in enumerate(chosen)]
        good = sweep.run(trials) and good
    return good


def can_trace(arguments):
    done = subprocess.run([arguments.fault_at, "--calls", "write", "--", "true"], stdin=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("troupe", type=os.path.abspath)
    parser.add_argument("fault_at", type=os.path.abspath)
    parser.add_argument("what", choices=["kills", "moments", "errors", "all"])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scene", action="append")
    parser.add_argument("--at", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    arguments.total = Total()
    if not can_trace(arguments):
        print("tracing is not permitted here")
        return 1 if os.environ.get(SKIP_NOTHING) else SKIPPED
    passed = failed = 0
    started = time.monotonic()
    for what, sweep in {"kills": kills, "moments": moments, "errors": errors}.items():
        wanted = arguments.scene or (ERROR_SCENES if what == "errors" else [scene.name for scene in all_scenes()])
        for scene in all_scenes():
            if arguments.what in (what, "all") and scene.name in wanted:
                good = sweep(arguments, scene)
                passed, failed = passed + good, failed + (not good)
    print(f"{arguments.total}, in {time.monotonic() - started:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
