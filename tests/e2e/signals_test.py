#!/usr/bin/env python3
"""Signals, and what else a process inherits or shares: what they do to a run, whatever it is busy with.
usage: signals_test.py TROUPE [NAME...]"""
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading

import harness
from harness import Skip, alive, contains, equal, finish, main, statuses

HUGE = 4 << 40        # a file without blocks; nobody waits until this is read


def huge_file(shop, name):
    shop.write(name, "")
    try:
        os.truncate(shop.path(name), HUGE)
    except OSError as why:
        raise Skip(f"no large files here: {why}") from None


def wait_until_it_reads(shop, pid):
    """Until it has read much more than a small pipeline and its state have."""
    def read_bytes():
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            return int(file.readline().split()[1])
    shop.wait_for(lambda: read_bytes() > 100_000_000, "it reads a large file")


def a_signal_while_planning_reads(shop):
    huge_file(shop, "big/huge.bin")
    for number, inputs in ((signal.SIGTERM, ["big/huge.bin"]), (signal.SIGINT, ["big"]), (signal.SIGHUP, ["big/*"])):
        shop.pipeline({"a": {"command": "echo ran > ran.txt", "inputs": inputs}, "first": {"command": "true"}})
        process = shop.start("run")
        wait_until_it_reads(shop, process.pid)
        process.send_signal(number)
        contains(finish(process).must(128 + number).errors, "stopped before the run began")
    assert not shop.exists("ran.txt")
    equal(shop.troupe("runs", "--json").must(0).json()["runs"], [])
    process = shop.start("run", "--json")
    wait_until_it_reads(shop, process.pid)
    process.send_signal(signal.SIGTERM)
    equal(finish(process).must(143).json()["error"]["code"], "stopped")


def a_signal_while_a_resume_plans(shop):
    shop.pipeline({"a": {"command": "exit 1", "outputs": ["o"]}, "b": {"command": "true", "deps": ["a"], "inputs": ["x.bin"]}}, engine={"error_strategy": "abort"})
    shop.write("x.bin", "1")
    shop.run(status=1)
    huge_file(shop, "x.bin")
    process = shop.start("resume")
    wait_until_it_reads(shop, process.pid)
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
        wait_until_it_reads(shop, process.pid)
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
    wait_until_it_reads(shop, process.pid)
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
        wait_until_it_reads(shop, process.pid)
        process.send_signal(number)
        finish(process).must(-number)


