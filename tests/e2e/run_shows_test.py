#!/usr/bin/env python3
"""What `troupe run` shows of its commands and their output, which assets it takes, and what its neighbours answer. Knows the CLI only."""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import contains, equal, finish, main, statuses

TALKERS = {"a": {"command": "echo one; echo two >&2"}, "b": {"command": "echo bad; false", "allow_failure": True}, "quiet": {"command": "true"}}


def lines_of(text, *beginnings):
    return [line for line in text.splitlines() if line.startswith(beginnings)]


def whose_output_is_shown(shop):
    shop.pipeline(TALKERS)
    usual = shop.troupe("run", "-j", "1").must(0).text
    equal((lines_of(usual, "a | "), "  | bad" in usual, "1 asset printed something: troupe logs" in usual), ([], True, True))
    every = shop.troupe("run", "--force", "-j", "1", "--output", "all").must(0).text
    equal(lines_of(every, "a | ", "b | ", "quiet | "), ["a | one", "a | two", "b | bad"])
    assert "troupe logs" not in every and "  | bad" not in every, every
    assert every.index("a | two") < every.index("a  succeeded"), every
    none = shop.troupe("run", "--force", "--output", "none").must(0).text
    assert "| bad" not in none and "log: .troupe/logs/3/b.1.log" in none, none
    contains(shop.troupe("run", "--force", "--output=failed").must(0).text, "  | bad")
    contains(shop.troupe("run", "--output", "some").must(2).errors, "failed, all, none or live")
    with_json = shop.troupe("run", "--force", "--output", "all", "--json").must(0)
    equal((with_json.json()["status"], lines_of(with_json.errors, "a | ")), ("succeeded", ["a | one", "a | two"]))


def live_output_comes_as_it_is_written(shop):
    shop.pipeline({"slow": {"command": "echo first; while [ ! -e go ]; do sleep 0.02; done; printf 'last, no end'"}})
    running = shop.start("run", "--output", "live")
    seen = []
    timer = threading.Timer(60, running.kill)         # else a line that never comes would be waited for
    timer.start()
    try:
        for line in running.stdout:
            seen.append(line.decode())
            if "slow | first" in seen[-1]:
                assert not shop.exists("go")
                shop.write("go", "1")
    finally:
        timer.cancel()
        shop.write("go", "1")
    equal(finish(running).status, 0)
    equal([line.strip() for line in seen if line.startswith("slow | ")], ["slow | first", "slow | last, no end"])


def of_much_output_the_end_is_shown(shop):
    shop.pipeline({"loud": {"command": "i=0; while [ $i -lt 300 ]; do printf '%08192d\\n' $i; i=$((i+1)); done"}})
    text = shop.troupe("run", "--output", "all").must(0).text
    contains(text, "are left out: troupe logs")
    assert len(text) < 1_200_000, len(text)
    assert text.count("loud | ") < 140 and "299\n" in text


def commands_as_they_begin(shop):
    shop.write("f", "needle\n")
    shop.pipeline({"a": {"command": "grep {{ params.word }} {{ inputs }} > o", "inputs": ["f"], "outputs": ["o"]}, "b": {"command": ["echo", "{{ params.key }}", "a b"], "deps": ["a"]}},
                  params={"word": "needle", "key": {"default": "abcdefghijk", "secret": True}})
    text = shop.troupe("run", "-v").must(0).text
    equal(lines_of(text, "a $ ", "b $ "), ["a $ grep needle f > o", "b $ echo '***' 'a b'"])
    assert "abcdefghijk" not in text
    contains(shop.troupe("run", "-n", "-v", "--force").must(0).text, "grep needle f > o")


def quiet_shows_what_went_wrong(shop):
    shop.pipeline({"a": {"command": "echo hi"}})
    equal((shop.troupe("run", "-q").must(0).text, shop.troupe("run", "-q").must(0).text), ("", ""))
    shop.pipeline({"bad": {"command": "false"}, "later": {"command": "true", "deps": ["bad"]}})
    text = shop.troupe("run", "--quiet").must(1).text
    contains(text, "failed: bad (attempt 1): exit status 1", "run #3 failed")
    assert "later" not in text, text


def what_failed_last_runs_again(shop):
    shop.pipeline({"good": {"command": "echo >> good"}, "bad": {"command": "test -e fixed", "deps": ["good"]}, "after": {"command": "echo >> after", "deps": ["bad"]}, "other": {"command": "echo >> other", "always": True}})
    contains(shop.troupe("run", "--failed").must(0).text, "there is no run yet")
    shop.run("-k", status=1)
    contains(shop.troupe("run", "--failed", "good").must(2).errors, "name no assets")
    shop.write("fixed", "1")
    equal(statuses(shop.run("--failed")), {"good": "fresh", "bad": "succeeded", "after": "succeeded"})
    equal((len(shop.lines("good")), len(shop.lines("other"))), (1, 1))
    contains(shop.troupe("run", "--failed").must(0).text, "nothing failed in run #2")
    equal(shop.troupe("run", "--failed", "--json").must(0).json()["run"], None)
    shop.pipeline({"bad": {"command": "false"}})
    shop.run(status=1)
    shop.pipeline({"new": {"command": "true"}})
    contains(shop.troupe("run", "--failed").must(2).errors, "no longer in the pipeline")


