#!/usr/bin/env python3
"""One file under many names, globs that reach into folders, what "!pattern" takes out, files that commands report: the order is right, and
the incremental result is the clean one.
usage: paths_test.py TROUPE [NAME...]"""
import json
import os
import random
import shutil
import sys

from harness import contains, equal, main, statuses


def edges(shop):
    return sorted((e["from"], e["to"], e["kind"]) for e in shop.troupe("graph", "--format", "json").must(0).json()["edges"])


def codes(shop, *arguments, status=0):
    found = shop.troupe("validate", "--json", *arguments).must(status).json()
    return [f["code"] for f in found["errors"] + found["warnings"]]


def says(shop, text, *arguments, status=0):
    done = shop.troupe(*arguments).must(status)
    contains(done.text + done.errors, text)


# ── globs and folders ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def experiments(pattern):
    return {"exp": {"matrix": {"x": ["a", "b"]}, "outputs": ["out/{{ matrix.x }}"],
                    "command": "sleep 0.1; mkdir -p out/{{ matrix.x }}; echo {{ params.v }} > out/{{ matrix.x }}/metrics.txt"},
            "summary": {"command": "cat out/*/metrics.txt > summary.txt", "inputs": [pattern], "outputs": ["summary.txt"]}}


def a_glob_sees_the_folders_of_other_assets_after_they_were_made(shop):
    for pattern in ("out/*/metrics.txt", "out/**/metrics.txt", "*/*/metrics.txt", "out/[ab]/*.txt"):
        shutil.rmtree(shop.path("out"), ignore_errors=True)
        shop.pipeline(experiments(pattern), params={"v": "1"})
        equal([e[:2] for e in edges(shop)], [("exp[a]", "summary"), ("exp[b]", "summary")])
        shop.run("-j", "4", "--force")
        equal(shop.read("summary.txt"), "1\n1\n")
        shop.run("-j", "4", "--param", "v=2")
        equal(shop.read("summary.txt"), "2\n2\n")
        equal(set(statuses(shop.run("-j", "4", "--param", "v=2")).values()), {"fresh"})


def a_selection_of_the_reader_makes_the_folders(shop):
    shop.pipeline(experiments("out/*/metrics.txt"), params={"v": "1"})
    equal(statuses(shop.run("summary")), {"exp[a]": "succeeded", "exp[b]": "succeeded", "summary": "succeeded"})


def a_folder_made_from_the_result_is_left_out(shop):
    shop.write("out/a.md", "a\n")
    shop.pipeline({"index": {"command": "find out -name '*.md' ! -path 'out/report/*' | sort > index.txt", "inputs": ["out/**/*.md"], "outputs": ["index.txt"]},
                   "report": {"command": "mkdir -p out/report; cp index.txt out/report/r.md", "inputs": ["index.txt"], "outputs": ["out/report"]}})
    equal(codes(shop), ["folder_left_out"])
    shop.run()
    equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.write("out/b.md", "b\n")
    equal(statuses(shop.run()), {"index": "succeeded", "report": "succeeded"})
    equal(set(statuses(shop.run()).values()), {"fresh"})


def a_file_that_turns_out_to_be_a_folder_is_told(shop):
    shop.pipeline({"m": {"command": "mkdir -p out/t.set; echo 1 > out/t.set/x", "outputs": ["out/t.set"]},
                   "r": {"command": "cat out/*/x > r 2> /dev/null || true", "inputs": ["out/**/x"], "outputs": ["r"]}})
    equal(edges(shop), [])
    done = shop.troupe("run", "-j", "1").must(0)
    contains(done.text + done.errors, "out/t.set is a folder")
    equal([e[:2] for e in edges(shop)], [("m", "r")])
    shop.run()
    equal(shop.read("r"), "1\n")


