"""The pipelines that are made to crash: their files, what has to be there in the end, and a folder with one of them. Every asset notes
in a file of its own, before and after its work, that it ran; nobody but the assets writes there. Knows the command line and the
journal's dump; nothing of how a fault is brought about."""
import collections
import json
import os
import shutil
import subprocess
import tempfile

TIMEOUT_S = 120
# Where syncs cost little: what survives the death of a process does not depend on them.
ROOM = next((place for place in ("/dev/shm",) if os.access(place, os.W_OK)), None)

NOTE = 'say() { echo "$1 $TROUPE_ATTEMPT $TROUPE_RUN_ID" >> "ran/$TROUPE_ASSET"; }\n'


def step(work, **more):
    return {"command": f". ./note; say begin; {work}; say end", **more, "inputs": ["note", *more.get("inputs", [])]}


def everything(**engine):
    """Retries, an allowed failure, a folder, discovered inputs, a matrix, a pool, both durabilities, a daemon."""
    return {"name": "crash", "engine": {"workers": 2, "grace_period": "3s", "pools": {"p": 1}, **engine}, "assets": {
        "seed": {"outputs": ["in/seed"]},
        "first": step('read -r x < in/seed; echo "first ${x%%-*}" > out/first', inputs=["in/seed"], outputs=["out/first"]),
        "folder": step("mkdir -p out/folder/sub; read -r x < out/first; echo a > out/folder/a; echo \"$x\" > out/folder/sub/b",
                       inputs=["out/first"], outputs=["out/folder"]),
        "found": step('read -r x < in/hidden; echo "found $x" > out/found; echo \'{"inputs": ["in/hidden"], "metadata": {"n": 1}}\' > "$TROUPE_RESULT"',
                      outputs=["out/found"], deps=["first"], retry={"attempts": 2, "delay": "1ms"}),
        "part": step("read -r x < out/first; echo \"{{ matrix.n }} $x\" > {{ outputs[0] }}", matrix={"n": ["a", "b", "c"]},
                     inputs=["out/first"], outputs=["out/part.{{ matrix.n }}"], pools={"p": 1}),
        "flaky": step("test -e tried || { : > tried; exit 75; }", deps=["first"],
                      retry={"attempts": 3, "delay": "5ms", "backoff": "exponential", "jitter": "full", "on_exit_codes": [75]}),
        "may": step("exit 3", deps=["first"], allow_failure=True),
        "lasting": step('echo \'{"data_version": "1"}\' > "$TROUPE_RESULT"', deps=["first"], durability="strict"),
        "daemon": step("(setsid sleep 500 < /dev/null > /dev/null 2>&1 &)", deps=["flaky"]),
        "last": step("cat out/folder/a out/folder/sub/b out/found out/part.a out/part.b out/part.c > out/last",
                     inputs=["out/folder", "out/found", "out/part.*"], outputs=["out/last"], deps=["daemon", "flaky", "may", "lasting"]),
    }}


def everything_made(seed="1", hidden="7"):
    first = f"first {seed.split('-')[0]}"
    parts = {f"out/part.{n}": f"{n} {first}\n" for n in "abc"}
    return {"out/first": first + "\n", "out/folder/a": "a\n", "out/folder/sub/b": first + "\n", "out/found": f"found {hidden}\n", **parts,
            "out/last": f"a\n{first}\nfound {hidden}\n" + "".join(parts.values())}


def stopping(strategy):
    """A failure that ends the run, until somebody mends it."""
    return {"name": "crash", "engine": {"workers": 2, "grace_period": "3s", "error_strategy": strategy}, "assets": {
        "a": step("echo a > out/a", outputs=["out/a"]),
        "bad": step("test -e mended || exit 9; echo b > out/b", outputs=["out/b"], deps=["a"]),
        "slow": step("sleep 0.02; echo c > out/c", outputs=["out/c"], deps=["a"]),
        "end": step("cat out/a out/b out/c > out/end", inputs=["out/a", "out/b", "out/c"], outputs=["out/end"]),
    }}


STOPPING_MADE = {"out/a": "a\n", "out/b": "b\n", "out/c": "c\n", "out/end": "a\nb\nc\n"}


class Scene:
    """A pipeline, what it makes, how the run that is disturbed ends otherwise, and what comes before: a whole run, then an edit."""

    def __init__(self, name, pipeline, made, ends_with=0, edit=None, mend=False):
        self.name, self.pipeline, self.made, self.ends_with, self.edit, self.mend = name, pipeline, made, ends_with, edit, mend
        # What may run again although nothing of it is missing: what failed, and was allowed to.
        self.never_succeeds = {name for name, asset in pipeline["assets"].items() if asset.get("allow_failure")}

    def number(self):
        """That of the run that is disturbed; there is a later one where what was killed is followed by a new run."""
        return 1 if self.edit is None else 2


