#!/usr/bin/env python3
"""Links in folders, executable bits, files whose stat says nothing: what counts, and what is said of it.
usage: links_test.py TROUPE [NAME...]"""
import os
import shutil
import sys

from harness import contains, equal, main, statuses


def link(shop, text, at):
    path = shop.path(at)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.remove(path)
    os.symlink(text, path)


STAGE = {"stage": {"command": "mkdir -p st; ln -sfn ../raw/a st/a", "inputs": ["raw/a"], "outputs": ["st"]},
         "use": {"command": "cat st/a > o", "inputs": ["st"], "outputs": ["o"]},
         "named": {"command": "cat st/a > o2", "deps": ["stage"], "outputs": ["o2"]}}


def a_stage_of_links_changes_with_what_it_links_to(shop):
    shop.write("raw/a", "1\n")
    shop.pipeline(STAGE)
    shop.run()
    equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.write("raw/a", "2\n")
    document = shop.run()
    equal(statuses(document), {"stage": "succeeded", "use": "succeeded", "named": "succeeded"})
    equal(document["assets"]["stage"]["changed"], True)
    equal((shop.read("o"), shop.read("o2")), ("2\n", "2\n"))
    equal(set(statuses(shop.run()).values()), {"fresh"})


def an_output_of_which_only_a_link_leads_elsewhere_is_told_as_that(shop):
    shop.write("raw/a", "1\n")
    shop.pipeline({"stage": {"command": "mkdir -p st; ln -sfn ../raw/a st/a; echo 1 > st/own", "outputs": ["st"]},
                   "one": {"command": "ln -sfn raw/a latest", "outputs": ["latest"]}})
    shop.run()
    shop.write("raw/a", "2\n")
    equal(shop.reasons("stage"), ("run", [("output_target_changed", "st/a")]))
    equal(shop.reasons("one"), ("run", [("output_target_changed", "latest")]))
    contains(shop.troupe("explain", "stage").must(0).text, "What a link in its output st/a leads to has changed.")
    equal(set(statuses(shop.run()).values()), {"succeeded"})
    shop.write("st/own", "by hand\n")
    equal(shop.reasons("stage"), ("run", [("output_modified", "st/own")]))
    shop.write("raw/a", "3\n")
    equal(shop.reasons("stage"), ("run", [("output_target_changed", "st/a"), ("output_modified", "st/own")]))


def a_link_to_what_another_asset_makes_is_a_dependency(shop):
    """A file that is not there yet, and a folder that holds an output: in the first run, and in each later one."""
    link(shop, "../out/model", "d/model")
    link(shop, "../../out", "e/sub/all")
    shop.write("in", "1\n")
    shop.pipeline({"file": {"command": "cat d/model > f", "inputs": ["d"], "outputs": ["f"]},
                   "folder": {"command": "cat e/sub/all/model > g", "inputs": ["e"], "outputs": ["g"]},
                   "text": {"command": "true", "inputs": ["d"], "links": "text"},
                   "train": {"command": "sleep 0.2; cat in > out/model", "inputs": ["in"], "outputs": ["out/model"]}})
    for text in ("1\n", "22\n"):
        shop.write("in", text)
        order = shop.plan()["order"]
        assert order.index("train") < min(order.index("file"), order.index("folder")), order
        shop.run("--workers", "4")
        equal((shop.read("f"), shop.read("g")), (text, text))
        equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.write("in", "333\n")
    equal(sorted(statuses(shop.run("file"))), ["file", "train"])     # so selections follow it
    shop.pipeline({"text": {"command": "true", "inputs": ["d"], "links": "text"},
                   "train": {"command": "cat in > out/model", "inputs": ["in"], "outputs": ["out/model"], "deps": ["text"]}})
    done = shop.troupe("run").must(0)
    assert "warning" not in done.text + done.errors, done.text + done.errors


