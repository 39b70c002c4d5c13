#!/usr/bin/env python3
"""A world that does not play along: full disks, read-only and foreign states, a clock that jumps. Runs in a user and mount namespace of
its own, where it may mount what it needs; skipped where that is not permitted.
usage: surroundings_test.py TROUPE [NAME...]"""
import contextlib
import datetime
import os
import re
import subprocess
import sys

from harness import SKIP_NOTHING, SKIPPED, Skip, contains, equal, main, statuses

INSIDE = "TROUPE_TESTS_IN_NAMESPACE"


def mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"mount {' '.join(arguments)}: {done.stderr.strip()}")


@contextlib.contextmanager
def mounted(place, *arguments):
    os.makedirs(place, exist_ok=True)
    mount(*arguments, place)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def small_disk(shop, kilobytes):
    return mounted(os.path.join(shop.top, "disk"), "-t", "tmpfs", "-o", f"size={kilobytes}k", "none")


def fill(folder):
    """Takes all room that is left; returns the file that took it."""
    path = os.path.join(folder, "filler")
    with open(path, "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


READERS = (["runs"], ["status"], ["plan"], ["show", "latest"], ["explain", "a"], ["logs", "a"], ["journal", "verify"], ["journal", "stats"], ["graph"], ["validate"])


def a_disk_that_a_command_fills(shop):
    """Folder, state and logs on one disk: what fails says so, what was recorded stays, and with room all goes on."""
    with small_disk(shop, 4000) as disk:
        shop.folder = disk
        hog = "echo to the log; head -c 100000000 /dev/zero > big; status=$?; echo more; exit $status"
        before = {"early": {"command": "echo 1 > early.txt", "outputs": ["early.txt"]}}
        shop.pipeline(before)
        shop.run()
        shop.pipeline({**before, "hog": {"command": hog, "outputs": ["big"]}, "late": {"command": "echo 1 > late.txt", "outputs": ["late.txt"], "deps": ["hog"]}})
        result = shop.troupe("run", "--json")
        if result.status == 3:                       # the journal found no room either
            contains(result.errors, "disk is full", "free space and run again")
        else:                                        # it had room left in its own pages
            equal(statuses(result.must(1).json()), {"early": "fresh", "hog": "failed", "late": "blocked"})
        for verb in (["runs"], ["status"], ["journal", "verify"]):
            shop.troupe(*verb).must(0)
        equal(shop.reasons("early"), ("fresh", []))  # what was recorded before is there
        os.remove(shop.path("big"))
        shop.pipeline({**before, "hog": {"command": "echo 1 > big", "outputs": ["big"]}, "late": {"command": "echo 1 > late.txt", "outputs": ["late.txt"], "deps": ["hog"]}})
        equal(statuses(shop.run()), {"early": "fresh", "hog": "succeeded", "late": "succeeded"})
        equal(shop.troupe("journal", "verify", "--json").must(0).json()["problems"], [])
    shop.folder = shop.path("..")


def a_full_disk_under_a_new_state(shop):
    shop.pipeline({"a": {"command": "echo ran >> a.log"}})
    with small_disk(shop, 400) as disk:
        state = os.path.join(disk, "state")
        for room in range(0, 400, 20):               # none at all, and too little at every step of making one
            filler = fill(disk)
            os.truncate(filler, max(0, os.path.getsize(filler) - room * 1024))
            result = shop.troupe("run", "--state", state)
            if result.status == 0:
                break
            contains(result.must(3).errors, "free space", "run again")
            os.remove(filler)
            shop.troupe("runs", "--state", state).must(0)
        else:
            raise AssertionError("400 KB are not enough for a state")
        assert room >= 40, room                      # it has been tried with too little
        equal(oct(os.stat(state).st_mode & 0o777), "0o700")
        with open(os.path.join(state, ".gitignore"), encoding="ascii") as file:
            equal(file.read(), "*\n")
        equal(shop.troupe("journal", "verify", "--json", "--state", state).must(0).json()["problems"], [])


def a_disk_that_fills_during_a_run(shop):
    """The journal fails while commands run: they are ended, it is exit status 3, and the run can be resumed."""
    with small_disk(shop, 600) as disk:
        state = os.path.join(disk, "state")
        many = {"matrix": {"n": [str(n) for n in range(400)]}, "command": ": {{ matrix.n }} " + "x" * 2000}
        shop.pipeline({"first": {"command": "echo ran >> first.log", "durability": "strict"},   # on disk before that is full
                       "sleeper": {"command": "echo $$ > sleeper.pid; test -e go || sleep 300", "deps": ["first"]},
                       "fills": {"command": f"test -e go || {{ until test -s sleeper.pid; do sleep 0.01; done; cat /dev/zero > '{disk}/filler' 2>/dev/null; true; }}", "deps": ["first"]},
                       "many": {**many, "deps": ["fills"]}}, engine={"workers": 2, "grace_period": "1s"})
        result = shop.troupe("run", "--state", state).must(3)
        contains(result.errors, "full", "free space", "run again")     # the system says ENOSPC, or only EIO
        assert not os.path.exists(f"/proc/{shop.read('sleeper.pid').strip()}"), "a command outlived its supervisor"
        shop.troupe("journal", "verify", "--state", state).must(0)
        equal(shop.troupe("runs", "--json", "--state", state).must(0).json()["runs"][0]["status"], "interrupted")
        again = shop.troupe("resume", "--state", state).must(3)      # still no room
        contains(again.errors, "full", "free space", "run again")
        os.remove(os.path.join(disk, "filler"))
        shop.write("go", "")
        mount("-o", "remount,size=20000k", disk)
        document = shop.troupe("resume", "--json", "--state", state).must(0).json()
        equal((document["number"], document["status"], document["counts"]), (1, "succeeded", {"succeeded": 403}))
        equal(shop.lines("first.log"), ["ran"])
        equal(shop.troupe("journal", "verify", "--json", "--state", state).must(0).json()["problems"], [])


def a_full_disk_under_the_outputs_only(shop):
    with small_disk(shop, 40):
        shop.pipeline({"a": {"command": "head -c 1000000 /dev/zero > ../disk/a", "outputs": ["../disk/a"]}, "b": {"command": "true", "deps": ["a"]}})
        equal(statuses(shop.run(status=1)), {"a": "failed", "b": "blocked"})
        contains(shop.troupe("logs", "a").must(0).text, "No space left on device")
        equal(shop.reasons("a")[0], "run")            # what it left behind does not count
        shop.pipeline({"a": {"command": "head -c 1000 /dev/zero > ../disk/a", "outputs": ["../disk/a"]}, "b": {"command": "true", "deps": ["a"]}})
        equal(statuses(shop.run()), {"a": "succeeded", "b": "succeeded"})


def a_read_only_state(shop):
    shop.pipeline({"a": {"command": "echo 1 > a.txt; echo to the log", "outputs": ["a.txt"]}})
    shop.run()
    with mounted(shop.path(".troupe"), "--bind", shop.path(".troupe")):
        mount("-o", "remount,bind,ro", shop.path(".troupe"))
        for verb in READERS:
            shop.troupe(*verb).must(0)                # readers write nothing
        equal(shop.reasons("a"), ("fresh", []))
        for verb in (["run"], ["run", "--force"]):
            result = shop.troupe(*verb).must(3)
            contains(result.errors, ".troupe", "ead-only file system")
        shop.troupe("run", "--state", os.path.join(shop.top, "elsewhere")).must(0)
    equal(statuses(shop.run()), {"a": "fresh"})


def a_read_only_folder_without_a_state(shop):
    shop.pipeline({"a": {"command": "true"}})
    with mounted(shop.folder, "--bind", shop.folder):
        mount("-o", "remount,bind,ro", shop.folder)
        for verb in (["runs"], ["status"], ["plan"], ["graph"], ["journal", "verify"]):
            shop.troupe(*verb).must(0)
        contains(shop.troupe("run").must(3).errors, ".troupe", "ead-only file system", "--state")
        shop.troupe("run", "--state", os.path.join(shop.top, "elsewhere")).must(0)


def a_state_of_another_format(shop):
    shop.pipeline({"a": {"command": "echo ran >> a.log"}})
    shop.run()
    journal = shop.path(".troupe/journal.mdb")
    with open(journal, "rb") as file:
        ours = file.read()
    for version in (3, 77):
        theirs = ours.replace(b"format" + (2).to_bytes(4, sys.byteorder), b"format" + version.to_bytes(4, sys.byteorder))
        assert theirs != ours
        with open(journal, "wb") as file:
            file.write(theirs)
        for verb in (["run"], ["resume"], *READERS[:-2]):
            result = shop.troupe(*verb).must(3)
            contains(result.errors, f"journal format {version}", "reads up to 2", "newer version")
        with open(journal, "rb") as file:
            equal(file.read() == theirs, True)        # untouched
    with open(journal, "wb") as file:
        file.write(ours)
    equal(statuses(shop.run()), {"a": "fresh"})
    equal(shop.lines("a.log"), ["ran"])


# ---- the clock ---------------------------------------------------------------------------------------------------------------
class Clock:
    """What the wall clock of troupe, and of all it starts, is off by, in seconds; the kernel's stamps on files go on as they are."""

    def __init__(self, shop):
        shim = os.environ.get("TROUPE_CLOCK_SHIM")
        if not shim or not os.path.exists(shim):
            raise Skip("TROUPE_CLOCK_SHIM does not name the library that moves the clock")
        self.path = os.path.join(shop.top, "clock")
        asan = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
        self.env = {"LD_PRELOAD": shim, "TROUPE_TEST_CLOCK": self.path, "ASAN_OPTIONS": asan}
        self.off(0)

    def off(self, seconds):
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(str(seconds))
        os.rename(self.path + ".new", self.path)


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds_from_now(text):
    return (time_of(text) - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


HOUR = 3600


def a_clock_that_jumps_between_runs(shop):
    clock = Clock(shop)
    shop.write("in.txt", "1\n")
    shop.write("big.txt", "x" * 3_000_000)             # such a one is waited for before it is read, where it may still change
    shop.pipeline({"a": {"command": "cat in.txt big.txt | wc -c > a.txt", "inputs": ["in.txt", "big.txt"], "outputs": ["a.txt"]}, "b": {"command": "cat a.txt", "inputs": ["a.txt"]}})
    equal(statuses(shop.run(env=clock.env)), {"a": "succeeded", "b": "succeeded"})
    clock.off(-24 * HOUR)                              # every file is of the future now
    document = shop.run(env=clock.env)
    assert seconds_from_now(document["started_at"]) < -23 * HOUR, document["started_at"]          # the shim is at work
    equal(statuses(document), {"a": "fresh", "b": "fresh"})
    shop.write("in.txt", "2\n")                        # the same size, and no time of it can be trusted
    equal(shop.reasons("a", env=clock.env), ("run", [("input_changed", "in.txt")]))
    document = shop.run(env=clock.env)
    equal(document["assets"]["a"]["status"], "succeeded")
    equal(set(statuses(shop.run(env=clock.env)).values()), {"fresh"})
    clock.off(0)
    equal(set(statuses(shop.run(env=clock.env)).values()), {"fresh"})
    shop.write("in.txt", "3\n")
    equal(shop.reasons("a", env=clock.env), ("run", [("input_changed", "in.txt")]))
    runs = shop.troupe("runs", "--json").must(0).json()["runs"]
    equal([run["number"] for run in runs], [5, 4, 3, 2, 1])                    # newest first is by number, whatever the clock said
    assert all(run["duration_ms"] >= 0 for run in runs), runs
    equal(shop.troupe("show", "latest", "--json").must(0).json()["number"], 5)
    clock.off(-48 * HOUR)
    for verb in (["runs"], ["status"], ["show", "latest"], ["explain", "a"]):
        text = shop.troupe(*verb, env=clock.env).must(0).text
        assert not re.search(r"[ (]-\d", text), text      # nothing takes less than no time, or was "-2d ago"


def a_clock_that_jumps_back_during_a_run(shop):
    clock = Clock(shop)
    jump = f"printf -- -{HOUR} > {clock.path}.jump; mv {clock.path}.jump {clock.path}"
    shop.pipeline({"jumps": {"command": f"until test -e tried; do sleep 0.01; done; sleep 0.05; {jump}"},
                   "fails_once": {"command": "test -e tried || { touch tried; exit 1; }", "retry": {"attempts": 2, "delay": "200ms"}},
                   "too_long": {"command": "sleep 300", "deps": ["jumps"], "timeout": "200ms", "allow_failure": True},
                   "last": {"command": "cat <&- ; echo 1 > last.txt", "deps": ["fails_once"], "outputs": ["last.txt"]}},
                  engine={"workers": 2})
    document = shop.run(env=clock.env)                 # time-outs and delays go by a clock that never goes back
    equal(statuses(document), {"jumps": "succeeded", "fails_once": "succeeded", "too_long": "failed", "last": "succeeded"})
    contains(document["assets"]["too_long"]["error"], "timeout")
    durations = {name: asset["duration_ms"] for name, asset in document["assets"].items()}
    assert all(0 <= ms < 60_000 for ms in durations.values()) and 0 <= document["duration_ms"] < 60_000, (durations, document["duration_ms"])
    assert time_of(document["finished_at"]) >= time_of(document["started_at"]), document
    equal(shop.troupe("show", "latest", "--json", env=clock.env).must(0).json()["counts"], document["counts"])
    for verb in (["show", "latest"], ["runs"], ["status"], ["explain", "last"], ["explain", "last", "--run", "1"]):
        shop.troupe(*verb, env=clock.env).must(0)
    equal(shop.reasons("last", env=clock.env), ("fresh", []))


def a_clock_that_jumps_forward_during_a_run(shop):
    clock = Clock(shop)
    jump = f"printf {24 * 365 * HOUR} > {clock.path}.jump; mv {clock.path}.jump {clock.path}"
    shop.pipeline({"jumps": {"command": f"echo before; {jump}"}, "sleeps": {"command": "sleep 0.2; echo 1 > sleeps.txt", "outputs": ["sleeps.txt"], "deps": ["jumps"], "timeout": "1m"}},
                  engine={"keep_logs": "1d"})
    document = shop.run(env=clock.env)                 # nobody is timed out by a jump
    equal(statuses(document), {"jumps": "succeeded", "sleeps": "succeeded"})
    assert document["assets"]["sleeps"]["duration_ms"] < 60_000 and document["duration_ms"] < 60_000, document
    contains(shop.troupe("logs", "jumps").must(0).text, "before")
    clock.off(0)
    equal(set(statuses(shop.run(env=clock.env)).values()), {"fresh"})


def what_was_made_in_the_future_expires(shop):
    """max_age counts from what was recorded; a time that has not come yet does not make an asset fresh for ever."""
    clock = Clock(shop)
    shop.pipeline({"aged": {"command": "true", "max_age": "1h"}})
    clock.off(24 * HOUR)
    shop.run(env=clock.env)
    equal(shop.reasons("aged", env=clock.env), ("fresh", []))
    clock.off(26 * HOUR)
    equal([kind for kind, _ in shop.reasons("aged", env=clock.env)[1]], ["expired"])
    clock.off(0)
    action, reasons = shop.reasons("aged", env=clock.env)
    equal((action, [kind for kind, _ in reasons]), ("run", ["expired"]))
    contains(reasons[0][1], "future")
    shop.run(env=clock.env)
    equal(shop.reasons("aged", env=clock.env), ("fresh", []))


def max_age_counts_from_start_to_start(shop):
    clock = Clock(shop)
    shop.pipeline({"daily": {"command": "echo 1", "max_age": "1d"}, "long": {"command": "sleep 1", "max_age": "20s"}})
    shop.run(env=clock.env)
    equal(shop.reasons("daily", env=clock.env), ("fresh", []))
    clock.off(19)                                      # of the command that took a second, 20 s are over since the run began
    equal([kind for kind, _ in shop.reasons("long", env=clock.env)[1]], ["expired"])
    clock.off(24 * HOUR - 11 * 60)
    equal(shop.reasons("daily", env=clock.env), ("fresh", []))
    clock.off(24 * HOUR - 10 * 60)                     # a cron job that is a little early
    equal([kind for kind, _ in shop.reasons("daily", env=clock.env)[1]], ["expired"])
    equal(shop.run(env=clock.env)["assets"]["daily"]["status"], "succeeded")
    equal(shop.reasons("daily", env=clock.env), ("fresh", []))


def a_resumed_run_counts_from_its_resumption(shop):
    clock = Clock(shop)
    shop.pipeline({"early": {"command": "true", "max_age": "3h"}, "late": {"command": "test -e there", "deps": ["early"], "max_age": "3h"}})
    shop.run(env=clock.env, status=1)
    clock.off(2 * HOUR)
    shop.write("there", "")
    shop.troupe("resume", "1", env=clock.env).must(0)
    clock.off(4 * HOUR)
    equal([kind for kind, _ in shop.reasons("early", "--only", "early", env=clock.env)[1]], ["expired"])
    equal(shop.reasons("late", "--only", "late", env=clock.env), ("fresh", []))
    clock.off(5 * HOUR)
    equal([kind for kind, _ in shop.reasons("late", "--only", "late", env=clock.env)[1]], ["expired"])


TESTS = [a_disk_that_a_command_fills, a_full_disk_under_a_new_state, a_disk_that_fills_during_a_run, a_full_disk_under_the_outputs_only, a_read_only_state,
         a_read_only_folder_without_a_state, a_state_of_another_format, a_clock_that_jumps_between_runs, a_clock_that_jumps_back_during_a_run,
         a_clock_that_jumps_forward_during_a_run, what_was_made_in_the_future_expires,
         max_age_counts_from_start_to_start, a_resumed_run_counts_from_its_resumption]


def enter_namespace():
    """Becomes this program again inside; comes back only if that is not permitted."""
    for way in (["unshare", "--map-root-user", "--mount"], ["unshare", "--mount"]):
        if subprocess.run([*way, "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True, check=False).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp("unshare", [*way, sys.executable, *sys.argv])
    print("skipped: no user and mount namespace is to be had here, and without one nothing can be mounted")
    print("0 passed, 1 failed" if os.environ.get(SKIP_NOTHING) else f"0 passed, 0 failed, {len(TESTS)} skipped")
    return 1 if os.environ.get(SKIP_NOTHING) else SKIPPED


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]) if os.environ.get(INSIDE) else enter_namespace())
