#!/usr/bin/env python3
"""The verbs from outside: selections, documents, exit statuses, and that reading writes nothing.
usage: commands_test.py TROUPE [NAME...]"""
import os
import re
import shutil
import sys

from harness import contains, equal, main, statuses

CHAIN = {"a": {"command": "echo a > a.txt", "outputs": ["a.txt"], "tags": ["raw"], "group": "ingest"},
         "b": {"command": "cp a.txt b.txt", "inputs": ["a.txt"], "outputs": ["b.txt"]},
         "c": {"command": "cp b.txt c.txt", "inputs": ["b.txt"], "outputs": ["c.txt"], "tags": ["final"]},
         "x": {"command": "true", "tags": ["raw", "final"]}}


def selections(shop):
    shop.pipeline(CHAIN)
    chosen = lambda *s: sorted(shop.plan(*s)["assets"])
    equal(chosen("b"), ["a", "b"])                                     # and all it needs
    for selection, expected in [(["a"], ["a"]), (["+b"], ["a", "b"]), (["a+"], ["a", "b", "c"]), (["1+c"], ["b", "c"]), (["tag:raw"], ["a", "x"]),
                                (["group:ingest"], ["a"]), (["?"], ["a", "b", "c", "x"]), (["tag:raw,tag:final"], ["x"]), (["a", "x"], ["a", "x"])]:
        result = shop.troupe("run", "--only", "--dry-run", "--json", *selection).must(0).json()
        equal((selection, sorted(result["assets"])), (selection, expected))
    for wrong in ("nope", "tag:nope", "z*", "a,x"):
        contains(shop.troupe("run", wrong).must(2).errors, wrong)


def only_and_exclude(shop):
    shop.pipeline(CHAIN)
    equal(statuses(shop.run("c", "--exclude", "a", status=1))["c"], "blocked")
    shop.run()
    shop.pipeline({**CHAIN, "a": {**CHAIN["a"], "command": "echo A > a.txt"}})
    document = shop.run("--exclude", "a")
    assert "a" not in document["assets"] or document["assets"]["a"]["status"] == "fresh", document["assets"]["a"]
    equal(shop.read("a.txt"), "a\n")


def reading_writes_nothing(shop):
    shop.pipeline(CHAIN)
    for verb in (["plan"], ["status"], ["runs"], ["validate"], ["graph"], ["explain", "a"], ["run", "--dry-run"], ["journal", "stats"], ["journal", "verify"]):
        shop.troupe(*verb).must(0)
        equal((verb, shop.exists(".troupe"), shop.exists("a.txt")), (verb, False, False))
    equal(shop.troupe("runs", "--json").must(0).json()["runs"], [])


def documents(shop):
    shop.pipeline(CHAIN)
    document = shop.run()
    equal([key for key in ("format", "run", "number", "pipeline", "status", "started_at", "finished_at", "duration_ms", "counts", "assets") if key not in document], [])
    equal([key for key in ("status", "attempts", "duration_ms", "reasons", "data_version", "changed", "error", "exit_code", "signal", "metadata") if key not in document["assets"]["a"]], [])
    equal((document["format"], document["number"], document["pipeline"], document["counts"]), (1, 1, "test", {"succeeded": 4}))
    shown = shop.troupe("show", "latest", "--json").must(0).json()
    equal((shown["run"], statuses(shown)), (document["run"], statuses(document)))
    for name in ("#1", "1", document["run"], document["run"][:13]):
        equal(shop.troupe("show", name, "--json").must(0).json()["run"], document["run"])
    status = shop.troupe("status", "--json").must(0).json()
    equal((status["assets"]["a"]["fresh"], status["assets"]["a"]["last"]["run"]), (True, document["run"]))
    graph = shop.troupe("graph", "--format", "json").must(0).json()
    equal(sorted((e["from"], e["to"]) for e in graph["edges"]), [("a", "b"), ("b", "c")])
    equal(shop.plan()["order"].index("a") < shop.plan()["order"].index("b"), True)
    contains(shop.troupe("explain", "b").must(0).text, "b")
    contains(shop.troupe("explain", "b", "--run", "1").must(0).text, "never")


