#!/usr/bin/env python3
"""`sensor` triggers of `troupe serve`: what a command reports is taken in whole or not at all, once a key, and it continues where it was. usage: sensor_test.py TROUPE [NAME...]"""
import json
import os
import sys
import time

import harness  # noqa: F401
from harness import alive, contains, equal, main
from serve_test import Supervisor
from triggers_test import events, tell, verify

SAY = {"say": {"command": "echo {{ params.what }} >> said; touch said.out", "outputs": ["said.out"], "always": True}}


def sensing(shop, command="./poll", trigger=None, **keys):
    """A sensor that says what is in the file `report`."""
    if not shop.exists("poll"):
        shop.write("poll", '#!/bin/sh\necho "$TROUPE_CURSOR" >> called\ncat report\n', 0o755)
    shop.pipeline(SAY, params={"what": {"default": "nothing"}},
                  triggers={"mail": {"sensor": {"command": command, "every": "1s", **keys}, **(trigger or {})}})


def report(shop, **keys):
    shop.write("report.new", json.dumps(keys))
    os.rename(shop.path("report.new"), shop.path("report"))


def called(shop):
    return len(shop.lines("called"))


def wait_for_calls(shop, more):
    known = called(shop)
    shop.wait_for(lambda: called(shop) >= known + more, f"it was called {more} times more")


def degraded(s):
    return s.get("/api/v1/triggers")["triggers"]["test/mail"]["degraded"]


def runs_are_reported_once_a_key_and_the_cursor_moves_with_them(shop):
    sensing(shop)
    report(shop, cursor="7", runs=[{"key": "a", "params": {"what": "one"}}, {"key": "b", "params": {"what": "two"}},
                                   {"key": "a", "params": {"what": "one"}}])
    with Supervisor(shop) as s:
        shop.wait_for(lambda: sorted(shop.lines("said")) == ["one", "two"], "both have run")
        wait_for_calls(shop, 2)
        equal(shop.lines("called")[:2], ["", "7"])
        fates = [(one["key"], one["fate"]) for one in events(shop)][:3]
        equal(fates, [("a", "started"), ("b", "started"), ("a", "duplicate")])   # twice in one report: one run
        assert all(one["fate"] == "duplicate" for one in events(shop)[2:]), events(shop)
        report(shop, cursor="8", skip_reason="no mail")
        shop.wait_for(lambda: "8" in shop.lines("called"), "it continues where it was")
        s.stop()
    equal(sorted(shop.lines("said")), ["one", "two"])
    verify(shop)
    with Supervisor(shop) as s:
        known = called(shop)
        wait_for_calls(shop, 1)
        equal(shop.lines("called")[known], "8")
        s.stop()
    tell(shop, "journal", "rebuild")
    verify(shop)


def a_call_that_fails_changes_nothing_and_the_next_one_comes_later(shop):
    sensing(shop)
    shop.write("report", '{"cursor": "1", "runs": [{"key": "x"}]} and more')
    with Supervisor(shop) as s:
        shop.wait_for(lambda: degraded(s), "the failure is shown")
        contains(degraded(s), "its last call failed", "line 1")
        contains(json.dumps(s.get("/readyz")), "test/mail")
        equal(events(shop), [])
        for bad in ('[]', '{"run": []}', '{"cursor": 5}', '{"runs": [{"key": "x", "select": "all"}]}', ''):
            shop.write("report", bad)
        report(shop, runs=[{"key": "k", "select": ["nobody"]}])
        wait_for_calls(shop, 2)
        equal(events(shop), [])
        assert all(line == "" for line in shop.lines("called")), shop.lines("called")
        report(shop, cursor="2", runs=[{"key": "k", "select": ["say"], "params": {"what": "well"}}])
        shop.wait_for(lambda: shop.lines("said") == ["well"], "it goes well")
        shop.wait_for(lambda: degraded(s) is None, "and says so")
        s.stop()
    verify(shop)


