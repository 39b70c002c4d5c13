#!/usr/bin/env python3
"""Rules that are easily taken for others: which asset starts next, what is tried again, what a selection leaves. Knows the program only.
usage: rules_test.py TROUPE [NAME...]"""
import sys

from harness import contains, equal, main, statuses

AND_SAYS_SO = "echo $TROUPE_ASSET >> order; "


def wait_for(name):
    return f"while [ ! -e {name} ]; do sleep 0.01; done"


def small_ones_do_not_starve_the_most_urgent(shop):
    # small[1] and small[2] hold the pool until `watch` runs, which is ready no sooner than big: from then on it is big's.
    shop.pipeline({"small": {"matrix": {"i": [1, 2, 3, 4, 5, 6]}, "command": AND_SAYS_SO + wait_for("go"), "pools": {"p": 1}},
                   "gate": {"command": wait_for("order"), "priority": 100},
                   "big": {"command": AND_SAYS_SO, "pools": {"p": 2}, "priority": 50, "deps": ["gate"]},
                   "watch": {"command": "touch go", "deps": ["gate"]}}, engine={"workers": 4, "pools": {"p": 2}})
    shop.run()
    order = shop.lines("order")
    equal((sorted(order[:2]), order[2], len(order)), (["small[1]", "small[2]"], "big", 7))


def an_asset_is_as_urgent_as_what_needs_it(shop):
    shop.pipeline({"plain": {"command": AND_SAYS_SO, "priority": 2}, "first": {"command": AND_SAYS_SO},
                   "second": {"command": AND_SAYS_SO, "deps": ["first"]},
                   "urgent": {"command": AND_SAYS_SO, "deps": ["second"], "priority": 9}}, engine={"workers": 1})
    shop.run()
    equal(shop.lines("order"), ["first", "second", "urgent", "plain"])
    shop.run("--force", "--exclude", "urgent")                   # not in this run: it lends nothing
    equal(shop.lines("order")[4:], ["plain", "first", "second"])


def timeouts_and_signals_are_tried_again(shop):
    def asset(command, **retry):
        return {"command": AND_SAYS_SO + command, "retry": {"attempts": 2, "delay": "1ms", **retry}, "timeout": "300ms", "allow_failure": True}
    shop.pipeline({"timeout": asset("sleep 600", on_exit_codes=[75]),
                   "timeout_without_list": asset("sleep 600"),
                   "no_timeout": asset("sleep 600", on_exit_codes=[75], on_timeout=False),
                   "no_timeout_without_list": asset("sleep 600", on_timeout=False),
                   "killed": {**asset("kill -KILL $$", on_exit_codes=[137]), "timeout": "60s"},
                   "terminated": {**asset("kill -TERM $$", on_exit_codes=[1, 143]), "timeout": "60s"},
                   "another_signal": {**asset("kill -HUP $$", on_exit_codes=[137]), "timeout": "60s"},
                   "as_a_shell_reports_it": {**asset("exit 137", on_exit_codes=[137]), "timeout": "60s"}})
    shop.run()
    tries = shop.lines("order")
    equal({name: tries.count(name) for name in set(tries)},
          {"timeout": 2, "timeout_without_list": 2, "no_timeout": 1, "no_timeout_without_list": 1, "killed": 2, "terminated": 2,
           "another_signal": 1, "as_a_shell_reports_it": 2})


def what_exclude_empties_is_a_mistake(shop):
    shop.pipeline({"a": {"command": "echo > a"}, "b": {"command": "true", "deps": ["a"]}})
    for verb in ("run", "plan"):
        for arguments in (["--only", "b", "--exclude", "b"], ["--exclude", "*"], ["b", "--exclude", "a", "-x", "b"], ["--force", "-x", "+b"]):
            done = shop.troupe(verb, *arguments).must(2)
            contains(done.errors, "--exclude", "leaves out every asset of")
    assert not shop.exists("a")
    equal(statuses(shop.run("b", "--exclude", "b")), {"a": "succeeded"})
    equal(statuses(shop.run("--exclude", "b")), {"a": "fresh"})


def matrix(order, command="echo {{ matrix.a }} {{ matrix.b }} > {{ outputs[0] }}; echo $TROUPE_ASSET", values=("x", "y")):
    # JSON objects have no order, the program that writes the file gives them one.
    return {"m": {"matrix": {variable: list(values) for variable in order}, "command": command, "outputs": ["out/{{ matrix.a }}.{{ matrix.b }}"]}}


def the_order_of_variables_means_nothing(shop):
    shop.pipeline(matrix("ab"))
    first = shop.run()
    equal(set(statuses(first)), {"m[x,x]", "m[x,y]", "m[y,x]", "m[y,y]"})
    with open(first["assets"]["m[x,y]"]["log"], encoding="utf-8") as log:
        equal(log.read(), "m[x,y]\n")
    shop.pipeline(matrix("ba"))
    equal({asset["action"] for asset in shop.plan()["assets"].values()}, {"fresh"})
    equal(set(statuses(shop.run()).values()), {"fresh"})
    # What was m[x,y] (a is x, b is y) is shown as m[y,x] now, in the history too, and has kept its log and its record.
    equal(shop.troupe("logs", "m[y,x]", "--run", "1").must(0).text, "m[x,y]\n")
    contains(shop.troupe("explain", "m[y,x]", "--run", "1").must(0).text, "m[y,x]")
    shop.write("out/x.y", "changed")
    equal(shop.reasons("m[y,x]"), ("run", [("output_modified", "out/x.y")]))
    equal(shop.reasons("m[x,y]"), ("fresh", []))
    equal(shop.run()["assets"]["m[y,x]"]["status"], "succeeded")
    equal(shop.read("out/x.y"), "x y\n")
    shop.pipeline(matrix("ab"))                        # and back, as another branch has it
    equal(set(statuses(shop.run()).values()), {"fresh"})
    equal(shop.troupe("logs", "m[x,y]", "--run", "3").must(0).text, "m[y,x]\n")


def a_value_less_in_another_order(shop):
    shop.pipeline(matrix("ab"))
    shop.run()
    shop.pipeline(matrix("ba", values=("y",)))
    equal(statuses(shop.run()), {"m[y,y]": "fresh"})
    shop.pipeline(matrix("ba"))
    equal(set(statuses(shop.run()).values()), {"fresh"})


def a_name_that_is_inserted_does_count(shop):
    shop.pipeline(matrix("ab", "echo {{ asset.name }} > {{ outputs[0] }}"))
    shop.run()
    shop.pipeline(matrix("ba", "echo {{ asset.name }} > {{ outputs[0] }}"))
    equal(statuses(shop.run()), {"m[x,x]": "fresh", "m[y,y]": "fresh", "m[x,y]": "succeeded", "m[y,x]": "succeeded"})
    equal((shop.read("out/x.y"), shop.read("out/y.x")), ("m[y,x]\n", "m[x,y]\n"))


TESTS = [small_ones_do_not_starve_the_most_urgent, an_asset_is_as_urgent_as_what_needs_it, timeouts_and_signals_are_tried_again,
         what_exclude_empties_is_a_mistake, the_order_of_variables_means_nothing, a_value_less_in_another_order,
         a_name_that_is_inserted_does_count]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