def graphs(shop):
    shop.pipeline(CHAIN)
    contains(shop.troupe("graph", "--format", "dot").must(0).text, "digraph", "->")
    contains(shop.troupe("graph", "--format", "mermaid").must(0).text, "flowchart")
    contains(shop.troupe("graph", "--format", "text").must(0).text, "a", "b", "c")
    if shutil.which("dot"):
        contains(shop.troupe("graph", "--format", "svg").must(0).text, "<svg", "</svg>")
    result = shop.troupe("graph", "--format", "svg", env={"PATH": "/nowhere"})
    assert result.status != 0 and "graphviz" in result.errors.lower(), result.errors


def wrong_files_are_reported_whole(shop):
    shop.write("troupe.json", '{\n  "name": "x y",\n  "assets": {\n    "a": { "comand": "true" },\n    "b": { "command": "true", "deps": ["c"] }\n  }\n}\n')
    document = shop.troupe("validate", "--json")
    errors = document.must(2).json()["errors"]
    equal(sorted({e["line"] for e in errors}), [2, 4, 5])
    contains(str(errors), "command")          # the nearest known key
    shop.troupe("run").must(2)
    assert not shop.exists(".troupe")
    shop.pipeline({"a": {"command": "true", "deps": ["b"]}, "b": {"command": "true", "deps": ["c"]}, "c": {"command": "true", "deps": ["a"]}})
    contains(shop.troupe("run").must(2).errors, "a", "b", "c")
    shop.troupe("run", "-f", "nowhere.json").must(2)
    shop.troupe("frobnicate").must(2)


