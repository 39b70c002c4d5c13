"""A pipeline and the files it is made from, with all that can happen to them in a life: edits of files, paths and assets, and other branches.
Knows files and pipeline files; nothing of how Troupe is called."""
import copy
import os
import shutil

SOURCES = ["in/s0", "in/s1", "in/s2", "in/d/x", "in/d/y", "lot/s", "-d0", "-d1"]
CWDS = [".", "in", "in/d", "linked", "down", "lot"]
CATS = ["o/cat", "o/more/cat", "gen/cat.txt", "gen/kat.txt"]   # some in a folder that globs of others take in
TREES = ["in", "lot", "-d0", "-d1"]                       # what a branch holds beside the pipeline file
OUTPUTS = ["o", "out", "gen", "grid", "st", "far", "lod", "ev"]
ODD = ["plain", "a b", "it's", "$HOME", "\"q\"", "-n", "*", "a\\b", "x;y", ""]
NAMES = ["in/d/y", "in/d/z w", "in/d/-q", "in/d/a'b"]     # of one file, which is renamed
LOOK = "find -L . -type f | LC_ALL=C sort | while read -r f; do echo \"$f\"; cat \"$f\"; test ! -x \"$f\" || echo x; done"


SPELT = ["in/s0", "in/s1", "in/s2", "in/d", "o/cat", "o/copy", "o/copied", "o/slow", "o/next", "o/near", "o/after", "out", "st", "grid"]


class Variant:
    """What one branch of the repository says: the choices that the pipeline file is made of. A value."""

    def __init__(self, chance, groups):
        self.groups = set(groups or [name for name in GROUPS if chance.random() < 0.6] or ["files"])
        self.order, self.values, self.swapped, self.hidden = [0, 1, 2], ["A", "B", "C"], False, []
        self.without, self.renamed = set(), set()
        self.spellings = {chance.choice(SPELT): chance.randrange(5) for _ in range(3)}
        self.target, self.reported, self.lines, self.far = "s0", ["in/s1"], 2, "d"
        self.odd, self.cwd, self.cat = chance.choice(ODD), chance.choice(CWDS), chance.choice(CATS)
        self.orphans, self.bump = chance.choice(["refuse", "remove"]), 0


# ---- the assets, in groups of which a life has some ----
def files(v, at):
    some = [at(["in/s0", "in/s1", "in/s2"][i]) for i in v.order]
    yield "copy", {"command": ["cp", "--remove-destination", "{{ inputs[0] }}", "{{ outputs[0] }}"], "inputs": some, "outputs": ["o/copy"]}
    yield "copied", {"command": "cat {{ inputs }} > {{ outputs[0] }}; test ! -x o/copy || echo x >> {{ outputs[0] }}", "inputs": [at("o/copy")], "outputs": [at("o/copied")]}
    yield "filed", {"command": "xargs -0 cat < {{ inputs | file0 }} > {{ outputs[0] }}", "inputs": some, "outputs": ["o/filed"]}
    yield "slow", {"command": "head -c 1 in/s0 > o/slow; sleep 0.03; cat in/s1 >> o/slow", "inputs": ["in/s0", at("in/s1")], "outputs": ["o/slow"]}
    yield "flaky", {"command": "cat in/s2 > o/flaky; test ! -e fail || exit 1; cat in/s2 >> o/flaky", "inputs": [at("in/s2")], "outputs": ["o/flaky"]}
    yield "after", {"command": "cat {{ inputs }} > o/after", "inputs": [at("o/slow"), at("o/flaky")], "outputs": [at("o/after")], "version": str(v.bump)}


