#!/usr/bin/env python3
"""Triggers that follow assets: each change counts once, whoever made it and whenever; what runs in a circle is paused. usage: asset_triggers_test.py TROUPE [NAME...]"""
import sys

import harness  # noqa: F401
from harness import contains, equal, main
from serve_test import Supervisor
from triggers_test import events, tell, verify

def copies(**pairs):
    return {to: {"command": f"cat {source} > {to}.out", "inputs": [source], "outputs": [f"{to}.out"]} for to, source in pairs.items()}


SHOP = {**copies(a="a.txt", b="b.txt"), "report": {"command": "cat a.out b.out > report.out; echo made >> reports", "inputs": ["a.out", "b.out"], "outputs": ["report.out"]}}


def shop_with(shop, assets=None, **triggers):
    shop.pipeline(assets or SHOP, triggers=triggers)
    shop.write("a.txt", "1")
    shop.write("b.txt", "1")


def run(supervisor, *selection):
    taken = supervisor.post("/api/v1/pipelines/test/runs", {"select": list(selection)})
    return supervisor.wait_for_end(taken["number"])


def fates(shop, trigger=None):
    return [one["fate"] for one in events(shop) if trigger in (None, one["trigger"])]


def settled(shop, count):
    shop.wait_for(lambda: len(fates(shop)) >= count and "pending" not in fates(shop), f"{count} events have a fate")
    equal(len(fates(shop)), count)


def kill(supervisor):
    supervisor.process.kill()
    supervisor.process.wait(60)


def a_change_fires_and_what_is_made_again_alike_does_not(shop):
    shop_with(shop, follow={"assets": {"any": ["a"]}, "select": ["report"]})
    with Supervisor(shop) as supervisor:
        made = run(supervisor, "a")
        settled(shop, 1)
        event, = events(shop)
        equal((event["kind"], event["fate"]), ("assets", "started"))
        caused = supervisor.wait_for_end(event["run"])
        equal((caused["cause"]["kind"], caused["cause"]["trigger"]), ("trigger", "follow"))
        assert caused["number"] > made["number"], (caused, made)
        supervisor.post("/api/v1/pipelines/test/runs", {"select": ["a"], "force": True})
        shop.wait_for(lambda: len(tell(shop, "runs", "--json").json()["runs"]) >= 3 and not tell(shop, "runs", "--json").json()["runs"][0]["finished_at"] is None, "it was made again")
        shop.write("a.txt", "2")
        run(supervisor, "a")
        settled(shop, 2) # not for the same bytes
        supervisor.stop()
    equal(len(shop.lines("reports")), 2)
    verify(shop)


def changes_without_a_supervisor_count_when_one_comes(shop):
    shop_with(shop, follow={"assets": {"any": ["a"]}, "select": ["report"]})
    tell(shop, "run", "a")
    with Supervisor(shop) as supervisor: # the trigger is seen for the first time: what was before does not count
        equal(events(shop), [])
        kill(supervisor)
    shop.write("a.txt", "2")
    tell(shop, "run", "a")
    equal(events(shop), [])
    for _ in range(2):
        with Supervisor(shop) as supervisor:
            settled(shop, 1)
            supervisor.wait_for_end(events(shop)[0]["run"])
            kill(supervisor)
    equal(len(shop.lines("reports")), 1)
    verify(shop)
    tell(shop, "journal", "rebuild")
    verify(shop)


def changes_during_a_run_become_one_more_run_that_lists_them(shop):
    slow = {**copies(a="a.txt"), "slow": {"command": "echo x >> began; until test -e go; do sleep 0.01; done; cat b.txt > slow.out", "inputs": ["b.txt"], "outputs": ["slow.out"]}}
    shop_with(shop, slow, follow={"assets": {"any": ["a"]}, "select": ["slow"]})
    with Supervisor(shop) as supervisor:
        run(supervisor, "a")
        shop.wait_for_file("began")
        for count in (2, 3, 4):
            shop.write("a.txt", str(count))
            run(supervisor, "a")
            shop.wait_for(lambda: len(events(shop)) == count, "the change is an event")  # noqa: B023
        shop.write("go", "")
        settled(shop, 4)
        equal(fates(shop), ["started", "started", "coalesced", "coalesced"])
        second = supervisor.wait_for_end(events(shop)[1]["run"])
        equal(second["cause"]["events"], [one["id"] for one in events(shop)[1:]])
        supervisor.stop()
    verify(shop)