def every_wrong_file_is_refused_and_runs_nothing(shop):
    """The files of tests/bad_input, whose messages are tested there, handed to the program itself."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bad_input")
    files = sorted(name for name in os.listdir(folder) if name.endswith(".json") and not name.startswith("warning_"))
    assert len(files) >= 100
    for name in files:
        shutil.copyfile(os.path.join(folder, name), shop.path(name))
        result = shop.troupe("run", "-f", name)
        result.must(2)
        contains(result.errors, "error:")
        equal(result.text, "")
        os.remove(shop.path(name))
    equal(os.listdir(shop.folder), [])        # no state, and nothing that a command made


def a_pipeline_from_standard_input(shop):
    shop.troupe("run", "-f", "-", stdin='{"name": "s", "assets": {"a": {"command": "echo 1 > a.txt", "outputs": ["a.txt"]}}}').must(0)
    equal(shop.read("a.txt"), "1\n")


def values_never_become_shell_syntax(shop):
    hostile = ["$(touch owned)", "`touch owned`", "a; touch owned", "'; touch owned; '", '"; touch owned; "', "a\nb", "-n", "*", "$HOME", "\\"]
    for number, value in enumerate(hostile):
        shop.pipeline({"plain": {"command": "printf '%s' {{ params.x }} > plain.txt", "outputs": ["plain.txt"]},
                       "single": {"command": "printf '%s' '{{ params.x }}' > single.txt", "outputs": ["single.txt"]},
                       "double": {"command": "printf '%s' \"{{ params.x }}\" > double.txt", "outputs": ["double.txt"]}}, name=f"p{number}", params={"x": value})
        shop.run("--force")
        for name in ("plain", "single", "double"):
            equal((value, shop.read(f"{name}.txt")), (value, value))
    assert not shop.exists("owned")


def two_pipelines_share_a_state(shop):
    shop.pipeline({"a": {"command": "echo one > one.txt", "outputs": ["one.txt"]}}, name="one", file="one.json")
    shop.pipeline({"a": {"command": "echo two > two.txt", "outputs": ["two.txt"]}}, name="two", file="two.json")
    equal(shop.run("-f", "one.json")["number"], 1)
    equal(shop.run("-f", "two.json")["number"], 2)
    equal(statuses(shop.run("-f", "one.json")), {"a": "fresh"})


def the_state_folder(shop):
    shop.pipeline(CHAIN)
    shop.run()
    equal(oct(os.stat(shop.path(".troupe")).st_mode & 0o777), "0o700")
    assert shop.exists(".troupe/.gitignore")
    shop.write("a-file", "")
    shop.troupe("run", "--state", "a-file").must(3)
    shop.troupe("run", "--state", "elsewhere").must(0)
    assert shop.exists("elsewhere")


def a_damaged_journal_is_noticed(shop):
    shop.pipeline(CHAIN)
    shop.run()
    data = max((os.path.join(folder, name) for folder, _, names in os.walk(shop.path(".troupe")) for name in names), key=os.path.getsize)
    with open(data, "r+b") as file:
        file.write(b"\xff" * min(os.path.getsize(data), 8192))
    result = shop.troupe("run")
    assert result.status == 3 and result.errors, (result.status, result.text, result.errors)
    shutil.rmtree(shop.path(".troupe"))


def a_power_loss_with_durability_none_is_noticed(shop):
    """What was never forced to disk is not read after another boot, by anybody; in the same boot it is all there."""
    shop.pipeline({"a": {"command": "echo ran >> a.log"}, "b": {"command": "test -e go || { sleep 1; kill -9 $PPID; }", "deps": ["a"]}}, engine={"durability": "none", "workers": 1})
    assert shop.troupe("run").status == -9
    assert shop.exists(".troupe/unsynced")
    shop.write("go", "")
    equal(statuses(shop.run()), {"a": "fresh", "b": "succeeded"})       # the process died, and nothing else
    equal(shop.lines("a.log"), ["ran"])
    assert not shop.exists(".troupe/unsynced")                           # it was closed in order
    shop.write(".troupe/unsynced", "11111111-2222-3333-4444-555555555555\n")
    for verb in (["run"], ["resume", "1"], ["cancel"], ["status"], ["plan"], ["runs"], ["show", "latest"], ["explain", "a"], ["logs", "a"], ["journal", "verify"], ["journal", "stats"], ["journal", "dump"]):
        result = shop.troupe(*verb).must(3)
        contains(result.errors, "was written with durability none, and the machine went down", "it may be damaged. Remove ")
    for path in re.search(r"Remove (\S+) and (\S+) to start anew", result.errors).groups():
        os.remove(path)
    equal(statuses(shop.run()), {"a": "succeeded", "b": "succeeded"})


def every_verb_has_help_with_examples(shop):
    for verb in ("run", "plan", "explain", "validate", "graph", "status", "runs", "show", "logs", "resume", "cancel", "journal", "init", "schema", "completions", "version"):
        contains(shop.troupe(verb, "--help").must(0).text.lower(), "example", "troupe " + verb)
    for shell in ("bash", "zsh", "fish"):
        contains(shop.troupe("completions", shell).must(0).text, "troupe")
    shop.troupe("schema").must(0).json()


def init_makes_a_pipeline_that_runs(shop):
    shop.troupe("init").must(0)
    shop.troupe("run").must(0)
    contains(str(set(statuses(shop.run()).values())), "fresh")
    assert shop.troupe("init").status != 0        # it overwrites nothing


def standard_output_is_only_the_document(shop):
    shop.pipeline({"a": {"command": "echo noise; echo more >&2; exit 1"}})
    shop.troupe("run", "--json").must(1).json()
    text = shop.troupe("run").must(1)
    assert "\x1b[" not in text.text + text.errors, "escape sequences in a pipe"


TESTS = [selections, only_and_exclude, reading_writes_nothing, documents, graphs, wrong_files_are_reported_whole, a_pipeline_from_standard_input,
         values_never_become_shell_syntax, two_pipelines_share_a_state, the_state_folder, a_damaged_journal_is_noticed, a_power_loss_with_durability_none_is_noticed,
         every_verb_has_help_with_examples, init_makes_a_pipeline_that_runs, standard_output_is_only_the_document]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
