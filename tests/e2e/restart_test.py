#!/usr/bin/env python3
"""The end of `troupe serve` and its next start: runs are interrupted and resumed, nothing is lost, nothing that succeeded is run again; stop, drain, reload. usage: restart_test.py TROUPE [NAME...]"""
import json
import os
import random
import signal
import sys

import harness
from harness import alive, contains, equal, finish, main
from serve_test import Supervisor

# Two quick assets, then one that waits for the file "go". Each says in a file that it ran.
LONG = {"quick": {"command": "echo quick >> ran; echo 1 > quick.txt", "outputs": ["quick.txt"]},
        "long": {"command": "echo $$ > pid; echo long >> started; until test -e go; do sleep 0.01; done; echo long >> ran; cat quick.txt > long.txt",
                 "deps": ["quick"], "outputs": ["long.txt"]},
        "last": {"command": "echo last >> ran; cat long.txt > last.txt", "deps": ["long"], "inputs": ["long.txt"], "outputs": ["last.txt"]}}


def supervised(shop, **more):
    shop.write("supervisor.json", json.dumps({"pipelines": ["troupe.json"], "auto_reload": False, "grace_period": "5s", **more}))


def status_of(shop, number):
    return shop.troupe("show", str(number), "--json").must(0).json()


def attempts_of(shop, number):
    return {name: asset["attempts"] if isinstance(asset["attempts"], int) else len(asset["attempts"]) for name, asset in status_of(shop, number)["assets"].items()}


def until_ended(shop, supervisor, number):
    """An interrupted run has not ended: it is resumed."""
    shop.wait_for(lambda: supervisor.get(f"/api/v1/runs/{number}")["status"] in ("succeeded", "failed", "cancelled"), f"run {number} has ended")
    return supervisor.get(f"/api/v1/runs/{number}")


def start_long(shop, supervisor):
    number = supervisor.post("/api/v1/pipelines/test/runs")["number"]
    shop.wait_for_file("started")
    if "quick" in status_of(shop, number)["assets"]:
        shop.wait_for_status("quick", "succeeded")   # it is on disk
    return number


def a_stop_interrupts_and_the_next_start_resumes(shop):
    shop.pipeline(LONG)
    with Supervisor(shop) as s:
        number = start_long(shop, s)
        s.stop()
    run = status_of(shop, number)
    equal(run["status"], "interrupted")
    equal(run["assets"]["long"]["status"], "cancelled")
    assert not alive(int(shop.read("pid"))), "the command was ended"
    contains(shop.troupe("journal", "dump").must(0).text, '"cause":"shutdown"', '"outcome":"interrupted"', "writer_closed")
    shop.write("go", "")
    with Supervisor(shop) as s:
        run = until_ended(shop, s, number)
        equal((run["status"], run["number"]), ("succeeded", number))
        equal(shop.lines("ran"), ["quick", "long", "last"])
        contains(s.said(), f"run #{number} is resumed")
        s.stop()
    equal(len(shop.troupe("runs", "--json").must(0).json()["runs"]), 1)


def a_killed_supervisor_resumes_by_itself(shop):
    shop.pipeline(LONG)
    with Supervisor(shop) as s:
        number = start_long(shop, s)
        s.process.kill()
        s.process.wait(60)
    with Supervisor(shop) as s:
        shop.write("go", "")   # what the first supervisor left has been ended
        equal(until_ended(shop, s, number)["status"], "succeeded")
        equal(shop.lines("ran"), ["quick", "long", "last"])
        s.stop()


def nothing_is_lost_and_nothing_done_is_done_again(shop):
    """A chain of slow assets under a supervisor that is killed and stopped again and again."""
    chain = {f"s{i}": {"command": f"sleep 0.15; echo s{i} >> ran; echo {i} > s{i}.txt", "outputs": [f"s{i}.txt"],
                       **({"inputs": [f"s{i - 1}.txt"]} if i % 4 else {})} for i in range(16)}
    shop.pipeline(chain, engine={"workers": 3})
    chance = random.Random(7)
    numbers = []
    for life in range(40):
        with Supervisor(shop) as s:
            if len(numbers) < 3:
                numbers.append(s.post("/api/v1/pipelines/test/runs")["number"])
            try:
                s.process.wait(chance.uniform(0.1, 0.7))
            except harness.subprocess.TimeoutExpired:
                pass
            if all(s.get(f"/api/v1/runs/{number}")["status"] == "succeeded" for number in numbers):
                s.stop()
                break
            if life % 2:
                s.stop()
            else:
                s.process.kill()
                s.process.wait(60)
    else:
        raise AssertionError("forty lives were not enough")
    equal([run["status"] for run in shop.troupe("runs", "--json").must(0).json()["runs"]], ["succeeded"] * len(numbers))
    # What was recorded as a success was never made again; a command that ended as its supervisor was killed may have run twice.
    dump = [json.loads(line) for line in shop.troupe("journal", "dump").must(0).text.splitlines()]
    made = [event["asset"] for event in dump if event["type"] == "attempt_finished" and event.get("outcome", "succeeded") == "succeeded"]
    equal(len(made), len(set(map(str, made))))
    equal(len(made), 16)
    equal(sorted(set(shop.lines("ran"))), sorted(chain))