def what_a_command_does_wrong_is_said(shop):
    for command, words in (("echo no luck >&2; exit 3", ("exit status 3", "no luck")), (["./nothing"], ("nothing",)),
                           ("kill -9 $$", ("signal 9",)), ("sleep 60", ("took longer than",)),
                           ("yes '          '", ("prints more than 1048576 bytes",))):
        sensing(shop, command, timeout="1s" if command == "sleep 60" else "20s")
        with Supervisor(shop) as s:
            shop.wait_for(lambda: degraded(s), "the failure is shown")
            contains(degraded(s), *words)
            s.stop()
    equal(events(shop), [])
    verify(shop)


def values_from_a_sensor_are_values_from_outside(shop):
    shop.pipeline({"say": {"command": "touch 'made/{{ params.what }}'", "outputs": ["made/{{ params.what }}"]}}, params={"what": {"default": "x"}},
                  triggers={"mail": {"sensor": {"command": "cat report", "every": "1s"}}})
    report(shop, runs=[{"key": "1", "params": {"what": "../../escape"}}, {"key": "2", "params": {"what": "fine"}}])
    with Supervisor(shop) as s:
        shop.wait_for(lambda: shop.exists("made/fine"), "what may be has run")
        shop.wait_for(lambda: "rejected" in {one["fate"] for one in events(shop)}, "what may not be was rejected")
        s.stop()
    assert not os.path.exists(os.path.join(shop.top, "escape")) and not os.path.exists(os.path.join(os.path.dirname(shop.top), "escape"))
    verify(shop)


def a_report_that_finds_no_room_is_not_taken_in(shop):
    shop.pipeline({"g": {"command": "echo x >> started; until test -e go; do sleep 0.01; done; touch {{ params.what }}.out", "outputs": ["{{ params.what }}.out"]}},
                  params={"what": {"default": "x"}},
                  triggers={"mail": {"sensor": {"command": "echo \"$TROUPE_CURSOR\" >> called; cat report", "every": "1s"}, "queue": {"bound": 2, "keep": "all"}}})
    report(shop, cursor="1", runs=[{"key": str(n), "params": {"what": f"w{n}"}} for n in range(4)])
    with Supervisor(shop) as s:
        shop.wait_for(lambda: degraded(s), "it waits")
        contains(degraded(s), "queue is full")
        equal(events(shop), [])                  # all or none
        wait_for_calls(shop, 1)
        equal(set(shop.lines("called")), {""})
        report(shop, cursor="1", runs=[{"key": "0", "params": {"what": "w0"}}])
        shop.wait_for(lambda: "1" in shop.lines("called"), "there is room")
        shop.write("go", "")
        s.stop()
    verify(shop)


def a_sensor_that_wants_to_be_called_again_is(shop):
    shop.write("poll", '#!/bin/sh\necho "$TROUPE_CURSOR" >> called\nn=$((${TROUPE_CURSOR:-0} + 1))\n'
                       'test $n -lt 20 && more=true || more=false\necho "{\\"cursor\\": \\"$n\\", \\"again\\": $more}"\n', 0o755)
    sensing(shop, every="1h")
    with Supervisor(shop) as s:
        shop.wait_for(lambda: called(shop) == 20, "it was called until it was done")
        equal(shop.lines("called")[-1], "19")
        s.stop()
    verify(shop)


def two_calls_never_overlap_and_a_pause_is_heeded(shop):
    shop.write("poll", '#!/bin/sh\nmkdir busy || echo overlap >> wrong\necho x >> called\nsleep 1.3\nrmdir busy\necho "{}"\n', 0o755)
    sensing(shop)
    with Supervisor(shop) as s:
        shop.wait_for(lambda: called(shop) >= 1, "it was called")
        for _ in range(3):
            tell(shop, "triggers", "pause", "mail")
            tell(shop, "triggers", "resume", "mail")
        wait_for_calls(shop, 1)
        tell(shop, "triggers", "pause", "mail")
        shop.wait_for(lambda: not shop.exists("busy"), "the call has ended")
        known = called(shop)
        time.sleep(1.5)
        equal(called(shop), known)
        s.stop()
    assert not shop.exists("wrong")


