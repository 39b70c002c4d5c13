#!/usr/bin/env python3
"""Ticks of the past, the queue from the command line, runs beside others, and a clock that cannot be believed. usage: backfill_test.py TROUPE [NAME...]"""
import contextlib
import os
import signal
import sys

import harness  # noqa: F401
from harness import contains, equal, main
from serve_test import Supervisor
from surroundings_test import Clock
from triggers_test import events, tell, verify

EACH = {"log": {"command": "echo {{ params.day }} >> ticks; touch log.out", "outputs": ["log.out"]}}
GATED = {"g": {"command": "echo x >> began; until test -e go; do sleep 0.01; done; touch g.out", "outputs": ["g.out"]}}
NIGHTLY = {"schedule": {"cron": "0 3 * * *"}, "params": {"day": "{{ tick.date }}"}}


def kill(supervisor):
    supervisor.process.kill()
    supervisor.process.wait(60)


def backfill(shop, *arguments, **how):
    return tell(shop, "triggers", "backfill", "nightly", *arguments, **how)


def all_ended(shop, count):
    shop.wait_for(lambda: [one["status"] for one in tell(shop, "runs", "--json", "-l", "0").json()["runs"]] == ["succeeded"] * count, "all runs have ended")


def each_tick_of_the_past_is_made_up_for_once(shop):
    shop.pipeline(EACH, params={"day": {"default": "none"}}, triggers={"nightly": NIGHTLY})
    with Supervisor(shop) as supervisor:
        equal(backfill(shop, "--from", "2026-03-01", "--to", "2026-03-04", "--dry-run", "--json").json(), {"format": 1, "ticks": 3, "had_fired": 0, "first_run": None})
        equal(events(shop), [])
        contains(backfill(shop, "--from", "2026-03-01", "--to", "2026-03-04").text, "3 ticks, queued as runs from #1 on")
        all_ended(shop, 3)
        equal(shop.lines("ticks"), ["2026-03-01", "2026-03-02", "2026-03-03"])
        kill(supervisor)
    with Supervisor(shop) as supervisor:
        contains(backfill(shop, "--from", "2026-03-02", "--to", "2026-03-05").text, "1 tick, queued as runs from #4 on; 2 ticks had fired")
        equal(supervisor.post("/api/v1/triggers/test/nightly/backfill", {"from": "2026-03-01", "to": "2026-03-05"}, status=200)["had_fired"], 4)
        again = supervisor.post("/api/v1/triggers/test/nightly/backfill", {"from": "2026-03-01", "to": "2026-03-02", "again": True})
        equal((again["ticks"], again["first_run"]), (1, 5))
        all_ended(shop, 5)
        run = supervisor.get("/api/v1/runs/5")
        equal((run["cause"]["kind"], run["cause"]["trigger"]), ("backfill", "nightly"))
        equal({one["kind"] for one in events(shop)}, {"backfill"})
        supervisor.stop()
    equal(shop.lines("ticks")[3:], ["2026-03-04", "2026-03-01"])
    verify(shop)
    tell(shop, "journal", "rebuild")
    verify(shop)


def what_cannot_be_made_up_for_is_refused(shop):
    shop.pipeline(EACH, params={"day": {"default": "none"}}, triggers={"nightly": NIGHTLY, "often": {"schedule": {"every": "1s"}}, "by_hand": {"manual": {}}})
    with Supervisor(shop) as supervisor:
        tell(shop, "triggers", "pause", "often")
        contains(backfill(shop, "--from", "yesterday", "--to", "2026-03-05", status=2).errors, "from one moment to another")
        contains(backfill(shop, "--from", "2036-03-01", "--to", "2036-03-05").text, "0 ticks")
        contains(tell(shop, "triggers", "backfill", "by_hand", "--from", "2026-03-01", "--to", "2026-03-02", status=2).errors, "is no schedule")
        contains(tell(shop, "triggers", "backfill", "often", "--from", "2026-03-01", "--to", "2026-03-02", status=2).errors, "more than 5000 ticks")
        supervisor.post("/api/v1/triggers/test/nightly/backfill", {"from": "2026-03-01"}, status=422)
        kill(supervisor)
    contains(backfill(shop, "--from", "2026-03-01", "--to", "2026-03-02", status=3).errors, "troupe serve")


