#!/usr/bin/env python3
"""Runs the command-line cases: commands with the output expected of them. Knows text, not what Troupe does.

usage: run_cases.py --troupe PROGRAM [--rewrite] [-j N] [CASE...]

A case is a file cases/NAME.t, read line by line:

  Text at the margin is a comment.
    $ a shell command            two blanks, a dollar, a blank
    > more of the same command   its further lines (a here-document, say)
    output expected              standard output and standard error, as they come
    [2]                          its exit status, unless that is 0

A file of a case starts empty in a folder of its own; all its commands run there, one after the other, each in a shell of
its own, with the program in PATH as `troupe`. What differs from run to run is replaced before comparing:

  <uuid>  <time> (RFC 3339)  <local time>  <duration> (850ms, 3.2s, 4m07s)  <n> ms  <ago>  <digest>  <pid>  <folder>  <size> (of memory)  <waits>  <flag>

Runs of blanks within a line count as two, so that columns may be wider or narrower; trailing blanks do not count.
`| json` after a command prints the document with sorted keys, one value a line, so that a difference can be seen;
`| keys a.b` prints the keys of the object at a.b. What goes on beside the commands that follow is started by `background NAME
COMMAND...`, its process id is in NAME.pid; `ended NAME` waits for its end, prints what it wrote and has its exit status.
`eventually COMMAND...` repeats a command until it succeeds: cases wait for what is to come, never for a time. --rewrite writes what came out into the case files.
"""
import argparse
import concurrent.futures
import contextlib
import difflib
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = 120  # seconds a command

HELPERS = {
    "json": """#!/usr/bin/env python3
import json, sys
print(json.dumps(json.load(sys.stdin), indent=1, sort_keys=True, ensure_ascii=False))
""",
    "keys": """#!/usr/bin/env python3
import json, sys
here = json.load(sys.stdin)
for part in [p for p in (sys.argv[1] if len(sys.argv) > 1 else "").split(".") if p]:
    here = here[int(part)] if isinstance(here, list) else here[part]
print(" ".join(sorted(here)))
""",
    "background": """#!/usr/bin/env python3
import os, subprocess, sys
name, command = sys.argv[1], sys.argv[2:]
for suffix in (".out", ".pid", ".status"):
    if os.path.exists(name + suffix):
        os.remove(name + suffix)
started, told = os.pipe()
if os.fork() != 0:
    os.close(told)
    os.read(started, 1)      # there is a process now, and its id can be read
    sys.exit()
os.setsid()
with open(name + ".out", "wb") as out:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    os.dup2(out.fileno(), 1)     # lets go of the output of the case
    os.dup2(out.fileno(), 2)
with open(name + ".pid", "w") as file:
    file.write(str(process.pid))
os.close(told)
status = process.wait()
with open(name + ".status.new", "w") as file:
    file.write(str(status if status >= 0 else 128 - status))
os.rename(name + ".status.new", name + ".status")
""",
    "ended": """#!/bin/sh
until test -e "$1.status"; do sleep 0.01; done
cat "$1.out"
exit "$(cat "$1.status")"
""",
    "eventually": """#!/bin/sh
until "$@" >/dev/null 2>&1; do sleep 0.01; done
""",
}

REPLACEMENTS = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    (r"\b[0-9a-f]{32}\b", "<digest>"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "<local time>"),
    (r"\b(just now|(\d+ms|\d+\.\ds|\d+m\d\ds|\d+h\d\dm) ago)\b", "<ago>"),
    (r"(?<![\w.])(\d+ms|\d+\.\ds|\d+m\d\ds|\d+h\d\dm)(?!\w)", "<duration>"),
    (r"\b\d+ ms\b", "<n> ms"),
    (r"(\"duration_ms\": ?)\d+", r"\1<n>"),
    (r"(\"waits\": ?)\[[^\]]*\]", r"\1[<waits>]"),   # who waits a millisecond, and for what, is chance
    (r"\b(process|pid) \d+\b", r"\1 <pid>"),
    (r"\b(at most )?\d+\.\d [KMG]B of memory", "<size> of memory"),
    (r"(\"(user_ms|system_ms|peak_memory_bytes|read_bytes|written_bytes)\": ?)[\d.]+", r"\1<n>"),
    (r"(\"peak_is_bound\": ?)(true|false)", r"\1<flag>"),
]


