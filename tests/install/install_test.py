#!/usr/bin/env python3
"""Installs into an empty folder and uses what is there: the program, its completions, its schema, its documents.
usage: install_test.py BUILD PREFIX BINDIR DATADIR link|description      link: a program is compiled with the library, too"""
import json
import os
import shutil
import subprocess
import sys
import tempfile


def output_of(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=100, **options).stdout.decode()


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check(place, prefix, bindir, datadir, library):
    """Pairs of what is looked at and whether it is right."""
    under = lambda *parts: os.path.join(place + os.path.abspath(os.path.join(prefix, parts[0])), *parts[1:])
    troupe = under(bindir, "troupe")
    share = lambda *parts: under(datadir, *parts)
    yield "the program tells its version", output_of(troupe, "version").startswith("troupe ")
    work = os.path.join(place, "work")
    os.mkdir(work)
    output_of(troupe, "init", cwd=work)
    output_of(troupe, "run", cwd=work)
    yield "and runs a pipeline", json.loads(output_of(troupe, "run", "--json", cwd=work))["status"] == "succeeded"
    for shell, path in (("bash", share("bash-completion", "completions", "troupe")), ("zsh", share("zsh", "site-functions", "_troupe")),
                        ("fish", share("fish", "vendor_completions.d", "troupe.fish"))):
        yield f"completions for {shell}", read(path) == output_of(troupe, "completions", shell)
        if shutil.which(shell):
            yield f"which {shell} can read", subprocess.run([shell, "-n", path], check=False).returncode == 0
    # As the shell that loads it by the name of the command does.
    words = output_of("bash", "-c", 'source "$1"; complete -p troupe', "bash", share("bash-completion", "completions", "troupe"))
    yield "bash completes troupe with it", words.startswith("complete ") and "troupe" in words
    yield "zsh knows for what it is", read(share("zsh", "site-functions", "_troupe")).startswith("#compdef troupe")
    yield "the schema", json.loads(read(share("troupe", "troupe.schema.json"))) == json.loads(output_of(troupe, "schema"))
    for document in ("LICENSE", "README.md", "docs/quickstart.md", "docs/cli.md", "docs/pipeline.md"):
        yield f"the document {document}", len(read(share("doc", "troupe", document))) > 500
    yield from check_library(place, work, library == "link")
    files = [os.path.join(folder, name) for folder, _, names in os.walk(place) for name in names if not folder.startswith(work)]
    yield "nothing lies outside the prefix", all(file.startswith(place + prefix + os.sep) for file in files)


def check_library(place, work, link):
    """The library, as a program's build finds it: by pkg-config alone."""
    described = [folder for folder, _, names in os.walk(place) if "troupe.pc" in names]
    yield "a description for pkg-config", len(described) == 1
    compiler, pkg_config = shutil.which("g++") or shutil.which("clang++"), shutil.which("pkg-config")
    if not link or not described or not compiler or not pkg_config:
        return
    environment = dict(os.environ, PKG_CONFIG_PATH=described[0], PKG_CONFIG_SYSROOT_DIR=place)
    flags = output_of(pkg_config, "--cflags", "--libs", "troupe", env=environment).split()
    example = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "thirty_lines.cpp")
    program = os.path.join(work, "thirty_lines")
    built = subprocess.run([compiler, example, "-o", program, "-Wl,--build-id", *flags, "-Wl,-rpath," + os.path.dirname(described[0])], check=False)
    yield "a program is compiled with it", built.returncode == 0
    if built.returncode != 0:
        return
    with open(os.path.join(work, "text.txt"), "w", encoding="utf-8") as file:
        file.write("a\nlongest\n")
    yield "and runs", output_of(program, cwd=work) == "longest (3 made, 0 fresh)\n"


def main(build, prefix, bindir, datadir, library):
    place = tempfile.mkdtemp(prefix="troupe-install-")
    passed = failed = 0
    try:
        done = subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", place], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=100, check=False)
        if done.returncode != 0:
            print(done.stdout.decode(errors="replace"))
            print("0 passed, 1 failed")
            return 1
        for what, right in check(place, prefix, bindir, datadir, library):
            passed += bool(right)
            failed += not right
            if not right:
                print(f"FAILED  {what}")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
