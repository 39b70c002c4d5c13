#!/usr/bin/env python3
"""States that PID namespaces (containers) share or have copies of, and Troupe as process 1 of one. Skipped where no namespace can be made.
usage: containers_test.py TROUPE [NAME...]"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import harness
from harness import Skip, alive, contains, equal, finish, main, statuses

WAIT = "while ! test -e go; do sleep 0.05; done"           # what a command waits for


def ways():
    """How a PID namespace with its own /proc may be made here."""
    for way in (["unshare", "--pid", "--fork", "--mount-proc"], ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]):
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    raise Skip("no PID namespace can be made here")


@contextlib.contextmanager
def contained(shop, *command, folder=None):
    """A process of a PID namespace of its own, which is its process 1; ends with the namespace."""
    with subprocess.Popen([*ways(), "--kill-child", *command], cwd=folder or shop.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def under_an_init(*arguments):
    """Troupe as another process than the first, whose process 1 outlives it."""
    return ["/bin/sh", "-c", '"$0" "$@"; status=$?; touch ended; while test -e stay; do sleep 0.05; done; exit $status', harness.TROUPE, *arguments]


def children(pid):
    found = []
    with contextlib.suppress(OSError):                     # it may have ended
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    return found


def within(shop, process, name="inner.pid"):
    """The outer number of the process that wrote its inner one into a file: the descendant of `process` that is it."""
    inner = int(shop.read(name))
    todo = [process.pid]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            numbers = next(line.split()[1:] for line in file if line.startswith("NSpid:"))
            if len(numbers) > 1 and int(numbers[-1]) == inner:
                return pid
        todo += children(pid)
    raise AssertionError(f"no process has the number {inner} in there")


def wait_for_record(shop):
    shop.wait_for(lambda: "attempt_spawned" in shop.troupe("journal", "dump").must(0).text, "the process is recorded")


def copy_of(shop, name, but=("control.sock",)):
    shutil.copytree(shop.folder, f"{shop.top}/{name}", ignore=shutil.ignore_patterns(*but))
    return f"{shop.top}/{name}"


def a_copy_made_during_a_contained_run_ends_nothing_of_it(shop):
    shop.pipeline({"long": {"command": f"echo $$ > inner.pid; {WAIT}; echo done > long.txt", "outputs": ["long.txt"]}, "quick": {"command": "true"}})
    with contained(shop, harness.TROUPE, "run", "--json", "long") as original:
        shop.wait_for_file("inner.pid")
        shop.wait_for_status("long", "running")
        at_work = within(shop, original)
        copy = copy_of(shop, "copy")
        shop.troupe("run", "quick", "-f", f"{copy}/troupe.json")
        assert alive(at_work), "the copy has ended a command of the original"
        shop.write("go", "")
        equal(statuses(finish(original).must(0).json()), {"long": "succeeded"})


def what_a_contained_copy_runs_is_not_taken_for_what_a_crash_left(shop):
    shop.pipeline({"a": {"command": f"echo $$ >> a.pid; echo $$ > inner.pid; {WAIT}"}, "quick": {"command": "true"}})
    shop.run("quick")
    copy = copy_of(shop, "copy")
    crashed = shop.start("run", "a")
    shop.wait_for_file("a.pid")
    left = int(shop.lines("a.pid")[0])
    crashed.kill()
    finish(crashed)
    os.remove(shop.path("inner.pid"))
    inner = harness.Workshop.__new__(harness.Workshop)
    inner.top, inner.folder = shop.top, copy
    with contained(shop, harness.TROUPE, "run", "--json", "a", folder=copy) as process:
        inner.wait_for_file("inner.pid")
        at_work = within(inner, process)
        shop.run("quick", "--force")
        assert not alive(left), "what the crash left still runs"
        assert alive(at_work), "a command of the copy was ended"
        inner.write("go", "")
        finish(process).must(0)


def a_copy_ends_no_command_that_cleared_its_environment(shop):
    """In one namespace: what the journal has recorded is the original's."""
    shop.write("step", f"#!/bin/sh\nexport PATH=/usr/bin:/bin\necho $$ >> a.pid\n{WAIT}\n", 0o755)
    shop.pipeline({"a": {"command": ["env", "-i", "./step"]}})
    original = shop.start("run", "--json")
    shop.wait_for_file("a.pid")
    wait_for_record(shop)
    at_work = int(shop.lines("a.pid")[0])
    for name, but in (("copy", ["control.sock"]), ("without_lock", ["control.sock", "lock"])):
        copy = copy_of(shop, name, but)
        open(f"{copy}/go", "w").close()
        equal(statuses(shop.run("-f", f"{copy}/troupe.json")), {"a": "succeeded"})
        assert alive(at_work), f"{name} has ended a command of the original"
    original.kill()                                        # then it is left over, for the original
    finish(original)
    shop.write("go", "")
    shop.wait_for(lambda: not alive(at_work), "it has ended by itself: nothing proves whose it is")
    shop.run()