def exit_statuses_say_whether_all_is_fresh(shop):
    shop.pipeline({"a": {"command": "true"}, "b": {"command": "true", "deps": ["a"]}})
    for verb in ("plan", "status"):
        equal((shop.troupe(verb).status, shop.troupe(verb, "--exit-code").status), (0, 1))
    shop.run("a")
    equal((shop.troupe("plan", "--exit-code", "a").status, shop.troupe("status", "--exit-code", "a", "--json").status), (0, 0))
    equal((shop.troupe("plan", "--exit-code").status, shop.troupe("status", "--exit-code").status), (1, 1))
    shop.run()
    equal((shop.troupe("plan", "--exit-code").status, shop.troupe("status", "--exit-code").status), (0, 0))


def resume_takes_workers_and_a_strategy(shop):
    shop.pipeline({"first": {"command": "test -e fixed", "priority": 9}, "second": {"command": "echo >> second"}, "third": {"command": "echo >> third"}}, engine={"workers": 1})
    shop.run(status=1)
    equal((shop.exists("second"), shop.exists("third")), (False, False))
    document = shop.troupe("resume", "-k", "-j", "2", "--json").must(1).json()
    equal(statuses(document), {"first": "failed", "second": "succeeded", "third": "succeeded"})
    contains(shop.troupe("resume", "-j", "0").must(2).errors, "whole number")
    shop.write("fixed", "1")
    contains(shop.troupe("resume", "-v", "--error-strategy", "abort").must(0).text, "first $ test -e fixed")


def assets_are_found_by_what_they_make(shop):
    shop.pipeline({"a": {"command": "mkdir -p out/d; echo 1 > out/a,b+1; echo 2 > out/d/x", "outputs": ["out/a,b+1", "out/d"], "tags": ["daily"], "group": "ingest"}, "b": {"command": "cat out/d/x > b.txt; echo done", "inputs": ["out/d"], "outputs": ["b.txt"]}})
    equal(set(shop.plan("out/a,b+1")["assets"]), {"a"})
    equal(set(shop.plan("out/d/x+")["assets"]), {"a", "b"})
    equal(set(shop.plan("+./b.txt")["assets"]), {"a", "b"})
    shop.run("b.txt")
    equal(shop.troupe("-C", "out", "explain", "d/x", "--json").must(0).json()["asset"], "a")
    equal(list(shop.troupe("-C", "out", "status", "../b.txt", "--json").must(0).json()["assets"]), ["b"])
    contains(shop.troupe("-C", "out", "history", "d/x").must(0).text, "#1", "succeeded")
    equal(shop.troupe("logs", "b.txt").must(0).text, "done\n")
    contains(shop.troupe("command", "out/d").must(0).text, "mkdir -p out/d")
    contains(shop.troupe("run", "daily").must(2).errors, "tag:daily")
    contains(shop.troupe("run", "ingest").must(2).errors, "group:ingest")
    for word in ("q", "z9", "nothing_like_it"):
        assert "did you mean" not in shop.troupe("run", word).must(2).errors, word


def what_a_change_would_make_stale(shop):
    shop.write("src/a.c", "a")
    shop.write("src/a.h", "h")
    report = """echo '{"inputs": ["src/a.h"]}' > "$TROUPE_RESULT"; cat src/a.c > a.o"""
    shop.pipeline({"obj": {"command": report, "inputs": ["src/*.c"], "outputs": ["a.o"]}, "app": {"command": "cat a.o > app", "inputs": ["a.o"], "outputs": ["app"]}, "other": {"command": "true"},
                   "raw": {"outputs": ["raw.csv"]}, "uses_raw": {"command": "true", "deps": ["raw"]}})
    shop.write("raw.csv", "1")
    shop.run()
    plan = shop.plan("--if-changed", "src/a.c")
    equal({name: (asset["action"], asset["reasons"]) for name, asset in plan["assets"].items()},
          {"obj": ("run", [{"kind": "input_changed", "detail": "src/a.c"}]), "app": ("maybe", [{"kind": "upstream_changed", "detail": "obj"}])})
    equal(set(shop.plan("--if-changed", "src/a.h")["assets"]), {"obj", "app"})       # its command reported it
    equal(set(shop.troupe("-C", "src", "plan", "--json", "--if-changed", "a.h", "app").must(0).json()["assets"]), {"app"})
    equal(set(shop.plan("--if-changed", "raw.csv")["assets"]), {"uses_raw"})
    equal(set(shop.plan("--if-changed", "app", "--if-changed", "a.o")["assets"]), {"obj", "app"})
    equal(shop.troupe("plan", "--if-changed", "nothing").must(0).text, "nothing is made from that\n")
    equal(shop.troupe("plan", "--if-changed", "src/a.c", "--exit-code").must(1).text.splitlines()[-1], "test: 1 to run, 1 may run, 0 fresh")
    contains(shop.troupe("which", "src/a.h").must(0).text, "read by  obj  (its command reported it)")


