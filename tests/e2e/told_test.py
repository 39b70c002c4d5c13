#!/usr/bin/env python3
"""What is told is true: of failures, logs, numbers, times, and of what an asset does to its own inputs."""
import datetime
import json
import os
import signal
import subprocess
import sys
import time

import harness
from harness import contains, equal, finish, main, statuses


def what_a_command_writes_into_its_own_inputs_is_named(shop):
    """A folder, a glob, a file: stale after every run, and the plan, the run and explain say why and what to do."""
    shop.write("dir/m", "1\n")
    shop.write("glob/m.txt", "1\n")
    shop.write("file", "1\n")
    shop.pipeline({
        "folder": {"command": "echo $TROUPE_RUN_ID > dir/run.log", "inputs": ["dir"]},
        "glob": {"command": "echo $TROUPE_RUN_ID > glob/log.txt", "inputs": ["glob/*.txt"]},
        "file": {"command": "echo $TROUPE_RUN_ID >> file", "inputs": ["file"]},
        "clean": {"command": "cat dir/m", "inputs": ["dir/m"]},
    })
    time.sleep(0.05)                # so that the inputs are older than the run by more than a tick of the file system's clock
    for _ in range(2):
        shop.run()
    plan = shop.plan()["assets"]
    note = "changed while its own command ran"
    equal(plan["folder"]["reasons"], [{"kind": "input_changed", "detail": "dir/run.log", "note": f"it {note}"}])
    equal(plan["glob"]["reasons"], [{"kind": "input_changed", "detail": "glob/log.txt", "note": f"it {note}"}])
    equal(plan["file"]["reasons"], [{"kind": "input_changed", "detail": "file", "note": f"it {note}"}])
    equal(plan["clean"]["action"], "fresh")
    warning = "warning: asset folder: dir/run.log changed while its own command ran (run #2). If the command writes it, the asset is stale after every run: write it elsewhere"
    contains(shop.troupe("plan").must(0).errors, warning)
    contains(shop.troupe("explain", "folder").must(0).text, f"The content of its input dir/run.log has changed since: it {note}.")
    contains(shop.troupe("status", "folder").must(0).text, f"input changed: dir/run.log (it {note})")
    contains(shop.troupe("run", "folder").must(0).text, warning)
    time.sleep(0.05)
    shop.write("glob/m.txt", "2\n")  # somebody else, later
    equal(sorted((why["detail"], "note" in why) for why in shop.plan("glob")["assets"]["glob"]["reasons"]), [("glob/log.txt", True), ("glob/m.txt", False)])


def a_failure_that_was_to_be_tried_again_is_reported_when_the_run_stops(shop):
    retried = {"command": "echo why-it-failed; touch failed; exit 7", "retry": {"attempts": 5, "delay": "60s"}}
    shop.pipeline({"x": {"command": "until test -e failed; do sleep 0.01; done; sleep 0.2; exit 1"}, "y": retried, "z": {"command": "true", "deps": ["y"]}}, engine={"workers": 4})
    text = shop.troupe("run").must(1).text
    contains(text, "y  attempt 1 failed; not tried again, because the run stops", "failed, not tried again: y (attempt 1): exit status 7\n  log: ", "  | why-it-failed\n", "failed: x (attempt 1)")
    assert "y  not started" not in text, text
    contains(shop.troupe("show").must(0).text, "exit status 7; not tried again, because the run stopped", "| why-it-failed")
    contains(shop.troupe("explain", "y", "--run", "latest").must(0).text, "It was to be tried again, but the run was stopped first.")
    document = shop.troupe("show", "--json").must(0).json()["assets"]
    equal((document["y"]["status"], document["y"]["exit_code"], document["z"]["because"]), ("cancelled", 7, "y"))


