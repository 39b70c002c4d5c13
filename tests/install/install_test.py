#!/usr/bin/env python3
"""Installs into an empty folder and uses what is there: the program, its completions, its schema, its documents.
usage: install_test.py BUILD PREFIX BINDIR DATADIR"""
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


def check(place, prefix, bindir, datadir):
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
    files = [os.path.join(folder, name) for folder, _, names in os.walk(place) for name in names if not folder.startswith(work)]
    yield "nothing lies outside the prefix", all(file.startswith(place + prefix + os.sep) for file in files)


def main(build, prefix, bindir, datadir):
    place = tempfile.mkdtemp(prefix="troupe-install-")
    passed = failed = 0
    try:
        done = subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", place], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=100, check=False)
        if done.returncode != 0:
            print(done.stdout.decode(errors="replace"))
            print("0 passed, 1 failed")
            return 1
        for what, right in check(place, prefix, bindir, datadir):
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
