#!/usr/bin/env python3
"""What reaches a terminal, a pipe and a JSON document of names, values, logs, states and files that hold control characters.
usage: shown_test.py TROUPE [NAME...]"""
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import harness
from harness import contains, equal, finish, main

# Sets the clipboard, a colour that Troupe has not, an 8-bit CSI, a right-to-left override, marks, separators, DEL, an isolate.
HOSTILE = "\x1b]52;c;b3duZWQ=\x07\x1b[35m\x9b31m\u202etxt.exe\u200f\u061c\u2028\u2029\x7f\u2066"
IN_A_NAME = HOSTILE.replace("[", "").replace("]", "")
IN_A_MATRIX = re.sub("[\x00-\x1f\x7f\x9b\\]]", "", IN_A_NAME)      # the pipeline file allows no more there
OWN_COLOURS = re.compile(rb"\x1b\[(0|1|2|31|32|33|36)m")
OWN_REPAINT = re.compile(rb"\x1b\[[0-9]+A\r?|\x1b\[[JK]|\r")
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
RESULT = json.dumps({"metadata": {"k": HOSTILE}, "data_version": HOSTILE}, ensure_ascii=False)


def must_be_safe(what, text, repaint=False):
    left = OWN_COLOURS.sub(b"", text)
    if repaint:
        left = OWN_REPAINT.sub(b"", left)
    else:
        left = left.replace(b"\r\n", b"\n")            # the terminal's own doing
    words = left.decode()                               # whatever was not UTF-8 is not given out as it was
    found = FORBIDDEN.search(words)
    assert not found, f"{what}: {found.group(0)!r} in {words[max(0, found.start() - 200):found.start() + 80]!r}"


def piped(shop, *arguments):
    done = subprocess.run([harness.TROUPE, *arguments], cwd=shop.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=harness.TIMEOUT_S, check=False)
    return done.stdout, done.stderr


def on_terminal(shop, *arguments, told=lambda text: None):
    """All that a terminal gets, on which standard output and standard error are. `told` is called with what has come so far."""
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(shop.folder)
        os.environ.update(TERM="xterm", NO_COLOR="")
        os.execv(harness.TROUPE, [harness.TROUPE, *arguments])
    text = b""
    deadline = time.monotonic() + harness.TIMEOUT_S
    try:
        while True:
            assert time.monotonic() < deadline, f"{arguments} does not end: {text[-500:]!r}"
            if not select.select([screen], [], [], 0.05)[0]:
                continue
            try:
                more = os.read(screen, 65536)
            except OSError:
                return text
            if not more:
                return text
            text += more
            told(text)
    finally:
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(screen)


def everywhere(shop, *arguments, documents=True):
    """The verb to a terminal and to pipes, as text, in colour, and as JSON, which is one document or a line an event."""
    must_be_safe(arguments, on_terminal(shop, *arguments), repaint=True)
    for more in ([], ["--color", "always"]):
        for text in piped(shop, *arguments, *more):
            must_be_safe(arguments, text)
    must_be_safe(arguments, on_terminal(shop, *arguments, "--json"), repaint=True)
    text, errors = piped(shop, *arguments, "--json")
    must_be_safe(arguments, text)
    must_be_safe(arguments, errors)
    if documents:
        for line in text.decode().splitlines():
            json.loads(line)


def hostile_pipeline(shop):
    shop.write("result.json", RESULT)
    shop.write("noise", HOSTILE + "\n")
    shop.write("in/" + IN_A_NAME, "x")
    shop.pipeline({"m": {"matrix": {"v": [IN_A_MATRIX]}, "description": HOSTILE, "inputs": ["in/*"], "command": "cat noise; cp result.json $TROUPE_RESULT"},
                   "fails": {"command": "cat noise >&2; exit 3"}, "no_program": {"command": ["./" + IN_A_NAME]},
                   "misses": {"command": "true", "outputs": ["out/" + IN_A_NAME]},
                   "reports": {"command": "printf '{\"" + HOSTILE.replace("\x1b", "\\\\u001b").replace("\x07", "").replace("\x7f", "") + "\": 1}' > $TROUPE_RESULT"},
                   "uses": {"command": "echo {{ params.p }}", "env": {"E": HOSTILE}}, "after": {"command": "true", "deps": ["no_program"]}},
                  params={"p": HOSTILE}, engine={"error_strategy": "continue"})


