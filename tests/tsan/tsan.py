#!/usr/bin/env python3
"""Runs what a build with ThreadSanitizer made: races that are planted and have to be reported, unit tests with threads in them, and the
program over pipelines that use all of its threads. Every other report is a failure. usage: tsan.py BUILD [NAME...]"""
import glob
import os
import pty
import select
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import harness  # noqa: E402

REPORTED = 66
TIMEOUT_S = 1200
UNIT_TESTS = ("actors/test_actors", "engine/test_engine", "adapters/system/test_system", "adapters/process/test_processes", "adapters/files/test_files", "adapters/journal/test_journal", "adapters/http/test_http")
BUILD, LOGS, PREFIX = sys.argv[1], None, []


def options(name):
    return {**os.environ, "TSAN_OPTIONS": f"suppressions={HERE}/suppressions.txt exitcode={REPORTED} log_path={LOGS}/{name} history_size=7 die_after_fork=0"}


def reports(name):
    text = ""
    for path in sorted(glob.glob(f"{glob.escape(LOGS)}/{name}.*")):
        with open(path, encoding="utf-8", errors="replace") as file:
            text += file.read()
    return text


def execute(name, *command):
    done = subprocess.run([*PREFIX, *command], env=options(name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), reports(name)


def planted(where):
    def look():
        status, text, report = execute(f"planted-{where}", f"{BUILD}/tests/tsan/planted_race", where)
        assert status == REPORTED, f"a race that was planted is not reported: exit status {status}\n{text}{report}"
        harness.contains(report, "WARNING: ThreadSanitizer: data race", "planted_race.cpp:")
    look.__name__ = f"planted_{where}"
    return look


def unit(program):
    room = program.rsplit("test_", 1)[1]

    def look():
        status, text, report = execute(room, f"{BUILD}/tests/unit/{program}")
        # Not every word of it is a finding: a test takes memory away from a process of its own.
        assert status == 0 and "WARNING: ThreadSanitizer" not in report, f"exit status {status}\n{text[-2000:]}\n{report[:8000]}"
    look.__name__ = room
    return look


class Shop(harness.Workshop):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def begin(self, *arguments, **more):
        return subprocess.Popen([*PREFIX, f"{BUILD}/src/troupe", *arguments], cwd=self.folder, env=options(self.name), **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **more})

    def must(self, status, *arguments):
        process = self.begin(*arguments)
        text = process.communicate(timeout=TIMEOUT_S)[0].decode(errors="replace")
        assert process.returncode == status, f"troupe {' '.join(arguments)}: exit status {process.returncode}, not {status}\n{text[-2000:]}\n{reports(self.name)[:8000]}"


PIPELINE = {
    "part": {"matrix": {"n": [str(n) for n in range(24)]}, "command": "echo {{ matrix.n }}; cat in.txt > out/{{ matrix.n }}", "inputs": ["in.txt"], "outputs": ["out/{{ matrix.n }}"]},
    "join": {"command": "cat out/* > all; echo '{\"data_version\": \"1\", \"metadata\": {\"rows\": 3}}' > $TROUPE_RESULT", "deps": ["part"], "outputs": ["all"]},
    "pooled": {"matrix": {"n": ["1", "2", "3"]}, "command": "sleep 0.02", "always": True, "pools": {"p": 1}, "durability": "strict"},
    "again": {"command": "exit 75", "retry": {"attempts": 4, "delay": "5ms", "backoff": "exponential", "jitter": "full"}, "allow_failure": True},
    "late": {"command": "sleep 60", "timeout": "100ms", "allow_failure": True},
    "loud": {"command": "yes | head -c 3000000; (sleep 60 &)", "max_log": "1MB"},
    "silent": {"command": "exec >&- 2>&-; sleep 0.1"},
}
ENGINE = {"workers": 4, "error_strategy": "continue", "keep_runs": 2, "grace_period": "200ms", "pools": {"p": 1}}


def prepared(shop, **more):
    shop.write("in.txt", "1")
    shop.pipeline({**PIPELINE, **more}, engine=ENGINE)


def runs(shop):
    """All threads at work; runs in which all is fresh; retention of old ones."""
    prepared(shop)
    for durability in ("pipelined", "strict", "none", "pipelined"):
        shop.pipeline(PIPELINE, engine={**ENGINE, "durability": durability})
        shop.write("in.txt", durability)
        shop.must(0, "run")
        shop.must(0, "run", "part")
    shop.must(0, "journal", "verify")


