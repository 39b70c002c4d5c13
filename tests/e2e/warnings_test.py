#!/usr/bin/env python3
"""Warnings: that background processes were ended, where warnings are shown, how they are silenced, and --strict.
usage: warnings_test.py TROUPE [NAME...]"""
import re
import sys

from harness import alive, contains, equal, finish, main, statuses

IN_BACKGROUND = "rm -f left.pid; sh -c 'echo $$ > left.pid; exec sleep 1000' & until test -s left.pid && grep -q sleep /proc/$(cat left.pid)/comm; do sleep 0.01; done"


def warnings(document, asset="a"):
    return [(w["code"], w["attempt"]) for w in document["assets"][asset]["warnings"]]


def background_processes_are_told(shop):
    shop.pipeline({"a": {"command": IN_BACKGROUND}})
    result = shop.troupe("run").must(0)
    left = int(shop.read("left.pid"))
    assert not alive(left)
    told = f"its command left 1 process running in the background, which Troupe ended: sleep (pid {left}); to keep one, start it outside"
    contains(result.text, "warning: asset a: " + told, "[background_processes]")
    contains(shop.troupe("show").must(0).text, "warning: asset a: " + told, "[background_processes]")
    contains(shop.troupe("explain", "a", "--run", "latest").must(0).text, "Warning: " + told, "[background_processes]")
    for document in (shop.troupe("show", "--json").json(), shop.run("--force")):
        equal(warnings(document), [("background_processes", 1)])
        contains(document["assets"]["a"]["warnings"][0]["message"], "sleep (pid ")
    equal([w["code"] for w in shop.troupe("explain", "a", "--run", "1", "--json").must(0).json()["result"]["warnings"]], ["background_processes"])


def all_of_them_are_told_whatever_they_did_to_hide(shop):
    shop.write("daemon", "#!/bin/sh\nsetsid env -i PATH=/usr/bin:/bin sh -c 'echo $$ > hidden.pid; exec sleep 1000' < /dev/null > /dev/null 2>&1 &\n", 0o755)
    shop.pipeline({"a": {"command": f"(sleep 1000; true) & ./daemon; until test -s hidden.pid; do sleep 0.01; done; {IN_BACKGROUND}; exit 3", "inputs": ["daemon"]}})
    asset = shop.run(status=1)["assets"]["a"]
    equal((asset["error"], asset["exit_code"], [w["code"] for w in asset["warnings"]]), ("exit status 3", 3, ["background_processes"]))
    message = asset["warnings"][0]["message"]
    contains(message, "left 4 processes", f"(pid {shop.read('left.pid').strip()})", f"sleep (pid {shop.read('hidden.pid').strip()})")
    equal(len(re.findall(r"sleep \(pid \d+\)", message)), 3)               # and the shell that one of them is in


def what_ends_by_itself_or_with_its_command_is_not_told(shop):
    shop.pipeline({"waits": {"command": "sleep 0.1 & wait"},
                   "ends_it": {"command": "sleep 1000 & kill $!; wait"},
                   "slow": {"command": "sleep 1000 & sleep 1000", "timeout": "300ms"}}, engine={"error_strategy": "continue", "grace_period": "1s"})
    document = shop.run(status=1)
    equal({name: warnings(document, name) for name in document["assets"]}, {"waits": [], "ends_it": [], "slow": []})
    shop.pipeline({"a": {"command": f"{IN_BACKGROUND}; wait"}})
    process = shop.start("run", "--json")
    shop.wait_for_file("left.pid")
    shop.wait_for_status("a", "running")
    shop.troupe("cancel").must(0)
    equal(warnings(finish(process).must(1).json()), [])


def warnings_of_each_attempt_are_kept(shop):
    shop.pipeline({"a": {"command": "test $TROUPE_ATTEMPT = 2 || { sleep 1000 & exit 1; }", "retry": {"attempts": 2, "delay": "10ms"}}})
    equal(warnings(shop.run()), [("background_processes", 1)])
    contains(shop.troupe("show").must(0).text, "[background_processes] (attempt 1)")
    contains(shop.troupe("explain", "a", "--run", "latest").must(0).text, "Warning (attempt 1): ")


