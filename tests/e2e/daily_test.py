#!/usr/bin/env python3
"""A day's work at the command line: the command that is shown, output of runs, finding things, habits of other tools."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import contains, equal, main, statuses


def the_command_of_an_asset_can_be_pasted(shop):
    shop.write("sub/in put", "x")
    shop.write("token", "s3cret-token\n")
    shop.pipeline({"a": {"command": "cat {{ inputs }} > {{ outputs[0] }}; echo {{ params.top }} \"$WORD\" \"$TOKEN\" {{ params.key }}", "cwd": "sub", "inputs": ["sub/in*"], "outputs": ["out/a"],
                         "env": {"WORD": "it's {{ params.top }}", "TOKEN": {"from_file": "token"}, "HOST_NAME": {"from_env": "HOST_NAME"}}},
                   "plain": {"command": ["printf", "%s", "$HOME", "a b"], "inherit_env": ["PATH"], "env": {"X": "1"}, "ignore_warnings": ["shell_syntax"]}, "src": {"outputs": ["token"]}},
                  params={"top": 3, "key": {"default": "abcdefghijk", "secret": True}})
    shown = shop.troupe("command", "a").must(0)
    contains(shown.text, "sub", "TOKEN=\"$(cat ", "HOST_NAME=\"$HOST_NAME\"", "***")
    assert "abcdefghijk" not in shown.text + shown.errors and "s3cret" not in shown.text
    contains(shown.errors, "secret params")
    os.mkdir(shop.path("out"))
    done = subprocess.run(["sh", "-c", shown.text], cwd="/", env={**os.environ, "HOST_NAME": "h"}, capture_output=True, text=True, timeout=60, check=True)
    equal((done.stdout, shop.read("out/a")), ("3 it's 3 s3cret-token ***\n", "x"))
    plain = shop.troupe("command", "plain").must(0).text
    equal(subprocess.run(["sh", "-c", plain], capture_output=True, text=True, timeout=60, check=True).stdout, "$HOMEa b")
    contains(shop.troupe("command", "src").must(2).errors, "source")
    document = shop.troupe("command", "a", "--json").must(0).json()
    equal((document["command"]["shell"], document["command"]["env"]["TOKEN"]), (True, {"from_file": shop.path("token")}))
    contains(shop.troupe("plan", "-v").must(0).text, "cat 'in put' > ../out/a")
    equal(shop.troupe("plan", "-v", "--json").must(0).json()["assets"]["plain"]["command"]["argv"], ["printf", "%s", "$HOME", "a b"])


def a_failure_shows_its_command_and_whom_to_ask(shop):
    shop.pipeline({"a": {"command": "grep zzz {{ inputs }} > o", "inputs": ["f"], "outputs": ["o"], "owners": ["ana@example.org"]}})
    shop.write("f", "needle\n")
    contains(shop.troupe("run").must(1).text, "command: grep zzz f > o", "owners: ana@example.org")


def output_of_what_succeeded(shop):
    shop.pipeline({"a": {"matrix": {"n": [1, 2]}, "command": "echo one; echo two {{ matrix.n }}"}, "b": {"command": "true"}, "c": {"command": "echo bad; false", "allow_failure": True}})
    contains(shop.troupe("run").must(0).text, "2 assets printed something: troupe logs")
    equal(shop.troupe("logs").must(0).text, "a[1] | one\na[1] | two 1\na[2] | one\na[2] | two 2\nc | bad\n")
    equal(shop.troupe("logs", "a").must(0).text, "a[1] | one\na[1] | two 1\na[2] | one\na[2] | two 2\n")
    equal(shop.troupe("logs", "a[1]").must(0).text, "one\ntwo 1\n")
    equal(shop.troupe("logs", "--failed").must(0).text, "c | bad\n")
    equal(shop.troupe("logs", "--tail", "1").must(0).text, "a[1] | two 1\na[2] | two 2\nc | bad\n")
    equal(shop.troupe("logs", "--grep", "two").must(0).text, "a[1] | two 1\na[2] | two 2\n")
    equal(shop.troupe("logs", "a[2]", "--tail", "1").must(0).text, "two 2\n")
    contains(shop.troupe("logs", "b", "--tail", "1").must(0).errors, "nothing was written")
    contains(shop.troupe("logs", "--json").must(2).errors, "name it")


def the_pipeline_of_a_folder_above_is_found(shop):
    shop.pipeline({"a": {"command": "pwd > a", "outputs": ["a"]}})
    os.makedirs(shop.path("src/deep"))
    for arguments, folder in ([["-C", "src/deep", "run"], None], [["run", "-C", "src/deep"], None]):
        equal(shop.troupe(*arguments).must(0).status, 0)
    equal(shop.read("a"), shop.folder + "\n")
    contains(shop.troupe("-C", "src/deep", "which", "../../a").must(0).text, "made by  a")
    contains(shop.troupe("-C", "nowhere", "run").must(2).errors, "-C nowhere")
    assert not shop.exists("src/deep/.troupe")
    if os.geteuid() == 0:
        os.chown(shop.path("troupe.json"), 12345, -1)
        os.chown(shop.path("src/deep"), 0, -1)
        contains(shop.troupe("-C", "src/deep", "status").must(2).errors, "belongs to another user", "-f ../../troupe.json")
        equal(shop.troupe("status").must(0).status, 0)


def assets_and_files_are_found(shop):
    shop.write("in/x.txt", "x")
    shop.pipeline({"a": {"command": "cat in/x.txt > out/a", "inputs": ["in/*.txt"], "outputs": ["out/a"], "tags": ["daily"], "description": "The first"}, "b": {"command": "cat out/a", "inputs": ["out"]},
                   "s": {"outputs": ["raw"]}})
    contains(shop.troupe("list").must(0).text, "ASSET", "out/a", "daily", "The first")
    equal(list(shop.troupe("ls", "tag:daily", "--json").must(0).json()["assets"]), ["a"])
    contains(shop.troupe("which", "in/x.txt").must(0).text, "read by  a  (in/*.txt)")
    contains(shop.troupe("which", "out/a").must(0).text, "made by  a", "read by  b  (out)")
    equal(shop.troupe("which", "raw", "--json").must(0).json()["maker"], "s")
    contains(shop.troupe("which", "nothing").must(1).text, "no asset makes or reads it")
    contains(shop.troupe("why", "a").must(0).text, "stale")
    contains(shop.troupe("history", "a").must(0).text, "no run that is kept")
    shop.run("a")
    shop.run("--force", "a")
    equal([run["number"] for run in shop.troupe("history", "a", "--json").must(0).json()["runs"]], [2, 1])
    contains(shop.troupe("history", "a", "-l", "1").must(0).text, "#2", "succeeded")


def habits(shop):
    shop.pipeline({"a": {"command": "false"}, "b": {"command": "true"}, "c": {"command": "true", "deps": ["a"]}})
    equal(statuses(shop.run("-k", "--jobs", "1", status=1)), {"a": "failed", "b": "succeeded", "c": "blocked"})
    equal(statuses(shop.run("-B", "b"))["b"], "succeeded")
    contains(shop.troupe("-V").must(0).text, "troupe ")
    equal(shop.troupe("help", "run").must(0).text, shop.troupe("run", "--help").must(0).text)
    equal(shop.troupe("help").must(0).text, shop.troupe("--help").must(0).text)
    for key, said in {"needs": "deps", "run": "command", "if": "no conditions"}.items():
        shop.pipeline({"a": {"command": "true", key: "x"}})
        contains(shop.troupe("validate").must(2).text, said)
    shop.pipeline({"a": {"command": ["echo", "$HOME", ">", "o"]}})
    contains(shop.troupe("validate").must(0).text, "shell_syntax")
    shop.pipeline({"a": {"command": "true", "deps": ["raw.csv"]}})
    contains(shop.troupe("validate").must(2).text, "a file stands in \"inputs\"")


def scripts_and_shells(shop):
    shop.pipeline({"a": {"script": ["echo one > a", "false", "echo two >> a"], "outputs": ["a"]}})
    shop.run(status=1)
    equal(shop.read("a"), "one\n")
    shop.pipeline({"a": {"script": ["for x in 1 2; do", "  echo {{ params.w }} $x", "done > a"], "outputs": ["a"]}}, params={"w": "it's"})
    shop.run()
    equal(shop.read("a"), "it's 1\nit's 2\n")
    shop.pipeline({"a": {"command": "cat nofile | sort > a", "outputs": ["a"]}}, defaults={"shell": ["/bin/bash", "-euo", "pipefail", "-c"]})
    shop.run(status=1)
    shop.pipeline({"a": {"shell": ["python3", "-c"], "script": ["import os", "open('a', 'w').write(os.environ['W'])"], "env": {"W": "{{ params.w }}"}, "outputs": ["a"]}}, params={"w": "py"})
    shop.run()
    equal(shop.read("a"), "py")
    equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.pipeline({"a": {"command": "echo {{ params.w }}", "shell": ["python3", "-c"]}}, params={"w": "py"})
    contains(shop.troupe("validate").must(2).text, "unsafe_template")
    shop.pipeline({"a": {"command": "true", "script": ["true"]}})
    contains(shop.troupe("validate").must(2).text, "not both")


def init_names_the_pipeline_after_its_folder(shop):
    shop.troupe("init").must(0)
    shop.troupe("init", "-f", "my other-1.json").must(0)
    contains(shop.troupe("init").must(2).errors, "is there already")
    contains(shop.read("troupe.json"), '"name": "work"')
    contains(shop.read("my other-1.json"), '"name": "my_other-1"')
    shop.troupe("run").must(0)


def init_writes_examples(shop):
    for name in ("c-build", "nightly", "samples", "site", "warehouse"):
        os.makedirs(shop.path(name))
        files = shop.troupe("init", "--example", name, "-C", name, "--json").must(0).json()["files"]
        assert "troupe.json" in files and all(shop.exists(f"{name}/{file}") for file in files), files
        shop.troupe("validate", "-C", name).must(0)
        os.unlink(shop.path(f"{name}/troupe.json"))
        contains(shop.troupe("init", "--example", name, "-C", name).must(2).errors, "is there already; nothing was changed")
        equal(shop.exists(f"{name}/troupe.json"), False)
    equal((os.access(shop.path("site/render.sh"), os.X_OK), os.access(shop.path("site/style.css"), os.X_OK)), (True, False))
    contains(shop.troupe("init", "--example", "nothing").must(2).errors, "c-build")
    contains(shop.troupe("init", "--example", "site", "-f", "x.json").must(2).errors, "leave -f out")


TESTS = [the_command_of_an_asset_can_be_pasted, a_failure_shows_its_command_and_whom_to_ask, output_of_what_succeeded, the_pipeline_of_a_folder_above_is_found, assets_and_files_are_found, habits,
         scripts_and_shells, init_names_the_pipeline_after_its_folder, init_writes_examples]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
