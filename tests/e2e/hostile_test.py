#!/usr/bin/env python3
"""Commands, outputs and file names as nobody would wish them: what is reported, what is left behind, and that a run always ends.
usage: hostile_test.py TROUPE [NAME...]"""
import os
import sys

from harness import alive, contains, equal, main, statuses

ODD_NAMES = ["a b.txt", "-n", "new\nline.txt", "tab\t.txt", "quote'\".txt", "star*.txt", "$HOME.txt", "ü.txt", os.fsdecode(b"\xff\xfe.txt"), os.fsdecode(b"cut\xc3.txt")]


def errors_of(document):
    return {name: asset["error"] for name, asset in document["assets"].items()}


def shown(name):
    """As it stands in a JSON document: each byte that is not UTF-8 as U+FFFD."""
    return os.fsencode(name).decode(errors="replace")


def commands_that_cannot_be_started(shop):
    shop.write("plain.sh", "#!/bin/sh\n", mode=0o644)
    shop.write("no_interpreter.sh", "#!/no/such/interpreter\n", mode=0o755)
    shop.write("folder/x", "")
    shop.pipeline({"missing": {"command": ["./nowhere", "x"], "retry": {"attempts": 2, "delay": "1ms"}}, "not_in_path": {"command": ["no-such-program-anywhere"]},
                   "not_executable": {"command": ["./plain.sh"]}, "no_interpreter": {"command": ["./no_interpreter.sh"]},
                   "a_folder": {"command": ["./folder"]}, "in_the_shell": {"command": "no-such-program-anywhere | cat; exit 127"},
                   "after": {"command": "true", "deps": ["missing"]}}, engine={"error_strategy": "continue"})
    document = shop.run(status=1)
    equal(statuses(document), {**dict.fromkeys(document["assets"], "failed"), "after": "blocked"})
    said = errors_of(document)
    for name, words in {"missing": ["./nowhere", "does not exist"], "not_in_path": ["no-such-program-anywhere", "PATH"], "not_executable": ["./plain.sh", "not executable"],
                        "no_interpreter": ["no_interpreter.sh"], "a_folder": ["./folder"], "in_the_shell": ["exit status 127"]}.items():
        contains(said[name], *words)
        equal((name, document["assets"][name]["exit_code"]), (name, 127 if name == "in_the_shell" else None))     # not started is told apart from failed


def a_gigabyte_of_output(shop):
    shop.pipeline({"a": {"command": "echo the-head; head -c 1000000000 /dev/zero; echo; echo the-tail", "max_log": "100KB"}})
    equal(statuses(shop.run()), {"a": "succeeded"})
    log = shop.path(".troupe/logs/1/a.1.log")
    assert os.path.getsize(log) <= 100_000, os.path.getsize(log)
    with open(log, "rb") as file:
        text = file.read()
    contains(text[:100].decode(), "the-head")
    contains(text[-100:].decode(), "the-tail")
    contains(text.decode(), "bytes dropped here, max_log is 100KB")


def closed_pipes_hide_no_command(shop):
    shop.pipeline({"lives_on": {"command": "exec >&- 2>&- <&-; sleep 0.3; echo 1 > done.txt", "outputs": ["done.txt"]},
                   "too_long": {"command": "exec >&- 2>&- <&-; echo $$ > too_long.pid; sleep 300", "timeout": "1s"}}, engine={"workers": 2, "error_strategy": "continue"})
    document = shop.run(status=1)
    equal(statuses(document), {"lives_on": "succeeded", "too_long": "failed"})
    contains(document["assets"]["too_long"]["error"], "timeout")
    assert not alive(int(shop.read("too_long.pid")))


def no_daemon_is_left_behind(shop):
    """In a session of its own, with no pipe, no terminal, no parent that waits for it, and deaf to all that can be ignored."""
    daemon = "import os, signal\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n" \
             "for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(n, signal.SIG_IGN)\n" \
             "os.closerange(0, 3)\nopen('daemon.tmp', 'w').write(str(os.getpid()))\nos.rename('daemon.tmp', 'daemon.pid')\nsignal.pause()\n"
    shop.write("daemon.py", daemon)
    shop.pipeline({"a": {"command": f"{sys.executable} -S daemon.py; until test -s daemon.pid; do sleep 0.01; done"}, "b": {"command": "true", "deps": ["a"]}},
                  engine={"grace_period": "100ms"})
    equal(statuses(shop.run()), {"a": "succeeded", "b": "succeeded"})
    assert not alive(int(shop.read("daemon.pid")))


