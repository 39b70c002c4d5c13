#!/usr/bin/env python3
"""What the record says of a run: what each asset waited for, and the definitions that it was executed with.

usage: record_test.py TROUPE [TEST...]"""
import json
import sys

from harness import contains, equal, main

COUNT = {"command": "wc -l < in.txt > out.txt", "inputs": ["in.txt"], "outputs": ["out.txt"]}


def show(shop, run="latest"):
    return shop.troupe("show", run, "--json").must(0).json()


def waits_of(document, asset):
    return {one["for"]: one for one in document["assets"][asset]["waits"]}


def definition_of(document, asset):
    of = document["assets"][asset]["definition"]
    return None if of is None else document["definitions"][of]


def explained(shop, asset, *arguments):
    return shop.troupe("explain", asset, *arguments).must(0).text


def each_wait_is_recorded_with_its_cause(shop):
    shop.pipeline({"first": {"command": "sleep 0.3; echo 1 > first", "outputs": ["first"]},
                   "second": {"command": "cat first > second", "inputs": ["first"], "outputs": ["second"]},
                   "m": {"matrix": {"i": [1, 2]}, "command": "sleep 0.2; echo {{ matrix.i }} > {{ outputs }}", "outputs": ["m{{ matrix.i }}"], "pools": {"db": 1}},
                   "w": {"matrix": {"i": [1, 2, 3]}, "command": "sleep 0.2; echo {{ matrix.i }} > {{ outputs }}", "outputs": ["w{{ matrix.i }}"], "priority": -1}},
                  engine={"pools": {"db": 1}, "workers": 3})
    shop.run()
    document = show(shop)
    equal((waits_of(document, "second")["asset"]["name"], waits_of(document, "second")["asset"]["ms"] > 0), ("first", True))
    pools = [waits_of(document, asset).get("pool") for asset in ("m[1]", "m[2]")]
    equal([one["name"] for one in pools if one], ["db"])
    assert any("worker" in waits_of(document, f"w[{i}]") for i in (1, 2, 3)), document["assets"]["w[3]"]["waits"]
    equal(document["assets"]["second"]["waits"], document["assets"]["second"]["each_attempt"][0]["waits"])
    contains(explained(shop, "second", "--run", "1"), "for its upstream first, the last that it needed.")
    contains(explained(shop, "m[2]" if pools[1] else "m[1]", "--run", "1"), "for room in pool db.")
    shop.run()                                             # all fresh: nobody waited
    equal(show(shop)["assets"]["second"]["waits"], [])


def what_is_found_fresh_has_waited_too(shop):
    shop.write("in.txt", "a\n")
    shop.pipeline({"first": {"command": "sleep 0.2; wc -l < in.txt > first", "inputs": ["in.txt"], "outputs": ["first"]},
                   "second": {"command": "cat first > second", "inputs": ["first"], "outputs": ["second"]}})
    shop.run()
    shop.write("in.txt", "b\n")
    shop.run()
    document = show(shop)
    equal(document["assets"]["second"]["status"], "fresh")
    equal(waits_of(document, "second")["asset"]["name"], "first")


def a_changed_command_is_told_from_what_to_what(shop):
    shop.write("in.txt", "a b\n")
    shop.pipeline({"count": COUNT})
    shop.run()
    shop.pipeline({"count": {**COUNT, "command": "wc -w < in.txt > out.txt"}})
    reason = shop.plan()["assets"]["count"]["reasons"][0]
    equal((reason["kind"], reason["was"], reason["now"]), ("command_changed", "wc -l < in.txt > out.txt", "wc -w < in.txt > out.txt"))
    contains(shop.troupe("plan").must(0).text, "command changed: wc -l < in.txt > out.txt -> wc -w < in.txt > out.txt")
    contains(explained(shop, "count"), "It was `wc -l < in.txt > out.txt`, and is `wc -w < in.txt > out.txt`.")
    shop.run()
    contains(explained(shop, "count", "--run", "2"), "It had been `wc -l < in.txt > out.txt`, and was `wc -w < in.txt > out.txt`.")
    equal(definition_of(show(shop, "1"), "count")["command"], "wc -l < in.txt > out.txt")
    equal(definition_of(show(shop, "2"), "count")["command"], "wc -w < in.txt > out.txt")
    contains(shop.troupe("show", "1", "--definitions").must(0).text, "  command  wc -l < in.txt > out.txt")
    # Long texts are told line by line.
    lines = [f"echo {'x' * 60} {i}" for i in range(20)]
    shop.pipeline({"count": {**COUNT, "command": "\n".join(lines + ["wc -w < in.txt > out.txt"])}})
    shop.run()
    lines[7] = "echo another"
    shop.pipeline({"count": {**COUNT, "command": "\n".join(lines + ["wc -w < in.txt > out.txt"])}})
    contains(explained(shop, "count"), f"      - echo {'x' * 60} 7\n      + echo another\n")
    assert f"{'x' * 60} 8" not in explained(shop, "count")