def values(v, _):
    yield "odd", {"command": "printf '%s|' {{ params.odd }} \"{{ params.odd }}\" > o/odd", "outputs": ["o/odd"]}
    yield "oddenv", {"command": "printenv ODD > o/oddenv", "env": {"ODD": "{{ params.odd }} {{ outputs }}"}, "outputs": ["o/oddenv"]}
    yield "words", {"command": ["sh", "-c", "printf '%s|' \"$@\" > o/words", "sh", "{{ params.lot }}"], "outputs": ["o/words"]}
    yield "list", {"command": ["sh", "-c", "shift; printf '%s|' \"$@\" > o/list", "sh", "x", "{{ params.odd }}", "{{ inputs }}"], "inputs": ["-d*"], "outputs": ["o/list"]}
    yield "dash", {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["-d1", "-d0"], "outputs": ["o/dash"]}
    yield "dashes", {"command": "cat {{ inputs }} > o/dashes", "inputs": ["-d*"], "outputs": ["o/dashes"]}


def matrix(v, at):
    axes = [("n", v.values), ("m", ["x", "y"])]
    yield "made", {"matrix": {"n": v.values}, "command": "{ echo {{ matrix.n }}; cat in/s0; } > {{ outputs[0] }}", "inputs": ["in/s0"], "outputs": ["gen/{{ matrix.n }}.txt"]}
    yield "merged", {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["gen/*.txt", *v.hidden], "outputs": ["o/merged"]}
    yield "grid", {"matrix": dict(axes[::-1] if v.swapped else axes), "command": "echo {{ matrix.n }} {{ matrix.m }} > {{ outputs[0] }}", "outputs": ["grid/{{ matrix.n }}.{{ matrix.m }}"]}
    yield "gridded", {"command": "for f in grid/*; do test ! -e $f || cat $f; done > {{ outputs[0] }}", "inputs": ["grid/*"], "outputs": ["o/gridded"]}
    yield "grids", {"command": "cd grid && cat * > ../o/grids", "inputs": [at("grid")], "deps": ["grid"], "outputs": ["o/grids"]}


def folders(v, at):
    yield "folder", {"command": f"mkdir -p out/sub; i=0; while [ $i -lt {v.lines} ]; do cat in/s1 > out/$i; cp out/$i out/sub/$i; i=$((i+1)); sleep 0.01; done", "inputs": ["in/s1"], "outputs": ["out"], "clear_outputs": True}
    yield "listed", {"command": f"cd out && {{ {LOOK}; }} > ../o/listed", "inputs": [at("out")], "outputs": ["o/listed"]}
    yield "deep", {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["out/*", "!out/sub"], "outputs": ["o/deep"]}
    yield "deeper", {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["ou*/**/[0-9]", *(["!out/1"] if v.hidden else [])], "outputs": ["o/deeper"]}
    yield "early", {"command": "cat {{ inputs }} > o/early", "inputs": ["lo*/*"], "outputs": ["o/early"], "ignore_warnings": ["folder_left_out"]}
    yield "late", {"command": "mkdir -p lod; cat o/early > lod/late", "inputs": ["o/early"], "outputs": ["lod"]}


def links(v, at):
    yield "stage", {"command": f"mkdir -p st; ln -sfn ../in/{v.target} st/a", "inputs": [f"in/{v.target}"], "outputs": ["st"], "clear_outputs": True}
    yield "staged", {"command": "cat st/a > o/staged", "inputs": [at("st")], "outputs": ["o/staged"]}
    yield "named", {"command": "cat st/a > o/named", "deps": ["stage"], "outputs": ["o/named"]}
    yield "far", {"command": f"mkdir -p far; ln -sfn ../in/{v.far} far/d; ln -sfn ../o/near far/near; ln -sfn near far/inner", "inputs": ["o/near"], "outputs": ["far"], "clear_outputs": True}
    yield "near", {"command": "cat in/s0 > o/near", "inputs": [at("in/s0")], "outputs": [at("o/near")]}
    yield "fars", {"command": f"cd far && {{ {LOOK}; }} > ../o/fars", "inputs": ["far"], "outputs": ["o/fars"]}
    yield "fared", {"command": "cat {{ inputs }} > o/fared", "inputs": ["far/**/x", "far/n*"], "outputs": ["o/fared"]}
    yield "led", {"command": "cat in/l/* > o/led", "inputs": ["in/l"], "outputs": ["o/led"]}           # a source's link leads to what `near` makes
    yield "chain", {"command": "cat {{ inputs[0] }} > o/chain", "inputs": ["in/chain"], "outputs": ["o/chain"]}
    yield "texts", {"command": "readlink in/l/* > o/texts", "inputs": ["in/l"], "links": "text", "outputs": ["o/texts"]}


