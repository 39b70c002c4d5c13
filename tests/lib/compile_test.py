#!/usr/bin/env python3
"""What a host sees of the library: each public header alone, by each compiler there is, also without RTTI and without exceptions;
the first error of each common mistake; the symbols that can be seen; the examples, compiled as a user would, and run.

usage: compile_test.py INCLUDE LIBTROUPE.SO EXAMPLES
"""
import os
import shutil
import subprocess
import sys
import tempfile

STRICT = ["-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wold-style-cast", "-Wnon-virtual-dtor", "-Werror"]
COMPILERS = [name for name in ("g++", "clang++") if shutil.which(name)]

# A mistake, and words of the one error that it gets.
MISTAKES = [
    ("a function that takes something else",
     'p.make("bad", [](const std::string&) {}, p.constant("n", 1.5));', "the function does not take what these assets hand on"),
    ("too few arguments", 'p.make("bad", [] { return 1; }, p.constant("n", 1));', "the function does not take what these assets hand on"),
    ("a function that changes what it captured", 'int i = 0; p.make("bad", [i]() mutable { return ++i; });', "called as const"),
    ("a value without a codec", 'struct x {}; p.make("bad", [] { return x(); });', "cannot be kept; specialise troupe::codec"),
    ("a constant without a codec", 'struct x {}; p.constant("bad", x());', "cannot be kept; specialise troupe::codec"),
    ("the value of an asset that has none", 'auto a = p.make("none", [] {}); (void)troupe::engine::open({})->latest(a);', "this asset hands on no value"),
]


def run(words, **more):
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, **more)


def check(condition, said):
    if not condition:
        print(said)
        sys.exit(1)


def main():
    include, library, examples = (os.path.abspath(word) for word in sys.argv[1:4])
    check(COMPILERS, "no compiler")
    with tempfile.TemporaryDirectory() as folder:
        def compiled(compiler, text, *flags):
            name = os.path.join(folder, "x.cpp")
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
            return run([compiler, *flags, "-I" + include, "-fsyntax-only", name])

        headers = sorted(os.listdir(os.path.join(include, "troupe")))
        for compiler in COMPILERS:
            for header in headers:
                done = compiled(compiler, f"#include <troupe/{header}>\n#include <troupe/{header}>\n", *STRICT)
                check(done.returncode == 0, f"{compiler}: troupe/{header}:\n{done.stderr}")
            print(f"ok      {compiler}: {len(headers)} headers, each alone")
            if shutil.which("gcc") and compiler == "g++":
                name = os.path.join(folder, "x.c")
                with open(name, "w", encoding="utf-8") as file:
                    file.write("#include <troupe/abi.h>\nint main(void) { return (int)(troupe_version() - TROUPE_HEADER_VERSION); }\n")
                done = run(["gcc", "-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror", "-I" + include, "-fsyntax-only", name])
                check(done.returncode == 0, f"troupe/abi.h in C:\n{done.stderr}")
            done = compiled(compiler, "#include <troupe/troupe.hpp>\n", "-std=c++17")
            check("libtroupe needs C++20" in done.stderr, f"{compiler}: C++17 is not told:\n{done.stderr}")
            for what, text, words in MISTAKES:
                done = compiled(compiler, "#include <troupe/troupe.hpp>\nint main() { troupe::pipeline p(\"p\"); " + text + " }\n", "-std=c++20")
                errors = [line for line in done.stderr.splitlines() if " error: " in line]
                check(errors and words in errors[0], f"{compiler}: {what}: the first error is not ours:\n{done.stderr}")
                mine = done.stderr.splitlines()
                check(len(mine) < 18, f"{compiler}: {what}: {len(mine)} lines:\n{done.stderr}")
            print(f"ok      {compiler}: {len(MISTAKES)} mistakes, the first error of each is ours")

        shown = run(["nm", "-D", "--defined-only", library]).stdout.split("\n")
        names = [line.split()[-1].split("@")[0] for line in shown if line.strip()]
        others = [name for name in names if not name.startswith("troupe_") and not name.startswith("LIBTROUPE")]
        check(len(names) > 40 and not others, f"symbols that are not the interface's: {others[:10]}")
        declared = open(os.path.join(include, "troupe", "abi.h"), encoding="utf-8").read()
        missing = [name for name in names if name.startswith("troupe_") and name + "(" not in declared]
        check(not missing, f"shown and not declared: {missing}")
        print(f"ok      {len(names)} symbols, all of them the C interface's")

        where = os.path.dirname(library)
        environment = dict(os.environ, LD_LIBRARY_PATH=where)
        for number, compiler in enumerate(COMPILERS):
            for name, flags in (("thirty_lines", ["-fno-rtti"]), ("service", []), ("thirty_lines", ["-fno-exceptions"])):
                program = os.path.join(folder, f"{name}-{number}")
                done = run([compiler, *STRICT, *flags, "-Wl,--build-id", "-I" + include, os.path.join(examples, name + ".cpp"), "-o", program, library, "-lpthread"])
                check(done.returncode == 0, f"{compiler} {flags}: {name}.cpp:\n{done.stderr}")
                place = os.path.join(folder, f"place-{number}-{name}-{len(flags)}-{flags[:1]}")
                os.mkdir(place)
                if name == "thirty_lines":
                    with open(os.path.join(place, "text.txt"), "w", encoding="utf-8") as file:
                        file.write("a\nlongest\nb\n")
                    said = [run([program], cwd=place, env=environment) for _ in range(2)]
                    check([s.stdout for s in said] == ["longest (3 made, 0 fresh)\n", "longest (0 made, 3 fresh)\n"], f"{name}: {[(s.stdout, s.stderr) for s in said]}")
                else:
                    with open(os.path.join(place, "sales.txt"), "w", encoding="utf-8") as file:
                        file.write("tea 2.5\ncake 4\n")
                    said = run([program, place], input="monday\nmonday\ntuesday\n", env=environment)
                    check(said.stdout.splitlines() == ["run #1 succeeded, monday: 6.500000", "run #1 succeeded, monday: 6.500000", "run #2 succeeded, tuesday: 6.500000"],
                          f"{name}: {said.stdout} {said.stderr}")
            print(f"ok      {compiler}: the examples, also without RTTI and without exceptions")


if __name__ == "__main__":
    main()
