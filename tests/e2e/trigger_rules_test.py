#!/usr/bin/env python3
"""What holds a trigger's runs back, joins them and ends them: debounce, throttle, start_within, timeout, coalesce, pauses after failures, jitter. usage: trigger_rules_test.py TROUPE [NAME...]"""
import datetime
import sys

import harness  # noqa: F401
from harness import contains, equal, main
from serve_test import Supervisor
from triggers_test import events, seconds, tell, verify

EACH = {"log": {"command": "echo {{ params.day }} >> ticks; touch log.out", "outputs": ["log.out"]}}
GATED = {"g": {"command": "echo x >> began; until test -e go; do sleep 0.01; done; touch g.out", "outputs": ["g.out"]}}
BODY = {"params": {"day": "{{ body.day }}"}}


def pipeline(shop, assets=None, **triggers):
    shop.pipeline(assets or EACH, params={"day": {"default": "none"}}, triggers=triggers)


def notify(shop, name, day=None, **how):
    body = [] if day is None else ["--body", f'{{"day": "{day}"}}']
    return tell(shop, "notify", name, *body, "--json", **how).json()


def kill(supervisor):
    supervisor.process.kill()
    supervisor.process.wait(60)


def waits_for(supervisor):
    return [one["waits_for"]["for"] for one in supervisor.get("/api/v1/queue")["queue"]]


