#!/usr/bin/env python3
"""Pipelines whose history a supervisor elsewhere keeps: the entry in their folder, what is taken over, `release`, -f supervisor.json. usage: supervised_test.py TROUPE [NAME...]"""
import json
import os
import shutil
import sys

from harness import contains, equal, finish, main
from serve_test import Supervisor

MADE = {"made": {"command": "cat in.txt > out.txt; echo made >> count", "inputs": ["in.txt"], "outputs": ["out.txt"]},
        "after": {"command": "cat out.txt > after.txt", "inputs": ["out.txt"], "outputs": ["after.txt"]}}


def two_shops(shop, **supervisor):
    """etl/troupe.json and web/troupe.json, served by a supervisor.json above them with a state of its own."""
    for name in ("etl", "web"):
        os.makedirs(shop.path(name))
        shop.pipeline(MADE, name=name, file=f"{name}/troupe.json")
        shop.write(f"{name}/in.txt", name)
    shop.write("supervisor.json", json.dumps({"pipelines": ["*/troupe.json"], "state_dir": "state", "auto_reload": False, **supervisor}))


class Above(Supervisor):
    """One whose state is elsewhere."""

    def connection(self):
        connection = super().connection()
        connection.path = self.shop.path("state/supervisor.sock")
        return connection


def at(shop, folder, *words):
    return shop.troupe("-C", folder, *words)


def entries(shop, folder):
    path = shop.path(f"{folder}/.troupe/supervised.json")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)["pipelines"]


def statuses(shop, folder, *words):
    return {name: one["fresh"] for name, one in at(shop, folder, "status", "--json", *words).must(0).json()["assets"].items()}


def count(shop, folder):
    return shop.read(f"{folder}/count").count("made")


def what_is_true_is_taken_over_and_given_back(shop):
    two_shops(shop)
    at(shop, "etl", "run").must(0)
    own = at(shop, "etl", "journal", "stats", "--json").must(0).json()
    with Above(shop) as s:
        equal(list(entries(shop, "etl")), ["etl"])
        equal(os.path.samefile(entries(shop, "etl")["etl"]["state"], shop.path("state")), True)
        contains(s.said(), "took over what is true of 2 assets")
        assert shop.exists("etl/.troupe/journal.mdb.moved") and not shop.exists("etl/.troupe/journal.mdb")
        # What was fresh is fresh; what was never made is not.
        equal({name: one["fresh"] for name, one in s.get("/api/v1/pipelines/etl/assets")["assets"].items()}, {"made": True, "after": True})
        equal({name: one["fresh"] for name, one in s.get("/api/v1/pipelines/web/assets")["assets"].items()}, {"made": False, "after": False})
        # Commands in the folder find the supervisor.
        equal(statuses(shop, "etl"), {"made": True, "after": True})
        contains(at(shop, "etl", "run").must(0).errors, f"in the supervisor (pid {s.process.pid}")
        equal(count(shop, "etl"), 1)
        shop.write("etl/in.txt", "changed")
        at(shop, "etl", "run").must(0)
        equal((count(shop, "etl"), shop.read("etl/after.txt")), (2, "changed"))
        contains(at(shop, "etl", "release").must(3).errors, f"pid {s.process.pid}", "troupe reload")
        s.stop()
    # Without it they write its state themselves.
    equal(statuses(shop, "etl"), {"made": True, "after": True})
    shop.write("etl/in.txt", "again")
    at(shop, "etl", "run").must(0)
    equal(len([run for run in shop.troupe("runs", "--state", "state", "--json").must(0).json()["runs"] if run["pipeline"] == "etl"]), 3)
    # A second start takes nothing over again.
    with Above(shop) as s:
        equal(s.said().count("took over"), 1)
        s.stop()
    done = at(shop, "etl", "release", "etl").must(0)
    contains(done.text, "etl has its own state again", "2 assets", "earlier runs are there again")
    equal((entries(shop, "etl"), shop.exists("etl/.troupe/journal.mdb.moved")), ({}, False))
    equal(statuses(shop, "etl"), {"made": True, "after": True})
    equal([run["number"] for run in at(shop, "etl", "runs", "--json").must(0).json()["runs"]], [1])
    assert own
    for state in ("state", "etl/.troupe"):
        shop.troupe("journal", "verify", "--state", state).must(0)
    contains(at(shop, "etl", "release").must(2).errors, "nothing to release")


