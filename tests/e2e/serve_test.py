#!/usr/bin/env python3
"""`troupe serve` from outside: runs over HTTP, logs, the queue, the stream of the journal, tokens, hostile requests, kills. usage: serve_test.py TROUPE [NAME...]"""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import harness
from harness import contains, equal, main  # noqa: E402

TWO = {"a": {"command": "cat in.txt > a.txt; echo made a", "inputs": ["in.txt"], "outputs": ["a.txt"]},
       "b": {"command": "cat a.txt > b.txt; for i in $(seq 2500); do echo line $i; done", "inputs": ["a.txt"], "outputs": ["b.txt"]}}
GATED = {"g": {"command": "echo x >> started; until test -e go; do sleep 0.01; done"}}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Supervisor:
    """troupe serve in a shop; ended with the test."""

    def __init__(self, shop, *arguments, env=None):
        self.shop, self.port = shop, None
        self.log = open(os.path.join(shop.top, "log"), "ab")
        before = self.said().count("info: serving")
        self.process = subprocess.Popen([harness.TROUPE, "serve", *arguments], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env={**os.environ, **(env or {})})
        shop.wait_for(lambda: self.said().count("info: serving") > before or self.process.poll() is not None, "it serves")
        assert self.process.poll() is None, self.said()
        if "http://127.0.0.1:" in self.said():
            self.port = int(self.said().rsplit("http://127.0.0.1:", 1)[1].split()[0])

    def said(self):
        with open(os.path.join(self.shop.top, "log"), encoding="utf-8") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)
        self.log.close()

    def connection(self):
        return UnixConnection(self.shop.path(".troupe/supervisor.sock"))

    def ask(self, method, target, body=None, headers=None, over=None):
        """(status, headers, document or text)"""
        with_body = {} if body is None else {"Content-Type": "application/json"}
        connection = over or self.connection()
        connection.request(method, target, None if body is None else json.dumps(body), {**with_body, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        kind = answer.getheader("Content-Type") or ""
        connection.close()
        return answer.status, answer.headers, json.loads(text) if "json" in kind else text.decode(errors="replace")

    def get(self, target, status=200):
        got = self.ask("GET", target)
        assert got[0] == status, got
        return got[2]

    def post(self, target, body=None, status=202):
        got = self.ask("POST", target, body if body is not None else {})
        assert got[0] == status, got
        return got[2]

    def wait_for_end(self, number):
        self.shop.wait_for(lambda: self.get(f"/api/v1/runs/{number}")["status"] not in ("running", "queued"), f"run {number} has ended")
        return self.get(f"/api/v1/runs/{number}")

    def stop(self, status=0):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(60), status)


def two(shop):
    shop.write("in.txt", "1")
    shop.pipeline(TWO)


def a_run_is_started_watched_and_read(shop):
    two(shop)
    with Supervisor(shop) as s:
        started = s.post("/api/v1/pipelines/test/runs", {"select": ["b"]})
        run = s.wait_for_end(started["number"])
        equal(run["status"], "succeeded")
        equal(run["run"], started["run"])
        equal({name: asset["status"] for name, asset in run["assets"].items()}, {"a": "succeeded", "b": "succeeded"})
        log = s.get("/api/v1/runs/1/assets/b/attempts/1/log?from=2499&count=10")
        equal(log, {"format": 1, "lines": [{"n": 2499, "text": "line 2499"}, {"n": 2500, "text": "line 2500"}], "total": 2500})
        found = s.get("/api/v1/runs/1/assets/b/attempts/1/log?q=line%201&count=1")
        equal((found["matches"], found["lines"]), (1111, [{"n": 1, "text": "line 1"}]))
        equal(s.get("/api/v1/runs/1/assets/b/attempts/1/log?tail=1")["lines"], [{"n": 2500, "text": "line 2500"}])
        equal(s.ask("GET", "/api/v1/runs/1/assets/a/attempts/1/raw")[2], "made a\n")
        again = s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])
        equal({asset["status"] for asset in again["assets"].values()}, {"fresh"})
        equal(s.post("/api/v1/pipelines/test/plan", {"force": True}, 200)["assets"]["a"]["action"], "run")
        equal(s.get("/api/v1/pipelines/test/assets?select=a")["assets"]["a"]["fresh"], True)
        equal([node["status"] for node in s.get("/api/v1/pipelines/test/graph")["nodes"]], ["fresh", "fresh"])
        equal([run["number"] for run in s.get("/api/v1/runs?limit=1")["runs"]], [2])
        page = s.get("/api/v1/runs?limit=1")
        equal([run["number"] for run in s.get("/api/v1/runs?cursor=" + page["next"])["runs"]], [1])
        # The command line says the same of it.
        equal(shop.troupe("runs", "--json").must(0).json()["runs"][1]["number"], 1)
        s.stop()
    equal(shop.troupe("journal", "verify").must(0).status, 0)
    assert not shop.exists(".troupe/supervisor.sock")


