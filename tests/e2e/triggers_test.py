#!/usr/bin/env python3
"""Triggers of `troupe serve`: ticks fire once each, across kills, pauses and reloads; what is told by hand counts once a key. usage: triggers_test.py TROUPE [NAME...]"""
import datetime
import json
import signal
import sys

import harness  # noqa: F401
from harness import contains, equal, main
from serve_test import Supervisor

EACH = {"log": {"command": "echo {{ params.day }} >> ticks; touch log.out", "outputs": ["log.out"]}}
EVERY_SECOND = {"schedule": {"every": "1s"}, "params": {"day": "{{ tick.instant }}"}, "catch_up": "all"}


def pipeline(shop, assets=None, **triggers):
    shop.pipeline(assets or EACH, params={"day": {"default": "none"}}, triggers=triggers)


def tell(shop, *arguments, status=0, **how):
    return shop.troupe(*arguments, **how).must(status)


def events(shop, *arguments):
    """Oldest first."""
    return tell(shop, "events", "--json", "-l", "0", *arguments).json()["events"][::-1]


def seconds(text):
    return int(datetime.datetime.strptime(text[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp())


def ticks(shop):
    return [seconds(line) for line in shop.lines("ticks") if line.startswith("20")]


def no_gap(numbers):
    """Each second from the first to the last, once."""
    equal(numbers, list(range(numbers[0], numbers[-1] + 1)))


def fired(shop, trigger="test/often"):
    return [seconds(one["nominal"]) for one in events(shop) if one["trigger"] == trigger.split("/")[1] and one["nominal"] and one["count"] == 1]


def verify(shop):
    contains(tell(shop, "journal", "verify").text, "ok")


def a_schedule_fires_each_tick_once_and_its_params_hold_the_tick(shop):
    pipeline(shop, often=EVERY_SECOND)
    with Supervisor(shop) as supervisor:
        shop.wait_for(lambda: shop.exists("ticks") and len(ticks(shop)) >= 3, "three ticks have run")
        listed = supervisor.get("/api/v1/triggers")["triggers"]["test/often"]
        equal((listed["kind"], listed["enabled"], listed["paused"], len(listed["next"])), ("schedule", True, None, 5))
        assert listed["last"]["nominal"], listed
        supervisor.stop()
    no_gap(ticks(shop))
    all_of = events(shop)
    equal({one["fate"] for one in all_of[:3]}, {"started"})
    run = tell(shop, "show", str(all_of[0]["run"]), "--json").json()
    equal((run["cause"]["kind"], run["cause"]["trigger"], run["cause"]["events"]), ("trigger", "often", [all_of[0]["id"]]))
    verify(shop)


def a_kill_between_ticks_loses_none_and_repeats_none(shop):
    pipeline(shop, often=EVERY_SECOND)
    for _ in range(3):
        known = len(events(shop))
        with Supervisor(shop) as supervisor:
            shop.wait_for(lambda: len(events(shop)) >= known + 2, "two ticks have fired")
            supervisor.process.kill()
            supervisor.process.wait(60)
    with Supervisor(shop) as supervisor:
        shop.wait_for(lambda: fired(shop)[-1] > seconds(events(shop)[0]["at"]) + 5, "it has caught up")
        supervisor.stop()
    no_gap(fired(shop))
    verify(shop)
    tell(shop, "journal", "rebuild")
    no_gap(fired(shop))
    verify(shop)


def ticks_that_nobody_was_there_for_become_one_gap(shop):
    pipeline(shop, often={"schedule": {"every": "1s"}, "late_after": "1s", "catch_up": "none"})
    with Supervisor(shop) as supervisor:
        shop.wait_for(lambda: len(fired(shop)) >= 1, "a tick has fired")
        supervisor.process.kill() # what leaves in order forgets events that came before its oldest run
        supervisor.process.wait(60)
    last = fired(shop)[-1]
    shop.wait_for(lambda: datetime.datetime.now().timestamp() > last + 5, "some ticks have passed")
    known = len(fired(shop))
    with Supervisor(shop) as supervisor:
        shop.wait_for(lambda: len(fired(shop)) > known, "a tick has fired again")
        supervisor.process.kill()
        supervisor.process.wait(60)
    gap, = [one for one in events(shop) if one["fate"] == "missed"]
    assert gap["count"] >= 3 and gap["run"] is None, gap
    equal(seconds(gap["nominal"]) - last, gap["count"])
    equal(len(set(fired(shop))), len(fired(shop)))
    verify(shop)


def a_paused_trigger_does_not_fire_and_does_not_catch_up(shop):
    pipeline(shop, often=EVERY_SECOND)
    with Supervisor(shop) as supervisor:
        shop.wait_for(lambda: len(fired(shop)) >= 1, "a tick has fired")
        equal(tell(shop, "triggers", "pause", "often", "--reason", "the source is down").text, "test/often: paused\n")
        known = fired(shop)
        contains(tell(shop, "triggers").text, "paused")
        equal(tell(shop, "triggers", "--json").json()["triggers"]["test/often"]["paused"]["reason"], "the source is down")
        paused_at = datetime.datetime.now().timestamp()
        shop.wait_for(lambda: datetime.datetime.now().timestamp() > paused_at + 3.2, "three ticks have passed")
        equal(fired(shop), known)
        supervisor.post("/api/v1/triggers/test/often/resume", status=200)
        resumed_at = datetime.datetime.now().timestamp()
        shop.wait_for(lambda: len(fired(shop)) > len(known), "it fires again")
        supervisor.stop()
    first = fired(shop)[len(known)]
    assert first >= int(resumed_at), (first, resumed_at)
    verify(shop)


def a_pause_survives_a_kill(shop):
    pipeline(shop, often=EVERY_SECOND, by_hand={"manual": {}})
    with Supervisor(shop) as supervisor:
        tell(shop, "triggers", "pause", "test/often")
        known = len(fired(shop))
        supervisor.process.kill()
        supervisor.process.wait(60)
    with Supervisor(shop) as supervisor:
        tell(shop, "notify", "by_hand")
        shop.wait_for(lambda: events(shop)[-1:] and events(shop)[-1]["fate"] == "started", "its run has started")
        contains(tell(shop, "triggers").text, "paused")
        equal(len(fired(shop)), known)
        supervisor.stop()


def a_reload_changes_triggers_and_repeats_no_tick(shop):
    pipeline(shop, often=EVERY_SECOND)
    with Supervisor(shop) as supervisor:
        for round_ in range(4):
            known = len(fired(shop))
            pipeline(shop, often={**EVERY_SECOND, "description": f"round {round_}"})
            supervisor.process.send_signal(signal.SIGHUP)
            shop.wait_for(lambda: len(fired(shop)) > known, "it fires on")
        no_gap(fired(shop))
        pipeline(shop, other={"manual": {}})
        supervisor.process.send_signal(signal.SIGHUP)
        shop.wait_for(lambda: list(supervisor.get("/api/v1/triggers")["triggers"]) == ["test/other"], "the trigger is another one")
        supervisor.get("/api/v1/triggers/test/often", status=404)
        equal(tell(shop, "notify", "often", status=2).text, "")
        supervisor.stop()
    verify(shop)


def what_is_told_twice_under_one_key_counts_once(shop):
    pipeline(shop, by_hand={"manual": {}, "params": {"day": "{{ body.day }}"}, "when": {"body.kind": ["real"]}})
    with Supervisor(shop) as supervisor:
        body = '{"day": "monday", "kind": "real"}'
        first = tell(shop, "notify", "by_hand", "--key", "k", "--body", body, "--json").json()
        again = tell(shop, "notify", "test/by_hand", "--key", "k", "--body", "-", "--json", stdin=body).json()
        equal((again["fate"], again["duplicate_of"], again["run"]), ("duplicate", first["event"], first["run"]))
        equal(tell(shop, "notify", "by_hand", "--key", "k", "--json", "-", stdin=body).json()["duplicate_of"], first["event"])
        contains(tell(shop, "notify", "by_hand", "else", status=2).errors, "unexpected argument 'else'")
        contains(tell(shop, "notify", "by_hand", "--body", "{}", "-", status=2, stdin="{}").errors, "both say what the body is")
        contains(tell(shop, "notify", "by_hand", "--key", "k", "--body", "{}", status=0).text, "filtered")
        contains(tell(shop, "notify", "by_hand", "--key", "k", "--body", '{"day": "x", "kind": "real"}', status=1).errors, "was used for another request")
        contains(tell(shop, "notify", "by_hand", "--body", '{"day": "a\\nb", "kind": "real"}', status=1).errors, "day")
        contains(tell(shop, "notify", "by_hand", "--body", "{", status=2).errors, "no JSON")
        contains(tell(shop, "notify", "nobody", status=2).errors, "no trigger")
        supervisor.wait_for_end(first["run"])
        equal(shop.lines("ticks"), ["monday"])
        equal([one["fate"] for one in events(shop)], ["started", "duplicate", "duplicate", "filtered", "rejected", "rejected"])
        equal([one["id"] for one in supervisor.get("/api/v1/events?fate=duplicate&trigger=by_hand")["events"]][-1:], [again["event"]])
        supervisor.process.kill()
        supervisor.process.wait(60)
    with Supervisor(shop) as supervisor:
        equal(tell(shop, "notify", "by_hand", "--key", "k", "--body", body, "--json").json()["duplicate_of"], first["event"])
        supervisor.stop()
    equal(shop.lines("ticks"), ["monday"])
    contains(tell(shop, "notify", "by_hand", status=3).errors, "troupe serve")
    verify(shop)


def a_start_trigger_fires_at_each_start(shop):
    pipeline(shop, boot={"start": {}})
    for count in (1, 2):
        with Supervisor(shop) as supervisor:
            shop.wait_for(lambda: [one["fate"] for one in events(shop)] == ["started"] * count, "it has fired")  # noqa: B023
            supervisor.process.send_signal(signal.SIGHUP)
            supervisor.get("/api/v1/triggers")
            equal(len(events(shop)), count)
            supervisor.process.kill()
            supervisor.process.wait(60)


def events_that_come_while_a_run_waits_join_it(shop):
    gated = {"g": {"command": "echo x >> began; until test -e go; do sleep 0.01; done; touch g.out", "outputs": ["g.out"]}}
    shop.pipeline(gated, triggers={"by_hand": {"manual": {}}, "skips": {"manual": {}, "overlap": "skip", "overlap_scope": "pipeline"}})
    with Supervisor(shop) as supervisor:
        first = supervisor.post("/api/v1/triggers/test/by_hand/fire")
        shop.wait_for_file("began")
        second = supervisor.post("/api/v1/triggers/test/by_hand/fire")
        third = supervisor.post("/api/v1/triggers/test/by_hand/fire")
        skipped = supervisor.post("/api/v1/triggers/test/skips/fire")
        equal((third["fate"], third["run"]), ("coalesced", second["run"]))
        equal((skipped["fate"], skipped["run"]), ("skipped", None))
        waiting, = supervisor.get("/api/v1/queue")["queue"]
        equal(waiting["waits_for"]["for"], "overlap")
        supervisor.process.kill()
        supervisor.process.wait(60)
    shop.write("go", "")
    with Supervisor(shop) as supervisor:
        run = supervisor.wait_for_end(second["run"])
        equal(run["cause"]["events"], [second["event"], third["event"]])
        equal([one["fate"] for one in events(shop)], ["started", "started", "coalesced", "skipped"])
        supervisor.stop()
    equal(first["run"] < second["run"], True)
    verify(shop)


def a_fired_trigger_takes_params_and_a_key(shop):
    pipeline(shop, nightly={"schedule": {"cron": "0 0 1 1 *"}, "params": {"day": "{{ tick.date }}"}})
    with Supervisor(shop) as supervisor:
        first = json.loads(tell(shop, "triggers", "fire", "nightly", "--with", "day=monday", "--key", "k", "--json").text)
        again = supervisor.post("/api/v1/triggers/test/nightly/fire", {"params": {"day": "monday"}, "key": "k"}, status=200)
        equal(again["duplicate_of"], first["event"])
        supervisor.post("/api/v1/triggers/test/nightly/fire", {"params": {"nobody": "x"}}, status=422)
        supervisor.wait_for_end(first["run"])
        supervisor.stop()
    equal(shop.lines("ticks"), ["monday"])


TESTS = [a_schedule_fires_each_tick_once_and_its_params_hold_the_tick, a_kill_between_ticks_loses_none_and_repeats_none,
         ticks_that_nobody_was_there_for_become_one_gap, a_paused_trigger_does_not_fire_and_does_not_catch_up, a_pause_survives_a_kill,
         a_reload_changes_triggers_and_repeats_no_tick, what_is_told_twice_under_one_key_counts_once, a_start_trigger_fires_at_each_start,
         events_that_come_while_a_run_waits_join_it, a_fired_trigger_takes_params_and_a_key]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