# ── exclusions ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def what_is_taken_out_counts_nowhere(shop):
    shop.write("src/a.c", "a")
    shop.write("src/gen/b.c", "b")
    shop.write("assets/x", "x")
    shop.write("assets/tmp/y", "y")
    shop.write("!odd", "o")
    shop.pipeline({"glob": {"command": "echo {{ inputs }} > glob.txt", "inputs": ["!src/gen", "src/**/*.c"], "outputs": ["glob.txt"]},
                   "folder": {"command": "echo {{ inputs }} > folder.txt", "inputs": ["assets", "!assets/tmp", "!**/*~"], "outputs": ["folder.txt"]},
                   "whole": {"command": "echo {{ inputs }} > whole.txt", "inputs": ["assets"], "outputs": ["whole.txt"]},
                   "odd": {"command": "cat {{ inputs }} > odd.txt", "inputs": ["\\!odd"], "outputs": ["odd.txt"]}})
    shop.run()
    equal((shop.read("glob.txt"), shop.read("folder.txt"), shop.read("odd.txt")), ("src/a.c\n", "assets\n", "o"))
    shop.write("src/gen/b.c", "bb")
    shop.write("assets/tmp/z", "z")
    shop.write("assets/x~", "backup")
    equal(statuses(shop.run()), {"glob": "fresh", "folder": "fresh", "odd": "fresh", "whole": "succeeded"})
    shop.write("assets/x", "xx")
    equal(shop.reasons("folder"), ("run", [("input_changed", "assets/x")]))
    shop.write("src/c.c", "c")
    equal(shop.reasons("glob"), ("run", [("input_added", "src/c.c")]))


def a_pattern_for_an_own_output_lets_its_folder_be_an_input(shop):
    shop.write("data/a", "1")
    shop.pipeline({"s": {"command": "cat data/a > data/sum", "inputs": ["data", "!data/sum"], "outputs": ["data/sum"]}})
    shop.run()
    equal(statuses(shop.run()), {"s": "fresh"})
    shop.write("data/a", "2")
    shop.run()
    equal(shop.read("data/sum"), "2")


def a_params_value_is_no_exclusion(shop):
    shop.write("!x", "1")
    shop.pipeline({"a": {"command": "cat {{ inputs }} > o", "inputs": ["{{ params.f }}"], "outputs": ["o"]}}, params={"f": "!x"})
    shop.run()
    equal(shop.read("o"), "1")


# ── one file, many names ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def spellings(shop, name):
    """Of a file in the folder; lnk leads to the folder, up/work too."""
    return [name, shop.path(name), "../work/" + name, "./" + name, "lnk/" + name, "../up/work/" + name]


def linked(shop):
    os.symlink(".", shop.path("lnk"))
    os.symlink("..", os.path.join(shop.top, "up_"))
    os.symlink(".", os.path.join(shop.top, "up"))


def an_output_is_found_by_any_name(shop):
    linked(shop)
    shop.write("in", "0\n")
    for k, name in enumerate(spellings(shop, "out/x")):
        shop.pipeline({"a": {"command": "sleep 0.1; mkdir -p out; cat in > out/x", "inputs": ["in"], "outputs": ["out/x"]},
                       "b": {"command": ["cp", name, "y"], "inputs": [name], "outputs": ["y"]}})
        equal([e[:2] for e in edges(shop)], [("a", "b")])
        shop.write("in", f"{k}\n")
        shop.run("-j", "4")
        equal(shop.read("y"), f"{k}\n")
        equal(set(statuses(shop.run()).values()), {"fresh"})
        shop.pipeline({"a": {"command": "echo 1 > same", "outputs": ["same"]}, "b": {"command": "echo 2 > same", "outputs": [name.replace("out/x", "same")]}})
        equal(codes(shop, status=2), ["duplicate_output"])
        shop.pipeline({"a": {"command": "x", "inputs": ["same"], "outputs": [name.replace("out/x", "same")]}})
        equal(codes(shop, status=2), ["self_dependency"])
        shop.pipeline({"a": {"command": "x", "outputs": ["f"]}, "b": {"command": "x", "outputs": [name.replace("out/x", "f/g")]}})
        equal(codes(shop, status=2), ["output_prefix"])


def through_a_param_too(shop):
    shop.pipeline({"a": {"command": "echo 1 > out", "outputs": ["out"]}, "b": {"command": "cat out > y", "inputs": ["{{ params.dir }}/out"], "outputs": ["y"]}},
                  params={"dir": shop.folder})
    equal(edges(shop), [("a", "b", "file")])


