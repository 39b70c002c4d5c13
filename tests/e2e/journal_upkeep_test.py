#!/usr/bin/env python3
"""`journal rebuild` and `journal compact` from outside: what is true stays true byte for byte, whoever reads meanwhile (what kills
them: journal_kills_test.py); damage through the real program; how many bytes a run costs. Knows the CLI, and where the journal lies."""
import os
import random
import re
import shutil
import subprocess
import sys
import threading

import harness
from harness import Skip, contains, equal, finish

VERBS = (("journal", "rebuild"), ("journal", "compact"))


def build(shop, runs=3, keep=2, name="test"):
    """A small pipeline with some runs behind it, one of them failed; returns with all but one asset fresh."""
    shop.write("in.txt", "1\n2\n3\n")
    shop.pipeline({
        "sum": {"command": "awk '{ s += $1 } END { print s }' in.txt > sum.txt", "inputs": ["in.txt"], "outputs": ["sum.txt"]},
        "copy": {"command": "cp sum.txt copy.txt; echo copied", "inputs": ["sum.txt"], "outputs": ["copy.txt"]},
        "maybe": {"command": "test ! -e broken", "deps": ["copy"]},
    }, name=name, engine={"keep_runs": keep, "workers": 1})
    for run in range(runs):
        shop.write("in.txt", f"{run}\n2\n")
        shop.run()
    shop.write("broken", "x")
    shop.run("--force", "maybe", status=1)


def truth(shop, *more):
    """What is true now: the documents of status and plan, and of all runs that are kept."""
    documents = [shop.troupe(verb, "--json", *more).must(0).text for verb in ("status", "plan")]
    for run in shop.troupe("runs", "--json", "--limit", "0", *more).must(0).json()["runs"]:
        documents.append(shop.troupe("show", str(run["number"]), "--json", *more).must(0).text)
    return documents


def now(shop):
    return [shop.troupe(verb, "--json").must(0).text for verb in ("status", "plan")]


def verified(shop):
    document = shop.troupe("journal", "verify", "--json").must(0).json()
    equal((document["ok"], document["problems"]), (True, []))
    return document


# ---- what they do ------------------------------------------------------------------------------------------------------

def a_rebuild_changes_nothing_that_is_true(shop):
    build(shop)
    before, dump = truth(shop), shop.troupe("journal", "dump").must(0).text
    done = shop.troupe("journal", "rebuild", "--json").must(0).json()
    equal((done["differences"], done["complete"], done["format"]), ([], True, 1))
    equal(done["events"], len(dump.splitlines()))
    equal(truth(shop), before)
    equal(shop.troupe("journal", "dump").must(0).text, dump)
    contains(shop.troupe("journal", "rebuild").must(0).text, "nothing was otherwise before")
    equal(shop.run(status=1)["counts"], {"failed": 1, "fresh": 2})


def compacting_changes_nothing_that_is_true_and_shrinks_the_file(shop):
    build(shop, runs=8, keep=1000)
    shop.write("troupe.json", shop.read("troupe.json").replace("1000", "3"))
    before = now(shop)
    logs = len(os.listdir(shop.path(".troupe/logs")))
    done = shop.troupe("journal", "compact", "--json").must(0).json()
    assert done["bytes_after"] < done["bytes_before"], done
    equal(os.path.getsize(shop.path(".troupe/journal.mdb")), done["bytes_after"])
    assert done["events_dropped"] > 0, done
    equal(done["runs_dropped"], 6)
    equal(len(shop.troupe("runs", "--json", "--limit", "0").must(0).json()["runs"]), 3)
    equal(done["logs_dropped"], logs - len(os.listdir(shop.path(".troupe/logs"))))
    equal(now(shop), before)
    again = truth(shop)
    contains(shop.troupe("journal", "compact").must(0).text, "dropped 0 runs with 0 events")
    equal(truth(shop), again)
    equal(shop.run(status=1)["counts"], {"failed": 1, "fresh": 2})


