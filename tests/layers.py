#!/usr/bin/env python3
"""Checks which room (folder) of src/ includes which, and what is banned where. Knows include lines and words, not C++.

usage: layers.py [ROOT]        prints each violation with its place; exit status 1 if there is any
       layers.py --self-test   plants one violation of each kind in a temporary tree and sees that each is reported
"""
import os
import re
import sys
import tempfile

# A room may include itself and these. "core" and "adapters" stand for all of their rooms, as does a room for what lies below it.
MAY_INCLUDE = {
    "base": set(),
    "core/model": {"base"},
    "core/pipeline": {"base", "core/model"},
    "core/command": {"base", "core/pipeline"},
    "core/freshness": {"base", "core/model", "core/pipeline", "core/command"},
    "core/run": {"base", "core/model", "core/pipeline"},
    "core/schedule": {"base", "core/model", "core/pipeline"},
    "core/trigger": {"base", "core/model", "core/pipeline", "core/command", "core/schedule"},
    "core/journal": {"base", "core/model", "core/run"},
    "ports": {"base", "core"},
    "adapters/system": {"base", "core/model", "core/pipeline", "core/schedule", "ports"},
    "adapters/state": {"base", "core/model", "adapters/system"},
    "adapters/files": {"base", "core", "ports", "adapters/system", "adapters/state"},
    "adapters/process": {"base", "core", "ports", "adapters/system", "adapters/state", "adapters/files"},
    "adapters/journal": {"base", "core", "ports", "adapters/system", "adapters/state", "adapters/process"},
    "adapters/http": {"base", "adapters/system"},
    "actors": {"base", "core", "ports"},
    "config": {"base", "core", "adapters/files", "adapters/system"},
    "views": {"base", "core", "ports", "adapters/system", "adapters/process"},
    "engine": {"base", "core", "ports", "adapters", "actors", "config"},
    "serve": {"base", "core", "ports", "adapters", "config", "engine", "views"},
    "lib": {"base", "core", "ports", "adapters", "config", "engine", "views"},
    "cli": {"serve", "base", "core", "ports", "adapters", "config", "engine", "views"},
}