def a_run_is_cancelled(shop):
    shop.pipeline(GATED)
    with Supervisor(shop) as s:
        number = s.post("/api/v1/pipelines/test/runs")["number"]
        shop.wait_for_file("started")
        s.post(f"/api/v1/runs/{number}/cancel")
        equal(s.wait_for_end(number)["status"], "cancelled")
        equal(s.ask("POST", f"/api/v1/runs/{number}/cancel", {})[0], 409)
        equal(s.ask("POST", "/api/v1/runs/99/cancel", {})[0], 404)
        s.stop()


def what_is_wrong_with_a_request_is_told(shop):
    two(shop)
    with Supervisor(shop) as s:
        for method, target, body, status, code in (
                ("GET", "/nothing", None, 404, "unknown_path"), ("DELETE", "/api/v1/runs", None, 405, "wrong_method"),
                ("GET", "/api/v1/runs/7", None, 404, "not_found"), ("GET", "/api/v1/pipelines/none", None, 404, "not_found"),
                ("POST", "/api/v1/pipelines/test/runs", {"select": ["nobody"]}, 422, "invalid_input"),
                ("POST", "/api/v1/pipelines/test/runs", {"selct": []}, 422, "invalid_input"),
                ("POST", "/api/v1/pipelines/test/runs", {"params": {"p": "1"}}, 422, "invalid_input"),
                ("GET", "/api/v1/runs?limit=x", None, 422, "invalid_input"), ("GET", "/api/v1/runs?limit=100000", None, 422, "invalid_input"),
                ("GET", "/api/v1/runs/../runs", None, 404, "unknown_path"), ("POST", "/api/v1/queue/7/priority", {"priority": 1}, 404, "not_found")):
            got = s.ask(method, target, body)
            equal((got[0], got[2]["code"]), (status, code))
            equal(got[1]["Content-Type"], "application/problem+json")
        equal(s.ask("POST", "/api/v1/pipelines/test/runs", headers={"Content-Type": "application/json"})[0], 202)
        for path in ("%2e%2e%2f%2e%2e%2fetc", "..", "a%00"):
            assert s.ask("GET", f"/api/v1/runs/1/assets/{path}/attempts/1/raw")[0] in (400, 404), path
        s.stop()


def over_tcp_only_a_token_opens(shop):
    two(shop)
    with Supervisor(shop, "--listen", "127.0.0.1:0") as s:
        def tcp(method, target, **headers):
            return s.ask(method, target, None, headers, over=http.client.HTTPConnection("127.0.0.1", s.port, timeout=60))
        equal(tcp("GET", "/healthz")[0], 200)
        equal(tcp("GET", "/api/v1/runs")[0], 401)
        equal(tcp("GET", "/nothing")[0], 401)   # what there is, is said to nobody
        owner = {"Authorization": "Bearer " + shop.read(".troupe/token").strip()}
        equal(os.stat(shop.path(".troupe/token")).st_mode & 0o777, 0o600)
        equal(tcp("GET", "/api/v1/runs", **owner)[0], 200)
        equal(tcp("POST", "/api/v1/pipelines/test/runs", **owner)[0], 202)
        reads = {"Authorization": "Bearer " + shop.troupe("token", "create", "grafana").must(0).text.strip()}
        equal(tcp("GET", "/metrics", **reads)[0], 200)
        equal(tcp("POST", "/api/v1/pipelines/test/runs", **reads)[0], 403)
        equal(tcp("GET", "/api/v1/runs", Host="evil.org", **owner)[0], 421)
        equal(tcp("POST", "/api/v1/pipelines/test/runs", Origin="http://evil.org", **owner)[0], 403)
        shop.troupe("token", "revoke", "grafana").must(0)
        equal(tcp("GET", "/metrics", **reads)[0], 401)
        contains(shop.troupe("token", "list").must(0).text, "no tokens")
        contents = b"".join(open(shop.path(".troupe/" + name), "rb").read() for name in ("journal.mdb",))
        assert owner["Authorization"][7:].encode() not in contents
        s.stop()