def all_fires_when_each_has_changed_and_not_for_the_same_one_twice(shop):
    shop_with(shop, both={"assets": {"all": ["a", "b"]}, "select": ["report"]})
    with Supervisor(shop) as supervisor:
        run(supervisor, "a")
        shop.write("a.txt", "2")
        run(supervisor, "a")
        equal(events(shop), [])
        kill(supervisor)
    with Supervisor(shop) as supervisor:
        run(supervisor, "b") # the flag of a has survived
        settled(shop, 1)
        supervisor.wait_for_end(events(shop)[0]["run"])
        shop.write("b.txt", "2")
        run(supervisor, "b")
        equal(fates(shop), ["started"])
        supervisor.stop()
    equal(len(shop.lines("reports")), 1)
    verify(shop)


def what_fails_does_not_count_as_changed(shop):
    assets = {"a": {"command": "cat a.txt > a.out && test -e good", "inputs": ["a.txt"], "outputs": ["a.out"]}, **copies(b="b.txt")}
    shop_with(shop, assets, both={"assets": {"all": ["a", "b"]}, "select": ["b"]})
    with Supervisor(shop) as supervisor:
        run(supervisor, "a")
        run(supervisor, "b")
        equal(events(shop), [])
        shop.write("good", "")
        run(supervisor, "a")
        settled(shop, 1)
        supervisor.stop()
    verify(shop)


def an_asset_of_another_pipeline_is_followed(shop):
    shop.write("first.json", '{"name": "first", "assets": {"orders": {"command": "cat a.txt > orders.out", "inputs": ["a.txt"], "outputs": ["orders.out"]}}}')
    shop.write("second.json", '{"name": "second", "assets": {"sum": {"command": "cat orders.out > sum.out", "inputs": ["orders.out"], "outputs": ["sum.out"]}},'
                              ' "triggers": {"follow": {"assets": {"any": ["first/orders"]}}}}')
    shop.write("a.txt", "1")
    with Supervisor(shop, "--state", ".troupe", "first.json", "second.json") as supervisor:
        taken = supervisor.post("/api/v1/pipelines/first/runs")
        supervisor.wait_for_end(taken["number"])
        shop.wait_for_file("sum.out")
        kill(supervisor)
    equal(shop.read("sum.out"), "1")


def triggers_that_cause_each_other_are_paused_and_the_circle_is_shown(shop):
    assets = {name: {"command": f"echo {name} >> turns; wc -l < turns > {name}.out", "inputs": ["turns"], "outputs": [f"{name}.out"]} for name in ("x", "y")}
    shop.write("turns", "")
    shop.pipeline(assets, triggers={"to_y": {"assets": {"any": ["x"]}, "select": ["y"]}, "to_x": {"assets": {"any": ["y"]}, "select": ["x"]}})
    contains(tell(shop, "validate").text + tell(shop, "validate").errors, "in a circle")
    with Supervisor(shop) as supervisor:
        run(supervisor, "x")
        shop.wait_for(lambda: any(one["paused"] for one in supervisor.get("/api/v1/triggers")["triggers"].values()), "one of them is paused")
        paused, = [one for one in supervisor.get("/api/v1/triggers")["triggers"].values() if one["paused"]]
        contains(paused["paused"]["reason"], "test/to_y -> test/to_x -> test/to_y")
        supervisor.stop()
    equal(len(shop.lines("turns")) <= 8, True)
    verify(shop)


def its_own_changes_do_not_make_it_fire_again(shop):
    shop_with(shop, {"x": {"command": "echo >> turns; wc -l < turns > x.out", "inputs": ["a.txt"], "outputs": ["x.out"]}}, follow={"assets": {"any": ["x"]}})
    with Supervisor(shop) as supervisor:
        first = tell(shop, "triggers", "fire", "follow", "--json").json()
        supervisor.wait_for_end(first["run"])
        shop.write("a.txt", "2")
        run(supervisor, "x")
        settled(shop, 2)
        equal([one["kind"] for one in events(shop)], ["fire", "assets"])
        supervisor.stop()
    verify(shop)


TESTS = [a_change_fires_and_what_is_made_again_alike_does_not, changes_without_a_supervisor_count_when_one_comes,
         changes_during_a_run_become_one_more_run_that_lists_them, all_fires_when_each_has_changed_and_not_for_the_same_one_twice,
         what_fails_does_not_count_as_changed, an_asset_of_another_pipeline_is_followed, triggers_that_cause_each_other_are_paused_and_the_circle_is_shown,
         its_own_changes_do_not_make_it_fire_again]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
