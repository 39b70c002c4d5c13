#!/usr/bin/env python3
"""Every reason for which an asset is stale, one by one, as `plan` and `run` show it; and what must not make one stale.
usage: staleness_test.py TROUPE [NAME...]"""
import os
import shutil
import sys
import time

from harness import contains, equal, main, statuses


def copy(source, target, **more):
    return {"command": ["cp", source, target], "inputs": [source], "outputs": [target], **more}


def nothing_runs_twice(shop):
    shop.write("in.txt", "1\n")
    shop.pipeline({"a": copy("in.txt", "a.txt"), "b": copy("a.txt", "b.txt")})
    equal(shop.reasons("a"), ("run", [("never_materialized", "")]))
    equal(shop.plan()["order"], ["a", "b"])
    first = shop.run()
    equal(statuses(first), {"a": "succeeded", "b": "succeeded"})
    second = shop.run()
    equal((second["status"], statuses(second)), ("succeeded", {"a": "fresh", "b": "fresh"}))
    equal(second["number"], first["number"] + 1)


def command_changed(shop):
    shop.pipeline({"a": {"command": "echo 1 > a.txt", "outputs": ["a.txt"]}})
    shop.run()
    shop.pipeline({"a": {"command": "echo 2 > a.txt", "outputs": ["a.txt"]}})
    action, reasons = shop.reasons("a")
    equal((action, [kind for kind, _ in reasons]), ("run", ["command_changed"]))
    shop.run()
    equal(shop.read("a.txt"), "2\n")


def version_changed(shop):
    for version in ("1", "2"):
        shop.pipeline({"a": {"command": "echo 1 > a.txt", "outputs": ["a.txt"], "version": version}})
        if version == "2":
            equal([kind for kind, _ in shop.reasons("a")[1]], ["version_changed"])
        equal(statuses(shop.run()), {"a": "succeeded"})


def env_changed(shop):
    for value in ("1", "2"):
        shop.pipeline({"a": {"command": "echo $X > a.txt", "outputs": ["a.txt"], "env": {"X": value}}})
        if value == "2":
            equal(shop.reasons("a")[1][0][0], "env_changed")
            contains(shop.reasons("a")[1][0][1], "X")
        shop.run()
    equal(shop.read("a.txt"), "2\n")


def param_changed_for_those_that_use_it(shop):
    shop.pipeline({"uses": {"command": "echo {{ params.x }} > a.txt", "outputs": ["a.txt"]},
                   "does_not": {"command": "echo 1 > b.txt", "outputs": ["b.txt"]}}, params={"x": 1, "y": 1})
    shop.run()
    action, reasons = shop.reasons("uses", "--param", "x=2")
    equal((action, reasons[0][0]), ("run", "param_changed"))
    contains(reasons[0][1], "x")
    equal(shop.reasons("does_not", "--param", "x=2"), ("fresh", []))
    equal(shop.reasons("uses", "--param", "y=2"), ("fresh", []))
    shop.run("--param", "x=2")
    equal(shop.read("a.txt"), "2\n")
    equal(shop.reasons("uses")[1][0][0], "param_changed")   # params are not remembered between runs


def input_changed_added_and_removed(shop):
    shop.write("raw/1.txt", "1\n")
    shop.pipeline({"a": {"command": "cat raw/*.txt > a.txt", "inputs": ["raw/*.txt"], "outputs": ["a.txt"]}})
    shop.run()
    shop.write("raw/1.txt", "one\n")
    equal(shop.reasons("a"), ("run", [("input_changed", "raw/1.txt")]))
    shop.run()
    shop.write("raw/2.txt", "2\n")
    equal(shop.reasons("a"), ("run", [("input_added", "raw/2.txt")]))
    shop.run()
    os.remove(shop.path("raw/1.txt"))
    equal(shop.reasons("a"), ("run", [("input_removed", "raw/1.txt")]))
    shop.run()
    equal(shop.read("a.txt"), "2\n")


def content_decides_not_time(shop):
    shop.write("in.txt", "1\n")
    shop.pipeline({"a": copy("in.txt", "a.txt")})
    shop.run()
    later = time.time() + 5
    os.utime(shop.path("in.txt"), (later, later))
    equal(shop.reasons("a"), ("fresh", []))
    # The same size and the same time, other content, written right after the run.
    stat = os.stat(shop.path("in.txt"))
    shop.write("in.txt", "2\n")
    os.utime(shop.path("in.txt"), ns=(stat.st_atime_ns, stat.st_mtime_ns))
    shop.run()
    equal(shop.read("a.txt"), "2\n")


