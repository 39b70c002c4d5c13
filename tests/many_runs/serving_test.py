#!/usr/bin/env python3
"""An engine that stays up, from outside: runs submitted by the control socket, the queue in the verbs, followed events, kills, a full disk, thousands of small runs.
usage: serving_test.py TROUPE ENGINE_RUNS [NAME...] [--many N]     N: how many small runs; 10000 is the whole"""
import json
import os
import queue
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import Workshop, contains, equal, finish, main  # noqa: E402  pylint: disable=wrong-import-position

ENGINE_RUNS = ""
MANY = 200
GATED = {name: {"command": f"echo {name} >> started; until test -e go; do sleep 0.01; done"} for name in "abcd"}


class Engine:
    """The program, as a shop's engine; ended with the test."""

    def __init__(self, shop, *options, files=("troupe.json",)):
        self.shop = shop
        # The address sanitizer keeps what was freed, up to so much: memory is measured here.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4:thread_local_quarantine_size_kb=64"
        self.process = subprocess.Popen([ENGINE_RUNS, ".troupe", *options, *files], cwd=shop.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "ASAN_OPTIONS": sanitizer.lstrip(":")})
        self.said = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        equal(self.answer(), {"ready": True})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)

    def listen(self):
        for line in self.process.stdout:
            self.said.put(json.loads(line))

    def answer(self):
        return self.said.get(timeout=120)

    def order(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def ask(self, text):
        self.order(text)
        return self.answer()

    def quit(self):
        self.order("quit")
        equal(self.process.wait(120), 0)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)


