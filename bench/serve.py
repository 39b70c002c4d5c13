#!/usr/bin/env python3
"""Speed of `troupe serve`: webhooks acknowledged on disk beside bare LMDB commits, from an event to its first process, an idle supervisor.
usage: serve.py --troupe TROUPE --client HOOK_CLIENT [--requests N] [--events N] [--idle SECONDS]"""
import argparse
import hashlib
import hmac
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

SECRET = "a secret of the bench"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Served:
    """A supervisor over a pipeline in a folder of its own."""

    def __init__(self, troupe, top, assets, triggers):
        self.folder = tempfile.mkdtemp(dir=top)
        self.path = os.path.join(self.folder, ".troupe/supervisor.sock")
        with open(os.path.join(self.folder, "secret"), "w", encoding="utf-8") as file:
            file.write(SECRET)
        with open(os.path.join(self.folder, "troupe.json"), "w", encoding="utf-8") as file:
            json.dump({"name": "bench", "assets": assets, "triggers": triggers}, file)
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen([troupe, "serve"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until = time.monotonic() + 60
        while not self.healthy():
            assert time.monotonic() < until and self.process.poll() is None, "the supervisor does not serve"
            time.sleep(0.02)

    def healthy(self):
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def ask(self, method, target, body=None, headers=None):
        connection = UnixConnection(self.path)
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def used(self):
        """Seconds of CPU time so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(60)
        self.log.close()


def signed(body):
    return {"Content-Type": "application/json", "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


HOOK = {"webhook": {"scheme": "github", "secret": {"from_file": "secret"}}}


def commits(client, top, count, size):
    folder = tempfile.mkdtemp(dir=top)
    return json.loads(subprocess.run([client, "lmdb", folder, str(count), str(size)], check=True, capture_output=True, timeout=600).stdout)


def acknowledged(troupe, client, top, clients, requests):
    """Each with a key of its own; a run that does not end keeps them from more than one other."""
    gate = {"g": {"command": "while ! test -e go; do sleep 0.1; done", "always": True}}
    with Served(troupe, top, gate, {"push": HOOK}) as s:
        s.ask("POST", "/hooks/bench/push", b"{}", signed(b"{}"))
        time.sleep(0.5)
        return json.loads(subprocess.run([client, "send", s.path, "/hooks/bench/push", SECRET, str(clients), str(requests), "1000"], check=True, capture_output=True, timeout=600).stdout)


def to_first_process(troupe, client, top, events, others):
    """From before a request is sent to the first line of its command; 50 ms apart, among many assets and triggers."""
    stamps = os.path.join(top, f"stamps-{others}")
    assets = {f"other{i}": {"command": "true", "outputs": [f"o/{i}"]} for i in range(others)}
    assets["a"] = {"command": [client, "stamp", stamps], "always": True}
    triggers = {f"t{i}": {"manual": {}} for i in range(others // 10)}
    took = []
    with Served(troupe, top, assets, {**triggers, "push": {**HOOK, "select": ["a"]}}) as s:
        for n in range(events + 5):
            body = json.dumps({"n": n}).encode()
            headers = signed(body)
            began = time.monotonic_ns()
            status, text = s.ask("POST", "/hooks/bench/push", body, headers)
            assert status == 202, text
            until = time.monotonic() + 30
            while lines(stamps) <= n:
                assert time.monotonic() < until, "its command has not run"
                time.sleep(0.001)
            with open(stamps, encoding="ascii") as file:
                took.append((int(file.read().split()[n]) - began) / 1e6)
            time.sleep(0.05)
    took = sorted(took[5:])
    return {"count": len(took), "p50_ms": statistics.median(took), "p99_ms": took[min(len(took) - 1, int(0.99 * len(took)))]}


def lines(name):
    try:
        with open(name, encoding="ascii") as file:
            return file.read().count("\n")
    except FileNotFoundError:
        return 0


def bare_spawn(client, top, count):
    stamps = os.path.join(top, "bare")
    took = []
    for n in range(count):
        began = time.monotonic_ns()
        subprocess.run([client, "stamp", stamps], check=True, timeout=60)
        with open(stamps, encoding="ascii") as file:
            took.append((int(file.read().split()[n]) - began) / 1e6)
    return {"p50_ms": statistics.median(took)}


def last_look(troupe, top, assets, times):
    """A status of so many assets as of the last look: the whole request, and what its CPU time is."""
    declared = {f"a{i}": {"command": "true", "outputs": [f"o/{i}"]} for i in range(assets)}
    with Served(troupe, top, declared, {}) as s:
        size = len(s.ask("GET", "/api/v1/pipelines/bench/assets")[1])   # the look
        took = []
        before = s.used()
        for _ in range(times):
            began = time.monotonic_ns()
            status, _ = s.ask("GET", "/api/v1/pipelines/bench/assets")
            took.append((time.monotonic_ns() - began) / 1e6)
            assert status == 200
        return {"p50_ms": statistics.median(took), "cpu_ms": 1000 * (s.used() - before) / times, "bytes": size}


def streams(troupe, top, clients, events):
    """All events of a history, to so many clients at a time; whether each got all of them in their order."""
    with Served(troupe, top, {"a": {"command": "true", "always": True}}, {"t": {"manual": {}}}) as s:
        last = 0
        while last < events:
            for _ in range(50):
                s.ask("POST", "/api/v1/triggers/bench/t/fire", b"{}", {"Content-Type": "application/json"})
            last = json.loads(s.ask("GET", "/api/v1/journal?from=1")[1])["last"]
        open_ones = []
        began = time.monotonic()
        for _ in range(clients):
            connection = UnixConnection(s.path)
            connection.request("GET", f"/api/v1/journal?from={last - events + 1}", headers={"Accept": "text/event-stream"})
            open_ones.append((connection, connection.getresponse()))
        first = last - events + 1
        for connection, answer in open_ones:
            wanted = first
            while wanted <= last:
                line = answer.readline().decode()
                assert line, "a stream has ended"
                if line.startswith("id: ") and (number := int(line[4:])) >= first:
                    assert number == wanted or (number == last and wanted == first), (number, wanted)
                    wanted += number == wanted
            connection.close()
        return {"seconds": time.monotonic() - began}


def idle(troupe, top, triggers, files, seconds):
    declared = {f"t{i}": {"schedule": {"cron": f"{i % 60} {i % 24} 1 1 *"}} if i % 2 else HOOK for i in range(triggers - 1)}
    folder = tempfile.mkdtemp(dir=top)
    for i in range(files):
        os.makedirs(os.path.join(folder, str(i // 100)), exist_ok=True)
        with open(os.path.join(folder, str(i // 100), f"{i}.csv"), "w", encoding="ascii") as file:
            file.write(str(i))
    declared["watch"] = {"watch": {"paths": [os.path.join(folder, "**/*.csv")]}}
    with Served(troupe, top, {"a": {"command": "true"}}, declared) as s:
        until = time.monotonic() + 120
        while f"troupe_watched_files {files}\n" not in s.ask("GET", "/metrics")[1].decode():
            assert time.monotonic() < until, "not all files are watched"
            time.sleep(0.5)
        time.sleep(3)
        before = s.used()
        time.sleep(seconds)
        spent = s.used() - before
        with open(f"/proc/{s.process.pid}/status", encoding="ascii") as file:
            rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        return {"cpu_percent": 100 * spent / seconds, "rss_mb": rss / 1024}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--troupe", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--idle", type=float, default=20)
    given = parser.parse_args()
    troupe, client = os.path.abspath(given.troupe), os.path.abspath(given.client)
    top = tempfile.mkdtemp(prefix="troupe-bench-", dir=".")
    top = os.path.abspath(top)
    try:
        bare = commits(client, top, given.requests, 1400)
        print(f"bare LMDB commit of 1,400 bytes: p50 {bare['p50_us'] / 1000:.2f} ms, p99 {bare['p99_us'] / 1000:.2f} ms")
        one = acknowledged(troupe, client, top, 1, given.requests)
        goal = 2 * bare["p50_us"] + 300
        print(f"webhook acknowledged, 1 client: p50 {one['p50_us'] / 1000:.2f} ms, p99 {one['p99_us'] / 1000:.2f} ms (to reach: p50 {goal / 1000:.2f} ms)")
        many = acknowledged(troupe, client, top, 64, 5 * given.requests)
        rate = many["count"] / many["seconds"]
        print(f"webhook acknowledged, 64 clients: {rate:.0f} a second, p50 {many['p50_us'] / 1000:.2f} ms, p99 {many['p99_us'] / 1000:.2f} ms (to reach: 5,000 a second); "
              f"{rate * bare['p50_us'] / 1e6:.1f} in the time of a bare commit")
        spawn = bare_spawn(client, top, 100)
        first = to_first_process(troupe, client, top, given.events, 1000)
        print(f"webhook to its first process, 1,001 assets, 101 triggers: p50 {first['p50_ms']:.2f} ms, p99 {first['p99_ms']:.2f} ms (to reach: 3 and 15); bare spawn p50 {spawn['p50_ms']:.2f} ms")
        look = last_look(troupe, top, 10_000, 50)
        print(f"status of 10,000 assets as of the last look, {look['bytes'] / 1e6:.1f} MB: p50 {look['p50_ms']:.1f} ms, {look['cpu_ms']:.1f} ms of CPU time (to reach: 20 ms)")
        stream = streams(troupe, top, 64, 10_000)
        print(f"64 clients of the stream, 10,000 events each: all complete and in order in {stream['seconds']:.1f} s")
        rest = idle(troupe, top, 1000, 10_000, given.idle)
        print(f"idle, 1,000 triggers, 10,000 watched files: {rest['cpu_percent']:.2f} % of a core, {rest['rss_mb']:.1f} MB (to reach: 0.5 %, 60 MB)")
    finally:
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
