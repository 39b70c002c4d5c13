#!/usr/bin/env python3
"""Commands that misbehave, runs that are stopped or die, and two that meet: what is left behind, recorded and reported.
usage: processes_test.py TROUPE [NAME...]"""
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import harness
from harness import SKIPPED, Skip, alive, contains, equal, finish, main, statuses


def failed_asset(shop, asset, status=1, **engine):
    shop.pipeline({"a": asset}, **({"engine": engine} if engine else {}))
    document = shop.run(status=status)
    equal((document["status"], document["assets"]["a"]["status"]), ("failed", "failed"))
    return document["assets"]["a"]


def the_exit_status_of_a_command(shop):
    asset = failed_asset(shop, {"command": "echo the reason >&2; exit 7"})
    equal(asset["exit_code"], 7)
    text = shop.troupe("run").must(1)
    contains(text.text + text.errors, "a", "7", "the reason")
    contains(shop.troupe("logs", "a").must(0).text, "the reason")


def a_command_that_does_not_exist_or_is_not_executable(shop):
    asset = failed_asset(shop, {"command": ["no-such-program-anywhere", "x"]})
    contains(asset["error"], "no-such-program-anywhere")
    assert asset.get("exit_code") is None, asset
    shop.write("script.sh", "#!/bin/sh\n", mode=0o644)
    contains(failed_asset(shop, {"command": ["./script.sh"], "inputs": ["script.sh"]})["error"], "script.sh")


def a_command_ended_by_a_signal(shop):
    asset = failed_asset(shop, {"command": "kill -KILL $$"})
    contains(str(asset["signal"]), "9" if isinstance(asset["signal"], int) else "KILL")


def a_time_out_ends_the_whole_group(shop):
    started = time.monotonic()
    asset = failed_asset(shop, {"command": "sleep 300 & echo $! > child.pid; echo $$ > self.pid; wait", "timeout": "1s"})
    assert time.monotonic() - started < 60
    contains(asset["error"].lower(), "time")
    assert not alive(int(shop.read("child.pid"))) and not alive(int(shop.read("self.pid")))


def a_command_that_ignores_sigterm(shop):
    failed_asset(shop, {"command": "trap '' TERM; echo $$ > self.pid; while :; do sleep 1; done", "timeout": "1s"}, grace_period="300ms")
    assert not alive(int(shop.read("self.pid")))


def a_declared_output_that_was_not_made(shop):
    contains(failed_asset(shop, {"command": "true", "outputs": ["never.txt"]})["error"], "never.txt")


def malformed_results(shop):
    too_large = '{"metadata": {"x": "' + "x" * (1 << 20) + '"}}'
    for text in ('{"rows": 1}', "{", "[]", '{"data_version": 7}', '{"data_version": "1"} x', '{"metadata": {"x": 1e400}}', too_large):
        shop.write("result", text)
        asset = failed_asset(shop, {"command": ["/bin/sh", "-c", "cp result \"$TROUPE_RESULT\""]})
        assert asset["error"], asset
    shop.write("result", '{"metadata": {"rows": 42, "name": "x"}}')
    shop.pipeline({"a": {"command": ["/bin/sh", "-c", "cp result \"$TROUPE_RESULT\""]}})
    equal(shop.run()["assets"]["a"]["metadata"], {"rows": 42, "name": "x"})
    deep = {"x": 1}
    for _ in range(50):
        deep = {"x": deep}
    shop.write("result", json.dumps({"metadata": deep}))
    equal(shop.run("--force")["assets"]["a"]["metadata"], deep)


def a_missing_input_fails_before_the_start(shop):
    asset = failed_asset(shop, {"command": "echo started > started.txt", "inputs": ["nowhere.txt"]})
    contains(asset["error"], "nowhere.txt")
    assert not shop.exists("started.txt")