class Stream:
    """Server-sent events, read by a thread."""

    def __init__(self, supervisor, target="/api/v1/journal?from=1", **headers):
        self.connection = supervisor.connection()
        self.connection.request("GET", target, headers={"Accept": "text/event-stream", **headers})
        self.answer = self.connection.getresponse()
        equal(self.answer.status, 200)
        self.events, self.over = [], False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        event = {}
        try:
            for line in self.answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif event:
                    self.events.append(event)
                    event = {}
        except OSError:
            pass
        self.over = True

    def last_id(self):
        return max([int(event["id"]) for event in self.events if "id" in event], default=0)


def the_journal_is_followed_without_a_gap(shop):
    two(shop)
    with Supervisor(shop) as s:
        s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])
        seen = int(s.ask("GET", "/api/v1/runs")[1]["Troupe-Seq"])
        all_of_it, new_ones = Stream(s), Stream(s, "/api/v1/journal", **{"Last-Event-ID": str(seen)})
        for i in range(5):
            shop.write("in.txt", f"changed {i}")
            s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])
        last = int(s.ask("GET", "/api/v1/runs")[1]["Troupe-Seq"])
        for stream, first in ((all_of_it, 1), (new_ones, seen + 1)):
            shop.wait_for(lambda stream=stream: stream.last_id() >= last, "all events have come")
            equal(stream.events[0]["event"], "hello")
            ids = [int(event["id"]) for event in stream.events if "id" in event]
            equal(ids, list(range(ids[0], ids[0] + len(ids))))
            assert ids[0] >= first
            for event in stream.events[1:]:
                equal(json.loads(event["data"])["seq"], int(event["id"]))
                equal(json.loads(event["data"])["type"], event["event"])
        equal([e for e in new_ones.events if "id" in e][0]["id"], str(seen + 1))
        # A number that this history never had: the client is to begin anew.
        lost = Stream(s, "/api/v1/journal", **{"Last-Event-ID": "99999999"})
        shop.wait_for(lambda: len(lost.events) >= 2, "it is told")
        equal(lost.events[1]["event"], "reset")
        page = s.get("/api/v1/journal?from=1")
        equal(page["events"][-1]["seq"], page["last"])
        s.stop()   # ends streams first
        for stream in (all_of_it, new_ones, lost):
            stream.thread.join(60)
            assert stream.over


def streams_that_nobody_reads_cost_the_others_nothing(shop):
    shop.pipeline({f"n{i}": {"command": "true", "always": True} for i in range(200)})
    with Supervisor(shop) as s:
        deaf = [Stream.__new__(Stream) for _ in range(20)]
        for one in deaf:
            one.connection = s.connection()
            one.connection.request("GET", "/api/v1/journal?from=1", headers={"Accept": "text/event-stream"})
        hears = Stream(s)
        for _ in range(3):
            equal(s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])["status"], "succeeded")
        last = int(s.ask("GET", "/api/v1/runs")[1]["Troupe-Seq"])
        shop.wait_for(lambda: hears.last_id() >= last, "all events have come")
        s.stop()


