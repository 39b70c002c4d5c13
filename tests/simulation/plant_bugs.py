#!/usr/bin/env python3
"""Plants the bugs of planted_bugs.txt in copies of the sources, each switched on by number, and writes the list of them.

usage: plant_bugs.py ROOT BUGS OUTPUT_FOLDER SOURCE...

Knows text only. A bug whose place is gone from the sources is listed as lost: the test says so, the build goes on.
"""
import json
import pathlib
import sys

PROLOGUE = 'namespace troupe_internal::test {\nextern int planted_bug;\n}\n#line 1 "%s"\n'


def read_bugs(text):
    """[{what, expects, changes: [(file, old, new)]}]"""
    bugs, file, old, new = [], None, [], []

    def close_change():
        if old:
            bugs[-1]["changes"].append((file, "\n".join(old), "\n".join(new)))
        old.clear()
        new.clear()

    for line in text.splitlines():
        if line.startswith("bug: "):
            close_change()
            bugs.append({"what": line[5:], "expects": "", "changes": []})
        elif line.startswith("expects: "):
            bugs[-1]["expects"] = line[9:]
        elif line.startswith("in "):
            close_change()
            file = line[3:]
        elif line.startswith("-"):
            if new:
                close_change()
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])
    close_change()
    return bugs


def plant(bugs, sources):
    """Applies every change to the texts in `sources` {file: text}, one bug after the other. Returns the numbers (from 1)
    of those whose place is gone."""
    lost = set()
    for number, bug in enumerate(bugs, 1):
        for file, old, new in bug["changes"]:
            if sources.get(file, "").count(old) != 1:
                lost.add(number)
                continue
            sources[file] = sources[file].replace(old, new.replace("PLANTED", f"(::troupe_internal::test::planted_bug == {number})"))
    return lost


def main():
    root, bugs_file, folder = (pathlib.Path(argument) for argument in sys.argv[1:4])
    bugs = read_bugs(bugs_file.read_text())
    sources = {file: (root / file).read_text() for file in sys.argv[4:]}
    lost = plant(bugs, sources)
    for file, text in sources.items():
        (folder / ("planted_" + pathlib.Path(file).name)).write_text(PROLOGUE % (root / file) + text)
    rows = "".join(
        "    {%s, %s, %s},\n" % (json.dumps(bug["what"]), json.dumps(bug["expects"]), "true" if number in lost else "false")
        for number, bug in enumerate(bugs, 1))
    (folder / "planted_bugs_list.cpp").write_text(
        '#include "simulation/planted_bugs.hpp"\n\nnamespace troupe_internal::test {\n\nconst std::vector<planted_bug_entry>& planted_bugs() {\n'
        "  static const std::vector<planted_bug_entry> all{\n" + rows + "  };\n  return all;\n}\n\n} // namespace troupe_internal::test\n")


if __name__ == "__main__":
    main()
