#!/usr/bin/env python3
"""The result of incremental runs equals the result of a clean run: random pipelines, and random edits of files, paths and assets.

usage: incremental_test.py TROUPE [--seeds N] [--seed S]      one seed is one life of a pipeline: repeat a failure with --seed

Knows the command line only. What it makes use of: folders, links, spellings of paths, globs, exclusions, matrices that lose values, outputs
that are left over, cleared outputs, inputs that commands report, working folders.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

TIMEOUT_S = 120
STEPS = 6
SHARED = ["in/s0", "in/s1", "in/s2", "in/d/x", "in/d/y"]


class Life:
    def __init__(self, troupe, seed):
        self.troupe, self.random = troupe, random.Random(seed)
        self.top = tempfile.mkdtemp(prefix="troupe-incremental-")
        self.folder = os.path.join(self.top, "work")
        os.makedirs(os.path.join(self.folder, "in/d"))
        os.symlink(".", os.path.join(self.folder, "here"))
        os.symlink("in", os.path.join(self.folder, "linked"))
        for path in SHARED:
            self.write(path)
        self.counter = 0
        self.values = ["A", "B", "C"]
        self.order = [0, 1, 2]
        self.without, self.spellings, self.target, self.reported, self.lines = set(), {}, "s0", "in/s1", 2
        self.hidden = False

    def write(self, path, text=None):
        with open(os.path.join(self.folder, path), "w", encoding="ascii") as file:
            file.write(text if text is not None else f"{self.random.randrange(4)}\n")

    def spelt(self, path, folder):
        """The same file by another name; what is recorded keeps the spelling."""
        how = self.spellings.get(path, 0)
        if how == 1:
            return os.path.join(folder, path)
        if how == 2:
            return f"../{os.path.basename(folder)}/{path}"
        if how == 3:
            return f"here/{path}"
        if how == 4 and path.startswith("in/"):
            return "linked" + path[2:]
        return path

    def pipeline(self, folder):
        at = lambda path: self.spelt(path, folder)
        some = [SHARED[i] for i in self.order]
        assets = {
            "cat": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": [at(path) for path in some], "outputs": ["o/cat"]},
            "copy": {"command": ["cp", "{{ inputs[0] }}", "{{ outputs[0] }}"], "inputs": [at(path) for path in some], "outputs": ["o/copy"]},
            "next": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": [at("o/cat"), at("in/s2")], "outputs": ["o/next"]},
            "made": {"matrix": {"n": self.values}, "command": "{ echo {{ matrix.n }}; cat in/s0; } > {{ outputs[0] }}", "inputs": ["in/s0"], "outputs": ["gen/{{ matrix.n }}.txt"]},
            "merged": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["gen/*.txt", *(["!gen/B.txt"] if self.hidden else [])], "outputs": ["o/merged"]},
            "folder": {"command": f"mkdir -p out; i=0; while [ $i -lt {self.lines} ]; do cat in/s1 > out/$i; i=$((i+1)); done", "inputs": ["in/s1"], "outputs": ["out"], "clear_outputs": True},
            "listed": {"command": "cd out && for f in *; do echo $f; cat $f; done > ../o/listed", "inputs": ["out"], "outputs": ["o/listed"]},
            "deep": {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["out/*"], "outputs": ["o/deep"]},
            "stage": {"command": f"mkdir -p st; ln -sfn ../in/{self.target} st/a", "inputs": [f"in/{self.target}"], "outputs": ["st"]},
            "staged": {"command": "cat st/a > o/staged", "inputs": ["st"], "outputs": ["o/staged"]},
            "named": {"command": "cat st/a > o/named", "deps": ["stage"], "outputs": ["o/named"]},
            "reads": {"command": f"cat {self.reported} > o/reads; printf '{{\"inputs\": [\"{self.reported}\"]}}' > $TROUPE_RESULT", "outputs": ["o/reads"]},
            "in": {"cwd": "in", "command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["in/d/*"], "outputs": ["o/in"]},
            "tree": {"command": "cat in/d/* > o/tree", "inputs": ["in/d"], "outputs": ["o/tree"]},
        }
        return {"name": "life", "engine": {"error_strategy": "continue"}, "assets": {name: asset for name, asset in assets.items() if name not in self.without}}

    def run(self, folder):
        with open(os.path.join(folder, "troupe.json"), "w", encoding="ascii") as file:
            json.dump(self.pipeline(folder), file, indent=1)
        return subprocess.run([self.troupe, "run", "--workers", "3"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)

    def edit(self):
        pick = self.random.choice
        kind = self.random.randrange(13)
        if kind <= 2:
            self.write(pick(SHARED))
        elif kind == 3:
            self.random.shuffle(self.order)
            self.order = self.order[: self.random.randrange(1, 4)] + [i for i in range(3) if i not in self.order][:1]
            self.order = list(dict.fromkeys(self.order))
        elif kind == 4:
            self.values = sorted(self.random.sample(["A", "B", "C", "D"], self.random.randrange(1, 5)))
        elif kind == 5:
            self.target = pick(["s0", "s1", "s2"])
        elif kind == 6:
            self.reported = pick(["in/s1", "in/s2", "o/cat", "o/next", "gen/A.txt"])
            self.values = sorted({*self.values, "A"})
            self.without -= {"cat", "next", "made"}
        elif kind == 7:
            self.lines = self.random.randrange(1, 4)
        elif kind == 8:
            self.spellings[pick([*SHARED, "o/cat"])] = self.random.randrange(5)
        elif kind == 9:
            name = pick(["merged", "listed", "deep", "named", "in"])
            self.without ^= {name}
        elif kind == 10:
            self.hidden = not self.hidden
        elif kind == 11:
            extra = os.path.join(self.folder, "in/d/extra")
            os.unlink(extra) if os.path.exists(extra) else self.write("in/d/extra")
        else: # not of gen/: what somebody edits there and no asset declares any more is theirs, and counts
            made = [path for path in ("o/cat", "o/listed", "out/0") if os.path.exists(os.path.join(self.folder, path))]
            if made:
                path = pick(made)
                os.unlink(os.path.join(self.folder, path)) if self.random.randrange(2) else self.write(path, "other\n")

    def results(self, folder):
        found = {}
        for top in ("o", "out", "gen", "st"):
            for where, _, names in os.walk(os.path.join(folder, top)):
                for name in names:
                    path = os.path.join(where, name)
                    with open(path, encoding="ascii") as file:
                        found[os.path.relpath(path, folder)] = file.read()
        outputs = {output for name, asset in self.pipeline(folder)["assets"].items() for output in asset["outputs"]}
        outputs = {o for o in outputs if "{{" not in o} | {f"gen/{n}.txt" for n in self.values}
        return {path: text for path, text in found.items() if any(path == o or path.startswith(o + "/") for o in outputs)}

    def clean(self):
        clean = os.path.join(self.top, "clean", "work")
        shutil.rmtree(os.path.dirname(clean), ignore_errors=True)
        os.makedirs(clean)
        shutil.copytree(os.path.join(self.folder, "in"), os.path.join(clean, "in"))
        os.symlink(".", os.path.join(clean, "here"))
        os.symlink("in", os.path.join(clean, "linked"))
        done = self.run(clean)
        assert done.returncode == 0, f"the clean run failed: {done.stdout}{done.stderr}"
        return self.results(clean)

    def live(self):
        for step in range(STEPS):
            done = self.run(self.folder)
            assert done.returncode == 0, f"step {step}: exit status {done.returncode}: {done.stdout}{done.stderr}"
            wanted, got = self.clean(), self.results(self.folder)
            assert got == wanted, f"step {step}: incremental {got}\nclean {wanted}\n{done.stdout}{done.stderr}"
            again = self.run(self.folder)
            assert "all fresh" in again.stdout, f"step {step}: not settled: {again.stdout}{again.stderr}"
            for _ in range(self.random.randrange(1, 4)):
                self.edit()

    def end(self):
        shutil.rmtree(self.top, ignore_errors=True)


def main():
    arguments = sys.argv[1:]
    troupe = os.path.abspath(arguments[0])
    value = lambda name, default: int(arguments[arguments.index(name) + 1]) if name in arguments else default
    seeds = [value("--seed", 0)] if "--seed" in arguments else range(1, value("--seeds", 12) + 1)
    failed = 0
    for seed in seeds:
        life = Life(troupe, seed)
        try:
            life.live()
        except AssertionError as wrong:
            failed += 1
            print(f"FAILED  seed {seed}: {wrong}")
        finally:
            life.end()
    print(f"{len(seeds) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
