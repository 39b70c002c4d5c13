#!/usr/bin/env python3
"""Webhooks of `troupe serve`, what commands are told of events, keys: each scheme's signatures (openssl as the oracle), statuses, hostile requests and values, kills. usage: hooks_test.py TROUPE [NAME...]"""
import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time

import harness  # noqa: F401
from harness import Skip, contains, equal, main
from serve_test import Supervisor
from triggers_test import events, tell, verify

TOLD = {"told": {"command": "test -z \"$TROUPE_EVENT\" || cp \"$TROUPE_EVENT\" seen.json; echo \"${TROUPE_EVENT-none}\" > named; echo {{ params.word }} >> words; touch told.out", "outputs": ["told.out"]}}
SECRET = "It's a Secret to Everybody"
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def pipeline(shop, assets=None, **triggers):
    shop.pipeline(assets or TOLD, params={"word": {"default": "none"}}, triggers=triggers)


def hook(scheme, secret="secrets/hook", **more):
    return {"webhook": {"scheme": scheme, "secret": {"from_file": secret}}, **more}


def body_of(document):
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def github(document, secret=SECRET, **headers):
    body = body_of(document)
    return body, {"Content-Type": "application/json", "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), **headers}


def standard(document, identity, secret=STANDARD, at=None):
    body, at = body_of(document), str(int(at if at is not None else time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    return body, {"Content-Type": "application/json", "webhook-id": identity, "webhook-timestamp": at, "webhook-signature": "v1," + signature}


def send(s, name, request, over=None):
    """(status, headers, document)"""
    connection = over or s.connection()
    connection.request("POST", f"/hooks/test/{name}", request[0], request[1])
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, json.loads(text)


def over_tcp(s):
    return http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)


def ended(s, number):
    equal(s.wait_for_end(number)["status"], "succeeded")


def a_command_is_told_of_its_events(shop):
    pipeline(shop, by_hand={"manual": {}, "params": {"word": "{{ body.word }}"}, "coalesce": "equal"}, nightly={"schedule": {"cron": "0 0 1 1 *"}})
    with Supervisor(shop) as s:
        body = '{"word": "one", "n": [1, 2.50]}'
        first = tell(shop, "notify", "by_hand", "--key", "k1", "--body", body, "--json").json()
        ended(s, first["run"])
        one, = json.loads(shop.read("seen.json"))["events"]
        equal((one["id"], one["trigger"], one["kind"], one["key"], one["nominal"], one["files"]), (first["event"], "test/by_hand", "manual", "k1", None, []))
        equal(one["payload"], {"word": "one", "n": [1, 2.5]})
        contains(shop.read("seen.json"), body) # as it came
        large = {"word": "two", "filler": "x" * 5000}
        second = tell(shop, "notify", "by_hand", "--body", json.dumps(large), "--json").json()
        ended(s, second["run"])
        one, = json.loads(shop.read("seen.json"))["events"]
        assert "payload" not in one, one
        with open(one["payload_file"], encoding="utf-8") as file:
            equal(json.load(file), large)
        equal(stat.S_IMODE(os.stat(one["payload_file"]).st_mode), 0o600)
        told = os.path.join(shop.path(".troupe/logs"), str(second["run"]), "events.json")
        equal(stat.S_IMODE(os.stat(told).st_mode), 0o600)
        user = s.wait_for_end(s.post("/api/v1/pipelines/test/runs", {"force": True})["number"])
        equal((user["status"], shop.read("named")), ("succeeded", "none\n"))
        for text in (shop.read("../log"), tell(shop, "journal", "dump").text, tell(shop, "events", "--json").text):
            assert "filler" not in text and "2.50" not in text, text
        s.stop()
    equal(shop.lines("words"), ["one", "two", "none"])


def events_that_join_a_run_are_all_told_also_after_a_kill(shop):
    gated = {"g": {"command": "cp $TROUPE_EVENT seen.$TROUPE_ATTEMPT; echo x >> began; until test -e go; do sleep 0.01; done; cat $TROUPE_EVENT >> seen; echo >> seen", "always": True}}
    shop.pipeline(gated, triggers={"by_hand": {"manual": {}}})
    with Supervisor(shop) as s:
        first = tell(shop, "notify", "by_hand", "--body", '{"n": 1}', "--json").json()
        shop.wait_for_file("began")
        waits = [tell(shop, "notify", "by_hand", "--body", json.dumps({"n": n}), "--json").json() for n in (2, 3, 4)]
        equal([one["fate"] for one in waits], ["pending", "coalesced", "coalesced"])
        s.process.kill()
        s.process.wait(60)
    with Supervisor(shop) as s: # it has ended what was left running
        shop.write("go", "")
        ended(s, waits[0]["run"])
        ended(s, first["run"]) # resumed, with its own again
        seen = [[one["payload"]["n"] for one in json.loads(line)["events"]] for line in shop.lines("seen") if line]
        equal(seen, [[1], [2, 3, 4]])
        s.stop()


def github_signs_and_pings(shop):
    shop.write("secrets/hook", SECRET + "\n", 0o600)
    pipeline(shop, push=hook("github", when={"body.ref": ["refs/heads/main"]}, params={"word": "{{ body.after }}"}))
    with Supervisor(shop, "--listen", "127.0.0.1:0") as s:
        main_branch = {"ref": "refs/heads/main", "after": "abc123"}
        # The example of GitHub's own documentation.
        vector = b"Hello, World!", {"Content-Type": "application/json", "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
        equal(send(s, "push", vector)[0], 400) # it is signed, and no JSON
        equal(send(s, "push", (vector[0] + b"!", vector[1]))[0], 401)
        equal(send(s, "push", github({"zen": "x"}, **{"X-GitHub-Event": "ping"}))[::2], (200, {"event": None, "fate": "ping", "run": None, "duplicate_of": None}))
        status, _, taken = send(s, "push", github(main_branch, **{"X-GitHub-Delivery": "d-1"}), over_tcp(s))
        equal((status, taken["fate"], taken["duplicate_of"]), (202, "pending", None))
        ended(s, taken["run"])
        status, headers, again = send(s, "push", github(main_branch, **{"X-GitHub-Delivery": "d-1"}), over_tcp(s))
        equal((status, headers["Idempotent-Replay"], again["event"], again["duplicate_of"], again["run"]), (200, "true", taken["event"], taken["event"], taken["run"]))
        equal(send(s, "push", github({**main_branch, "after": "other"}, **{"X-GitHub-Delivery": "d-1"}))[::2][0], 422)
        equal(send(s, "push", github({"ref": "refs/heads/other", "after": "x"}))[2]["fate"], "filtered")
        form = b"payload=" + json.dumps(main_branch).replace(" ", "+").replace("{", "%7B").encode()
        signed = github(form)
        equal(send(s, "push", (form, {**signed[1], "Content-Type": "application/x-www-form-urlencoded"}))[0], 202)
        wrong = [(signed[0], {}), (form, {"X-Hub-Signature": "sha1=" + hmac.new(SECRET.encode(), form, hashlib.sha1).hexdigest()})]
        for request in wrong:
            status, _, problem = send(s, "push", request)
            equal((status, problem["code"], problem["detail"]), (401, "bad_signature", "the request is not signed as this webhook asks for"))
        equal(send(s, "push", (github(b"x")[0], {**github(b"x")[1], "Content-Type": "text/plain"}))[0], 415)
        equal(send(s, "push", github({**main_branch, "after": "a\nb"}))[::2][0], 422)
        equal(send(s, "nobody", github(main_branch))[0], 404)
        equal([one["fate"] for one in events(shop)], ["started", "duplicate", "rejected", "filtered", "started", "rejected"])
        contains(s.ask("GET", "/metrics")[2], 'troupe_hooks_refused_total{why="signature"} 3')
        # A secret that changes counts at once.
        shop.write("secrets/hook", "second-secret", 0o600)
        equal(send(s, "push", github(main_branch))[0], 401)
        equal(send(s, "push", github(main_branch, "second-secret"))[0], 202)
        os.chmod(shop.path("secrets/hook"), 0o606)
        equal(send(s, "push", github(main_branch, "second-secret"))[0], 503)
        contains(s.get("/api/v1/triggers/test/push")["degraded"], "chmod o-w")
        s.stop()
        for text in (shop.read("../log"), tell(shop, "journal", "dump").text, tell(shop, "events", "--json").text):
            assert SECRET not in text and "second-secret" not in text, text
    verify(shop)


def standard_webhooks_sign_id_time_and_body(shop):
    shop.write("secrets/old", "whsec_" + base64.b64encode(b"o" * 24).decode(), 0o600)
    shop.write("secrets/hook", STANDARD, 0o600)
    pipeline(shop, push={"webhook": {"scheme": "standard", "secret": [{"from_file": "secrets/old"}, {"from_file": "secrets/hook"}]}})
    with Supervisor(shop) as s:
        # The example of the specification: right, and long ago.
        vector = (b'{"test": 2432232314}', {"Content-Type": "application/json", "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
                                            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="})
        equal(send(s, "push", vector)[0], 401)
        equal(standard(vector[0], "msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330)[1]["webhook-signature"], vector[1]["webhook-signature"])
        good = standard({"n": 1}, "msg_1")
        status, _, taken = send(s, "push", good)
        equal((status, taken["fate"]), (202, "pending"))
        equal(send(s, "push", standard({"n": 1}, "msg_1", at=time.time() - 60))[::2][0], 200) # a second delivery has another time
        listed = dict(good[1], **{"webhook-id": "msg_2"})
        body, headers = standard({"n": 1}, "msg_2")
        headers["webhook-signature"] = "v1a,xxx v2,yyy v1,aaaa " + headers["webhook-signature"]
        equal(send(s, "push", (body, headers))[0], 202)
        equal(send(s, "push", standard({"n": 1}, "msg_3", "whsec_" + base64.b64encode(b"o" * 24).decode()))[0], 202)
        for bad in ((body, listed), standard({"n": 1}, "msg.4"), standard({"n": 1}, "msg_5", at=time.time() - 301), standard({"n": 1}, "msg_6", at=time.time() + 302),
                    (body + b" ", headers), (body, {**headers, "webhook-signature": ""}), (body, {**headers, "webhook-timestamp": "x"})):
            equal(send(s, "push", bad)[0], 401)
        s.stop()
    verify(shop)


def gitlab_and_generic_check_theirs(shop):
    shop.write("secrets/hook", SECRET, 0o600)
    generic = {"scheme": "generic", "secret": {"from_env": "HOOK_SECRET"}, "header": "X-Signature", "prefix": "v0=", "signed": "timestamp.body", "timestamp_header": "X-Time", "encoding": "base64"}
    pipeline(shop, lab=hook("gitlab"), any={"webhook": {**generic, "key": "body.id"}}, plain={"webhook": {**{k: generic[k] for k in ("scheme", "secret", "header")}, "key": "header.X-Id"}})
    os.environ["HOOK_SECRET"] = SECRET
    with Supervisor(shop) as s:
        json_type = {"Content-Type": "application/json"}
        equal(send(s, "lab", (b"{}", {**json_type, "X-Gitlab-Token": SECRET}))[0], 202)
        for token in (SECRET[:-1], SECRET + "x", ""):
            equal(send(s, "lab", (b"{}", {**json_type, "X-Gitlab-Token": token}))[0], 401)

        def generically(document, at=None):
            body, at = body_of(document), str(int(at or time.time()))
            return body, {**json_type, "X-Time": at, "X-Signature": "v0=" + openssl(at.encode() + b"." + body, "-binary", encode=base64.b64encode)}
        status, _, first = send(s, "any", generically({"id": "a1"}))
        equal(status, 202)
        equal(send(s, "any", generically({"id": "a1"}))[2]["duplicate_of"], first["event"])
        equal(send(s, "any", generically({"id": "a2"}, time.time() - 400))[0], 401)
        status, _, problem = send(s, "any", generically({"no": "id"}))
        equal((status, problem["code"]), (422, "refused_value"))
        body = b'{"n": 1}'
        signature = openssl(body)
        equal(send(s, "plain", (body, {**json_type, "X-Signature": signature.upper(), "X-Id": "1"}))[0], 202)
        equal(send(s, "plain", (body, {**json_type, "X-Signature": signature, "X-Id": "x" * 256}))[0], 400)
        equal(send(s, "plain", (body, {**json_type, "X-Signature": signature[:-2] + "00", "X-Id": "1"}))[0], 401)
        s.stop()
    verify(shop)


def openssl(text, *arguments, encode=None):
    """The HMAC that openssl makes of it."""
    try:
        done = subprocess.run(["openssl", "dgst", "-sha256", "-hmac", SECRET, *arguments], input=text, capture_output=True, check=True, timeout=60).stdout
    except FileNotFoundError:
        raise Skip("openssl is not installed") from None
    return encode(done).decode() if encode else done.decode().split()[-1]


def unsigned_webhooks_are_for_this_machine(shop):
    pipeline(shop, open={"webhook": {"scheme": "unsigned"}, "params": {"word": "{{ body.word }}"}, "allow": {"word": "[a-z]+"}})
    with Supervisor(shop, "--listen", "127.0.0.1:0") as s:
        json_type = {"Content-Type": "application/json"}
        equal(send(s, "open", (b'{"word": "a"}', json_type))[0], 202)
        equal(send(s, "open", (b'{"word": "a"}', json_type), over_tcp(s))[0], 202)
        for headers, status in (({"Content-Type": "text/plain"}, 415), ({}, 415), ({"Content-Type": "application/x-www-form-urlencoded"}, 415), ({**json_type, "Origin": "https://evil.example"}, 403),
                                ({**json_type, "Sec-Fetch-Site": "cross-site"}, 403), ({**json_type, "Host": "evil.example"}, 421)):
            equal(send(s, "open", (b'{"word": "a"}', headers))[0], status)
            equal(send(s, "open", (b'{"word": "a"}', headers), over_tcp(s))[0], status)
        known = len(events(shop))
        equal(send(s, "open", (b'{"word": "A"}', json_type))[0], 422)
        equal(len(events(shop)), known) # only counted
        contains(s.ask("GET", "/metrics")[2], 'troupe_hooks_refused_total{why="values"} 1')
        s.stop()
    with Supervisor(shop, "--listen", "127.0.0.1:0", "--host", "troupe.example.org") as s:
        contains(s.get("/readyz")["degraded"][0]["problem"], '"open"', "unsigned", "auth.hosts")
        equal(send(s, "open", (b'{"word": "a"}', json_type))[0], 404)
        s.stop()


def hostile_requests_harm_nobody(shop):
    shop.write("secrets/hook", SECRET, 0o600)
    pipeline(shop, push=hook("github", params={"word": "{{ body.word }}"}), off=hook("github", enabled=False))
    with Supervisor(shop, "--listen", "127.0.0.1:0") as s:
        equal(send(s, "off", github({}))[0], 404)
        for body in (b"", b"{", b"[1,]", b"\xff\xfe", b'{"word": "\xff"}', b"[" * 100_000, b'{"word": "a\\u0000b"}'):
            status = send(s, "push", github(body))[0]
            assert status in (400, 422), (body[:40], status)
        with socket.create_connection(("127.0.0.1", s.port)) as raw: # what is too large is not even read
            raw.sendall(f"POST /hooks/test/push HTTP/1.1\r\nHost: x\r\nContent-Length: {(1 << 20) + 1}\r\n\r\n".encode())
            equal(raw.recv(65536).split()[1], b"413")
        body, headers = github({"word": "a"})
        for twice in ("X-Hub-Signature-256", "Content-Type"):
            with socket.create_connection(("127.0.0.1", s.port)) as raw:
                head = "".join(f"{name}: {value}\r\n" for name, value in [*headers.items(), (twice, headers[twice])])
                raw.sendall(f"POST /hooks/test/push HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body)
                status = raw.recv(65536).split()[1]
                assert status in (b"401", b"415"), status
        for target in ("/hooks", "/hooks/", "/hooks/test", "/hooks/test/push/more", "/hooks/test/%2e%2e", "/hooks//push"):
            connection = s.connection()
            connection.request("POST", target, body, headers)
            assert connection.getresponse().status in (404, 401), target
        equal(s.ask("GET", "/hooks/test/push")[0], 405)
        equal([one["fate"] for one in events(shop)], ["rejected"]) # the NUL; what is no JSON is no event
        s.stop()
    verify(shop)


def no_value_of_a_request_becomes_shell(shop):
    shop.write("secrets/hook", SECRET, 0o600)
    pipeline(shop, {"a": {"command": "printf %s {{ params.word }} > got; cp $TROUPE_EVENT event.json", "always": True}}, push=hook("github", params={"word": "{{ body.word }}"}))
    with Supervisor(shop) as s:
        for word in ("$(touch stolen)", "`touch stolen`", "'; touch stolen; '", '"; touch stolen; "', "a && touch stolen", "x > stolen", "$HOME", "\\", "*", "~", "a b", "{{ params.word }}", "%s%n", "é\u202e"):
            status, _, taken = send(s, "push", github({"word": word}))
            equal(status, 202)
            ended(s, taken["run"])
            equal(shop.read("got"), word)
            equal(json.loads(shop.read("event.json"))["events"][0]["payload"], {"word": word})
        assert not shop.exists("stolen")
        equal(send(s, "push", github({"word": "-rf"}))[0], 422)
        s.stop()


def a_paused_webhook_counts_nothing_and_says_so(shop):
    shop.write("secrets/hook", SECRET, 0o600)
    pipeline(shop, push=hook("github"))
    with Supervisor(shop) as s:
        tell(shop, "triggers", "pause", "push")
        status, _, taken = send(s, "push", github({"n": 1}, **{"X-GitHub-Delivery": "d"}))
        equal((status, taken["fate"], taken["run"], taken["because"]), (200, "skipped", None, "the trigger is paused"))
        tell(shop, "triggers", "resume", "push")
        equal(send(s, "push", github({"n": 1}, **{"X-GitHub-Delivery": "d"}))[0], 202) # what did not count has used no key
        s.stop()


def a_full_queue_refuses_and_nothing_is_lost(shop):
    shop.write("secrets/hook", SECRET, 0o600)
    gated = {"g": {"command": "echo {{ params.word }} >> began; until test -e go; do sleep 0.01; done; touch g.out", "outputs": ["g.out"]}}
    pipeline(shop, gated, push=hook("github", params={"word": "{{ body.n }}"}, queue={"bound": 2, "keep": "all"}))
    with Supervisor(shop) as s:
        equal(send(s, "push", github({"n": 0}))[0], 202)
        shop.wait_for_file("began")
        answers = [send(s, "push", github({"n": n}, **{"X-GitHub-Delivery": f"d-{n}"})) for n in range(1, 5)]
        equal([one[0] for one in answers], [202, 202, 429, 429])
        assert int(answers[3][1]["Retry-After"]) > 0
        shop.write("go", "")
        ended(s, answers[1][2]["run"])
        equal(send(s, "push", github({"n": 3}, **{"X-GitHub-Delivery": "d-3"}))[0], 202) # it has used no key
        s.stop()
    equal(len([one for one in events(shop) if one["fate"] == "started"]) + len([one for one in events(shop) if one["fate"] in ("pending", "cancelled")]), 4)


def two_at_the_same_time_have_two_fates(shop):
    """argo-events#3326, dagster#32853: of events in quick succession one was handled."""
    shop.write("secrets/hook", SECRET, 0o600)
    pipeline(shop, push=hook("github", params={"word": "{{ body.n }}"}))
    with Supervisor(shop) as s, concurrent.futures.ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda n: send(s, "push", github({"n": n})), (1, 2)))
        equal([one[0] for one in both], [202, 202])
        for one in both:
            ended(s, one[2]["run"])
        equal(len({one[2]["event"] for one in both}), 2)
        s.stop()
    equal(sorted(shop.lines("words")), ["1", "2"])


def sixty_four_clients_with_the_same_keys_make_each_run_once(shop):
    shop.write("secrets/hook", STANDARD, 0o600)
    pipeline(shop, push=hook("standard", params={"word": "{{ body.n }}"}))
    with Supervisor(shop, "--listen", "127.0.0.1:0") as s, concurrent.futures.ThreadPoolExecutor(64) as pool:
        wanted = [n for n in range(16) for _ in range(4)]
        answers = list(pool.map(lambda n: (n, *send(s, "push", standard({"n": n}, f"msg_{n}"), over_tcp(s) if n % 2 else None)), wanted))
        firsts = {}
        for n, status, _, taken in answers:
            assert status in (200, 202), (n, status, taken)
            equal((firsts.setdefault(n, taken["event"]), firsts[n]), (taken["event"], taken["event"]))
        equal(sum(status == 202 for _, status, _, _ in answers), 16)
        equal(sum(headers["Idempotent-Replay"] == "true" for _, _, headers, _ in answers), 48)
        for n, _, _, taken in answers:
            ended(s, taken["run"])
        s.stop()
    equal(sorted(map(int, shop.lines("words"))), list(range(16)))
    verify(shop)


def kills_under_webhooks_with_keys_make_each_run_once(shop):
    """A sender repeats what was not acknowledged, as senders do; whenever the supervisor dies, each key has one run."""
    shop.write("secrets/hook", STANDARD, 0o600)
    pipeline(shop, {"a": {"command": "true", "always": True}}, push=hook("standard", params={"word": "{{ body.n }}"}))
    acknowledged = {}
    n = 0
    for round_ in range(8):
        with Supervisor(shop) as s:
            for step in range(8 + 5 * round_):
                if step == 7 + 5 * round_:
                    s.process.send_signal(signal.SIGKILL)
                try:
                    status, _, taken = send(s, "push", standard({"n": n}, f"msg_{n}"))
                except (OSError, http.client.HTTPException):
                    break # not acknowledged: the next round repeats it
                assert status in (200, 202), taken
                acknowledged[n] = taken
                n += 1
    with Supervisor(shop) as s:
        for again in range(n):
            _, _, taken = send(s, "push", standard({"n": again}, f"msg_{again}"))
            equal((taken["fate"], taken["event"], taken["run"]), ("duplicate", acknowledged[again]["event"], acknowledged[again]["run"]))
        assert n >= 100, n
        firsts = [one for one in events(shop) if one["fate"] != "duplicate"]
        keys = [one["key"] for one in firsts]
        equal(len(set(keys)), len(keys))
        equal(len({one["run"] for one in firsts}), len(firsts))
        assert {f"msg_{i}" for i in range(n)} <= set(keys)
        s.stop()
    verify(shop)


TESTS = [a_command_is_told_of_its_events, events_that_join_a_run_are_all_told_also_after_a_kill, github_signs_and_pings, standard_webhooks_sign_id_time_and_body, gitlab_and_generic_check_theirs,
         unsigned_webhooks_are_for_this_machine, hostile_requests_harm_nobody, no_value_of_a_request_becomes_shell, a_paused_webhook_counts_nothing_and_says_so, a_full_queue_refuses_and_nothing_is_lost,
         two_at_the_same_time_have_two_fates, sixty_four_clients_with_the_same_keys_make_each_run_once, kills_under_webhooks_with_keys_make_each_run_once]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