def every_verb_with_hostile_names_and_texts(shop):
    hostile_pipeline(shop)
    member = f"m[{IN_A_MATRIX}]"
    everywhere(shop, "plan")
    everywhere(shop, "run", "--param", "p=" + HOSTILE + "2")
    shop.write("in/" + IN_A_NAME + "2", "x")
    for arguments in (["run", "--dry-run"], ["plan"], ["status"], ["explain", member], ["explain", member, "--run", "latest"], ["explain", "fails", "--run", "1"], ["graph"],
                      ["graph", "--format", "dot"], ["graph", "--format", "mermaid"], ["graph", "--format", "svg"], ["validate"], ["runs"], ["show"], ["show", "1", "--all"],
                      ["resume"], ["cancel"], ["clean", "--orphans"], ["adopt", "--all"], ["adopt", "misses", "--yes"], ["journal", "verify"], ["journal", "stats"],
                      ["journal", "dump"], ["journal", "compact"], ["journal", "rebuild"], ["__complete", "assets"], ["__complete", "runs"]):
        everywhere(shop, *arguments, documents=arguments[0] != "__complete")
    document = shop.troupe("show", "1", "--json").must(0).json()
    asset = document["assets"][member]
    equal((asset["metadata"], asset["data_version"]), ({"k": HOSTILE}, HOSTILE))       # the values are what they were
    contains(shop.troupe("status").must(0).text, "\\u202etxt.exe", "\\x1b")
    contains(shop.troupe("show", "1").must(0).text, "\\u202etxt.exe")
    equal([line for line in shop.troupe("__complete", "assets").must(0).text.splitlines() if line.startswith("m")], ["misses"])


def every_error_with_hostile_words(shop):
    hostile_pipeline(shop)
    shop.troupe("run")
    lines = HOSTILE + "\nerror: a line that is not Troupe's"
    for arguments in (["show", lines], ["logs", lines], ["explain", lines], ["run", lines], ["plan", "tag:" + lines], ["resume", lines], ["cancel", lines], ["completions", lines],
                      [lines], ["run", "--" + lines], ["runs", "--limit", lines], ["graph", "--format", lines], ["run", "--param", lines], ["validate", "-f", lines],
                      ["run", "-f", lines], ["runs", "--state", lines], ["run", "--state", "/proc/" + lines], ["journal", lines], ["logs", "m", "--attempt", lines],
                      ["runs", "--log-level", lines], ["init", "-f", "nowhere/" + lines], ["explain", "fails", "--run", lines], ["--help", lines], ["journal", "compact", lines]):
        everywhere(shop, *arguments)
        for text in piped(shop, *arguments):
            assert not re.search(rb"^error: a line", text, re.MULTILINE), (arguments, text)
    everywhere(shop, "init", "-f", IN_A_NAME + ".json")
    shop.pipeline({"a": {"command": "true"}}, file="lines\nerror: no.json")
    shop.pipeline({"a": {"command": "exit 1"}}, engine={"state_dir": "s\nerror: no"})
    for arguments in (["validate", "-f", "lines\nerror: no.json"], ["run"], ["runs"], ["show"], ["init", "-f", "lines\nerror: no.json"], ["plan", "--state", "troupe.json/\nerror: no"]):
        for text in piped(shop, *arguments):
            assert not re.search(rb"^error: no", text, re.MULTILINE), (arguments, text)
    shop.pipeline({"b": {"command": "true"}}, engine={"state_dir": "s\nerror: no"})
    lines = shop.troupe("resume").must(2).errors.splitlines()            # a message of several lines has them
    equal(lines[1:], ["  a: is no longer in the pipeline", "troupe run does what is left to do, incrementally"])


