#!/usr/bin/env python3
"""An asset for every file, line and row: matrices whose values are read when the pipeline is loaded, from outside."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import contains, equal, main, statuses

PAGE = {"matrix": {"page": {"glob": "pages/**/*.md"}}, "command": ["cp", "{{ inputs[0] }}", "{{ outputs[0] }}"], "inputs": ["{{ matrix.page }}"],
        "outputs": ["public/{{ matrix.page.id }}.html"]}
INDEX = {"command": "printf '%s\\n' {{ inputs }} > index", "inputs": ["public/**/*.html"], "outputs": ["index"]}


def site(shop, **more):
    shop.pipeline({"page": PAGE, "index": INDEX}, **more)


def files_that_come_and_go(shop):
    shop.write("pages/index.md", "i")
    shop.write("pages/guide/start.md", "s")
    site(shop)
    equal(statuses(shop.run()), {"page[guide/start]": "succeeded", "page[index]": "succeeded", "index": "succeeded"})
    equal(shop.lines("index"), ["public/guide/start.html", "public/index.html"])
    equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.write("pages/new.md", "n")
    equal(statuses(shop.run()), {"page[guide/start]": "fresh", "page[index]": "fresh", "page[new]": "succeeded", "index": "succeeded"})
    os.unlink(shop.path("pages/index.md"))
    done = shop.run()
    equal(statuses(done), {"page[guide/start]": "fresh", "page[new]": "fresh", "index": "succeeded"})
    equal(shop.lines("index"), ["public/guide/start.html", "public/new.html"])
    contains(shop.troupe("clean", "--orphans", "--yes").must(0).text, "public/index.html")
    os.rename(shop.path("pages/new.md"), shop.path("pages/newer.md"))
    equal(statuses(shop.run())["page[newer]"], "succeeded")
    equal(shop.troupe("run", "page[newer]").must(0).status, 0)


def every_verb_knows_the_assets(shop):
    shop.write("pages/a.md", "a")
    shop.write("pages/b,c.md", "b")
    site(shop)
    contains(shop.troupe("plan").must(0).text, "page[a]", "page[b%2Cc]")
    contains(shop.troupe("validate").must(0).text, "3 assets")
    contains(shop.troupe("graph").must(0).text, "page[a]")
    shop.run()
    contains(shop.troupe("status").must(0).text, "page[b%2Cc]")
    contains(shop.troupe("explain", "page[a]").must(0).text, "fresh")
    equal(shop.troupe("logs", "page[b%2Cc]").must(0).status, 0)
    shop.write("pages/b,c.md", "other")
    equal(shop.reasons("page[b%2Cc]"), ("run", [("input_changed", "pages/b,c.md")]))
    equal(shop.read("public/b%2Cc.html"), "b")


def what_was_made_makes_no_assets(shop):
    shop.write("in/a.txt", "a")
    copy = {"matrix": {"f": {"glob": "in/*.txt"}}, "command": "cat {{ matrix.f }} > {{ outputs[0] }}", "inputs": ["{{ matrix.f }}"], "outputs": ["out/{{ matrix.f.id }}"]}
    shop.pipeline({"gen": {"command": "echo g > in/gen.txt", "outputs": ["in/gen.txt"]}, "copy": copy})
    contains(shop.troupe("validate").must(2).text, "matrix_of_outputs", "in/gen.txt")
    shop.pipeline({"gen": {"command": "echo g > in/gen.txt", "outputs": ["in/gen.txt"]}})
    shop.run()
    shop.pipeline({"copy": copy})
    contains(shop.troupe("run").must(0).errors, "orphan_input", "in/gen.txt", "troupe clean --orphans")
    assert not shop.exists("out/gen")
    contains(shop.troupe("validate").must(0).text, "orphan_input")
    shop.write("in/gen.txt", "mine")                                  # now it is the user's
    equal(statuses(shop.run()), {"copy[a]": "fresh", "copy[gen]": "succeeded"})
    shop.write("in/gen.txt", "g\n")
    equal(list(statuses(shop.run())), ["copy[a]"])
    shop.pipeline({"kept": {"outputs": ["in/gen.txt"]}, "copy": copy})
    equal(sorted(statuses(shop.run())), ["copy[a]", "copy[gen]", "kept"])


def what_is_in_a_folder_that_was_made_makes_no_assets(shop):
    shop.pipeline({"gen": {"command": "mkdir -p gen; echo g > gen/x.txt", "outputs": ["gen"]}})
    shop.run()
    os.symlink(".", shop.path("here"))
    for glob in ("gen/*.txt", "here/gen/*.txt"):
        shop.pipeline({"copy": {"matrix": {"f": {"glob": glob}}, "command": "true"}})
        contains(shop.troupe("validate").must(0).text, "orphan_input", "gen/x.txt", "empty_source")


def rows_lines_and_params(shop):
    shop.write("s.csv", "id;r1\nA;raw/a\nB;raw/b\n")
    shop.write("raw/a", "1")
    shop.write("raw/b", "2")
    shop.write("days", "mon\ntue\n")
    assets = {"map": {"matrix": {"s": {"values": "sample"}}, "command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["{{ matrix.s.r1 }}"], "outputs": ["bam/{{ matrix.s }}"]},
              "all": {"matrix": {"d": {"lines": "{{ params.file }}"}}, "command": "cat bam/A > {{ outputs[0] }}", "inputs": ["bam/A"], "outputs": ["all/{{ matrix.d }}"], "deps": ["map[B]"]}}
    shop.pipeline(assets, values={"sample": {"csv": "s.csv", "separator": ";"}}, params={"file": "days"})
    equal(sorted(statuses(shop.run())), ["all[mon]", "all[tue]", "map[A]", "map[B]"])
    shop.write("s.csv", "id;more;r1\nA;x;raw/a\nB;y;raw/b\n")          # another column, which nothing uses
    equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.pipeline(assets, values={"sample": [{"name": "A", "r1": "raw/a"}, {"name": "B", "r1": "raw/b"}]}, params={"file": "days"})
    equal(set(statuses(shop.run()).values()), {"fresh"})              # where it comes from counts nothing
    shop.write("other", "wed\n")
    equal(sorted(statuses(shop.run("--param", "file=other"))), ["all[wed]", "map[A]", "map[B]"])


def nothing_found_is_a_warning(shop):
    site(shop)
    contains(shop.troupe("run").must(0).errors, "empty_source")
    equal(shop.troupe("run", "--strict").must(2).status, 2)
    shop.pipeline({"page": PAGE})
    equal(shop.troupe("run").must(0).status, 0)
    equal(shop.troupe("plan", "--json").must(0).json()["assets"], {})


def a_resumed_run_is_of_the_same_files(shop):
    shop.write("pages/a.md", "a")
    shop.write("pages/b.md", "b")
    assets = {"page": {**PAGE, "command": "test ! -e fail || exit 1; cp {{ inputs[0] }} {{ outputs[0] }}"}}
    shop.pipeline(assets)
    shop.write("fail", "")
    shop.troupe("run").must(1)
    os.unlink(shop.path("fail"))
    shop.write("pages/c.md", "c")
    done = shop.troupe("resume", "--json")
    assert done.status in (0, 2), done.text                            # refused with a reason, or without the new file
    if done.status == 2:
        contains(done.text + done.errors, "page[c]")
    equal(set(statuses(shop.run())), {"page[a]", "page[b]", "page[c]"})


TESTS = [files_that_come_and_go, every_verb_knows_the_assets, what_was_made_makes_no_assets, what_is_in_a_folder_that_was_made_makes_no_assets, rows_lines_and_params,
         nothing_found_is_a_warning, a_resumed_run_is_of_the_same_files]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