def error_strategies(shop):
    assets = {"bad": {"command": "sleep 0.2; exit 1", "priority": 1}, "slow": {"command": "sleep 1.5; echo 1 > slow.txt"},
              "after_bad": {"command": "true", "deps": ["bad"]}, "after_slow": {"command": "true", "deps": ["slow"]}}
    shop.pipeline(assets, engine={"workers": 2, "grace_period": "1s"})
    equal(statuses(shop.run(status=1)), {"bad": "failed", "slow": "succeeded", "after_bad": "blocked", "after_slow": "cancelled"})
    equal(statuses(shop.run("--error-strategy", "continue", "--force", status=1)),
          {"bad": "failed", "slow": "succeeded", "after_bad": "blocked", "after_slow": "succeeded"})
    equal(statuses(shop.run("--error-strategy", "abort", "--force", status=1)),
          {"bad": "failed", "slow": "cancelled", "after_bad": "blocked", "after_slow": "blocked"})


def an_allowed_failure(shop):
    shop.pipeline({"may": {"command": "exit 3", "allow_failure": True}, "after": {"command": "echo ran >> log", "deps": ["may"]}})
    document = shop.run()
    equal((document["status"], statuses(document)), ("succeeded", {"may": "failed", "after": "succeeded"}))
    document = shop.run()
    equal(statuses(document), {"may": "failed", "after": "fresh"})     # a constant version "failed" to those after it
    contains(shop.troupe("run").must(0).text, "may")


def retries(shop):
    shop.pipeline({"a": {"command": "echo attempt $TROUPE_ATTEMPT; test $TROUPE_ATTEMPT -ge 3 || exit 75",
                         "retry": {"attempts": 5, "delay": "10ms", "backoff": "linear", "on_exit_codes": [75]}},
                   "not_this_status": {"command": "exit 1", "retry": {"attempts": 5, "delay": "10ms", "on_exit_codes": [75]}}},
                  engine={"error_strategy": "continue"})
    document = shop.run(status=1)
    equal({n: (a["status"], a["attempts"]) for n, a in document["assets"].items()}, {"a": ("succeeded", 3), "not_this_status": ("failed", 1)})
    contains(shop.troupe("logs", "a", "--attempt", "2").must(0).text, "attempt 2")


def long_output_keeps_head_and_tail(shop):
    shop.pipeline({"a": {"command": "echo the-head; head -c 30000000 /dev/zero | tr '\\0' x; echo; echo the-tail", "max_log": "1MB"}})
    shop.run()
    log = shop.troupe("logs", "a").must(0).text
    assert len(log) < 3_000_000, len(log)
    contains(log[:1000], "the-head")
    contains(log[-1000:], "the-tail")


def a_command_that_closes_its_pipes_and_lives_on(shop):
    shop.pipeline({"a": {"command": "exec >&- 2>&-; sleep 0.5; echo 1 > a.txt", "outputs": ["a.txt"]}})
    equal(statuses(shop.run()), {"a": "succeeded"})


def a_daemon_does_not_outlive_the_run(shop):
    shop.pipeline({"a": {"command": "setsid sh -c 'echo $$ > daemon.pid; exec sleep 321' < /dev/null > /dev/null 2>&1 & until test -s daemon.pid; do sleep 0.01; done"},
                   "b": {"command": "(setsid sh -c 'echo $$ > grandchild.pid; exec sleep 322' &) ; until test -s grandchild.pid; do sleep 0.01; done"}})
    shop.run()
    assert not alive(int(shop.read("daemon.pid"))) and not alive(int(shop.read("grandchild.pid")))


