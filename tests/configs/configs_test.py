#!/usr/bin/env python3
"""Loads and runs every pipeline in configs/, from a copy of that folder, and checks what their comments promise.

Knows the CLI and its JSON documents only. usage: configs_test.py TROUPE SOURCE_ROOT [NAME...]; ends with "N passed, N failed".
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

TROUPE = ROOT = CONFIGS = ""
TIMEOUT_S = 300


class Result:
    def __init__(self, status, text, errors):
        self.status, self.text, self.errors = status, text, errors

    def json(self):
        try:
            return json.loads(self.text)
        except ValueError:
            raise AssertionError(f"no JSON document on standard output: {self.text[:500]!r}; standard error: {self.errors[-1000:]}") from None


def troupe(*arguments):
    done = subprocess.run([TROUPE, *arguments], cwd=CONFIGS, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)
    return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def run(pipeline, *arguments, status=0):
    result = troupe("run", "-f", pipeline, "--json", *arguments)
    assert result.status == status, f"exit status {result.status}, not {status}: {result.text[-3000:]} {result.errors[-3000:]}"
    return result.json()


def with_status(document, status):
    return sorted(name for name, asset in document["assets"].items() if asset["status"] == status)


def equal(got, expected):
    assert got == expected, f"got {got!r}, expected {expected!r}"


def every_pipeline_is_valid_without_warnings():
    files = sorted(glob.glob(os.path.join(CONFIGS, "*.json")))
    assert len(files) >= 4, files
    for file in files:
        result = troupe("validate", "-f", os.path.basename(file), "--json")
        document = result.json()
        equal((os.path.basename(file), result.status, document["ok"], document["errors"], document["warnings"]), (os.path.basename(file), 0, True, [], []))


def retries_and_failure():
    document = run("retries-and-failure.json", status=1)
    assets = document["assets"]
    equal(document["status"], "failed")
    equal((assets["flaky"]["status"], assets["flaky"]["attempts"]), ("succeeded", 3))
    equal(assets["slow"]["status"], "failed")
    equal(assets["summary"]["status"], "succeeded")
    equal((assets["broken"]["status"], assets["broken"]["exit_code"], assets["broken"]["attempts"]), ("failed", 4, 1))
    equal(assets["needs_broken"]["status"], "blocked")
    with open(os.path.join(CONFIGS, "retries-and-failure/out/summary.txt"), encoding="utf-8") as file:
        equal(file.read(), "fetched\nwithout the slow part\n")
    log = troupe("logs", "-f", "retries-and-failure.json", "flaky", "--attempt", "1")
    assert "attempt 1: the service is busy" in log.text, log.text


def retries_and_failure_without_the_broken_part():
    document = run("retries-and-failure.json", "--exclude", "broken", "--exclude", "needs_broken")
    equal(document["status"], "succeeded")   # an allowed failure does not make the run fail
    equal(document["assets"]["slow"]["status"], "failed")


def pools_and_priorities():
    document = run("pools-and-priorities.json")
    equal(document["counts"].get("succeeded"), 10)
    document = run("pools-and-priorities.json")
    equal(document["counts"].get("fresh"), 10)
    # With one worker the order is the order of priorities.
    run("pools-and-priorities.json", "--force", "--workers", "1")
    mtimes = {n: os.stat(os.path.join(CONFIGS, "pools-and-priorities/out", n)).st_mtime_ns for n in ("urgent.txt", "a.txt", "whenever.txt")}
    equal(sorted(mtimes, key=mtimes.get), ["urgent.txt", "a.txt", "whenever.txt"])


def discovered_inputs():
    document = run("discovered-inputs.json")
    equal(with_status(document, "succeeded"), ["site", "word_count"])
    equal(document["assets"]["site"]["metadata"], {"lines": 5})
    equal(with_status(run("discovered-inputs.json"), "fresh"), ["site", "word_count"])
    with open(os.path.join(CONFIGS, "discovered-inputs/pages/footer.txt"), "a", encoding="utf-8") as file:
        file.write("Changed.\n")
    plan = troupe("plan", "-f", "discovered-inputs.json", "--json").json()
    equal(plan["assets"]["site"]["action"], "run")
    equal(plan["assets"]["site"]["reasons"], [{"kind": "input_changed", "detail": "discovered-inputs/pages/footer.txt"}])
    equal(plan["assets"]["word_count"]["action"], "maybe")
    equal(with_status(run("discovered-inputs.json"), "succeeded"), ["site", "word_count"])


def debian_archive():
    if shutil.which("apt-cache") is None or shutil.which("sqlite3") is None:
        print("skipped: no apt-cache or no sqlite3 here")
        return
    pipeline = "debian-archive.json"
    document = run(pipeline)
    total = len(document["assets"])
    assert 20 <= total <= 60, total
    equal(document["status"], "succeeded")
    assert document["assets"]["packages"]["metadata"]["stanzas"] > 0
    with open(os.path.join(CONFIGS, "debian-archive/out/report.html"), encoding="utf-8") as file:
        report = file.read()
    equal(report.count("<svg"), 9)

    # Nothing has changed: nothing runs.
    equal(len(with_status(run(pipeline), "fresh")), total)

    # A comment: one asset runs, its table is what it was, all behind it is spared.
    with open(os.path.join(CONFIGS, "debian-archive/ingest/packages.awk"), "a", encoding="utf-8") as file:
        file.write("# a comment\n")
    plan = troupe("plan", "-f", pipeline, "--json").json()
    equal(sorted(n for n, a in plan["assets"].items() if a["action"] == "run"), ["packages"])
    document = run(pipeline)
    equal(with_status(document, "succeeded"), ["packages"])
    equal(document["assets"]["packages"]["reasons"], [{"kind": "input_changed", "detail": "debian-archive/ingest/packages.awk"}])
    equal(document["assets"]["packages"]["changed"], False)
    equal(len(with_status(document, "fresh")), total - 1)

    # A colour: the report is put together anew, no chart is drawn.
    style = os.path.join(CONFIGS, "debian-archive/report/style.css")
    with open(style, encoding="utf-8") as file:
        text = file.read()
    with open(style, "w", encoding="utf-8") as file:
        file.write(text.replace("--accent: #d70751", "--accent: #b8004a"))
    equal(with_status(run(pipeline), "succeeded"), ["report", "report_check"])

    # A parameter: the queries that use it, and no table.
    ran = with_status(run(pipeline, "--param", "top=5"), "succeeded")
    assert {"query[sections]", "chart_sections", "report"} <= set(ran), ran
    equal([n for n in ran if n in ("packages", "edges", "database", "totals", "chart_sizes")], [])


TESTS = [every_pipeline_is_valid_without_warnings, retries_and_failure, retries_and_failure_without_the_broken_part,
         pools_and_priorities, discovered_inputs, debian_archive]


def main(arguments):
    global TROUPE, ROOT, CONFIGS
    TROUPE, ROOT = os.path.abspath(arguments[0]), os.path.abspath(arguments[1])
    passed = failed = 0
    for test in TESTS:
        if arguments[2:] and test.__name__ not in arguments[2:]:
            continue
        with tempfile.TemporaryDirectory(prefix="troupe-configs-") as folder:
            CONFIGS = os.path.join(folder, "configs")
            shutil.copytree(os.path.join(ROOT, "configs"), CONFIGS, ignore=shutil.ignore_patterns("out"))
            try:
                test()
                passed += 1
                print(f"ok      {test.__name__}")
            except Exception:  # a test of any kind of failure reports it and goes on
                failed += 1
                print(f"FAILED  {test.__name__}")
                traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
