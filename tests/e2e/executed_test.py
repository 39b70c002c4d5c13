#!/usr/bin/env python3
"""What would be executed decides: order of inputs, what globs match, paths under cwd and paths like options.
usage: executed_test.py TROUPE [NAME...]"""
import os
import shutil
import sys

from harness import contains, equal, main, statuses


def takers(inputs):
    """Assets that take their inputs by template, in every place there is."""
    return {
        "list": {"command": ["cp", "{{ inputs[0] }}", "{{ outputs[0] }}"], "inputs": inputs, "outputs": ["list.txt"]},
        "all": {"command": ["sort", "-m", "-o", "all.txt", "{{ inputs }}"], "inputs": inputs, "outputs": ["all.txt"]},
        "shell": {"command": "cat {{ inputs }} > {{ outputs }}", "inputs": inputs, "outputs": ["shell.txt"]},
        "quoted": {"command": "echo \"{{ inputs }}\" > quoted.txt", "inputs": inputs, "outputs": ["quoted.txt"]},
        "env": {"command": "echo $FIRST > env.txt", "env": {"FIRST": "{{ inputs[0] }}"}, "inputs": inputs, "outputs": ["env.txt"]},
        "self": {"command": "cat a b > self.txt", "inputs": inputs, "outputs": ["self.txt"]},
    }


def the_order_of_inputs_counts_where_they_are_inserted(shop):
    shop.write("a", "A\n")
    shop.write("b", "B\n")
    shop.pipeline(takers(["a", "b"]))
    shop.run()
    shop.pipeline(takers(["b", "a"]))
    for asset in ("list", "all", "shell", "quoted"):
        equal(shop.reasons(asset), ("run", [("command_changed", "")]))
    equal(shop.reasons("env"), ("run", [("env_changed", "FIRST")]))
    equal(shop.reasons("self"), ("fresh", []))
    shop.run()
    equal([shop.read(name) for name in ("list.txt", "shell.txt", "quoted.txt", "env.txt")], ["B\n", "B\nA\n", "b a\n", "b\n"])
    equal(set(statuses(shop.run()).values()), {"fresh"})


def a_glob_in_place_of_a_list_counts_by_what_it_inserts(shop):
    shop.write("a", "A\n")
    shop.write("b", "B\n")

    def with_inputs(*inputs):
        shop.pipeline({"c": {"command": "cat {{ inputs }} > c.txt", "inputs": list(inputs), "outputs": ["c.txt"]}})
    with_inputs("b", "a")
    shop.run()
    with_inputs("[ab]")
    equal(shop.reasons("c"), ("run", [("command_changed", "")]))
    shop.run()
    equal(shop.read("c.txt"), "A\nB\n")
    with_inputs("a", "b")                       # the same words as the glob's
    equal(shop.reasons("c"), ("fresh", []))
    with_inputs("[abc]")
    equal(shop.reasons("c"), ("fresh", []))
    shop.write("c", "C\n")                      # one file more: it is the reason, not the command that it changes
    equal(shop.reasons("c"), ("run", [("input_added", "c")]))


def templates_that_insert_the_same_are_the_same(shop):
    def with_command(command, **more):
        shop.pipeline({"a": {"command": command, "outputs": ["out.txt"], **more}}, params={"x": "it's", "half": "it"})
    with_command(["sh", "-c", "echo \"$0\" > out.txt", "{{ params.x }}"])
    shop.run()
    with_command(["sh", "-c", "echo \"$0\" > out.txt", "it's"])
    equal(shop.reasons("a"), ("fresh", []))
    with_command(["sh", "-c", "echo \"$0\" > {{ outputs[0] }}", "{{params.half}}'s"])
    equal(shop.reasons("a"), ("fresh", []))
    with_command(["sh", "-c", "echo \"$0\" > out.txt", "it"])
    equal(shop.reasons("a"), ("run", [("command_changed", "")]))