def files_and_states_with_hostile_names(shop):
    name = IN_A_NAME + ".json"
    shop.pipeline({"a": {"command": "false"}}, file=name)
    everywhere(shop, "run", "-f", name)
    os.remove(shop.path(name))
    everywhere(shop, "resume", "--state", ".troupe")        # the journal holds the name
    shop.write(name, "{ nonsense " + HOSTILE + "\n \"\": }")
    everywhere(shop, "validate", "-f", name)
    everywhere(shop, "run", "-f", name)
    everywhere(shop, "journal", "compact", name)
    for state in (IN_A_NAME + "y" * 300, IN_A_NAME):
        shop.pipeline({"a": {"command": "false"}}, engine={"state_dir": state})
        for verb in ("runs", "plan", "status", "run", "show", "resume", "logs a"):
            everywhere(shop, *verb.split())
    with open(shop.path("bytes.json"), "wb") as file:       # bytes that are no UTF-8, and controls outside of strings
        file.write(b'{"name": "x\x9b31m\xff", \x1b[2J "assets": {"a\xe2\x80\xae": {"command": "\x80"}}}')
    everywhere(shop, "validate", "-f", "bytes.json")
    shop.troupe("journal", "verify").must(0)


def the_words_of_a_lock(shop):
    shop.pipeline({"a": {"command": "touch started; until test -e go; do sleep 0.05; done"}})
    holder = shop.start("run")
    shop.wait_for(lambda: shop.exists("started"), "it runs")
    lock = shop.path(".troupe/lock")
    with open(lock, "rb") as file:
        words = file.read()
    with open(lock, "r+b") as file:                         # whoever holds the lock chooses its words
        lines = [line.split(b"=")[0] if b"=" in line else line for line in words.splitlines()]
        file.write(words + b"".join(b"%s %s\n%s=%s\n" % (word.split(b" ")[0], HOSTILE.encode(), word, HOSTILE.encode()) for word in lines))
    try:
        for arguments in (["run"], ["resume"], ["journal", "rebuild"]):
            must_be_safe(arguments, on_terminal(shop, *arguments), repaint=True)
            must_be_safe(arguments, piped(shop, *arguments)[1])
    finally:
        shop.write("go", "")
        finish(holder)


def logs_on_a_terminal(shop):
    shop.write("noise", "\x1b[31mred\x1b[0m \x1b[1;35mown\x1b[m\n" + HOSTILE + "\n\x1b[2J\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n50%\r100%\n\x1b[32mleft green")
    shop.pipeline({"a": {"command": "cat noise"}, "big": {"command": "yes '\x1b[33myellow\x1b]0;t\x07' | head -c 3000000", "max_log": "40MB"},
                   "fails": {"command": "cat noise; exit 1"}}, engine={"error_strategy": "continue"})
    summary = on_terminal(shop, "run")
    must_be_safe("run", summary, repaint=True)
    with open(shop.path(".troupe/logs/1/a.1.log"), "rb") as file:
        raw = file.read()
    for more in ([], ["--follow"]):
        text = on_terminal(shop, "logs", "a", *more)
        assert b"\x1b[31mred\x1b[0m \x1b[1;35mown\x1b[m" in text, text           # colours stay
        assert text.endswith(b"\x1b[32mleft green\x1b[0m"), text                  # and end with the log
        assert b"link" in text and b"http" not in text and b"title" not in text, text
        must_be_safe("logs", re.sub(rb"\x1b\[[0-9;:]*m", b"", text))
        plain = on_terminal(shop, "logs", "a", "--color", "never", *more)
        assert b"\x1b" not in plain and b"red own" in plain, plain
    equal(on_terminal(shop, "logs", "a", "--raw").replace(b"\r\n", b"\n"), raw)
    equal(on_terminal(shop, "logs", "a", "--raw", "--follow").replace(b"\r\n", b"\n"), raw)
    equal(piped(shop, "logs", "a", "--raw")[0], raw)                             # to a pipe the bytes, but for what was overwritten
    equal(piped(shop, "logs", "a")[0], raw.replace(b"50%\r", b""))
    equal(piped(shop, "logs", "a", "--follow")[0], raw)
    text = on_terminal(shop, "logs", "big")
    equal((text.count(b"yellow"), b"\x1b]" in text), (shop.read(".troupe/logs/1/big.1.log").count("yellow"), False))
    equal(json.loads(piped(shop, "logs", "a", "--json")[0])["text"], raw.decode())


