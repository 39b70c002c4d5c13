#!/usr/bin/env python3
"""`troupe run --watch`: which changes start a run and which do not. Knows the CLI only; waits for runs in the history, never for a time."""
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import contains, equal, main


class Watching:
    """A watching troupe, and the marks that its commands leave."""

    def __init__(self, shop, *arguments):
        self.shop, self.out = shop, open(shop.path("watch.log"), "wb")
        self.process = subprocess.Popen([harness.TROUPE, "run", "--watch", *arguments], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=60)
        self.out.close()

    def text(self):
        return self.shop.read("watch.log")

    def waits(self, times):
        self.shop.wait_for(lambda: self.text().count("Ctrl-C ends this") >= times, f"it waits for the {times}. time: " + self.text()[-500:])

    def end(self):
        self.process.send_signal(signal.SIGINT)
        equal(self.process.wait(timeout=60), 130)


def edits_start_runs(shop):
    shop.write("in.txt", "1\n")
    shop.write("src/deep/a.c", "a")
    shop.write("other.txt", "o")
    shop.pipeline({"a": {"command": "cat in.txt >> log_a; cp in.txt out.txt", "inputs": ["in.txt"], "outputs": ["out.txt"]},
                   "b": {"command": "echo {{ inputs }} > b", "inputs": ["src/**/*.c"], "outputs": ["b"]},
                   "c": {"command": "cat other.txt >> c_log; cp other.txt c", "inputs": ["other.txt"], "outputs": ["c"]}})
    with Watching(shop, "a", "b") as watching:
        watching.waits(1)
        shop.write("in.txt", "2\n")
        shop.wait_for(lambda: shop.lines("out.txt") == ["2"], "in.txt was read again")
        watching.waits(2)
        shop.write("src/new/b.c", "b")                # in a folder that is new, too
        shop.wait_for(lambda: shop.lines("b") == ["src/deep/a.c src/new/b.c"], "the new file is found")
        watching.waits(3)
        os.replace(shop.path("other.txt"), shop.path("in.txt"))       # as editors save
        shop.wait_for(lambda: shop.lines("out.txt") == ["o"], "a file that was moved in counts")
        watching.waits(4)
        equal(shop.exists("c"), False)                # nobody asked for it
        equal(shop.troupe("run", "a").must(0).status, 0)              # the state is free meanwhile
        watching.end()
    contains(watching.text(), "changed: in.txt", "changed: src/new")


def outputs_and_the_state_start_none(shop):
    shop.write("in.txt", "1\n")
    shop.pipeline({"a": {"command": "echo >> runs; mkdir -p gen; cp in.txt gen/a", "inputs": ["in.txt"], "outputs": ["gen/a"]}, "b": {"command": "cat gen/a > b", "inputs": ["gen/*"], "outputs": ["b"]}})
    with Watching(shop) as watching:
        watching.waits(1)
        shop.write("gen/a", "edited")
        shop.run("b", "--only")                       # the state changes
        shop.write("in.txt", "2\n")
        watching.waits(2)
        equal(watching.text().count("changed: "), 1)
        watching.end()
    equal(shop.read("b"), "2\n")


def mistakes_are_waited_out(shop):
    shop.pipeline({"a": {"command": "echo 1 > a", "outputs": ["a"]}})
    with Watching(shop) as watching:
        watching.waits(1)
        shop.write("troupe.json", "{ not json")
        watching.waits(2)
        shop.pipeline({"a": {"command": "echo 2 > a", "outputs": ["a"]}, "bad": {"command": "false"}})
        shop.wait_for(lambda: shop.lines("a") == ["2"], "the mended pipeline has run")
        watching.waits(3)
        shop.pipeline({"a": {"command": "echo 3 > a", "outputs": ["a"]}})
        shop.wait_for(lambda: shop.lines("a") == ["3"], "a failure does not end it")
        watching.waits(4)
        watching.end()
    contains(watching.text(), "troupe.json:1:", "failed: bad")