def whether_a_failure_was_allowed_is_said_everywhere(shop):
    shop.pipeline({"may": {"command": "exit 4", "allow_failure": True}, "must": {"command": "exit 5"}, "missing": {"command": "true", "inputs": ["not-there"], "allow_failure": True},
                   "after": {"command": "true", "deps": ["may"]}}, engine={"error_strategy": "continue"})
    for document in (shop.run(status=1), shop.troupe("show", "--json").must(0).json()):
        equal({name: asset["allowed"] for name, asset in document["assets"].items()}, {"may": True, "must": False, "missing": True, "after": False})
    contains(shop.troupe("show").must(0).text, "may      failed, allowed", "must     failed  ", "missing  failed, allowed", "failed (allowed to): may (attempt 1): exit status 4")
    contains(shop.troupe("explain", "may", "--run", "latest").must(0).text, "It is allowed to fail")
    assert "allowed" not in shop.troupe("explain", "must", "--run", "latest").must(0).text


def somebody_else_wrote_it_is_said_only_if_nobody_here_did(shop):
    # Another path, for another value of a param.
    shop.pipeline({"dl": {"command": "echo {{ params.day }} > {{ outputs[0] }}", "outputs": ["raw/{{ params.day }}.csv"]}}, params={"day": "1"})
    shop.run("--param", "day=1")
    shop.run("--param", "day=2")
    contains(str(shop.reasons("dl", "--param", "day=1")), "output_renamed", "raw/1.csv")
    text = shop.troupe("explain", "dl", "--param", "day=1").must(0).text
    assert "somebody else" not in text, text
    contains(str(shop.reasons("dl", "--param", "day=3")), "output_missing", "raw/3.csv")
    # An attempt of its own that failed.
    shop.pipeline({"a": {"command": "test ! -e bad || { echo half > a.txt; exit 1; }; echo whole > a.txt", "outputs": ["a.txt"]}})
    shop.run()
    shop.write("bad", "")
    shop.run("--force", status=1)
    text = shop.troupe("explain", "a").must(0).text
    assert "somebody else" not in text, text
    contains(text, "Its output a.txt is not as it was produced: an attempt that did not succeed may have written it.")
    # Somebody else, in truth: a file, and a file in a folder.
    os.remove(shop.path("bad"))
    shop.pipeline({"a": {"command": "echo whole > a.txt; mkdir -p d/sub; echo 1 > d/x; echo 2 > d/sub/y", "outputs": ["a.txt", "d"]}})
    shop.run()
    time.sleep(0.05)                # more than a tick of the file system's clock
    shop.write("a.txt", "mine\n")
    shop.write("d/sub/y", "mine\n")
    text = shop.troupe("explain", "a").must(0).text
    contains(text, "Its output a.txt is not as it was produced: somebody else wrote it.", "Its output d/sub/y is not as it was produced: somebody else wrote it.")
    equal(shop.reasons("a"), ("run", [("output_modified", "a.txt"), ("output_modified", "d/sub/y")]))
    shop.run()
    time.sleep(0.05)
    os.remove(shop.path("d/x"))
    contains(shop.troupe("plan").must(0).text, "output missing: d/x")


def so_it_is_when_a_signal_stops_it(shop):
    shop.pipeline({"y": {"command": "echo why-it-failed; exit 7", "retry": {"attempts": 5, "delay": "60s"}}})
    process = shop.start("run")
    shop.wait_for(lambda: "retry_at" in shop.troupe("journal", "dump").text, "its first attempt is recorded")
    process.send_signal(signal.SIGINT)
    text = finish(process).must(130).text
    contains(text, "failed, not tried again: y (attempt 1): exit status 7", "| why-it-failed")


def status_and_graph_agree_on_what_failed(shop):
    shop.pipeline({"a": {"command": "false"}, "b": {"command": "true", "deps": ["a"]}, "c": {"command": "true"}})
    shop.troupe("run", "--error-strategy", "continue").must(1)
    contains(shop.troupe("status").must(0).text, "a      failed", "b      stale", "c      fresh", "1 of 3 assets fresh, 1 failed")
    told = {name: asset["state"] for name, asset in shop.troupe("status", "--json").must(0).json()["assets"].items()}
    drawn = {node["name"]: node["status"] for node in shop.troupe("graph", "--json").must(0).json()["nodes"]}
    equal(told, {"a": "failed", "b": "stale", "c": "fresh"})
    equal(drawn, told)
    contains(shop.troupe("explain", "a").must(0).text, "failed: the last attempt failed")
    equal(shop.troupe("explain", "a", "--json").must(0).json()["state"], "failed")


