#!/usr/bin/env python3
"""`journal rebuild` and `journal compact`, killed at every system call that changes something, and let down by disks that are full or
fail: what is true stays true byte for byte."""
import os
import re
import shutil
import subprocess
import sys

import harness
from harness import Skip, contains, equal
from journal_upkeep_test import VERBS, build, now, verified

CHANGES = ("pwrite64", "pwritev", "write", "fdatasync", "fsync", "ftruncate", "rename", "unlink", "openat")


def traced(shop, options, *command):
    """A troupe process under strace."""
    done = subprocess.run(["strace", "-f", *options, harness.TROUPE, *command], cwd=shop.folder, capture_output=True, timeout=harness.TIMEOUT_S, check=False)
    if done.returncode != 0 and re.search(rb"PTRACE_(TRACEME|SEIZE|ATTACH).*not permitted", done.stderr):
        raise Skip("processes may not be traced here")
    return done


def calls_of(shop, verb, state):
    """How often each of those calls is made, from the first one that touches the state on."""
    log = shop.path("calls")
    done = traced(shop, ["-o", log, "-e", "trace=" + ",".join(CHANGES)], *verb, "--state", state)
    equal(done.returncode, 0)
    counts, first = {}, {}
    for line in shop.lines("calls"):
        match = re.match(r"\d+ +(\w+)\((.*)", line)
        if not match:
            continue
        counts[match[1]] = counts.get(match[1], 0) + 1
        if state + "/lock" in match[2] and match[1] == "openat":
            first = dict(counts)
    return [(call, k) for call in CHANGES for k in range(first.get(call, 0) + 1, counts.get(call, 0) + 1)]


def killed_anywhere(shop, verb):
    build(shop)
    before = now(shop)
    shutil.move(shop.path(".troupe"), shop.path("kept"))

    def fresh_copy():
        shutil.rmtree(shop.path(".troupe"), ignore_errors=True)
        shutil.copytree(shop.path("kept"), shop.path(".troupe"))

    fresh_copy()
    points = calls_of(shop, verb, ".troupe")
    assert len(points) > 15, points
    killed = 0
    for call, k in points:
        fresh_copy()
        done = traced(shop, ["-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={k}"], *verb)
        killed += done.returncode != 0
        verified(shop)
        equal((call, k, now(shop)), (call, k, before))
        if k % 4 == 0 or call in ("rename", "unlink", "fsync"):
            shop.troupe(*verb).must(0)
            equal(sorted(n for n in os.listdir(shop.path(".troupe")) if n.startswith("journal.mdb.new")), [])
            equal((call, k, now(shop)), (call, k, before))
    print(f"        {' '.join(verb)}: killed at {killed} of {len(points)} calls")
    assert killed * 10 > len(points) * 9, f"only {killed} of {len(points)} kills hit"


def a_rebuild_that_is_killed_leaves_the_old_journal_or_the_new_one(shop):
    killed_anywhere(shop, ("journal", "rebuild"))


def a_compaction_that_is_killed_leaves_a_journal_in_which_the_same_is_true(shop):
    killed_anywhere(shop, ("journal", "compact"))


def a_full_disk_or_a_failing_one_leaves_the_old_journal(shop):
    build(shop)
    before = now(shop)
    for verb in VERBS:
        for call, error in (("fdatasync", "EIO"), ("pwrite64", "ENOSPC"), ("pwritev", "ENOSPC"), ("rename", "EIO"), ("fsync", "EIO")):
            done = traced(shop, ["-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}"], *verb)
            assert done.returncode in (0, 3), (verb, call, done)
            if done.returncode == 3:
                contains(done.stderr.decode(), "error: state ")
            verified(shop)
            equal((verb, call, now(shop)), (verb, call, before))


TESTS = [a_rebuild_that_is_killed_leaves_the_old_journal_or_the_new_one,
         a_compaction_that_is_killed_leaves_a_journal_in_which_the_same_is_true,
         a_full_disk_or_a_failing_one_leaves_the_old_journal]

if __name__ == "__main__":
    sys.exit(harness.main(TESTS, sys.argv[1:]))