def a_crash_in_the_middle_of_it_does_no_harm(shop):
    two_shops(shop)
    at(shop, "etl", "run").must(0)
    with Above(shop) as s:
        s.stop()
    entry = shop.path("etl/.troupe/supervised.json")
    for step in ("before the journal is put aside", "before the entry is written"):
        os.rename(shop.path("etl/.troupe/journal.mdb.moved"), shop.path("etl/.troupe/journal.mdb"))
        if step == "before the entry is written":
            os.unlink(entry)
        with Above(shop) as s:
            equal(s.get("/readyz")["degraded"], [])
            equal({name: one["fresh"] for name, one in s.get("/api/v1/pipelines/etl/assets")["assets"].items()}, {"made": True, "after": True})
            s.stop()
        assert shop.exists("etl/.troupe/journal.mdb.moved") and not shop.exists("etl/.troupe/journal.mdb"), step
    equal(count(shop, "etl"), 1)
    shop.troupe("journal", "verify", "--state", "state").must(0)
    # Another journal that others of the folder began since is nobody's to put aside.
    shop.pipeline(MADE, name="mine", file="etl/mine.json")
    at(shop, "etl", "run", "-f", "mine.json").must(0)
    with Above(shop) as s:
        s.stop()
    equal(len(at(shop, "etl", "runs", "-f", "mine.json", "--json").must(0).json()["runs"]), 1)


def what_did_not_succeed_is_made_again(shop):
    two_shops(shop)
    shop.pipeline({**MADE, "after": {**MADE["after"], "command": "cat out.txt > after.txt; test ! -e broken"}}, name="etl", file="etl/troupe.json")
    at(shop, "etl", "run").must(0)
    shop.write("etl/broken", "")
    shop.write("etl/in.txt", "two")
    at(shop, "etl", "run").must(1)
    os.unlink(shop.path("etl/broken"))
    with Above(shop) as s:
        equal({name: one["fresh"] for name, one in s.get("/api/v1/pipelines/etl/assets")["assets"].items()}, {"made": True, "after": False})
        s.stop()


def a_copy_and_a_lost_state_are_refused(shop):
    two_shops(shop)
    with Above(shop) as s:
        s.stop()
    shutil.copytree(shop.path("etl"), shop.path("copy"))
    contains(at(shop, "copy", "run").must(3).errors, "a copy", "Remove the entry to start a history of its own")
    contains(at(shop, "etl", "run", "--state", "other").must(3).errors, "Leave out --state")
    contains(at(shop, "etl", "status", "--state", shop.path("other")).must(3).errors, "troupe release etl")
    equal(statuses(shop, "etl", "--state", shop.path("state")), {"made": False, "after": False})
    # Another name in the folder is nobody's but its own.
    shop.pipeline(MADE, name="mine", file="etl/mine.json")
    at(shop, "etl", "run", "-f", "mine.json").must(0)
    assert shop.exists("etl/.troupe/journal.mdb")
    os.rename(shop.path("state"), shop.path("gone"))
    contains(at(shop, "etl", "run").must(3).errors, "is gone")
    shop.troupe("-C", "web", "init", "--force")
    os.makedirs(shop.path("state"))
    shop.troupe("run", "-f", "etl/mine.json", "--state", "state").must(0)
    contains(at(shop, "etl", "plan").must(3).errors, "is another state now")
    with Above(shop) as s:
        contains(json.dumps(s.get("/readyz")["degraded"]), "has its history in another state")
        s.stop()
    shop.write("etl/.troupe/supervised.json", "{")
    contains(at(shop, "etl", "runs").must(3).errors, "is damaged")
    os.unlink(shop.path("etl/.troupe/supervised.json"))
    at(shop, "etl", "run").must(0)