# (headers, files that may include them, what to say)
HEADERS = [
    (r"caf/", r"src/actors/|include/troupe/caf\.hpp$", "CAF belongs to src/actors"),
    (r"lmdb\.h$", r"src/adapters/journal/lmdb_[^/]*$", "LMDB belongs to src/adapters/journal/lmdb_*"),
    (r"CLI/", r"src/cli/", "CLI11 belongs to src/cli"),
    (r"boost/(asio|beast)", r"src/adapters/http/http_(server\.cpp|session\.hpp)$", "Asio and Beast belong to src/adapters/http/http_server.cpp"),
    (r"boost/json", r"src/(views/|lib/boost_json_here\.cpp$)", "Boost.JSON belongs to src/views"),
    (r"boost/", r"src/", "the public headers are free of Boost"),
    (r"iostream$", r"src/cli/main\.cpp$", "text leaves through views/console"),
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

# (words in src, files that may use them, what to say): text leaves through views/console alone, which filters it.
WAYS_OUT = [
    (r"\bstd::(cout|cerr|clog|wcout|wcerr|print|println)\b|\b(v?f?printf|f?puts|putchar|f?putc|fwrite|perror|psignal|syslog)\s*\("
     r"|\b(stdout|stderr|STDOUT_FILENO|STDERR_FILENO)\b|(?<![\w.>])(::)?write\s*\(\s*[12]\s*,|/dev/(tty|stdout|stderr)\b",
     r"src/(base/check|cli/main|views/console)\.cpp$", "text leaves through views/console"),
    (r"\bfd_stream\b", r"src/cli/(main\.cpp|fd_stream\.[ch]pp)$", "text leaves through views/console"),
    (r"(\.|->)pass\s*\(", r"src/(views/(console|guarded_stream)|cli/(log_screen|progress|verb_logs))\.[ch]pp$",
     "what is not text passes to a terminal only from progress and logs"),
]
# What is in a state is reached through src/adapters/state alone: these files have no path to it.
STATE_FILES = r"src/(adapters/(journal/(lmdb_|state_lock\.)|process/(log_writer|state_logs)\.|state/state_(folder|socket)\.)|engine/(housekeeping|member_lists|control_|state_writer|run_logs|upkeep)\.|cli/(log_text|run_text|verb_logs|verb_show)\.)"
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


def room_of(path):
    """The room of a file of src/, or None: src/core/run/x.cpp lies in core/run. A room that is not known is named all the same."""
    folders = path.split(os.sep)[:-1]
    if not folders or folders[0] != "src":
        return None
    for depth in (3, 2):
        if "/".join(folders[1:depth]) in MAY_INCLUDE:
            return "/".join(folders[1:depth])
    return "/".join(folders[1:])


def room_of_include(root, path, quote, name):
    """The room that an include names, or None for a header from elsewhere."""
    if quote == '"':
        beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
        if os.path.exists(os.path.join(root, beside)):
            return room_of(beside)
    parts = os.path.normpath(name).split(os.sep)
    parts = [part for part in parts if part not in ("..", "src")]
    tops = {room.split("/")[0] for room in MAY_INCLUDE}
    return room_of(os.path.join("src", *parts)) if len(parts) > 1 and parts[0] in tops else None


def may_include(room, target):
    return target == room or target in MAY_INCLUDE[room] or target.split("/")[0] in MAY_INCLUDE[room]


def violations_in(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        text = file.read()
    folder = room_of(path)
    if folder is not None and folder not in MAY_INCLUDE:
        yield 1, f"src/{folder} is no known room; known are {', '.join(MAY_INCLUDE)}"
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, name = match.groups()
        target = room_of_include(root, path, quote, name)
        if target and folder and not may_include(folder, target):
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
            if match and path != "src/adapters/state/kept_folder.cpp":
                yield number, f"{OWNER_MESSAGE} ({match.group(0).strip()})"
    if folder is not None and folder.startswith("core/"):
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
    ("src/base/a.hpp", '#include "core/model/x.hpp"\n', "src/base may not include src/core/model"),
    ("src/core/model/a.hpp", '#include "ports/x.hpp"\n', "src/core/model may not include src/ports"),
    ("src/core/model/b.hpp", '#include "core/pipeline/x.hpp"\n', "src/core/model may not include src/core/pipeline"),
    ("src/core/pipeline/a.hpp", '#include "core/command/x.hpp"\n', "src/core/pipeline may not include src/core/command"),
    ("src/core/command/a.hpp", '#include "core/freshness/x.hpp"\n', "src/core/command may not include src/core/freshness"),
    ("src/core/freshness/a.hpp", '#include "core/run/x.hpp"\n', "src/core/freshness may not include src/core/run"),
    ("src/core/run/a.hpp", '#include "core/journal/x.hpp"\n', "src/core/run may not include src/core/journal"),
    ("src/core/schedule/a.hpp", '#include "core/run/x.hpp"\n', "src/core/schedule may not include src/core/run"),
    ("src/core/trigger/a.hpp", '#include "core/run/x.hpp"\n', "src/core/trigger may not include src/core/run"),
    ("src/core/run/b.cpp", '#include "../../adapters/system/x.hpp"\n', "src/core/run may not include src/adapters/system"),
    ("src/ports/a.hpp", '#include <actors/x.hpp>\n', "src/ports may not include src/actors"),
    ("src/adapters/system/a.cpp", '#include "adapters/files/x.hpp"\n', "src/adapters/system may not include src/adapters/files"),
    ("src/adapters/state/a.cpp", '#include "adapters/journal/x.hpp"\n', "src/adapters/state may not include src/adapters/journal"),
    ("src/adapters/files/a.cpp", '#include "actors/x.hpp"\n', "src/adapters/files may not include src/actors"),
    ("src/adapters/process/a.cpp", '#include "adapters/journal/x.hpp"\n', "src/adapters/process may not include src/adapters/journal"),
    ("src/adapters/http/a.cpp", '#include "adapters/process/x.hpp"\n', "src/adapters/http may not include src/adapters/process"),
    ("src/adapters/http/b.cpp", '#include <boost/beast/http.hpp>\n', "Asio and Beast belong to src/adapters/http/http_server.cpp"),
    ("src/actors/a.cpp", '#include "adapters/system/x.hpp"\n', "src/actors may not include src/adapters/system"),
    ("src/actors/b.cpp", '#include "engine/x.hpp"\n', "src/actors may not include src/engine"),
    ("src/config/a.cpp", '#include "engine/x.hpp"\n', "src/config may not include src/engine"),
    ("src/views/a.cpp", '#include "cli/x.hpp"\n', "src/views may not include src/cli"),
    ("src/views/b.cpp", '#include "engine/x.hpp"\n', "src/views may not include src/engine"),
    ("src/engine/b.cpp", '#include "views/x.hpp"\n', "src/engine may not include src/views"),
    ("src/serve/a.cpp", '#include "cli/x.hpp"\n', "src/serve may not include src/cli"),
    ("src/serve/b.cpp", '#include "actors/x.hpp"\n', "src/serve may not include src/actors"),
    ("src/cli/z.cpp", '#include "actors/x.hpp"\n', "src/cli may not include src/actors"),
    ("src/cli/y.cpp", '#include <caf/all.hpp>\n', "CAF belongs to src/actors"),
    ("src/cli/x.cpp", '#include <lmdb.h>\n', "LMDB belongs to src/adapters/journal/lmdb_*"),
    ("src/adapters/journal/other.cpp", '#include <lmdb.h>\n', "LMDB belongs to src/adapters/journal/lmdb_*"),
    ("src/adapters/system/b.cpp", '#include <CLI/CLI.hpp>\n', "CLI11 belongs to src/cli"),
    ("src/core/model/json.cpp", '#include <boost/json.hpp>\n', "Boost.JSON belongs to src/views"),
    ("src/core/run/c.cpp", "auto n = std::chrono::system_clock::now();\n", "core has no clock"),
    ("src/core/run/d.cpp", "long t = time(nullptr);\n", "core has no clock"),
    ("src/core/run/e.cpp", "gettimeofday(&tv, nullptr);\n", "core has no clock"),
    ("src/core/run/f.cpp", "int r = rand();\n", "core has no randomness"),
    ("src/core/run/g.cpp", "std::random_device device;\n", "core has no randomness"),
    ("src/core/run/h.cpp", "std::mt19937 engine;\n", "core has no randomness"),
    ("src/core/run/i.cpp", "#include <fstream>\n", "core has no disk"),
    ("src/core/run/j.cpp", "#include <filesystem>\n", "core has no disk"),
    ("src/core/run/k.cpp", 'auto* f = fopen("x", "r");\n', "core does not read or write files"),
    ("src/core/run/l.cpp", "std::thread worker;\n", "core has no threads"),
    ("src/misc/a.cpp", "int x;\n", "is no known room"),
    ("src/core/a.cpp", "int x;\n", "is no known room"),
    ("src/adapters/misc/a.cpp", "int x;\n", "is no known room"),
    ("include/troupe/a.hpp", "#include <caf/all.hpp>\n", "CAF belongs to src/actors"),
    ("include/troupe/b.hpp", "#include <boost/optional.hpp>\n", "the public headers are free of Boost"),
    ("include/troupe/c.hpp", "#include <lmdb.h>\n", "LMDB belongs to"),
    ("include/troupe/d.hpp", '#include "core/model/x.hpp"\n', "public headers may not include src/core/model"),
    ("src/cli/a.cpp", 'void f() { std::cout << "x"; }\n', "text leaves through views/console"),
    ("src/cli/b.cpp", 'void f() { std::fprintf(stderr, "x"); }\n', "text leaves through views/console"),
    ("src/cli/c.cpp", "void f() { ::write(1, x, n); }\n", "text leaves through views/console"),
    ("src/cli/d.cpp", "fd_stream out(1);\n", "text leaves through views/console"),
    ("src/cli/e.cpp", "void f() { to.pass(text); }\n", "what is not text passes"),
    ("src/adapters/system/g.cpp", "#include <iostream>\n", "text leaves through views/console"),
    ("src/engine/a.cpp", "void f() { puts(x); }\n", "text leaves through views/console"),
    ("src/adapters/journal/lmdb_path.cpp", 'int fd = ::open((folder + "/journal.mdb").c_str(), O_RDONLY);\n', STATE_MESSAGE),
    ("src/adapters/journal/state_lock.cpp", 'unlink(path.c_str());\n', STATE_MESSAGE),
    ("src/engine/housekeeping.cpp", 'std::filesystem::remove_all(logs);\n', STATE_MESSAGE),
    ("src/cli/verb_logs.cpp", 'std::ifstream file(path);\n', STATE_MESSAGE),
    ("src/engine/owner.cpp", '::chown(path.c_str(), 0, 0);\n', OWNER_MESSAGE),
    # What is allowed must pass.
    ("src/cli/fine.cpp", 'void f() { std::snprintf(b, n, "x"); file.write(1); write(fd, x, n); io.out.stream << "printf(x)"; }\n', ""),
    ("src/cli/progress.cpp", "void f() { to_.pass(frame); }\n", ""),
    ("src/adapters/journal/lmdb_descriptor.cpp", '::openat(fd, name, O_RDONLY);\nauto f = dir->open(name);\nint p = ::open("/proc/self/maps", O_RDONLY);\nresult<int> open(int how);\n', ""),
    ("include/troupe/caf.hpp", "#include <caf/all.hpp>\n", ""),
    ("src/actors/fine.cpp", '#include <caf/all.hpp>\n#include "core/run/x.hpp"\n', ""),
    ("src/adapters/journal/lmdb_fine.cpp", '#include <lmdb.h>\n#include "ports/x.hpp"\n#include "core/journal/x.hpp"\n', ""),
    ("src/engine/fine.cpp", '#include "adapters/journal/x.hpp"\n#include "actors/x.hpp"\n', ""),
    ("src/views/fine.cpp", '#include <boost/json/parse.hpp>\n#include "core/model/x.hpp"\n', ""),
    ("src/core/run/fine.cpp", '#include "base/x.hpp"\n// rand() of time(nullptr)\nauto s = "std::ifstream";\nauto n = 1\'000\'000; int strand(int); auto t = time(x);\n', ""),
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
