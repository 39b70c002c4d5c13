#!/usr/bin/env python3
"""Several commands on one state at once: writers that race for it, readers beside a writer, readers that are killed. Knows the CLI only.
usage: concurrency_test.py TROUPE [NAME...]"""
import contextlib
import os
import random
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness  # noqa: E402
from harness import contains, equal, finish, main  # noqa: E402

WRITERS = 12
RUNS = 15
KILLS = 200


def alone(command):
    """A command that fails if another that is `alone` runs at the same time."""
    return f"mkdir held && {command} && rmdir held"


def racing_writers(shop):
    """One at a time has the state, from its making on; the others are told at once who that is."""
    shop.pipeline({"a": {"command": alone("echo x >> ran && sleep 0.03"), "always": True}})
    won = 0
    for _ in range(4):
        writers = [shop.start("run", "--json") for _ in range(WRITERS)]
        pids = {writer.pid for writer in writers}
        ended = [finish(writer) for writer in writers]
        for result in ended:
            assert result.status in (0, 3), f"exit status {result.status}: {result.errors}"
            if result.status == 3:
                told = re.search(r"is in use by process (\d+) \((.*?)\), since ", result.errors)
                assert told, f"not told who holds it: {result.errors}"
                assert int(told[1]) in pids, f"told of process {told[1]}, which is none of {sorted(pids)}"
                contains(told[2], "run")
                equal(result.json()["error"]["code"], "state_locked")
        assert any(result.status == 0 for result in ended), "nobody got the state"
        won += sum(result.status == 0 for result in ended)
    equal(len(shop.lines("ran")), won)
    runs = shop.troupe("runs", "--json").must(0).json()["runs"]
    equal([run["number"] for run in runs], list(range(won, 0, -1)))
    equal({run["status"] for run in runs}, {"succeeded"})


def whoever_comes_second_is_told(shop):
    """Every verb that writes is refused while another has the state, and changes nothing."""
    shop.pipeline({"bad": {"command": "exit 1"}})
    shop.troupe("run").must(1)
    shop.pipeline({"bad": {"command": "exit 1"}, "slow": {"command": "echo $$ > slow.pid; sleep 60"}}, name="other", file="other.json", engine={"state_dir": ".troupe"})
    writer = shop.start("run", "-f", "other.json", "slow")
    shop.wait_for_file("slow.pid")
    for arguments in (["run"], ["run", "-f", "other.json"], ["resume", "1"], ["run", "--only", "bad"]):
        result = shop.troupe(*arguments).must(3)
        contains(result.errors, f"is in use by process {writer.pid} (", "(troupe run)")
    shop.troupe("cancel").must(0)
    finish(writer).must(1)
    equal([run["status"] for run in shop.troupe("runs", "--json").json()["runs"]], ["cancelled", "failed"])


class Readers:
    """Commands in loops, each in a thread; what any of them finds wrong is raised at the end."""

    def __init__(self, shop):
        self.shop, self.over, self.threads, self.wrong, self.looks = shop, threading.Event(), [], [], {}

    def loop(self, *arguments, check=None):
        def work():
            while not self.over.is_set() and not self.wrong:
                try:
                    result = self.shop.troupe(*arguments).must(0)
                    if check is not None:
                        check(result.json() if "--json" in arguments else result.text)
                    self.looks[arguments] = self.looks.get(arguments, 0) + 1
                except Exception as why:  # whatever it is: it ends the test
                    self.wrong.append(f"troupe {' '.join(arguments)}: {why!r}")
        self.threads.append(threading.Thread(target=work))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[0]


