#!/usr/bin/env python3
"""The pipelines of examples/pipelines, each held against what did the same work before. Knows the CLI and the folders' names.

usage: pipelines_test.py TROUPE SOURCE_ROOT
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import Skip, contains, equal, main, statuses

PIPELINES = os.path.join(os.path.abspath(sys.argv.pop()), "examples", "pipelines")


def start(shop, name, *tools):
    """The folder twice: for Troupe, and for the original, whose place is returned."""
    for tool in tools:
        if shutil.which(tool) is None:
            raise Skip(f"{tool} is not here")
    original = os.path.join(shop.top, "original")
    os.rmdir(shop.folder)
    for place in (shop.folder, original):
        shutil.copytree(os.path.join(PIPELINES, name), place)
    return original


def do(folder, *words):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    equal((words, done.returncode, done.stderr if done.returncode else ""), (words, 0, ""))


def same(shop, original, *files):
    for file in files:
        with open(os.path.join(original, file), "rb") as theirs, open(shop.path(file), "rb") as ours:
            equal((file, ours.read()), (file, theirs.read()))


def ran(shop, *arguments):
    return sorted(name for name, status in statuses(shop.run(*arguments)).items() if status == "succeeded")


def c_build(shop):
    original = start(shop, "c-build", "cc", "make")
    do(original, "make")
    equal(len(ran(shop)), 4)
    same(shop, original, "build/answer.txt", "build/stack.o", "build/calc.o")
    equal(shop.read("build/answer.txt"), "12\n")
    equal(ran(shop), [])
    shop.write("src/stack.c", shop.read("src/stack.c").replace("is full", "is quite full"))
    equal(ran(shop), ["answer", "calc", "objects[stack]"])
    shop.write("src/stack.h", shop.read("src/stack.h") + "/* a header that both include */\n")
    equal(ran(shop), ["objects[calc]", "objects[stack]"])      # the same objects: nothing behind them runs
    shop.write("src/half.c", "double half(double number) { return number / 2; }\n")
    contains(" ".join(ran(shop)), "objects[half]", "calc")


def samples(shop):
    original = start(shop, "samples")
    for folder in (shop.folder, original):
        do(folder, "sh", "make_reads.sh")
    ran(shop)
    if shutil.which("snakemake"):
        do(original, "snakemake", "-j1")
        same(shop, original, "out/summary.tsv")
    equal([line.split("\t")[0] for line in shop.lines("out/summary.tsv")], ["brain", "heart", "liver"])
    equal(ran(shop), [])
    shop.write("samples.csv", shop.read("samples.csv").replace("TTA", "CCC"))
    equal(ran(shop)[0], "count[heart]")
    shop.write("reads/lung.txt", "ACGT\nACGT\nTTTT\n")
    shop.write("samples.csv", shop.read("samples.csv") + "lung,reads/lung.txt,ACG\n")
    equal(ran(shop), ["count[lung]", "summary", "unique[lung]"])
    contains(shop.read("out/summary.tsv"), "lung\t1\n")


def warehouse(shop):
    original = start(shop, "warehouse", "sqlite3")
    do(original, "sh", "build.sh")
    ran(shop)
    same(shop, original, "out/totals.csv")
    equal(ran(shop), [])
    for folder in (shop.folder, original):
        with open(os.path.join(folder, "seeds/orders.csv"), "a", encoding="ascii") as file:
            file.write("6,2,5,paid\n")
    equal(ran(shop), ["check", "export", "paid_orders", "seeds", "totals"])
    do(original, "sh", "build.sh")
    same(shop, original, "out/totals.csv")
    equal(ran(shop, "--force", "--only", "seeds"), ["seeds"])
    ran(shop)
    same(shop, original, "out/totals.csv")


def site(shop):
    original = start(shop, "site", "make")
    do(original, "make")
    ran(shop)
    same(shop, original, "public/index.html", "public/install.html", "public/style.css", "public/sitemap.txt")
    contains(shop.read("public/index.html"), "<h1>Welcome</h1>", "<p>It has three pages.</p>")
    shop.write("pages/index.md", "# Hello\n")
    equal(ran(shop), ["pages[index]", "sitemap"])
    shop.write("pages/new.md", "# New\n")
    ran(shop)
    contains(shop.read("public/sitemap.txt"), "public/new.html")


def nightly(shop):
    original = start(shop, "nightly", "bash")
    for day in ("2026-11-28", "2026-11-29"):
        do(original, "bash", "nightly.sh", day)
        ran(shop, "--param", f"day={day}")
        same(shop, original, f"reports/{day}.txt")
    equal(ran(shop), ["raw"])                          # asked for each time; what came is the same
    contains(shop.troupe("triggers").must(0).text, "every_night")


TESTS = [c_build, samples, warehouse, site, nightly]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