def early_cut_off(shop):
    shop.write("in.txt", "a\nb\n")
    shop.pipeline({"sorted": {"command": "sort in.txt > sorted.txt", "inputs": ["in.txt"], "outputs": ["sorted.txt"]},
                   "after": {**copy("sorted.txt", "after.txt")}, "later": copy("after.txt", "later.txt")})
    shop.run()
    shop.write("in.txt", "b\na\n")
    plan = shop.plan()
    equal({n: a["action"] for n, a in plan["assets"].items()}, {"sorted": "run", "after": "maybe", "later": "maybe"})
    document = shop.run()
    equal(statuses(document), {"sorted": "succeeded", "after": "fresh", "later": "fresh"})
    equal(document["assets"]["sorted"]["changed"], False)


def upstream_changed_by_name(shop):
    shop.write("v.txt", "1")
    shop.pipeline({"a": {"command": "printf '{\"data_version\": \"%s\"}' $(cat v.txt) > $TROUPE_RESULT", "inputs": ["v.txt"]},
                   "b": {"command": "echo ran >> b.log", "deps": ["a"]}})
    shop.run()
    shop.write("v.txt", "2")
    document = shop.run()
    equal(document["assets"]["b"]["reasons"], [{"kind": "upstream_changed", "detail": "a"}])
    equal(document["assets"]["a"]["data_version"], "2")
    shop.write("v.txt", "2 ")     # another content, the same reported version: early cut-off
    equal(statuses(shop.run()), {"a": "succeeded", "b": "fresh"})
    equal(shop.lines("b.log"), ["ran", "ran"])


def output_missing_and_modified(shop):
    shop.write("in.txt", "1\n")
    shop.pipeline({"a": copy("in.txt", "a.txt")})
    shop.run()
    os.remove(shop.path("a.txt"))
    equal(shop.reasons("a"), ("run", [("output_missing", "a.txt")]))
    shop.run()
    shop.write("a.txt", "by hand\n")
    equal(shop.reasons("a"), ("run", [("output_modified", "a.txt")]))
    shop.run()
    equal(shop.read("a.txt"), "1\n")


def last_attempt_failed(shop):
    shop.pipeline({"a": {"command": "test -e fixed && echo 1 > a.txt", "outputs": ["a.txt"]}})
    shop.run(status=1)
    shop.write("fixed", "")
    shop.run()
    shop.pipeline({"a": {"command": "exit 1", "outputs": ["a.txt"]}})
    shop.run(status=1)
    shop.pipeline({"a": {"command": "test -e fixed && echo 1 > a.txt", "outputs": ["a.txt"]}})
    action, reasons = shop.reasons("a")
    equal(action, "run")
    contains(str(reasons), "last_attempt_failed")
    equal(statuses(shop.run()), {"a": "succeeded"})


def always_expired_and_forced(shop):
    shop.pipeline({"always": {"command": "true", "always": True}, "aged": {"command": "true", "max_age": "50ms"}, "plain": {"command": "true"}})
    shop.run()
    time.sleep(0.1)
    equal(shop.reasons("always"), ("run", [("always", "")]))
    equal([kind for kind, _ in shop.reasons("aged")[1]], ["expired"])
    equal(shop.reasons("plain"), ("fresh", []))
    document = shop.run("plain", "--force")
    equal(document["assets"]["plain"]["reasons"][0]["kind"], "forced")


def moving_the_folder_makes_nothing_stale(shop):
    shop.write("in.txt", "1\n")
    shop.pipeline({"a": copy("in.txt", "a.txt"), "b": {"command": "mkdir -p d/e && cp a.txt d/e/", "inputs": ["a.txt"], "outputs": ["d"]}})
    shop.run()
    shutil.copytree(shop.folder, os.path.join(shop.top, "copy"), symlinks=True)
    os.rename(shop.folder, os.path.join(shop.top, "moved"))
    for name in ("copy", "moved"):
        shop.folder = os.path.join(shop.top, name)
        equal({n: a["action"] for n, a in shop.plan()["assets"].items()}, {"a": "fresh", "b": "fresh"})