def all_scenes():
    return [
        Scene("first run", everything(), everything_made()),
        Scene("strict", everything(durability="strict"), everything_made()),
        Scene("continue", everything(error_strategy="continue"), everything_made()),
        Scene("unsynced", everything(durability="none"), everything_made()),
        Scene("fail_fast", stopping("fail_fast"), STOPPING_MADE, ends_with=1, mend=True),
        Scene("abort", stopping("abort"), STOPPING_MADE, ends_with=1, mend=True),
        Scene("some stale", everything(), everything_made("2"), edit={"in/seed": "2-x\n"}),
        Scene("cut off early", everything(), everything_made(), edit={"in/seed": "1-x\n"}),
        Scene("a found input", everything(durability="strict"), everything_made(hidden="8"), edit={"in/hidden": "8\n"}),
        Scene("nothing stale", stopping("fail_fast"), STOPPING_MADE, edit={}, mend=True),
    ]


class Outcome:
    """How a command ended, and what it printed."""

    def __init__(self, arguments, status, text, errors):
        self.arguments, self.status, self.text, self.errors = arguments, status, text, errors

    def told(self):
        return f"troupe {' '.join(self.arguments)}: exit status {self.status}\n--- standard output\n{self.text[-2000:]}\n--- standard error\n{self.errors[-2000:]}"

    def must(self, *statuses):
        assert self.status in statuses, f"not {' or '.join(map(str, statuses))}: {self.told()}"
        return self

    def json(self):
        try:
            return json.loads(self.text)
        except ValueError:
            raise AssertionError(f"no JSON document: {self.told()}") from None


class Folder:
    """A folder with a scene's pipeline. `mark` stands in the environment of every process that comes from here."""

    def __init__(self, scene, troupe):
        self.scene, self.troupe_path = scene, troupe
        self.top = tempfile.mkdtemp(prefix="troupe-crash-", dir=ROOM)
        self.path = os.path.join(self.top, "work")
        self.mark = "TROUPE_CRASH_MARK=" + os.path.basename(self.top)
        for name in ("in", "out", "ran"):
            os.makedirs(os.path.join(self.path, name))
        for name, text in {"note": NOTE, "in/seed": "1-\n", "in/hidden": "7\n", "troupe.json": json.dumps(scene.pipeline, indent=1)}.items():
            self.write(name, text)

    def remove(self):
        shutil.rmtree(self.top, ignore_errors=True)

    def write(self, name, text):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
            file.write(text)

    def read(self, name):
        try:
            with open(os.path.join(self.path, name), encoding="ascii") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def environment(self):
        name, value = self.mark.split("=")
        return {**os.environ, name: value, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

    def start(self, *arguments, before=()):
        return subprocess.Popen([*before, self.troupe_path, *arguments], cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.environment())

    def finish(self, process, arguments):
        try:
            text, errors = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            hung = [(pid, name) for pid, name in processes_with(self.mark)]
            self.end_processes()
            process.communicate(timeout=TIMEOUT_S)
            raise AssertionError(f"troupe {' '.join(arguments)} did not end within {TIMEOUT_S} s; alive: {hung}") from None
        return Outcome(arguments, process.returncode, text.decode(errors="replace"), errors.decode(errors="replace"))

    def troupe(self, *arguments, before=()):
        return self.finish(self.start(*arguments, before=before), arguments)

    def end_processes(self):
        """What a failed trial has left: by pid, each known by its mark."""
        for pid, _ in processes_with(self.mark):
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass

    def prepare(self):
        """What comes before the run that is disturbed."""
        if self.scene.edit is None:
            return self
        if self.scene.mend:
            self.write("mended", "")
        self.troupe("run").must(0)
        for name, text in self.scene.edit.items():
            self.write(name, text)
        return self

    # ---- what happened, by the assets themselves ----
    def begun(self):
        """How often each asset has begun."""
        return {name: (self.read(f"ran/{name}") or "").count("begin ") for name in os.listdir(os.path.join(self.path, "ran"))}

    def ended(self, asset, attempt, run):
        return f"end {attempt} {run}\n" in (self.read(f"ran/{asset}") or "")

    def made(self):
        return {name: self.read(name) for name in self.scene.made}


def processes_with(entry):
    """(pid, name) of the live processes whose environment holds `entry`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if entry.encode() not in file.read().split(b"\0"):
                    continue
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            if rest.split()[0] not in "ZX":
                found.append((int(pid), name))
        except OSError:
            continue
    return found


class Recorded:
    """What a journal says, by its dump: the last run, and which assets have succeeded in it."""

    def __init__(self, dump):
        self.run = self.number = None
        self.finished = False
        self.succeeded = {}
        self.events = collections.Counter()
        for line in dump.splitlines():
            event = json.loads(line)
            kind = event["type"]
            self.events[kind] += 1
            if kind == "run_started":
                self.run, self.number, self.finished, self.succeeded = event["id"], event["run"], False, {}
            elif kind == "run_resumed":
                self.finished = False
            elif kind == "run_finished":
                self.finished = True
            elif kind == "attempt_finished" and event["outcome"] == "succeeded":
                self.succeeded[event["asset"].split("/", 1)[1]] = event["attempt"]