def a_run_whose_definitions_changed_is_replaced(shop):
    shop.pipeline(LONG, params={"p": {"default": "1"}})
    with Supervisor(shop) as s:
        number = s.post("/api/v1/pipelines/test/runs", {"select": ["long"], "params": {"p": "2"}})["number"]
        shop.wait_for_file("started")
        s.stop()
    changed = {**LONG, "long": {**LONG["long"], "command": "echo new long >> ran; cat quick.txt > long.txt"}}
    shop.pipeline(changed, params={"p": {"default": "1"}})
    with Supervisor(shop) as s:
        shop.wait_for(lambda: len(s.get("/api/v1/runs")["runs"]) == 2, "another run takes its place")
        run = until_ended(shop, s, number + 1)
        equal((run["status"], run["continues"], sorted(run["assets"])), ("succeeded", number, ["long", "quick"]))
        old = s.get(f"/api/v1/runs/{number}")
        equal((old["status"], old["continued_by"]), ("cancelled", number + 1))
        queued = [json.loads(line) for line in shop.troupe("journal", "dump").must(0).text.splitlines() if '"run_queued"' in line]
        equal(queued[0]["request"]["params"], {"p": "2"} if isinstance(queued[0]["request"]["params"], dict) else [["p", "2"]])
        equal(shop.lines("ran"), ["quick", "new long"])
        s.stop()


def on_restart_says_what_becomes_of_runs(shop):
    for rule, expected in (("resume", "interrupted"), ("abandon", "cancelled")):
        shop.pipeline(LONG)
        supervised(shop, on_restart=rule)
        with Supervisor(shop) as s:
            number = start_long(shop, s)
            s.stop()
        shop.pipeline({**LONG, "long": {**LONG["long"], "command": "true"}})
        with Supervisor(shop) as s:
            shop.wait_for(lambda: f"run #{number} " in s.said().split("stopped")[-1], "it was looked at")
            equal(s.get(f"/api/v1/runs/{number}")["status"], expected)
            # Somebody may end what stays.
            equal(s.ask("POST", f"/api/v1/runs/{number}/cancel", {})[0], 202 if rule == "resume" else 409)
            shop.wait_for(lambda: s.get(f"/api/v1/runs/{number}")["status"] == "cancelled", "it has ended")
            s.stop()
        for name in ("started", "ran", "quick.txt"):
            if shop.exists(name):
                os.unlink(shop.path(name))


def interrupted_runs_come_before_the_queue(shop):
    shop.pipeline({f"a{i}": {"command": f"echo a{i} >> started; until test -e go; do sleep 0.01; done; echo a{i} >> ran"} for i in range(3)})
    shop.write("supervisor.json", json.dumps({"pipelines": ["troupe.json"], "max_runs": 1}))
    with Supervisor(shop) as s:
        for i in range(3):
            contains(shop.troupe("triggers", "--json").must(0).text, "triggers")
        s.stop()
    shop.pipeline({f"a{i}": {"command": f"echo a{i} >> started; until test -e go; do sleep 0.01; done; echo a{i} >> ran"} for i in range(3)},
                  triggers={f"t{i}": {"manual": {}, "select": [f"a{i}"]} for i in range(3)})
    with Supervisor(shop) as s:
        numbers = [shop.troupe("notify", f"t{i}", "--json").must(0).json()["run"] for i in range(3)]
        shop.wait_for_file("started")
        s.stop()
    equal([status_of(shop, number)["status"] for number in numbers], ["interrupted", "queued", "queued"])
    os.unlink(shop.path("started"))
    with Supervisor(shop) as s:
        shop.wait_for_file("started")
        equal(shop.lines("started"), ["a0"])
        shop.write("go", "")
        for number in numbers:
            equal(until_ended(shop, s, number)["status"], "succeeded")
        equal(shop.lines("ran"), ["a0", "a1", "a2"])
        s.stop()


