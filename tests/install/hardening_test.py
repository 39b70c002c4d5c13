#!/usr/bin/env python3
"""How the program is linked: at any address, with all symbols resolved at its start, what is read-only then, no stack that can be executed.
usage: hardening_test.py TROUPE"""
import re
import shutil
import subprocess
import sys

SKIPPED = 77


def wanting(header, segments, dynamic):
    """What of it is not so, by what readelf prints."""
    if not re.search(r"Type:\s+DYN", header):
        yield "it is loaded at a fixed address (no PIE)"
    if "GNU_RELRO" not in segments:
        yield "its relocations stay writable (no RELRO)"
    if not re.search(r"\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b|\(BIND_NOW\)", dynamic):
        yield "its symbols are resolved while it runs (no BIND_NOW)"
    if re.search(r"GNU_STACK.*\bRWE\b", segments) or "GNU_STACK" not in segments:
        yield "its stack can be executed"


def main(program):
    if not shutil.which("readelf"):
        print("skipped: there is no readelf")
        return SKIPPED
    def printed(what):
        return subprocess.run(["readelf", "-W", what, program], check=True, stdout=subprocess.PIPE, timeout=60).stdout.decode()
    # The check itself: of a program without any of it, all is reported.
    missed = 4 - len(list(wanting("Type: EXEC", "LOAD", "(FLAGS_1) Flags: PIE")))
    found = list(wanting(printed("-h"), printed("-l"), printed("-d")))
    for what in found:
        print(f"FAILED  {what}")
    print(f"{4 - len(found)} passed, {len(found) + missed} failed")
    return 1 if found or missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
