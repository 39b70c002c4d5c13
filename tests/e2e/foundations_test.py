#!/usr/bin/env python3
"""What a run builds on: inputs that are missing when an asset is about to start, what an unsuccessful attempt left, and what a resumed run
finds changed. usage: foundations_test.py TROUPE [NAME...]"""
import os
import signal
import sys
import time

from harness import contains, equal, finish, main, statuses


def copy(source, target, **more):
    return {"command": ["cp", source, target], "inputs": [source], "outputs": [target], **more}


def counting(source, **more):
    """A command that takes a missing file for an empty one."""
    return {"command": f"cat {source} 2>/dev/null | wc -l > count.txt", "inputs": [source], "outputs": ["count.txt"], **more}


# ---- inputs that are missing

def an_input_whose_maker_is_excluded_fails_the_asset(shop):
    shop.pipeline({"rows": {"command": "seq 3 > rows.txt", "outputs": ["rows.txt"]}, "count": counting("rows.txt")})
    shop.run()
    os.remove(shop.path("rows.txt"))
    for how in (["count", "--force", "--exclude", "rows"], ["--only", "count", "--force"]):
        document = shop.run(*how, status=1)
        equal(statuses(document), {"count": "failed"})
        contains(document["assets"]["count"]["error"], 'input "rows.txt" does not exist', "asset rows makes it", "troupe run rows")
    equal(shop.read("count.txt"), "3\n")
    equal(statuses(shop.run()), {"rows": "succeeded", "count": "fresh"})


def an_input_that_another_asset_removes_fails_the_asset(shop):
    shop.pipeline({"rows": {"command": "seq 3 > rows.txt", "outputs": ["rows.txt"]},
                   "sweep": {"command": "rm -f rows.txt", "deps": ["rows"]},
                   "count": counting("rows.txt", deps=["sweep"])})
    document = shop.run(status=1)
    equal(statuses(document), {"rows": "succeeded", "sweep": "succeeded", "count": "failed"})
    contains(document["assets"]["count"]["error"], 'input "rows.txt" does not exist', "rows")
    equal(document["assets"]["count"]["attempts"], 0)


def an_input_that_goes_while_the_asset_waits_for_a_worker_fails_it(shop):
    shop.pipeline({"rows": {"command": "seq 3 > rows.txt", "outputs": ["rows.txt"]},
                   "sweep": {"command": "sleep 0.2; rm -f rows.txt", "deps": ["rows"], "priority": 1},
                   "count": counting("rows.txt")}, engine={"workers": 1})
    document = shop.run(status=1)
    equal(statuses(document), {"rows": "succeeded", "sweep": "succeeded", "count": "failed"})
    contains(document["assets"]["count"]["error"], 'input "rows.txt" does not exist', "asset rows makes it")


def a_file_that_is_not_in_its_makers_folder_fails_the_asset(shop):
    shop.pipeline({"folder": {"command": "mkdir -p out && echo 1 > out/other.txt", "outputs": ["out"]}, "count": counting("out/rows.txt")})
    document = shop.run(status=1)
    equal(statuses(document), {"folder": "succeeded", "count": "failed"})
    contains(document["assets"]["count"]["error"], 'input "out/rows.txt" does not exist', 'asset folder makes the folder "out"')


def a_missing_file_of_a_source_that_is_not_in_the_run_fails_the_asset(shop):
    shop.write("rows.txt", "1\n")
    shop.pipeline({"raw": {"outputs": ["rows.txt"]}, "count": counting("rows.txt")})
    shop.run()
    os.remove(shop.path("rows.txt"))
    document = shop.run("--only", "--force", "count", status=1)
    contains(document["assets"]["count"]["error"], 'input "rows.txt" does not exist', "the source raw")


def an_output_of_an_allowed_failure_may_be_missing(shop):
    shop.pipeline({"rows": {"command": "test -e ok && seq 3 > rows.txt", "outputs": ["rows.txt"], "allow_failure": True}, "count": counting("rows.txt")})
    equal(statuses(shop.run()), {"rows": "failed", "count": "succeeded"})
    equal(shop.read("count.txt"), "0\n")
    # Also when its maker is not part of the run.
    equal(statuses(shop.run("--only", "count", "--force")), {"count": "succeeded"})
    # It is the failure that excuses: a file that is lost after a success is missed.
    shop.write("ok", "")
    equal(statuses(shop.run()), {"rows": "succeeded", "count": "succeeded"})
    equal(shop.read("count.txt"), "3\n")
    os.remove(shop.path("rows.txt"))
    equal(statuses(shop.run("--only", "count", "--force", status=1)), {"count": "failed"})