def compacting_keeps_what_each_pipeline_of_a_state_asks_for(shop):
    for name, keep in (("one", 1), ("two", 2)):
        shop.pipeline({"a": {"command": "true"}}, name=name, file=f"{name}.json", engine={"keep_runs": 1000, "state_dir": "state"})
    for name in ("two", "two", "two", "one", "one", "one"):
        shop.troupe("run", "--force", "-f", f"{name}.json").must(0)
    for name, keep in (("one", 1), ("two", 2)):
        shop.write(f"{name}.json", shop.read(f"{name}.json").replace("1000", str(keep)))
    left = lambda: [run["number"] for run in shop.troupe("runs", "--json", "--state", "state", "--limit", "0").must(0).json()["runs"]]
    shop.troupe("journal", "compact", "-f", "one.json").must(0)
    equal(left(), [6, 5, 4, 3, 2, 1])       # of the other nothing is known but that its runs are few
    shop.troupe("journal", "compact", "one.json", "two.json").must(0)
    equal(left(), [6, 5, 4, 3, 2])          # two.json keeps its last two, and with them all that came after
    shop.pipeline({"a": {"command": "true"}}, name="three", file="three.json")
    contains(shop.troupe("journal", "compact", "one.json", "three.json").must(2).errors, "keeps its state in")
    contains(shop.troupe("journal", "compact", "one.json", "nowhere.json").must(2).errors, "nowhere.json")
    equal(left(), [6, 5, 4, 3, 2])


def both_need_a_state_and_its_lock(shop):
    shop.pipeline({"a": {"command": "touch started; sleep 60", "timeout": "90s"}})
    for verb in VERBS:
        contains(shop.troupe(*verb).must(0).text, "there is no state yet")
        assert not shop.exists(".troupe"), "a state was made"
    run = shop.start("run")
    shop.wait_for(lambda: shop.exists("started"), "the command runs")
    for verb in VERBS:
        contains(shop.troupe(*verb).must(3).errors, "is in use by process")
    shop.troupe("cancel").must(0)
    finish(run)
    for verb in VERBS:
        shop.troupe(*verb).must(0)
        contains(shop.troupe(*verb, "--help").must(0).text, "Examples:")
    shop.troupe("journal", "rebuild", "--drop-histroy").must(2)


def an_interrupted_run_is_resumed_after_both(shop):
    shop.pipeline({"first": {"command": "echo x >> first.txt"},
                   "second": {"command": "test -e go || { touch started; sleep 60; }", "deps": ["first"]}},
                  engine={"grace_period": "1s", "durability": "strict"})     # what succeeded is on disk before the next one starts
    run = shop.start("run")
    shop.wait_for(lambda: shop.exists("started"), "the command runs")
    run.kill()
    run.wait()
    before = truth(shop)
    for verb in VERBS:
        shop.troupe(*verb).must(0)
        equal(truth(shop), before)
    shop.write("go", "")
    equal(shop.troupe("resume", "--json").must(0).json()["status"], "succeeded")
    equal(shop.lines("first.txt"), ["x"])


# ---- beside readers ----------------------------------------------------------------------------------------------------

def a_reader_in_the_middle_of_the_old_journal_reads_it_to_its_end(shop):
    shop.pipeline({"many": {"matrix": {"n": [str(n) for n in range(80)]}, "command": "echo {{ matrix.n }}"}}, engine={"keep_runs": 3})
    for _ in range(4):
        shop.run("--force")
    shop.write("troupe.json", shop.read("troupe.json").replace('"keep_runs": 3', '"keep_runs": 2'))
    whole = shop.troupe("journal", "dump").must(0).text
    assert len(whole) > 2 * 65536, "too little for a reader that a pipe holds up"
    for verb in VERBS:
        whole = shop.troupe("journal", "dump").must(0).text
        reader = shop.start("journal", "dump")      # stops when its pipe is full
        first = os.read(reader.stdout.fileno(), 1).decode()
        shop.troupe(*verb).must(0)
        rest = finish(reader).must(0).text
        equal(first + rest == whole, True)


def readers_meanwhile_see_what_is_true(shop):
    build(shop)
    before, wrong, ends = now(shop), [], threading.Event()

    def look():
        while not ends.is_set():
            for verb in ("status", "plan"):
                seen = shop.troupe(verb, "--json")
                if seen.status != 0 or seen.text not in before:
                    wrong.append((verb, seen.status, seen.text[-300:], seen.errors[-500:]))
            found = shop.troupe("journal", "verify")
            if found.status != 0:
                wrong.append(("verify", found.status, found.text[-300:], found.errors[-500:]))

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(12):
        for verb in VERBS:
            shop.troupe(*verb).must(0)
    ends.set()
    for reader in readers:
        reader.join()
    equal(wrong, [])


# ---- damage, through the program ---------------------------------------------------------------------------------------

