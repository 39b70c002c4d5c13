#!/usr/bin/env python3
"""Signals and terminals: what they do to a run, whatever it is busy with, and what its commands find of them.
usage: signals_test.py TROUPE [NAME...]"""
import os
import resource
import signal
import sys
import threading
import time

from harness import Skip, alive, contains, equal, finish, main, statuses

HUGE = 4 << 40        # a file without blocks; nobody waits until this is read


def huge_file(shop, name):
    shop.write(name, "")
    try:
        os.truncate(shop.path(name), HUGE)
    except OSError as why:
        raise Skip(f"no large files here: {why}") from None


def wait_until_it_reads(shop, process):
    """Until it has read much more than a small pipeline and its state have."""
    def read_bytes():
        with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
            return int(file.readline().split()[1])
    shop.wait_for(lambda: read_bytes() > 100_000_000, "it reads a large file")


def a_signal_while_planning_reads(shop):
    huge_file(shop, "big/huge.bin")
    for number, inputs in ((signal.SIGTERM, ["big/huge.bin"]), (signal.SIGINT, ["big"]), (signal.SIGHUP, ["big/*"])):
        shop.pipeline({"a": {"command": "echo ran > ran.txt", "inputs": inputs}, "first": {"command": "true"}})
        process = shop.start("run")
        wait_until_it_reads(shop, process)
        process.send_signal(number)
        contains(finish(process).must(128 + number).errors, "stopped before the run began")
    assert not shop.exists("ran.txt")
    equal(shop.troupe("runs", "--json").must(0).json()["runs"], [])
    process = shop.start("run", "--json")
    wait_until_it_reads(shop, process)
    process.send_signal(signal.SIGTERM)
    equal(finish(process).must(143).json()["error"]["code"], "stopped")


def a_signal_while_a_resume_plans(shop):
    shop.pipeline({"a": {"command": "exit 1", "outputs": ["o"]}, "b": {"command": "true", "deps": ["a"], "inputs": ["x.bin"]}}, engine={"error_strategy": "abort"})
    shop.write("x.bin", "1")
    shop.run(status=1)
    huge_file(shop, "x.bin")
    process = shop.start("resume")
    wait_until_it_reads(shop, process)
    process.send_signal(signal.SIGTERM)
    finish(process).must(143)
    equal(shop.troupe("runs", "--json").must(0).json()["runs"][0]["status"], "failed")


def a_signal_while_a_ready_asset_is_looked_at(shop):
    """What could not be read is no failure; nothing that was waiting starts."""
    shop.pipeline({"a": {"command": f"truncate -s {HUGE} huge.bin"}, "b": {"command": "echo ran > ran.txt", "deps": ["a"], "inputs": ["huge.bin"]},
                   "c": {"command": "true", "deps": ["b"]}})
    for end in (lambda process: process.send_signal(signal.SIGINT), lambda process: shop.troupe("cancel").must(0)):
        huge_file(shop, "probe")
        process = shop.start("run", "--json", "--force")
        wait_until_it_reads(shop, process)
        end(process)
        result = finish(process)
        assert result.status in (130, 1), result.errors
        document = result.json()
        equal((document["status"], statuses(document)), ("cancelled", {"a": "succeeded", "b": "cancelled", "c": "blocked"}))
        os.remove(shop.path("huge.bin"))
    assert not shop.exists("ran.txt")


def a_signal_while_outputs_are_read(shop):
    """Nobody knows what the command made: it is made again. Nothing is started for an allowed failure."""
    huge_file(shop, "probe")
    shop.pipeline({"a": {"command": f"truncate -s {HUGE} huge.bin", "outputs": ["huge.bin"], "allow_failure": True},
                   "b": {"command": "echo ran > ran.txt", "deps": ["a"]}})
    process = shop.start("run", "--json")
    wait_until_it_reads(shop, process)
    process.send_signal(signal.SIGTERM)
    document = finish(process).must(143).json()
    equal((document["status"], statuses(document)["a"]), ("cancelled", "cancelled"))
    contains(document["assets"]["a"]["error"], "stopped")
    assert not shop.exists("ran.txt")
    os.remove(shop.path("huge.bin"))
    contains(str(shop.reasons("a")), "last_attempt_failed")


def verbs_that_only_look_end_by_default(shop):
    huge_file(shop, "huge.bin")
    shop.pipeline({"a": {"command": "true", "inputs": ["huge.bin"]}})
    for number, verb in ((signal.SIGTERM, ["plan"]), (signal.SIGINT, ["status"]), (signal.SIGQUIT, ["explain", "a"]), (signal.SIGHUP, ["run", "--dry-run"])):
        process = shop.start(*verb, preexec_fn=no_core)
        wait_until_it_reads(shop, process)
        process.send_signal(number)
        finish(process).must(-number)


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def signals_without_a_custom_end_the_commands_too(shop):
    """SIGQUIT (Ctrl-\\), and what batch systems send: no command is left, and the process ends as by default."""
    for number in (signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGALRM):
        shop.pipeline({"a": {"command": f"echo $$ > {number}.pid; sleep 300"}}, name=f"by{number}")
        process = shop.start("run", preexec_fn=no_core)
        shop.wait_for_file(f"{number}.pid")
        process.send_signal(number)
        contains(finish(process).must(-number).text, "cancelled")
        assert not alive(int(shop.read(f"{number}.pid")))
        equal(shop.troupe("runs", "--json").must(0).json()["runs"][0]["status"], "cancelled")


