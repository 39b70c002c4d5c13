#!/usr/bin/env python3
"""The result of incremental runs equals the result of a clean run: random lives of random pipelines, with edits, branches, and runs that are
killed, stopped, or of a part only.

usage: incremental_test.py TROUPE [--seeds N | --minutes N] [--first S] [--seed S]      one seed is one life: repeat a failure with --seed

After each step a run has to succeed, to do what the plan said, to leave what a clean run makes, and to leave nothing to do. incremental_life.py
has the pipelines and what happens to them; this file knows the command line only.
"""
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

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from incremental_life import World

TIMEOUT_S = 120
STEPS = 8
CERTAIN = {"never_materialized", "version_changed", "output_missing", "last_attempt_failed"}    # no other asset can undo them


class Life:
    def __init__(self, troupe, seed, groups):
        self.troupe_path, self.chance = troupe, random.Random(seed)
        self.top = tempfile.mkdtemp(prefix="troupe-incremental-")
        self.world = World(os.path.join(self.top, "work"), self.chance, groups)
        self.history = []
        self.counts = collections.Counter()
        self.before = {}                              # what was there, by path, when a run began that did not end well
        self.usual_s = 0.2                            # how long a run takes that has something to do
        self.left_running = False                     # commands of a killed run may still be running

    # ---- Troupe ----
    def start(self, *arguments):
        self.save(self.world.folder)
        return subprocess.Popen([self.troupe_path, *arguments], cwd=self.world.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def troupe(self, *arguments, folder=None):
        folder = folder or self.world.folder
        self.save(folder)
        return subprocess.run([self.troupe_path, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)

    def save(self, folder):
        text = json.dumps(self.world.document(folder), indent=1)
        path = os.path.join(folder, "troupe.json")
        if not os.path.exists(path) or open(path, encoding="ascii").read() != text:
            with open(path, "w", encoding="ascii") as file:
                file.write(text)

    def run(self):
        return self.troupe("run", "--json", "--workers", str(self.chance.randrange(1, 5)))

    def newest(self):
        done = self.troupe("runs", "--json", "--limit", "1")
        runs = json.loads(done.stdout)["runs"] if done.returncode == 0 else []
        return (runs[0]["number"], runs[0]["status"]) if runs else (0, "none")

    # ---- what has to be true ----
    def clean(self):
        clean = os.path.join(self.top, "clean", "work")
        shutil.rmtree(os.path.dirname(clean), ignore_errors=True)
        os.makedirs(clean)
        self.world.copy_sources(clean)
        done = self.troupe("run", folder=clean)
        assert done.returncode == 0, f"the clean run failed: {done.stdout}{done.stderr}"
        return self.world.results(clean)

    def judged(self):
        """A run that is left alone."""
        self.world.forget_unfinished(self.before)
        planned = self.troupe("plan", "--json")
        assert planned.returncode == 0, f"plan: exit status {planned.returncode}: {planned.stdout}{planned.stderr}"
        began = time.monotonic()
        done = self.run()
        if done.returncode == 1 and "troupe clean --orphans" in done.stdout + done.stderr:
            self.counts["orphans refused"] += 1
            cleaned = self.troupe("clean", "--orphans", "--yes")
            assert cleaned.returncode == 0, f"clean: exit status {cleaned.returncode}: {cleaned.stdout}{cleaned.stderr}"
            planned = self.troupe("plan", "--json")
            done = self.run()
        assert done.returncode == 0, f"exit status {done.returncode}: {done.stdout}{done.stderr}"
        told = {name: asset["status"] for name, asset in json.loads(done.stdout)["assets"].items()}
        if any(status == "succeeded" for status in told.values()):
            self.usual_s = time.monotonic() - began
        for name, asset in json.loads(planned.stdout)["assets"].items():
            certain = asset["action"] == "run" and CERTAIN & {reason["kind"] for reason in asset["reasons"]}
            wanted = ("succeeded",) if certain else ("fresh",) if asset["action"] == "fresh" else ("succeeded", "fresh")
            if self.left_running:  # commands of a killed run make files until the next run ends them: after the plan, too
                wanted = ("succeeded", "fresh")
            assert told[name] in wanted, f"{name}: the plan said {asset}, and it {told[name]}"
        self.left_running = False
        self.settled(done)
        self.before = self.world.in_globbed_folders()

    def settled(self, done):
        """What was made is what a clean run makes, and there is nothing to do."""
        wanted, got = self.clean(), self.world.results(self.world.folder)
        differs = {path: (got.get(path), wanted.get(path)) for path in {*got, *wanted} if got.get(path) != wanted.get(path)}
        assert not differs, f"(incremental, clean): {differs}\n{done.stdout}{done.stderr}"
        again = self.troupe("run")
        assert "all fresh" in again.stdout, f"not settled: {again.stdout}{again.stderr}"

    # ---- what happens ----
    def edits(self, most=3):
        for _ in range(self.chance.randrange(1, most + 1)):
            if self.chance.random() < 0.12:
                to, how = self.chance.randrange(3), self.chance.choice(["differing", "all", "times"])
                self.world.switch(to, how)
                self.history.append(f"branch {to}, {how}")
                self.counts["branches"] += 1
            else:
                self.history.append(self.world.edit())

    def ended_early(self):
        """A run that is killed or stopped at a random moment, and what people do then."""
        how = self.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, "cancel"])
        before = self.newest()[0]
        process = self.start("run", "--workers", "2")
        time.sleep(self.chance.uniform(0, 1.1 * self.usual_s))
        if how == "cancel":
            self.troupe("cancel")
        else:
            process.send_signal(how)
        process.wait(TIMEOUT_S)
        self.left_running = how == signal.SIGKILL
        number, status = self.newest()
        self.history.append(f"{how} of run {number}, {status}")
        self.counts[f"{getattr(how, 'name', how)}, {status if number != before else 'before it began'}"] += 1
        if number == before or status == "succeeded":
            return
        then = self.chance.choice(["resume", "resume", "edit", "edit, resume", "run"])
        self.history.append(then)
        if "edit" in then:
            self.edits(2)
        if "resume" in then:
            done = self.troupe("resume")
            self.left_running = False
            self.history[-1] += f": {done.returncode}"
            assert done.returncode == 0 or "edit" in then or "troupe clean --orphans" in done.stdout + done.stderr or os.path.exists(self.world.path("fail")), (
                f"resume: exit status {done.returncode}: {done.stdout}{done.stderr}")
            if done.returncode == 0 and "edit" not in then:
                self.settled(done)

    def of_a_part(self):
        """A run of some assets only, or of one whatever its freshness. It need not work out."""
        name = self.chance.choice(sorted(self.world.document(self.world.folder)["assets"]))
        arguments = self.chance.choice([[name], ["--only", name], ["--exclude", name], ["--force", name], ["--only", name, "--force", name]])
        done = self.troupe("run", *arguments)
        self.history.append(f"run {' '.join(arguments)}: {done.returncode}")
        assert done.returncode in (0, 1, 2), f"exit status {done.returncode}: {done.stdout}{done.stderr}"

    def fails(self):
        self.world.write("fail", "")
        done = self.run()
        self.history.append(f"run that may fail: {done.returncode}")
        assert done.returncode in (0, 1), f"exit status {done.returncode}: {done.stdout}{done.stderr}"
        if self.chance.randrange(2):
            self.edits(2)
        os.unlink(self.world.path("fail"))

    def moves(self):
        to = os.path.join(self.top, "moved" if os.path.basename(self.world.folder) == "work" else "work")
        self.history.append("moved")
        os.rename(self.world.folder, to)
        self.world.folder = to

    def live(self):
        if self.chance.random() < 0.4:
            self.ended_early()
        self.judged()
        for _ in range(STEPS):
            self.edits()
            what = self.chance.choices([None, self.ended_early, self.of_a_part, self.fails, self.moves], [45, 35, 10, 7, 3])[0]
            if what:
                what()
            self.history.append("judged")
            self.judged()
            self.counts["steps"] += 1

    def end(self):
        shutil.rmtree(self.top, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("troupe", type=os.path.abspath)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--groups", nargs="*", help="which groups of assets each pipeline has; random if none is named")
    parser.add_argument("--until-failure", action="store_true", help="end with the first life that fails")
    arguments = parser.parse_args()
    until = time.monotonic() + (arguments.minutes or 0) * 60
    passed = failed = 0
    counts = collections.Counter()
    seed = arguments.seed or arguments.first
    while True:
        life = Life(arguments.troupe, seed, arguments.groups)
        try:
            life.live()
            passed += 1
        except Exception as wrong:  # whatever it is: tell what led there
            failed += 1
            print(f"FAILED  seed {seed}, after {life.history}: {wrong if isinstance(wrong, AssertionError) else traceback.format_exc()}", flush=True)
        finally:
            counts += life.counts
            life.end()
        seed += 1
        if arguments.seed or (failed and arguments.until_failure) or (time.monotonic() >= until if arguments.minutes else passed + failed >= arguments.seeds):
            break
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