def a_run_that_has_the_own_state_is_waited_for(shop):
    two_shops(shop)
    shop.pipeline({"made": {"command": "touch begun; until test -e go; do sleep 0.01; done; cat in.txt > out.txt", "inputs": ["in.txt"], "outputs": ["out.txt"]}}, name="etl", file="etl/troupe.json")
    run = shop.start("-C", "etl", "run")
    shop.wait_for(lambda: shop.exists("etl/begun"), "a run has the state")
    with Above(shop) as s:
        contains(s.get("/readyz")["degraded"][0]["problem"], f"process {run.pid}")
        equal(s.ask("POST", "/api/v1/pipelines/etl/runs", {})[0], 409)
        contains(shop.troupe("run", "-f", "supervisor.json", "--pipeline", "etl").must(2).errors, f"process {run.pid}")
        shop.write("etl/go", "")
        equal(finish(run).status, 0)
        shop.wait_for(lambda: not s.get("/readyz")["degraded"], "it is served")
        contains(s.said(), "took over what is true of 1 asset")
        equal(s.get("/api/v1/pipelines/etl/assets")["assets"]["made"]["fresh"], True)
        s.stop()


def another_supervisor_leaves_it_out(shop):
    two_shops(shop)
    with Above(shop) as s:
        s.stop()
    shop.write("other.json", json.dumps({"pipelines": ["etl/troupe.json"], "state_dir": "second", "auto_reload": False}))

    class Second(Supervisor):
        def connection(self):
            connection = super().connection()
            connection.path = self.shop.path("second/supervisor.sock")
            return connection
    with Second(shop, "-f", "other.json") as s:
        contains(s.get("/readyz")["degraded"][0]["problem"], "says that a supervisor has the pipeline")
        s.stop()


def its_own_state_needs_no_entry(shop):
    shop.pipeline(MADE)
    shop.write("in.txt", "1")
    shop.run()
    with Supervisor(shop) as s:
        equal(s.get("/api/v1/pipelines/test/assets")["assets"]["made"]["fresh"], True)
        s.stop()
    assert shop.exists(".troupe/journal.mdb") and not shop.exists(".troupe/supervised.json")


def verbs_take_a_supervisors_file(shop):
    two_shops(shop)
    contains(shop.troupe("status", "-f", "supervisor.json").must(2).errors, "name one with --pipeline", "etl", "web")
    contains(shop.troupe("status", "-f", "supervisor.json", "--pipeline", "none").must(2).errors, 'has no pipeline "none"')
    contains(shop.troupe("status", "-f", "etl/troupe.json", "--pipeline", "etl").must(2).errors, "--pipeline goes with")
    of_etl = ("-f", "supervisor.json", "--pipeline", "etl")
    shop.troupe("run", *of_etl).must(0)
    equal(shop.read("etl/after.txt"), "etl")
    with Above(shop) as s:
        contains(shop.troupe("run", *of_etl).must(0).errors, f"in the supervisor (pid {s.process.pid}")
        shop.write("etl/in.txt", "x")
        equal(shop.troupe("plan", *of_etl, "--json").must(0).json()["assets"]["made"]["action"], "run")
        contains(shop.troupe("explain", "made", *of_etl).must(0).text, "in.txt")
        equal([run["pipeline"] for run in shop.troupe("runs", "-f", "supervisor.json", "--json").must(0).json()["runs"]], ["etl", "etl"])
        equal(shop.troupe("queue", "-f", "supervisor.json", "--json").must(0).json()["queue"], [])
        equal(shop.troupe("events", "-f", "supervisor.json", "--json").must(0).json()["events"], [])
        shop.troupe("journal", "verify", "-f", "supervisor.json").must(0)
        contains(shop.troupe("show", "1", "-f", "supervisor.json").must(0).text, "etl")
        s.stop()


def the_supervisors_environment_is_asked_for(shop):
    shop.pipeline({"a": {"command": "printf %s \"$WHO\" > a.txt", "outputs": ["a.txt"], "env": {"WHO": {"from_env": "WHO", "secret": False}}}})
    with Supervisor(shop, env={"WHO": "supervisor"}) as s:
        s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])
        equal(shop.read("a.txt"), "supervisor")
        for words in (("status",), ("plan",), ("explain", "a")):
            done = shop.troupe(*words, env={"WHO": "me"}).must(0)
            contains(done.errors, f"with the environment of the supervisor (pid {s.process.pid}", "1 variable")
        equal(shop.troupe("status", "--json", env={"WHO": "me"}).must(0).json()["assets"]["a"]["fresh"], True)
        s.stop()
    equal(shop.troupe("status", "--json", env={"WHO": "me"}).must(0).json()["assets"]["a"]["fresh"], False)