def neither_the_state_nor_the_pipeline_is_an_output(shop):
    linked(shop)
    for name in spellings(shop, ".troupe/x"):
        shop.pipeline({"a": {"command": "x", "outputs": [name]}})
        equal(codes(shop, status=2), ["output_in_state"])
    for name in spellings(shop, "troupe.json"):
        shop.pipeline({"a": {"command": "x", "outputs": [name]}})
        equal(codes(shop, status=2), ["output_is_pipeline"])
    shop.pipeline({"a": {"command": "x", "outputs": ["real.json"]}}, file="real.json")
    os.remove(shop.path("troupe.json"))
    os.symlink("real.json", shop.path("troupe.json"))
    equal(codes(shop, status=2), ["output_is_pipeline"])
    shop.pipeline({"a": {"command": "x", "outputs": ["kept/x"]}}, file="other.json")
    says(shop, "output_in_state", "plan", "-f", "other.json", "--state", "kept", status=2)


def an_input_needs_the_makers_of_what_it_links_to(shop):
    os.symlink("out/v1", shop.path("current"))
    os.symlink("current", shop.path("stable"))
    shop.write("in", "1\n")
    shop.pipeline({"m": {"command": "sleep 0.1; mkdir -p out; cp in out/v1", "inputs": ["in"], "outputs": ["out/v1"]},
                   "r": {"command": "cp stable r", "inputs": ["stable"], "outputs": ["r"]}})
    equal(edges(shop), [("m", "r", "link")])
    shop.run("-j", "4")
    shop.write("in", "2\n")
    shop.run("-j", "4")
    equal(shop.read("r"), "2\n")


def a_link_that_an_asset_makes_still_counts_once_it_is_there(shop):
    shop.pipeline({"release": {"command": "mkdir -p v/{{ params.v }}; echo {{ params.v }} > v/{{ params.v }}/x; ln -sfn v/{{ params.v }} current", "outputs": ["current"]},
                   "file": {"command": "cp current/x f", "inputs": ["current/x"], "outputs": ["f"]},
                   "glob": {"command": "cat current/* > g", "inputs": ["current/*"], "outputs": ["g"]}}, params={"v": "1"})
    before = [e[:2] for e in edges(shop)]
    equal(before, [("release", "file"), ("release", "glob")])
    shop.run("-j", "4")
    equal([e[:2] for e in edges(shop)], before)
    shop.run("-j", "4", "--param", "v=2")
    equal((shop.read("f"), shop.read("g")), ("2\n", "2\n"))


def a_glob_that_comes_by_a_link_depends_on_what_is_there(shop):
    os.makedirs(shop.path("gen"))
    os.symlink("gen", shop.path("linked"))
    shop.write("gen/x.c", "0\n")
    shop.pipeline({"r": {"command": "cat l*/x.c > r", "inputs": ["l*/x.c"], "outputs": ["r"]},
                   "m": {"command": "sleep 0.1; echo {{ params.v }} > gen/x.c", "outputs": ["gen/x.c"]}}, params={"v": "1"})
    equal(shop.plan("r")["order"], ["m", "r"])
    for v in ("1", "2"):
        shop.run("-j", "4", "--param", "v=" + v)
        equal(shop.read("r"), v + "\n")


def a_link_to_a_folder_is_that_folder(shop):
    os.symlink("out", shop.path("lnk"))
    shop.pipeline({"m": {"command": "sleep 0.1; mkdir -p out; echo {{ params.v }} > out/a; date +%N > out/log", "outputs": ["out/a"]},
                   "r": {"command": "cat lnk/a > r", "inputs": ["lnk", "!out/log"], "outputs": ["r"]}}, params={"v": "1"})
    shop.run("-j", "4")
    equal(edges(shop), [("m", "r", "link")])
    shop.run("-j", "4", "--param", "v=2")
    equal(shop.read("r"), "2\n")
    equal(statuses(shop.run("--force", "m", "--param", "v=2")), {"m": "succeeded"})
    equal(set(statuses(shop.run("--param", "v=2")).values()), {"fresh"})