def verbs_that_only_look_as_process_1(shop):
    """In a container: the system has no default action for it there."""
    if subprocess.run(["unshare", "--pid", "--fork", "true"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("no namespaces here")
    huge_file(shop, "huge.bin")
    shop.pipeline({"a": {"command": "true", "inputs": ["huge.bin"]}})
    for verb, number in (("plan", signal.SIGTERM), ("status", signal.SIGINT), ("run", signal.SIGTERM)):
        outer = subprocess.Popen(["unshare", "--pid", "--fork", harness.TROUPE, verb], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def inner(outer=outer):
            with open(f"/proc/{outer.pid}/task/{outer.pid}/children", encoding="ascii") as file:
                return file.read().split()
        shop.wait_for(inner, "it runs")
        pid = int(inner()[0])
        wait_until_it_reads(shop, pid)
        os.kill(pid, number)
        finish(outer).must(128 + number)


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
        contains(finish(shop.start("run", preexec_fn=limited)).must(3).errors, "ulimit -f")
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
    equal(shop.reasons("folder"), ("run", [("input_changed", "in/log.txt")]))
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
    equal(shop.reasons("a"), ("run", [("input_changed", "w/f")]))
    os.mkdir(shop.path("p"))
    shop.pipeline({"a": {"command": "cat ../w/f", "inputs": ["../../work"], "cwd": "."}}, file="p/troupe.json")
    shop.troupe("run", "-f", "p/troupe.json").must(0)
    equal(shop.reasons("a", "-f", "p/troupe.json"), ("fresh", []))


def a_cancel_of_a_stopped_run(shop):
    """It is continued to end, as a command would be."""
    shop.pipeline({"a": {"command": "echo $$ > a.pid; sleep 300"}})
    process = shop.start("run")
    shop.wait_for_file("a.pid")
    shop.wait_for(lambda: shop.troupe("logs", "a").status == 0, "the run is recorded")
    process.send_signal(signal.SIGSTOP)
    contains(shop.troupe("cancel").must(0).text, "cancelled")
    finish(process).must(1)
    assert not alive(int(shop.read("a.pid")))


def a_cancel_of_a_run_in_a_debugger(shop):
    """Nothing helps: it says so, and what to do, instead of waiting for ever."""
    def ptrace(request, thread):
        return call(request, thread, None, None) == 0
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    shop.pipeline({"a": {"command": "echo $$ > a.pid; sleep 300"}})
    process = shop.start("run")
    shop.wait_for_file("a.pid")
    shop.wait_for(lambda: shop.troupe("logs", "a").status == 0, "the run is recorded")
    threads = [int(name) for name in os.listdir(f"/proc/{process.pid}/task")]
    if not all(ptrace(16, thread) for thread in threads):      # PTRACE_ATTACH
        process.kill()
        finish(process)
        raise Skip(f"no tracing here: {os.strerror(ctypes.get_errno())}")
    for thread in threads:
        os.waitpid(thread, 0x40000000)                         # __WALL
    contains(shop.troupe("cancel").must(3).errors, str(process.pid), "debugger", "kill -CONT")
    for thread in threads:
        ptrace(17, thread)                                     # PTRACE_DETACH
    finish(process).must(1)


def a_command_ended_by_a_signal_that_was_meant_for_all(shop):
    """A container or a session is ended: the command hears of it first. Nothing is started for its allowed failure."""
    shop.pipeline({"a": {"command": "echo $$ > a.pid; sleep 300", "allow_failure": True}, "b": {"command": "echo ran > ran.txt", "deps": ["a"]}})
    process = shop.start("run", "--json")
    shop.wait_for_file("a.pid")
    process.send_signal(signal.SIGSTOP)               # so that it hears of both in the same moment
    os.kill(int(shop.read("a.pid")), signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    document = finish(process).must(143).json()
    equal((document["status"], statuses(document)["a"]), ("cancelled", "cancelled"))
    assert not shop.exists("ran.txt")
    shop.pipeline({"a": {"command": "kill -TERM $$", "allow_failure": True}, "b": {"command": "echo ran > ran.txt", "deps": ["a"]}})
    equal(statuses(shop.run()), {"a": "failed", "b": "succeeded"})       # and where it was meant for it alone


def a_pipeline_that_is_handed_over(shop):
    """/dev/stdin and what a shell makes of <(...): as -f -, with paths and state in the current folder."""
    text = '{ "name": "t", "assets": { "a": { "command": "cat in.* > o; exit $(cat status)", "inputs": ["in.*", "status"], "outputs": ["o"] } } }'
    shop.write("in.txt", "1")
    shop.write("status", "0")
    shop.troupe("run", "-f", "/dev/stdin", stdin=text).must(0)
    equal(shop.read("o"), "1")
    equal(shop.troupe("plan", "-f", "-", "--json", stdin=text).must(0).json()["assets"]["a"]["action"], "fresh")
    shop.write("status", "1")

    def by_descriptor(verb, *more):
        ends = os.pipe()
        os.write(ends[1], text.encode())
        os.close(ends[1])
        process = shop.start(verb, *more, "-f", f"/dev/fd/{ends[0]}", pass_fds=[ends[0]])
        os.close(ends[0])
        return finish(process)
    by_descriptor("run").must(1)
    by_descriptor("status").must(0)
    contains(shop.troupe("resume").must(2).errors, "standard input")
    shop.write("status", "0")
    by_descriptor("resume").must(0)
    os.mkfifo(shop.path("fifo"))
    writer = threading.Thread(target=lambda: shop.write("fifo", text))
    writer.start()
    equal(shop.troupe("plan", "-f", "fifo", "--json").must(0).json()["assets"]["a"]["action"], "fresh")
    writer.join()
    os.remove(shop.path("fifo"))


def functions_of_the_shell(shop):
    """export -f of bash, and what BASH_ENV defines: found by a plain command as by any other."""
    if shutil.which("bash") is None:
        raise Skip("no bash here")
    shop.write("rc", "from_file() { echo \"file $1\"; }")
    shop.pipeline({"plain": {"command": "hello a"}, "text": {"command": "hello a; true"}, "old": {"command": "older b"}}, defaults={"shell": shutil.which("bash")})
    functions = {"BASH_FUNC_hello%%": "() { echo \"hello $1\"; }", "BASH_FUNC_older%%": "() { echo \"older $1\"; }"}
    shop.troupe("run", env=functions).must(0)
    contains(shop.troupe("logs", "plain").must(0).text, "hello a")
    contains(shop.troupe("logs", "old").must(0).text, "older b")
    shop.pipeline({"file": {"command": "from_file c"}}, name="b", defaults={"shell": shutil.which("bash"), "env": {"BASH_ENV": shop.path("rc")}})
    shop.run()
    contains(shop.troupe("logs", "file").must(0).text, "file c")


TESTS = [a_signal_while_planning_reads, a_signal_while_a_resume_plans, a_signal_while_a_ready_asset_is_looked_at, a_signal_while_outputs_are_read,
         verbs_that_only_look_end_by_default, verbs_that_only_look_as_process_1, signals_without_a_custom_end_the_commands_too, signals_that_are_ignored_at_the_start,
         signals_that_are_blocked_at_the_start, files_that_may_not_grow, an_input_that_is_being_written, an_input_folder_that_holds_the_state,
         a_cancel_of_a_stopped_run, a_cancel_of_a_run_in_a_debugger, a_command_ended_by_a_signal_that_was_meant_for_all, a_pipeline_that_is_handed_over,
         functions_of_the_shell]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