def a_failure_keeps_the_definition_that_failed(shop):
    shop.write("in.txt", "a\n")
    shop.pipeline({"count": COUNT})
    shop.run()
    shop.pipeline({"count": {**COUNT, "command": "false"}})
    shop.run(status=1)
    shop.run(status=1)
    equal(definition_of(show(shop, "3"), "count")["command"], "false")
    shop.pipeline({"count": {**COUNT, "command": "true"}})
    reason = shop.plan()["assets"]["count"]["reasons"][0]
    equal((reason["was"], reason["now"]), (COUNT["command"], "true"))    # what it was made with, not what failed
    counts = [line for line in shop.troupe("journal", "dump").must(0).text.splitlines() if json.loads(line)["type"] == "definition_recorded"]
    equal(len(counts), 1)      # once, though it ran twice; that of the first run is part of the base


def secrets_are_there_by_name_alone(shop):
    shop.pipeline({"a": {"command": "echo {{ params.token }} > /dev/null; touch a", "outputs": ["a"],
                         "env": {"KEY": {"from_env": "THE_KEY"}, "PLAIN": {"from_env": "THE_PLAIN", "secret": False}}}},
                  params={"token": {"default": "", "secret": True}})
    values = {"THE_KEY": "key-4711-secret", "THE_PLAIN": "plain-value"}
    shop.run("--param", "token=param-4711-secret", env=values)
    document = show(shop)
    equal(definition_of(document, "a")["env"], {"KEY": {"from_env": "THE_KEY", "secret": True}, "PLAIN": {"from_env": "THE_PLAIN", "secret": False}})
    contains(definition_of(document, "a")["command"], "{{ params.token }}")
    with open(shop.path(".troupe/journal.mdb"), "rb") as file:
        journal = file.read()
    assert b"4711-secret" not in journal
    reasons = shop.troupe("plan", "--json", "--param", "token=param-4711-secret", env={**values, "THE_PLAIN": "another"}).must(0).json()["assets"]["a"]["reasons"]
    equal([(r["kind"], r["note"]) for r in reasons], [("env_changed", "it is declared as before; its value is another")])


def the_graph_of_a_past_run_is_its_own(shop):
    shop.write("in/1.txt", "1\n")
    one = {"matrix": {"i": [1, 2]}, "command": "cat {{ inputs }} > {{ outputs }}", "inputs": ["in/*.txt"], "outputs": ["out/{{ matrix.i }}"]}
    shop.pipeline({"one": one, "all": {"command": "touch all", "deps": ["one"], "outputs": ["all"]}})
    shop.run()
    shop.write("in/2.txt", "2\n")
    # The text is the same; it lists what the glob matches.
    equal(shop.reasons("one[1]")[1], [("input_added", "in/2.txt")])
    shop.pipeline({"one": {**one, "inputs": ["in/*.txt", "!in/2.txt"]}, "all": {"command": "touch all", "inputs": ["out/1"], "outputs": ["all"]}})
    shop.run()
    first, second = show(shop, "1"), show(shop, "2")
    equal((definition_of(first, "all")["deps"], definition_of(first, "all")["inputs"]), (["one"], []))
    equal((definition_of(second, "all")["deps"], definition_of(second, "all")["inputs"]), ([], ["out/1"]))
    equal(first["assets"]["one[1]"]["definition"], first["assets"]["one[2]"]["definition"])
    equal(definition_of(first, "one[1]")["outputs"], ["out/{{ matrix.i }}"])


def definitions_outlive_retention_and_upkeep(shop):
    shop.write("in.txt", "a\n")
    keeping = {"engine": {"keep_runs": 1}}
    for i in range(4):
        shop.pipeline({"count": {**COUNT, "command": f"echo {i}; wc -l < in.txt > out.txt"}, "still": {"command": "touch still", "outputs": ["still"]}}, **keeping)
        shop.run()
    for verb in (["compact"], ["rebuild"], ["rebuild", "--drop-history"]):
        shop.pipeline({"count": {**COUNT, "command": "true"}, "still": {"command": "touch still", "outputs": ["still"]}}, **keeping)
        reason = shop.plan()["assets"]["count"]["reasons"][0]
        equal((reason["was"], reason["now"]), ("echo 3; wc -l < in.txt > out.txt", "true"))
        if verb != ["rebuild", "--drop-history"]:
            equal(definition_of(show(shop), "count")["command"], "echo 3; wc -l < in.txt > out.txt")
            equal(definition_of(show(shop), "still")["command"], "touch still")
        shop.troupe("journal", *verb).must(0)
        equal(shop.troupe("journal", "verify", "--json").must(0).json()["problems"], [])
    equal(shop.plan()["assets"]["count"]["reasons"][0]["was"], "echo 3; wc -l < in.txt > out.txt")
    tables = shop.troupe("journal", "stats", "--json").must(0).json()["tables"]
    equal(tables["definitions"]["records"], 2)                           # those of the older texts are gone


def adopted_outputs_have_their_definition(shop):
    shop.write("out.txt", "1\n")
    shop.write("in.txt", "a\n")
    shop.pipeline({"count": COUNT})
    shop.troupe("adopt", "count", "--yes").must(0)
    shop.pipeline({"count": {**COUNT, "command": "true"}})
    equal(shop.plan()["assets"]["count"]["reasons"][0]["was"], COUNT["command"])   # adopted with its definition


TESTS = [each_wait_is_recorded_with_its_cause, what_is_found_fresh_has_waited_too, a_changed_command_is_told_from_what_to_what,
         a_failure_keeps_the_definition_that_failed, secrets_are_there_by_name_alone, the_graph_of_a_past_run_is_its_own,
         definitions_outlive_retention_and_upkeep, adopted_outputs_have_their_definition]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
