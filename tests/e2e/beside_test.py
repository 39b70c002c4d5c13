#!/usr/bin/env python3
"""Verbs beside a supervisor that has their state: run, resume and cancel are done by it. usage: beside_test.py TROUPE [NAME...]"""
import json
import signal
import sys

from harness import contains, equal, finish, main
from serve_test import Supervisor

CHAIN = {"a": {"command": "echo $MARK >> ran; echo 1 > a.txt", "outputs": ["a.txt"]}, "b": {"command": "cat a.txt > b.txt", "inputs": ["a.txt"], "outputs": ["b.txt"]}}
GATED = {"g": {"command": "echo x >> started; until test -e go; do sleep 0.01; done"}}


def a_run_is_carried_out_by_the_supervisor_and_shown_as_without_it(shop):
    shop.pipeline(CHAIN)
    alone = shop.troupe("run", env={"MARK": "own"}).must(0)
    with Supervisor(shop) as s:
        ran = shop.troupe("run", "--force", env={"MARK": "the command's"}).must(0)
        contains(ran.errors, f"in the supervisor (pid {s.process.pid}, user ", "its environment)")
        equal(shop.lines("ran"), ["own", ""])   # the supervisor's environment counts, which has no MARK
        for line in ("a ", "b ", "2 succeeded"):
            contains(alone.text + ran.text, line)
        document = shop.troupe("run", "--json").must(0).json()
        equal({name: asset["status"] for name, asset in document["assets"].items()}, {"a": "fresh", "b": "fresh"})
        equal([run["cause"]["kind"] for run in s.get("/api/v1/runs")["runs"]], ["user"] * 3)
        assert s.get("/api/v1/runs/2")["cause"]["by"].startswith("uid "), s.get("/api/v1/runs/2")["cause"]
        s.stop()


def a_run_that_fails_fails_the_command(shop):
    shop.pipeline({"bad": {"command": "echo it broke; exit 3"}, "after": {"command": "true", "deps": ["bad"]}})
    with Supervisor(shop) as s:
        done = shop.troupe("run").must(1)
        contains(done.text, "bad", "it broke", "failed")
        contains(shop.troupe("run", "nobody").must(2).errors, "nobody")
        s.stop()


def control_c_cancels_and_a_killed_client_leaves_the_run(shop):
    shop.pipeline(GATED)
    with Supervisor(shop) as s:
        client = shop.start("run")
        shop.wait_for_file("started")
        client.send_signal(signal.SIGINT)
        finish(client).must(130)
        equal(s.get("/api/v1/runs/1")["status"], "cancelled")
        client = shop.start("run")
        shop.wait_for(lambda: len(shop.lines("started")) == 2, "it runs again")
        client.kill()
        finish(client)
        equal(s.get("/api/v1/runs/2")["status"], "running")
        shop.write("go", "")
        equal(s.wait_for_end(2)["status"], "succeeded")
        s.stop()


def a_detached_run_is_not_waited_for(shop):
    shop.pipeline(GATED)
    contains(shop.troupe("run", "--detach").must(3).errors, "needs a supervisor")
    with Supervisor(shop) as s:
        number = shop.troupe("run", "--detach", "--json").must(0).json()["number"]
        shop.wait_for_file("started")
        contains(shop.troupe("run", "--detach", "--force").must(0).text, "run #2")
        equal(s.get(f"/api/v1/runs/{number}")["status"], "running")
        contains(shop.troupe("cancel").must(2).errors, "several runs are live: #2, #1", "Name one")
        shop.troupe("cancel", "2").must(0)
        shop.troupe("cancel", str(number)).must(0)
        s.stop()


def the_file_as_it_is_now_counts(shop):
    shop.pipeline(CHAIN)
    shop.write("supervisor.json", json.dumps({"pipelines": ["troupe.json"], "auto_reload": False}))
    with Supervisor(shop) as s:
        shop.pipeline({**CHAIN, "c": {"command": "echo new > c.txt", "outputs": ["c.txt"]}})
        shop.troupe("run", "c").must(0)
        equal(shop.read("c.txt"), "new\n")
        shop.write("troupe.json", '{"name": "test", "assets": {"c": {"comand": "true"}}}')
        contains(shop.troupe("run").must(2).errors, "comand")
        equal(s.get("/readyz")["degraded"], [])   # the loaded version stays
        shop.pipeline(CHAIN, file="other.json", name="test")
        contains(shop.troupe("run", "-f", "other.json").must(3).errors, "does not serve")
        contains(shop.troupe("run", "-f", "-", stdin=shop.read("other.json")).must(3).errors, "standard input is none")
        s.stop()


def a_run_is_resumed_by_the_supervisor(shop):
    shop.pipeline({"a": {"command": "echo a >> ran; echo 1 > a.txt", "outputs": ["a.txt"]}, "b": {"command": "test -e ok", "deps": ["a"]}})
    with Supervisor(shop) as s:
        shop.troupe("run").must(1)
        shop.write("ok", "")
        contains(shop.troupe("resume").must(0).errors, f"in the supervisor (pid {s.process.pid}")
        equal(s.get("/api/v1/runs/1")["status"], "succeeded")
        equal(shop.lines("ran"), ["a"])
        s.stop()


def a_supervisor_that_stops_interrupts_what_is_watched(shop):
    shop.pipeline(GATED)
    with Supervisor(shop) as s:
        client = shop.start("run")
        shop.wait_for_file("started")
        s.stop()
    done = finish(client).must(1)
    contains(done.text, "interrupted")


TESTS = [a_run_is_carried_out_by_the_supervisor_and_shown_as_without_it, a_run_that_fails_fails_the_command, control_c_cancels_and_a_killed_client_leaves_the_run,
         a_detached_run_is_not_waited_for, the_file_as_it_is_now_counts, a_run_is_resumed_by_the_supervisor, a_supervisor_that_stops_interrupts_what_is_watched]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