def most_memory_of(shop, *arguments):
    """In MB, of a command whose output nobody keeps."""
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen([harness.TROUPE, *arguments], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=nowhere,
                                   env={**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    equal((arguments, process.returncode), (arguments, 0))
    return used.ru_maxrss / 1000


def a_log_of_any_size_takes_little_memory(shop):
    shop.pipeline({"big": {"command": "head -c 70000000 /dev/zero | tr '\\0' 'x'; echo; yes '\x1b[33m\u202e' | head -c 5000000", "max_log": "300MB"}, "small": {"command": "echo x"}})
    shop.troupe("run").must(0)
    for more in ([], ["--raw"], ["--json"], ["--follow"]):
        small, big = most_memory_of(shop, "logs", "small", *more), most_memory_of(shop, "logs", "big", *more)
        assert big < small + 40, (more, small, big)


def a_log_that_is_followed_on_a_terminal(shop):
    """What of it has no newline yet is shown too, and not twice."""
    shop.pipeline({"a": {"command": "printf 'Name\x1b]0;t\x07? '; touch asked; until test -e go; do sleep 0.05; done; printf '1%%\\r2%%\\n'; echo end"}})
    run = shop.start("run")
    shop.wait_for(lambda: shop.exists("asked"), "it has asked")
    text = on_terminal(shop, "logs", "a", "--follow", told=lambda text: shop.write("go", "") if text == b"Name? " else None)
    finish(run).must(0)
    equal(text, b"Name? \r\x1b[K2%me? 1%\r\nend\r\n")


def links_out_of_the_folder(shop):
    """Of a file that a link leads to, out of the link's folder, no line and no word is shown."""
    shop.write("outside/secret", "TOKEN-0123456789 = abcdef\n")
    shop.write("outside/secret.json", json.dumps({"TOKEN-0123456789": {"auth": "TOKEN-0123456789"}, "name": 7}))
    shop.write("outside/troupe.json", "{ TOKEN-0123456789: 1 }")
    shop.write("outside/valid.json", json.dumps({"name": "v", "assets": {"a": {"command": "cat TOKEN-0123456789.txt", "inputs": ["x\u2028"]}}}))
    shop.write("outside/TOKEN-0123456789.txt", "")
    shop.write("co/sub/inside.json", "{ WORD-0123456789: 1 }")
    links = {"troupe.json": "../outside/secret", "absolute.json": shop.path("outside/secret"), "secret.json": "../outside/secret.json", "chain.json": "troupe.json",
             "conf": "../outside", "round.json": "../co/../outside/secret", "twice": "sub/up", "sub/up": "../../outside"}
    for name, target in links.items():
        os.symlink(target, shop.path("co/" + name))
    os.symlink("sub/inside.json", shop.path("co/inside.json"))
    home, shop.folder = shop.folder, shop.path("co")
    for file in ("troupe.json", "./troupe.json", "absolute.json", "secret.json", "chain.json", "conf/secret", "conf/troupe.json", "round.json", "twice/secret", "sub/up/secret",
                 "../co/troupe.json", shop.path("troupe.json"), shop.path("conf/troupe.json"), "sub/../troupe.json"):
        for verb in ("validate", "plan", "run", "runs", "status", "explain a", "graph", "logs a", "journal compact", "__complete assets", "validate --strict"):
            for more in ([], ["--json"]):
                text, errors = piped(shop, *verb.split(), "-f", file, *more)
                assert b"TOKEN" not in text + errors, (verb, file, text, errors)
        text = shop.troupe("validate", "-f", file).must(2).text
        contains(text, ":1:", "a link out of its folder leads to this file", "-f")
        document = shop.troupe("validate", "--json", "-f", file).must(2).json()
        assert document["errors"][0]["line"] == 1 and document["errors"][0]["code"], document
    for file, word in (("inside.json", "WORD"), ("../outside/secret", "TOKEN"), (os.path.join(home, "outside/secret"), "TOKEN")):   # the user's own words, or inside
        contains(shop.troupe("validate", "-f", file).must(2).text, word)
    os.symlink("../outside/valid.json", shop.path("valid.json"))
    text = shop.troupe("validate", "-f", "valid.json").must(0).text
    assert '"command"' not in text, text                    # a pipeline that is valid is one, but its lines are not shown
    shop.folder = home


TESTS = [every_verb_with_hostile_names_and_texts, every_error_with_hostile_words, files_and_states_with_hostile_names, the_words_of_a_lock, logs_on_a_terminal,
         a_log_of_any_size_takes_little_memory, a_log_that_is_followed_on_a_terminal, links_out_of_the_folder]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