def what_a_command_is_given(shop):
    shop.pipeline({"a": {"command": "ls -l /proc/self/fd > fds.txt; cat > in.txt; env > env.txt; ps -o pgid= -p $$ > pgid.txt; echo $$ > pid.txt"}})
    shop.run()
    fds = sorted(line.split(" -> ")[0].split()[-1] for line in shop.lines("fds.txt") if " -> " in line and "/proc/" not in line.split(" -> ")[1])
    equal(fds, ["0", "1", "2"])
    equal(shop.read("in.txt"), "")
    equal(shop.read("pgid.txt").strip(), shop.read("pid.txt").strip())
    contains(shop.read("env.txt"), "TROUPE_PIPELINE=test", "TROUPE_ASSET=a", "TROUPE_ATTEMPT=1", "TROUPE_RUN_ID=", "TROUPE_STATE_ID=", "TROUPE_RESULT=")


def refuse_system_calls(*numbers):
    """For this process and all it becomes and starts: the kernel answers as one that does not have them."""
    class Instruction(ctypes.Structure):
        _fields_ = [("code", ctypes.c_uint16), ("if_true", ctypes.c_uint8), ("if_false", ctypes.c_uint8), ("k", ctypes.c_uint32)]

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_uint16), ("filter", ctypes.POINTER(Instruction))]

    load, jump_if_equal, answer = 0x20, 0x15, 0x06         # a word of what is asked, here the call's number
    steps = [(load, 0, 0, 0), *((jump_if_equal, len(numbers) - i, 0, number) for i, number in enumerate(numbers)),
             (answer, 0, 0, 0x7fff0000), (answer, 0, 0, 0x00050000 | errno.ENOSYS)]
    instructions = (Instruction * len(steps))(*steps)
    libc = ctypes.CDLL(None, use_errno=True)
    set_no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(set_no_new_privileges, 1, 0, 0, 0) != 0 or libc.prctl(set_seccomp, filter_mode, ctypes.byref(Program(len(steps), instructions)), 0, 0) != 0:
        os._exit(SKIPPED)


def what_a_command_is_given_by_an_older_system(shop):
    """One without clone3 and close_range."""
    shop.pipeline({"a": {"command": "ls -l /proc/self/fd > fds.txt; cat /proc/self/status > signals.txt"}})

    def older():
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        os.dup2(0, soft - 1)
        os.set_inheritable(soft - 1, True)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft // 2, hard))   # a descriptor above it stays
        refuse_system_calls(435, 436)

    with subprocess.Popen([harness.TROUPE, "run", "--json"], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          close_fds=False, preexec_fn=older) as process:
        result = finish(process)
    if result.status == SKIPPED:
        raise Skip("system calls cannot be refused here")
    equal(statuses(result.must(0).json()), {"a": "succeeded"})
    fds = sorted(line.split(" -> ")[0].split()[-1] for line in shop.lines("fds.txt") if " -> " in line and "/proc/" not in line.split(" -> ")[1])
    equal(fds, ["0", "1", "2"])
    equal({line.split(":")[0]: int(line.split()[1], 16) for line in shop.lines("signals.txt") if line.startswith(("SigBlk", "SigIgn", "SigCgt"))},
          {"SigBlk": 0, "SigIgn": 0, "SigCgt": 0})


def outputs_of_every_kind(shop):
    shop.pipeline({"folder": {"command": "mkdir -p d/sub && echo 1 > d/sub/f && touch 'd/a b' \"d/new\nline\" \"$(printf 'd/\\377')\"", "outputs": ["d"]},
                   "link": {"command": "ln -sf target.txt l", "inputs": ["target.txt"], "outputs": ["l"]},
                   "spaces": {"command": "echo 1 > {{ outputs[0] }}", "outputs": ["a b/c 'd\".txt"]},
                   "after": {"command": ["cp", "{{ inputs }}", "{{ outputs[0] }}"], "inputs": ["a b/c 'd\".txt"], "outputs": ["copy.txt"]}})
    shop.write("target.txt", "1\n")
    equal(set(statuses(shop.run()).values()), {"succeeded"})
    equal(set(statuses(shop.run()).values()), {"fresh"})
    equal(shop.read("copy.txt"), "1\n")


