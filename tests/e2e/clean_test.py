#!/usr/bin/env python3
"""`troupe clean`: which outputs it removes, and which it leaves whatever the folder holds. Knows the CLI only."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Skip, contains, equal, main, statuses

COPY = {"a": {"command": "mkdir -p out; cp in.txt out/a.txt", "inputs": ["in.txt"], "outputs": ["out/a.txt"]},
        "b": {"command": "sed s/x/y/ out/a.txt > out/b.txt", "inputs": ["out/a.txt"], "outputs": ["out/b.txt"]}}


def made(shop, assets, **more):
    shop.write("in.txt", "x\n")
    shop.pipeline(assets, **more)
    shop.run()


def it_lists_asks_and_removes(shop):
    made(shop, COPY)
    asked = shop.troupe("clean").must(2)
    contains(asked.text, "out/a.txt  (a)\n", "out/b.txt  (b)\n")
    contains(asked.errors, "nothing was changed", "--yes")
    contains(shop.troupe("clean", "-n").must(0).text, "out/a.txt  (a)\n", "nothing was removed (--dry-run)")
    equal(shop.troupe("clean", "-n", "--json").must(0).json()["would_remove"], ["out/a.txt", "out/b.txt"])
    equal((shop.exists("out/a.txt"), shop.exists("out/b.txt")), (True, True))
    equal(shop.troupe("clean", "b", "--yes").must(0).text, "out/b.txt  (b)\nremoved 1 output\n")
    equal((shop.exists("out/a.txt"), shop.exists("out/b.txt"), shop.exists("in.txt")), (True, False, True))
    equal(shop.troupe("clean", "--yes", "--json").must(0).json()["removed"], ["out/a.txt"])
    equal(shop.troupe("clean", "--yes").must(0).text, "there is nothing to remove\n")
    equal(statuses(shop.run()), {"a": "succeeded", "b": "succeeded"})
    equal(shop.troupe("clean", "out/a.txt", "--yes").must(0).text, "out/a.txt  (a)\nremoved 1 output\n")
    contains(shop.troupe("clean", "nothing", "--yes").must(2).errors, "no asset is named")
    contains(shop.troupe("clean", "--orphans", "a").must(2).errors, "no SELECTION")


def without_a_state_there_is_nothing(shop):
    shop.write("in.txt", "x\n")
    shop.pipeline(COPY)
    shop.write("out/a.txt", "mine\n")
    equal(shop.troupe("clean", "--yes").must(0).text, "there is nothing to remove\n")
    equal((shop.read("out/a.txt"), shop.exists(".troupe")), ("mine\n", False))


def what_was_edited_is_kept(shop):
    made(shop, COPY)
    shop.write("out/a.txt", "edited by hand\n")
    done = shop.troupe("clean", "--yes").must(0)
    contains(done.text, "kept: out/a.txt (a): changed since it was made; --force", "removed 1 output")
    equal((shop.read("out/a.txt"), shop.exists("out/b.txt")), ("edited by hand\n", False))
    equal(shop.troupe("clean", "--yes", "--json").must(0).json(), {"format": 1, "removed": [], "kept": ["out/a.txt"]})
    contains(shop.troupe("clean", "--force", "--yes").must(0).text, "out/a.txt  (a, changed since it was made)")
    assert not shop.exists("out/a.txt")


def links_are_removed_and_not_followed(shop):
    shop.write("kept/data.txt", "data\n")
    made(shop, {"link": {"command": "ln -sf kept/data.txt l", "outputs": ["l"]}, "tree": {"command": "mkdir -p t; ln -sf ../kept t/k; echo 1 > t/own", "outputs": ["t"], "links": "text"}})
    shop.troupe("clean", "--yes").must(0)
    equal((shop.exists("l"), shop.exists("t"), shop.read("kept/data.txt")), (False, False, "data\n"))
    made(shop, COPY)                                  # a file that a link to an equal one has taken the place of
    shop.write("mine.txt", "x\n")
    os.unlink(shop.path("out/a.txt"))
    os.symlink("../mine.txt", shop.path("out/a.txt"))
    contains(shop.troupe("clean", "a", "--yes").must(0).text, "kept: out/a.txt")
    equal((os.path.islink(shop.path("out/a.txt")), shop.read("mine.txt")), (True, "x\n"))
    shutil.rmtree(shop.path("out"))                   # a folder that a link to another one has taken the place of
    shop.write("elsewhere/a.txt", "not yours\n")
    os.symlink("elsewhere", shop.path("out"))
    shop.troupe("clean", "--yes").must(0)
    equal((shop.read("elsewhere/a.txt"), os.path.islink(shop.path("out"))), ("not yours\n", True))


def sources_and_inputs_are_never_removed(shop):
    shop.write("raw/s.csv", "1\n")
    made(shop, {"s": {"outputs": ["raw/s.csv"]}, "c": {"command": "cat in.txt raw/s.csv > c", "inputs": ["in.txt", "raw/s.csv"], "outputs": ["c"]}})
    equal(shop.troupe("clean", "--yes", "--force", "--json").must(0).json()["removed"], ["c"])
    equal((shop.exists("in.txt"), shop.exists("raw/s.csv")), (True, True))
    made(shop, {"a": COPY["a"]})                      # what was an output is an input that nobody makes
    shop.pipeline({"b": COPY["b"]})
    shop.troupe("clean", "--yes", "--force").must(0)
    equal(shop.read("out/a.txt"), "x\n")
    shop.pipeline({"raw": {"outputs": ["out/a.txt"]}, "b": COPY["b"]})
    shop.troupe("clean", "--yes", "--force").must(0)
    equal(shop.read("out/a.txt"), "x\n")


def a_file_of_two_assets_is_the_last_makers(shop):
    made(shop, COPY)
    shop.pipeline({"other": {"command": "cp in.txt out/a.txt", "inputs": ["in.txt"], "outputs": ["out/a.txt"]}})
    shop.run()
    shop.pipeline({"a": COPY["a"]})
    contains(shop.troupe("clean", "--yes", "--force").must(0).text, "kept: out/a.txt (a): another asset made it last, other")
    equal(shop.read("out/a.txt"), "x\n")


def folders_with_foreign_files_are_kept(shop):
    made(shop, {"t": {"command": "mkdir -p t/u; echo 1 > t/u/one", "outputs": ["t"]}})
    shop.write("t/u/mine", "precious\n")
    contains(shop.troupe("clean", "--yes").must(0).text, "kept: t (t): changed since it was made")
    equal(shop.read("t/u/mine"), "precious\n")
    os.unlink(shop.path("t/u/mine"))
    shop.troupe("clean", "--yes").must(0)
    assert not shop.exists("t")


def a_folder_with_the_state_or_the_pipeline_is_kept(shop):
    made(shop, {"t": {"command": "mkdir -p t; echo 1 > t/one", "outputs": ["t"], "links": "text"}})
    os.mkdir(shop.path("t/here"))
    contains(shop.troupe("-C", "t/here", "clean", "--yes", "--force").must(0).text, "kept: t (t): the working folder is in it")
    assert shop.exists("t/here")
    shutil.move(shop.path(".troupe"), shop.path("t/state"))
    os.symlink("t/state", shop.path("s"))
    for state in ("t/state", "s"):
        refused = shop.troupe("clean", "--yes", "--force", "--state", state)
        contains(refused.text + refused.errors, "state")
        assert shop.exists("t/state/journal.mdb"), state


def outputs_outside_of_the_folder(shop):
    made(shop, {"far": {"command": "mkdir -p ../far; echo 1 > ../far/o; echo 2 > ../far/other", "outputs": ["../far/o"]}})
    equal(shop.troupe("clean", "--yes").must(0).text, "../far/o  (far)\nremoved 1 output\n")
    equal(os.listdir(os.path.join(shop.top, "far")), ["other"])


def a_mount_point_is_not_crossed(shop):
    made(shop, {"t": {"command": "mkdir -p t/m; echo 1 > t/one", "outputs": ["t"]}, "u": {"command": "echo 1 > u", "outputs": ["u"]}})
    script = 'mount -t tmpfs none t/m && "$0" clean --yes; s=$?; ls t; umount t/m; exit $s'
    import harness
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, harness.TROUPE], cwd=shop.folder, capture_output=True, text=True, timeout=60, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr.split("\n")[0]:
        raise Skip("no file system can be mounted here")
    contains(done.stderr, "a file system is mounted there", "1 output removed")
    equal((done.returncode, done.stdout.endswith("m\none\n"), shop.exists("u")), (2, True, False))


def a_run_that_goes_on_is_not_disturbed(shop):
    shop.write("go", "1")
    made(shop, {"a": COPY["a"], "slow": {"command": "touch begun; while [ ! -e go ]; do sleep 0.02; done", "always": True}}, engine={"workers": 2})
    os.unlink(shop.path("go"))
    os.unlink(shop.path("begun"))
    running = shop.start("run", "slow")
    try:
        shop.wait_for(lambda: shop.exists("begun"), "the command has begun")
        contains(shop.troupe("clean", "a", "--yes").must(3).errors, "in use by process")
        assert shop.exists("out/a.txt")
    finally:
        shop.write("go", "1")
        running.communicate(timeout=60)
    shop.troupe("clean", "a", "--yes").must(0)
    assert not shop.exists("out/a.txt")


TESTS = [it_lists_asks_and_removes, without_a_state_there_is_nothing, what_was_edited_is_kept, links_are_removed_and_not_followed, sources_and_inputs_are_never_removed, a_file_of_two_assets_is_the_last_makers,
         folders_with_foreign_files_are_kept, a_folder_with_the_state_or_the_pipeline_is_kept, outputs_outside_of_the_folder, a_mount_point_is_not_crossed, a_run_that_goes_on_is_not_disturbed]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