def normalised(text, folder):
    text = text.replace(os.path.realpath(folder), "<folder>").replace(folder, "<folder>")
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    lines = []
    for line in text.split("\n"):
        indent = re.match(" *", line).group(0)
        lines.append((indent + re.sub(" {2,}", "  ", line[len(indent):])).rstrip())
    return "\n".join(lines)


def environment(folder, tools):
    keep = {k: v for k, v in os.environ.items() if k in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH", "GCOV_PREFIX")}
    return {
        **keep,
        "PATH": tools + ":" + os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": folder, "TZ": "UTC", "LC_ALL": "C.UTF-8", "TERM": "xterm",
    }


class Command:
    def __init__(self, lines):
        self.lines = lines       # as in the file
        self.expected = []       # lines of output, then [status]
        self.script = lines[0][4:]


def parse(path):
    """The file as a list of comment lines (str) and Commands, in order."""
    items = []
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if line.startswith("  $ "):
                items.append(Command([line]))
            elif line.startswith("  > ") or line == "  >":
                last = items[-1]
                last.lines.append(line)
                last.script += "\n" + line[4:]
            elif line.startswith("  ") and items and isinstance(items[-1], Command):
                items[-1].expected.append(line[2:])
            else:
                items.append(line)
    return items


def run_command(command, folder, tools):
    done = subprocess.run(["bash", "-c", command.script], cwd=folder, env=environment(folder, tools), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
    text = normalised(done.stdout.decode("utf-8", "backslashreplace"), folder)
    lines = text[:-1].split("\n") if text.endswith("\n") else text.split("\n") if text else []
    if text and not text.endswith("\n"):
        lines[-1] += " (no newline)"
    status = done.returncode
    if status != 0:
        lines.append(f"[{status}]")
    return lines


def end_what_is_left(folder):
    """Of a case that failed: asks what `background` started to end, and waits a little for it."""
    for pid_file in glob.glob(os.path.join(glob.escape(folder), "*.pid")):
        status = pid_file[:-len("pid")] + "status"
        if os.path.exists(status) or not os.path.exists(pid_file[:-len("pid")] + "out"):
            continue
        with contextlib.suppress(OSError, ValueError), open(pid_file, encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGTERM)
        deadline = time.monotonic() + 20
        while not os.path.exists(status) and time.monotonic() < deadline:
            time.sleep(0.05)


def run_case(path, troupe, rewrite):
    """None if all is as expected, else the difference."""
    items = parse(path)
    folder = tempfile.mkdtemp(prefix="troupe-case-")
    tools = tempfile.mkdtemp(prefix="troupe-tools-")
    try:
        os.symlink(troupe, os.path.join(tools, "troupe"))
        for name, text in HELPERS.items():
            tool = os.path.join(tools, name)
            with open(tool, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(tool, 0o755)
        before, after = [], []
        for item in items:
            if isinstance(item, str):
                before.append(item)
                after.append(item)
                continue
            try:
                found = run_command(item, folder, tools)
            except subprocess.TimeoutExpired:
                found = [f"(not ended after {TIMEOUT} seconds)"]
            before += item.lines + [("  " + line).rstrip() if line else "  " for line in item.expected]
            after += item.lines + [("  " + line).rstrip() if line else "  " for line in found]
    finally:
        end_what_is_left(folder)
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(tools, ignore_errors=True)
    if [line.rstrip() for line in before] == [line.rstrip() for line in after]:
        return None
    if rewrite:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(after))
        return None
    name = os.path.basename(path)
    return "\n".join(difflib.unified_diff(before, after, name + " (expected)", name + " (found)", lineterm=""))


def main():
    parser = argparse.ArgumentParser(description="Runs the command-line cases.")
    parser.add_argument("--troupe", required=True, help="the program")
    parser.add_argument("--rewrite", action="store_true", help="write what came out into the case files")
    parser.add_argument("-j", type=int, default=2, help="cases at a time")
    parser.add_argument("cases", nargs="*", help="files; default: all")
    arguments = parser.parse_args()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and what ignores it cannot be ended by it
    cases = arguments.cases or sorted(
        os.path.join(HERE, "cases", name) for name in os.listdir(os.path.join(HERE, "cases")) if name.endswith(".t"))
    troupe = os.path.abspath(arguments.troupe)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.j) as pool:
        for path, difference in zip(cases, pool.map(lambda case: run_case(case, troupe, arguments.rewrite), cases)):
            if difference is None:
                continue
            failed += 1
            print(difference + "\n")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
