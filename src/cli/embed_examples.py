#!/usr/bin/env python3
"""Writes the files of examples/pipelines as C++, for `troupe init --example`. Knows folders and literals only.

usage: embed_examples.py FOLDER OUTPUT DEPFILE
"""
import os
import sys

DELIMITER = "example"


def main(folder, output, depfile):
    entries, read = [], []
    for top, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = os.path.join(top, file)
            name = os.path.relpath(path, folder)
            if os.sep not in name:
                continue                              # the page about all of them
            with open(path, encoding="ascii") as text:
                content = text.read()
            if f"){DELIMITER}\"" in content or len(content) > 16_000:
                sys.exit(f"{path}: cannot be a literal")
            example, rest = name.split(os.sep, 1)
            entries.append(f'    {{"{example}", "{rest}", {str(bool(os.stat(path).st_mode & 0o100)).lower()}, R"{DELIMITER}({content}){DELIMITER}"}},\n')
            read.append(path)
    with open(output, "w", encoding="ascii") as out:
        out.write('// The files of examples/pipelines; written by embed_examples.py.\n#include "cli/example_pipelines.hpp"\n\n'
                  "namespace troupe_internal::cli {\n\nstd::span<const example_file> example_files() {\n  static constexpr example_file files[] = {\n"
                  + "".join(entries) + "  };\n  return files;\n}\n\n} // namespace troupe_internal::cli\n")
    with open(depfile, "w", encoding="utf-8") as out:
        out.write(f"{output}: {' '.join(read)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
