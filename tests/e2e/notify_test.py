#!/usr/bin/env python3
"""Notifications of `troupe serve`: who is told of failures, recoveries, pauses, rejected events and overdue assets, at least once, across kills. usage: notify_test.py TROUPE [NAME...]"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import shutil
import sys
import threading

import harness  # noqa: F401
from harness import Skip, contains, equal, main
from serve_test import Supervisor
from triggers_test import tell, verify

ALL = ["failed", "recovered", "paused", "overdue", "rejected"]
FLAKY = {"work": {"command": "test ! -e broken && touch work.out", "outputs": ["work.out"], "always": True, "owners": ["ann", "bob"]}}
TOLD = {"ops": {"on": ALL, "command": "cat >> told"}}


def serving(shop, assets=None, notify=None, **triggers):
    shop.pipeline(assets or FLAKY, name="shop", params={"day": {"default": "x"}}, triggers={"by_hand": {"manual": {}}, **triggers})
    shop.write("supervisor.json", json.dumps({"pipelines": ["troupe.json"], "notify": TOLD if notify is None else notify, "auto_reload": False}))
    return Supervisor(shop, "-f", "supervisor.json")


def run(shop, s, broken):
    if broken:
        shop.write("broken", "")
    elif shop.exists("broken"):
        os.remove(shop.path("broken"))
    return s.wait_for_end(s.post("/api/v1/pipelines/shop/runs")["number"])


def told(shop, file="told"):
    return [json.loads(line) for line in shop.lines(file)]


def kinds(shop, file="told"):
    return [(one["kind"], one["subject"]) for one in told(shop, file)]


def wait_for_told(shop, count, file="told"):
    shop.wait_for(lambda: len(shop.lines(file)) >= count, f"{count} notices were delivered")


def failures_and_recoveries_are_told(shop):
    with serving(shop) as s:
        run(shop, s, False)
        run(shop, s, True)
        failed = run(shop, s, True)
        run(shop, s, False)
        run(shop, s, False)
        wait_for_told(shop, 3)
        s.stop()
    equal(kinds(shop), [("failed", "shop"), ("failed", "shop"), ("recovered", "shop")])
    one = told(shop)[1]
    equal((one["run"], one["because"], one["owners"], one["notice"], one["format"]), (failed["number"], "work failed: exit status 1", ["ann", "bob"], 2, 1))
    verify(shop)
    tell(shop, "journal", "rebuild")
    verify(shop)


def pauses_and_rejected_events_are_told(shop):
    with serving(shop, FLAKY, None, dated={"manual": {}, "params": {"day": "{{ body.day }}"}}) as s:
        tell(shop, "triggers", "pause", "by_hand", "--reason", "the source is down")
        tell(shop, "notify", "dated", "--body", '{"day": "a\\nb"}', status=1)
        wait_for_told(shop, 2)
        s.stop()
    equal(kinds(shop), [("paused", "shop/by_hand"), ("rejected", "shop/dated")])
    contains(told(shop)[0]["because"], "the source is down")
    verify(shop)


def only_who_wants_to_know_is_told(shop):
    notify = {"one": {"on": ["recovered"], "command": ["sh", "-c", "cat >> one"]}, "two": {"on": ["failed"], "pipelines": ["other"], "command": "cat >> two"},
              "three": {"on": ["failed"], "pipelines": ["shop"], "command": "cat >> three"}}
    with serving(shop, None, notify) as s:
        run(shop, s, True)
        run(shop, s, False)
        wait_for_told(shop, 1, "one")
        wait_for_told(shop, 1, "three")
        s.stop()
    equal((kinds(shop, "one"), kinds(shop, "two"), kinds(shop, "three")), ([("recovered", "shop")], [], [("failed", "shop")]))
    verify(shop)


def what_cannot_be_delivered_is_tried_again_and_shown(shop):
    with serving(shop, None, {"ops": {"on": ALL, "command": "echo the line is busy >&2; test -e line && cat >> told"}}) as s:
        run(shop, s, True)
        shop.wait_for(lambda: s.get("/api/v1/notices")["trouble"], "it fails")
        notices = s.get("/api/v1/notices")
        contains(notices["trouble"]["ops"], "exit status 1", "the line is busy")
        equal((notices["waiting"], notices["notices"][0]["waits_for"], notices["notices"][0]["lasts"]), (1, ["ops"], True))
        contains(json.dumps(s.get("/readyz")), '"notification": "ops"')
        contains(s.get("/metrics"), "troupe_notices_waiting 1")
        equal(run(shop, s, False)["status"], "succeeded")       # it fails no run
        shop.write("line", "")
        wait_for_told(shop, 2)
        shop.wait_for(lambda: s.get("/api/v1/notices")["waiting"] == 0 and not s.get("/api/v1/notices")["trouble"], "all is well again")
        equal(kinds(shop), [("failed", "shop"), ("recovered", "shop")])
        s.stop()
    verify(shop)


def a_kill_loses_no_notice(shop):
    """What was not delivered is delivered after the next start; what was is not told again."""
    for number in range(4):
        with serving(shop, None, {"ops": {"on": ALL, "command": "test -e line && cat >> told"}}) as s:
            run(shop, s, True)
            if number % 2 == 0:
                shop.wait_for(lambda: s.get("/api/v1/notices")["waiting"] > 0, "it is in the journal")
            s.process.kill()
            s.process.wait(60)
    shop.write("line", "")
    with serving(shop, None, {"ops": {"on": ALL, "command": "test -e line && cat >> told"}}) as s:
        shop.wait_for(lambda: {one["run"] for one in told(shop)} == {1, 2, 3, 4}, "all of them were told")
        shop.wait_for(lambda: s.get("/api/v1/notices")["waiting"] == 0, "none waits")
        s.stop()
    count = len(told(shop))
    with serving(shop) as s:
        run(shop, s, False)
        wait_for_told(shop, count + 1)
        s.stop()
    equal(kinds(shop)[-1], ("recovered", "shop"))
    equal([one["notice"] for one in told(shop)], sorted(one["notice"] for one in told(shop)))
    verify(shop)


def owners_of_a_notice_that_waits_are_named_after_a_restart(shop):
    later = {"ops": {"on": ALL, "command": "test -e open && cat >> told"}}
    with serving(shop, notify=later) as s:
        run(shop, s, True)
        shop.wait_for(lambda: s.get("/api/v1/notices")["waiting"] == 1 and s.get("/api/v1/notices")["trouble"], "a delivery has failed")
        contains(shop.troupe("status").must(0).text, "not delivered: failed shop, run #1, ", ", to ops\n")
        s.process.kill()
        s.process.wait(60)
    shop.write("open", "")
    with serving(shop, notify=later) as s:
        wait_for_told(shop, 1)
        shop.wait_for(lambda: s.get("/api/v1/notices")["waiting"] == 0, "that is on record")
        s.stop()
    equal([(one["kind"], one["owners"]) for one in told(shop)], [("failed", ["ann", "bob"])])
    assert "not delivered" not in shop.troupe("status").must(0).text


def a_target_that_is_gone_keeps_nothing(shop):
    with serving(shop, None, {"gone": {"on": ["failed"], "command": "exit 1"}}) as s:
        run(shop, s, True)
        shop.wait_for(lambda: s.get("/api/v1/notices")["waiting"] == 1, "it waits")
        s.stop()
    with serving(shop) as s:
        shop.wait_for(lambda: s.get("/api/v1/notices")["waiting"] == 0, "it waits no more")
        s.stop()
    verify(shop)


def an_overdue_asset_is_told_once_a_lapse(shop):
    asset = {"work": {"command": "touch work.out", "outputs": ["work.out"], "expect": {"within": "2s"}, "owners": ["ann"]},
             "other": {"command": "touch other.out", "outputs": ["other.out"], "expect": {"by": {"cron": "0 7 * * *", "timezone": "Europe/Berlin"}}}}
    with serving(shop, asset) as s:
        run(shop, s, False)
        wait_for_told(shop, 1)
        equal((kinds(shop), told(shop)[0]["owners"]), ([("overdue", "shop/work")], ["ann"]))
        contains(s.get("/metrics"), "troupe_assets_overdue 1")
        run(shop, s, False)                                     # found fresh
        wait_for_told(shop, 3)
        equal(kinds(shop), [("overdue", "shop/work"), ("recovered", "shop/work"), ("overdue", "shop/work")])
        shop.wait_for(lambda: s.get("/api/v1/notices")["waiting"] == 0, "the deliveries are on record")
        s.process.kill()
        s.process.wait(60)
    with serving(shop, asset) as s:                             # it still lasts: nobody is told again
        shop.wait_for(lambda: "troupe_assets_overdue 1" in s.get("/metrics"), "it is known")
        run(shop, s, False)
        wait_for_told(shop, 4)
        equal(kinds(shop)[3], ("recovered", "shop/work"))
        s.stop()
    verify(shop)


def a_url_gets_a_signed_request(shop):
    if shutil.which("curl") is None:
        raise Skip("there is no curl")
    key = b"0123456789abcdef0123456789abcdef"
    got, answers = [], [503, 200]

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        shop.write("secret", "whsec_" + base64.b64encode(key).decode() + "\n", 0o600)
        url = f"http://127.0.0.1:{server.server_port}/hook"
        with serving(shop, None, {"chat": {"on": ["failed"], "url": url, "secret": {"from_file": "secret"}}}) as s:
            run(shop, s, True)
            shop.wait_for(lambda: len(got) == 2, "it was delivered after one failure")
            shop.wait_for(lambda: s.get("/api/v1/notices")["waiting"] == 0, "that is on record")
            s.stop()
    finally:
        server.shutdown()
        server.server_close()
    assert base64.b64encode(key).decode() not in shop.read("../log"), "a secret is in the log"
    for headers, body in got:
        headers = {name.lower(): value for name, value in headers.items()}
        signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
        equal(headers["webhook-signature"], "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())
        equal((headers["content-type"], json.loads(body)["kind"]), ("application/json", "failed"))
    equal(got[0][1], got[1][1])
    equal(len({headers["webhook-id"] for headers, _ in got}), 1)
    verify(shop)


def what_is_wrong_with_an_expectation_is_said(shop):
    for expect, words in (({"within": "1h", "by": {"cron": "0 7 * * *"}}, "either"), ({}, "expect"), ({"by": {}}, "cron"), ({"by": {"cron": "0 7"}}, "0 7"),
                          ({"by": {"cron": "0 7 * * *", "timezone": "Nowhere"}}, "Nowhere"), ({"within": "soon"}, "within"), ("1h", "expect")):
        shop.pipeline({"a": {"command": "touch a", "outputs": ["a"], "expect": expect}})
        said = tell(shop, "validate", status=2)
        contains(said.text + said.errors, words)
    shop.pipeline({"a": {"command": "touch a", "outputs": ["a"], "expect": {"within": "1h"}}})
    tell(shop, "run")
    shop.pipeline({"a": {"command": "touch a", "outputs": ["a"], "expect": {"within": "2h"}}})
    equal(shop.reasons("a")[0], "fresh")                        # it changes no fingerprint


TESTS = [failures_and_recoveries_are_told, pauses_and_rejected_events_are_told, only_who_wants_to_know_is_told,
         what_cannot_be_delivered_is_tried_again_and_shown, a_kill_loses_no_notice, owners_of_a_notice_that_waits_are_named_after_a_restart, a_target_that_is_gone_keeps_nothing,
         an_overdue_asset_is_told_once_a_lapse, a_url_gets_a_signed_request, what_is_wrong_with_an_expectation_is_said]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