def a_fifo_as_output_does_not_hang(shop):
    shop.pipeline({"a": {"command": "rm -f pipe; mkfifo pipe", "outputs": ["pipe"]}})
    result = shop.troupe("run", "--json")
    assert result.status in (0, 1), (result.status, result.errors)


def a_command_that_deletes_the_working_folder(shop):
    shop.pipeline({"a": {"command": "rm -rf \"$PWD\"/* \"$PWD\"/.troupe"}, "b": {"command": "true", "deps": ["a"]}})
    result = shop.troupe("run")
    assert result.status in (0, 1, 3), (result.status, result.errors)     # it ends, and by itself


def sigint_ends_the_run_and_its_children(shop):
    shop.pipeline({"a": {"command": "echo $$ > a.pid; sleep 300"}, "b": {"command": "true", "deps": ["a"]}})
    process = shop.start("run", "--json")
    shop.wait_for_file("a.pid")
    process.send_signal(signal.SIGINT)
    result = finish(process).must(130)
    equal((result.json()["status"], statuses(result.json())), ("cancelled", {"a": "cancelled", "b": "blocked"}))
    assert not alive(int(shop.read("a.pid")))
    equal(shop.troupe("runs", "--json").must(0).json()["runs"][0]["status"], "cancelled")
    contains(str(shop.reasons("a")), "last_attempt_failed")


def a_second_sigint_kills_at_once(shop):
    shop.pipeline({"a": {"command": "trap '' TERM INT; echo $$ > a.pid; while :; do sleep 0.1; done"}}, engine={"grace_period": "100s"})
    process = shop.start("run")
    shop.wait_for_file("a.pid")
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    finish(process).must(130)
    assert not alive(int(shop.read("a.pid")))


def sigterm_ends_with_143(shop):
    shop.pipeline({"a": {"command": "echo $$ > a.pid; sleep 300"}})
    process = shop.start("run")
    shop.wait_for_file("a.pid")
    process.send_signal(signal.SIGTERM)
    finish(process).must(143)
    assert not alive(int(shop.read("a.pid")))


def a_killed_supervisor_is_recovered_from(shop):
    shop.pipeline({"first": {"command": "echo ran >> first.log; echo 1 > first.txt", "outputs": ["first.txt"]},
                   "second": {"command": "echo $$ > second.pid; test -e go || sleep 300; echo 1 > second.txt", "inputs": ["first.txt"], "outputs": ["second.txt"]},
                   "third": {"command": "cp second.txt third.txt", "inputs": ["second.txt"], "outputs": ["third.txt"]}})
    process = shop.start("run")
    shop.wait_for_file("second.pid")
    shop.wait_for_status("first", "succeeded")             # "pipelined": what is done is on disk soon after
    process.kill()
    finish(process)
    leftover = int(shop.read("second.pid"))
    assert alive(leftover)
    runs = shop.troupe("runs", "--json").must(0).json()["runs"]
    equal(runs[0]["status"], "interrupted")
    shop.write("go", "")
    document = shop.troupe("resume", "--json").must(0).json()
    equal((document["run"], document["status"]), (runs[0]["run"], "succeeded"))
    equal((document["assets"]["second"]["status"], document["assets"]["third"]["status"]), ("succeeded", "succeeded"))
    assert not alive(leftover), "the leftover of the dead supervisor still runs"
    equal(shop.lines("first.log"), ["ran"])
    equal(set(statuses(shop.run()).values()), {"fresh"})


def a_run_after_a_killed_one(shop):
    shop.pipeline({"first": {"command": "echo ran >> first.log"}, "second": {"command": "echo $$ >> second.pid; test -e go || sleep 300", "deps": ["first"]}})
    process = shop.start("run")
    shop.wait_for_file("second.pid")
    shop.wait_for_status("first", "succeeded")
    process.kill()
    finish(process)
    shop.write("go", "")
    equal(statuses(shop.run()), {"first": "fresh", "second": "succeeded"})
    assert not alive(int(shop.lines("second.pid")[0]))
    equal(shop.lines("first.log"), ["ran"])
    equal([r["status"] for r in shop.troupe("runs", "--json").must(0).json()["runs"]], ["succeeded", "interrupted"])