class Client:
    """A connection to the control socket."""

    def __init__(self, shop):
        self.shop = shop
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(shop.path(".troupe/control.sock"))
        equal(self.ask({"type": "hello", "protocol": 1, "build": "test"})["type"], "hello")

    def send(self, message):
        text = json.dumps(message).encode()
        self.socket.sendall(struct.pack("<I", len(text)) + text)

    def bytes(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def take(self):
        return json.loads(self.bytes(struct.unpack("<I", self.bytes(4))[0]))

    def ask(self, message):
        self.send(message)
        return self.take()

    def submit(self, *selection, file="troupe.json", **more):
        return self.ask({"type": "submit", "file": self.shop.path(file), "selection": list(selection), **more})

    def end_of(self, run):
        return self.ask({"type": "wait", "run": run})["status"]

    def queued(self):
        return self.ask({"type": "list"})["queued"]


def statuses(shop):
    return {run["number"]: run["status"] for run in shop.troupe("runs", "--json", "-l", "0").must(0).json()["runs"]}


def runs_are_submitted_by_the_socket_and_shown_while_they_wait(shop):
    shop.pipeline(GATED)
    with Engine(shop, "--max-runs", "1") as engine:
        client = Client(shop)
        equal(client.submit("a", cause="trigger", trigger="nightly"), {"type": "submitted", "run": 1, "queued": False})
        shop.wait_for_file("started")
        equal(client.submit("b", cause="trigger", trigger="nightly", priority=3), {"type": "submitted", "run": 2, "queued": True})
        equal(client.submit("c", cause="program"), {"type": "submitted", "run": 3, "queued": True})
        equal([(one["run"], one["priority"], one["reason"]) for one in client.queued()], [(2, 3, "max_runs: 1 run is live"), (3, 0, "max_runs: 1 run is live")])
        equal(client.ask({"type": "prioritize", "run": 3, "priority": 9}), {"type": "prioritized", "run": 3})
        equal([one["run"] for one in client.queued()], [3, 2])
        equal(client.ask({"type": "prioritize", "run": 1, "priority": 9})["code"], "not_found")
        equal(statuses(shop), {1: "running", 2: "queued", 3: "queued"})
        document = shop.troupe("show", "2", "--json").must(0).json()
        equal((document["status"], document["cause"]["kind"], document["started_at"]), ("queued", "trigger", None))
        contains(shop.troupe("show", "2").must(0).text, "queued")
        contains(shop.troupe("runs").must(0).text, "queued")
        done = shop.troupe("cancel", "2", "--json").must(0).json()
        equal((done["number"], done["status"], done["started_at"]), (2, "cancelled", None))
        equal(client.end_of(2), "cancelled")
        contains(shop.troupe("cancel", "2").must(2).errors, "run #2 is not live")
        equal(client.submit("nobody")["code"], "invalid_input")
        equal(client.submit(file="none.json")["code"], "invalid_input")
        equal(client.ask({"type": "submit", "file": "troupe.json"})["code"], "bad_message")     # of another folder than ours
        client = Client(shop)
        shop.write("go", "")
        equal([client.end_of(1), client.end_of(3)], ["succeeded", "succeeded"])
        equal(shop.lines("started"), ["a", "c"])
        engine.quit()
    equal(shop.troupe("journal", "verify", "--json").must(0).json()["problems"], [])


def events_are_followed_as_the_journal_has_them(shop):
    shop.pipeline({"a": {"command": "true"}, "b": {"command": "true", "deps": ["a"]}})
    with Engine(shop) as engine:
        early, client = Client(shop), Client(shop)
        equal(early.ask({"type": "follow", "from": 1})["type"], "following")
        first = client.submit("a", force=True)["run"]
        follower = Client(shop)
        follower.send({"type": "follow", "run": first, "from": 1})
        lines = []
        while (said := follower.take())["type"] != "ended":
            if said["type"] == "event":
                lines.append(json.loads(said["line"]))
        equal((said["run"], said["status"], lines[0]["type"], lines[-1]["type"]), (first, "succeeded", "run_started", "run_finished"))
        equal(follower.ask({"type": "list"})["type"], "runs")                # the connection goes on
        for _ in range(50):
            client.end_of(client.submit(force=True)["run"])
        dump = {event["seq"]: event for event in map(json.loads, shop.troupe("journal", "dump").must(0).text.splitlines())}
        got = {}
        while max(dump) not in got:
            said = early.take()
            got[said["seq"]] = json.loads(said["line"])
        equal(sorted(got), list(range(1, max(dump) + 1)))            # also those that retention has dropped since
        equal([got[seq] for seq in dump], list(dump.values()))
        late = Client(shop)
        equal(late.ask({"type": "follow"}), {"type": "following", "from": max(dump) + 1})
        run = client.submit("a", force=True)["run"]
        said = json.loads(late.take()["line"])
        equal((said["type"], said["seq"], said["run"]), ("run_started", max(dump) + 1, run))
        engine.quit()


def a_follower_that_reads_nothing_is_dropped(shop):
    """After ten seconds, and nobody else waits for it."""
    shop.pipeline({"a": {"matrix": {"n": [str(n) for n in range(200)]}, "command": "true {{ matrix.n }} " + "x" * 3000}})
    with Engine(shop) as engine:
        slow, client = Client(shop), Client(shop)
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.send({"type": "follow", "from": 1})
        for _ in range(8):
            equal(client.end_of(client.submit(force=True)["run"]), "succeeded")
        ended = select.poll()
        ended.register(slow.socket, select.POLLRDHUP)
        shop.wait_for(lambda: ended.poll(0), "the slow one is dropped")
        equal(client.ask({"type": "list"})["runs"], [])
        engine.quit()


def a_run_of_its_own_is_followed_and_takes_no_others(shop):
    shop.pipeline(GATED)
    run = shop.start("run", "a")
    shop.wait_for_file("started")
    client = Client(shop)
    contains(client.submit("b")["message"], "carries out one run and takes no others")
    client.send({"type": "follow", "run": 1, "from": 1})
    equal(client.take()["type"], "following")
    shop.write("go", "")
    types = []
    while (said := client.take())["type"] == "event":
        types.append(json.loads(said["line"])["type"])
    equal((types[0], types[-1], said["status"]), ("run_started", "run_finished", "succeeded"))
    finish(run).must(0)


def what_was_acknowledged_survives_a_kill(shop):
    shop.pipeline(GATED)
    with Engine(shop, "--max-runs", "1") as engine:
        client = Client(shop)
        runs = [client.submit(name, cause="trigger")["run"] for name in "abcd"]
        shop.wait_for_file("started")
        engine.kill()
    equal(statuses(shop), {1: "interrupted", 2: "queued", 3: "queued", 4: "queued"})
    shop.write("go", "")
    shop.troupe("run", "a").must(0)                       # it is alone, and leaves them alone
    equal(statuses(shop), {1: "interrupted", 2: "queued", 3: "queued", 4: "queued", 5: "succeeded"})
    equal(shop.troupe("cancel", "3").must(0).text, "run #3 cancelled: never started\n")   # nobody has the state
    shop.write("started", "")
    with Engine(shop, "--max-runs", "1") as engine:
        client = Client(shop)
        equal([client.end_of(run) for run in runs[1:]], ["succeeded", "cancelled", "succeeded"])
        engine.quit()
    equal(shop.lines("started"), ["b", "d"])              # in order
    equal(shop.troupe("journal", "verify", "--json").must(0).json()["problems"], [])


def nothing_acknowledged_is_lost_on_a_full_disk(shop):
    shop.pipeline(GATED)
    with Engine(shop, "--max-runs", "1") as engine:
        client = Client(shop)
        first = client.submit("a", cause="trigger")["run"]
        shop.wait_for_file("started")
        second = client.submit("b", cause="trigger")["run"]
        _, most = resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (1, most))
        equal(client.submit("c", cause="trigger")["code"], "unavailable")
        equal(client.end_of(first), "interrupted")
        contains(client.queued()[0]["reason"], "the state's journal cannot be written")
        equal(client.submit("c", cause="trigger")["code"], "unavailable")
        contains(shop.troupe("run", "d").must(3).errors, "in use by")       # the lock is kept
        shop.write("go", "")
        resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, most))
        equal(client.end_of(second), "succeeded")
        third = client.submit("c", cause="trigger")["run"]
        equal((third, client.end_of(third)), (second + 1, "succeeded"))
        engine.quit()
    equal(statuses(shop), {1: "succeeded", 2: "succeeded", 3: "succeeded"})
    equal(shop.troupe("journal", "verify", "--json").must(0).json()["problems"], [])