def made(v, at):
    some = [at(["in/s0", "in/s1", "in/s2"][i]) for i in v.order]
    yield "cat", {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": some, "outputs": [v.cat]}
    yield "next", {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": [at(v.cat), at("in/s2")], "outputs": [at("o/next")]}
    read = [v.cat if path == "CAT" else path for path in v.reported]
    yield "reads", {"command": f"cat {' '.join(read)} > o/reads; printf '{{\"inputs\": [%s]}}' '{', '.join(chr(34) + path + chr(34) for path in read)}' > $TROUPE_RESULT", "outputs": ["o/reads"]}
    yield "under", {"cwd": "in", "command": f"cat ../{read[0]} > ../o/under; printf '{{\"inputs\": [\"../{read[0]}\"]}}' > $TROUPE_RESULT", "outputs": ["o/under"]}
    yield "listed_by", {"cwd": "in", "command": f"cat ../{read[0]} s0 > ../o/listed_by; printf 'o/listed_by: s0 \\\\\n  ../{read[0]}\n' > ../o/listed_by.d", "outputs": ["o/listed_by"], "depfile": "o/listed_by.d"}
    yield "version", {"command": "printf '{\"data_version\": \"%s\"}' $(cat in/s1) > $TROUPE_RESULT", "inputs": [at("in/s1")]}
    yield "versioned", {"command": "cat in/s1 > o/versioned", "deps": ["version"], "outputs": ["o/versioned"]}


def inside(v, at):
    yield "in", {"cwd": v.cwd, "command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["in/d/*", at("in/s1")], "outputs": ["o/in"]}
    yield "tree", {"command": f"cd in/d && {{ {LOOK}; }} > ../../o/tree", "inputs": [at("in/d")], "outputs": ["o/tree"]}
    yield "starred", {"command": "cat {{ inputs }} > o/starred", "inputs": ["in/**/[x-z]*", "!in/d/k"], "outputs": ["o/starred"]}
    yield "wholes", {"command": f"cd in && {{ {LOOK}; }} | sort > ../o/wholes", "inputs": ["in/*", "in/*/", "!in/l", "!in/chain"], "outputs": ["o/wholes"]}


def every(v, _):
    """An asset for every file that is there."""
    yield "each", {"matrix": {"f": {"glob": ["in/d/*", *(["!in/d/[xk]"] if v.hidden else [])]}}, "command": "cat {{ matrix.f }} > {{ outputs[0] }}", "inputs": ["{{ matrix.f }}"],
                   "outputs": ["ev/{{ matrix.f.name }}.o"], "ignore_warnings": ["empty_source"]}
    yield "eachs", {"command": "cat {{ inputs }} > {{ outputs[0] }}", "inputs": ["ev/*.o"], "outputs": ["o/eachs"]}
    if "each" not in v.without:
        yield "taken", {"command": "cat {{ inputs.made }} {{ inputs.maybe }} /dev/null > {{ outputs.all }}", "inputs": {"made": {"outputs_of": "each" + "_again" * ("each" in v.renamed)}, "maybe": {"optional": "in/d/n1"}},
                        "outputs": {"all": "o/taken"}}


GROUPS = {"every": every, "files": files, "values": values, "matrix": matrix, "folders": folders, "links": links, "made": made, "inside": inside}
MAY_GO = ["each", "eachs", "merged", "listed", "deep", "named", "in", "made", "grid", "gridded", "grids", "copied", "staged", "after", "late", "dash", "odd"]
NEEDED = {"grids": "grid"}                                 # by name


class World:
    """The folder, and what the branch that is checked out says."""

    def __init__(self, folder, chance, groups=()):
        self.folder, self.chance, self.v = folder, chance, Variant(chance, groups)
        os.makedirs(os.path.join(folder, "in/d"))
        os.makedirs(os.path.join(folder, "in/l"))
        os.makedirs(os.path.join(folder, "lot"))
        for link, target in {"here": ".", "linked": "in", "down": "in/d", "in/l/near": "../../o/near", "in/l/x": "../d/x", "in/chain": "chained", "in/chained": "../o/near"}.items():
            os.symlink(target, self.path(link))
        for path in SOURCES:
            self.write(path)
        self.branches, self.branch = [None, None, None], 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, path, text=None):
        with open(self.path(path), "w", encoding="ascii") as file:
            file.write(text if text is not None else f"{self.chance.randrange(4)}\n")

    def document(self, folder):
        """The pipeline file, as it is in `folder`."""
        v = self.v

        def at(path):
            """The same file by another name; what is recorded keeps the spelling."""
            how = v.spellings.get(path, 0)
            if how == 4 and path.startswith("in/"):
                return "linked" + path[2:]
            return {1: os.path.join(folder, path), 2: f"../{os.path.basename(folder)}/{path}", 3: f"here/{path}"}.get(how, path)

        assets = {name: asset for group in GROUPS if group in v.groups for name, asset in GROUPS[group](v, at)}
        assets = {name: asset for name, asset in assets.items() if name not in v.without and NEEDED.get(name) not in v.without}
        assets = {name + "_again" * (name in v.renamed): asset for name, asset in assets.items()}
        return {"name": "life", "params": {"odd": v.odd, "lot": [v.odd, *v.values]}, "engine": {"error_strategy": "continue", "orphans": v.orphans, "grace_period": "1s"}, "assets": assets}

    def names(self):
        return {name for group in self.v.groups for name, _ in GROUPS[group](self.v, str)}

    def outputs(self):
        """What is declared now, each as one path from the folder."""
        found = set()
        for asset in self.document("/F")["assets"].values():
            outputs = asset.get("outputs", [])
            for output in outputs.values() if isinstance(outputs, dict) else outputs:
                output = output.replace("/F/", "").replace("../F/", "").replace("here/", "")
                if "matrix.f.name" in output:
                    found |= {output.replace("{{ matrix.f.name }}", name) for name in os.listdir(self.path("in/d")) if os.path.isfile(self.path("in/d/" + name))
                              and not (self.v.hidden and name in "xk")}
                    continue
                for n in self.v.values:
                    found |= {output.replace("{{ matrix.n }}", n).replace("{{ matrix.m }}", m) for m in "xy"}
        return found

    def results(self, folder):
        """{path: what is there} of all that is declared; in folders, of all members."""
        found, declared = {}, self.outputs()
        for top in OUTPUTS:
            for where, folders_there, names in os.walk(os.path.join(folder, top)):
                for name in names + [one for one in folders_there if os.path.islink(os.path.join(where, one))]:
                    path = os.path.join(where, name)
                    short = os.path.relpath(path, folder)
                    if not any(short == output or short.startswith(output + "/") for output in declared):
                        continue
                    found[short] = self.counted(path, os.path.join(folder, top))
        return found

    @staticmethod
    def counted(path, top):
        """What the file or link counts by. A link to a file elsewhere counts by that file: which of two equal ones it leads to does not count
        (docs/staleness.md). A command whose start was not on disk yet when its run was killed may have set the link to the other one."""
        leads_to = os.path.realpath(path)
        if os.path.islink(path) and (not os.path.isfile(leads_to) or leads_to.startswith(os.path.realpath(top) + os.sep)):
            return "-> " + os.readlink(path)
        with open(path, encoding="ascii") as file:
            return "-> " * os.path.islink(path) + "x " * bool(os.stat(path).st_mode & 0o100) + file.read()

    def copy_sources(self, to):
        for name in [*TREES, "here", "linked", "down"]:
            if os.path.isdir(self.path(name)) and not os.path.islink(self.path(name)):
                shutil.copytree(self.path(name), os.path.join(to, name), symlinks=True)
            else:
                shutil.copy2(self.path(name), os.path.join(to, name), follow_symlinks=False)

    def in_globbed_folders(self):
        """{path: content} of what globs take in by wildcard only."""
        found = {}
        for top in ("gen", "grid", "ev"):
            for name in os.listdir(self.path(top)) if os.path.isdir(self.path(top)) else []:
                with open(self.path(f"{top}/{name}"), encoding="ascii") as file:
                    found[f"{top}/{name}"] = file.read()
        return found

    def forget_unfinished(self, before):
        """Removes what is not as it was `before` and is not declared: an attempt that did not succeed may have written it. No record says
        so, and it counts like a file of the user's if the asset is then removed. (Known; see docs/staleness.md.)"""
        declared = self.outputs()
        for path, text in self.in_globbed_folders().items():
            if path not in declared and before.get(path) != text:
                os.unlink(self.path(path))

    # ---- branches ----
    def snapshot(self):
        """{path: (mode, content or link text, times)} of the sources."""
        found = {}
        for top in TREES:
            walked = os.walk(self.path(top)) if os.path.isdir(self.path(top)) else [(self.folder, [], [top])]
            for where, folders_there, names in walked:
                for name in names + [one for one in folders_there if os.path.islink(os.path.join(where, one))]:
                    path = os.path.join(where, name)
                    stat = os.lstat(path)
                    if os.path.islink(path):
                        found[os.path.relpath(path, self.folder)] = (None, os.readlink(path), None)
                    else:
                        with open(path, encoding="ascii") as file:
                            found[os.path.relpath(path, self.folder)] = (stat.st_mode & 0o777, file.read(), (stat.st_atime_ns, stat.st_mtime_ns))
        return found

    def switch(self, to, how):
        """Checks the other branch out. `how`: "differing" writes what differs, as git does; "all" writes everything; "times" does, and
        sets the times that the files had, as rsync and tar do."""
        self.branches[self.branch] = (copy.deepcopy(self.v), self.snapshot())
        if self.branches[to] is None:                       # begun here
            self.branch = to
            return
        before, (self.v, now) = self.branches[self.branch][1], copy.deepcopy(self.branches[to])
        self.branch = to
        for path in sorted(before, reverse=True):
            if path not in now or how != "differing" or before[path][:2] != now[path][:2]:
                os.unlink(self.path(path))
                parent = os.path.dirname(self.path(path))
                if parent not in (self.folder, self.path("in/d")) and not os.listdir(parent):
                    os.rmdir(parent)
        for path, (mode, content, times) in sorted(now.items()):
            if os.path.lexists(self.path(path)):
                continue
            os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
            if mode is None:
                os.symlink(content, self.path(path))
                continue
            self.write(path, content)
            os.chmod(self.path(path), mode)
            if how == "times":
                os.utime(self.path(path), ns=times)

    # ---- edits ----
    def edit(self):
        """Does one thing at random; says what."""
        v, pick = self.v, self.chance.choice
        what = pick([name for name, (weight, *groups) in EDITS.items() if not groups or v.groups & set(groups) for _ in range(weight)])
        if what == "write":
            self.write(pick([path for path in SOURCES if os.path.lexists(self.path(path))]))
        elif what == "touch":
            os.utime(self.path(pick(SOURCES[:4])))
        elif what == "mode":
            os.chmod(self.path(pick(["in/s0", "in/s1", "in/d/x"])), pick([0o644, 0o755]))
        elif what == "order":
            v.order = self.chance.sample([0, 1, 2], self.chance.randrange(1, 4))
        elif what == "values":
            v.values = sorted(self.chance.sample(["A", "B", "C", "D"], self.chance.randrange(1, 5)))
        elif what == "swap":
            v.swapped = not v.swapped
        elif what == "hide":
            v.hidden = pick([[], ["!gen/B.txt"], ["!gen/[AB].txt"]])
        elif what == "target":
            v.target, v.far = pick(["s0", "s1", "s2"]), pick(["d", "s1", "d/x"])
        elif what == "report":
            v.reported = self.chance.sample(["in/s1", "in/s2", "CAT", "o/next", "linked/s0"], self.chance.randrange(1, 3))
        elif what == "lines":
            v.lines = self.chance.randrange(1, 4)
        elif what == "spell":
            v.spellings[pick(SPELT)] = self.chance.randrange(5)
        elif what == "asset":
            v.without ^= {pick([name for name in MAY_GO if name in self.names()] or MAY_GO)}
        elif what == "rename asset":
            v.renamed ^= {pick([name for name in ("copied", "each", "listed", "next", "staged", "in", "merged", "reads", "odd", "deep") if name in self.names()] or ["odd"])}
        elif what == "rename output":
            v.cat = pick(CATS)
        elif what == "rename file":
            at = [name for name in NAMES if os.path.lexists(self.path(name))]
            to = pick(NAMES)
            if at and at[0] != to:
                os.rename(self.path(at[0]), self.path(to))
        elif what == "file":
            path = self.path(pick(["in/d/n1", "in/d/n2", "in/d/n 3"]))
            if os.path.lexists(path):
                os.unlink(path)
            else:
                self.write(path)
        elif what == "kind":
            self.change_kind(self.path("in/d/k"), pick(["nothing", "file", "folder", "link", "link to folder"]))
        elif what == "odd":
            v.odd = pick(ODD)
        elif what == "cwd":
            v.cwd = pick(CWDS)
        elif what == "orphans":
            v.orphans = pick(["refuse", "remove"])
        elif what == "version":
            v.bump = self.chance.randrange(3)
        elif what == "output": # not of gen/ and grid/: what somebody edits there and no asset declares any more is theirs, and counts
            self.disturb([path for path in ("o/copy", "o/listed", "out/0", "o/near", "o/next", "o/slow", "st/a") if os.path.lexists(self.path(path))])
        elif what == "lose":
            shutil.rmtree(self.path(pick(["out", "gen", "grid", "st", "far", "lod", "ev"])), ignore_errors=True)
        return what

    def disturb(self, there):
        if not there:
            return
        path = self.chance.choice(there)
        if self.chance.randrange(2) or os.path.islink(self.path(path)):
            os.unlink(self.path(path))
        else:
            self.write(path, "other\n")

    def change_kind(self, path, kind):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
        if kind == "file":
            self.write("in/d/k")
        elif kind == "folder":
            os.mkdir(path)
            self.write("in/d/k/x")
        elif kind == "link":
            os.symlink("../s2", path)
        elif kind == "link to folder":
            os.symlink("../../lot", path)


# What an edit is to, and how likely it is; where no group is named it is to any.
EDITS = {"write": (3,), "touch": (1,), "mode": (1, "files", "inside"), "order": (1, "files", "made"), "values": (3, "matrix"), "swap": (1, "matrix"), "hide": (1, "matrix", "folders", "every"), "file": (3, "every"),
         "target": (1, "links"), "report": (2, "made"), "lines": (1, "folders"), "spell": (2,), "asset": (2,), "rename asset": (1,), "rename output": (1, "made"),
         "rename file": (1, "inside", "every"), "kind": (1, "inside", "links", "every"), "odd": (2, "values"), "cwd": (2, "inside"), "orphans": (1, "matrix"), "version": (1, "files"), "output": (2,),
         "lose": (1, "folders", "links", "matrix", "every")}