def sigterm_ignored_by_all_of_a_group(shop):
    shop.pipeline({"a": {"command": "trap '' TERM; (echo $$ > child.pid; while :; do sleep 0.05; done) & echo $$ > self.pid; wait; while :; do sleep 0.05; done", "timeout": "1s"}},
                  engine={"grace_period": "200ms"})
    document = shop.run(status=1)
    contains(document["assets"]["a"]["error"], "timeout")
    assert not alive(int(shop.read("self.pid"))) and not alive(int(shop.read("child.pid")))


def a_deleted_working_folder(shop):
    """The command goes on in a folder that is no more; the journal is gone with it, so nothing can be reported as done."""
    shop.pipeline({"a": {"command": "rm -rf \"$PWD\"; echo to the log"}})
    result = shop.troupe("run").must(3)
    contains(result.errors, ".troupe", "removed")
    assert not os.path.exists(shop.folder), os.listdir(shop.folder)


def deleted_files_of_the_working_folder(shop):
    shop.write("in.txt", "1\n")
    shop.pipeline({"a": {"command": "rm -rf ./*; mkdir out; echo 1 > out/a.txt", "outputs": ["out/a.txt"]},
                   "b": {"command": "cat in.txt", "inputs": ["in.txt"], "deps": ["a"]}})
    document = shop.run(status=1)
    equal(statuses(document), {"a": "succeeded", "b": "failed"})
    contains(document["assets"]["b"]["error"], "in.txt", "does not exist")


def a_deleted_state_folder(shop):
    shop.pipeline({"a": {"command": "rm -rf .troupe; echo to the log; echo $$ > a.pid"}, "b": {"command": "true", "deps": ["a"]}})
    result = shop.troupe("run", "--json").must(3)
    equal(result.text.count('"succeeded"'), 0)
    contains(result.errors, ".troupe", "removed")
    assert not shop.exists(".troupe")                      # and no half of one is made anew
    shop.pipeline({"a": {"command": "true"}})
    equal(shop.run()["number"], 1)                         # the next run begins a new one
    equal(oct(os.stat(shop.path(".troupe")).st_mode & 0o777), "0o700")
    equal(shop.read(".troupe/.gitignore"), "*\n")


def outputs_that_are_no_files(shop):
    shop.pipeline({"folder": {"command": "mkdir -p d/e && echo 1 > d/e/f", "outputs": ["d"]},
                   "link": {"command": "echo 1 > there && ln -sfn there link", "outputs": ["link"]},
                   "link_to_folder": {"command": "mkdir -p real && echo 1 > real/f && ln -sfn real to_folder", "outputs": ["to_folder"]},
                   "dangling": {"command": "ln -sfn nowhere dangling", "outputs": ["dangling"]},
                   "loop": {"command": "ln -sfn loop loop", "outputs": ["loop"]},
                   "fifo": {"command": "rm -f fifo; mkfifo fifo", "outputs": ["fifo"]},
                   "fifo_inside": {"command": "mkdir -p g && rm -f g/fifo && mkfifo g/fifo", "outputs": ["g"]},
                   "device": {"command": "ln -sfn /dev/zero device", "outputs": ["device"]}}, engine={"error_strategy": "continue"})
    document = shop.run(status=1)
    good = {"folder", "link", "link_to_folder"}
    equal(statuses(document), {name: "succeeded" if name in good else "failed" for name in document["assets"]})
    said = errors_of(document)
    for name, words in {"dangling": ["dangling", "is a link to something that does not exist"], "loop": ["loop", "symbolic links"], "fifo": ["fifo", "FIFO"], "fifo_inside": ["g/fifo", "FIFO"],
                        "device": ["device", "a device"]}.items():
        contains(said[name], *words)
    equal({name for name, asset in shop.plan()["assets"].items() if asset["action"] == "fresh"}, good)
    shop.write("there", "2\n")                             # a link counts by its target
    shop.write("real/f", "2\n")
    shop.write("d/e/f", "2\n")
    equal({name: shop.reasons(name)[1][0][0] for name in good}, {**dict.fromkeys(good, "output_modified"), "link": "output_target_changed"})


def inputs_that_are_no_files(shop):
    os.mkfifo(shop.path("fifo"))
    os.symlink("nowhere", shop.path("dangling"))
    os.makedirs(shop.path("in"))
    os.mkfifo(shop.path("in/fifo"))
    shop.write("in/plain", "1\n")
    shop.pipeline({"fifo": {"command": "true", "inputs": ["fifo"]}, "dangling": {"command": "true", "inputs": ["dangling"]},
                   "globbed": {"command": "true", "inputs": ["in/*"]}}, engine={"error_strategy": "continue"})
    document = shop.run(status=1)
    equal({name: document["assets"][name]["status"] for name in ("fifo", "dangling")}, {"fifo": "failed", "dangling": "failed"})
    contains(document["assets"]["fifo"]["error"], "fifo", "FIFO")
    contains(document["assets"]["dangling"]["error"], "dangling")
    if document["assets"]["globbed"]["status"] == "failed":
        contains(document["assets"]["globbed"]["error"], "in/fifo")


