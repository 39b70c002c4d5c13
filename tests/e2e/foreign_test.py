#!/usr/bin/env python3
"""States that were made elsewhere, and records that are forged: who may write, what is trusted, whom recovery ends.
usage: foreign_test.py TROUPE [NAME...]"""
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys

import harness
from containers_test import ways
from harness import Skip, alive, contains, equal, finish, main, statuses
from terminals_test import Terminal

FORGE = os.environ.get("TROUPE_FORGE_STATE") or os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "../tests/e2e/forge_state")
OTHER_MACHINE = "0123456789abcdef0123456789abcdef"
WRITERS = (["run"], ["run", "a"], ["run", "--force"], ["resume"], ["resume", "1"], ["cancel"], ["adopt", "--all", "--yes"], ["adopt", "a", "--yes", "--json"],
           ["clean", "--orphans", "--yes"], ["journal", "compact"], ["journal", "rebuild"], ["journal", "rebuild", "--drop-history"])
READERS = (["plan"], ["run", "--dry-run"], ["status"], ["runs"], ["show", "latest"], ["explain", "a"], ["logs", "a"], ["graph"], ["validate"], ["journal", "verify"], ["journal", "stats"],
           ["journal", "dump"])


def forge(*words):
    done = subprocess.run([FORGE, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout.split()


def contents(folder):
    """Every entry with its time and, of a file, its bytes' digest: a state that nobody wrote to has the same."""
    found = {}
    for where, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(where, name)
            facts = os.lstat(path)
            found[path] = (facts.st_mode, facts.st_mtime_ns)
            if stat.S_ISREG(facts.st_mode):
                with open(path, "rb") as file:
                    found[path] += (hashlib.sha256(file.read()).hexdigest(),)
    return found


def another_user():
    return str(os.geteuid() + 1)


def used(shop, *writers):
    """A state with a failed run, which these writers have made."""
    shop.pipeline({"a": {"command": "echo ran >> a.log; echo a > a.txt", "outputs": ["a.txt"]}, "b": {"command": "test -e ok", "deps": ["a"]}})
    shop.run(status=1)
    forge("writers", shop.path(".troupe"), *writers)


def refused(shop, *verb):
    before = contents(shop.path(".troupe"))
    done = shop.troupe(*verb).must(3)
    contains(done.errors, "was not made here", "troupe journal trust", shop.path(".troupe"))
    equal(contents(shop.path(".troupe")), before)
    return done


def a_state_of_another_user_is_read_and_not_written(shop):
    used(shop, another_user(), OTHER_MACHINE)
    for name in ("journal.mdb-lock", "lock"):              # a clone may lack them: they are not made
        os.unlink(shop.path(".troupe/" + name))
    for verb in WRITERS:
        contains(refused(shop, *verb).errors, f"it was made by user {another_user()}")
    equal(refused(shop, "run", "--json").json()["error"]["code"], "state_unusable")
    before = contents(shop.path(".troupe"))
    for verb in READERS:
        shop.troupe(*verb).must(0)
    equal(contents(shop.path(".troupe")), before)
    equal(shop.lines("a.log"), ["ran"])


def a_state_of_another_machine(shop):
    user, machine = forge("own")
    if machine == "-":
        raise Skip("this machine has no id, or this is a container")
    used(shop, user, OTHER_MACHINE)
    for verb in WRITERS:
        contains(refused(shop, *verb).errors, "it was made on another machine")
    shop.troupe("journal", "trust", "--yes").must(0)
    shop.troupe("resume").must(1)


def a_copy_that_is_put_on_another_machine(shop):
    """Really: /etc/machine-id is another one there."""
    used(shop, *forge("own"))
    shop.write("machine-id", OTHER_MACHINE + "\n")

    def there(*words):
        return subprocess.run(["unshare", "--mount", "/bin/sh", "-c", 'mount --bind machine-id /etc/machine-id && exec "$0" "$@"', harness.TROUPE, *words],
                              cwd=shop.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if forge("own")[1] == "-" or there("version").returncode != 0:
        raise Skip("the machine's id cannot be changed for a test here")
    before = contents(shop.path(".troupe"))
    done = there("run")
    equal(done.returncode, 3)
    contains(done.stderr, "on another machine")
    equal(contents(shop.path(".troupe")), before)
    equal(there("journal", "trust", "--yes").returncode, 0)
    equal(there("run").returncode, 1)                      # as here: b fails
    shop.run(status=1)                                     # and both may write from now on


def in_a_container_the_user_alone_counts(shop):
    way = ways()
    user = subprocess.run([*way, "id", "-u"], capture_output=True, text=True, check=False).stdout.strip()
    used(shop, user, OTHER_MACHINE)
    shop.write("ok", "")

    def contained(*words):
        return subprocess.run([*way, harness.TROUPE, *words], cwd=shop.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    done = contained("run")
    equal((done.returncode, done.stderr), (0, ""))
    forge("writers", shop.path(".troupe"), str(int(user) + 1), OTHER_MACHINE)
    equal(contained("run").returncode, 3)
    equal(contained("journal", "trust", "--yes").returncode, 0)
    equal(contained("run").returncode, 0)
    if user == str(os.geteuid()):
        shop.run()                                         # the note has no machine, but it was written since this one was started
        if forge("own")[1] != "-":
            forge("boot", shop.path(".troupe"), "another")
            contains(refused(shop, "run").errors, "in a container")
    shutil.rmtree(shop.path(".troupe"))                    # no replay makes what was forged


def trust_shows_asks_and_takes_over(shop):
    used(shop, another_user(), OTHER_MACHINE)
    before = contents(shop.path(".troupe"))
    asked = shop.troupe("journal", "trust").must(2)
    contains(asked.text, "made by    user " + another_user(), "test (troupe.json)", "#1 of test")
    contains(asked.errors, "--yes")
    shop.troupe("journal", "trust", "--json").must(2)
    equal(contents(shop.path(".troupe")), before)
    document = shop.troupe("journal", "trust", "--yes", "--json").must(0).json()
    equal((document["trusted"], document["already"], document["pipelines"], document["last_run"]["number"]),
          (True, False, [{"name": "test", "file": "troupe.json"}], 1))
    equal(document["writers"], [{"user": int(another_user()), "machine": "other"}])
    before = contents(shop.path(".troupe"))[shop.path(".troupe/journal.mdb")]
    equal(shop.troupe("journal", "trust").must(0).text, "the state is trusted already\n")
    equal(shop.troupe("journal", "trust", "--yes", "--json").must(0).json()["already"], True)
    equal(contents(shop.path(".troupe"))[shop.path(".troupe/journal.mdb")], before)
    shop.write("ok", "")
    equal(statuses(shop.troupe("resume", "--json").must(0).json()), {"a": "succeeded", "b": "succeeded"})
    equal(shop.lines("a.log"), ["ran"])                    # what is believed is not run again
    shutil.rmtree(shop.path(".troupe"))
    contains(shop.troupe("journal", "trust", "--yes").must(0).text, "there is no state yet")
    assert not shop.exists(".troupe")


def trust_asks_at_a_terminal(shop):
    used(shop, another_user(), OTHER_MACHINE)
    before = contents(shop.path(".troupe"))
    for answer, status in ((b"n\n", 3), (b"y\n", 1)):
        terminal = Terminal(shop, "journal", "trust")
        terminal.wait_for("[y/N]")
        terminal.type(answer)
        equal(terminal.finish(), 0)
        equal(contents(shop.path(".troupe")) == before, answer == b"n\n")
        shop.troupe("run").must(status)


def trust_waits_for_nobody(shop):
    """Somebody holds the state: it says who."""
    shop.pipeline({"a": {"command": "echo $$ > a.pid; sleep 300"}})
    process = shop.start("run")
    shop.wait_for_file("a.pid")
    shop.wait_for_status("a", "running")
    process.send_signal(signal.SIGSTOP)
    try:
        shutil.copytree(shop.path(".troupe"), shop.path("copy"), ignore=shutil.ignore_patterns("control.sock"))
        forge("writers", shop.path("copy"), another_user(), OTHER_MACHINE)
        shutil.copyfile(shop.path("copy/journal.mdb"), shop.path(".troupe/journal.mdb"))
        contains(shop.troupe("journal", "trust", "--yes").must(3).errors, f"process {process.pid}")
    finally:
        os.kill(int(shop.read("a.pid")), signal.SIGKILL)
        process.kill()
        finish(process)
    shutil.rmtree(shop.path(".troupe"))


def killed(shop, command, **more):
    """A run whose supervisor was killed while `command` runs: the pid that it has written into a.pid."""
    shop.pipeline({"a": {"command": command, **more}}, engine={"grace_period": "200ms"})
    process = shop.start("run")
    shop.wait_for_file("a.pid")
    shop.wait_for(lambda: "attempt_spawned" in shop.troupe("journal", "dump").text, "the start is recorded")
    process.kill()
    finish(process)
    return int(shop.lines("a.pid")[0])


def events(shop, kind):
    return [e for e in map(json.loads, shop.troupe("journal", "dump").must(0).text.splitlines()) if e["type"] == kind]


LEFT = "echo $$ >> a.pid; test -e go || sleep 300; :"


def a_foreign_state_ends_nothing(shop):
    left = killed(shop, LEFT)
    try:
        forge("writers", shop.path(".troupe"), another_user(), OTHER_MACHINE)
        for verb in WRITERS:
            refused(shop, *verb)
            assert alive(left), f"{verb} has ended a process"
        shop.troupe("journal", "trust", "--yes").must(0)
        assert alive(left), "trust has ended a process"
        shop.write("go", "")
        shop.run()
        assert not alive(left)
    finally:
        if alive(left):
            os.kill(left, signal.SIGKILL)


def recovery_tells_and_records_whom_it_ends(shop):
    left = killed(shop, LEFT)
    shop.write("go", "")
    document = shop.run()
    told = {(one["pid"], one["name"], one["why"]) for one in document["leftovers_ended"]}
    assert (left, "sh", "mark") in told and any(name == "sleep" for _, name, _ in told), told
    equal([{(one["pid"], one["name"], one["why"]) for one in e["processes"]} for e in events(shop, "leftovers_ended")], [told])
    assert "leftovers_ended" not in shop.run("--force")
    os.unlink(shop.path("go"))
    os.unlink(shop.path("a.pid"))
    for verb in (["run"], ["resume"]):
        left = killed(shop, LEFT, always=True)
        shop.write("go", "")
        contains(shop.troupe(*verb).must(0).text, f"ended process {left} (sh), which an earlier run had left running: its environment")
        os.unlink(shop.path("go"))
        os.unlink(shop.path("a.pid"))


def adopt_tells_whom_it_ends(shop):
    left = killed(shop, LEFT)
    contains(shop.troupe("adopt", "--all", "--yes").must(0).text, f"ended process {left} (sh)")
    os.unlink(shop.path("a.pid"))
    left = killed(shop, LEFT + "; : again")                # another command: adopted, the first one is fresh
    document = shop.troupe("adopt", "--all", "--yes", "--json").must(0).json()
    assert left in [one["pid"] for one in document["leftovers_ended"]], document


def bystander():
    """A process of this user's that no run has started, in a group of its own; and when it started."""
    process = subprocess.Popen(["sleep", "300"], start_new_session=True)
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        return process, file.read().rsplit(")", 1)[1].split()[19]


def a_forged_record_ends_nobody(shop):
    left = killed(shop, LEFT)
    victim, ticks = bystander()
    try:
        forge("attempts", shop.path(".troupe"), str(victim.pid), ticks)
        shop.write("go", "")
        for verb in (["run"], ["resume"], ["adopt", "--all", "--yes"]):
            done = shop.troupe(*verb).must(3)
            contains(done.errors, f"process {victim.pid} (sleep), of asset a, attempt 1", f"kill {victim.pid}", "--assume-dead", "Nothing was started")
            equal(victim.poll(), None)
        assert not alive(left), "what carries the mark is a leftover whatever the record says"
        equal(len(shop.lines("a.pid")), 1)
        done = shop.troupe("run", "--assume-dead").must(0)
        contains(done.text, f"process {victim.pid} (sleep)")
        equal(victim.poll(), None)
        shop.run()
        equal(victim.poll(), None)
    finally:
        victim.kill()
        victim.wait()
    # The forged attempt was not recorded by any event: what a replay makes is what was there before.
    shop.troupe("journal", "verify").must(0)


def a_command_that_hides_is_told_and_not_run_beside(shop):
    """Its environment is cleared, so nothing but the record says whose it is: it is not ended, and not run twice either."""
    left = killed(shop, "echo $$ >> a.pid; test -e go || exec env -i sleep 300")
    try:
        shop.write("go", "")
        contains(shop.troupe("run").must(3).errors, f"process {left} (sleep), of asset a, attempt 1")
        assert alive(left)
        equal(shop.lines("a.pid"), [str(left)])
        equal(events(shop, "leftovers_ended"), [])
        os.kill(left, signal.SIGKILL)
        shop.wait_for(lambda: not alive(left), "it has ended")
        shop.run()
        equal(len(shop.lines("a.pid")), 2)
    finally:
        if alive(left):
            os.kill(left, signal.SIGKILL)


def what_a_command_with_a_cleared_environment_started_is_ended_by_its_kin(shop):
    """Its leader carries the mark: the rest of its group, and what descends from it, is known by that."""
    left = killed(shop, "echo $$ >> a.pid; test -e go && exit 0; env -i sh -c 'echo $$ > child.pid; exec sleep 300'; :")
    shop.wait_for_file("child.pid")
    shop.write("go", "")
    shop.run()
    assert not alive(left) and not alive(int(shop.read("child.pid")))


def resume_loads_no_file_that_only_the_journal_names(shop):
    """As in a clone: its troupe.json is harmless, another file in it is not."""
    shop.pipeline({"a": {"command": "echo harmless"}})
    shop.pipeline({"a": {"command": "test -e ok && echo hidden >> ran"}}, file=".hidden/x.json")
    shop.run("-f", ".hidden/x.json", "--state", ".troupe", status=1)
    shop.write("ok", "")
    before = contents(shop.path(".troupe"))[shop.path(".troupe/journal.mdb")]
    for words in (["resume"], ["resume", "1"], ["resume", "latest", "--state", ".troupe"], ["resume", "--json"]):
        done = shop.troupe(*words).must(2)
        contains(done.errors, "run #1 was started with the pipeline file .hidden/x.json, and the one here is troupe.json", "troupe resume 1 -f '.hidden/x.json'")
    assert not shop.exists("ran")
    equal(contents(shop.path(".troupe"))[shop.path(".troupe/journal.mdb")], before)
    os.rename(shop.path("troupe.json"), shop.path("away.json"))
    contains(shop.troupe("resume", "--state", ".troupe").must(2).errors, "there is no troupe.json here")
    os.symlink(".hidden/x.json", shop.path("troupe.json"))  # the same file under another name is the one in hand
    equal(shop.troupe("resume", "--json", "--state", ".troupe").must(0).json()["status"], "succeeded")
    equal(shop.lines("ran") or shop.lines(".hidden/ran"), ["hidden"])


def resume_goes_on_with_the_file_that_is_named(shop):
    shop.pipeline({"a": {"command": "test -e ok"}}, file="one.json")
    shop.run("-f", "one.json", status=1)
    shop.write("ok", "")
    os.rename(shop.path("one.json"), shop.path("two.json"))
    contains(shop.troupe("resume").must(2).errors, "one.json")
    equal(shop.troupe("resume", "--json", "-f", "two.json").must(0).json()["status"], "succeeded")


TESTS = [a_state_of_another_user_is_read_and_not_written, a_state_of_another_machine, a_copy_that_is_put_on_another_machine, in_a_container_the_user_alone_counts,
         trust_shows_asks_and_takes_over, trust_asks_at_a_terminal, trust_waits_for_nobody, a_foreign_state_ends_nothing, recovery_tells_and_records_whom_it_ends,
         adopt_tells_whom_it_ends, a_forged_record_ends_nobody, a_command_that_hides_is_told_and_not_run_beside,
         what_a_command_with_a_cleared_environment_started_is_ended_by_its_kin, resume_loads_no_file_that_only_the_journal_names, resume_goes_on_with_the_file_that_is_named]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