def a_supervisor_killed_by_its_first_command(shop):
    """Before anything but the run's beginning can be on disk."""
    shop.pipeline({"a": {"command": "echo $$ >> a.pid; test -e go || { kill -9 $PPID; sleep 300; }"}})
    finish(shop.start("run"))
    leftover = int(shop.lines("a.pid")[0])
    assert alive(leftover)
    shop.write("go", "")
    equal(statuses(shop.run()), {"a": "succeeded"})
    assert not alive(leftover), "the leftover of the dead supervisor still runs"
    equal([r["status"] for r in shop.troupe("runs", "--json").must(0).json()["runs"]], ["succeeded", "interrupted"])


@contextlib.contextmanager
def leased(path):
    """While this lasts, whoever opens the file waits, and so does who executes it."""
    descriptor = os.open(path, os.O_RDONLY)
    old = signal.signal(signal.SIGIO, signal.SIG_IGN)      # somebody wants to open it
    try:
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            raise Skip(f"no lease on {path}: {error.strerror}") from None
        yield
    finally:
        os.close(descriptor)                               # with the lease
        signal.signal(signal.SIGIO, old)


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:   # it may have ended
            found += map(int, file.read().split())
    return found


def killed_while_it_starts_a_command(shop, standard_descriptors):
    """Between clone and exec the command cannot be told by its environment: who comes next waits until it can."""
    shell = shop.path("shell")
    shutil.copy("/bin/sh", shell)
    shop.write("step", f"#!{shell}\necho $$ >> a.pid\nuntil test -e go; do sleep 0.02; done\n", 0o755)
    shop.pipeline({"a": {"command": ["./step"]}})
    with leased(shell):
        closed = " ".join(f"{fd}>&-" for fd in range(3) if fd not in standard_descriptors)
        process = subprocess.Popen(["/bin/sh", "-c", f'exec "$0" run {closed}', harness.TROUPE], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        shop.wait_for(lambda: children(process.pid), "the command is being started")
        starting = children(process.pid)[0]
        process.kill()
        process.wait()
        assert alive(starting) and not shop.exists("a.pid")
        equal([r["status"] for r in shop.troupe("runs", "--json").must(0).json()["runs"]], ["interrupted"])
        contains(shop.troupe("cancel").must(2).errors, "not live")
        impatient = shop.start("run")
        resumed = shop.start("resume", "--json")
        shop.wait_for(lambda: harness.heeds(impatient.pid, signal.SIGINT), "it looks at what is being started")
        time.sleep(1)                                      # time to do it wrong
        assert impatient.poll() is None and resumed.poll() is None
        impatient.send_signal(signal.SIGINT)
        contains(finish(impatient).must(130).errors, f"is still held by a command that process {process.pid} (", "was starting when it ended")
    try:
        shop.wait_for(lambda: not alive(starting), "what the dead supervisor was starting has been ended")
    except AssertionError:
        os.kill(starting, signal.SIGKILL)
        raise
    shop.write("go", "")
    equal(statuses(finish(resumed).must(0).json()), {"a": "succeeded"})
    equal([pid for pid in shop.lines("a.pid") if pid != str(starting)], shop.lines("a.pid")[-1:])   # started once more, after it


def a_supervisor_killed_while_it_starts_a_command(shop):
    killed_while_it_starts_a_command(shop, (0, 1, 2))


def a_supervisor_with_nothing_open_killed_while_it_starts_a_command(shop):
    killed_while_it_starts_a_command(shop, ())


def leftovers_that_take_their_time_are_hurried(shop):
    """By the second SIGINT, as what a run has started itself."""
    shop.pipeline({"a": {"command": "trap '' TERM; echo $$ >> a.pid; while :; do sleep 0.1; done"}}, engine={"grace_period": "100s"})
    process = shop.start("run")
    shop.wait_for_file("a.pid")
    process.kill()
    finish(process)
    resumed = shop.start("resume")
    time.sleep(0.3)
    resumed.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert resumed.poll() is None and alive(int(shop.lines("a.pid")[0]))
    resumed.send_signal(signal.SIGINT)
    finish(resumed).must(130)
    assert not alive(int(shop.lines("a.pid")[0]))


def a_copy_of_a_state_in_use_ends_nothing(shop):
    """A backup made in the middle of a run: who opens it finds an unfinished run, whose commands are the original's."""
    shop.pipeline({"a": {"command": "echo $$ >> a.pid; while ! test -e go; do sleep 0.05; done; echo done > a.txt", "outputs": ["a.txt"]}})
    original = shop.start("run")
    shop.wait_for_file("a.pid")
    shop.wait_for_status("a", "running")
    at_work = int(shop.lines("a.pid")[0])
    shutil.copytree(shop.folder, shop.top + "/copy", ignore=shutil.ignore_patterns("control.sock"))   # a socket
    open(shop.top + "/copy/go", "w").close()
    equal(statuses(shop.run("-f", shop.top + "/copy/troupe.json")), {"a": "succeeded"})
    assert alive(at_work), "the copy has ended a command of the original"
    shop.write("go", "")
    finish(original).must(0)
    equal(shop.lines("a.pid"), [str(at_work)])
    equal([r["status"] for r in shop.troupe("runs", "--json", "-f", shop.top + "/copy/troupe.json").json()["runs"]], ["succeeded", "interrupted"])


def resume_after_a_failure(shop):
    shop.pipeline({"a": {"command": "echo ran >> a.log"}, "b": {"command": "test -e fixed", "deps": ["a"]}, "c": {"command": "true", "deps": ["b"]}})
    first = shop.run(status=1)
    shop.write("fixed", "")
    document = shop.troupe("resume", "--json").must(0).json()
    equal((document["run"], document["status"]), (first["run"], "succeeded"))
    equal((document["assets"]["b"]["status"], document["assets"]["b"]["attempts"]), ("succeeded", 2))
    equal(shop.lines("a.log"), ["ran"])
    equal(len(shop.troupe("runs", "--json").json()["runs"]), 1)


def resume_names_the_file_of_its_run(shop):
    asset = {"a": {"command": "test -e fixed"}}
    elsewhere = shop.top + "/elsewhere/state"
    shop.pipeline(asset, file="sub/p.json")
    shop.pipeline(asset, file="apart.json")
    shop.run("-f", "sub/p.json", status=1)                       # its state is sub/.troupe
    shop.run("-f", "apart.json", "--state", elsewhere, status=1)
    shop.write("sub/fixed", "")
    shop.write("fixed", "")
    contains(shop.troupe("resume", "--state", "sub/.troupe").must(2).errors, "-f 'sub/p.json'")   # it names its file, and loads none that is not in hand
    equal(shop.troupe("resume", "--json", "--state", "sub/.troupe", "-f", "sub/p.json").must(0).json()["number"], 1)
    contains(shop.troupe("resume", "--state", elsewhere).must(2).errors, "-f 'apart.json'")
    equal(shop.troupe("resume", "--json", "--state", elsewhere, "-f", "apart.json").must(0).json()["number"], 1)
    os.remove(shop.path("sub/fixed"))
    shop.run("-f", "sub/p.json", "--force", status=1)
    os.rename(shop.path("sub"), shop.path("moved"))              # the file and its state together
    shop.write("moved/fixed", "")
    contains(shop.troupe("resume", "--state", "moved/.troupe").must(2).errors, "-f 'moved/p.json'")
    equal(shop.troupe("resume", "--json", "-f", "moved/p.json").must(0).json()["number"], 2)


def resume_refuses_a_changed_definition(shop):
    shop.pipeline({"a": {"command": "true"}, "b": {"command": "exit 1", "deps": ["a"]}})
    shop.run(status=1)
    shop.pipeline({"a": {"command": "true"}, "b": {"command": "exit 0", "deps": ["a"]}})
    result = shop.troupe("resume").must(2)
    contains(result.text + result.errors, "b")


def a_second_writer_is_told_who_holds_the_state(shop):
    shop.pipeline({"a": {"command": "echo $$ > a.pid; sleep 300"}})
    process = shop.start("run")
    shop.wait_for_file("a.pid")
    result = shop.troupe("run").must(3)
    contains(result.errors, str(process.pid))
    shop.wait_for(lambda: shop.troupe("logs", "a").status == 0, "the start is in the journal, which gathers events for a moment")
    for verb in (["plan"], ["status"], ["runs"], ["show", "latest"], ["explain", "a"], ["journal", "verify"], ["journal", "stats"], ["logs", "a"]):
        shop.troupe(*verb).must(0)           # readers take no lock
    shop.troupe("cancel").must(0)
    finish(process).must(1)
    assert not alive(int(shop.read("a.pid")))
    equal(shop.troupe("runs", "--json").json()["runs"][0]["status"], "cancelled")


def workers_and_pools_bound_what_runs_at_once(shop):
    one = "flock --nonblock lock sleep 0.05"
    shop.pipeline({"one": {"matrix": {"n": ["1", "2", "3", "4"]}, "command": f"{one} && : {{{{ matrix.n }}}}", "pools": {"p": 1}},
                   "other": {"matrix": {"n": ["1", "2", "3", "4"]}, "command": "sleep 0.05"}}, engine={"workers": 4, "pools": {"p": 1}})
    equal(shop.run()["counts"].get("succeeded"), 8)
    shop.pipeline({"x": {"matrix": {"n": ["1", "2", "3", "4"]}, "command": f"{one} && : {{{{ matrix.n }}}}"}}, name="sequential")
    equal(shop.run("--workers", "1")["counts"].get("succeeded"), 4)


def it_is_really_parallel(shop):
    wait = "touch {0}; for i in $(seq 500); do test -e {1} && exit 0; sleep 0.02; done; exit 1"
    shop.pipeline({"a": {"command": wait.format("a", "b")}, "b": {"command": wait.format("b", "a")}}, engine={"workers": 2})
    equal(set(statuses(shop.run()).values()), {"succeeded"})


TESTS = [the_exit_status_of_a_command, a_command_that_does_not_exist_or_is_not_executable, a_command_ended_by_a_signal, a_time_out_ends_the_whole_group,
         a_command_that_ignores_sigterm, a_declared_output_that_was_not_made, malformed_results, a_missing_input_fails_before_the_start, error_strategies,
         an_allowed_failure, retries, long_output_keeps_head_and_tail, a_command_that_closes_its_pipes_and_lives_on, a_daemon_does_not_outlive_the_run,
         what_a_command_is_given, what_a_command_is_given_by_an_older_system, outputs_of_every_kind, a_fifo_as_output_does_not_hang, a_command_that_deletes_the_working_folder,
         sigint_ends_the_run_and_its_children, a_second_sigint_kills_at_once, sigterm_ends_with_143, a_killed_supervisor_is_recovered_from,
         a_run_after_a_killed_one, a_supervisor_killed_by_its_first_command, a_supervisor_killed_while_it_starts_a_command, a_supervisor_with_nothing_open_killed_while_it_starts_a_command,
         leftovers_that_take_their_time_are_hurried, a_copy_of_a_state_in_use_ends_nothing,
         resume_after_a_failure, resume_names_the_file_of_its_run, resume_refuses_a_changed_definition, a_second_writer_is_told_who_holds_the_state,
         workers_and_pools_bound_what_runs_at_once, it_is_really_parallel]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