def a_backfill_goes_one_by_one_behind_all_others_and_its_rest_can_be_taken_off(shop):
    shop.pipeline(GATED, triggers={"nightly": {"schedule": {"cron": "0 3 * * *"}}, "by_hand": {"manual": {}}})
    with Supervisor(shop) as supervisor:
        tell(shop, "triggers", "backfill", "nightly", "--from", "2026-03-01", "--to", "2026-03-05")
        shop.wait_for_file("began")
        told = tell(shop, "notify", "by_hand", "--json").json()
        shop.wait_for(lambda: supervisor.get(f"/api/v1/runs/{told['run']}")["status"] == "running", "it passes the backfill by")
        queue = tell(shop, "queue", "--json").json()["queue"]
        equal([one["number"] for one in queue], [2, 3, 4])
        equal({one["trigger"] for one in queue}, {"nightly"})
        equal(queue[0]["waits_for"]["for"], "overlap")
        equal(supervisor.get("/api/v1/queue")["queue"], queue)
        equal(tell(shop, "queue", "priority", "4", "7").text, "run #4: priority 7\n")
        equal([one["number"] for one in tell(shop, "queue", "--json").json()["queue"]], [4, 2, 3])
        contains(tell(shop, "queue").text, "another run of its backfill is live")
        equal(tell(shop, "queue", "cancel", "4").text, "run #4: off the queue, never started\n")
        equal(tell(shop, "queue", "cancel", "--all", "test/nightly", "--json").json()["cancelled"], [2, 3])
        equal(tell(shop, "queue").text, "no run waits\n")
        contains(tell(shop, "queue", "cancel", "1", status=2).errors, "no")
        contains(tell(shop, "queue", "cancel", status=2).errors, "--all TRIGGER")
        shop.write("go", "")
        supervisor.wait_for_end(1)
        supervisor.stop()
    equal([one["fate"] for one in events(shop) if one["trigger"] == "nightly"], ["started"] + ["cancelled"] * 3)
    verify(shop)


def the_queue_is_there_without_a_supervisor(shop):
    shop.pipeline(GATED, triggers={"by_hand": {"manual": {}}})
    equal(tell(shop, "queue").text, "no run waits\n")
    with Supervisor(shop) as supervisor:
        tell(shop, "notify", "by_hand")
        shop.wait_for_file("began")
        second = tell(shop, "notify", "by_hand", "--json").json()["run"]
        kill(supervisor)
    one, = tell(shop, "queue", "--json").json()["queue"]
    equal((one["number"], one["waits_for"]["for"]), (second, "supervisor"))
    contains(tell(shop, "queue", "priority", str(second), "3", status=3).errors, "no supervisor")
    equal(tell(shop, "queue", "cancel", "--all", "by_hand").text, f"run #{second}: off the queue, never started\n")
    verify(shop)


def a_trigger_that_is_fired_apart_runs_beside_the_others(shop):
    shop.pipeline({"a": {"command": "echo x >> began; until test -e go; do sleep 0.01; done"}, "b": {"command": "echo y >> other"}},
                  triggers={"by_hand": {"manual": {}, "select": ["a"], "overlap": "skip"}})
    with Supervisor(shop) as supervisor:
        tell(shop, "triggers", "fire", "by_hand")
        shop.wait_for_file("began")
        equal(tell(shop, "triggers", "fire", "by_hand", "--json").json()["fate"], "skipped")
        apart = supervisor.post("/api/v1/triggers/test/by_hand/fire", {"parallel": True})
        shop.wait_for(lambda: supervisor.get(f"/api/v1/runs/{apart['run']}")["status"] == "running", "both live")
        equal(tell(shop, "triggers", "fire", "by_hand", "--parallel", "--json").json()["fate"], "pending")
        shop.write("go", "")
        supervisor.wait_for_end(apart["run"])
        supervisor.stop()
    verify(shop)


@contextlib.contextmanager
def moved_clock(shop):
    clock = Clock(shop)
    known = {name: os.environ.get(name) for name in clock.env}
    os.environ.update({name: value for name, value in clock.env.items() if value is not None})
    try:
        yield clock
    finally:
        for name, value in known.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def a_clock_far_behind_the_journal_holds_schedules_until_it_has_caught_up(shop):
    shop.pipeline(EACH, params={"day": {"default": "none"}}, triggers={"often": {"schedule": {"every": "1s"}}, "by_hand": {"manual": {}}})
    with Supervisor(shop) as supervisor:
        shop.wait_for(lambda: len(events(shop)) >= 1, "a tick has fired")
        kill(supervisor)
    known = len(events(shop))
    with moved_clock(shop) as clock:
        clock.off(-3 * 86400)
        with Supervisor(shop) as supervisor:
            shop.wait_for(lambda: "schedules do not fire before the clock has passed that" in supervisor.said(), "it says so")
            contains(supervisor.get("/api/v1/triggers/test/often")["degraded"], "--trust-clock")
            equal(supervisor.get("/api/v1/triggers/test/by_hand")["degraded"], None)
            supervisor.wait_for_end(tell(shop, "notify", "by_hand", "--json").json()["run"]) # all else works
            equal(len(events(shop)), known + 1)
            clock.off(0)
            supervisor.process.send_signal(signal.SIGHUP) # wakes it, as a clock that is really set does
            shop.wait_for(lambda: len(events(shop)) >= known + 2, "ticks fire again")
            contains(supervisor.ask("GET", "/metrics")[2], "troupe_clock_jumps_total 1\n")
            contains(tell(shop, "journal", "dump").text, "clock_jumped")
            kill(supervisor)
        clock.off(-3 * 86400)
        with Supervisor(shop, "--trust-clock") as supervisor:
            equal(supervisor.get("/api/v1/triggers/test/often")["degraded"], None)
            kill(supervisor)


TESTS = [each_tick_of_the_past_is_made_up_for_once, what_cannot_be_made_up_for_is_refused, a_backfill_goes_one_by_one_behind_all_others_and_its_rest_can_be_taken_off,
         the_queue_is_there_without_a_supervisor, a_trigger_that_is_fired_apart_runs_beside_the_others, a_clock_far_behind_the_journal_holds_schedules_until_it_has_caught_up]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