def a_state_of_several_pipelines_stays_the_others(shop):
    two_shops(shop)
    shop.pipeline({"mine": {"command": "cat in.txt > mine.txt; echo made >> mine_count", "inputs": ["in.txt"], "outputs": ["mine.txt"]}}, name="mine", file="etl/mine.json")
    at(shop, "etl", "run").must(0)
    at(shop, "etl", "run", "-f", "mine.json").must(0)
    with Above(shop) as s:
        contains(s.said(), "with which the other pipelines of that state go on")
        equal({name: one["fresh"] for name, one in s.get("/api/v1/pipelines/etl/assets")["assets"].items()}, {"made": True, "after": True})
        equal(statuses(shop, "etl", "-f", "mine.json"), {"mine": True})
        at(shop, "etl", "run", "-f", "mine.json").must(0)
        s.stop()
    equal(shop.read("etl/mine_count"), "made\n")
    equal([run["pipeline"] for run in at(shop, "etl", "runs", "-f", "mine.json", "--json").must(0).json()["runs"]].count("mine"), 2)
    at(shop, "etl", "release").must(0)
    equal((statuses(shop, "etl"), count(shop, "etl")), ({"made": True, "after": True}, 1))


def an_earlier_history_that_was_put_aside_is_kept(shop):
    two_shops(shop)
    at(shop, "etl", "run").must(0)
    with Above(shop) as s:
        s.stop()
    first = os.path.getsize(shop.path("etl/.troupe/journal.mdb.moved"))
    shutil.rmtree(shop.path("state"))
    contains(at(shop, "etl", "run").must(3).errors, "supervised.json")
    os.unlink(shop.path("etl/.troupe/supervised.json"))
    at(shop, "etl", "run").must(0)
    with Above(shop) as s:
        s.stop()
    equal(os.path.getsize(shop.path("etl/.troupe/journal.mdb.moved.1")), first)
    assert shop.exists("etl/.troupe/journal.mdb.moved")


def what_failed_in_one_state_is_not_fresh_in_the_other(shop):
    os.makedirs(shop.path("etl"))
    load = {"load": {"command": "cat in.txt > table; test ! -e broken", "inputs": ["in.txt"]}}
    shop.pipeline(load, name="etl", file="etl/troupe.json")
    shop.write("etl/in.txt", "1")
    shop.write("supervisor.json", json.dumps({"pipelines": ["etl/troupe.json"], "state_dir": "state"}))
    at(shop, "etl", "run").must(0)
    with Above(shop) as s:
        s.stop()
    shop.write("etl/in.txt", "2")
    shop.write("etl/broken", "")
    at(shop, "etl", "run").must(1)
    os.unlink(shop.path("etl/broken"))
    shop.write("etl/in.txt", "1")
    at(shop, "etl", "release").must(0)
    equal(statuses(shop, "etl"), {"load": False})
    at(shop, "etl", "run").must(0)
    equal((shop.read("etl/table"), statuses(shop, "etl")), ("1", {"load": True}))
    at(shop, "etl", "journal", "verify").must(0)


def a_run_that_goes_on_is_not_released_from(shop):
    os.makedirs(shop.path("etl"))
    shop.pipeline({"slow": {"command": "echo x > began; until test -e go; do sleep 0.02; done"}}, name="etl", file="etl/troupe.json")
    shop.write("supervisor.json", json.dumps({"pipelines": ["etl/troupe.json"], "state_dir": "state"}))
    with Above(shop) as s:
        s.stop()
    run = shop.start("-C", "etl", "run")
    shop.wait_for_file("etl/began")
    contains(at(shop, "etl", "release").must(3).errors, "run #1", "still goes on", "wait for its end")
    shop.write("etl/go", "")
    finish(run).must(0)
    at(shop, "etl", "release").must(0)
    equal(statuses(shop, "etl"), {"slow": True})


TESTS = [a_state_of_several_pipelines_stays_the_others, an_earlier_history_that_was_put_aside_is_kept, what_failed_in_one_state_is_not_fresh_in_the_other, a_run_that_goes_on_is_not_released_from, a_run_that_has_the_own_state_is_waited_for, what_is_true_is_taken_over_and_given_back, a_crash_in_the_middle_of_it_does_no_harm, what_did_not_succeed_is_made_again, a_copy_and_a_lost_state_are_refused, another_supervisor_leaves_it_out,
         its_own_state_needs_no_entry, verbs_take_a_supervisors_file, the_supervisors_environment_is_asked_for]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