def own_outputs_are_left_out_of_globs_through_links(shop):
    os.mkdir(shop.path("src"))
    os.symlink("src", shop.path("lnk"))
    shop.write("src/a.c", "a")
    shop.pipeline({"g": {"command": "echo $$ > src/gen.c; echo {{ inputs }} > list", "inputs": ["lnk/*.c"], "outputs": ["src/gen.c", "list"]}})
    shop.run()
    equal(shop.read("list"), "lnk/a.c\n")
    equal(statuses(shop.run()), {"g": "fresh"})


def a_moved_project_stays_fresh(shop):
    os.mkdir(shop.path("src"))
    os.symlink("src", shop.path("lnk"))
    shop.write("src/a", "1")
    shop.write("inc/h", "1")
    shop.pipeline({"a": {"command": "cp lnk/a x; printf '{\"inputs\": [\"src/../inc/h\"]}' > $TROUPE_RESULT", "inputs": ["lnk/a"], "outputs": ["x"]},
                   "b": {"command": "cp x y", "inputs": ["../work/x"], "outputs": ["y"]}})
    shop.run()
    moved = os.path.join(shop.top, "elsewhere")
    os.mkdir(moved)
    shutil.move(shop.folder, moved)
    shop.folder = os.path.join(moved, "work")
    equal(set(statuses(shop.run()).values()), {"fresh"})


def dot_dot_after_a_link_is_told(shop):
    os.makedirs(shop.path("usr/lib"))
    os.symlink("usr/lib", shop.path("lib"))
    shop.write("usr/include/h", "1")
    shop.write("include/h", "2")
    shop.pipeline({"a": {"command": "cp {{ inputs[0] }} o", "inputs": ["lib/../include/h"], "outputs": ["o"]}})
    equal(codes(shop), ["dot_dot_after_link"])
    says(shop, '"usr/include/h"', "validate")
    shop.pipeline({"a": {"command": "cp {{ inputs[0] }} o", "inputs": ["usr/../include/h"], "outputs": ["o"]}})
    equal(codes(shop), [])


# ── what commands report ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def reported(path, command):
    return command + "; printf '%s' '" + json.dumps({"inputs": [path]}) + "' > \"$TROUPE_RESULT\""


def a_reported_input_is_opened_by_the_name_it_was_reported_by(shop):
    os.makedirs(shop.path("usr/lib"))
    os.symlink("usr/lib", shop.path("lib"))
    shop.write("usr/include/h", "1\n")
    shop.write("sub/x", "")
    for cwd, name in ((".", "lib/../include/h"), ("sub", "../lib/../include/h"), (".", shop.path("lib/../include/h"))):
        shop.pipeline({"a": {"command": reported(name, f"cat '{name}' > {shop.path('o')}"), "cwd": cwd, "outputs": ["o"]}})
        shop.write("usr/include/h", "1\n")
        shop.run("--force")
        shop.run()
        equal(statuses(shop.run()), {"a": "fresh"})
        shop.write("usr/include/h", "2\n")
        equal(statuses(shop.run()), {"a": "succeeded"})
        equal(shop.read("o"), "2\n")


def a_reported_input_that_another_asset_makes_orders_the_two(shop):
    shop.write("in", "1\n")
    for name in ("gen/h", "./gen/h", shop.path("gen/h"), "lnk/h"):
        shutil.rmtree(shop.path(".troupe"), ignore_errors=True)
        shutil.rmtree(shop.path("gen"), ignore_errors=True)
        os.makedirs(shop.path("gen"))
        shop.write("gen/h", "0\n")
        if not shop.exists("lnk"):
            os.symlink("gen", shop.path("lnk"))
        shop.pipeline({"reader": {"command": reported(name, f"cat '{name}' > r"), "outputs": ["r"]},
                       "maker": {"command": "sleep 0.1; cp in gen/h", "inputs": ["in"], "outputs": ["gen/h"]}})
        shop.run("-j", "1")
        equal(edges(shop), [("maker", "reader", "recorded")])
        shop.run()
        shop.write("in", f"{name}\n")
        equal(shop.plan()["order"], ["maker", "reader"])
        equal(shop.plan("reader")["order"], ["maker", "reader"])
        equal(shop.plan("--only", "reader")["order"], ["reader"])
        shop.run("reader", "-j", "4")
        equal(shop.read("r"), f"{name}\n")
        equal(set(statuses(shop.run()).values()), {"fresh"})