def whole(count):
    """Checks of documents: each has to be true of some one moment."""
    final = {"succeeded", "fresh", "failed", "blocked", "cancelled"}

    def runs(document):
        numbers = [run["number"] for run in document["runs"]]
        equal(numbers, sorted(set(numbers), reverse=True))
        for i, run in enumerate(document["runs"]):
            if run["finished_at"] is None:
                equal((i, run["status"]), (0, "running"))
            else:
                equal((run["status"], sum(run["counts"].values())), ("failed", count))

    def show(document):
        found = {}
        for asset in document["assets"].values():
            found[asset["status"]] = found.get(asset["status"], 0) + 1
        equal({k: n for k, n in document["counts"].items() if n}, found)
        equal(len(document["assets"]), count)
        over = document["finished_at"] is not None
        equal(document["status"], "failed" if over else "running")
        assert not over or set(found) <= final, found
        for name, asset in document["assets"].items():
            assert asset["status"] not in ("succeeded", "failed", "running") or asset["attempts"] >= 1, (name, asset)
            assert asset["status"] != "failed" or asset["exit_code"] == 3, (name, asset)
            assert asset["status"] != "succeeded" or not asset["exit_code"], (name, asset)

    def verify(document):
        equal((document["ok"], document["problems"]), (True, []))

    def status(document):
        equal(len(document["assets"]), count)
        for name, asset in document["assets"].items():
            assert asset["fresh"] != bool(asset["reasons"]), (name, asset)

    def plan(document):
        equal(sorted(document["order"]), sorted(document["assets"]))
        equal(len(document["order"]), count)
        assert document["order"].index("join") > document["order"].index("part[1]")

    return {"runs": runs, "show": show, "verify": verify, "status": status, "plan": plan}


def readers_beside_a_writer(shop):
    """During runs, between them, and while retention drops old ones: no error, no lock, nothing that was never true."""
    shop.write("in.txt", "")
    parts = [str(n) for n in range(1, 9)]
    assets = {"part": {"matrix": {"n": parts}, "command": "echo {{ matrix.n }}; cat in.txt > part.{{ matrix.n }}", "inputs": ["in.txt"], "outputs": ["part.{{ matrix.n }}"]},
              "join": {"command": "cat part.* | wc", "deps": ["part"], "always": True},
              "bad": {"command": "echo no; exit 3", "retry": {"attempts": 2, "delay": "1ms"}},
              "never": {"command": "true", "deps": ["bad"]}}
    shop.pipeline(assets, engine={"workers": 2, "error_strategy": "continue", "keep_runs": 2})
    shop.troupe("run").must(1)
    check = whole(len(parts) + 3)
    readers = Readers(shop)
    readers.loop("runs", "--json", check=check["runs"])
    readers.loop("show", "latest", "--json", check=check["show"])
    readers.loop("journal", "verify", "--json", check=check["verify"])
    readers.loop("status", "--json", check=check["status"])
    readers.loop("plan", "--json", check=check["plan"])
    readers.loop("logs", "part[1]", check=lambda text: equal(text in ("", "1\n"), True))   # an attempt that has just begun wrote nothing yet
    readers.loop("logs", "bad", "--follow", check=lambda text: equal(text, "no\n"))
    with readers:
        for n in range(RUNS):
            shop.write("in.txt", f"{n}\n")
            # The status says too that no reader took the lock: a writer that met it would end with 3.
            shop.troupe("run").must(1)
            if readers.wrong:
                break
    equal(len(readers.looks), 7)
    runs = shop.troupe("runs", "--json").must(0).json()["runs"]
    equal(runs[0]["number"], RUNS + 1)
    assert len(runs) < 10, f"{len(runs)} runs are kept, and two were asked for"
    stats = shop.troupe("journal", "stats", "--json").must(0).json()
    assert stats["file_bytes"] < 4_000_000, f"readers kept old pages alive: {stats['file_bytes']} bytes"


def killed_readers(shop):
    """Readers that are killed at any moment, more than once with a snapshot in hand, cost the others nothing."""
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    shop.pipeline({"a": {"matrix": {"n": [str(n) for n in range(40)]}, "command": "true"}})
    shop.troupe("run").must(0)
    shop.pipeline({"slow": {"command": "echo $$ > slow.pid; sleep 60"}}, name="other", file="other.json")
    writer = shop.start("run", "-f", "other.json")
    shop.wait_for_file("slow.pid")
    try:
        for _ in range(KILLS):
            verb = chance.choice((["journal", "dump"], ["journal", "verify"], ["runs"], ["status"], ["plan"]))
            reader = subprocess.Popen([harness.TROUPE, *verb], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            time.sleep(chance.random() * 0.02)
            reader.kill()
            with contextlib.closing(reader.stdout):
                reader.wait()
        for verb in (["runs"], ["status"], ["journal", "verify"], ["plan"]):
            shop.troupe(*verb).must(0)
    except AssertionError:
        print(f"seed {seed}")
        raise
    finally:
        shop.troupe("cancel").must(0)
        finish(writer).must(1)
    shop.troupe("run").must(0)


TESTS = [racing_writers, whoever_comes_second_is_told, readers_beside_a_writer, killed_readers]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
