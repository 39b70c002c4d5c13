#!/usr/bin/env python3
"""What schedulers have been complained about, from outside. The names say what happens here instead. usage: complaints_test.py TROUPE [NAME...]"""
import signal
import sys
import time

import harness  # noqa: F401
from harness import equal, main
from backfill_test import moved_clock
from serve_test import Supervisor
from triggers_test import EVERY_SECOND, events, fired, no_gap, pipeline, tell, verify

GATED = {"g": {"command": "echo x >> began; until test -e go; do sleep 0.01; done; touch g.out", "outputs": ["g.out"]}}


def kill(supervisor):
    supervisor.process.kill()
    supervisor.process.wait(60)


def a_schedule_goes_on_after_its_run_was_cancelled_live_or_queued(shop):
    shop.pipeline(GATED, triggers={"often": {"schedule": {"every": "1s"}}})
    with Supervisor(shop) as supervisor:
        shop.wait_for_file("began")
        def queued():
            return [one["number"] for one in supervisor.get("/api/v1/runs")["runs"] if one["status"] == "queued"]
        shop.wait_for(queued, "one run lives and one waits")
        waits, = queued()
        supervisor.post(f"/api/v1/queue/{waits}/cancel")
        shop.wait_for(lambda: any(one["number"] > waits for one in supervisor.get("/api/v1/queue")["queue"]), "the next tick waits")
        live = waits - 1
        supervisor.post(f"/api/v1/runs/{live}/cancel", {"at_once": True})
        supervisor.wait_for_end(live)
        shop.wait_for(lambda: len(shop.lines("began")) >= 2, "the next run has begun")
        shop.write("go", "")
        supervisor.stop()
    verify(shop)


def reloads_at_the_moment_of_ticks_lose_none(shop):
    pipeline(shop, often={**EVERY_SECOND, "overlap": "parallel"})
    with Supervisor(shop) as supervisor:
        shop.wait_for(lambda: len(fired(shop)) >= 1, "it fires")
        for _ in range(40):
            supervisor.process.send_signal(signal.SIGHUP)
            known = supervisor.said().count("\n")
            supervisor.get("/api/v1/triggers")
            if len(fired(shop)) >= 8:
                break
            shop.wait_for(lambda: len(fired(shop)) >= 8 or supervisor.said().count("\n") >= known, "it goes on")  # noqa: B023
        shop.wait_for(lambda: len(fired(shop)) >= 8, "eight ticks have fired")
        kill(supervisor)
    no_gap(fired(shop))
    verify(shop)


def a_killed_supervisor_leaves_no_pool_taken(shop):
    shop.pipeline({"g": {"command": "echo x >> began; until test -e go; do sleep 0.01; done; touch g.out", "outputs": ["g.out"], "pools": {"db": 1}}},
                  engine={"pools": {"db": 1}}, triggers={"by_hand": {"manual": {}}})
    with Supervisor(shop) as supervisor:
        tell(shop, "notify", "by_hand")
        shop.wait_for_file("began")
        kill(supervisor)
    shop.write("go", "")
    with Supervisor(shop) as supervisor:
        run = tell(shop, "notify", "by_hand", "--json").json()["run"]
        equal(supervisor.wait_for_end(run)["status"], "succeeded")
        supervisor.stop()
    verify(shop)


def ticks_and_events_of_two_who_ask_at_a_time_are_two(shop):
    pipeline(shop, by_hand={"manual": {}})
    with Supervisor(shop) as supervisor:
        first, second = supervisor.connection(), supervisor.connection()
        for connection in (first, second):
            connection.request("POST", "/api/v1/triggers/test/by_hand/fire", "{}", {"Content-Type": "application/json"})
        equal([connection.getresponse().status for connection in (first, second)], [202, 202])
        equal(len(events(shop)), 2)
        supervisor.stop()
    verify(shop)


def a_clock_that_jumps_forward_as_after_a_suspend_is_a_time_without_a_supervisor(shop):
    """And back again: no tick fires twice."""
    hour = 3600
    cron = {"schedule": {"cron": "0 * * * *"}, "queue": {"bound": 10, "keep": "all"}}
    pipeline(shop, every={**cron, "catch_up": "all"}, latest={**cron, "catch_up": "latest"}, none={**cron, "catch_up": "none"})

    def told(trigger):
        """How many of its ticks fired, and how many were missed."""
        own = [one for one in events(shop) if one["trigger"] == trigger]
        return sum(1 for one in own if one["id"] is not None), sum(one["count"] for one in own if one["fate"] == "missed")
    with moved_clock(shop) as clock, Supervisor(shop) as supervisor:
        shop.wait_for(lambda: supervisor.get("/api/v1/triggers/test/none")["next"], "it knows its ticks")
        start = time.time()
        # Not to the first minute of an hour: then the last tick is not late. The test is over before the hour is.
        ahead = 3 * hour + (600 if start % hour < 120 or start % hour > hour - 600 else 0)
        ticks = int((start + ahead) // hour - start // hour)
        clock.off(ahead)
        supervisor.process.send_signal(signal.SIGHUP)   # wakes it, as a clock that is really set does
        shop.wait_for(lambda: told("none")[1] == ticks and told("latest")[0] == 1 and told("every")[0] == ticks, "it has caught up")
        equal([told(name) for name in ("every", "latest", "none")], [(ticks, 0), (1, ticks - 1), (0, ticks)])
        equal(supervisor.get("/metrics").count("troupe_clock_jumps_total 1\n"), 1)
        for off in (0, ahead):
            clock.off(off)
            supervisor.process.send_signal(signal.SIGHUP)
            jumps = 2 if off == 0 else 3
            shop.wait_for(lambda: f"troupe_clock_jumps_total {jumps}\n" in supervisor.get("/metrics"), "it has noticed")  # noqa: B023
        equal([told(name)[0] for name in ("every", "latest")], [ticks, 1])   # those that were missed are missed again
        supervisor.stop()
    verify(shop)


TESTS = [a_clock_that_jumps_forward_as_after_a_suspend_is_a_time_without_a_supervisor, a_schedule_goes_on_after_its_run_was_cancelled_live_or_queued, reloads_at_the_moment_of_ticks_lose_none, a_killed_supervisor_leaves_no_pool_taken,
         ticks_and_events_of_two_who_ask_at_a_time_are_two]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