def warnings_are_silenced_by_code(shop):
    leaves = {"command": "sleep 1000 &"}
    shop.pipeline({"a": {**leaves, "ignore_warnings": ["empty_glob", "background_processes"]}, "b": leaves})
    document = shop.run()
    equal((warnings(document, "a"), warnings(document, "b")), ([], [("background_processes", 1)]))
    shop.pipeline({"a": leaves, "b": {**leaves, "ignore_warnings": []}}, defaults={"ignore_warnings": ["background_processes"]})
    equal(statuses(shop.run()), {"a": "fresh", "b": "fresh"})              # it is no part of what they are made from
    document = shop.run("--force")
    equal((warnings(document, "a"), warnings(document, "b")), ([], [("background_processes", 1)]))
    shop.write("tool.sh", "true\n")
    one, two = {"command": "sh tool.sh", "inputs": ["none/*"]}, {"command": "sh ./tool.sh", "inputs": ["no/*"]}
    for ignored, expected in (([], 3), (["undeclared_file"], 2), (["empty_glob"], 2), (["undeclared_file", "empty_glob"], 1)):
        shop.pipeline({"one": {**one, "ignore_warnings": ["undeclared_file"]}, "two": {**two, "ignore_warnings": ignored}})
        equal(shop.troupe("plan").must(0).errors.count("warning: "), expected)


def strict_makes_warnings_errors(shop):
    shop.write("tool.sh", "touch made\n")
    shop.pipeline({"a": {"command": "sh tool.sh"}})
    for verb in (["validate"], ["plan"], ["run"], ["run", "--dry-run"]):
        result = shop.troupe(*verb, "--strict").must(2)
        contains(result.text + result.errors, "error: tool.sh", "[undeclared_file]")
    document = shop.troupe("validate", "--strict", "--json").must(2).json()
    equal((document["ok"], [e["code"] for e in document["errors"]], document["warnings"]), (False, ["undeclared_file"], []))
    equal([e["code"] for e in shop.troupe("run", "--strict", "--json").must(2).json()["errors"]], ["undeclared_file"])
    shop.pipeline({"a": {"command": "touch made", "inputs": ["none/*"]}})
    contains(shop.troupe("plan", "--strict").must(2).errors, "[empty_glob]")
    contains(shop.troupe("run", "--strict").must(2).errors, "asset a: ", "[empty_glob]", "nothing was run")
    assert not shop.exists("made") and shop.troupe("runs", "--json").must(0).json()["runs"] == []
    shop.pipeline({"a": {"command": "touch made", "inputs": ["none/*"], "ignore_warnings": ["empty_glob"]}})
    for verb in ("validate", "plan", "run"):
        shop.troupe(verb, "--strict").must(0)
    assert shop.exists("made")


def a_strict_run_with_a_warning_fails_and_keeps_what_it_made(shop):
    shop.pipeline({"a": {"command": "sleep 1000 & touch a.txt", "outputs": ["a.txt"]}, "b": {"command": "touch b.txt", "inputs": ["a.txt"], "outputs": ["b.txt"]}})
    result = shop.troupe("run", "--strict").must(1)
    contains(result.text, "[background_processes]", "1 warning: the exit status is that of a failed run (--strict)")
    document = shop.troupe("show", "--json").json()
    equal((document["status"], statuses(document)), ("succeeded", {"a": "succeeded", "b": "succeeded"}))
    shop.troupe("run", "--strict").must(0)                                 # all is fresh, and nothing to warn of
    shop.run("--force", "--strict", status=1)
    shop.pipeline({"later": {"command": "mkdir -p d", "inputs": ["a.txt"]}, "a": {"command": "touch a.txt", "outputs": ["a.txt"]},
                   "reads": {"command": "true", "deps": ["a"], "inputs": ["d/*.csv"]}}, name="other")
    contains(shop.troupe("run", "--strict").must(1).text, "[empty_glob]")  # seen when its turn came


TESTS = [background_processes_are_told, all_of_them_are_told_whatever_they_did_to_hide, what_ends_by_itself_or_with_its_command_is_not_told,
         warnings_of_each_attempt_are_kept, warnings_are_silenced_by_code, strict_makes_warnings_errors, a_strict_run_with_a_warning_fails_and_keeps_what_it_made]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