def numbers_of_metadata_keep_their_text(shop):
    metadata = '{"accuracy":0.95,"rows":4211.0,"id":202002190000000000000001,"small":[1e-7,-0.0]}'
    shop.pipeline({"a": {"command": "printf '{\"metadata\": %s}' '" + metadata + "' > $TROUPE_RESULT"}})
    assert f'"metadata":{metadata}' in shop.troupe("run", "--json").must(0).text
    assert f'"metadata":{metadata}' in shop.troupe("show", "--json").must(0).text
    contains(shop.troupe("explain", "a").must(0).text, "metadata " + metadata)
    contains(shop.troupe("journal", "dump").must(0).text, json.dumps(metadata))


def what_is_wrong_with_a_result_has_its_place(shop):
    def refused(text):
        shop.write("result", text)
        shop.pipeline({"a": {"command": "cat result > $TROUPE_RESULT"}})
        return shop.run(status=1)["assets"]["a"]["error"]
    contains(refused('{"metadata": {"rows": 5,\n "loss": NaN}}'), 'line 2, column 10: expected a value, found "NaN"; JSON has no such number')
    contains(refused('{"metadata": {"loss": -Infinity}}'), 'line 1, column 23: "-Infinity" is no number')
    contains(refused('{"metadata": {}\n, "metadata": {}}'), 'has the key "metadata" twice', "(line 2, column 3)")
    contains(refused('{"inputs": [\n"a",\n7]}'), "(line 3, column 1)")


def the_dump_holds_no_number_that_a_double_cannot(shop):
    shop.pipeline({"m": {"matrix": {"i": list(range(8))}, "command": "echo {{ matrix.i }}"}})
    shop.run()

    def numbers(value):
        if isinstance(value, dict):
            return [n for v in value.values() for n in numbers(v)]
        if isinstance(value, list):
            return [n for v in value for n in numbers(v)]
        return [value] if isinstance(value, int) else []
    lines = [json.loads(line) for line in shop.troupe("journal", "dump").must(0).text.splitlines()]
    equal([n for n in numbers(lines) if abs(n) > 2 ** 53], [])
    started = next(line for line in lines if line["type"] == "run_started")
    equal({type(d) for d in started["definitions"]}, {str})


def resume_of_a_named_file_is_of_its_pipeline(shop):
    shop.pipeline({"a": {"command": "test -e ok"}}, name="first", file="first.json")
    shop.pipeline({"a": {"command": "true"}}, name="second", file="second.json")
    shop.run("-f", "first.json", status=1)
    shop.run("-f", "second.json")
    shop.pipeline({"a": {"command": "true"}}, name="third", file="third.json")
    contains(shop.troupe("resume", "-f", "third.json").must(2).errors, 'no run of the pipeline "third"')
    shop.write("ok", "")
    equal(shop.troupe("resume", "--json", "-f", "first.json").must(0).json()["number"], 1)
    contains(shop.troupe("resume", "2", "-f", "first.json").must(2).errors, "run #2 is of the pipeline")


def logs_say_where_the_output_is(shop):
    shop.pipeline({"once": {"command": "echo once"}, "tick": {"command": "echo tick", "always": True}, "d": {"matrix": {"n": [1, 2]}, "command": "echo {{ matrix.n }}"}}, engine={"keep_runs": 1})
    shop.run()
    equal(shop.troupe("logs", "d").must(0).text, "d[1] | 1\nd[2] | 2\n")
    equal(shop.troupe("logs", "d", "--run", "1").must(0).text, "d[1] | 1\nd[2] | 2\n")
    contains(shop.troupe("logs", "d", "--json").must(2).errors, "d is 2 assets; name one of them: d[1] and d[2]")
    for _ in range(4):
        shop.run()
    errors = shop.troupe("logs", "once").must(2).errors
    contains(errors, "once last ran in run #1, which is no longer kept")
    assert "did you mean" not in errors, errors
    contains(shop.troupe("logs", "onec").must(2).errors, "no run executed an asset 'onec'")