def moment(text):
    return datetime.datetime.strptime(text[:26].rstrip("Z") + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z")


def fates(shop):
    return [one["fate"] for one in events(shop)]


def events_of_a_quiet_time_become_one_run_that_lists_them_all(shop):
    pipeline(shop, inbox={"manual": {}, "debounce": {"quiet": "2s", "max": "60s"}})
    with Supervisor(shop) as supervisor:
        all_of = [notify(shop, "inbox") for _ in range(4)]
        equal([one["fate"] for one in all_of], ["pending"] + ["coalesced"] * 3)
        equal({one["run"] for one in all_of}, {all_of[0]["run"]})
        waiting, = supervisor.get("/api/v1/queue")["queue"]
        equal(waiting["waits_for"]["for"], "debounce")
        contains(waiting["waits_for"]["detail"], "no event has come for 2.0 s")
        run = supervisor.wait_for_end(all_of[0]["run"])
        equal(run["cause"]["events"], [one["event"] for one in all_of])
        assert moment(run["started_at"]) - moment(events(shop)[-1]["at"]) >= datetime.timedelta(seconds=2), run
        equal(fates(shop), ["started"] + ["coalesced"] * 3)
        supervisor.stop()
    verify(shop)


def a_quiet_time_survives_a_kill_and_begins_again(shop):
    pipeline(shop, inbox={"manual": {}, "debounce": {"quiet": "4s", "max": "60s"}})
    with Supervisor(shop) as supervisor:
        first = notify(shop, "inbox")
        kill(supervisor)
    with Supervisor(shop) as supervisor:
        equal(waits_for(supervisor), ["debounce"])
        equal(notify(shop, "inbox")["run"], first["run"])
        equal(len(supervisor.wait_for_end(first["run"])["cause"]["events"]), 2)
        supervisor.stop()
    equal(fates(shop), ["started", "coalesced"])
    verify(shop)


def a_quiet_time_ends_at_its_longest(shop):
    pipeline(shop, inbox={"manual": {}, "debounce": {"quiet": "2s", "max": "3s"}})
    with Supervisor(shop) as supervisor:
        first = notify(shop, "inbox")
        shop.wait_for(lambda: notify(shop, "inbox")["run"] != first["run"], "it does not wait forever, though events come")
        supervisor.wait_for_end(first["run"])
        supervisor.stop()
    verify(shop)


def events_with_other_keys_or_other_params_wait_apart(shop):
    keyed = {"manual": {}, "debounce": {"quiet": "2s", "key": "body.day"}}
    pipeline(shop, keyed=keyed, params={"manual": {}, "debounce": {"quiet": "2s"}, **BODY}, last={"manual": {}, "debounce": {"quiet": "2s"}, "coalesce": "last", **BODY})
    with Supervisor(shop) as supervisor:
        for name, days, runs in (("keyed", "aba", 2), ("params", "aba", 2), ("last", "abc", 1)):
            told = [notify(shop, name, day) for day in days]
            equal(len({one["run"] for one in told}), runs)
            for one in told:
                supervisor.wait_for_end(one["run"])
        supervisor.stop()
    equal(sorted(shop.lines("ticks")[-3:]), ["a", "b", "c"])
    verify(shop)


def a_throttle_delays_runs_and_joins_what_comes_meanwhile(shop):
    pipeline(shop, by_hand={"manual": {}, "throttle": {"runs": 1, "per": "6s"}})
    with Supervisor(shop) as supervisor:
        first = notify(shop, "by_hand")
        started = supervisor.wait_for_end(first["run"])
        second, third = notify(shop, "by_hand"), notify(shop, "by_hand")
        equal((third["fate"], third["run"]), ("coalesced", second["run"]))
        equal(waits_for(supervisor), ["throttle"])
        fired = tell(shop, "triggers", "fire", "by_hand", "--json").json()
        equal(fired["run"], second["run"]) # it joins what waits
        kill(supervisor)
    with Supervisor(shop) as supervisor:
        waits = waits_for(supervisor)
        if datetime.datetime.now(datetime.timezone.utc) - moment(started["started_at"]) < datetime.timedelta(seconds=5):
            equal(waits, ["throttle"]) # starts are in the journal; a slow machine may be later than the throttle
        later = supervisor.wait_for_end(second["run"])
        assert moment(later["started_at"]) - moment(started["started_at"]) >= datetime.timedelta(seconds=6), (started, later)
        supervisor.stop()
    verify(shop)


def what_waits_too_long_to_start_expires(shop):
    pipeline(shop, GATED, by_hand={"manual": {}, "start_within": "2s"})
    with Supervisor(shop) as supervisor:
        first = notify(shop, "by_hand")
        shop.wait_for_file("began")
        second, third = notify(shop, "by_hand"), notify(shop, "by_hand")
        equal(third["fate"], "coalesced")
        shop.wait_for(lambda: fates(shop)[1] == "expired", "it has expired")
        equal(supervisor.get("/api/v1/queue")["queue"], [])
        gone = supervisor.get(f"/api/v1/runs/{second['run']}")
        equal((gone["status"], gone["reason"]), ("cancelled", "expired"))
        shop.write("go", "")
        supervisor.wait_for_end(first["run"])
        supervisor.stop()
    equal(fates(shop), ["started", "expired", "coalesced"])
    verify(shop)


def a_run_that_takes_too_long_fails_and_says_so(shop):
    pipeline(shop, {**GATED, "after": {"command": "touch after.out", "outputs": ["after.out"], "inputs": ["g.out"]}}, by_hand={"manual": {}, "timeout": "1s"})
    with Supervisor(shop) as supervisor:
        run = supervisor.wait_for_end(notify(shop, "by_hand")["run"])
        equal((run["status"], run["reason"]), ("failed", "timed_out"))
        equal(run["counts"].get("succeeded", 0), 0)
        equal(run["counts"]["cancelled"], 1)
        contains(tell(shop, "show", str(run["number"])).text, "took longer than its timeout")
        shop.write("go", "")
        supervisor.wait_for_end(notify(shop, "by_hand")["run"]) # and the next one is as if nothing had been
        equal(tell(shop, "runs", "--json").json()["runs"][0]["status"], "succeeded")
        supervisor.stop()
    verify(shop)


def a_trigger_whose_runs_fail_is_paused_and_stays_so(shop):
    pipeline(shop, {"bad": {"command": "test -e good && touch bad.out", "outputs": ["bad.out"]}}, by_hand={"manual": {}, "on_failure_pause_after": 2})
    with Supervisor(shop) as supervisor:
        supervisor.wait_for_end(notify(shop, "by_hand")["run"])
        equal(tell(shop, "triggers", "--json").json()["triggers"]["test/by_hand"]["paused"], None)
        supervisor.wait_for_end(notify(shop, "by_hand")["run"])
        shop.wait_for(lambda: tell(shop, "triggers", "--json").json()["triggers"]["test/by_hand"]["paused"], "it is paused")
        equal(supervisor.get("/api/v1/triggers/test/by_hand")["paused"]["reason"], "its last 2 runs failed")
        contains(tell(shop, "notify", "by_hand", status=2).errors, "is paused")
        kill(supervisor)
    with Supervisor(shop) as supervisor:
        contains(tell(shop, "notify", "by_hand", status=2).errors, "is paused")
        shop.write("good", "")
        tell(shop, "triggers", "resume", "by_hand")
        supervisor.wait_for_end(notify(shop, "by_hand")["run"])
        equal(supervisor.get("/api/v1/triggers/test/by_hand")["paused"], None)
        supervisor.stop()
    verify(shop)


def jitter_changes_neither_which_ticks_fire_nor_their_moments(shop):
    pipeline(shop, often={"schedule": {"every": "2s", "jitter": "1s"}, "params": {"day": "{{ tick.instant }}"}, "overlap": "parallel", "catch_up": "all"})
    with Supervisor(shop) as supervisor:
        shop.wait_for(lambda: sum(one["fate"] == "started" for one in events(shop)) >= 4, "four ticks have started")
        kill(supervisor)
    nominal = [seconds(one["nominal"]) for one in events(shop)]
    equal(nominal, list(range(nominal[0], nominal[-1] + 1, 2)))
    verify(shop)


TESTS = [events_of_a_quiet_time_become_one_run_that_lists_them_all, a_quiet_time_survives_a_kill_and_begins_again, a_quiet_time_ends_at_its_longest,
         events_with_other_keys_or_other_params_wait_apart, a_throttle_delays_runs_and_joins_what_comes_meanwhile, what_waits_too_long_to_start_expires,
         a_run_that_takes_too_long_fails_and_says_so, a_trigger_whose_runs_fail_is_paused_and_stays_so, jitter_changes_neither_which_ticks_fire_nor_their_moments]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