def from_what_to_what_a_param_changed(shop):
    shop.pipeline({"a": {"command": "echo {{ params.top }} $LEVEL", "env": {"LEVEL": "l{{ params.level }}"}}, "secret": {"command": "echo {{ params.key }}"}},
                  params={"top": 3, "level": "x", "key": {"default": "abcdefghijk", "secret": True}})
    shop.run("--param", "key=lmnopqrstuv")
    contains(shop.troupe("plan", "--param", "top=4", "a").must(0).text, "param changed: top: 3 -> 4")
    contains(shop.troupe("explain", "a", "--param", "top=4").must(0).text, "`3`", "`4`")
    reasons = shop.plan("a", "--param", "level=y")["assets"]["a"]["reasons"]
    equal([(r["kind"], r["was"], r["now"]) for r in reasons], [("param_changed", "x", "y")])
    both = shop.plan("a", "--param", "top=5", "--param", "level=y")["assets"]["a"]["reasons"]
    equal(sorted((r["detail"], r["was"], r["now"]) for r in both), [("level", "x", "y"), ("top", "3", "5")])
    secret = shop.troupe("plan", "secret", "--json").must(0)
    assert "lmnop" not in secret.text and "abcdef" not in secret.text
    document = shop.troupe("show", "--json").must(0).json()
    equal(document["definitions"][document["assets"]["a"]["definition"]]["params"], {"level": "x", "top": "3"})
    contains(shop.troupe("show", "-d").must(0).text, "params   level=x  top=3", "key=***")
    shop.run("--param", "top=4", "a")
    contains(shop.troupe("explain", "a", "--run", "latest").must(0).text, "`3`", "`4`")


def events_as_they_come(shop):
    shop.pipeline({"a": {"command": "echo 1"}, "bad": {"command": "exit 3", "retry": {"attempts": 2, "delay": "1ms"}}, "after": {"command": "true", "deps": ["bad"]}})
    done = shop.troupe("run", "--format", "ndjson", "-j", "1", "-k").must(1)
    lines = [json.loads(line) for line in done.text.splitlines()]
    kinds = [line["event"] for line in lines]
    equal((kinds[0], kinds[-1], kinds.count("attempt_began"), kinds.count("attempt_ended"), kinds.count("asset_settled")), ("run_began", "run_ended", 3, 3, 3))
    equal((lines[0]["assets"], lines[-1]["status"], lines[-1]["counts"]), (3, "failed", {"succeeded": 1, "failed": 1, "blocked": 1}))
    ended = [line for line in lines if line["event"] == "attempt_ended" and line["asset"] == "bad"]
    equal([(line["outcome"], line["error"], "retry_in_ms" in line) for line in ended], [("exited", "exit status 3", True), ("exited", "exit status 3", False)])
    equal([line["because"] for line in lines if line["event"] == "asset_settled" and line["status"] == "blocked"], ["bad"])
    assert all(line["at"] for line in lines)
    contains(done.errors, "a  succeeded")
    shop.troupe("run", "a").must(0)
    equal([json.loads(line)["number"] for line in shop.troupe("runs", "--format", "ndjson").must(0).text.splitlines()], [2, 1])
    equal(shop.troupe("status", "--format", "json", "a").must(0).json()["assets"]["a"]["fresh"], True)
    contains(shop.troupe("status", "--format", "ndjson").must(2).errors, "--format json")
    equal(json.loads(shop.troupe("run", "nothing", "--format", "ndjson").must(2).text)["error"]["code"], "invalid_input")
    contains(shop.troupe("status", "--format", "text", "--json").must(2).errors, "exclude each other")
    contains(shop.troupe("graph", "--format", "dot").must(0).text, "digraph")
    fresh = [json.loads(line)["event"] for line in shop.troupe("run", "a", "--format=ndjson").must(0).text.splitlines()]
    equal(fresh, ["run_began", "run_ended"])


def words_of_other_tools(shop):
    shop.pipeline({"a": {"command": "true"}})
    for words, answer in ((["build"], "troupe run"), (["retry"], "--failed"), (["diff"], "troupe plan"), (["run", "top=3"], "--param top=3"), (["run", "-j"], "takes a number"), (["run", "--param"], "takes a value")):
        contains(shop.troupe(*words).must(2).errors, answer)


def many_that_were_not_started_are_one_line(shop):
    shop.pipeline({"bad": {"command": "false", "priority": 9}, "s": {"matrix": {"n": list(range(40))}, "command": "true"}}, engine={"workers": 1})
    text = shop.troupe("run").must(1).text
    equal(len(lines_of(text, "not started: ")), 1)
    contains(text, "not started: s[0], s[1]", "and 35 more")


TESTS = [whose_output_is_shown, live_output_comes_as_it_is_written, of_much_output_the_end_is_shown, commands_as_they_begin, quiet_shows_what_went_wrong, what_failed_last_runs_again,
         exit_statuses_say_whether_all_is_fresh, resume_takes_workers_and_a_strategy, assets_are_found_by_what_they_make, what_a_change_would_make_stale, from_what_to_what_a_param_changed, events_as_they_come, words_of_other_tools, many_that_were_not_started_are_one_line]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