def a_param_counts_by_what_it_changes(shop):
    assets = {"a": {"command": ["sh", "-c", "echo $0 $V > a.txt", "{{ params.x }}{{ params.y }}"], "env": {"V": "{{ params.z }}"}, "outputs": ["a.txt"]}}
    shop.pipeline(assets, params={"x": "ab", "y": "c", "z": "1"})
    shop.run()
    equal(shop.reasons("a", "--param", "x=a", "--param", "y=bc"), ("fresh", []))
    equal(shop.reasons("a", "--param", "x=a"), ("run", [("param_changed", "x")]))
    equal(shop.reasons("a", "--param", "z=2"), ("run", [("param_changed", "z")]))
    assets["a"]["env"]["W"] = "1"
    shop.pipeline(assets, params={"x": "ab", "y": "c", "z": "2"})
    equal(shop.reasons("a"), ("run", [("env_changed", "W"), ("param_changed", "z")]))


def the_run_and_its_id_never_count(shop):
    shop.pipeline({"a": {"command": "echo {{ run.id }} \"$ID\" > a.txt", "env": {"ID": "{{ run.id }}"}, "outputs": ["a.txt"]}})
    shop.run()
    equal(statuses(shop.run()), {"a": "fresh"})


def a_path_like_an_option_is_a_path(shop):
    shop.write("-n", "dash\n")
    shop.write("b", "other\n")
    shop.pipeline({
        "shell": {"command": "cat {{ inputs }} > o1", "inputs": ["-*", "b"], "outputs": ["o1"]},
        "list": {"command": ["sort", "-o", "o2", "{{ inputs }}"], "inputs": ["-*", "b"], "outputs": ["o2"]},
        "quoted": {"command": "cat \"{{ inputs[0] }}\" '{{ inputs[1] }}' > o3", "inputs": ["-n", "b"], "outputs": ["o3"]},
        "env": {"command": "cat $ALL > o4", "env": {"ALL": "{{ inputs }}"}, "inputs": ["b", "-n"], "outputs": ["o4"]},
        "variable": {"command": "f={{ inputs[0] }}; cat \"$f\" > o5", "inputs": ["-n"], "outputs": ["o5"]},
        "output": {"command": ["touch", "{{ outputs }}"], "outputs": ["-out"]},
        "under": {"command": "cat {{ inputs }} > ../o6", "cwd": "sub", "inputs": ["sub/-x"], "outputs": ["o6"]},
        "inside": {"command": "echo x{{ inputs[0] }} > o7", "inputs": ["-n"], "outputs": ["o7"]},
        "param": {"command": "echo {{ params.option }} x > o8", "outputs": ["o8"]},
    }, params={"option": "-n"})
    shop.write("sub/-x", "under\n")
    shop.run()
    equal([shop.read(f"o{n}") for n in range(1, 9)],
          ["dash\nother\n", "dash\nother\n", "dash\nother\n", "other\ndash\n", "dash\n", "under\n", "x-n\n", "x"])
    equal(shop.exists("-out"), True)
    equal(set(statuses(shop.run()).values()), {"fresh"})


def under_cwd_paths_lead_from_there(shop):
    shop.write("sub/in.txt", "2\n1\n")
    shop.write("top.txt", "top\n")
    shop.write("sub/h.txt", "h\n")
    shop.pipeline({
        "shell": {"command": "sort {{ inputs[0] }} > {{ outputs[0] }}", "cwd": "sub", "inputs": ["sub/in.txt"], "outputs": ["sub/out.txt"]},
        "list": {"command": ["cp", "{{ inputs }}", "{{ outputs }}"], "cwd": "./sub/", "inputs": ["top.txt"], "outputs": ["made/x.txt"]},
        "env": {"command": "cat $IN > \"$OUT\"", "cwd": "sub", "env": {"IN": "{{ inputs }}", "OUT": "{{ outputs[0] }}"},
                "inputs": ["sub/in.txt", "made/x.txt"], "outputs": ["env.txt"]},
        "glob": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "cwd": "sub", "inputs": ["*/i*.txt"], "outputs": ["sub/glob.txt"]},
        "folder": {"command": "ls {{ inputs[0] }} > {{ outputs[0] }}", "cwd": "sub", "inputs": ["sub"], "outputs": ["ls.txt"], "deps": ["glob", "shell"]},
        "reports": {"command": "printf '{\"inputs\": [\"h.txt\"]}' > $TROUPE_RESULT", "cwd": "sub"},
    })
    shop.run()
    equal([shop.read(name) for name in ("sub/out.txt", "made/x.txt", "env.txt", "sub/glob.txt")], ["1\n2\n", "top\n", "2\n1\ntop\n", "2\n1\n"])
    contains(shop.read("ls.txt"), "in.txt")
    equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.write("sub/h.txt", "other\n")          # reported relative to cwd, as ever
    equal(shop.reasons("reports"), ("run", [("input_changed", "sub/h.txt")]))


