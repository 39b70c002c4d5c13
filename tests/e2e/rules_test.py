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


def a_glob_that_leaves_out_folders_says_so(shop):
    for name in ("pkgs/one/f", "pkgs/two/f", "pkgs/README", "pkgs/made/f"):
        shop.write(name, "1\n")
    def reader(*inputs):
        shop.pipeline({"a": {"command": "cat pkgs/*/f > o", "inputs": list(inputs), "outputs": ["o"]},
                       "m": {"command": "mkdir -p pkgs/made; echo 1 > pkgs/made/f", "outputs": ["pkgs/made"]}})
        return told_of_folders("run", "--force", "a")
    def told_of_folders(*arguments):
        done = shop.troupe(*arguments).must(0)
        return [line for line in (done.text + done.errors).splitlines() if "folders_skipped" in line]
    told = reader("pkgs/*")                            # pkgs/made is an output, and counts as a whole
    equal(len(told), 1)
    contains(told[0], '"pkgs/*"', '"pkgs/one" and 1 more', '"pkgs/*/"', '"pkgs/**"', "folders_skipped")
    equal(len(told_of_folders("plan")), 1)
    equal(len(told_of_folders("run")), 1)
    contains(reader("pkgs/*", "pkgs/o*")[1], '"pkgs/o*/**"')
    equal(len(reader("pkgs/[ot]*", "!pkgs/one")), 1)
    for quiet in (["pkgs/**"], ["pkgs/*/"], ["pkgs/*/f"], ["pkgs/R*"], ["pkgs/*", "!pkgs/one", "!pkgs/two"], ["pkgs/one", "pkgs/R*"]):
        equal(reader(*quiet), [])


def a_slash_at_the_end_takes_folders_as_wholes(shop):
    for name in ("pkgs/one/deep/f", "pkgs/two/f", "pkgs/README"):
        shop.write(name, "1\n")
    shop.write("pkgs/.hidden/f", "")
    shop.pipeline({"a": {"command": ["sh", "-c", 'echo "$@" > o', "x", "{{ inputs }}"], "inputs": ["pkgs/*/"], "outputs": ["o"]}})
    shop.run()
    equal(shop.read("o"), "pkgs/one pkgs/two\n")
    shop.write("pkgs/README", "2\n")
    shop.write("pkgs/.hidden/f", "2\n")
    equal(shop.reasons("a"), ("fresh", []))
    shop.write("pkgs/one/deep/g", "2\n")
    equal(shop.reasons("a"), ("run", [("input_added", "pkgs/one/deep/g")]))
    shop.run()
    shop.write("pkgs/three/f", "2\n")
    equal(shop.reasons("a"), ("run", [("input_added", "pkgs/three")]))
    shop.run()
    equal(shop.read("o"), "pkgs/one pkgs/three pkgs/two\n")
    equal(shop.reasons("a"), ("fresh", []))


def what_is_made_in_such_a_folder_is_made_first(shop):
    shop.write("pkgs/one/by_hand", "1\n")
    def pipeline(text, *inputs):
        shop.pipeline({"a": {"command": "cat pkgs/one/* pkgs/two/* > o", "inputs": ["pkgs/*/", *inputs], "outputs": ["o"]},
                       "file": {"command": f"echo {text} > pkgs/one/made", "outputs": ["pkgs/one/made"]},
                       "folder": {"command": "mkdir -p pkgs/two; echo 2 > pkgs/two/f", "outputs": ["pkgs/two"]}})
    pipeline("1")
    equal(shop.plan()["order"][-1], "a")
    shop.run()
    equal(shop.read("o"), "1\n1\n2\n")
    equal(set(statuses(shop.run()).values()), {"fresh"})
    pipeline("3")
    equal(statuses(shop.run("a")), {"a": "succeeded", "file": "succeeded", "folder": "fresh"})
    equal(shop.read("o"), "1\n3\n2\n")
    pipeline("4", "!pkgs/one/made")                    # not its business any more
    equal(set(statuses(shop.run("a"))), {"a", "folder"})
    shop.run()
    equal(set(statuses(shop.run()).values()), {"fresh"})


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
         what_exclude_empties_is_a_mistake, a_glob_that_leaves_out_folders_says_so,
         a_slash_at_the_end_takes_folders_as_wholes, what_is_made_in_such_a_folder_is_made_first, the_order_of_variables_means_nothing,
         a_value_less_in_another_order, a_name_that_is_inserted_does_count]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
