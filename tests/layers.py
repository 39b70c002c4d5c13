#!/usr/bin/env python3
"""Checks which folder of src/ includes which, and what is banned where. Knows include lines and words, not C++.

usage: layers.py [ROOT]        prints each violation with its place; exit status 1 if there is any
       layers.py --self-test   plants one violation of each kind in a temporary tree and sees that each is reported
"""
import os
import re
import sys
import tempfile

# A folder may include itself and these.
MAY_INCLUDE = {
    "base": set(),
    "core": {"base"},
    "ports": {"base", "core"},
    "adapters": {"base", "core", "ports"},
    "actors": {"base", "core", "ports"},
    "app": {"base", "core", "ports", "adapters", "actors"},
}

# (headers, files that may include them, what to say)
HEADERS = [
    (r"caf/", r"src/actors/|include/troupe/caf\.hpp$", "CAF belongs to src/actors"),
    (r"lmdb\.h$", r"src/adapters/lmdb_[^/]*$", "LMDB belongs to src/adapters/lmdb_*"),
    (r"CLI/", r"src/app/", "CLI11 belongs to src/app"),
    (r"boost/json", r"src/app/", "Boost.JSON belongs to src/app"),
    (r"boost/", r"src/", "the public headers are free of Boost"),
    (r"iostream$", r"src/app/cli/main\.cpp$", "text leaves through app/cli/console"),
    (r"(fstream|filesystem|iostream|cstdio|stdio\.h|random|thread|mutex|condition_variable|future|ctime|time\.h"
     r"|unistd\.h|fcntl\.h|sys/.*)$", r"(?!src/core/)", "core has no disk, clock, randomness or threads"),
]

# (words in src/core, what to say). Comments and strings do not count.
CORE_WORDS = [
    (r"\b(system_clock|steady_clock|high_resolution_clock|utc_clock|file_clock)\b", "core has no clock"),
    (r"\b(gettimeofday|clock_gettime|localtime(_r)?|mktime)\s*\(|(?<![\w.>])(std::|::)?time\s*\(\s*(0|NULL|nullptr|&\w+)\s*\)", "core has no clock"),
    (r"\b(random_device|mt19937(_64)?|default_random_engine|getrandom|arc4random)\b|(?<![\w.>:])(std::|::)?s?rand(om)?\s*\(", "core has no randomness"),
    (r"\b([io]?fstream|fopen|freopen|opendir)\b|\bstd::filesystem\b", "core does not read or write files"),
    (r"\bstd::(thread|jthread|mutex|shared_mutex|condition_variable|async)\b", "core has no threads"),
]

# (words in src, files that may use them, what to say): text leaves through app/cli/console alone, which filters it.
WAYS_OUT = [
    (r"\bstd::(cout|cerr|clog|wcout|wcerr|print|println)\b|\b(v?f?printf|f?puts|putchar|f?putc|fwrite|perror|psignal|syslog)\s*\("
     r"|\b(stdout|stderr|STDOUT_FILENO|STDERR_FILENO)\b|(?<![\w.>])(::)?write\s*\(\s*[12]\s*,|/dev/(tty|stdout|stderr)\b",
     r"src/(base/check|app/cli/(main|console))\.cpp$", "text leaves through app/cli/console"),
    (r"\bfd_stream\b", r"src/app/cli/(main\.cpp|fd_stream\.[ch]pp)$", "text leaves through app/cli/console"),
    (r"(\.|->)pass\s*\(", r"src/app/cli/(console|guarded_stream|log_screen|progress|verb_logs)\.[ch]pp$",
     "what is not text passes to a terminal only from progress and logs"),
]
# What is in a state is reached through src/adapters/kept_folder and state_dir alone: these files have no path to it.
STATE_FILES = r"src/(adapters/(lmdb_|log_writer\.|state_(lock|logs|folder)\.)|app/engine/(housekeeping|member_lists|stop_watch|state_writer|run_logs|upkeep)\.|app/cli/(log_text|run_text|verb_logs|verb_show)\.)"
PATH_CALLS = (r"(?<![\w.>:])(std::|::)?(open|stat|lstat|unlink|rename|mkdir|rmdir|opendir|truncate|link|symlink|mkfifo|mknod|fopen|remove_all)\s*\(|(?<!\w)::access\s*\("
              r"|\bstd::(filesystem|[io]?fstream)\b")