def under_cwd_through_a_link_paths_are_absolute_and_the_folder_may_move(shop):
    shop.write("in.txt", "in\n")
    shop.write("far/away/own.txt", "own\n")
    os.symlink("far/away", shop.path("link"))
    with open(os.path.join(shop.top, "outside.txt"), "w", encoding="ascii") as file:
        file.write("outside\n")
    shop.pipeline({
        "up": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "cwd": "link", "inputs": ["in.txt", "../outside.txt"], "outputs": ["up.txt"]},
        "down": {"command": "echo {{ inputs[0] }} > {{ outputs[0] }}", "cwd": "link", "inputs": ["link/own.txt"], "outputs": ["down.txt"]},
        "made": {"command": "mkdir -p real/deep && ln -sfn real/deep late", "outputs": ["late"]},
        "late": {"command": "cat {{ inputs[0] }} > {{ outputs[0] }}", "cwd": "late", "inputs": ["in.txt"], "outputs": ["late.txt"], "deps": ["made"]},
    })
    shop.run()
    equal([shop.read(name) for name in ("up.txt", "down.txt", "late.txt")], ["in\noutside\n", "own.txt\n", "in\n"])
    equal(set(statuses(shop.run()).values()), {"fresh"})
    moved = os.path.join(shop.top, "moved")
    shutil.move(shop.folder, moved)
    shop.folder = moved
    equal({name: entry["action"] for name, entry in shop.plan()["assets"].items()}, {"up": "fresh", "down": "fresh", "made": "fresh", "late": "fresh"})
    os.unlink(shop.path("link"))                # now `..` leads where its text says: another path is passed
    shop.write("link/own.txt", "own\n")
    action, reasons = shop.reasons("up")
    equal((action, reasons), ("run", [("command_changed", "")]))


def a_step_up_before_a_path_under_cwd_is_refused(shop):
    shop.write("sub/in.txt", "1\n")
    for command, env in (("cat ../{{ inputs[0] }}", {}), (["cat", "../{{ inputs[0] }}"], {}), ("cat \"$F\"", {"F": "../{{ inputs[0] }}"}),
                         ("cat '../'{{ inputs[0] }}", {}), ("cat {{ params.up }}/{{ inputs[0] }}", {})):
        shop.pipeline({"a": {"command": command, "cwd": "sub", "env": env, "inputs": ["sub/in.txt"]}}, params={"up": ".."})
        for verb in ("validate", "plan", "run"):
            done = shop.troupe(verb).must(2)
            contains(done.text + done.errors, "path_under_cwd", "relative to cwd: remove ../")
        shop.pipeline({"a": {"command": command, "env": env, "inputs": ["sub/in.txt"]}}, params={"up": ".."})
        shop.troupe("validate").must(0)         # without cwd it is what it was


def resume_compares_definitions_as_they_are_written(shop):
    def with_command(command):
        shop.pipeline({"a": {"command": "test -e go"}, "b": {"command": command, "deps": ["a"]}}, params={"x": "1"})
    with_command(["true", "{{ params.x }}"])
    shop.run(status=1)
    shop.write("go", "")
    with_command(["true", "1"])
    contains(shop.troupe("resume").must(2).errors, "b: its definition has changed")
    with_command(["true", "{{ params.x }}"])
    shop.troupe("resume").must(0)


TESTS = [the_order_of_inputs_counts_where_they_are_inserted, a_glob_in_place_of_a_list_counts_by_what_it_inserts,
         templates_that_insert_the_same_are_the_same, a_param_counts_by_what_it_changes, the_run_and_its_id_never_count,
         a_path_like_an_option_is_a_path, under_cwd_paths_lead_from_there, under_cwd_through_a_link_paths_are_absolute_and_the_folder_may_move,
         a_step_up_before_a_path_under_cwd_is_refused, resume_compares_definitions_as_they_are_written]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