# ---- what an unsuccessful attempt left

HALF = {"load": {"command": "if test -e bad; then echo HALF > load.txt; exit 3; fi; echo WHOLE > load.txt", "outputs": ["load.txt"]},
        "report": copy("load.txt", "report.txt")}


def nothing_is_made_from_what_a_failed_attempt_left(shop):
    shop.pipeline(HALF)
    shop.run()
    shop.write("bad", "")
    shop.run("--force", "load", status=1)
    for how in (["report", "--exclude", "load"], ["--only", "report"], ["--only", "--force", "report"]):
        document = shop.run(*how, status=1)
        equal(statuses(document), {"report": "blocked"})
        equal(document["assets"]["report"]["because"], "load")
        contains(document["assets"]["report"]["error"], "last attempt at load failed", "troupe run load", "troupe adopt load")
        equal(shop.read("report.txt"), "WHOLE\n")
    contains(shop.troupe("run", "--only", "report").must(1).text, "blocked by load: the last attempt at load failed", "troupe adopt load")
    contains(shop.troupe("plan", "--only", "report").must(0).errors, "asset report: it is blocked", "troupe adopt load")
    contains(shop.troupe("show", "latest").must(0).text, "blocked by load: the last attempt at load failed")
    contains(shop.troupe("explain", "report", "--run", "latest").must(0).text, "the last attempt at load failed")
    os.remove(shop.path("bad"))
    equal(statuses(shop.run()), {"load": "succeeded", "report": "fresh"})


def nothing_is_made_from_what_a_killed_attempt_left(shop):
    slow = {"command": "echo HALF > load.txt; if test -e slow; then echo $$ > pid; exec sleep 600; fi; echo WHOLE > load.txt", "outputs": ["load.txt"]}
    shop.pipeline({"load": slow, "report": copy("load.txt", "report.txt")})
    shop.run()
    shop.write("slow", "")
    process = shop.start("run", "--force", "load")
    shop.wait_for_file("pid")
    shop.wait_for_status("load", "running")
    os.kill(process.pid, signal.SIGKILL)
    finish(process)
    equal(shop.read("load.txt"), "HALF\n")
    document = shop.run("--only", "report", status=1)
    equal(statuses(document), {"report": "blocked"})
    contains(document["assets"]["report"]["error"], "last attempt at load was interrupted")
    os.remove(shop.path("pid"))
    process = shop.start("run", "--force", "load")
    shop.wait_for_file("pid")
    process.send_signal(signal.SIGINT)
    finish(process).must(130)
    contains(shop.run("--only", "report", status=1)["assets"]["report"]["error"], "last attempt at load was cancelled")


def what_is_fresh_uses_nothing_and_is_not_blocked(shop):
    shop.pipeline(HALF)
    shop.run()
    shop.pipeline({"load": {"command": "exit 3", "outputs": ["load.txt"]}, "report": HALF["report"]})
    shop.run("load", status=1)
    equal(statuses(shop.run("--only", "report")), {"report": "fresh"})


def an_allowed_failure_outside_the_run_blocks_nothing(shop):
    shop.pipeline({"load": {**HALF["load"], "allow_failure": True}, "report": HALF["report"]})
    shop.run()
    shop.write("bad", "")
    equal(statuses(shop.run("load")), {"load": "fresh"})
    equal(statuses(shop.run("--force", "load")), {"load": "failed"})
    equal(statuses(shop.run("--only", "report")), {"report": "succeeded"})


# ---- what a resumed run finds changed