def without_descriptors_runs_fail_and_say_so_and_the_engine_goes_on(shop):
    shop.pipeline({name: {"command": ["true"]} for name in "abcdefgh"}, engine={"workers": 8})
    with Engine(shop) as engine:
        client = Client(shop)
        equal(client.end_of(client.submit(force=True)["run"]), "succeeded")
        before = resource.prlimit(engine.process.pid, resource.RLIMIT_NOFILE)
        for room in range(8):
            resource.prlimit(engine.process.pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{engine.process.pid}/fd")) + room, before[1]))
            said = client.submit(force=True)
            if said["type"] == "submitted":
                run = said["run"]
                if client.end_of(run) == "failed":
                    contains(shop.troupe("show", str(run)).must(0).text, "oo many open files")
            else:
                contains(said["message"], "oo many open files")
        resource.prlimit(engine.process.pid, resource.RLIMIT_NOFILE, before)
        equal(client.end_of(client.submit(force=True)["run"]), "succeeded")
        engine.quit()


def holdings(pid):
    """Descriptors, threads, children, and kilobytes of memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = file.read()
    children = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            children += file.read().split()
    return {"descriptors": len(os.listdir(f"/proc/{pid}/fd")), "threads": int(re.search(r"Threads:\s+(\d+)", status)[1]),
            "children": len(children), "kilobytes": int(re.search(r"VmRSS:\s+(\d+)", status)[1])}


def many_small_runs_leave_nothing_behind(shop):
    """Submitted far faster than they run: most wait."""
    shop.pipeline({"a": {"command": ["true"]}, "b": {"command": ["true"], "deps": ["a"]}}, engine={"workers": 4, "keep_runs": 50})
    with Engine(shop, "--max-runs", "6", "--live-runs", "8") as engine:
        client = Client(shop)
        seen = []
        rounds = 10
        for number in range(rounds):
            runs = [client.submit(force=True, cause=("trigger", "user", "program")[i % 3]) for i in range(MANY // rounds)]
            assert all(run["type"] == "submitted" for run in runs), [run for run in runs if run["type"] != "submitted"][0]
            equal({client.end_of(run["run"]) for run in runs[-60:]}, {"succeeded"})
            equal(engine.ask("idle"), {"idle": True})
            seen.append(holdings(engine.process.pid))
        for one in seen:
            print("   ", one)
        warm, last = seen[2], seen[-1]
        equal((last["children"], last["threads"] <= warm["threads"] + 2, last["descriptors"] <= warm["descriptors"] + 2), (0, True, True))
        assert last["kilobytes"] <= warm["kilobytes"] * 1.2 + 4096, seen
        engine.quit()
    assert set(statuses(shop).values()) == {"succeeded"}
    equal(shop.troupe("journal", "verify", "--json").must(0).json()["problems"], [])


if __name__ == "__main__":
    if "--many" in sys.argv:
        at = sys.argv.index("--many")
        MANY = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    ENGINE_RUNS = os.path.abspath(sys.argv.pop(2))
    sys.exit(main([runs_are_submitted_by_the_socket_and_shown_while_they_wait, events_are_followed_as_the_journal_has_them, a_follower_that_reads_nothing_is_dropped, a_run_of_its_own_is_followed_and_takes_no_others,
                   what_was_acknowledged_survives_a_kill, nothing_acknowledged_is_lost_on_a_full_disk,
                   without_descriptors_runs_fail_and_say_so_and_the_engine_goes_on, many_small_runs_leave_nothing_behind], sys.argv[1:]))
