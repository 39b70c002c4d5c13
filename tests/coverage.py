"""Line coverage of the sources, from the profiles that a build with -fcoverage-mapping has left: one line a file, the worst last, and the
total; fails under a floor. llvm-cov tells the lines, of all programs together."""
import argparse
import glob
import os
import subprocess
import sys


def tool(*arguments, **options):
    done = subprocess.run(arguments, capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"coverage: {arguments[0]} failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def programs(build):
    """Every executable of the build that has coverage in it."""
    for folder, _, names in os.walk(build):
        for name in names:
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and not os.path.islink(path):
                with open(path, "rb") as file:
                    if file.read(4) == b"\x7fELF" and b"__llvm_covmap" in tool("readelf", "-SW", path):
                        yield path


def ranges(numbers):
    """[1, 2, 3, 7] as "1-3,7"."""
    parts = []
    for n in sorted(numbers):
        if parts and parts[-1][1] == n - 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("sources", help="the folder whose files count")
    parser.add_argument("--floor", type=float, default=0, help="percent of all lines")
    options = parser.parse_args()
    sources = os.path.realpath(options.sources) + os.sep

    merged = os.path.join(options.build, "profiles", "all.profdata")
    profiles = glob.glob(os.path.join(options.build, "profiles", "*.profraw"))
    if not profiles:
        raise SystemExit(f"coverage: no program of {options.build} has left a profile")
    tool("llvm-profdata", "merge", "-sparse", "-o", merged, *profiles)
    objects = [part for path in sorted(programs(options.build)) for part in ("-object", path)]
    run = {}      # source -> line -> times run
    lines = None
    for text in tool("llvm-cov", "export", "-format=lcov", "-instr-profile", merged, *objects[1:]).decode().splitlines():
        kind, _, value = text.partition(":")
        if kind == "SF":
            path = os.path.realpath(os.path.join(options.build, value))
            lines = run.setdefault(path, {}) if path.startswith(sources) else None
        elif kind == "DA" and lines is not None:
            line, count = value.split(",")[:2]
            lines[int(line)] = lines.get(int(line), 0) + int(count)
    if not run:
        raise SystemExit(f"coverage: no program of {options.build} has run anything of {options.sources}")

    rows = []
    for path, lines in run.items():
        missed = [line for line, count in lines.items() if count == 0]
        rows.append((100 * (1 - len(missed) / len(lines)), os.path.relpath(path), len(lines), ranges(missed)))
    for percent, path, count, missed in sorted(rows, key=lambda row: (-row[0], row[1])):
        print(f"{percent:6.1f} % of {count:5}  {path}  {missed}"[:180].rstrip())
    total = sum(len(lines) for lines in run.values())
    covered = sum(count > 0 for lines in run.values() for count in lines.values())
    percent = 100 * covered / total
    print(f"lines of {os.path.relpath(options.sources)}: {percent:.1f} % ({covered} of {total}) in {len(run)} files; at least {options.floor:g} % are asked for")
    return 0 if percent >= options.floor else 1


if __name__ == "__main__":
    sys.exit(main())