def odd_names_in_globs(shop):
    for name in ODD_NAMES:
        shop.write("in/" + name, "x")
    count = "import os, sys\nfor n in sys.argv[1:]: print(os.path.getsize(n))\n"
    shop.write("count.py", count)
    shop.pipeline({"argv": {"command": [sys.executable, "-S", "count.py", "{{ inputs }}"], "inputs": ["in/*"]},
                   "shell": {"command": "cat {{ inputs }} > all.txt", "inputs": ["in/*"], "outputs": ["all.txt"]}})
    equal(statuses(shop.run()), {"argv": "succeeded", "shell": "succeeded"})
    equal(shop.troupe("logs", "argv").must(0).text, "1\n" * len(ODD_NAMES))
    equal(shop.read("all.txt"), "x" * len(ODD_NAMES))
    equal(set(statuses(shop.run()).values()), {"fresh"})
    for name in (ODD_NAMES[0], ODD_NAMES[2], ODD_NAMES[5], ODD_NAMES[8]):
        shop.write("in/" + name, "y")
        equal(shop.reasons("shell"), ("run", [("input_changed", shown("in/" + name))]))
        text = shop.troupe("plan").must(0).text             # whatever a name holds: one line for an asset
        equal(len([line for line in text.splitlines() if "shell" in line]), 1)
        shop.write("in/" + name, "x")
    os.remove(shop.path("in/" + ODD_NAMES[-2]))
    equal(shop.reasons("shell"), ("run", [("input_removed", shown("in/" + ODD_NAMES[-2]))]))
    contains(shop.troupe("explain", "shell").must(0).text, "in/")


def odd_names_in_outputs(shop):
    for name in ODD_NAMES:
        shop.write("names/" + name, "x")
    shop.pipeline({"folder": {"command": "rm -rf d; cp -r names d", "outputs": ["d"]},
                   "after": {"command": "cat {{ inputs }} > all.txt", "inputs": ["d/**"], "outputs": ["all.txt"]},
                   "named": {"command": "for n in {{ outputs }}; do echo 1 > \"$n\"; done", "outputs": ["out/" + name for name in ODD_NAMES if name.isprintable() and "*" not in name]}})
    equal(set(statuses(shop.run()).values()), {"succeeded"})
    equal(shop.read("all.txt"), "x" * len(ODD_NAMES))
    equal(set(statuses(shop.run()).values()), {"fresh"})
    os.rename(shop.path("d/" + ODD_NAMES[-1]), shop.path("d/" + os.fsdecode(b"cut\xc4.txt")))
    kind, detail = shop.reasons("folder")[1][0]
    assert kind in ("output_modified", "output_missing") and detail.startswith("d"), (kind, detail)


def odd_names_among_discovered_inputs(shop):
    for name in ODD_NAMES:
        shop.write("in/" + name, "x")
    utf8 = [name for name in ODD_NAMES if shown(name) == name]
    report = "import json, os\nprint(json.dumps({'inputs': ['in/' + n for n in os.listdir('in') if n.isascii() or n == 'ü.txt']}), file=open(os.environ['TROUPE_RESULT'], 'w'))\n"
    shop.write("report.py", report)
    shop.write("raw.py", "import os\nopen(os.environ['TROUPE_RESULT'], 'wb').write(b'{\"inputs\": [\"in/\\xff\\xfe.txt\"]}')\n")
    shop.pipeline({"a": {"command": [sys.executable, "-S", "report.py"]}, "raw": {"command": [sys.executable, "-S", "raw.py"]}}, engine={"error_strategy": "continue"})
    document = shop.run(status=1)
    equal(statuses(document), {"a": "succeeded", "raw": "failed"})
    contains(document["assets"]["raw"]["error"], "TROUPE_RESULT", "UTF-8")       # a result file is JSON, and JSON is UTF-8
    equal(shop.reasons("a"), ("fresh", []))
    for name in utf8[:3] + utf8[-1:]:
        shop.write("in/" + name, "y")
        equal(shop.reasons("a"), ("run", [("input_changed", "in/" + name)]))
        shop.write("in/" + name, "x")