def runs_wait_their_turn_and_survive_a_kill(shop):
    shop.pipeline(GATED)
    with Supervisor(shop) as s:
        first = s.post("/api/v1/pipelines/test/runs")["number"]
        shop.wait_for_file("started")
        others = [s.post("/api/v1/pipelines/test/runs", {"force": True})["number"] for _ in range(3)]
        equal(others, [first + 1, first + 2, first + 3])
        equal(s.get("/api/v1/queue")["format"], 1)
        s.process.kill()
        s.process.wait(60)
    shop.write("go", "")
    with Supervisor(shop) as s:
        for number in others:
            status = s.get(f"/api/v1/runs/{number}")["status"]
            assert status in ("interrupted", "queued", "running", "succeeded"), status
        equal(s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])["status"], "succeeded")
        s.stop()
    shop.troupe("journal", "verify").must(0)


def a_broken_pipeline_keeps_nobody_down_and_a_reload_mends_it(shop):
    two(shop)
    shop.write("other.json", "{\"name\": \"other\", \"assets\": {\"x\": {}")
    with Supervisor(shop, "--state", ".troupe", "troupe.json", "other.json") as s:
        ready = s.get("/readyz")
        equal((ready["ready"], [one["file"].rsplit("/", 1)[1] for one in ready["degraded"]]), (True, ["other.json"]))
        equal(s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])["status"], "succeeded")
        shop.pipeline({"x": {"command": "echo x > x.txt", "outputs": ["x.txt"]}}, name="other", file="other.json")
        s.process.send_signal(signal.SIGHUP)
        shop.wait_for(lambda: not s.get("/readyz")["degraded"], "it is loaded")
        equal(s.wait_for_end(s.post("/api/v1/pipelines/other/runs")["number"])["status"], "succeeded")
        # Broken again: it is known who is missing, and what is wrong.
        shop.write("other.json", "{")
        s.process.send_signal(signal.SIGHUP)
        shop.wait_for(lambda: s.get("/readyz")["degraded"], "it is left out")
        equal(s.get("/readyz")["degraded"][0]["pipeline"], "other")
        s.stop()


def bytes_that_are_no_requests_harm_nobody(shop):
    two(shop)
    with Supervisor(shop) as s:
        idle = []
        for text in (b"", b"GET", b"\x00" * 100, b"GET / HTTP/1.1\r\n", b"POST /api/v1/pipelines/test/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nContent-Type: application/json\r\n\r\n{"):
            for _ in range(20):
                client = socket.socket(socket.AF_UNIX)
                client.connect(shop.path(".troupe/supervisor.sock"))
                client.sendall(text)
                idle.append(client)
        for body in (b"[" * 100000, b"{\"select\": [" + b"\"a\"," * 10000, b"\xff\xfe", b"{}" * 1000):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(60)
            client.connect(shop.path(".troupe/supervisor.sock"))
            client.sendall(b"POST /api/v1/pipelines/test/runs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            contains(client.recv(1000).decode(), "422")
            client.close()
        equal(s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])["status"], "succeeded")
        for client in idle:
            client.close()
        s.stop()


def everything_that_is_documented_answers(shop):
    two(shop)
    shop.pipeline(TWO, triggers={"by_hand": {"manual": {}}, "hook": {"webhook": {"scheme": "unsigned"}}})
    with Supervisor(shop) as s:
        s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])
        document = s.get("/openapi.json")
        equal(document["openapi"], "3.1.0")
        values = {"pipeline": "test", "run": "1", "asset": "a", "attempt": "1", "event": "1", "trigger": "by_hand"}
        for path, operations in document["paths"].items():
            for name, value in {**values, "trigger": "hook" if path.startswith("/hooks/") else "by_hand"}.items():
                path = path.replace("{" + name + "}", value)
            assert "{" not in path, path
            for method, operation in operations.items():
                status, headers, _ = s.ask(method.upper(), path, {} if method == "post" else None)
                assert status != 404 or path == "/api/v1/queue/1/priority", (method, path, status)
                assert status < 500 and status != 405, (method, path, status)
                equal(headers["X-Content-Type-Options"], "nosniff")
        s.stop()


