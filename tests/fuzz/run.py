#!/usr/bin/env python3
"""Runs libFuzzer over the fuzz targets, one after the other, from their corpus, and tells what came of it. Knows no target.

usage: run.py --build FOLDER [--seconds N] [--minimise | --list] [TARGET...]

New inputs are kept in FOLDER/fuzz/TARGET and are where the next run goes on from; what breaks a property (or crashes, leaks,
takes too long) is kept there as broken-…, and the exit status is 1. --minimise writes the smallest corpus that covers as much
back to tests/fuzz/corpus/TARGET. --list prints what has to be built. Either runs nothing else.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGETS = ["calendar", "control", "depfile", "event", "forge", "glob", "hook", "journal", "json", "notation", "pages", "param", "pipeline", "record", "result", "run_name",
           "selection", "sensor", "template", "text"]
# The longest input, in bytes, where it is another than 4,096.
LONGEST = {"control": 512, "depfile": 400, "journal": 160, "forge": 96, "glob": 300, "run_name": 64, "notation": 300, "text": 512, "pages": 8192, "param": 512}
# More inputs to begin with: files that are there anyway.
MORE = {"pipeline": ["configs", "tests/bad_input"], "json": ["configs", "tests/bad_input"]}
SECONDS_FOR_ONE_INPUT = 10
MEGABYTES = 3000
KEPT_BYTES = 90_000  # of a target's corpus in the repository
KEPT_FILES = 120


def environment():
    env = dict(os.environ)
    env.setdefault("ASAN_OPTIONS", "abort_on_error=1:detect_leaks=1:allocator_may_return_null=1")
    env.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    return env


def words_for(target):
    path = os.path.join(HERE, "words", target + ".dict")
    return ["-dict=" + path] if os.path.exists(path) else []


def fuzz(program, target, folder, seconds):
    """Executions a second, executions, files of the corpus, and what was found."""
    found = os.path.join(folder, target)
    os.makedirs(found, exist_ok=True)
    seeds = [os.path.join(HERE, "corpus", target)] + [os.path.join(ROOT, more) for more in MORE.get(target, [])]
    command = [program, found, *[seed for seed in seeds if os.path.isdir(seed)], f"-max_total_time={seconds}",
               f"-max_len={LONGEST.get(target, 4096)}", f"-timeout={SECONDS_FOR_ONE_INPUT}", f"-rss_limit_mb={MEGABYTES}",
               "-print_final_stats=1", f"-artifact_prefix={found}/broken-", *words_for(target)]
    log_path = os.path.join(folder, target + ".log")
    with open(log_path, "wb") as log:
        status = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment(),
                                check=False).returncode
    with open(log_path, encoding="utf-8", errors="replace") as log:
        text = log.read()

    def number(name):
        match = re.search(r"stat::" + name + r":\s+(\d+)", text)
        return int(match.group(1)) if match else 0

    covered = re.findall(r"cov: (\d+)", text)
    return {"status": status, "executions": number("number_of_executed_units"), "slowest": number("slowest_unit_time_sec"),
            "megabytes": number("peak_rss_mb"), "covered": int(covered[-1]) if covered else 0,
            "files": sum(not name.startswith("broken-") for name in os.listdir(found)), "log": log_path}


def minimise(program, target, folder):
    """The corpus in the repository becomes the smallest that covers as much; what is named by hand stays."""
    corpus = os.path.join(HERE, "corpus", target)
    found = os.path.join(folder, target)
    os.makedirs(found, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run([program, "-merge=1", f"-max_len={LONGEST.get(target, 4096)}", temporary, corpus, found],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), check=True)
        kept = sorted((os.path.getsize(os.path.join(temporary, name)), name) for name in os.listdir(temporary))
        named = [name for name in os.listdir(corpus) if not re.fullmatch(r"[0-9a-f]{40}|seed-.*", name)]
        for name in os.listdir(corpus):
            if name not in named:
                os.remove(os.path.join(corpus, name))
        total = 0
        files = 0
        for size, name in kept:
            if total + size > KEPT_BYTES or files == KEPT_FILES:
                break
            shutil.copyfile(os.path.join(temporary, name), os.path.join(corpus, name))
            total += size
            files += 1
    print(f"{target:10} {files + len(named):5} files {total:8} bytes, of {len(kept)} that cover more")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--minimise", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    given = parser.parse_args()
    unknown = [name for name in given.targets if name not in TARGETS]
    if unknown:
        sys.exit(f"fuzz: no such target: {unknown[0]} (there are {', '.join(TARGETS)})")
    if given.list:
        print(" ".join("tests/fuzz/fuzz_" + name for name in given.targets or TARGETS))
        return
    folder = os.path.join(given.build, "fuzz")
    broken = []
    for target in given.targets or TARGETS:
        program = os.path.join(given.build, "tests", "fuzz", "fuzz_" + target)
        if given.minimise:
            minimise(program, target, folder)
            continue
        result = fuzz(program, target, folder, given.seconds)
        print(f"{target:10} {result['executions']:10,} executions  {result['covered']:6} edges  {result['files']:5} new inputs"
              f"  {result['megabytes']:5} MB  " + ("ok" if result["status"] == 0 else f"BROKEN, see {result['log']}"), flush=True)
        if result["status"] != 0:
            broken.append(target)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
