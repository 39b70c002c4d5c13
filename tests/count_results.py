#!/usr/bin/env python3
"""Counts what a `meson test` run has passed and failed, and ends with one line: N passed, N failed.

Knows meson's testlog.json and two ways of reporting (doctest's summary, a closing line "N passed, N failed"); a test that uses neither
counts as one. A test that failed without saying which part of it did (a crash, a time-out) counts one failure. Above that line stands
again what each failed test said, shortened: whoever has only the end of a long log has it there. Exit status 1 if anything failed or
if nothing ran.

usage: count_results.py TESTLOG_JSON | --self-test
"""
import json
import re
import sys

DOCTEST = re.compile(r"\[doctest\] test cases: +\d+ \| +(\d+) passed \| +(\d+) failed(?: \| +(\d+) skipped)?")
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)
FINE = {"OK", "EXPECTEDFAIL"}
COUNTED_OUT = {"SKIP", "IGNORED"}
QUIET = re.compile(r"^(ok|skipped) ")   # what a script says of a part of it that went well
RECAP_LINES = 60                        # of each stream of a failed test
RECAP_WIDTH = 500                       # characters of a line


def count(entry):
    """(passed, failed, skipped) of one line of testlog.json."""
    output = entry.get("stdout") or ""
    result = entry["result"]
    if result in COUNTED_OUT:
        return 0, 0, 1
    reports = DOCTEST.findall(output) or PLAIN.findall(output)[-1:]
    passed = sum(int(r[0]) for r in reports)
    failed = sum(int(r[1]) for r in reports)
    if result in FINE:
        # What a passing test prints as failed is not its own verdict (a test of a reporter, say): the exit status decides.
        return (passed, 0, 0) if reports else (1, 0, 0)
    return passed, max(failed, 1), 0


def recap(entry):
    """What a failed test said, as lines: the end of each stream without the parts that went well; [] for one that did not fail."""
    if entry["result"] in FINE | COUNTED_OUT:
        return []
    lines = [f"----- {entry['name']}: {entry['result']}, exit status {entry.get('returncode')}, after {entry.get('duration', 0):.1f} s"]
    for stream in ("stdout", "stderr"):
        said = [line[:RECAP_WIDTH] for line in (entry.get(stream) or "").splitlines() if line.strip() and not QUIET.match(line)]
        if len(said) > RECAP_LINES:
            lines.append(f"  ({len(said) - RECAP_LINES} lines of {stream} before these: meson-logs/testlog.txt)")
        lines += ["  " + line for line in said[-RECAP_LINES:]]
    return lines


def main(path):
    totals = [0, 0, 0]
    failures = []
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log:
                if line.strip():
                    entry = json.loads(line)
                    totals = [a + b for a, b in zip(totals, count(entry))]
                    failures += recap(entry)
    except FileNotFoundError:
        print(f"no test has run: {path} does not exist", file=sys.stderr)
    passed, failed, skipped = totals
    if failures:
        print("\n".join(["", "What the failed tests said:"] + failures))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed > 0 and failed == 0 else 1


DOCTEST_TEXT = "[doctest] doctest version is 2.4.9\n[doctest] test cases:  5 |  {} passed | {} failed | 0 skipped\n[doctest] Status: .\n"
CASES = [
    ("doctest, all passed", "OK", DOCTEST_TEXT.format(5, 0), (5, 0, 0)),
    ("doctest, some failed", "FAIL", DOCTEST_TEXT.format(3, 2), (3, 2, 0)),
    ("all cases passed, and then it crashed", "FAIL", DOCTEST_TEXT.format(5, 0), (5, 1, 0)),
    ("two executables in one test", "OK", DOCTEST_TEXT.format(5, 0) + DOCTEST_TEXT.format(4, 0), (9, 0, 0)),
    ("a script's closing line", "FAIL", "ok a\nFAILED b\n7 passed, 1 failed\n", (7, 1, 0)),
    ("a script that says nothing", "OK", "", (1, 0, 0)),
    ("a script that fails and says nothing", "FAIL", "", (0, 1, 0)),
    ("a time-out", "TIMEOUT", "", (0, 1, 0)),
    ("skipped", "SKIP", "", (0, 0, 1)),
]
RECAPS = [
    ("nothing of a test that passed", {"name": "a", "result": "OK", "stdout": "FAILED b\n"}, []),
    ("a failed script: what went well is left out", {"name": "a", "result": "FAIL", "returncode": 1, "duration": 2.0,
                                                    "stdout": "ok      b\nFAILED  c\nexpected 1, got 2\n7 passed, 1 failed\n", "stderr": "late\n"},
     ["----- a: FAIL, exit status 1, after 2.0 s", "  FAILED  c", "  expected 1, got 2", "  7 passed, 1 failed", "  late"]),
    ("a long one: its end", {"name": "a", "result": "TIMEOUT", "returncode": -9, "duration": 60, "stdout": "\n".join(map(str, range(RECAP_LINES + 2)))},
     ["----- a: TIMEOUT, exit status -9, after 60.0 s", "  (2 lines of stdout before these: meson-logs/testlog.txt)"] +
     [f"  {i}" for i in range(2, RECAP_LINES + 2)]),
]


def self_test():
    wrong = 0
    for name, result, output, expected in CASES:
        got = count({"result": result, "stdout": output})
        if got != expected:
            wrong += 1
            print(f"{name}: got {got}, expected {expected}")
    for name, entry, expected in RECAPS:
        if recap(entry) != expected:
            wrong += 1
            print(f"{name}: got {recap(entry)}, expected {expected}")
    print(f"{len(CASES) + len(RECAPS) - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(self_test() if sys.argv[1] == "--self-test" else main(sys.argv[1]))