def signals_that_are_ignored_at_the_start(shop):
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        shop.pipeline({"a": {"command": f"echo $$ > {number}.pid; until test -e {number}.go; do sleep 0.01; done; grep -i sig /proc/self/status", "outputs": [f"{number}.pid"]}},
                      name=f"by{number}")
        process = shop.start("run", preexec_fn=lambda number=number: signal.signal(number, signal.SIG_IGN))
        shop.wait_for_file(f"{number}.pid")
        process.send_signal(number)
        shop.write(f"{number}.go", "")
        finish(process).must(0)
        contains(shop.troupe("logs", "a").must(0).text, "SigIgn:\t0000000000000000", "SigBlk:\t0000000000000000")   # its commands have them at their defaults


def signals_that_are_blocked_at_the_start(shop):
    shop.pipeline({"a": {"command": "grep -i sig /proc/self/status; echo $$ > a.pid; sleep 300"}})
    for number in (signal.SIGTERM, signal.SIGINT):
        process = shop.start("run", preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG)))
        shop.wait_for_file("a.pid")
        process.send_signal(number)
        finish(process).must(128 + number)
        assert not alive(int(shop.read("a.pid")))
        contains(shop.troupe("logs", "a").must(0).text, "SigBlk:\t0000000000000000")
        os.remove(shop.path("a.pid"))


def files_that_may_not_grow(shop):
    """ulimit -f: an error that says so, whatever the limit; a command dies of its own signal."""
    shop.pipeline({"a": {"command": "true"}})
    for kilobytes in (1, 8, 16, 32, 40):
        def limited(size=kilobytes * 1024):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        contains(finish(shop.start("run", preexec_fn=limited)).must(3).errors, "limit is reached")
        shop.troupe("runs").must(0)
    shop.pipeline({"a": {"command": ["dd", "if=/dev/zero", "of=big", "bs=1M", "count=64"]}}, name="b")
    process = shop.start("run", "--json", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (32 << 20, 32 << 20)))
    equal(finish(process).must(1).json()["assets"]["a"]["signal"], int(signal.SIGXFSZ))


def an_input_that_is_being_written(shop):
    """What was read first counts; the asset is stale next time."""
    shop.write("in/log.txt", "x" * 30_000_000)
    shop.pipeline({"file": {"command": "true", "inputs": ["in/log.txt"]}, "folder": {"command": "true", "inputs": ["in"]}, "glob": {"command": "true", "inputs": ["in/*"]}})
    over = threading.Event()

    def write():
        with open(shop.path("in/log.txt"), "a", encoding="ascii") as log:
            while not over.wait(0.001):
                log.write("line\n")
                log.flush()
    writer = threading.Thread(target=write)
    writer.start()
    try:
        equal(set(statuses(shop.run()).values()), {"succeeded"})
    finally:
        over.set()
        writer.join()
    with open(shop.path("in/log.txt"), "a", encoding="ascii") as log:
        log.write("the last line\n")
    for asset in ("file", "glob"):
        equal(shop.reasons(asset), ("run", [("input_changed", "in/log.txt")]))
    equal(shop.reasons("folder"), ("run", [("input_changed", "in")]))
    shop.run()
    equal(set(statuses(shop.run()).values()), {"fresh"})


def an_input_folder_that_holds_the_state(shop):
    shop.write("w/f", "1")
    shop.pipeline({"a": {"command": "cat w/f > o", "inputs": ["w"], "outputs": ["o"]}}, engine={"state_dir": "w/deep/.state"})
    for _ in range(2):
        shop.run("--force")
        equal(statuses(shop.run()), {"a": "fresh"})
    os.symlink("w", shop.path("link"))
    equal(statuses(shop.run("--state", "link/deep/.state")), {"a": "fresh"})      # the same state, however it is spelt
    shop.write("w/f", "2")
    equal(shop.reasons("a"), ("run", [("input_changed", "w")]))
    os.mkdir(shop.path("p"))
    shop.pipeline({"a": {"command": "cat ../w/f", "inputs": ["../../work"], "cwd": "."}}, file="p/troupe.json")
    shop.troupe("run", "-f", "p/troupe.json").must(0)
    equal(shop.reasons("a", "-f", "p/troupe.json"), ("fresh", []))


TESTS = [a_signal_while_planning_reads, a_signal_while_a_resume_plans, a_signal_while_a_ready_asset_is_looked_at, a_signal_while_outputs_are_read,
         verbs_that_only_look_end_by_default, signals_without_a_custom_end_the_commands_too, signals_that_are_ignored_at_the_start,
         signals_that_are_blocked_at_the_start, files_that_may_not_grow, an_input_that_is_being_written, an_input_folder_that_holds_the_state]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