def a_reported_input_in_another_assets_folder_orders_the_two(shop):
    shop.write("gen/h", "0\n")
    shop.pipeline({"reader": {"command": reported("gen/h", "cat gen/h > r"), "outputs": ["r"]},
                   "maker": {"command": "mkdir -p gen; echo {{ params.v }} > gen/h", "outputs": ["gen"]}}, params={"v": "1"})
    shop.run("-j", "1")
    equal(edges(shop), [("maker", "reader", "recorded")])
    shop.run("-j", "4", "--param", "v=2")
    equal(shop.read("r"), "2\n")


def only_does_not_follow_a_recorded_edge(shop):
    shop.write("gen/h", "0\n")
    shop.pipeline({"reader": {"command": reported("gen/h", "cat gen/h > r"), "outputs": ["r"]},
                   "maker": {"command": "exit 1", "outputs": ["gen/h"]}})
    shop.run("--only", "reader")
    equal(edges(shop), [("maker", "reader", "recorded")])
    equal(statuses(shop.run("--only", "reader", "--force")), {"reader": "succeeded"})
    equal(statuses(shop.run("reader", status=1)), {"maker": "failed", "reader": "blocked"})


def who_needs_what_reads_it_stays_stale(shop):
    shop.write("gen/h", "0\n")
    shop.pipeline({"reader": {"command": reported("gen/h", "cat gen/h > r"), "outputs": ["r"]},
                   "maker": {"command": "cp r gen/h", "inputs": ["r"], "outputs": ["gen/h"]}})
    shop.troupe("run").must(0)
    contains(shop.reasons("reader")[1], ("cycle", "gen/h"))
    says(shop, "maker needs reader", "plan")
    equal(statuses(shop.run())["reader"], "succeeded")
    equal([e[:2] for e in edges(shop)], [("reader", "maker")])


# ── what is forgotten ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def a_forgotten_input_is_told_before_the_first_run(shop):
    shop.pipeline({"b": {"command": "cat a.txt > b.txt || true", "outputs": ["b.txt"]}, "a": {"command": "sleep 0.1; echo 1 > a.txt", "outputs": ["a.txt"]}})
    equal(codes(shop), ["undeclared_input"])
    for verb in ("validate", "plan", "run"):
        says(shop, "a.txt, an output of", verb)
    equal(codes(shop), ["undeclared_input"]) # now that it is there too


def an_input_that_nobody_makes_is_told_by_all_who_look(shop):
    shop.write("orders.csv", "1\n")
    shop.pipeline({"a": {"command": "wc -l order.csv > o", "inputs": ["order.csv"], "outputs": ["o"]}, "s": {"outputs": ["src.csv"]}})
    equal(codes(shop), ["missing_input", "missing_input"])
    for arguments in (("validate",), ("plan",), ("explain", "a"), ("status",)):
        says(shop, '"order.csv" does not exist', *arguments)
    says(shop, '"src.csv" does not exist', "plan")
    says(shop, '"order.csv" does not exist', "run", status=1)
    shop.write("order.csv", "1\n")
    shop.write("src.csv", "1\n")
    equal(codes(shop), [])
    for arguments in (("plan",), ("explain", "a"), ("status",), ("run",)):
        done = shop.troupe(*arguments).must(0)
        assert "does not exist" not in done.text + done.errors, done.text + done.errors