def a_second_supervisor_and_a_run_say_who_has_the_state(shop):
    two(shop)
    with Supervisor(shop) as s:
        contains(shop.troupe("serve", "--wait=0s").must(3).errors, "troupe serve", str(s.process.pid))
        contains(shop.troupe("run").must(0).errors, f"in the supervisor (pid {s.process.pid}")
        s.stop()
    shop.run()


def what_others_could_have_written_is_not_executed(shop):
    two(shop)
    with Supervisor(shop) as s:
        os.chmod(shop.path("troupe.json"), 0o646)
        contains(s.post("/api/v1/pipelines/test/runs", status=422)["detail"], "chmod o-w")
        os.chmod(shop.path("troupe.json"), 0o644)
        equal(s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])["status"], "succeeded")
        os.chmod(shop.path("troupe.json"), 0o646)
        s.process.send_signal(signal.SIGHUP)
        shop.wait_for(lambda: s.get("/readyz")["degraded"], "it is left out")
        contains(s.get("/readyz")["degraded"][0]["problem"], "chmod o-w")
        s.stop()


def mistakes_at_the_start_are_told(shop):
    contains(shop.troupe("serve").must(2).errors, "there is no", "troupe.json to serve", "troupe init")
    two(shop)
    contains(shop.troupe("serve", "nothing.json").must(2).errors, "nothing.json to serve")
    contains(shop.troupe("serve", "--listen", "nonsense").must(2).errors, "is no address to listen on")
    contains(shop.troupe("serve", "troupe.json", "troupe.json").must(2).errors, "--state")
    assert not shop.exists(".troupe/supervisor.sock")


def no_value_from_outside_leads_elsewhere(shop):
    """Over HTTP and by fire: neither a path out of the folder nor an option; what the shell would take for its own stays data."""
    shop.pipeline({"a": {"command": "printf %s {{ params.word }} > out/{{ params.name }}", "outputs": ["out/{{ params.name }}"]},
                   "b": {"command": ["true", "{{ params.word }}"], "always": True}},
                  params={"name": "x", "word": "w"}, triggers={"by_hand": {"manual": {}}})
    with Supervisor(shop) as s:
        for params in ({"name": "../../stolen"}, {"name": "/tmp/stolen"}, {"name": ".."}, {"name": "a/b"}, {"name": ""}, {"word": "-rf"}, {"word": "a\nb"}, {"word": "x" * 5000}):
            equal(s.ask("POST", "/api/v1/pipelines/test/runs", {"params": params})[0], 422)
            equal(s.ask("POST", "/api/v1/triggers/test/by_hand/fire", {"params": params})[0], 422)
        equal(s.get("/api/v1/runs")["runs"], [])
        equal(len([e for e in s.get("/api/v1/events")["events"] if e["fate"] == "rejected"]), 8)
        hostile = "$(touch stolen); `touch stolen` 'x' \"y\" > z"
        equal(s.wait_for_end(s.post("/api/v1/pipelines/test/runs", {"params": {"name": "good", "word": hostile}})["number"])["status"], "succeeded")
        equal(shop.read("out/good"), hostile)
        assert not shop.exists("stolen") and not shop.exists("z")
        s.stop()


def a_document_that_the_client_has_is_not_sent_again(shop):
    two(shop)
    with Supervisor(shop) as s:
        s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])
        for target in ("/api/v1/pipelines/test/assets", "/api/v1/pipelines/test/assets?select=a", "/api/v1/pipelines/test/assets/a", "/api/v1/pipelines/test/graph",
                       "/api/v1/runs", "/api/v1/runs/1", "/api/v1/queue", "/openapi.json", "/api/v1/journal?from=1"):
            status, headers, body = s.ask("GET", target)
            equal((status, headers["Cache-Control"]), (200, "private, no-cache"))
            again = s.ask("GET", target, headers={"If-None-Match": f'"other", W/{headers["ETag"]}'})
            equal((target, again[0], again[1]["ETag"], again[1]["Troupe-Seq"]), (target, 304, headers["ETag"], headers["Troupe-Seq"]))
            equal((again[2], s.ask("GET", target, headers={"If-None-Match": '"other"'})[0]), ("", 200))
        tag = s.ask("GET", "/api/v1/runs")[1]["ETag"]
        s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])
        equal(s.ask("GET", "/api/v1/runs", headers={"If-None-Match": tag})[0], 200)   # it has changed
        equal(s.ask("POST", "/api/v1/pipelines/test/runs", {}, {"If-None-Match": "*"})[0], 202)
        status, headers, _ = s.ask("GET", "/metrics")
        equal((headers["ETag"], headers["Cache-Control"]), (None, "no-store"))
        s.stop()