def a_run_that_only_crashes_is_given_up_and_its_trigger_paused(shop):
    shop.pipeline(LONG, triggers={"t": {"manual": {}}})
    with Supervisor(shop) as s:
        number = shop.troupe("notify", "t", "--json").must(0).json()["run"]
        shop.wait_for_file("started")
        s.process.kill()
        s.process.wait(60)
    for _ in range(3):
        os.unlink(shop.path("started"))
        with Supervisor(shop) as s:
            shop.wait_for_file("started")
            s.process.kill()
            s.process.wait(60)
    with Supervisor(shop) as s:
        equal(until_ended(shop, s, number)["status"], "cancelled")
        shop.wait_for(lambda: s.get("/api/v1/triggers")["triggers"]["test/t"]["paused"], "the trigger is paused")
        contains(s.get("/api/v1/triggers")["triggers"]["test/t"]["paused"]["reason"], "resumed 3 times")
        s.stop()


def a_drain_waits_and_a_second_signal_does_not(shop):
    shop.pipeline(LONG)
    with Supervisor(shop, "--drain") as s:
        number = start_long(shop, s)
        s.process.send_signal(signal.SIGTERM)
        shop.wait_for(lambda: "once live runs have ended" in s.said(), "it drains")
        equal(s.ask("POST", "/api/v1/pipelines/test/runs", {})[0], 503)
        equal(s.get("/readyz", 503)["ready"], False)
        equal(s.get(f"/api/v1/runs/{number}")["status"], "running")
        shop.write("go", "")
        equal(s.process.wait(60), 0)
    equal(status_of(shop, number)["status"], "succeeded")
    for name in ("go", "started"):
        os.unlink(shop.path(name))
    with Supervisor(shop, "--drain") as s:
        number = s.post("/api/v1/pipelines/test/runs", {"force": True})["number"]
        shop.wait_for_file("started")
        s.process.send_signal(signal.SIGTERM)
        shop.wait_for(lambda: s.said().count("once live runs have ended") == 2, "it drains")
        s.process.send_signal(signal.SIGTERM)
        equal(s.process.wait(60), 0)
    equal(status_of(shop, number)["status"], "interrupted")


def commands_that_do_not_end_are_killed_after_the_grace_period(shop):
    shop.pipeline({"deaf": {"command": "trap '' TERM; echo x > started; while true; do sleep 0.05; done"}}, engine={"grace_period": "10m"})
    supervised(shop, grace_period="300ms")
    with Supervisor(shop) as s:
        number = start_long(shop, s)
        s.stop()
    equal(status_of(shop, number)["status"], "interrupted")


def troupe_stop_stops(shop):
    shop.pipeline(LONG)
    contains(shop.troupe("stop").must(3).errors, "no supervisor")
    contains(shop.troupe("reload").must(3).errors, "no supervisor")
    with Supervisor(shop) as s:
        number = start_long(shop, s)
        drained = shop.start("stop", "--drain=10m")
        shop.wait_for(lambda: "asked to stop once" in s.said(), "it was asked")
        equal(drained.poll(), None)
        shop.write("go", "")
        contains(finish(drained).must(0).text, f"(pid {s.process.pid}) has stopped")
        equal(s.process.wait(60), 0)
    equal(status_of(shop, number)["status"], "succeeded")
    with Supervisor(shop) as s:
        equal(shop.troupe("stop", "--json").must(0).json()["pid"], s.process.pid)
        equal(s.process.wait(60), 0)


def a_drain_that_takes_too_long_interrupts(shop):
    shop.pipeline(LONG)
    with Supervisor(shop) as s:
        number = start_long(shop, s)
        shop.troupe("stop", "--drain=100ms").must(0)
        equal(s.process.wait(60), 0)
    equal(status_of(shop, number)["status"], "interrupted")


def a_reload_fails_visibly(shop):
    shop.pipeline({"x": {"command": "true"}})
    supervised(shop)
    with Supervisor(shop) as s:
        contains(shop.troupe("reload").must(0).text, "all files are loaded")
        shop.write("troupe.json", "{")
        contains(shop.troupe("reload").must(2).errors, "troupe.json", "is left out")
        document = shop.troupe("reload", "--json").must(2).json()
        equal(len(document["problems"]), 1)
        supervised(shop, max_runs=3, workers=2)
        shop.pipeline({"x": {"command": "true"}})
        contains(shop.troupe("reload").must(0).text, '"max_runs" has changed, which needs a restart', '"workers" has changed')
        shop.write("supervisor.json", "{}")
        contains(shop.troupe("reload", "--state", ".troupe").must(2).errors, "pipelines")
        equal(s.get("/readyz")["degraded"], [])   # everything stays
        s.stop()