def a_link_that_a_glob_finds_and_that_leads_to_what_another_asset_makes_is_a_dependency(shop):
    """Links to a file that is not there yet, to a folder that is not, and within a folder that was asked for as a whole."""
    link(shop, "../out/model", "d/model")
    link(shop, "../out", "e/all")
    link(shop, "../../out/model", "f/sub/model")
    link(shop, "chain", "g/first")
    link(shop, "../out/model", "g/chain")
    shop.pipeline({"file": {"command": "cat {{ inputs }} > r0", "inputs": ["d/*"], "outputs": ["r0"]},
                   "folder": {"command": "cat e/all/model > r1", "inputs": ["e/**/mod*"], "outputs": ["r1"]},
                   "whole": {"command": "cat f/sub/model > r2", "inputs": ["f/*/"], "outputs": ["r2"]},
                   "linked": {"command": "cat e/all/model > r3", "inputs": ["e/*/"], "outputs": ["r3"]},
                   "chain": {"command": "cat g/first > r4", "inputs": ["g/f*"], "outputs": ["r4"]},
                   "none": {"command": "echo {{ inputs }} > n", "inputs": ["d/*", "!d/model", "e/*/x*"], "outputs": ["n"]},
                   "train": {"command": "sleep 0.2; cat in > out/model", "inputs": ["in"], "outputs": ["out/model"]}})
    for text in ("1\n", "22\n"):
        shop.write("in", text)
        order = shop.plan()["order"]
        assert order.index("train") < min(order.index(name) for name in ("file", "folder", "whole", "linked", "chain")), order
        assert order.index("none") < order.index("train"), order
        shop.run("--workers", "6")
        equal([shop.read(f"r{n}") for n in range(5)], [text] * 5)
        equal(set(statuses(shop.run()).values()), {"fresh"})
    shop.write("in", "333\n")
    equal(sorted(statuses(shop.run("file"))), ["file", "train"])


def a_link_to_what_needs_the_asset_itself_is_a_warning(shop):
    link(shop, "../out/report", "d/last")
    shop.pipeline({"reads": {"command": "ls d > names", "inputs": ["d"], "outputs": ["names"]},
                   "report": {"command": "mkdir -p out; cat names > out/report", "inputs": ["names"], "outputs": ["out/report"]}})
    contains(shop.troupe("run").must(0).text, 'the link d/last in its inputs leads to what report makes; but report needs reads')
    shop.run()
    equal(set(statuses(shop.run()).values()), {"fresh"})


def links_by_text(shop):
    shop.write("raw/a", "1\n")
    link(shop, "../raw/a", "d/a")
    reads = {"command": "cat d/a > {{ outputs[0] }}", "inputs": ["d"]}
    shop.pipeline({"text": {**reads, "outputs": ["t"], "links": "text"}, "content": {**reads, "outputs": ["c"]}})
    shop.run()
    shop.write("raw/a", "2\n")
    equal(statuses(shop.run()), {"text": "fresh", "content": "succeeded"})
    equal((shop.read("t"), shop.read("c")), ("1\n", "2\n"))
    link(shop, "../raw/b", "d/a")
    shop.write("raw/b", "2\n")
    equal(statuses(shop.run()), {"text": "succeeded", "content": "fresh"})
    # Where all say so, what is behind the links is not looked at: it may be as large and as closed as it likes.
    shop.pipeline({"text": {**reads, "outputs": ["t"]}}, defaults={"links": "text"})
    equal(statuses(shop.run()), {"text": "fresh"})
    shop.write("raw/b", "3\n")
    equal(statuses(shop.run()), {"text": "fresh"})


def moving_a_folder_with_absolute_links_into_it_makes_nothing_stale(shop):
    shop.write("d/real", "1\n")
    shop.pipeline({"a": {"command": "cat d/link > o", "inputs": ["d"], "outputs": ["o"]}})
    link(shop, shop.path("d/real"), "d/link")
    shop.run()
    moved = os.path.join(shop.top, "moved")
    os.rename(shop.folder, moved)
    shop.folder = moved
    link(shop, shop.path("d/real"), "d/link")
    equal(statuses(shop.run()), {"a": "fresh"})