def assets_are_shown_as_of_the_last_look(shop):
    shop.pipeline({"part": {"matrix": {"n": [1, 2]}, "command": "cat in.txt > {{ matrix.n }}.txt", "inputs": ["in.txt"], "outputs": ["{{ matrix.n }}.txt"]}})
    shop.write("in.txt", "1")
    assets = "/api/v1/pipelines/test/assets"

    def fresh(document):
        return {name: one["fresh"] for name, one in document["assets"].items()}
    with Supervisor(shop) as s:
        s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])
        first = s.get(assets)
        equal(fresh(first), {"part[1]": True, "part[2]": True})
        shop.write("in.txt", "2")
        equal(s.get(assets), first)   # nobody has looked since
        now = s.get(assets + "?look=now")
        equal(fresh(now), {"part[1]": False, "part[2]": False})
        assert now["looked_at"] > first["looked_at"], (first, now)
        equal(s.get(assets), now)
        one = s.get(assets + "/part%5B2%5D")
        equal(one, {**now, "assets": {"part[2]": now["assets"]["part[2]"]}})
        equal(s.get(assets + "?select=part%5B2%5D"), one)
        shop.write("in.txt", "1")
        equal(fresh(s.get(assets + "/part%5B2%5D?look=now")), {"part[2]": True})
        equal([node["status"] for node in s.get("/api/v1/pipelines/test/graph")["nodes"]], ["fresh", "fresh"])
        # A run, and another pipeline file, are noticed without being asked.
        shop.write("in.txt", "3")
        s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])
        after = s.get(assets)
        equal((fresh(after), after["assets"]["part[1]"]["last"]["number"]), ({"part[1]": True, "part[2]": True}, 2))
        shop.pipeline({"part": {"command": "cat in.txt > 1.txt", "inputs": ["in.txt"], "outputs": ["1.txt"]}})
        equal(list(s.get(assets)["assets"]), ["part"])
        equal([s.ask("GET", assets + path)[0] for path in ("/part%5B2%5D", "?look=then", "?select=nobody")], [404, 422, 422])
        s.stop()


def who_connects_to_the_socket_is_the_runs_cause(shop):
    shop.pipeline(TWO, triggers={"by_hand": {"manual": {}}})
    shop.write("in.txt", "1")
    with Supervisor(shop) as s:
        user = f"uid {os.geteuid()}"
        equal(s.get(f"/api/v1/runs/{s.post('/api/v1/pipelines/test/runs')['number']}")["cause"]["by"], user)
        s.post("/api/v1/triggers/test/by_hand/pause", {"reason": "x"}, 200)
        told = [line for line in shop.troupe("journal", "dump").must(0).text.splitlines() if "trigger_paused" in line]
        equal(len(told), 1)
        contains(told[0], f'"by":"{user}"')
        s.stop()


TESTS = [a_document_that_the_client_has_is_not_sent_again, assets_are_shown_as_of_the_last_look, who_connects_to_the_socket_is_the_runs_cause, a_run_is_started_watched_and_read, a_run_is_cancelled, what_is_wrong_with_a_request_is_told, over_tcp_only_a_token_opens, the_journal_is_followed_without_a_gap,
         streams_that_nobody_reads_cost_the_others_nothing, runs_wait_their_turn_and_survive_a_kill, a_broken_pipeline_keeps_nobody_down_and_a_reload_mends_it,
         bytes_that_are_no_requests_harm_nobody, everything_that_is_documented_answers, a_second_supervisor_and_a_run_say_who_has_the_state, what_others_could_have_written_is_not_executed, mistakes_at_the_start_are_told,
         no_value_from_outside_leads_elsewhere]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