def files_that_change_are_loaded_by_themselves(shop):
    shop.pipeline({"x": {"command": "true"}})
    shop.write("supervisor.json", json.dumps({"pipelines": ["*.json", "more/*.json"][:1], "state_dir": "state"}))
    shop.write("supervisor.json", json.dumps({"pipelines": ["troupe.json"]}))
    with Supervisor(shop) as s:
        shop.write("troupe.json", "{")
        shop.wait_for(lambda: s.get("/readyz")["degraded"], "it is left out")
        # The good one again, byte for byte: it is loaded, though it is the one that was loaded last.
        shop.pipeline({"x": {"command": "true"}})
        shop.wait_for(lambda: not s.get("/readyz")["degraded"], "it is loaded")
        shop.pipeline({"y": {"command": "true"}}, name="other", file="other.json")
        shop.write("supervisor.json", json.dumps({"pipelines": ["troupe.json", "other.json"]}))
        shop.wait_for(lambda: len(s.get("/api/v1/pipelines")["pipelines"]) == 2, "the other one is there")
        # As editors do it.
        shop.pipeline({"z": {"command": "true"}}, name="third", file="new.tmp")
        os.rename(shop.path("new.tmp"), shop.path("other.json"))
        shop.wait_for(lambda: {one["name"] for one in s.get("/api/v1/pipelines")["pipelines"]} == {"test", "third"}, "it was replaced")
        s.stop()


def runs_of_a_pipeline_that_is_gone_leave_the_queue(shop):
    shop.pipeline(LONG)
    shop.pipeline({"y": {"command": "true"}}, name="other", file="other.json", triggers={"t": {"manual": {}}, "u": {"manual": {}}})
    shop.write("supervisor.json", json.dumps({"pipelines": ["troupe.json", "other.json"], "max_runs": 1, "auto_reload": False}))
    shop.pipeline(LONG, triggers={"t": {"manual": {}}})
    with Supervisor(shop) as s:
        shop.troupe("notify", "test/t").must(0)
        shop.wait_for_file("started")
        waits = shop.troupe("notify", "u", "--json").must(0).json()["run"]
        equal(status_of(shop, waits)["status"], "queued")
        shop.write("supervisor.json", json.dumps({"pipelines": ["troupe.json"], "max_runs": 1, "auto_reload": False}))
        contains(shop.troupe("reload").must(0).text, "served no more", "left the queue")
        equal(status_of(shop, waits)["status"], "cancelled")
        rejected = [event for event in shop.troupe("events", "--json", "--state", ".troupe").must(0).json()["events"] if event["pipeline"] == "other"]
        equal([event["fate"] for event in rejected], ["rejected"])
        s.stop()


def an_ended_run_is_resumed_over_http(shop):
    shop.pipeline({"a": {"command": "echo a >> ran; echo 1 > a.txt", "outputs": ["a.txt"]}, "b": {"command": "test -e ok", "deps": ["a"]}})
    with Supervisor(shop) as s:
        number = s.post("/api/v1/pipelines/test/runs")["number"]
        equal(until_ended(shop, s, number)["status"], "failed")
        shop.write("ok", "")
        equal(s.post(f"/api/v1/runs/{number}/resume")["number"], number)
        equal(until_ended(shop, s, number)["status"], "succeeded")
        equal(shop.lines("ran"), ["a"])
        equal(s.ask("POST", f"/api/v1/runs/{number}/resume", {})[2]["code"], "not_resumable")
        equal(s.ask("POST", "/api/v1/runs/77/resume", {})[0], 404)
        s.stop()


def it_waits_for_a_state_that_another_writes(shop):
    shop.pipeline(LONG)
    run = shop.start("run")
    shop.wait_for_file("started")
    contains(shop.troupe("serve", "--wait=0s").must(3).errors, "in use")
    waits = shop.start("serve")
    run.send_signal(signal.SIGTERM)
    finish(run)
    shop.wait_for(lambda: shop.exists(".troupe/supervisor.sock"), "it serves")
    waits.send_signal(signal.SIGTERM)
    finish(waits).must(0)
    # What a person had started and ended is nobody's to resume.
    equal([one["status"] for one in shop.troupe("runs", "--json").must(0).json()["runs"]], ["cancelled"])


TESTS = [a_stop_interrupts_and_the_next_start_resumes, a_killed_supervisor_resumes_by_itself, nothing_is_lost_and_nothing_done_is_done_again,
         a_run_whose_definitions_changed_is_replaced, on_restart_says_what_becomes_of_runs, interrupted_runs_come_before_the_queue,
         a_run_that_only_crashes_is_given_up_and_its_trigger_paused, a_drain_waits_and_a_second_signal_does_not,
         commands_that_do_not_end_are_killed_after_the_grace_period, troupe_stop_stops, a_drain_that_takes_too_long_interrupts, a_reload_fails_visibly,
         files_that_change_are_loaded_by_themselves, runs_of_a_pipeline_that_is_gone_leave_the_queue, an_ended_run_is_resumed_over_http,
         it_waits_for_a_state_that_another_writes]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