def resume_makes_a_lost_or_overwritten_output_again(shop):
    shop.pipeline({"one": {"command": "echo good > one.txt; echo ran >> one.log", "outputs": ["one.txt"]},
                   "two": {"command": "test -e ok && cp one.txt two.txt", "inputs": ["one.txt"], "outputs": ["two.txt"]},
                   "aside": {"command": "echo ran >> aside.log", "outputs": []}})
    runs = 0
    for damage in (lambda: os.remove(shop.path("one.txt")), lambda: shop.write("one.txt", "foreign\n"), lambda: None):
        first = shop.run("--force", "--error-strategy", "continue", status=1)
        equal(statuses(first), {"one": "succeeded", "two": "failed", "aside": "succeeded"})
        runs += 1
        damage()
        shop.write("ok", "")
        document = shop.troupe("resume", "--json").must(0).json()
        equal((document["run"], statuses(document)), (first["run"], dict.fromkeys(("one", "two", "aside"), "succeeded")))
        equal(shop.read("two.txt"), "good\n")
        os.remove(shop.path("ok"))
    equal(shop.lines("one.log"), ["ran"] * (runs + 2))           # again only where its output was not as recorded
    equal(shop.lines("aside.log"), ["ran"] * runs)
    equal({name: entry["action"] for name, entry in shop.plan()["assets"].items()}, dict.fromkeys(("one", "two", "aside"), "fresh"))


def resume_makes_again_what_was_made_from_what_it_makes_again(shop):
    shop.pipeline({"stamp": {"command": "date +%s.%N > stamp.txt", "outputs": ["stamp.txt"]}, "copy": copy("stamp.txt", "copy.txt"),
                   "last": {"command": "test -e ok", "deps": ["copy"]}})
    shop.run(status=1)
    shop.write("ok", "")
    os.remove(shop.path("stamp.txt"))
    document = shop.troupe("resume", "--json").must(0).json()
    equal(document["assets"]["copy"]["attempts"], 2)
    equal(shop.read("copy.txt"), shop.read("stamp.txt"))
    equal(statuses(shop.run()), dict.fromkeys(("stamp", "copy", "last"), "fresh"))


def resume_judges_what_another_run_has_made_since(shop):
    value = {"command": "echo {{ params.n }} > value.txt", "outputs": ["value.txt"]}
    shop.pipeline({"value": value, "use": {"command": "test -e ok && cp value.txt use.txt", "inputs": ["value.txt"], "outputs": ["use.txt"]}}, params={"n": 1})
    shop.run(status=1)
    shop.run("value", "--param", "n=2")
    shop.write("ok", "")
    document = shop.troupe("resume", "1", "--json").must(0).json()
    equal((document["assets"]["value"]["attempts"], shop.read("use.txt")), (2, "1\n"))


def resume_does_not_build_on_a_failed_attempt_of_another_run(shop):
    half = {"command": "if test -e bad; then echo HALF > load.txt; exit 3; fi; echo WHOLE > load.txt", "outputs": ["load.txt"]}
    shop.pipeline({"load": half, "report": {"command": "test -e ok && cp load.txt report.txt", "inputs": ["load.txt"], "outputs": ["report.txt"]}})
    shop.run(status=1)
    shop.write("bad", "")
    shop.run("load", "--force", status=1)
    os.remove(shop.path("bad"))
    shop.write("ok", "")
    equal(statuses(shop.troupe("resume", "1", "--json").must(0).json()), {"load": "succeeded", "report": "succeeded"})
    equal(shop.read("report.txt"), "WHOLE\n")


def resume_refuses_a_changed_definition_of_what_is_lost(shop):
    def pipeline(text):
        shop.pipeline({"one": {"command": f"echo {text} > one.txt", "outputs": ["one.txt"]}, "two": {"command": "test -e ok", "inputs": ["one.txt"]}})
    pipeline("good")
    shop.run(status=1)
    pipeline("better")
    shop.write("ok", "")
    os.remove(shop.path("one.txt"))
    contains(shop.troupe("resume").must(2).errors, "one: its definition has changed")
    pipeline("good")
    shop.troupe("resume").must(0)


# ---- discovered inputs that another asset makes

READER = "echo ran >> reader.log; touch reading; cat gen.h > main.o; %s printf '{\"inputs\": [\"gen.h\"]}' > $TROUPE_RESULT"


def discovering(maker, wait="", **more):
    return {"reader": {"command": READER % wait, "outputs": ["main.o"], **more}, "maker": maker}


def a_success_waits_for_the_maker_of_what_it_discovered(shop):
    shop.write("gen.h", "old\n")
    maker = {"command": "until test -e reading; do sleep 0.01; done; sleep 0.1; echo new > gen.h", "outputs": ["gen.h"]}
    shop.pipeline({**discovering(maker), "after": copy("main.o", "after.txt")}, engine={"workers": 2})
    document = shop.run()
    equal(statuses(document), dict.fromkeys(("reader", "maker", "after"), "succeeded"))
    equal((document["assets"]["reader"]["attempts"], shop.lines("reader.log")), (2, ["ran", "ran"]))
    equal((shop.read("main.o"), shop.read("after.txt")), ("new\n", "new\n"))
    assert shop.plan()["assets"]["reader"]["action"] == "fresh", shop.plan()


