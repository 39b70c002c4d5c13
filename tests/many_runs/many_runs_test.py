#!/usr/bin/env python3
"""Random lives of an engine with many runs: pipelines that share a state, several runs at a time, edits, cancels, kills.

What must hold, whatever happens: a run that was acknowledged starts and ends, if not in this engine then in a later one; no more attempts than workers; never two attempts of one asset at a time; no attempt reads a file while another asset writes it; a
killed engine leaves nothing that a later one cannot go on from; and when all is quiet, an incremental run gives what a clean one gives.

usage: many_runs_test.py TROUPE ENGINE_RUNS [--lives N] [--first SEED] [--minutes M]"""
import argparse
import collections
import json
import os
import queue
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

# A command that says if it meets another attempt of its asset, or reads what is being written. The folder "busy" is the test's.
COMMAND = """trap 'rm -rf busy/{name}; exit 1' TERM
mkdir busy/{name} 2>/dev/null || echo "two attempts of {name}" >> wrong
for f in {inputs}; do cp "$f" "busy/{name}/$(basename "$f")" 2>/dev/null; done
echo begin > {output}
sleep {seconds}
for f in {inputs}; do cmp -s "$f" "busy/{name}/$(basename "$f")" || echo "{name} saw $f change" >> wrong; done
cat {inputs} > {output}.new && echo {word} >> {output}.new && mv {output}.new {output}
rm -rf busy/{name}"""
# In lives in which an engine ends commands and goes on, a mark may be left of one that was killed.
FIRST_OF_ALL = 'mkdir busy/{name} 2>/dev/null || echo "two attempts of {name}" >> wrong\n'
FIRST_BUT_FOR_DEAD = """mkdir busy/{name} 2>/dev/null || {{ kill -0 "$(cat busy/{name}/pid)" 2>/dev/null && echo "two attempts of {name}" >> wrong; }}
echo $$ > busy/{name}/pid
"""
assert FIRST_OF_ALL in COMMAND
TAKES_NONE = "no run is taken on while the state's journal cannot be written"