def reported_inputs_and_values_count(shop):
    shop.write("a.c", "c")
    shop.write("lib/a.h", "h")
    shop.write("names.txt", "x\n")
    shop.pipeline({"a": {"command": """echo '{"inputs": ["lib/a.h"]}' > "$TROUPE_RESULT"; cat a.c lib/a.h > o""", "inputs": ["a.c"], "outputs": ["o"]},
                   "n": {"matrix": {"n": {"lines": "names.txt"}}, "command": "echo {{ matrix.n }} > n_{{ matrix.n }}", "outputs": ["n_{{ matrix.n }}"]}})
    with Watching(shop) as watching:
        watching.waits(1)
        shop.write("lib/a.h", "H")
        shop.wait_for(lambda: shop.lines("o") == ["cH"], "a reported input counts")
        watching.waits(2)
        shop.write("names.txt", "x\ny\n")
        shop.wait_for(lambda: shop.lines("n_y") == ["y"], "a value file counts")
        watching.waits(3)
        watching.end()


def a_command_that_changes_its_own_input_ends_the_circle(shop):
    shop.write("in.txt", "1\n")
    shop.pipeline({"a": {"command": "echo >> runs; date +%N >> in.txt; cp in.txt out.txt", "inputs": ["in.txt"], "outputs": ["out.txt"]}})
    with Watching(shop) as watching:
        watching.waits(1)
        contains(watching.text(), "changed during two runs in a row")
        equal(len(shop.lines("runs")), 2)
        watching.end()


def folders_that_come_and_go(shop):
    shop.pipeline({"a": {"command": "cat {{ inputs }} > out.txt", "inputs": [{"optional": "later/in.txt"}, "data/*.txt"], "outputs": ["out.txt"], "ignore_warnings": ["empty_glob"]}})
    with Watching(shop) as watching:
        watching.waits(1)
        shop.write("data/x.txt", "x\n")
        shop.wait_for(lambda: shop.lines("out.txt") == ["x"], "a folder that was not there is seen")
        watching.waits(2)
        shutil.rmtree(shop.path("data"))
        watching.waits(3)
        shop.write("data/y.txt", "y\n")
        shop.wait_for(lambda: shop.lines("out.txt") == ["y"], "and seen again")
        watching.waits(4)
        watching.end()


def what_does_not_go_with_it(shop):
    shop.pipeline({"a": {"command": "true"}})
    for more in (["--json"], ["-n"], ["--detach"], ["--failed"], ["-f", "-"]):
        contains(shop.troupe("run", "--watch", *more).must(2).errors, "--watch")
    contains(shop.troupe("run", "-w", "nothing").must(2).errors, "no asset is named")


def what_links_lead_to_counts(shop):
    shop.write("real/in.txt", "1\n")
    shop.write("v1/x", "one\n")
    shop.write("v2/x", "two\n")
    os.symlink("real/in.txt", shop.path("in.txt"))
    os.symlink("v1", shop.path("current"))
    shop.pipeline({"a": {"command": "cat in.txt current/x > out.txt", "inputs": ["in.txt", "current/x"], "outputs": ["out.txt"]}})
    with Watching(shop) as watching:
        watching.waits(1)
        shop.write("real/in.txt", "2\n")
        shop.wait_for(lambda: shop.lines("out.txt") == ["2", "one"], "the file that the link leads to was read again")
        watching.waits(2)
        os.symlink("v2", shop.path("next"))
        os.replace(shop.path("next"), shop.path("current"))
        shop.wait_for(lambda: shop.lines("out.txt") == ["2", "two"], "the link to a folder was followed again")
        watching.waits(3)
        watching.end()


def values_that_change_during_a_run_count(shop):
    shop.write("values.json", '["x"]')
    shop.write("a.txt", "1\n")
    shop.write("go", "")
    shop.pipeline({"each": {"matrix": {"v": {"json": "values.json"}}, "command": "cp a.txt out-{{ matrix.v }}; echo x >> began; until test -e go; do sleep 0.02; done",
                            "inputs": ["a.txt"], "outputs": ["out-{{ matrix.v }}"]}})
    with Watching(shop) as watching:
        watching.waits(1)
        os.unlink(shop.path("go"))
        shop.write("a.txt", "2\n")
        shop.wait_for(lambda: len(shop.lines("began")) == 2, "a run goes on")
        shop.write("values.json", '["x", "y"]')
        shop.write("go", "")
        shop.wait_for(lambda: shop.exists("out-y"), "the new value is made")
        watching.waits(2)
        watching.end()


TESTS = [what_links_lead_to_counts, values_that_change_during_a_run_count, edits_start_runs, outputs_and_the_state_start_none, mistakes_are_waited_out, reported_inputs_and_values_count, a_command_that_changes_its_own_input_ends_the_circle, folders_that_come_and_go, what_does_not_go_with_it]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