def a_pipeline_in_an_oddly_named_folder(shop):
    home = shop.folder
    for number, name in enumerate(ODD_NAMES[:1] + ODD_NAMES[2:3] + ODD_NAMES[8:9]):
        shop.folder = os.path.join(home, name)
        os.mkdir(shop.folder)
        shop.write("in.txt", "1\n")
        shop.pipeline({"a": {"command": "cat {{ inputs }} > {{ outputs }}; pwd", "inputs": ["in.txt"], "outputs": ["o/a.txt"]}})
        equal((number, statuses(shop.run())), (number, {"a": "succeeded"}))
        equal((number, statuses(shop.run())), (number, {"a": "fresh"}))
        shop.troupe("logs", "a").must(0)
        shop.troupe("journal", "verify").must(0)
    shop.folder = home


def files_that_are_no_files_are_not_waited_for(shop):
    """A pipeline file that Troupe found by itself; with -f the user says that it is to be read."""
    os.mkfifo(shop.path("troupe.json"))
    for verb in (("plan",), ("run",), ("status",), ("validate",), ("graph",)):
        said = shop.troupe(*verb).must(2)
        contains(said.text + said.errors, "FIFO", "-f troupe.json")
    shop.troupe("runs").must(2)
    for what in ("assets", "runs"):
        equal(shop.troupe("__complete", what).must(0).text, "")
        equal(shop.troupe("__complete", what, "-f", "troupe.json").must(0).text, "")
    os.remove(shop.path("troupe.json"))
    os.symlink("/dev/zero", shop.path("troupe.json"))
    contains(shop.troupe("plan").must(2).errors, "device")
    equal(shop.troupe("__complete", "assets").must(0).text, "")
    os.remove(shop.path("troupe.json"))
    os.mkfifo(shop.path("value"))
    shop.pipeline({"a": {"command": "true", "env": {"V": {"from_file": "value"}}, "outputs": []}})
    contains(errors_of(shop.run(status=1))["a"], "value")


def completion_reads_nothing_large(shop):
    names = lambda: shop.troupe("__complete", "assets").must(0).text.split()
    shop.pipeline({"a": {"command": "true"}, "b": {"command": "x", "deps": ["c"]}, "c": {"command": "x", "deps": ["b"]}})
    equal(names(), ["a", "b", "c"])                             # a cycle is for who looks at the graph
    shop.pipeline({"a": {"command": "true", "matrix": {"v": list(map(str, range(10001)))}}})
    equal(names(), [])
    shop.pipeline({"a": {"command": "true", "matrix": {name: list(map(str, range(1000))) for name in "abcdef"}}})
    equal(names(), [])
    shop.write("troupe.json", '{ "name": "p", "assets": { "a": { "command": "true" } } }' + " " * (1 << 20))
    equal(names(), [])
    shop.troupe("validate").must(0)
    shop.pipeline({"a": {"command": "true"}})
    shop.run()
    equal(shop.troupe("__complete", "runs").must(0).text.split(), ["1", "latest"])


def globs_of_many_parts(shop):
    for number in range(30):
        shop.write(f"t/d{number}/e/x{number}.txt", "x")
    shop.pipeline({"one": {"command": "true", "inputs": ["t/**/*.txt"]}, "many": {"command": "true", "inputs": ["t/" + "**/" * 400 + "*.txt"]},
                   "left_out": {"command": "true", "inputs": ["t/**", "!t/" + "**/" * 300 + "*.txt"]}})
    explained = {name: shop.troupe("plan", "--json").must(0).json()["assets"][name]["action"] for name in ("one", "many", "left_out")}
    equal(explained, {"one": "run", "many": "run", "left_out": "run"})
    shop.run()
    shop.write("t/d0/e/x0.txt", "y")
    changed = ("run", [("input_changed", "t/d0/e/x0.txt")])
    equal([shop.reasons(name) for name in ("one", "many", "left_out")], [changed, changed, ("fresh", [])])
    shop.pipeline({"a": {"command": "true", "inputs": ["t/" + "*/" * 300 + "x"]}})
    contains(shop.troupe("validate").must(2).text, "is a pattern of more than 256 components")


TESTS = [commands_that_cannot_be_started, a_gigabyte_of_output, closed_pipes_hide_no_command, no_daemon_is_left_behind, sigterm_ignored_by_all_of_a_group,
         a_deleted_working_folder, deleted_files_of_the_working_folder, a_deleted_state_folder, outputs_that_are_no_files, inputs_that_are_no_files,
         odd_names_in_globs, odd_names_in_outputs, odd_names_among_discovered_inputs, a_pipeline_in_an_oddly_named_folder,
         files_that_are_no_files_are_not_waited_for, completion_reads_nothing_large, globs_of_many_parts]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
