#!/usr/bin/env python3
"""Outputs of assets that no longer exist, outputs that are not written, cleared or adopted: from outside."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import contains, equal, main, statuses

MERGE = {"command": "cat {{ inputs }} > all", "inputs": ["out/*.txt"], "outputs": ["all"]}


def samples(*names):
    return {"matrix": {"n": list(names)}, "command": "mkdir -p out; echo {{ matrix.n }} > {{ outputs[0] }}", "outputs": ["out/{{ matrix.n }}.txt"]}


def an_orphan_is_left_out_of_a_glob_that_the_command_inserts(shop):
    shop.pipeline({"s": samples("A", "B", "C"), "merge": MERGE})
    shop.run()
    shop.pipeline({"s": samples("A", "B"), "merge": MERGE})
    contains(shop.troupe("run").must(0).text, "orphan_input", "out/C.txt", "troupe clean --orphans")
    equal(shop.read("all"), "A\nB\n")
    equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.pipeline({"s": samples("A", "B", "C"), "merge": MERGE})      # as another branch declares it
    equal(statuses(shop.run())["s[C]"], "fresh")
    equal(shop.read("all"), "A\nB\nC\n")


def files_of_another_param_are_no_orphans(shop):
    shop.pipeline({"day": {"command": "mkdir -p raw; echo 1 > {{ outputs[0] }}", "outputs": ["raw/{{ params.day }}"]},
                   "all": {"command": "cat {{ inputs }} > all", "inputs": ["raw/*"], "outputs": ["all"]}}, params={"day": "1"})
    shop.run()
    shop.run("--param", "day=2")
    equal(shop.read("all"), "1\n1\n")
    equal(shop.troupe("clean", "--orphans").must(0).text, "there are no orphans\n")


def a_file_that_is_declared_by_another_spelling_is_no_orphan(shop):
    os.symlink(".", shop.path("here"))
    spellings = ["o/a", "here/o/a", "../work/o/a", shop.path("o/a"), "here/here/o/a", "o/a"]
    for rule in ("refuse", "remove"):
        for spelling in spellings:
            shop.pipeline({"a": {"command": "date +%N > o/a", "outputs": [spelling]}, "b": {"command": "cat o/a > b", "inputs": ["o"], "outputs": ["b"]}}, engine={"orphans": rule})
            done = shop.troupe("run").must(0)
            assert "left over" not in done.text + done.errors, (spelling, done.text, done.errors)
            equal((spelling, shop.troupe("clean", "--orphans").must(0).text), (spelling, "there are no orphans\n"))
            equal(shop.read("b"), shop.read("o/a"))


def an_orphan_is_one_by_whatever_spelling_it_was_made_or_is_read(shop):
    os.symlink(".", shop.path("here"))
    for n, (made, read) in enumerate([("here/out", "out"), (shop.path("out"), "out"), ("out", "here/out"), ("../work/out", "here/out"), ("here/out", shop.path("out"))]):
        shop.pipeline({"s": {"matrix": {"n": ["A", "B"]}, "command": f"echo {n}{{{{ matrix.n }}}} > {{{{ outputs[0] }}}}", "outputs": [made + "/{{ matrix.n }}.txt"]},
                       "merge": {"command": "cat {{ inputs }} > all", "inputs": [read + "/*.txt"], "outputs": ["all"]}})
        shop.run()
        shop.pipeline({"s": {"matrix": {"n": ["A"]}, "command": f"echo {n}{{{{ matrix.n }}}} > {{{{ outputs[0] }}}}", "outputs": [made + "/{{ matrix.n }}.txt"]},
                       "merge": {"command": "cat {{ inputs }} > all", "inputs": [read + "/*.txt"], "outputs": ["all"]}})
        contains(shop.troupe("run").must(0).text, "orphan_input", "out/B.txt")
        equal((made, read, shop.read("all")), (made, read, f"{n}A\n"))
        shop.pipeline({"s": {"matrix": {"n": ["A"]}, "command": f"echo {n}{{{{ matrix.n }}}} > {{{{ outputs[0] }}}}", "outputs": [made + "/{{ matrix.n }}.txt"]},
                       "folder": {"command": "ls out > names", "inputs": [read], "outputs": ["names"]},
                       "literal": {"command": "cat out/B.txt > it", "inputs": [read + "/B.txt"], "outputs": ["it"]}}, engine={"error_strategy": "continue"})
        contains(shop.troupe("run").must(1).text, "holds out/B.txt", "is out/B.txt, left over from")
        shop.troupe("clean", "--orphans", "--yes").must(0)
        assert not shop.exists("out/B.txt")


def an_orphan_that_is_read_by_the_command_itself_fails_it(shop):
    for inputs in (["out/*.txt"], ["out"]):
        shop.pipeline({"s": samples("A", "B"), "merge": {"command": "cat out/*.txt > all", "inputs": inputs, "outputs": ["all"]}})
        shop.run()
        shop.pipeline({"s": samples("A"), "merge": {"command": "cat out/*.txt > all", "inputs": inputs, "outputs": ["all"]}})
        contains(shop.troupe("run").must(1).text, "out/B.txt", "declare it as a source", "clean --orphans")
        shop.troupe("clean", "--orphans", "--yes").must(0)
        shop.run()
        equal(shop.read("all"), "A\n")


def clean_asks_and_removes(shop):
    shop.pipeline({"s": samples("A", "B"), "merge": MERGE})
    shop.run()
    shop.pipeline({"s": samples("A"), "merge": MERGE})
    asked = shop.troupe("clean", "--orphans").must(2)
    contains(asked.text, "out/B.txt")
    contains(asked.errors, "--yes")
    assert os.path.exists(shop.path("out/B.txt"))
    equal(shop.troupe("clean", "--orphans", "--yes", "--json").must(0).json()["removed"], ["out/B.txt"])
    assert not os.path.exists(shop.path("out/B.txt"))
    contains(shop.troupe("clean").must(2).errors, "--yes")


def orphans_may_be_removed_or_count(shop):
    for rule, left in (("remove", "A\n"), ("warn", "A\nB\n")):
        shop.pipeline({"s": samples("A", "B"), "merge": MERGE}, engine={"orphans": rule})
        shop.run()
        shop.pipeline({"s": samples("A"), "merge": MERGE}, engine={"orphans": rule})
        shop.run()
        equal((rule, shop.read("all")), (rule, left))
        equal(os.path.exists(shop.path("out/B.txt")), rule == "warn")


def an_orphan_that_was_edited_or_is_a_source_is_kept(shop):
    shop.pipeline({"s": samples("A", "B"), "merge": MERGE})
    shop.run()
    shop.pipeline({"s": samples("A"), "kept": {"outputs": ["out/B.txt"]}, "merge": MERGE})
    shop.run()
    equal(shop.read("all"), "A\nB\n")
    shop.pipeline({"s": samples("A"), "merge": MERGE})
    shop.write("out/B.txt", "mine\n")
    shop.run()
    equal(shop.read("all"), "A\nmine\n")


def an_output_that_is_not_written_is_a_warning(shop):
    shop.write("make.sh", "echo 1 > out.txt")
    shop.pipeline({"a": {"command": "sh make.sh", "inputs": ["make.sh"], "outputs": ["out.txt"]}})
    shop.run()
    shop.write("make.sh", "echo 1 > uot.txt")
    os.utime(shop.path("out.txt"), (1, 1))
    shop.troupe("run").must(0)
    shop.write("make.sh", "echo 2 > uot.txt; sleep 0.1")
    contains(shop.troupe("run").must(0).text, "output_not_written", "out.txt", "attempt 1")


def cleared_outputs_hold_only_what_the_attempt_made(shop):
    shop.write("list", "a b")
    shop.pipeline({"a": {"command": "mkdir -p out; for i in $(cat list); do echo $i > out/$i; done", "inputs": ["list"], "outputs": ["out"], "clear_outputs": True},
                   "n": {"command": "ls out | wc -l > n", "inputs": ["out"], "outputs": ["n"]}})
    shop.run()
    shop.write("list", "a")
    shop.run()
    equal(shop.read("n").strip(), "1")


def an_engine_that_is_killed_by_the_command_that_has_just_started_knows_its_outputs(shop):
    """What was not there before the attempt is on disk before the command can make it."""
    kill = "test -e once || { touch once; kill -9 $PPID; sleep 5; }"
    for verb, outputs in (("resume", ["out"]), ("run", ["out"]), ("run", ["out", "file"])):
        shop.pipeline({"a": {"command": f"mkdir -p out; echo 1 > out/$TROUPE_ATTEMPT; echo 1 > file; {kill}", "outputs": outputs, "clear_outputs": True}}, engine={"grace_period": "1s"})
        equal(shop.troupe("run").status, -9)
        shop.troupe(verb).must(0)
        assert len(os.listdir(shop.path("out"))) == 1, os.listdir(shop.path("out"))
        for name in (".troupe", "out"):
            shutil.rmtree(shop.path(name))
        for name in ("once", "file"):
            os.unlink(shop.path(name))
    shop.pipeline({"b": {"command": "true"}})


def a_second_attempt_begins_without_what_the_first_one_left(shop):
    shop.pipeline({"a": {"command": "echo line >> o; [ $TROUPE_ATTEMPT = 2 ]", "outputs": ["o"], "clear_outputs": True, "retry": {"attempts": 2, "delay": "10ms"}}})
    shop.run()
    equal(shop.read("o"), "line\n")


def what_nobody_here_made_is_not_cleared(shop):
    shop.write("o", "mine\n")
    shop.pipeline({"a": {"command": "echo 1 > o", "outputs": ["o"], "clear_outputs": True}})
    contains(shop.troupe("run").must(1).text, "which no attempt of this asset made")
    equal(shop.read("o"), "mine\n")


def a_link_is_removed_and_not_what_it_leads_to(shop):
    shop.write("mine", "mine\n")
    shop.pipeline({"a": {"command": "test -e o || ln -s mine o", "outputs": ["o"], "clear_outputs": True, "version": "1"}})
    shop.run()
    shop.pipeline({"a": {"command": "test -e o || ln -s mine o", "outputs": ["o"], "clear_outputs": True, "version": "2"}})
    shop.run()
    equal(shop.read("mine"), "mine\n")


def adopt_takes_what_is_there(shop):
    shop.write("in", "1\n")
    shop.write("out", "1\n")
    shop.pipeline({"a": {"command": "echo ran >> ran; cp in out", "inputs": ["in"], "outputs": ["out"]},
                   "b": {"command": "echo ran >> ran; cp out last", "inputs": ["out"], "outputs": ["last"]}})
    contains(shop.troupe("adopt", "--all", "--yes").must(2).errors, "last")          # not there: nothing is adopted
    contains(shop.troupe("adopt", "a").must(2).errors, "--yes")
    equal(shop.troupe("adopt", "a", "--yes", "--json").must(0).json()["adopted"], ["a"])
    equal(statuses(shop.run()), {"a": "fresh", "b": "succeeded"})
    equal(shop.read("ran"), "ran\n")
    contains(shop.troupe("adopt", "--all", "--yes").must(0).text, "nothing to adopt")
    contains(shop.troupe("adopt").must(2).errors, "--all")
    shop.write("in", "2\n")
    equal(statuses(shop.run())["a"], "succeeded")


TESTS = [an_orphan_is_left_out_of_a_glob_that_the_command_inserts, files_of_another_param_are_no_orphans,
         a_file_that_is_declared_by_another_spelling_is_no_orphan, an_orphan_is_one_by_whatever_spelling_it_was_made_or_is_read, an_orphan_that_is_read_by_the_command_itself_fails_it,
         clean_asks_and_removes, orphans_may_be_removed_or_count, an_orphan_that_was_edited_or_is_a_source_is_kept, an_output_that_is_not_written_is_a_warning,
         cleared_outputs_hold_only_what_the_attempt_made, an_engine_that_is_killed_by_the_command_that_has_just_started_knows_its_outputs, a_second_attempt_begins_without_what_the_first_one_left, what_nobody_here_made_is_not_cleared,
         a_link_is_removed_and_not_what_it_leads_to, adopt_takes_what_is_there]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