def a_changed_file_inside_a_folder_output(shop):
    shop.pipeline({"a": {"command": "mkdir -p d/e && echo 1 > d/e/f && ln -sf e/f d/link", "outputs": ["d"]},
                   "b": {"command": "cat d/e/f > b.txt", "inputs": ["d/e/f"], "outputs": ["b.txt"]}})
    shop.run()
    equal(shop.plan()["order"], ["a", "b"])
    equal(statuses(shop.run()), {"a": "fresh", "b": "fresh"})
    shop.write("d/e/f", "2\n")
    equal(shop.reasons("a"), ("run", [("output_modified", "d/e/f")]))
    shop.run()
    os.chmod(shop.path("d/e/f"), 0o755)
    equal(shop.reasons("a"), ("run", [("executable_changed", "d/e/f")]))


def sources_are_observed(shop):
    shop.write("raw.txt", "1\n")
    shop.pipeline({"raw": {"outputs": ["raw.txt"]}, "a": copy("raw.txt", "a.txt"), "by_name": {"command": "echo ran >> log", "deps": ["raw"]}})
    shop.run()
    equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.write("raw.txt", "2\n")
    document = shop.run()
    equal((document["assets"]["a"]["status"], document["assets"]["by_name"]["status"]), ("succeeded", "succeeded"))
    equal((shop.read("a.txt"), shop.lines("log")), ("2\n", ["ran", "ran"]))


def discovered_inputs_count_from_then_on(shop):
    shop.write("hidden.txt", "1\n")
    shop.pipeline({"a": {"command": "cp hidden.txt a.txt && printf '{\"inputs\": [\"hidden.txt\"]}' > $TROUPE_RESULT", "outputs": ["a.txt"]}})
    shop.run()
    equal(shop.reasons("a"), ("fresh", []))
    shop.write("hidden.txt", "2\n")
    equal(shop.reasons("a"), ("run", [("input_changed", "hidden.txt")]))
    shop.run()
    equal(shop.read("a.txt"), "2\n")
    equal(shop.reasons("a"), ("fresh", []))


def an_input_changed_during_the_attempt(shop):
    shop.write("in.txt", "1\n")
    shop.pipeline({"a": {"command": "cp in.txt a.txt; test -e done || echo 2 > in.txt; touch done", "inputs": ["in.txt"], "outputs": ["a.txt"]}})
    shop.run()
    equal(shop.reasons("a"), ("run", [("input_changed", "in.txt")]))
    shop.run()
    equal((shop.read("a.txt"), shop.reasons("a")), ("2\n", ("fresh", [])))


def a_secret_counts_by_name_and_is_written_nowhere(shop):
    secret = "s3cret-7f1d9a"
    shop.pipeline({"a": {"command": "test -n \"$PW\" && echo 1 > a.txt", "outputs": ["a.txt"], "env": {"PW": {"from_env": "PW"}}}})
    document = shop.troupe("run", "--json", env={"PW": secret}).must(0)
    assert secret not in document.text + document.errors
    equal(shop.reasons("a", env={"PW": "another-one"}), ("fresh", []))
    for folder, _, names in os.walk(shop.path(".troupe")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert secret.encode() not in file.read(), f"the secret is in {name}"


def a_removed_asset_keeps_its_files(shop):
    shop.pipeline({"a": {"command": "echo 1 > a.txt", "outputs": ["a.txt"]}, "b": {"command": "true"}})
    shop.run()
    shop.pipeline({"b": {"command": "true"}})
    equal(statuses(shop.run()), {"b": "fresh"})
    assert shop.exists("a.txt")
    shop.pipeline({"a": {"command": "echo 1 > a.txt", "outputs": ["a.txt"]}, "b": {"command": "true"}})
    equal(statuses(shop.run()), {"a": "fresh", "b": "fresh"})


TESTS = [nothing_runs_twice, command_changed, version_changed, env_changed, param_changed_for_those_that_use_it, input_changed_added_and_removed,
         content_decides_not_time, early_cut_off, upstream_changed_by_name, output_missing_and_modified, last_attempt_failed,
         always_expired_and_forced, moving_the_folder_makes_nothing_stale, a_changed_file_inside_a_folder_output, sources_are_observed,
         discovered_inputs_count_from_then_on, an_input_changed_during_the_attempt, a_secret_counts_by_name_and_is_written_nowhere,
         a_removed_asset_keeps_its_files]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