def links_that_lead_back_or_nowhere_end(shop):
    shop.write("d/f", "1\n")
    for text, at in (("..", "d/up"), (".", "d/self"), ("/", "d/root"), ("nowhere", "d/none"), ("loop", "d/loop"),
                     ("../.troupe", "d/state"), ("/proc", "d/proc"), ("/dev/stdin", "d/stdin")):
        link(shop, text, at)
    shop.pipeline({"a": {"command": "cat d/f > o", "inputs": ["d"], "outputs": ["o"]}})
    shop.run()
    equal(statuses(shop.run()), {"a": "fresh"})
    link(shop, "elsewhere", "d/none")
    equal(shop.reasons("a"), ("run", [("input_changed", "d/none")]))


def globs_go_into_linked_folders(shop):
    shop.write("vendor/v.c", "1\n")
    link(shop, "../vendor", "src/vendor")
    shop.pipeline({"deep": {"command": "cat src/*/*.c > o", "inputs": ["src/**/*.c"], "outputs": ["o"]}})
    shop.run()
    shop.write("vendor/v.c", "2\n")
    equal(shop.reasons("deep"), ("run", [("input_changed", "src/vendor/v.c")]))
    shop.write("vendor/deep/w.c", "3\n")
    equal(shop.reasons("deep"), ("run", [("input_changed", "src/vendor/v.c"), ("input_added", "src/vendor/deep/w.c")]))


def members_of_input_folders_are_named(shop):
    for i in range(1, 7):
        shop.write(f"d/e/f{i}", f"{i}\n")
    shop.pipeline({"a": {"command": "ls d > o", "inputs": ["d"], "outputs": ["o"]}})
    shop.run()
    shop.write("d/e/f2", "x\n")
    equal(shop.reasons("a"), ("run", [("input_changed", "d/e/f2")]))
    contains(shop.troupe("explain", "a").must(0).text, "The content of its input d/e/f2 has changed since.")
    document = shop.run()
    equal(document["assets"]["a"]["reasons"], [{"kind": "input_changed", "detail": "d/e/f2"}])
    shop.write("d/new/g", "1\n")
    os.remove(shop.path("d/e/f1"))
    os.chmod(shop.path("d/e/f3"), 0o755)
    equal(shop.reasons("a"), ("run", [("input_removed", "d/e/f1"), ("executable_changed", "d/e/f3"), ("input_added", "d/new/g")]))
    os.mkdir(shop.path("d/empty"))
    for i in range(2, 7):
        shop.write(f"d/e/f{i}", "y\n")
    equal(shop.reasons("a"), ("run", [("input_removed", "d/e/f1"), ("input_changed", "d/e/f2"), ("input_changed", "d/e/f3"),
                                      ("input_changed", "d (5 more)")]))


def members_behind_links_are_named(shop):
    shop.write("ref/sub/r", "1\n")
    link(shop, "../ref", "d/ref")
    shop.pipeline({"a": {"command": "cat d/ref/sub/r > o", "inputs": ["d"], "outputs": ["o"]}})
    shop.run()
    shop.write("ref/sub/r", "2\n")
    equal(shop.reasons("a"), ("run", [("input_changed", "d/ref/sub/r")]))


def that_listings_are_lost_costs_nothing_but_the_name(shop):
    shop.write("d/f", "1\n")
    shop.pipeline({"a": {"command": "cat d/f > o", "inputs": ["d"], "outputs": ["o"]}})
    shop.run()
    members = shop.path(".troupe/members")
    found = [os.path.join(folder, name) for folder, _, names in os.walk(members) for name in names]
    assert found, "no listing was kept"
    for path in found:
        equal(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, "ab") as file:
            file.write(b"damaged")
    shop.write("d/f", "2\n")
    equal(shop.reasons("a"), ("run", [("input_changed", "d")]))
    shutil.rmtree(members)
    equal(shop.reasons("a"), ("run", [("input_changed", "d")]))
    equal(statuses(shop.run()), {"a": "succeeded"})
    equal(statuses(shop.run()), {"a": "fresh"})


def plan_writes_no_listings(shop):
    shop.write("d/f", "1\n")
    shop.pipeline({"a": {"command": "cat d/f > o", "inputs": ["d"], "outputs": ["o"]}})
    shop.plan()
    assert not shop.exists(".troupe")