class Engine:
    """The program, with what it has said."""

    def __init__(self, program, state, files, log, *options):
        self.process = subprocess.Popen([program, state, *options, *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.said, self.live, self.ended, self.errors = queue.Queue(), set(), {}, []
        self.asked, self.acknowledged, self.was_queued, self.idle = 0, set(), 0, False
        threading.Thread(target=self.listen, daemon=True).start()
        first = self.said.get(timeout=60)
        assert first == {"ready": True}, first

    def listen(self):
        for line in self.process.stdout:
            try:
                self.said.put(json.loads(line))
            except ValueError:
                pass  # the last line of one that was killed
        self.said.put(None)

    def take(self, timeout):
        """One answer; False if there is none."""
        try:
            answer = self.said.get(timeout=timeout)
        except queue.Empty:
            return False
        if answer is None:
            return False
        if "began" in answer:
            self.live.add(answer["began"])
            self.acknowledged.add(answer["began"])
            self.was_queued += answer["queued"]
        elif "ended" in answer:
            self.live.discard(answer["ended"])
            self.ended[answer["ended"]] = answer["status"]
            self.asked -= 1
        elif "error" in answer:
            self.errors.append(answer["error"])
            self.asked -= 1
        elif "idle" in answer:
            self.idle = True
        return True

    def order(self, text):
        if text.startswith("run"):
            self.asked += 1
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def settle(self):
        """Waits until every run has ended, also those that an earlier engine left in the queue."""
        self.idle = False
        self.order("idle")
        until = time.monotonic() + 120
        while self.asked > 0 or not self.idle:
            assert time.monotonic() < until, f"runs {sorted(self.live)} do not end"
            assert self.process.poll() is None, f"the engine has ended with {self.process.returncode} while {sorted(self.live)} lived"
            self.take(1)

    def quit(self):
        self.order("quit")
        assert self.process.wait(60) == 0, self.process.returncode

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)


class Life:
    def __init__(self, troupe, engine_runs, seed, folder):
        self.troupe, self.engine_runs, self.random, self.folder = troupe, engine_runs, random.Random(seed), folder
        self.counts, self.acknowledged, self.keep_runs = collections.Counter(), set(), self.random.choice([5, 100])
        os.chdir(folder)
        os.mkdir("busy")
        self.disk_fills = self.random.random() < 0.4
        self.pipelines = []
        for number in range(self.random.choice([1, 1, 2])):
            self.pipelines.append(self.make_pipeline(number))
        for number in range(4):
            self.edit(number)
        self.write_pipelines()

    def make_pipeline(self, number):
        """Assets in order; each reads some before it, sources, and what another pipeline makes."""
        assets = {}
        names = [f"{'pq'[number]}{i}" for i in range(self.random.randint(3, 9))]
        for i, name in enumerate(names):
            upstream = self.random.sample(names[:i], min(i, self.random.choice([0, 1, 1, 2])))
            inputs = [f"{u}.out" for u in upstream] + ([f"source{self.random.randrange(4)}"] if not upstream or self.random.random() < 0.3 else [])
            if number > 0 and self.random.random() < 0.4:
                inputs.append(f"{self.random.choice(list(self.pipelines[0]))}.out")
            assets[name] = {"inputs": inputs, "word": self.random.randrange(3), "seconds": self.random.choice([0, 0.02, 0.1, 0.3])}
        return assets

    def document(self, number):
        command = COMMAND.replace(FIRST_OF_ALL, FIRST_BUT_FOR_DEAD) if self.disk_fills else COMMAND
        assets = {name: {"inputs": asset["inputs"], "outputs": [f"{name}.out"],
                         "command": command.format(name=name, inputs=" ".join(asset["inputs"]), output=f"{name}.out", word=asset["word"], seconds=asset["seconds"])}
                  for name, asset in self.pipelines[number].items()}
        return {"name": "pq"[number], "engine": {"workers": self.random.choice([2, 4]), "keep_runs": self.keep_runs, "grace_period": "5s"}, "assets": assets}

    def write_pipelines(self):
        for number in range(len(self.pipelines)):
            with open("draft.json", "w", encoding="utf-8") as file:
                json.dump(self.document(number), file)
            os.rename("draft.json", f"{'pq'[number]}.json")

    def edit(self, number):
        with open(f"draft{number}", "w", encoding="utf-8") as file:
            file.write(f"{self.random.randrange(5)}\n")
        os.rename(f"draft{number}", f"source{number}")

    def files(self):
        return [f"{'pq'[number]}.json" for number in range(len(self.pipelines))]

    def wrong(self):
        if os.path.exists("wrong"):
            with open("wrong", encoding="utf-8") as file:
                return file.read()
        return ""

    def one_engine(self, log):
        engine = Engine(self.engine_runs, "state", self.files(), log, "--max-runs", str(self.random.choice([1, 2, 16])), "--live-runs", str(self.random.choice([2, 64])))
        self.counts["engines"] += 1
        try:
            self.play_engine(engine)
        finally:
            self.acknowledged |= engine.acknowledged
            self.counts["queued"] += engine.was_queued

    def play_engine(self, engine):
        # An edit comes only when nothing runs: else an attempt may rightly see a source change.
        for _ in range(self.random.randint(4, 14)):
            act = self.random.random()
            if act < 0.6:
                number = self.random.randrange(len(self.pipelines))
                names = list(self.pipelines[number])
                selection = self.random.sample(names, self.random.randint(0, min(3, len(names))))
                cause = self.random.choice([[], [], ["cause=trigger"], ["cause=program"], ["cause=backfill"]])
                priority = [f"priority={self.random.randint(-5, 5)}"] if self.random.random() < 0.3 else []
                engine.order(" ".join(["run", str(number)] + cause + priority + (["force"] if self.random.random() < 0.1 else []) + (["only"] if selection and self.random.random() < 0.6 else []) + selection))
                self.counts["runs"] += 1
            elif act < 0.7 and engine.live:
                run = self.random.choice(sorted(engine.live))
                if self.random.random() < 0.5:
                    engine.order(f"cancel {run}")
                    self.counts["cancels"] += 1
                else:  # by the state's control socket; the run may have ended by then
                    done = subprocess.run([self.troupe, "cancel", str(run), "--state", "state"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
                    assert done.returncode in (0, 1, 2), f"cancel {run}: {done.returncode}\n{done.stdout}{done.stderr}"
                    self.counts[f"cancels by the socket, {done.returncode}"] += 1
            elif act < 0.73 and engine.live:
                engine.order(f"priority {self.random.choice(sorted(engine.live))} {self.random.randint(-9, 9)}")
            elif act < 0.77 and self.disk_fills:
                self.fill_disk(engine)
            elif act < 0.8:
                engine.settle()
                self.edit(self.random.randrange(4))
                if self.random.random() < 0.3:
                    pipeline = self.random.choice(self.pipelines)
                    pipeline[self.random.choice(list(pipeline))]["word"] = self.random.randrange(3)
                    self.write_pipelines()
                self.counts["edits"] += 1
            engine.take(self.random.choice([0.001, 0.02, 0.1]))
        if self.random.random() < 0.4:
            engine.kill()
            self.counts["kills"] += 1
            return
        engine.settle()
        assert all(self.disk_fills and error.startswith(TAKES_NONE) for error in engine.errors), engine.errors
        engine.order("list")
        engine.quit()

    def fill_disk(self, engine):
        """For a moment the engine can write nothing; then it opens its state again by itself."""
        _, most = resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (1, most))
        for _ in range(self.random.randint(0, 2)):
            engine.order("run 0 cause=trigger force")
        engine.take(self.random.choice([0.01, 0.1, 0.4]))
        resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, most))
        self.counts["full disks"] += 1

    def check(self):
        """All is quiet: nothing of a killed engine runs once another has recovered."""
        clean = tempfile.mkdtemp(prefix="clean-", dir=self.folder)
        os.mkdir(f"{clean}/busy")
        for source in range(4):
            shutil.copy(f"source{source}", clean)
        for number, file in enumerate(self.files()):
            self.must([self.troupe, "run", "-f", file, "--state", "state"])
            shutil.copy(file, clean)
            self.must([self.troupe, "run", "-f", file], cwd=clean)
            for name in self.pipelines[number]:
                with open(f"{name}.out", encoding="utf-8") as here, open(f"{clean}/{name}.out", encoding="utf-8") as there:
                    mine, right = here.read(), there.read()
                assert mine == right, f"{name}.out is {mine!r}; a clean run makes {right!r}"
        shutil.rmtree(clean)
        self.must([self.troupe, "journal", "verify", "--state", "state"])
        opened = {}
        events = [json.loads(line) for line in self.must([self.troupe, "journal", "dump", "--state", "state"]).splitlines()]
        # A run gives its last worker back when the command has ended, which is on disk a moment later.
        lasts = {event["run"]: event["asset"] for event in events if event["type"] == "attempt_finished"}
        for event in events:
            if event["type"] == "attempt_started":
                assert event["asset"] not in opened, f"event {event['seq']}: {event['asset']} has an open attempt: {opened[event['asset']]}"
                opened[event["asset"]] = (event["seq"], event["run"])
                counted = [asset for asset, (_, run) in opened.items() if lasts.get(run) != asset or run == event["run"]]
                assert len(counted) <= 4, f"event {event['seq']}: {len(opened)} attempts are open, and there are 4 workers at most"
            elif event["type"] == "attempt_finished":
                opened.pop(event["asset"], None)
        assert not self.wrong(), self.wrong()

    def must(self, command, cwd=None):
        done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def recover(self):
        """What a killed engine left running is ended by whoever opens the state next; then its marks can go. One that may start nothing leaves the queue as it is."""
        before = self.queued()
        self.must([self.engine_runs, "state", "--live-runs", "0", *self.files()])
        assert self.queued() == before, f"{before} were queued, then {self.queued()}"
        shutil.rmtree("busy")
        os.mkdir("busy")
        if before and self.random.random() < 0.5:  # a run of its own leaves them alone
            self.must([self.troupe, "run", "-f", self.files()[0], "--state", "state"])
            assert self.queued() == before, f"{before} were queued, then {self.queued()}"
        self.counts["queued runs found by the next engine"] += len(before)

    def runs(self):
        return {run["number"]: run["status"] for run in json.loads(self.must([self.troupe, "runs", "--json", "-l", "0", "--state", "state"]))["runs"]}

    def queued(self):
        return sorted(number for number, status in self.runs().items() if status == "queued")

    def empty_queue(self, log):
        """Nothing acknowledged is lost: the next engine starts what waits."""
        engine = Engine(self.engine_runs, "state", self.files(), log, "--max-runs", "2")
        engine.settle()
        engine.quit()
        runs = self.runs()
        assert "queued" not in runs.values(), runs
        # A run that waited in the queue may have begun, ended and gone from the history before one with a lower number ended.
        gone = [number for number in self.acknowledged if number > max(runs) or (number not in runs and number >= min(runs) and self.keep_runs == 100)]
        assert not gone, f"runs {gone} were acknowledged, and there are {runs}"

    def play(self):
        with open("engine.err", "w+", encoding="utf-8") as log:
            for _ in range(self.random.randint(2, 5)):
                self.one_engine(log)
                self.recover()
                assert not self.wrong(), self.wrong()
                if self.random.random() < 0.4:
                    self.empty_queue(log)
                    self.check()
            self.empty_queue(log)
            self.check()
        return self.counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("troupe")
    parser.add_argument("engine_runs")
    parser.add_argument("--lives", type=int, default=12)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0)
    arguments = parser.parse_args()
    troupe, engine_runs = os.path.abspath(arguments.troupe), os.path.abspath(arguments.engine_runs)
    until = time.monotonic() + arguments.minutes * 60
    total, failed, seed = collections.Counter(), 0, arguments.first
    while time.monotonic() < until if arguments.minutes else seed < arguments.first + arguments.lives:
        folder = tempfile.mkdtemp(prefix="troupe-many-")
        try:
            total += Life(troupe, engine_runs, seed, folder).play()
        except Exception as problem:  # pylint: disable=broad-except
            failed += 1
            print(f"life {seed}: {type(problem).__name__}: {problem}\n  left in {folder}", flush=True)
        else:
            os.chdir("/")
            shutil.rmtree(folder)
        total["lives"] += 1
        seed += 1
    print(", ".join(f"{count} {what}" for what, count in sorted(total.items())))
    print(f"{total['lives'] - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