def stops(shop):
    """Cancel, a second writer, and resumes, in the midst of it. (No signals: ThreadSanitizer holds them back until the thread that got
    them calls something it knows, and the one that waits for the run's end does not.)"""
    prepared(shop, long={"command": "echo $$ > pid; sleep 60"})
    for _ in range(4):
        process = shop.begin("resume" if shop.exists("pid") else "run")
        shop.wait_for_file("pid")
        shop.must(3, "run")
        shop.must(0, "cancel")
        text = process.communicate(timeout=TIMEOUT_S)[0].decode(errors="replace")
        assert process.returncode == 1, f"exit status {process.returncode}, not 1\n{text[-2000:]}\n{reports(shop.name)[:8000]}"
        os.unlink(shop.path("pid"))
        shop.write("pid", "")


def readers(shop):
    """Beside a run: each with its own threads for planning and for files."""
    prepared(shop)
    for _ in range(2):
        shop.write("in.txt", "more")
        process = shop.begin("run", "--force")
        for verb in (["status"], ["plan"], ["runs"], ["show", "latest"], ["logs", "loud", "--follow"], ["journal", "verify"], ["explain", "join"]):
            reader = shop.begin(*verb)
            reader.communicate(timeout=TIMEOUT_S)
            assert reader.returncode != REPORTED, f"{verb}\n{reports(shop.name)[:8000]}"
        process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0, f"exit status {process.returncode}\n{reports(shop.name)[:8000]}"


def terminal(shop):
    """Live progress is painted by a thread of its own."""
    prepared(shop)
    ours, theirs = pty.openpty()
    process = shop.begin("run", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    painted = b""
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        if select.select([ours], [], [], 0.05)[0]:
            try:
                painted += os.read(ours, 65536)
            except OSError:   # its other end is closed
                break
    os.close(ours)
    assert process.wait(timeout=TIMEOUT_S) == 0, f"exit status {process.returncode}\n{painted[-2000:]!r}\n{reports(shop.name)[:8000]}"
    assert b"\x1b[" in painted, "nothing was painted"


def many_runs():
    """Random lives of an engine with several runs at a time; it is killed now and then, and every other end of it is looked at."""
    status, text, report = execute("many_runs", sys.executable, f"{HERE}/../many_runs/many_runs_test.py", f"{BUILD}/src/troupe", f"{BUILD}/tests/many_runs/engine_runs", "--lives", "3")
    assert status == 0 and "WARNING: ThreadSanitizer" not in report, f"exit status {status}\n{text[-2000:]}\n{report[:8000]}"


def serve():
    """The supervisor from outside: HTTP, streams, the queue, tokens, kills, triggers."""
    for test in ("serve_test.py", "triggers_test.py"):
        status, text, report = execute("serve", sys.executable, f"{HERE}/../e2e/{test}", f"{BUILD}/src/troupe")
        assert status == 0 and "WARNING: ThreadSanitizer" not in report, f"{test}: exit status {status}\n{text[-2000:]}\n{report[:8000]}"


def program(test):
    def look():
        with Shop(f"program-{test.__name__}") as shop:
            test(shop)
            found = reports(shop.name)
            assert not found, found[:8000]
    look.__name__ = f"program_{test.__name__}"
    return look


TESTS = [planted("actors"), planted("journal"), planted("handover"), *map(unit, UNIT_TESTS), many_runs, serve, *map(program, (runs, stops, readers, terminal))]


def run_all():
    global LOGS, PREFIX
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="troupe-tsan-") as LOGS:
        # Where addresses are more random than this ThreadSanitizer can take, it has to be asked for without.
        if "memory mapping" in execute("probe", f"{BUILD}/tests/tsan/planted_race")[1] + reports("probe"):
            PREFIX = ["setarch", "-R"]
        for test in TESTS:
            if sys.argv[2:] and test.__name__ not in sys.argv[2:]:
                continue
            started = time.monotonic()
            try:
                test()
                passed += 1
                print(f"ok      {test.__name__} ({time.monotonic() - started:.1f} s)", flush=True)
            except Exception as why:  # whatever it is: report it, and go on with the next test
                failed += 1
                print(f"FAILED  {test.__name__}: {why}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    BUILD = os.path.abspath(BUILD)
    sys.exit(run_all())