def a_folder_that_another_asset_makes_may_come_out_as_it_was(shop):
    shop.write("in", "1\n")
    shop.pipeline({"make": {"command": "mkdir -p d; cp in d/f", "inputs": ["in"], "outputs": ["d"]},
                   "use": {"command": "cat d/f > o", "inputs": ["d"], "outputs": ["o"]}})
    shop.run()
    shop.write("d/f", "by hand\n")
    equal(shop.reasons("make"), ("run", [("output_modified", "d/f")]))
    equal(shop.reasons("use"), ("maybe", [("upstream_changed", "make")]))
    equal(statuses(shop.run()), {"make": "succeeded", "use": "fresh"})


def the_executable_bit_of_a_file_counts(shop):
    shop.write("a.sh", "#!/bin/sh\n", mode=0o644)
    shop.pipeline({"pack": {"command": "tar -cf a.tar a.sh", "inputs": ["a.sh"], "outputs": ["a.tar"]},
                   "seen": {"outputs": ["a.sh"]},
                   "tool": {"command": "printf '#!/bin/sh\\n' > tool; chmod +x tool", "outputs": ["tool"]},
                   "use": {"command": "echo ran >> log", "deps": ["tool"]}})
    shop.run()
    os.chmod(shop.path("a.sh"), 0o755)
    equal(shop.reasons("pack"), ("run", [("executable_changed", "a.sh")]))
    equal(shop.reasons("seen"), ("run", [("executable_changed", "a.sh")]))
    shop.run()
    os.chmod(shop.path("a.sh"), 0o711)      # what others may do does not count
    equal(set(statuses(shop.run()).values()), {"fresh"})
    os.chmod(shop.path("tool"), 0o644)
    equal(shop.reasons("tool"), ("run", [("executable_changed", "tool")]))
    contains(shop.troupe("explain", "tool").must(0).text, "The executable bit of tool is not what it was.")
    equal(statuses(shop.run())["tool"], "succeeded")
    assert os.access(shop.path("tool"), os.X_OK)
    equal(shop.lines("log"), ["ran"])        # it came out as it was


def a_bit_that_an_asset_no_longer_sets_reaches_those_that_need_it_by_name(shop):
    def pipeline(mode):
        shop.pipeline({"tool": {"command": f"echo 1 > tool; chmod {mode} tool", "outputs": ["tool"]},
                       "use": {"command": "echo ran >> log", "deps": ["tool"]}})
    pipeline("755")
    shop.run()
    pipeline("644")
    shop.run()
    equal(shop.lines("log"), ["ran", "ran"])


def files_of_the_kernel_are_read_each_time(shop):
    shop.pipeline({"a": {"command": "cat /proc/uptime > o", "inputs": ["/proc/uptime"], "outputs": ["o"]},
                   "b": {"command": "cat /proc/version > v", "inputs": ["/proc/version"], "outputs": ["v"]}})
    shop.run()
    before = shop.read("o")
    shop.wait_for(lambda: open("/proc/uptime", encoding="ascii").read() != before, "the clock to go on")
    document = shop.run()
    equal(statuses(document), {"a": "succeeded", "b": "fresh"})


TESTS = [a_stage_of_links_changes_with_what_it_links_to, an_output_of_which_only_a_link_leads_elsewhere_is_told_as_that, links_by_text,
         a_link_to_what_another_asset_makes_is_a_dependency, a_link_that_a_glob_finds_and_that_leads_to_what_another_asset_makes_is_a_dependency, a_link_to_what_needs_the_asset_itself_is_a_warning,
         moving_a_folder_with_absolute_links_into_it_makes_nothing_stale, links_that_lead_back_or_nowhere_end, globs_go_into_linked_folders,
         members_of_input_folders_are_named, members_behind_links_are_named, that_listings_are_lost_costs_nothing_but_the_name,
         plan_writes_no_listings, a_folder_that_another_asset_makes_may_come_out_as_it_was, the_executable_bit_of_a_file_counts,
         a_bit_that_an_asset_no_longer_sets_reaches_those_that_need_it_by_name, files_of_the_kernel_are_read_each_time]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
