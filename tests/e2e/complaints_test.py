#!/usr/bin/env python3
"""What schedulers have been complained about, from outside. The names say what happens here instead. usage: complaints_test.py TROUPE [NAME...]"""
import signal
import sys

import harness  # noqa: F401
from harness import equal, main
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


TESTS = [a_schedule_goes_on_after_its_run_was_cancelled_live_or_queued, reloads_at_the_moment_of_ticks_lose_none, a_killed_supervisor_leaves_no_pool_taken,
         ticks_and_events_of_two_who_ask_at_a_time_are_two]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