def a_call_ends_with_its_supervisor(shop):
    shop.write("poll", '#!/bin/sh\necho $$ >> pids\nsleep 600 &\necho $! >> pids\nwait\n', 0o755)
    sensing(shop, timeout="1h")
    pids = lambda: [int(pid) for pid in shop.lines("pids")]  # noqa: E731
    with Supervisor(shop) as s:
        shop.wait_for(lambda: len(pids()) == 2, "it was called")
        s.stop()
    assert not any(alive(pid) for pid in pids()), pids()
    with Supervisor(shop) as s:
        shop.wait_for(lambda: len(pids()) == 4, "it was called again")
        s.process.kill()
        s.process.wait(60)
    assert all(alive(pid) for pid in pids()[2:])
    with Supervisor(shop) as s:                  # what a dead supervisor has left running is ended
        assert not any(alive(pid) for pid in pids()[2:4]), pids()
        s.stop()
    verify(shop)


def secrets_are_masked_in_what_is_said(shop):
    shop.write("poll", '#!/bin/sh\necho "the password is $PASSWORD" >&2\nexit 1\n', 0o755)
    shop.pipeline({"x": {"command": "touch x.out", "outputs": ["x.out"], "env": {"PASSWORD": {"from_env": "PASSWORD", "secret": True}}}},
                  triggers={"mail": {"sensor": {"command": "./poll", "every": "1s"}}})
    os.environ["PASSWORD"] = "correct-horse-battery"
    try:
        with Supervisor(shop) as s:
            shop.wait_for(lambda: degraded(s), "the failure is shown")
            contains(degraded(s), "the password is ***")
            assert "correct-horse" not in s.said()
            s.stop()
    finally:
        del os.environ["PASSWORD"]


def kills_lose_no_report_and_repeat_none(shop):
    """A counter as a sensor: each number runs once, whenever the supervisor dies."""
    shop.write("poll", '#!/bin/sh\nn=$((${TROUPE_CURSOR:-0} + 1))\necho "{\\"cursor\\": \\"$n\\", \\"again\\": true, \\"runs\\": [{\\"key\\": \\"$n\\", \\"params\\": {\\"what\\": $n}}]}"\n', 0o755)
    sensing(shop)
    for _ in range(5):
        known = len(events(shop))
        with Supervisor(shop) as s:
            shop.wait_for(lambda k=known: len(events(shop)) >= k + 3, "some were reported")
            s.process.kill()
            s.process.wait(60)
    keys = [int(one["key"]) for one in events(shop)]
    equal(keys, list(range(1, len(keys) + 1)))
    verify(shop)


def a_cursor_is_shown_and_set_with_and_without_a_supervisor(shop):
    sensing(shop)
    report(shop, skip_reason="nothing")
    equal(tell(shop, "triggers", "cursor", "mail", status=2).status, 2)          # nobody has served it
    with Supervisor(shop) as s:
        wait_for_calls(shop, 1)
        equal(tell(shop, "triggers", "cursor", "mail").text, "\n")
        equal(tell(shop, "triggers", "cursor", "mail", "--set", "page 5").text, "page 5\n")
        shop.wait_for(lambda: "page 5" in shop.lines("called"), "it continues there")
        s.stop()
    equal(tell(shop, "triggers", "cursor", "test/mail", "--set", "page 6", "--json").json()["cursor"], "page 6")
    equal(tell(shop, "triggers", "pause", "mail", "--reason", "later").text, "test/mail: paused\n")
    with Supervisor(shop) as s:
        known = called(shop)
        equal(s.get("/api/v1/triggers")["triggers"]["test/mail"]["paused"]["reason"], "later")
        tell(shop, "triggers", "resume", "mail")
        wait_for_calls(shop, 1)
        equal(shop.lines("called")[known], "page 6")
        s.stop()
    verify(shop)


TESTS = [runs_are_reported_once_a_key_and_the_cursor_moves_with_them, a_call_that_fails_changes_nothing_and_the_next_one_comes_later,
         what_a_command_does_wrong_is_said, values_from_a_sensor_are_values_from_outside, a_report_that_finds_no_room_is_not_taken_in,
         a_sensor_that_wants_to_be_called_again_is, two_calls_never_overlap_and_a_pause_is_heeded, a_call_ends_with_its_supervisor,
         secrets_are_masked_in_what_is_said, a_cursor_is_shown_and_set_with_and_without_a_supervisor, kills_lose_no_report_and_repeat_none]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