def damage_is_harmless_or_named_and_refused(shop):
    build(shop)
    looks = (("status", "--json"), ("runs", "--json"), ("journal", "dump"), ("show", "latest", "--json"), ("logs", "copy"))
    truths = {look: shop.troupe(*look).must(0).text for look in looks}
    with open(shop.path(".troupe/journal.mdb"), "rb") as file:
        sound = file.read()
    chance = random.Random(4711)
    seen = {"harmless": 0, "named": 0}
    for round_ in range(60):
        bytes_ = bytearray(sound)
        if round_ % 6 == 0:
            at = chance.randrange(len(sound) + 1)
            del bytes_[at:]
        else:
            at = chance.randrange(len(sound) // 4096) * 4096 + chance.randrange(96 if round_ % 2 else 4096)
            bytes_[at] ^= 0xFF if round_ % 3 else 1 << chance.randrange(8)
        with open(shop.path(".troupe/journal.mdb"), "wb") as file:
            file.write(bytes_)
        place = f"round {round_}, byte {at}"
        found = shop.troupe("journal", "verify", "--json")
        assert found.status in (0, 3), (place, found.status, found.errors)
        for look in looks:
            got = shop.troupe(*look)
            assert got.status in ((0,) if found.status == 0 else (0, 3)), (place, look, got.status, got.errors)
            if got.status == 0:
                equal((place, look, got.text), (place, look, truths[look]))
        ran = shop.troupe("run", "--json")
        of_definitions = found.status != 0 and all("definition" in one for one in found.json()["problems"])
        if of_definitions and ran.status != 3:  # it used none: it is right, and hides nothing
            equal((place, ran.json()["counts"]), (place, {"failed": 1, "fresh": 2}))
            equal((place, shop.troupe("journal", "verify").status), (place, 3))
        elif found.status == 0:
            seen["harmless"] += 1
            equal((place, ran.json()["counts"]), (place, {"failed": 1, "fresh": 2}))
        else:
            seen["named"] += 1
            equal((place, ran.status), (place, 3))
            contains(ran.errors, "error: state ", "start anew")
            with open(shop.path(".troupe/journal.mdb"), "rb") as file:
                equal((place, file.read() == bytes(bytes_)), (place, True))
    assert min(seen.values()) > 3, seen
    with open(shop.path(".troupe/journal.mdb"), "wb") as file:
        file.write(sound)


def a_projection_that_is_damaged_is_made_again_by_a_rebuild(shop):
    build(shop)
    before = truth(shop)
    with open(shop.path(".troupe/journal.mdb"), "r+b") as file:
        bytes_ = file.read()
        at = [m.start() for m in re.finditer(rb"test/(sum|copy|maybe)", bytes_)]
        for place in at:
            file.seek(place)
            file.write(b"T")
    problems = shop.troupe("journal", "verify", "--json").must(3).json()["problems"]
    assert any("asset name" in p or "event" in p for p in problems), problems
    refused = shop.troupe("run").must(3)
    contains(refused.errors, "troupe journal rebuild")
    done = shop.troupe("journal", "rebuild", "--json")
    if done.status == 3:        # the names are in the events too, until these have been dropped
        contains(done.errors, "--drop-history")
    else:
        assert done.json()["differences"], done.text
        equal(truth(shop), before)
    with open(shop.path(".troupe/journal.mdb"), "wb") as file:
        file.write(bytes_)


# ---- size --------------------------------------------------------------------------------------------------------------

def a_run_beyond_the_first_costs_at_most_250_bytes_of_journal_an_asset(shop):
    assets = 200
    shop.pipeline({f"asset_number_{n}": {"command": f"cat in.txt > out/{n}.txt", "inputs": ["in.txt"], "outputs": [f"out/{n}.txt"]} for n in range(assets)})
    sizes = []
    for run in range(8):        # the second makes room for pages that are written anew while the old are still read, which the others use
        shop.write("in.txt", f"{run}\n")
        equal(shop.run()["counts"], {"succeeded": assets})
        stats = shop.troupe("journal", "stats", "--json").must(0).json()
        sizes.append((stats["tables"]["events"]["bytes"], stats["pages"] * stats["page_bytes"]))
    for run in range(1, len(sizes)):
        grown = (sizes[run][0] - sizes[run - 1][0]) / assets
        print(f"        run {run + 1}: {grown:.0f} bytes of events an asset, the file grew by {(sizes[run][1] - sizes[run - 1][1]) / assets:.0f}")
        assert grown <= 250, grown
    assert (sizes[-1][1] - sizes[0][1]) / assets / (len(sizes) - 1) <= 250, sizes


if __name__ == "__main__":
    TESTS = [value for name, value in list(globals().items()) if callable(value) and getattr(value, "__module__", "") == "__main__"
             and name not in ("build", "truth", "now", "verified")]
    sys.exit(harness.main(TESTS, sys.argv[1:]))