def what_a_crash_left_without_its_environment_is_told(shop):
    shop.write("step", f"#!/bin/sh\nexport PATH=/usr/bin:/bin\necho $$ >> a.pid\n{WAIT}\n", 0o755)
    shop.pipeline({"a": {"command": ["env", "-i", "./step"]}, "quick": {"command": "true"}})
    crashed = shop.start("run", "a")
    shop.wait_for_file("a.pid")
    wait_for_record(shop)
    crashed.kill()
    finish(crashed)
    left = int(shop.lines("a.pid")[0])
    assert alive(left)
    contains(shop.troupe("run", "quick").must(3).errors, f"process {left} (step), of asset a, attempt 1", "Nothing was started", "--assume-dead")
    assert alive(left), "nothing but the journal said that it is this state's"
    equal(statuses(shop.run("quick", "--assume-dead")), {"quick": "succeeded"})
    assert alive(left)
    shop.write("go", "")
    shop.wait_for(lambda: not alive(left), "it has ended by itself")


def a_holder_in_a_container_is_told_as_that(shop):
    shop.pipeline({"a": {"command": f"echo $$ > inner.pid; {WAIT}"}})
    with contained(shop, harness.TROUPE, "run") as holder:
        shop.wait_for_file("inner.pid")
        for verb in (["run"], ["resume"], ["journal", "compact"]):
            contains(shop.troupe(*verb).must(3).errors, "is in use by process 1 of another PID namespace (a container), on host ", " run), since ")
        with contained(shop, *under_an_init("run")) as other:
            contains(finish(other).must(3).errors, "process 1 of another PID namespace (a container)")
        shop.troupe("cancel").must(0)
        finish(holder).must(1)
    with contained(shop, *under_an_init("run")) as holder:
        os.remove(shop.path("ended"))
        shop.wait_for(lambda: shop.troupe("runs", "--json").json()["runs"][0]["status"] == "running", "it runs")
        errors = shop.troupe("run").must(3).errors
        contains(errors, "of another PID namespace (a container)")
        assert "process 1 " not in errors, errors
        shop.write("go", "")
        finish(holder).must(0)


@contextlib.contextmanager
def killed_in_a_container(shop, *arguments):
    """A run that was killed in a container which lives on, and with it what the run had started; gives that command's number."""
    script = '"$0" "$@" & echo $! > troupe.pid; wait; while ! test -e over; do sleep 0.05; done'
    with contained(shop, "/bin/sh", "-c", script, harness.TROUPE, *arguments) as container:
        shop.wait_for_file("inner.pid")
        shop.wait_for_status("a", "running")
        os.kill(within(shop, container, "troupe.pid"), signal.SIGKILL)
        at_work = within(shop, container)
        shop.wait_for(lambda: shop.troupe("runs", "--json").json()["runs"][0]["status"] == "interrupted", "it is dead")
        yield at_work
        assert alive(at_work), "a command of another container was ended"
        shop.write("over", "")