STATE_MESSAGE = "what is in a state is reached by its folder's descriptor (kept_folder, state_dir)"
CHANGES_OWNER = r"(?<![\w.>])(::)?(l?chown|fchownat|chmod)\s*\("
OWNER_MESSAGE = "nobody's file is given away or opened up by its path"

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def without_comments_and_strings(text):
    """The same lines, with comments and the insides of literals blanked."""
    pattern = re.compile(r'R"([^()\\ ]{0,16})\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
    # 1'000'000 is no character literal.
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", text)
    return pattern.sub(lambda m: "\n" * m.group(0).count("\n") or " ", text)


def folder_of_include(root, path, quote, name):
    """The folder of src/ that an include names, or None for a header from elsewhere."""
    if quote == '"':
        beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
        if os.path.exists(os.path.join(root, beside)):
            parts = beside.split(os.sep)
            return parts[1] if parts[0] == "src" and len(parts) > 2 else None
    parts = os.path.normpath(name).split(os.sep)
    parts = [part for part in parts if part not in ("..", "src")]
    return parts[0] if len(parts) > 1 and parts[0] in MAY_INCLUDE else None


def violations_in(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        text = file.read()
    parts = path.split(os.sep)
    folder = parts[1] if parts[0] == "src" and len(parts) > 2 else None
    if parts[0] == "src" and folder not in MAY_INCLUDE:
        yield 1, f"src/{folder or ''} is no known room; known are {', '.join(MAY_INCLUDE)}"
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, name = match.groups()
        target = folder_of_include(root, path, quote, name)
        if target and folder and target != folder and target not in MAY_INCLUDE[folder]:
            yield number, f'src/{folder} may not include src/{target} ("{name}")'
        if target and folder is None:
            yield number, f'public headers may not include src/{target} ("{name}")'
        for headers, where, message in HEADERS:
            if target is None and re.match(headers, name) and not re.match(where, path):
                yield number, f"{message} (<{name}>)"
    if folder:
        for number, line in enumerate(without_comments_and_strings(text).splitlines(), 1):
            for words, where, message in WAYS_OUT:
                match = None if line.lstrip().startswith("#") or re.match(where, path) else re.search(words, line)
                if match:
                    yield number, f"{message} ({match.group(0).strip()})"
    if folder is not None:
        raw = text.splitlines()
        for number, line in enumerate(without_comments_and_strings(text).splitlines(), 1):
            of_kernel = '"/proc/' in raw[number - 1]  # files of the kernel's, by names of its own
            match = re.search(PATH_CALLS, line) if re.match(STATE_FILES, path) and not of_kernel else None
            if match and not re.search(r"\bresult<.*>\s+\w*" + re.escape(match.group(0).strip()), line):
                yield number, f"{STATE_MESSAGE} ({match.group(0).strip()})"
            match = re.search(CHANGES_OWNER, line)
            if match and path != "src/adapters/kept_folder.cpp":
                yield number, f"{OWNER_MESSAGE} ({match.group(0).strip()})"
    if folder == "core":
        for number, line in enumerate(without_comments_and_strings(text).splitlines(), 1):
            if INCLUDE.match(line) or line.lstrip().startswith("#"):
                continue
            for words, message in CORE_WORDS:
                match = re.search(words, line)
                if match:
                    yield number, f"{message} ({match.group(0).strip()})"


def check(root):
    """All violations under root as "path:line: message", in the order of paths; and how many files were read."""
    found, files = [], 0
    for top in ("src", os.path.join("include", "troupe")):
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(names):
                if name.endswith((".cpp", ".hpp", ".h", ".ipp")):
                    path = os.path.relpath(os.path.join(folder, name), root)
                    files += 1
                    found += [f"{path}:{number}: {message}" for number, message in violations_in(root, path)]
    return found, files


# Each: a file, what it contains, and what must be said of it ("" = nothing).
PLANTED = [
    ("src/base/a.hpp", '#include "core/x.hpp"\n', "src/base may not include src/core"),
    ("src/core/a.hpp", '#include "ports/x.hpp"\n', "src/core may not include src/ports"),
    ("src/core/b.cpp", '#include "../adapters/x.hpp"\n', "src/core may not include src/adapters"),
    ("src/ports/a.hpp", '#include <actors/x.hpp>\n', "src/ports may not include src/actors"),
    ("src/adapters/a.cpp", '#include "actors/x.hpp"\n', "src/adapters may not include src/actors"),
    ("src/actors/a.cpp", '#include "adapters/x.hpp"\n', "src/actors may not include src/adapters"),
    ("src/actors/b.cpp", '#include "app/x.hpp"\n', "src/actors may not include src/app"),
    ("src/app/a.cpp", '#include <caf/all.hpp>\n', "CAF belongs to src/actors"),
    ("src/app/b.cpp", '#include <lmdb.h>\n', "LMDB belongs to src/adapters/lmdb_*"),
    ("src/adapters/other.cpp", '#include <lmdb.h>\n', "LMDB belongs to src/adapters/lmdb_*"),
    ("src/adapters/b.cpp", '#include <CLI/CLI.hpp>\n', "CLI11 belongs to src/app"),
    ("src/core/json.cpp", '#include <boost/json.hpp>\n', "Boost.JSON belongs to src/app"),
    ("src/core/c.cpp", "auto n = std::chrono::system_clock::now();\n", "core has no clock"),
    ("src/core/d.cpp", "long t = time(nullptr);\n", "core has no clock"),
    ("src/core/e.cpp", "gettimeofday(&tv, nullptr);\n", "core has no clock"),
    ("src/core/f.cpp", "int r = rand();\n", "core has no randomness"),
    ("src/core/g.cpp", "std::random_device device;\n", "core has no randomness"),
    ("src/core/h.cpp", "std::mt19937 engine;\n", "core has no randomness"),
    ("src/core/i.cpp", "#include <fstream>\n", "core has no disk"),
    ("src/core/j.cpp", "#include <filesystem>\n", "core has no disk"),
    ("src/core/k.cpp", 'auto* f = fopen("x", "r");\n', "core does not read or write files"),
    ("src/core/l.cpp", "std::thread worker;\n", "core has no threads"),
    ("src/misc/a.cpp", "int x;\n", "is no known room"),
    ("include/troupe/a.hpp", "#include <caf/all.hpp>\n", "CAF belongs to src/actors"),
    ("include/troupe/b.hpp", "#include <boost/optional.hpp>\n", "the public headers are free of Boost"),
    ("include/troupe/c.hpp", "#include <lmdb.h>\n", "LMDB belongs to"),
    ("include/troupe/d.hpp", '#include "core/x.hpp"\n', "public headers may not include src/core"),
    ("src/app/cli/a.cpp", 'void f() { std::cout << "x"; }\n', "text leaves through app/cli/console"),
    ("src/app/cli/b.cpp", 'void f() { std::fprintf(stderr, "x"); }\n', "text leaves through app/cli/console"),
    ("src/app/cli/c.cpp", "void f() { ::write(1, x, n); }\n", "text leaves through app/cli/console"),
    ("src/app/cli/d.cpp", "fd_stream out(1);\n", "text leaves through app/cli/console"),
    ("src/app/cli/e.cpp", "void f() { to.pass(text); }\n", "what is not text passes"),
    ("src/adapters/g.cpp", "#include <iostream>\n", "text leaves through app/cli/console"),
    ("src/app/engine/a.cpp", "void f() { puts(x); }\n", "text leaves through app/cli/console"),
    # What is allowed must pass.
    ("src/app/cli/fine.cpp", 'void f() { std::snprintf(b, n, "x"); file.write(1); write(fd, x, n); io.out.stream << "printf(x)"; }\n', ""),
    ("src/app/cli/progress.cpp", "void f() { to_.pass(frame); }\n", ""),
    ("src/adapters/lmdb_path.cpp", 'int fd = ::open((folder + "/journal.mdb").c_str(), O_RDONLY);\n', STATE_MESSAGE),
    ("src/adapters/state_lock.cpp", 'unlink(path.c_str());\n', STATE_MESSAGE),
    ("src/app/engine/housekeeping.cpp", 'std::filesystem::remove_all(logs);\n', STATE_MESSAGE),
    ("src/app/cli/verb_logs.cpp", 'std::ifstream file(path);\n', STATE_MESSAGE),
    ("src/app/owner.cpp", '::chown(path.c_str(), 0, 0);\n', OWNER_MESSAGE),
    # What is allowed must pass.
    ("src/adapters/lmdb_descriptor.cpp", '::openat(fd, name, O_RDONLY);\nauto f = dir->open(name);\nint p = ::open("/proc/self/maps", O_RDONLY);\nresult<int> open(int how);\n', ""),
    ("include/troupe/caf.hpp", "#include <caf/all.hpp>\n", ""),
    ("src/actors/fine.cpp", '#include <caf/all.hpp>\n#include "core/x.hpp"\n', ""),
    ("src/adapters/lmdb_fine.cpp", '#include <lmdb.h>\n#include "ports/x.hpp"\n', ""),
    ("src/app/fine.cpp", '#include "adapters/x.hpp"\n#include "actors/x.hpp"\n#include <boost/json.hpp>\n', ""),
    ("src/core/fine.cpp", '#include "base/x.hpp"\n// rand() of time(nullptr)\nauto s = "std::ifstream";\nauto n = 1\'000\'000; int strand(int); auto t = time(x);\n', ""),
]


def self_test():
    wrong = []
    with tempfile.TemporaryDirectory() as root:
        for path, content, _ in PLANTED:
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(content)
        found, _ = check(root)
        for path, _, expected in PLANTED:
            said = [line for line in found if line.startswith(path + ":")]
            if expected and not any(expected in line for line in said):
                wrong.append(f"{path}: not reported: {expected}")
            if not expected and said:
                wrong.append(f"{path}: reported without reason: {said}")
    for line in wrong:
        print(line)
    print(f"{len(PLANTED) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    root = arguments[0] if arguments else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found, files = check(root)
    for line in found:
        print(line)
    if files == 0:
        print(f"no sources under {root}", file=sys.stderr)
        return 1
    print(f"layers: {files} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