# ── at random ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def random_assets(chance, shop):
    """A chain of layers; each asset reads some of the layer before, by names and globs that another asset would spell otherwise."""
    def spelt(name):
        return chance.choice([name, name, "./" + name, "../work/" + name, shop.path(name), "lnk/" + name, "k/../" + name])
    assets = {}
    made = ["src/a", "src/b", "src/c"]
    for layer in range(3):
        now = []
        for i in range(chance.randint(1, 3)):
            name = f"n{layer}{i}"
            folder = chance.random() < 0.5
            out = f"out{layer}/{name}" + ("" if folder else ".txt")
            target = f"{out}/data.txt" if folder else out
            taken, inputs = [], []
            for one in chance.sample(made, chance.randint(1, len(made))):
                taken.append(one)
                inputs.append(spelt(one))
            if layer > 0 and chance.random() < 0.5:
                pattern = chance.choice([f"out{layer - 1}/*/data.txt", f"lnk/out{layer - 1}/*/data.txt", f"out{layer - 1}/**/data.txt"])
                inputs.append(pattern)
                taken.append(f"out{layer - 1}/*/data.txt")
            if layer > 0 and chance.random() < 0.3:
                inputs += [f"out{layer - 1}", f"!out{layer - 1}/**/*.log"]
                taken.append(f"out{layer - 1}/*.txt")
            command = (f"sleep 0.0{chance.randint(0, 4)}; mkdir -p {os.path.dirname(target)}; (echo {name}; for f in {' '.join(taken)}; do "
                       f"if [ -f \"$f\" ]; then cat \"$f\"; fi; done) > {target}.part; mv {target}.part {target}; date +%N > {os.path.dirname(target)}/{name}.log")
            if not folder:
                command = command.rsplit(";", 1)[0]
            assets[name] = {"command": command, "inputs": inputs, "outputs": [spelt(out)]}
            now.append(target)
        made = now + chance.sample(made, 1)
    names = list(assets)
    chance.shuffle(names)
    return {name: assets[name] for name in names}


def contents(shop):
    found = {}
    for top in ("out0", "out1", "out2"):
        for folder, _, files in os.walk(shop.path(top)):
            for file in files:
                if not file.endswith(".log"):
                    path = os.path.relpath(os.path.join(folder, file), shop.folder)
                    found[path] = shop.read(path)
    return found


def a_random_pipeline_comes_out_as_if_made_from_nothing(shop):
    os.symlink(".", shop.path("lnk"))
    os.mkdir(shop.path("k"))
    for seed in range(12):
        chance = random.Random(seed)
        for name in ("out0", "out1", "out2", ".troupe"):
            shutil.rmtree(shop.path(name), ignore_errors=True)
        for name in ("a", "b", "c"):
            shop.write("src/" + name, name + "\n")
        shop.pipeline(random_assets(chance, shop))
        for step in range(3):
            shop.run("-j", "4")
            incremental = contents(shop)
            equal(set(statuses(shop.run()).values()), {"fresh"})
            for name in ("out0", "out1", "out2", ".troupe"):
                if os.path.exists(shop.path(name)):
                    shutil.move(shop.path(name), os.path.join(shop.top, name))
            shop.run("-j", "1")
            equal((seed, step, contents(shop)), (seed, step, incremental))
            for name in ("out0", "out1", "out2", ".troupe"):
                shutil.rmtree(shop.path(name), ignore_errors=True)
                if os.path.exists(os.path.join(shop.top, name)):
                    shutil.move(os.path.join(shop.top, name), shop.path(name))
            shop.write("src/" + chance.choice("abc"), f"{seed} {step}\n")


TESTS = [a_glob_sees_the_folders_of_other_assets_after_they_were_made, a_selection_of_the_reader_makes_the_folders,
         a_folder_made_from_the_result_is_left_out, a_file_that_turns_out_to_be_a_folder_is_told, what_is_taken_out_counts_nowhere,
         a_pattern_for_an_own_output_lets_its_folder_be_an_input, a_params_value_is_no_exclusion, an_output_is_found_by_any_name,
         through_a_param_too, neither_the_state_nor_the_pipeline_is_an_output, an_input_needs_the_makers_of_what_it_links_to,
         a_link_that_an_asset_makes_still_counts_once_it_is_there, a_link_to_a_folder_is_that_folder,
         a_glob_that_comes_by_a_link_depends_on_what_is_there, own_outputs_are_left_out_of_globs_through_links,
         a_moved_project_stays_fresh, dot_dot_after_a_link_is_told, a_reported_input_is_opened_by_the_name_it_was_reported_by,
         a_reported_input_that_another_asset_makes_orders_the_two, a_reported_input_in_another_assets_folder_orders_the_two,
         only_does_not_follow_a_recorded_edge, who_needs_what_reads_it_stays_stale,
         a_forgotten_input_is_told_before_the_first_run, an_input_that_nobody_makes_is_told_by_all_who_look,
         a_random_pipeline_comes_out_as_if_made_from_nothing]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