def what_a_container_may_still_run_is_not_run_beside(shop):
    shop.pipeline({"a": {"command": f"echo $$ >> a.pid; echo $$ > inner.pid; {WAIT}"}, "quick": {"command": "true"}})
    with killed_in_a_container(shop, "run"):
        for arguments in (["run"], ["run", "quick"], ["resume"], ["run", "--force"]):
            result = shop.troupe(*arguments).must(3)
            contains(result.errors, "another PID namespace", "container", "pid:[", f"host {os.uname().nodename}", "run)",
                     "asset a, attempt 1: echo $$ >> a.pid", "--assume-dead")
        equal(json.loads(shop.troupe("run", "--json").must(3).text)["error"]["code"], "state_locked")
        with contained(shop, harness.TROUPE, "run") as other:
            contains(finish(other).must(3).errors, "another PID namespace", "asset a, attempt 1")
        for verb in (["plan"], ["status"], ["show"], ["journal", "verify"], ["journal", "compact"]):
            shop.troupe(*verb).must(0)                     # they start nothing
        equal(len(shop.lines("a.pid")), 1)
        equal(statuses(shop.run("quick", "--assume-dead")), {"quick": "fresh"})
        shop.pipeline({"a": {"command": "echo $$ >> a.pid"}, "quick": {"command": "true"}})
        equal(statuses(shop.run()), {"a": "succeeded", "quick": "fresh"})        # asked once


def a_resumed_run_is_told_to_assume_it(shop):
    shop.pipeline({"a": {"command": f"echo $$ > inner.pid; {WAIT}"}})
    with killed_in_a_container(shop, "run"):
        shop.troupe("resume").must(3)
        resumed = shop.start("resume", "--assume-dead", "--json")
        shop.wait_for(lambda: shop.troupe("cancel").status == 0, "it can be cancelled")
        equal(finish(resumed).must(1).json()["number"], 1)


def what_process_1_ran_has_ended_with_it(shop):
    shop.pipeline({"a": {"command": f"echo $$ >> a.pid; {WAIT}"}})
    for number in range(2):
        with contained(shop, harness.TROUPE, "run") as process:
            shop.wait_for(lambda: len(shop.lines("a.pid")) > number, "a runs")
            shop.wait_for_status("a", "running")
            os.kill(children(process.pid)[0], signal.SIGKILL)
            finish(process)
        if number == 0:
            with contained(shop, harness.TROUPE, "plan") as another:
                finish(another).must(0)
    shop.write("go", "")
    equal(statuses(shop.run()), {"a": "succeeded"})
    equal([r["status"] for r in shop.troupe("runs", "--json").json()["runs"]], ["succeeded", "interrupted", "interrupted"])


def what_ran_before_a_reboot_has_ended_with_it(shop):
    shop.pipeline({"a": {"command": f"echo $$ > inner.pid; {WAIT}"}})
    shop.write("boot_id", "01234567-89ab-cdef-0123-456789abcdef\n")
    another_boot = 'mount --bind boot_id /proc/sys/kernel/random/boot_id && exec "$0" run --json'
    with killed_in_a_container(shop, "run"):
        shop.troupe("run").must(3)
        shop.pipeline({"a": {"command": "true"}})
        with contained(shop, "/bin/sh", "-c", another_boot, harness.TROUPE) as process:
            result = finish(process)
        if "mount" in result.errors and result.status != 0:
            raise Skip("nothing can be mounted here")
        equal(statuses(result.must(0).json()), {"a": "succeeded"})


def what_ended_in_order_in_a_container_hinders_nobody(shop):
    shop.pipeline({"a": {"command": "exit 1"}, "b": {"command": "true"}})
    with contained(shop, *under_an_init("run")) as process:
        finish(process).must(1)
    shop.run("b")
    with contained(shop, *under_an_init("run", "b", "--force")) as process:
        finish(process).must(0)


