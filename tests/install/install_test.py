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
    """The library, as a program's build finds it: by pkg-config, shared and static, and by CMake where it is there."""
    described = [folder for folder, _, names in os.walk(place) if "troupe.pc" in names]
    yield "a description for pkg-config", len(described) == 1
    packages = [folder for folder, _, names in os.walk(place) if "troupe-config.cmake" in names]
    yield "one for CMake", len(packages) == 1 and "troupe-config-version.cmake" in os.listdir(packages[0])
    compiler, pkg_config = shutil.which("g++") or shutil.which("clang++"), shutil.which("pkg-config")
    if not link or not described or not compiler or not pkg_config:
        return
    environment = dict(os.environ, PKG_CONFIG_PATH=described[0], PKG_CONFIG_SYSROOT_DIR=place)
    flags = lambda *more: output_of(pkg_config, "--cflags", "--libs", *more, "troupe", env=environment).split()
    example = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "thirty_lines.cpp")
    with open(os.path.join(work, "text.txt"), "w", encoding="utf-8") as file:
        file.write("a\nlongest\n")
    made = "longest (3 made, 0 fresh)\n"

    def runs(program):
        shutil.rmtree(os.path.join(work, "state"), ignore_errors=True)
        return output_of(program, cwd=work) == made

    libdir = os.path.dirname(described[0])
    static = ["-l:libtroupe.a" if word == "-ltroupe" else word for word in flags("--static")]
    for what, words in (("shared", [*flags(), "-Wl,-rpath," + libdir]), ("static", static)):
        program = os.path.join(work, "thirty_lines_" + what)
        built = subprocess.run([compiler, example, "-o", program, "-Wl,--build-id", *words], check=False)
        yield f"a program is compiled with the {what} library", built.returncode == 0
        yield f"and runs ({what})", built.returncode == 0 and runs(program)
    cmake = shutil.which("cmake")
    if not cmake or not packages:
        return
    source, build = os.path.join(work, "source"), os.path.join(work, "build")
    os.mkdir(source)
    with open(os.path.join(source, "CMakeLists.txt"), "w", encoding="utf-8") as file:
        file.write(f"""cmake_minimum_required(VERSION 3.16)
project(host CXX)
find_package(troupe 0.1 REQUIRED)
foreach(kind troupe static)
  add_executable(host_${{kind}} {example})
  target_link_libraries(host_${{kind}} troupe::${{kind}})
endforeach()
""")
    steps = ([cmake, "-S", source, "-B", build, "-Dtroupe_DIR=" + packages[0], "-DCMAKE_CXX_COMPILER=" + compiler], [cmake, "--build", build])
    done = [subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100, check=False) for step in steps]
    for one in done:
        if one.returncode != 0:
            print(one.stdout.decode(errors="replace"))
    for kind in ("troupe", "static"):
        program = os.path.join(build, "host_" + kind)
        yield f"a program is built by CMake with troupe::{kind} and runs", os.path.exists(program) and runs(program)


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
