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
import urllib.error
import urllib.request

STRICT = ["-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wold-style-cast", "-Wnon-virtual-dtor", "-Werror"]
CAF = os.path.exists("/usr/include/caf/all.hpp")   # else <troupe/caf.hpp> has nothing to stand on
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

        headers = sorted(name for name in os.listdir(os.path.join(include, "troupe")) if CAF or name != "caf.hpp")
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

        def example(name, *flags, defines=(), source=None):
            program = os.path.join(folder, name)
            done = run([COMPILERS[0], *STRICT, *defines, "-Wl,--build-id", "-I" + include, os.path.join(examples, (source or name) + ".cpp"), "-o", program, library, *flags, "-lpthread"])
            check(done.returncode == 0, f"{name}.cpp:\n{done.stderr}")
            place = os.path.join(folder, "place-" + (source or name))
            os.makedirs(place, exist_ok=True)
            return program, place

        def says(program, place, text):
            said = run([program, place], env=environment)
            check(said.returncode == 0 and said.stdout == text, f"{program}: {said.returncode} {said.stdout} {said.stderr}")

        says(*example("follow"), "attempt_finished counting/numbers\nattempt_finished counting/sum\nrun_finished \n499500, fresh\n")
        says(*example("old_codec", source="codec", defines=["-DOLD_LAYOUT"]), "400 EUR (1 made, 0 fresh)\n")
        says(*example("codec"), "400 EUR (0 made, 1 fresh)\n")
        program, place = example("own_tests")
        said = run([program, place], env=environment)
        check(said.returncode == 0 and "FAILED" not in said.stdout, f"own_tests: {said.stdout} {said.stderr}")
        if CAF:
            says(*example("actors", "-lcaf_core"), "succeeded, cake costs 4.00\n")
        serve(*example("http_service"), environment)
        print("ok      follow, codec, own_tests, actors and http_service do what their pages say")

        # A host that brings functions of another CAF is told so, with the file.
        program = os.path.join(folder, "other_caf")
        with open(program + ".cpp", "w", encoding="utf-8") as file:
            file.write("""#include <troupe/troupe.hpp>
#include <cstdio>
namespace caf { enum class sec : unsigned char; std::string to_string(sec); std::string to_string(sec) { return {}; } }
int main() {
  const auto engine = troupe::engine::open({.state = "state"});
  std::printf("%s", engine ? "opened" : (std::string(to_string(engine.error().code)) + ": " + engine.error().message).c_str());
}
""")
        done = run([COMPILERS[0], "-std=c++20", "-rdynamic", "-I" + include, program + ".cpp", "-o", program, library, "-lpthread"])
        check(done.returncode == 0, f"other_caf: {done.stderr}")
        said = run([program], cwd=folder, env=environment)
        check(said.stdout.startswith("incompatible_host: ") and "other_caf" in said.stdout, f"other_caf: {said.stdout} {said.stderr}")
        print("ok      a host with another CAF")


def serve(program, place, environment):
    """Asks the service for what it makes, twice, then for what changed, then for what there is not."""
    name = os.path.join(place, "name.txt")
    with open(name, "w", encoding="utf-8") as file:
        file.write("Ada\n")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    server = subprocess.Popen([program, place, "4"], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        url = server.stdout.readline().strip()

        def get(address):
            try:
                with direct.open(address, timeout=30) as answer:
                    return answer.read().decode()
            except urllib.error.HTTPError as refused:
                return f"{refused.code} {refused.read().decode()}"

        answers = [get(url), get(url)]
        with open(name, "w", encoding="utf-8") as file:
            file.write("Grace Hopper\n")
        answers += [get(url), get(url + "s")]
        check(answers == ["run #1, made: Hello, Ada!\n", "run #2, fresh: Hello, Ada!\n", "run #3, made: Hello, Grace Hopper!\n", "404 there is GET /greeting\n"], f"http_service: {answers}")
        check(server.wait(timeout=30) == 0, "http_service did not end")
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()
        server.stdout.close()


if __name__ == "__main__":
    main()