def logs_are_what_a_terminal_shows(shop):
    bar = "i=0; while [ $i -lt 3000 ]; do printf '\\r%s of 3000 [=====>       ] eta 0:00:09' $i; i=$((i+1)); done; echo; "
    shop.pipeline({"get": {"command": bar + "echo 'connection lost'; exit 1"}, "wide": {"command": "head -c 50000 /dev/zero | tr '\\0' x; exit 1"}})
    text = shop.troupe("run", "--error-strategy", "continue").must(1).text
    contains(text, "  | 2999 of 3000 [=====>       ] eta 0:00:09\n  | connection lost\n", "columns more)")
    assert max(map(len, text.splitlines())) < 500, max(map(len, text.splitlines()))
    equal(shop.troupe("logs", "get").must(0).text, "2999 of 3000 [=====>       ] eta 0:00:09\nconnection lost\n")
    equal(shop.troupe("logs", "get", "--raw").must(0).text.count("\r"), 3000)
    equal(shop.troupe("logs", "wide").must(0).text, "x" * 50000)


def what_is_no_state_does_not_verify(shop):
    shop.pipeline({"a": {"command": "true"}})
    shop.troupe("journal", "verify").must(0)                  # there is no state yet
    shop.write(".troupe", "hi")
    contains(shop.troupe("journal", "verify").must(3).errors, "it is a file, not a folder")
    for verb in (["plan"], ["status"], ["runs"], ["journal", "stats"], ["run"]):
        shop.troupe(*verb).must(3)
    os.remove(shop.path(".troupe"))
    os.symlink("nowhere", shop.path(".troupe"))
    contains(shop.troupe("journal", "verify", "--json").must(3).json()["error"]["message"], "a link that leads nowhere")
    os.remove(shop.path(".troupe"))
    shop.write("other/notes.txt", "mine")
    contains(shop.troupe("journal", "verify", "--state", "other").must(3).errors, "is no state")


def a_depfile_is_no_undeclared_input(shop):
    shop.write("m.c", "int x;\n")
    shop.pipeline({"a": {"command": "cp m.c m.o; echo m.o: m.c > m.d; sed -n 's/.*: *\\(.*\\)/{\"inputs\": [\"\\1\"]}/p' m.d > $TROUPE_RESULT", "inputs": ["m.c"], "outputs": ["m.o"]},
                   "b": {"command": "cat m.d", "deps": ["a"]}})
    for _ in range(2):
        errors = shop.troupe("run").must(0).errors
    assert 'm.d is in the command of "a"' not in errors, errors
    contains(errors, 'm.d is in the command of "b"')


def a_run_takes_as_long_as_its_user_waits(shop):
    """It starts with the command: before the pipeline is read."""
    text = json.dumps({"name": "p", "assets": {"a": {"command": "true"}}})
    for _ in range(2):              # one that executes something, one in which all is fresh
        process = subprocess.Popen([harness.TROUPE, "run", "--json", "-f", "-"], cwd=shop.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4):          # more than a pipe holds: it has been begun to be read when this returns
            process.stdin.write(b" " * (1 << 20))
            process.stdin.flush()
        being_read = datetime.datetime.now(datetime.timezone.utc)
        process.stdin.write(text.encode())
        process.stdin.close()
        process.stdin = None        # for finish()
        document = finish(process).must(0).json()
        assert datetime.datetime.fromisoformat(document["started_at"].replace("Z", "+00:00")) <= being_read, (document["started_at"], being_read)
    equal(statuses(document), {"a": "fresh"})


TESTS = [what_a_command_writes_into_its_own_inputs_is_named, whether_a_failure_was_allowed_is_said_everywhere, somebody_else_wrote_it_is_said_only_if_nobody_here_did,
         a_failure_that_was_to_be_tried_again_is_reported_when_the_run_stops, so_it_is_when_a_signal_stops_it,
         status_and_graph_agree_on_what_failed, numbers_of_metadata_keep_their_text, what_is_wrong_with_a_result_has_its_place, the_dump_holds_no_number_that_a_double_cannot,
         resume_of_a_named_file_is_of_its_pipeline, logs_say_where_the_output_is, logs_are_what_a_terminal_shows, what_is_no_state_does_not_verify,
         a_depfile_is_no_undeclared_input, a_run_takes_as_long_as_its_user_waits]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
