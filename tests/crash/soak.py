#!/usr/bin/env python3
"""For as long as one asks: random pipelines, random edits, kills, cancels and readers, each run held against a model that says what has
to run and what has to come out. Reports at the end whether journal, memory and descriptors have levelled off.
usage: soak.py TROUPE [--minutes N | --steps N] [--seed S]"""
import argparse
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from scenes import ROOM, TIMEOUT_S, processes_with
from soak_model import Asset, Model, Pipeline

SOURCES = [f"in/s{n}" for n in range(6)]
NAMES = [f"a{n}" for n in range(14)]


class Measured:
    """The most seen of something, in each of ten equal parts of the time."""

    def __init__(self):
        self.parts = [0] * 10

    def add(self, share, value):
        part = min(int(share * 10), 9)
        self.parts[part] = max(self.parts[part], value)

    def levels_off(self, allowance):
        """Whether the second half needed no more than the first: growth would go on."""
        return max(self.parts[5:]) <= max(self.parts[:5]) * 1.25 + allowance

    def __str__(self):
        return "first half at most {}, second half at most {}".format(max(self.parts[:5]), max(self.parts[5:]))


class Soak:
    def __init__(self, troupe, seed):
        self.troupe_path, self.chance, self.seed = troupe, random.Random(seed), seed
        self.top = tempfile.mkdtemp(prefix="troupe-soak-", dir=ROOM)
        self.mark = "TROUPE_SOAK_MARK=" + os.path.basename(self.top)
        for folder in ("in", "out", "ran", "fail"):
            os.mkdir(os.path.join(self.top, folder))
        for source in SOURCES:
            self.write(source, "0\n")
        self.model, self.param, self.failing = Model(), 1, set()
        self.counts = collections.Counter()
        self.journal_bytes, self.memory_kb, self.descriptors, self.log_folders = Measured(), Measured(), Measured(), Measured()
        self.share = 0.0
        self.history = collections.deque(maxlen=12)
        self.stopped = set()                         # of processes that a killed run left behind
        self.usual_s = 0.05                          # how long a run takes that has something to do
        self.new_pipeline()

    # ---- files and processes ----
    def path(self, name):
        return os.path.join(self.top, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)

    def disk(self, name):
        try:
            with open(self.path(name), encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def start(self, *arguments):
        name, value = self.mark.split("=")
        output = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        process = subprocess.Popen([self.troupe_path, *arguments], cwd=self.top, stdin=subprocess.DEVNULL, stdout=output[0], stderr=output[1],
                                   env={**os.environ, name: value})
        return process, output

    def finish(self, process, output, arguments, statuses):
        """(exit status, standard output); the process's memory is taken down."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            assert time.monotonic() < deadline, f"troupe {' '.join(arguments)} does not end"
            time.sleep(0.002)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.memory_kb.add(self.share, usage.ru_maxrss)
        texts = []
        for file in output:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
            file.close()
        assert process.returncode in statuses, f"troupe {' '.join(arguments)}: exit status {process.returncode}, not {statuses}\n{texts[0][-3000:]}\n{texts[1][-3000:]}"
        return process.returncode, texts[0]

    def troupe(self, *arguments, statuses=(0,)):
        return self.finish(*self.start(*arguments), arguments, statuses)

    # ---- what people do between runs ----
    def new_pipeline(self):
        assets = []
        for name in self.chance.sample(NAMES, self.chance.randint(2, 10)):
            inputs = self.chance.sample(SOURCES, self.chance.randint(1, 2))
            inputs += [other.output for other in self.chance.sample(assets, min(len(assets), self.chance.randint(0, 3)))]
            assets.append(Asset(name, inputs, self.chance.randint(1, 6), self.chance.random() < 0.3))
        self.pipeline = Pipeline(assets, self.param)
        self.save()

    def save(self):
        self.pipeline.param = self.param
        self.write("troupe.json", json.dumps(self.pipeline.document()))

    def edit(self):
        what = self.chance.choice(["touch", "change", "change", "rewrite", "remove output", "modify output", "version", "param", "fail", "mend", "mend", "pipeline"])
        asset = self.chance.choice(self.pipeline.assets)
        source = self.chance.choice(SOURCES)
        if what == "touch":
            os.utime(self.path(source))
        elif what == "change":
            self.write(source, f"{self.chance.randint(0, 9)}\n")       # the same size; at times the same content
        elif what == "rewrite":
            self.write(source, self.disk(source))
        elif what == "remove output" and self.disk(asset.output) is not None:
            os.remove(self.path(asset.output))
        elif what == "modify output":
            self.write(asset.output, "somebody else's\n")
        elif what == "version":
            asset.version = self.chance.randint(1, 6)
            self.save()
        elif what == "param":
            self.param = self.chance.randint(1, 3)
            self.save()
        elif what == "fail":
            self.failing.add(asset.name)
            self.write(f"fail/{asset.name}", "")
        elif what == "mend":
            for name in self.failing:
                os.remove(self.path(f"fail/{name}"))
            self.failing.clear()
        elif what == "pipeline" and self.chance.random() < 0.3:
            self.new_pipeline()
        self.history.append(f"edit: {what} {asset.name} {source}")

    def settle(self):
        """After a kill: what the run left behind ends by itself, or stands still until another ends it. Else it would go on while the
        model looks at what there is."""
        stop = self.chance.random() < 0.5
        self.stopped &= {pid for pid, _ in processes_with(self.mark)}
        deadline = time.monotonic() + TIMEOUT_S
        while left := [pid for pid, _ in processes_with(self.mark) if pid not in self.stopped]:
            assert time.monotonic() < deadline, f"left running: {left}"
            for pid in left if stop else ():
                try:
                    with open(f"/proc/{pid}/environ", "rb") as file:
                        begun = b"\0TROUPE_ASSET=" in file.read()   # before its exec it would keep the state's lock
                    if begun:
                        os.kill(pid, signal.SIGSTOP)
                        self.stopped.add(pid)
                except (ProcessLookupError, FileNotFoundError):
                    pass                             # it has ended
            time.sleep(0.001)
        self.counts["processes left behind stopped"] += len(self.stopped)

    # ---- what is true ----
    def begun(self):
        return {name: (self.disk(f"ran/{name}") or "").count("begin ") for name in NAMES}

    def recorded(self):
        """Of the last run, by the journal's dump: its id, what it has started, what has succeeded in it, with the attempt."""
        _, text = self.troupe("journal", "dump")
        last, started, succeeded = None, set(), {}
        for line in text.splitlines():
            event = json.loads(line)
            if event["type"] == "run_started":
                last, started, succeeded = event["id"], set(), {}
            elif event["type"] == "attempt_started":
                started.add(event["asset"].split("/", 1)[1])
            elif event["type"] == "attempt_finished" and event["outcome"] == "succeeded":
                succeeded[event["asset"].split("/", 1)[1]] = event["attempt"]
        for name, attempt in succeeded.items():
            assert f"end {attempt} {last}\n" in (self.disk(f"ran/{name}") or ""), f"attempt {attempt} of {name} is recorded as succeeded in {last}, and did not end well"
        return last, started, succeeded

    def undisturbed(self, verb):
        """A run that is left alone does exactly what the model says."""
        fate, content = self.model.predict(self.pipeline, self.disk, self.failing)
        before, began = self.begun(), time.monotonic()
        status, text = self.troupe(verb, "--json", statuses=(0, 1))
        ended = time.monotonic()
        document = json.loads(text)
        assert status == (1 if "failed" in fate.values() else 0), f"exit status {status}; the model: {fate}"
        if verb == "run":
            told = {name: asset["status"] for name, asset in document["assets"].items()}
            assert told == fate, f"told: {told}\nmodel: {fate}"
        ran = {name: count - before[name] for name, count in self.begun().items() if count != before[name]}
        expected = {name: 1 for name, how in fate.items() if how in ("succeeded", "failed")}
        assert ran == expected, f"ran: {ran}\nmodel: {expected}"
        for asset in self.pipeline.assets:
            assert self.disk(asset.output) == content[asset.output], f"{asset.output} holds {self.disk(asset.output)!r}, not {content[asset.output]!r}"
        self.model.record(self.pipeline, self.disk, {n for n, how in fate.items() if how == "succeeded"}, {n for n, how in fate.items() if how == "failed"})
        left = processes_with(self.mark)
        assert not left, f"left running: {left}"
        self.counts["assets run"] += len(ran)
        if ran:
            self.usual_s = ended - began

    def disturbed(self, how):
        """A run that is killed or cancelled at a random moment: what it has recorded is true, and is what the model goes on from."""
        fate, _ = self.model.predict(self.pipeline, self.disk, self.failing)
        before, last = self.begun(), self.recorded()[0]
        process, output = self.start("run")
        time.sleep(self.chance.uniform(0, 1.2 * self.usual_s))
        try:
            self.descriptors.add(self.share, len(os.listdir(f"/proc/{process.pid}/fd")))
        except OSError:
            pass                                     # it has ended already
        if how == "cancel":
            self.troupe("cancel", statuses=(0, 2))
        else:
            os.kill(process.pid, {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}[how])   # it has not been waited for
        status, _ = self.finish(process, output, ("run",), {"kill": (0, 1, -9), "cancel": (0, 1), "interrupt": (0, 1, 130, -2), "terminate": (0, 1, 143, -15)}[how])
        if status == -9:
            self.settle()
        run, started, succeeded = self.recorded()
        if status != -9:
            left = [entry for entry in processes_with(self.mark) if run != last or entry[0] not in self.stopped]   # it may not have got to them
            assert not left, f"left running: {left}"
        may_run = {name for name, what in fate.items() if what in ("succeeded", "failed")}
        ran = {name: count - before[name] for name, count in self.begun().items() if count != before[name]}
        assert set(ran) <= may_run and max(ran.values(), default=1) == 1, f"ran: {ran}\nmodel: {may_run}"
        if run == last:                              # nothing of it was recorded
            self.counts[f"{how} before it began"] += 1
            return False
        runs = json.loads(self.troupe("runs", "--json")[1])["runs"]
        self.counts[f"{how}, then {runs[0]['status']}"] += 1
        assert runs[0]["run"] == run and runs[0]["status"] in ("interrupted", "cancelled", "succeeded", "failed"), runs[0]
        if status == -9:
            assert runs[0]["status"] in ("interrupted", "succeeded", "failed"), runs[0]
        self.model.record(self.pipeline, self.disk, set(succeeded), started)
        return runs[0]["status"] in ("interrupted", "cancelled", "failed")

    def step(self):
        for _ in range(self.chance.choice([0, 1, 1, 2, 3])):
            self.edit()
        action = self.chance.choices(["run", "kill", "cancel", "interrupt", "terminate", "readers"], [50, 25, 5, 5, 5, 10])[0]
        self.history.append(action)
        self.counts[action] += 1
        if action == "run":
            self.undisturbed("run")
        elif action == "readers":
            process, output = self.start("run")
            for verb in (["status", "--json"], ["runs", "--json"], ["journal", "verify", "--json"], ["plan", "--json"]):
                self.troupe(*verb)
            self.finish(process, output, ("run",), (0, 1))
            _, started, succeeded = self.recorded()
            self.model.record(self.pipeline, self.disk, set(succeeded), started)
            self.undisturbed("run")
        elif self.disturbed(action) and self.chance.random() < 0.5:
            self.history.append("resume")
            self.counts["resume"] += 1
            self.undisturbed("resume")

    def measure(self):
        verified = json.loads(self.troupe("journal", "verify", "--json")[1])
        assert verified["ok"] and not verified["problems"], verified["problems"]
        self.journal_bytes.add(self.share, json.loads(self.troupe("journal", "stats", "--json")[1])["file_bytes"])
        logs = self.path(".troupe/logs")
        self.log_folders.add(self.share, len(os.listdir(logs)) if os.path.isdir(logs) else 0)

    def report(self, steps, seconds):
        print(f"{steps} steps in {seconds:.0f} s, seed {self.seed}: " + ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items())))
        print(f"journal, bytes: {self.journal_bytes}\nfolders of logs: {self.log_folders}\nmemory of a command, KB: {self.memory_kb}\ndescriptors of a run: {self.descriptors}")
        grown = [name for name, measured, allowance in (("the journal", self.journal_bytes, 65536), ("the logs", self.log_folders, 5), ("memory", self.memory_kb, 1024),
                                                        ("descriptors", self.descriptors, 4)) if not measured.levels_off(allowance)]
        if grown and steps >= 400:                   # fewer have not filled what is kept
            print(f"FAILED  still growing: {', '.join(grown)}")
        return not grown or steps < 400

    def remove(self):
        for pid, _ in processes_with(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.top, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("troupe", type=os.path.abspath)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    soak, steps, began, good = Soak(arguments.troupe, arguments.seed), 0, time.monotonic(), True
    try:
        while True:
            soak.share = (time.monotonic() - began) / (arguments.minutes * 60) if arguments.minutes else steps / arguments.steps
            if soak.share >= 1:
                break
            soak.step()
            steps += 1
            if steps % 20 == 0:
                soak.measure()
    except Exception:  # whatever it is: tell what led there
        good = False
        print(f"FAILED  step {steps}, seed {arguments.seed}; before it:\n  " + "\n  ".join(soak.history))
        print(json.dumps(soak.pipeline.document()))
        traceback.print_exc(limit=-3, file=sys.stdout)
    finally:
        good = soak.report(steps, time.monotonic() - began) and good
        soak.remove()
    print("1 passed, 0 failed" if good else "0 passed, 1 failed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