def a_held_success_takes_no_worker_and_stands_if_the_file_is_as_before(shop):
    shop.write("gen.h", "same\n")
    shop.pipeline(discovering({"command": "echo same > gen.h", "outputs": ["gen.h"]}), engine={"workers": 1})
    time.sleep(0.1)                                              # gen.h is clearly older than the attempt
    document = shop.run()
    equal(statuses(document), {"reader": "succeeded", "maker": "succeeded"})
    equal((document["assets"]["reader"]["attempts"], shop.lines("reader.log")), (1, ["ran"]))
    equal(shop.plan()["assets"]["reader"]["action"], "fresh")


def two_that_discover_each_other_do_not_wait_for_ever(shop):
    for name in ("a", "b"):
        shop.write(name + ".txt", "old\n")
    def asset(own, other):
        return {"command": f"touch {own}.on; until test -e {other}.on; do sleep 0.01; done; cat {other}.txt > {own}.read; echo {own} > {own}.txt; "
                           f"printf '{{\"inputs\": [\"{other}.txt\"]}}' > $TROUPE_RESULT", "outputs": [own + ".txt"]}
    shop.pipeline({"a": asset("a", "b"), "b": asset("b", "a")}, engine={"workers": 2})
    result = shop.troupe("run").must(0)
    contains(result.text, "itself needs")


def what_is_outdated_is_not_made_from_what_a_failed_maker_left(shop):
    shop.write("gen.h", "old\n")
    maker = {"command": "until test -e reading; do sleep 0.01; done; sleep 0.1; echo half > gen.h; exit 3", "outputs": ["gen.h"]}
    shop.pipeline(discovering(maker), engine={"workers": 2, "error_strategy": "continue"})
    document = shop.run(status=1)
    equal(statuses(document), {"reader": "blocked", "maker": "failed"})
    equal(document["assets"]["reader"]["because"], "maker")


def a_success_that_is_held_when_the_engine_dies_is_not_recorded(shop):
    shop.write("gen.h", "old\n")
    maker = {"command": "until test -e reading; do sleep 0.01; done; if test -e slow; then echo $$ > pid; exec sleep 600; fi; echo new > gen.h", "outputs": ["gen.h"]}
    shop.write("slow", "")
    shop.pipeline(discovering(maker), engine={"workers": 2})
    process = shop.start("run")
    shop.wait_for_file("pid")
    shop.wait_for(lambda: shop.exists("main.o") and os.listdir(shop.path(".troupe/results")) == [".troupe-mark"], "the reader has ended")
    os.kill(process.pid, signal.SIGKILL)
    finish(process)
    os.remove(shop.path("slow"))
    equal(statuses(shop.troupe("resume", "--json").must(0).json()), {"reader": "succeeded", "maker": "succeeded"})
    equal(shop.read("main.o"), "new\n")


TESTS = [an_input_whose_maker_is_excluded_fails_the_asset, an_input_that_another_asset_removes_fails_the_asset,
         an_input_that_goes_while_the_asset_waits_for_a_worker_fails_it,
         a_file_that_is_not_in_its_makers_folder_fails_the_asset, a_missing_file_of_a_source_that_is_not_in_the_run_fails_the_asset,
         an_output_of_an_allowed_failure_may_be_missing, nothing_is_made_from_what_a_failed_attempt_left, nothing_is_made_from_what_a_killed_attempt_left,
         what_is_fresh_uses_nothing_and_is_not_blocked, an_allowed_failure_outside_the_run_blocks_nothing,
         resume_makes_a_lost_or_overwritten_output_again, resume_makes_again_what_was_made_from_what_it_makes_again,
         resume_judges_what_another_run_has_made_since, resume_does_not_build_on_a_failed_attempt_of_another_run,
         resume_refuses_a_changed_definition_of_what_is_lost,
         a_success_waits_for_the_maker_of_what_it_discovered, a_held_success_takes_no_worker_and_stands_if_the_file_is_as_before,
         two_that_discover_each_other_do_not_wait_for_ever, what_is_outdated_is_not_made_from_what_a_failed_maker_left,
         a_success_that_is_held_when_the_engine_dies_is_not_recorded]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
