#!/usr/bin/env python3
"""Keys that few assets have: what a depfile lists, a data version from the standard output, commands that say there is nothing to do, and values in files."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Skip, contains, equal, main, statuses

# Copies what it is made from and lists the files it has read, as a compiler does: the include lines of its input.
CC = """#!/bin/sh
# usage: cc SOURCE OUTPUT DEPFILE
{ printf '%s: %s' "$2" "$1"; sed -n 's/^include //p' "$1" | sed 's/ /\\\\ /g' | while read -r h; do printf ' \\\\\\n  %s' "$h"; done; echo; } > "$3"
cat "$1" > "$2"
sed -n 's/^include //p' "$1" | while IFS= read -r h; do cat "$h" >> "$2"; done
"""


def outcome(shop, asset):
    """Of the last attempt at it."""
    return shop.troupe("show", "--json").must(0).json()["assets"][asset]["each_attempt"][-1]["outcome"]


def compiled(shop, **more):
    shop.write("cc", CC, 0o755)
    shop.write("a.c", "include inc/a.h\n")
    shop.write("b.c", "include inc/a.h\ninclude inc/b b.h\n")
    shop.write("inc/a.h", "a1\n")
    shop.write("inc/b b.h", "b1\n")
    shop.pipeline({"obj": {"matrix": {"c": {"glob": "*.c"}}, "command": ["./cc", "{{ inputs[0] }}", "{{ outputs[0] }}", "{{ outputs[0] }}.d"], "inputs": ["{{ matrix.c }}"],
                           "outputs": ["obj/{{ matrix.c.stem }}.o"], "depfile": "{{ outputs[0] }}.d", **more}})


def what_a_depfile_lists_counts(shop):
    compiled(shop)
    equal(set(statuses(shop.run()).values()), {"succeeded"})
    equal(set(statuses(shop.run()).values()), {"fresh"})
    assert shop.exists("obj/a.o.d"), "it is kept"
    shop.write("inc/b b.h", "b2\n")
    equal(shop.reasons("obj[b]"), ("run", [("input_changed", "inc/b b.h")]))
    equal(statuses(shop.run()), {"obj[a]": "fresh", "obj[b]": "succeeded"})
    equal(shop.read("obj/b.o").splitlines()[-1], "b2")
    shop.write("inc/a.h", "a2\n")
    equal(set(statuses(shop.run()).values()), {"succeeded"})
    # What is no longer included counts no longer.
    shop.write("b.c", "include inc/a.h\n")
    shop.run()
    shop.write("inc/b b.h", "b3\n")
    equal(set(statuses(shop.run()).values()), {"fresh"})
    # It is read after the attempt, and never again.
    os.unlink(shop.path("obj/a.o.d"))
    equal(set(statuses(shop.run()).values()), {"fresh"})


def the_depfile_is_removed_before_and_required_after(shop):
    compiled(shop)
    shop.run()
    shop.write("cc", "#!/bin/sh\ncat \"$1\" > \"$2\"\ntest ! -e \"$3\" || echo left >> \"$2\"\n", 0o755)
    shop.write("a.c", "more\n")
    failed = shop.run(status=1)
    equal(outcome(shop, "obj[a]"), "bad_result")
    contains(failed["assets"]["obj[a]"]["error"], "the depfile obj/a.o.d is not there", "-MMD -MF FILE")
    equal(shop.read("obj/a.o"), "more\n")
    shop.write("cc", "#!/bin/sh\ncat \"$1\" > \"$2\"\nprintf 'x.o: $(SRC)\\n' > \"$3\"\n", 0o755)
    failed = shop.run(status=1)
    contains(failed["assets"]["obj[a]"]["error"], "the depfile obj/a.o.d, line 1: there is a variable of make")
    os.unlink(shop.path("obj/a.o.d"))
    os.mkdir(shop.path("obj/a.o.d"))
    failed = shop.run(status=1)
    equal(outcome(shop, "obj[a]"), "not_started")
    contains(failed["assets"]["obj[a]"]["error"], "its depfile obj/a.o.d is a folder")


def a_file_of_the_users_is_no_depfile(shop):
    shop.write("main.c", "int main(void) { return 0; }\n")
    shop.pipeline({"obj": {"command": "false", "depfile": "main.c"}, "use": {"command": "cat main.c > use", "inputs": ["main.c"], "outputs": ["use"]}})
    if shop.troupe("validate").status == 0:
        failed = shop.run("obj", status=1)
        contains(failed["assets"]["obj"]["error"], "what is at its depfile main.c is no depfile", "is not removed")
    equal(shop.read("main.c"), "int main(void) { return 0; }\n")


def names_in_a_depfile_are_relative_to_cwd(shop):
    shop.write("sub/in.txt", "1\n")
    shop.write("top.txt", "1\n")
    shop.pipeline({"one": {"cwd": "sub", "command": "cat in.txt ../top.txt > {{ outputs[0] }}; printf 'x: in.txt ../top.txt %s' \"$PWD/in.txt\" > ../one.d",
                           "outputs": ["sub/one"], "depfile": "one.d"}})
    shop.run()
    equal(set(statuses(shop.run()).values()), {"fresh"})
    for name, reported in (("sub/in.txt", "sub/in.txt"), ("top.txt", "sub/../top.txt")):
        shop.write(name, "2\n")
        equal(shop.reasons("one"), ("run", [("input_changed", reported)]))
        shop.run()


def a_generated_file_in_a_depfile_orders_the_two(shop):
    compiled(shop)
    document = json.loads(shop.read("troupe.json"))
    document["assets"]["header"] = {"command": "cat version > inc/a.h", "inputs": ["version"], "outputs": ["inc/a.h"]}
    shop.write("version", "v1\n")
    shop.write("troupe.json", json.dumps(document))
    shop.run("header")
    shop.run()
    shop.write("version", "v2\n")
    equal(statuses(shop.run()), {"header": "succeeded", "obj[a]": "succeeded", "obj[b]": "succeeded"})
    equal(shop.read("obj/a.o").splitlines()[-1], "v2")
    equal(set(statuses(shop.run()).values()), {"fresh"})


def adopt_reads_the_depfile(shop):
    compiled(shop)
    shop.run()
    other = ("--state", "other")
    contains(shop.troupe("adopt", "--all", "--yes", *other).must(0).text, "obj[a]")
    equal(set(statuses(shop.run(*other)).values()), {"fresh"})
    shop.write("inc/b b.h", "b2\n")
    equal(shop.reasons("obj[b]", *other), ("run", [("input_changed", "inc/b b.h")]))
    shop.run(*other)
    shop.write("a.c", "include inc/a.h\nmore\n")
    os.unlink(shop.path("obj/a.o.d"))
    refused = shop.troupe("adopt", "--all", "--yes", *other)
    assert refused.status != 0, refused.text
    contains(refused.errors + refused.text, "the depfile obj/a.o.d is not there")


def a_depfile_is_no_undeclared_input(shop):
    shop.write("x.c", "x\n")
    shop.pipeline({"x": {"command": "cat x.c > x.o; echo 'x.o: x.c' > x.d; cat x.d", "outputs": ["x.o"], "inputs": ["x.c"], "depfile": "x.d"},
                   "all": {"command": "cat {{ inputs }} > all", "inputs": ["*.[a-z]", "!all"], "outputs": ["all"]}})
    shop.run("--strict", "x")
    equal(shop.troupe("validate", "--strict").must(0).errors, "")
    equal(statuses(shop.run())["x"], "fresh")


def the_standard_output_is_the_data_version(shop):
    shop.write("rows", "3\n")
    shop.pipeline({"table": {"command": "echo counting >&2; cat rows", "inputs": ["rows", "noise"], "data_version": "stdout"},
                   "report": {"command": "echo r >> report", "deps": ["table"], "outputs": ["report"]}})
    shop.write("noise", "1")
    shop.run()
    contains(shop.troupe("logs", "table").must(0).text, "counting", "3")
    contains(shop.troupe("explain", "table", "--json").must(0).text, '"3"')
    shop.write("noise", "2")
    equal(statuses(shop.run()), {"table": "succeeded", "report": "fresh"})
    shop.write("rows", "4\n")
    equal(statuses(shop.run()), {"table": "succeeded", "report": "succeeded"})


def what_cannot_be_a_data_version_fails(shop):
    def message(command):
        shop.pipeline({"table": {"command": command, "data_version": "stdout"}})
        failed = shop.run(status=1)["assets"]["table"]
        equal(outcome(shop, "table"), "bad_result")
        return failed["error"]
    contains(message("true"), "it wrote nothing to its standard output")
    contains(message("echo 1; printf '{\"data_version\": \"x\"}' > $TROUPE_RESULT"), "leave one of the two out")
    contains(message("head -c 17000000 /dev/zero"), "more than 16 MiB")
    shop.pipeline({"table": {"command": "seq 1 3000", "data_version": "stdout"}})
    shop.run()
    contains(shop.troupe("explain", "table", "--json").must(0).text, "xxh3:")


def a_secret_in_a_data_version_is_masked(shop):
    shop.write("token", "verysecrettoken\n")
    shop.pipeline({"table": {"command": "printf 'a-%s-b' \"$TOKEN\"", "env": {"TOKEN": {"from_file": "token"}}, "data_version": "stdout"}})
    shop.run()
    text = shop.troupe("explain", "table", "--json").must(0).text
    contains(text, "a-***-b")
    assert "verysecret" not in text + shop.troupe("logs", "table").must(0).text


def a_command_may_say_that_there_is_nothing_to_do(shop):
    fetch = {"command": "test ! -e nothing || exit 99; cat source > data", "outputs": ["data"], "always": True, "skip_exit_codes": [99, 75], "retry": {"attempts": 3, "delay": "0s"}}
    shop.pipeline({"fetch": fetch, "report": {"command": "cat data > report", "inputs": ["data"], "outputs": ["report"]}, "last": {"command": "true", "deps": ["report"]}})
    shop.write("source", "1\n")
    shop.write("nothing", "")
    # It was never made: what needs it is skipped as well, and nothing has failed.
    done = shop.run()
    equal(done["status"], "succeeded")
    equal(statuses(done), {"fetch": "skipped", "report": "skipped", "last": "skipped"})
    equal(done["counts"], {"skipped": 3})
    equal((outcome(shop, "fetch"), done["assets"]["fetch"]["exit_code"], done["assets"]["fetch"]["attempts"]), ("skipped", 99, 1))
    equal(done["assets"]["report"]["because"], "fetch")
    contains(shop.troupe("show").must(0).text, "3 skipped", "needs fetch, which was skipped and never made")
    contains(shop.troupe("explain", "fetch", "--run", "1").must(0).text, "there is nothing to do: exit status 99")
    contains(shop.troupe("explain", "last", "--run", "1").must(0).text, "it needs fetch, which was skipped")
    os.unlink(shop.path("nothing"))
    equal(set(statuses(shop.run()).values()), {"succeeded"})
    # It was made: what it made counts, and what needs it is judged as before.
    shop.write("nothing", "")
    text = shop.troupe("run").must(0).text
    contains(text, "fetch  skipped after", "exit status 99", "1 skipped")
    equal(statuses(shop.run()), {"fetch": "skipped", "report": "fresh", "last": "fresh"})
    os.unlink(shop.path("report"))
    equal(statuses(shop.run()), {"fetch": "skipped", "report": "succeeded", "last": "fresh"})
    equal(shop.reasons("fetch"), ("run", [("always", "")]))


def a_skipped_attempt_changes_no_record(shop):
    shop.write("in", "1\n")
    shop.pipeline({"a": {"command": "test ! -e no || exit 3; test ! -e bad || exit 1; cat in > out", "inputs": ["in"], "outputs": ["out"], "skip_exit_codes": [3]}})
    shop.run()
    shop.write("in", "2\n")
    shop.write("no", "")
    equal(statuses(shop.run()), {"a": "skipped"})
    equal(shop.reasons("a"), ("run", [("input_changed", "in")]))
    shop.write("in", "1\n")
    equal(statuses(shop.run()), {"a": "fresh"})
    # A failure before it stays one.
    os.unlink(shop.path("no"))
    shop.write("bad", "")
    shop.write("in", "2\n")
    equal(statuses(shop.run(status=1)), {"a": "failed"})
    shop.write("no", "")
    equal(statuses(shop.run()), {"a": "skipped"})
    shop.write("in", "1\n")
    equal(shop.reasons("a"), ("run", [("last_attempt_failed", "failed")]))


def nobody_goes_on_with_what_a_failure_left_before_a_skip(shop):
    shop.write("do.sh", "echo good > raw\n")
    shop.pipeline({"fetch": {"command": "sh ./do.sh", "inputs": ["do.sh"], "outputs": ["raw"], "skip_exit_codes": [99]}, "report": {"command": "cp raw report", "inputs": ["raw"], "outputs": ["report"]}})
    shop.run()
    shop.write("do.sh", "echo part > raw; exit 1\n")
    shop.run(status=1)
    shop.write("do.sh", "exit 99\n")
    equal(statuses(shop.run()), {"fetch": "skipped", "report": "skipped"})
    equal(shop.read("report"), "good\n")


def a_retry_that_skips_does_not_undo_the_failure_before_it(shop):
    shop.write("in", "1")
    shop.pipeline({"load": {"command": "if ! test -e go; then cat in > table; exit 0; fi; if test -e tried; then exit 99; fi; touch tried; echo half > table; exit 1", "inputs": ["in"],
                            "skip_exit_codes": [99], "retry": {"attempts": 3, "delay": "10ms"}}})
    shop.run()
    shop.write("go", "")
    equal(statuses(shop.run("--force", "load")), {"load": "skipped"})
    equal(shop.reasons("load")[0], "run")


def who_writes_was_not_skipped(shop):
    shop.pipeline({"a": {"command": "echo 1 > out; exit 3", "outputs": ["out"], "skip_exit_codes": [3]}})
    failed = shop.run(status=1)
    equal(failed["assets"]["a"]["status"], "failed")
    contains(failed["assets"]["a"]["error"], "exit status 3 says that there was nothing to do", "its output \"out\" was written")
    shop.pipeline({"a": {"command": "exit 3", "outputs": ["out"], "skip_exit_codes": [4]}})
    equal(statuses(shop.run(status=1)), {"a": "failed"})
    shop.pipeline({"a": {"command": "exit 3", "outputs": ["out"], "skip_exit_codes": [3], "clear_outputs": True}})
    contains(shop.troupe("validate").must(2).text, "contradiction")


def a_skipped_asset_is_looked_at_again_by_a_resumed_run(shop):
    shop.pipeline({"a": {"command": "test ! -e no || exit 3; echo 1 > out", "outputs": ["out"], "skip_exit_codes": [3]},
                   "b": {"command": "cat out", "inputs": ["out"]}, "c": {"command": "test ! -e bad"}}, engine={"error_strategy": "continue"})
    shop.write("no", "")
    shop.write("bad", "")
    equal(statuses(shop.run(status=1)), {"a": "skipped", "b": "skipped", "c": "failed"})
    os.unlink(shop.path("no"))
    os.unlink(shop.path("bad"))
    resumed = shop.troupe("resume", "--json").must(0).json()
    equal(statuses(resumed), {"a": "succeeded", "b": "succeeded", "c": "succeeded"})


def values_in_files(shop):
    show = "#!/bin/sh\nfor f; do echo \"$f\" | sed 's/.*@//' | xargs -I{} cat {}; done > out\n"
    shop.write("show", show, 0o755)
    for name in ("a b", "c'd", "-e"):
        shop.write("in/" + name, name)
    shop.write("-n", "")
    shop.pipeline({"all": {"command": ["./show", "{{ inputs | file }}", "@{{ inputs | rsp }}"], "inputs": ["in/*", "-n"], "outputs": ["out"]}})
    shop.run()
    equal(shop.lines("out"), ["in/-e", "in/a b", "in/c'd", "./-n", "in/-e", "in/a\\ b", "in/c\\'d", "./-n"])
    equal(statuses(shop.run()), {"all": "fresh"})
    # Where the file is does not count; its content does, and its kind.
    os.rename(shop.path("in/a b"), shop.path("in/a c"))
    equal(shop.run()["assets"]["all"]["status"], "succeeded")
    shop.pipeline({"all": {"command": "xargs -0 -n 1 echo < {{ inputs | file0 }} > out", "inputs": ["in/*", "-n"], "outputs": ["out"]}})
    equal(statuses(shop.run()), {"all": "succeeded"})
    equal(shop.lines("out"), ["in/-e", "in/a c", "in/c'd", "./-n"])
    # They are kept with the logs.
    assert len([name for name in os.listdir(shop.path(".troupe/logs/1")) if name.endswith(".values")]) == 2
    contains(shop.troupe("command", "all").must(0).text, "{{ inputs | file0 }}")


def a_compiler_reads_a_response_file(shop):
    shop.write("x y.c", "int main(void) { return 0; }\n")
    shop.pipeline({"obj": {"command": "cc -o prog @{{ inputs | rsp }}", "inputs": ["x y.c"], "outputs": ["prog"]}})
    if shutil.which("cc") is None:
        raise Skip("there is no cc")
    shop.run()


def no_secret_is_written_into_a_file(shop):
    shop.pipeline({"a": {"command": "cat {{ params.t | file }}"}}, params={"t": {"default": "12345678", "secret": True}})
    contains(shop.troupe("validate").must(2).text, "secret_in_file")
    shop.write("n\nl", "")
    shop.pipeline({"a": {"command": "cat {{ inputs | file }}", "inputs": ["n\nl"]}})
    failed = shop.run(status=1)
    contains(failed["assets"]["a"]["error"], "use file0")


def a_param_may_be_a_list(shop):
    shop.write("show", "#!/bin/sh\nfor w; do echo \"<$w>\"; done\n", 0o755)
    shop.write("in a", "")
    shop.write("in b", "")
    shop.pipeline({"a": {"command": ["./show", "{{ params.flags }}", "x-{{ params.flags[0] }}", "{{ params.flags | join \",\" }}", "{{ params.flags[1:] }}"]},
                   "b": {"command": "./show {{ params.flags }} \"{{ params.flags }}\" $E; cat {{ inputs }}", "env": {"E": "{{ params.flags | join '+' }}"}, "inputs": ["{{ params.files }}"]}},
                  params={"flags": ["-O2", "a b"], "files": ["in a", "in b"]})
    shop.run()
    equal(shop.troupe("logs", "--raw", "a").must(0).text.splitlines()[-5:], ["<-O2>", "<a b>", "<x--O2>", "<-O2,a b>", "<a b>"])
    contains(shop.troupe("logs", "b").must(0).text, "<-O2>", "<a b>", "<-O2 a b>", "<-O2+a>")
    equal(set(statuses(shop.run()).values()), {"fresh"})
    equal(shop.run("a", "--param", "flags=[\"-O2\", \"a b\"]")["assets"]["a"]["status"], "fresh")
    equal(shop.run("a", "--param", "flags=[\"-g\", \"c\"]")["assets"]["a"]["status"], "succeeded")
    contains(shop.troupe("plan", "a", "--param", "flags=[1]").must(2).errors, "is declared as a list of strings: write a JSON list")
    equal(shop.run("b", "--param", "files=in a")["assets"]["b"]["status"], "succeeded")


TESTS = [a_file_of_the_users_is_no_depfile, nobody_goes_on_with_what_a_failure_left_before_a_skip, a_retry_that_skips_does_not_undo_the_failure_before_it,
         what_a_depfile_lists_counts, the_depfile_is_removed_before_and_required_after, names_in_a_depfile_are_relative_to_cwd,
         a_generated_file_in_a_depfile_orders_the_two, adopt_reads_the_depfile, a_depfile_is_no_undeclared_input,
         the_standard_output_is_the_data_version, what_cannot_be_a_data_version_fails, a_secret_in_a_data_version_is_masked, a_command_may_say_that_there_is_nothing_to_do, a_skipped_attempt_changes_no_record,
         who_writes_was_not_skipped, a_skipped_asset_is_looked_at_again_by_a_resumed_run, values_in_files, a_compiler_reads_a_response_file, no_secret_is_written_into_a_file, a_param_may_be_a_list]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