def brought_into(process, *command):
    """As docker exec does: into the namespace whose process 1 is the child of `process`."""
    if os.geteuid() != 0 or shutil.which("nsenter") is None:
        raise Skip("only root enters a namespace")
    subprocess.run(["nsenter", "--target", str(children(process.pid)[0]), "--pid", *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def process_1_leaves_alone_what_others_brought_in(shop):
    shop.pipeline({"a": {"command": "touch began; until test -e brought; do sleep 0.05; done"}, "b": {"command": WAIT, "deps": ["a"]}}, engine={"grace_period": "1s"})
    with contained(shop, harness.TROUPE, "run", "--json") as process:
        shop.wait_for(lambda: shop.exists("began"), "a runs")
        for number, session in enumerate(("", "setsid")):
            brought_into(process, "/bin/sh", "-c", f"trap '' HUP; {session} sh -c 'exec sleep 1000' & echo $! > {shop.path(f'stranger{number}')}")
        strangers = []
        for number in range(2):
            shop.write("inner.pid", shop.read(f"stranger{number}"))
            strangers.append(within(shop, process))
        shop.write("brought", "")
        shop.wait_for_status("b", "running")               # so a has ended, and what it left was ended
        assert all(map(alive, strangers)), "process 1 has ended what no asset had started"
        os.kill(strangers[0], signal.SIGKILL)
        shop.write("go", "")
        equal(statuses(finish(process).must(0).json()), {"a": "succeeded", "b": "succeeded"})


def process_1_reaps_what_others_brought_in(shop):
    shop.pipeline({"a": {"command": f"touch began; {WAIT}"}})
    with contained(shop, harness.TROUPE, "run", "--json") as process:
        shop.wait_for(lambda: shop.exists("began"), "a runs")
        brought_into(process, "/bin/sh", "-c", f"trap '' HUP; (sh -c 'echo $$ > {shop.path('inner.pid')}; exec sleep 1000' &)")
        shop.wait_for_file("inner.pid")
        stranger = within(shop, process)
        os.kill(stranger, signal.SIGKILL)
        shop.wait_for(lambda: not os.path.exists(f"/proc/{stranger}"), "it has been reaped")
        shop.write("go", "")
        finish(process).must(0)


def process_1_ends_what_its_commands_left(shop):
    shop.pipeline({"a": {"command": "setsid sh -c 'echo $$ > inner.pid; exec sleep 1000' < /dev/null > /dev/null 2>&1 & until test -s inner.pid; do sleep 0.01; done; cp inner.pid left; "
                                    "until test -e seen; do sleep 0.05; done"},
                   "b": {"command": WAIT, "deps": ["a"]}}, engine={"grace_period": "1s"})
    with contained(shop, harness.TROUPE, "run", "--json") as process:
        shop.wait_for_file("left")
        left = within(shop, process)
        shop.write("seen", "")
        shop.wait_for_status("b", "running")
        assert not alive(left), "what a left still runs"
        shop.write("go", "")
        finish(process).must(0)


def a_supervisor_as_process_1_stops_in_order_and_knows_that_all_ended_with_it(shop):
    shop.pipeline({"a": {"command": f"echo $$ > pid; (setsid sleep 1000 &); {WAIT}", "outputs": ["pid"]}}, triggers={"boot": {"start": {}}})

    def begun():
        shop.wait_for(lambda: shop.exists("pid") and shop.read("pid").strip(), "its command runs")
        os.unlink(shop.path("pid"))

    def status():
        return shop.troupe("runs", "--json").must(0).json()["runs"][-1]["status"]
    with contained(shop, harness.TROUPE, "serve") as first:
        begun()
        (inside,) = children(first.pid)
        os.kill(inside, signal.SIGTERM)
        done = finish(first)
        equal(done.status, 0)
        contains(done.errors, "stopped")
    equal(status(), "interrupted")
    with contained(shop, harness.TROUPE, "serve") as second:
        begun()
        (inside,) = children(second.pid)
        os.kill(inside, signal.SIGKILL)   # and all in there with it
        finish(second)
    shop.write("go", "")
    with contained(shop, harness.TROUPE, "serve") as third:
        shop.wait_for(lambda: status() == "succeeded", "it is resumed, and ends")
        (inside,) = children(third.pid)
        os.kill(inside, signal.SIGTERM)
        equal(finish(third).status, 0)
    shop.troupe("journal", "verify").must(0)


TESTS = [a_copy_made_during_a_contained_run_ends_nothing_of_it, what_a_contained_copy_runs_is_not_taken_for_what_a_crash_left,
         what_a_container_may_still_run_is_not_run_beside, a_resumed_run_is_told_to_assume_it, what_process_1_ran_has_ended_with_it,
         what_ran_before_a_reboot_has_ended_with_it, what_ended_in_order_in_a_container_hinders_nobody,
         a_copy_ends_no_command_that_cleared_its_environment, what_a_crash_left_without_its_environment_is_told, a_holder_in_a_container_is_told_as_that,
         process_1_leaves_alone_what_others_brought_in, process_1_reaps_what_others_brought_in, process_1_ends_what_its_commands_left,
         a_supervisor_as_process_1_stops_in_order_and_knows_that_all_ended_with_it]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
