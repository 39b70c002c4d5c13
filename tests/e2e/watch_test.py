#!/usr/bin/env python3
"""`watch` triggers of `troupe serve`: every change counts once, whatever happens to files, folders and the supervisor; what changes nothing counts not at all. usage: watch_test.py TROUPE [NAME...]"""
import contextlib
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import harness
from harness import Skip, contains, equal, main
from serve_test import Supervisor
from triggers_test import events, tell, verify

REPORT = {"report": {"command": "cat inbox/*.csv 2>/dev/null | sort > report.txt || true", "inputs": ["inbox/*.csv"], "outputs": ["report.txt"]}}
COUNT = {"count": {"command": "echo x >> runs; touch count.out", "outputs": ["count.out"], "always": True}}


def keep_history(shop):
    """A first run: what comes after the oldest run is kept."""
    shop.pipeline({"a": {"command": "touch a.out", "outputs": ["a.out"]}}, name="first", file="first.json")
    tell(shop, "run", "-f", "first.json", "--state", ".troupe")


def watching(shop, *paths, assets=None, more=None, **keys):
    if not shop.exists(".troupe"):
        keep_history(shop)
    shop.pipeline(assets or REPORT, triggers={"inbox": {"watch": {"paths": list(paths) or ["inbox/*.csv"], "settle": "100ms", **keys}, **(more or {})}})


def drop(shop, name, text="x\n"):
    """As a browser or rsync does it: under another name, then renamed."""
    shop.write(name + ".part", text)
    os.rename(shop.path(name + ".part"), shop.path(name))


@contextlib.contextmanager
def written_to(shop, name):
    """Something writes to a file all the while, a line every 20 ms."""
    over = threading.Event()

    def write():
        with open(shop.path(name), "a", encoding="ascii") as file:
            while not over.wait(0.02):
                file.write("line\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def notices(shop):
    """What the trigger took notice of, in order: (path, kind)."""
    lines = tell(shop, "journal", "dump").text.splitlines()
    return [(file["path"], file["kind"]) for line in lines for event in [json.loads(line)] if event["type"] == "files_watched" for file in event["files"]]


def known(shop):
    """The files that it has taken notice of, and that are not gone."""
    files = {}
    for path, kind in notices(shop):
        files[path] = kind
    return {path for path, kind in files.items() if kind != "absent"}


def on_disk(shop, pattern):
    return {os.path.relpath(path, shop.folder) for path in glob.glob(shop.path(pattern), recursive=True) if os.path.isfile(path)}


def watched(shop):
    """Events of files, oldest first."""
    return [one for one in events(shop) if one["kind"] == "watch"]


def ready(shop):
    shop.wait_for(lambda: '"files_watched"' in tell(shop, "journal", "dump").text, "the first look is on record")


def catches_up(shop, pattern="inbox/**/*.csv"):
    shop.wait_for(lambda: known(shop) == on_disk(shop, pattern), "all that is there was noticed")


def sentinel(shop, name="inbox/sentinel.csv"):
    """Something that counts; when it has, what came before it has been looked at, too."""
    drop(shop, name, str(random.random()))
    shop.wait_for(lambda: any(path == name for path, _ in notices(shop)), "the sentinel was noticed")


def a_file_that_is_dropped_into_a_folder_makes_the_report_new(shop):
    shop.write("inbox/old.csv", "old\n")
    watching(shop)
    with Supervisor(shop) as s:
        ready(shop)
        drop(shop, "inbox/new.csv", "new\n")
        shop.wait_for(lambda: shop.lines("report.txt") == ["new", "old"], "the report is new")
        one, = watched(shop)
        equal((one["trigger"], one["fate"]), ("inbox", "started"))
        os.remove(shop.path("inbox/old.csv"))
        shop.wait_for(lambda: shop.lines("report.txt") == ["new"], "the report is new again")
        equal(s.get("/api/v1/triggers")["triggers"]["test/inbox"]["degraded"], None)
        contains(s.get("/metrics"), "troupe_watched_files 1", "troupe_watch_polling 0")
        s.stop()
    verify(shop)


def what_changes_nothing_is_no_event(shop):
    shop.write("inbox/a.csv", "a\n")
    watching(shop, assets=COUNT)
    with Supervisor(shop) as s:
        ready(shop)
        path = shop.path("inbox/a.csv")
        os.utime(path)
        os.chmod(path, 0o600)
        shop.write("inbox/a.csv", "a\n")         # the same bytes
        drop(shop, "inbox/a.csv", "a\n")         # and once more, as another file
        for ignored in ("inbox/.hidden.csv", "inbox/b.csv~", "inbox/b.csv.part", "inbox/c.txt", "inbox/.#a.csv"):
            shop.write(ignored, "x")
        time.sleep(0.5)                          # five times the time to settle
        sentinel(shop)
        equal([path for path, _ in notices(shop)], ["inbox/a.csv", "inbox/sentinel.csv"])
        equal(len(watched(shop)), 1)
        s.stop()
    verify(shop)


def saves_of_editors_each_count_and_a_half_written_file_does_not(shop):
    shop.write("inbox/a.csv", "0")
    watching(shop, assets=COUNT, settle="600ms")
    with Supervisor(shop) as s:
        ready(shop)
        for number in range(1, 4):
            drop(shop, "inbox/a.csv", str(number))
            shop.wait_for(lambda n=number: len([1 for path, _ in notices(shop) if path == "inbox/a.csv"]) == 1 + n, "the save counts")
        with written_to(shop, "inbox/slow.csv"):
            time.sleep(0.8)                      # more than the time to settle
            assert "inbox/slow.csv" not in known(shop)
        shop.wait_for(lambda: "inbox/slow.csv" in known(shop), "it counts when it is closed")
        equal(len([1 for path, _ in notices(shop) if path == "inbox/slow.csv"]), 1)
        s.stop()
    verify(shop)


def folders_appear_move_and_go(shop):
    os.makedirs(shop.path("inbox"))
    watching(shop, "inbox/**/*.csv", assets=COUNT)
    with Supervisor(shop) as s:
        ready(shop)
        for number in range(20):                 # mkdir -p a/b && touch a/b/c
            shop.write(f"inbox/new{number}/deep/er/c.csv", "x")
        catches_up(shop)
        shop.write("elsewhere/tree/1/a.csv", "1")
        shop.write("elsewhere/tree/2/b.csv", "2")
        os.rename(shop.path("elsewhere/tree"), shop.path("inbox/tree"))
        catches_up(shop)
        shop.write("inbox/tree/1/later.csv", "3")
        catches_up(shop)
        os.rename(shop.path("inbox/tree"), shop.path("inbox/moved"))
        catches_up(shop)
        shop.write("inbox/moved/2/later.csv", "4")
        catches_up(shop)
        os.rename(shop.path("inbox/moved"), shop.path("elsewhere/out"))
        catches_up(shop)
        shop.write("elsewhere/out/1/unseen.csv", "5")
        shutil.rmtree(shop.path("inbox/new3"))
        catches_up(shop)
        shutil.rmtree(shop.path("inbox"))        # the root itself
        catches_up(shop)
        equal(known(shop), set())
        shop.write("inbox/back/again.csv", "6")
        catches_up(shop)
        os.rename(shop.path("inbox"), shop.path("gone"))
        shop.write("inbox/other/new.csv", "7")
        catches_up(shop)
        shop.write("inbox/other/newer.csv", "8")
        catches_up(shop)
        equal(known(shop), {"inbox/other/new.csv", "inbox/other/newer.csv"})
        s.stop()
    verify(shop)


def a_folder_that_is_not_there_yet_is_waited_for(shop):
    watching(shop, "data/in/box/*.csv", assets=COUNT)
    with Supervisor(shop) as s:
        ready(shop)
        shop.write("data/in/box/a.csv", "x")
        catches_up(shop, "data/in/box/*.csv")
        equal(len(watched(shop)), 1)
        s.stop()
    verify(shop)


def thousands_of_files_at_once_all_count_once(shop):
    os.makedirs(shop.path("inbox"))
    watching(shop, "inbox/**/*.csv", assets=COUNT)
    with Supervisor(shop) as s:
        ready(shop)
        for number in range(3000):
            shop.write(f"inbox/{number % 7}/{number}.csv", str(number))
        catches_up(shop)
        equal(len(notices(shop)), 3000)
        s.stop()
    verify(shop)


def when_changes_come_faster_than_they_are_read_nothing_is_lost(shop):
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        most = int(file.read())
    if most > 50_000:
        raise Skip(f"the system queues {most} changes")
    os.makedirs(shop.path("inbox"))
    watching(shop, "inbox/**/*.csv", assets=COUNT)
    with Supervisor(shop) as s:
        ready(shop)
        s.process.send_signal(signal.SIGSTOP)
        for number in range(most // 3 + 500):
            with open(shop.path(f"inbox/{number}.csv"), "w", encoding="ascii") as file: # made, written, closed
                file.write("x")
        shop.write("inbox/late/late.csv", "x")
        s.process.send_signal(signal.SIGCONT)
        catches_up(shop)
        contains(s.get("/metrics"), "troupe_watch_overflows_total 1")
        equal(len(notices(shop)), most // 3 + 501)
        s.stop()
    verify(shop)


def a_kill_between_a_change_and_its_event_loses_nothing_and_repeats_nothing(shop):
    os.makedirs(shop.path("inbox"))
    watching(shop, "inbox/**/*.csv", assets=COUNT)
    chance, number = random.Random(7), 0
    for round_number in range(6):
        with Supervisor(shop) as s:
            if round_number == 0:
                ready(shop)
            for _ in range(3):
                number += 1
                drop(shop, f"inbox/{number % 4}/{number}.csv", str(number))
                time.sleep(chance.choice((0, 0.05, 0.11, 0.2)))
            s.process.kill()
            s.process.wait(60)
        number += 1
        drop(shop, f"inbox/down/{number}.csv", str(number)) # nobody is there
    with Supervisor(shop) as s:
        catches_up(shop)
        s.stop()
    equal(sorted(path for path, _ in notices(shop)), sorted(on_disk(shop, "inbox/**/*.csv")))
    equal(len(known(shop)), number)
    verify(shop)
    tell(shop, "journal", "rebuild")
    equal(len(known(shop)), number)
    verify(shop)


def changes_while_nobody_watched_are_one_event(shop):
    shop.write("inbox/a.csv", "a")
    shop.write("inbox/b.csv", "b")
    watching(shop, assets=COUNT)
    with Supervisor(shop) as s:
        ready(shop)
        s.stop()
    shop.write("inbox/a.csv", "changed")
    os.remove(shop.path("inbox/b.csv"))
    shop.write("inbox/c.csv", "c")
    with Supervisor(shop) as s:
        catches_up(shop)
        s.stop()
    equal(len(watched(shop)), 1)
    with Supervisor(shop) as s:
        sentinel(shop)
        s.stop()
    equal(len(watched(shop)), 2)
    verify(shop)


def what_an_asset_makes_does_not_trigger_it_again(shop):
    """A watch of out/* where the asset writes out/x: at most one run."""
    shop.write("out/seed", "0")
    asset = {"x": {"command": "date +%s%N > out/x; echo x >> runs; sleep 0.3; date +%s%N >> out/x", "outputs": ["out/x"], "always": True}}
    watching(shop, "out/*", assets=asset, settle="0s")
    with Supervisor(shop) as s:
        ready(shop)
        shop.write("out/seed", "1")
        shop.wait_for(lambda: ("out/x", "file") in notices(shop), "the output was noticed")
        time.sleep(0.6)
        shop.write("out/seed", "2")
        shop.wait_for(lambda: len(watched(shop)) == 2, "a change by somebody else still counts")
        shop.wait_for(lambda: len(shop.lines("runs")) == 2, "it has run")
        time.sleep(0.6)
        equal((len(watched(shop)), len(shop.lines("runs"))), (2, 2))
        number = watched(shop)[-1]["run"]
        s.wait_for_end(number)
        shop.write("out/x", "somebody else's")   # an output that is not as its asset made it is a change
        shop.wait_for(lambda: len(watched(shop)) == 3, "what somebody else writes there counts")
        s.stop()
    verify(shop)


def an_empty_file_is_not_taken_for_an_empty_output(shop):
    """By their digest alone all empty files would be outputs."""
    os.makedirs(shop.path("in"))
    asset = {"x": {"command": "echo x >> runs; : > in/made", "outputs": ["in/made"], "always": True}}
    watching(shop, "in/*", assets=asset)
    with Supervisor(shop) as s:
        ready(shop)
        shop.write("in/empty1", "")
        shop.wait_for(lambda: len(watched(shop)) == 1 and "in/made" in known(shop), "it counts")
        shop.write("in/empty2", "")
        shop.wait_for(lambda: len(watched(shop)) == 2, "and so does the second one")
        s.stop()
    verify(shop)


def a_file_in_an_output_folder_is_the_assets_own(shop):
    asset = {"tree": {"command": "mkdir -p out/tree/sub; date +%N > out/tree/a; date +%N > out/tree/sub/b; echo x >> runs", "outputs": ["out/tree"], "always": True}}
    shop.write("out/seed", "0")
    watching(shop, "out/**", assets=asset)
    with Supervisor(shop) as s:
        ready(shop)
        shop.write("out/seed", "1")
        shop.wait_for(lambda: {"out/tree/a", "out/tree/sub/b"} <= known(shop), "the outputs were noticed")
        time.sleep(0.5)
        equal((len(watched(shop)), len(shop.lines("runs"))), (1, 1))
        s.stop()
    verify(shop)


def files_that_are_there_already_fire_only_if_asked(shop):
    shop.write("inbox/a.csv", "a")
    shop.write("inbox/b.csv", "b")
    watching(shop, assets=COUNT, existing="fire")
    with Supervisor(shop) as s:
        catches_up(shop)
        s.stop()
    equal(len(watched(shop)), 1)
    with Supervisor(shop) as s:
        sentinel(shop)
        s.stop()
    equal(len(watched(shop)), 2)
    verify(shop)


def what_changes_during_a_pause_does_not_count(shop):
    shop.write("inbox/a.csv", "a")
    watching(shop, assets=COUNT)
    with Supervisor(shop) as s:
        ready(shop)
        tell(shop, "triggers", "pause", "inbox")
        shop.write("inbox/a.csv", "changed")
        shop.write("inbox/b.csv", "b")
        time.sleep(0.4)
        tell(shop, "triggers", "resume", "inbox")
        catches_up(shop)
        equal(watched(shop), [])
        sentinel(shop)
        equal(len(watched(shop)), 1)
        s.stop()
    verify(shop)


def another_list_of_paths_begins_anew(shop):
    shop.write("inbox/a.csv", "a")
    shop.write("other/b.csv", "b")
    watching(shop, assets=COUNT)
    with Supervisor(shop) as s:
        ready(shop)
        watching(shop, "other/*.csv", assets=COUNT)
        s.process.send_signal(signal.SIGHUP)
        shop.wait_for(lambda: known(shop) == {"other/b.csv"}, "it watches other files")
        shop.write("inbox/a.csv", "not watched any more")
        sentinel(shop, "other/sentinel.csv")
        equal(len(watched(shop)), 1)
        s.stop()
    verify(shop)


def a_reload_in_the_middle_of_a_change_loses_nothing(shop):
    os.makedirs(shop.path("inbox"))
    watching(shop, assets=COUNT)
    with Supervisor(shop) as s:
        ready(shop)
        for number in range(30):
            drop(shop, f"inbox/{number}.csv", str(number))
            s.process.send_signal(signal.SIGHUP)
            time.sleep(0.03)
        catches_up(shop)
        equal(len(notices(shop)), 30)
        s.stop()
    verify(shop)


def what_finds_no_room_in_the_queue_waits(shop):
    gated = {"g": {"command": "echo x >> started; until test -e go; do sleep 0.01; done; touch g.out", "outputs": ["g.out"], "always": True}}
    watching(shop, assets=gated, more={"queue": {"bound": 1, "keep": "all"}})
    os.makedirs(shop.path("inbox"))
    with Supervisor(shop) as s:
        ready(shop)
        for name, event_count in (("a", 1), ("b", 2)):
            drop(shop, f"inbox/{name}.csv")
            shop.wait_for(lambda n=event_count: len(watched(shop)) == n, "it is taken in")
            shop.wait_for_file("started")
        drop(shop, "inbox/c.csv")
        shop.wait_for(lambda: s.get("/api/v1/triggers")["triggers"]["test/inbox"]["degraded"], "it waits")
        contains(s.get("/api/v1/triggers")["triggers"]["test/inbox"]["degraded"], "queue is full")
        equal(len(watched(shop)), 2)
        shop.write("go", "")
        shop.wait_for(lambda: len(watched(shop)) == 3, "there is room")
        catches_up(shop, "inbox/*.csv")
        shop.wait_for(lambda: s.get("/api/v1/triggers")["triggers"]["test/inbox"]["degraded"] is None, "all is well again")
        s.stop()
    verify(shop)


def a_file_that_never_settles_counts_in_the_end(shop):
    shop.write("inbox/log.csv", "0\n")
    watching(shop, assets=COUNT, settle="600ms", max_settle="1s")
    with Supervisor(shop) as s:
        ready(shop)
        with written_to(shop, "inbox/log.csv"):
            shop.wait_for(lambda: watched(shop), "it counts")
        contains(s.said(), "inbox/log.csv keeps changing")
        s.stop()
    verify(shop)


def a_folder_that_reports_no_changes_is_polled(shop):
    """An overlay in a mount namespace of the supervisor's own; files are changed by its name for them."""
    for folder in ("inbox", "lower", "upper", "work"):
        os.makedirs(shop.path(folder))
    watching(shop, assets=COUNT, poll="200ms")
    mount = "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work inbox"
    if subprocess.run(["unshare", "-m", "sh", "-c", mount], cwd=shop.folder, capture_output=True, check=False).returncode != 0:
        raise Skip("no overlay can be mounted here")
    program = shop.path("serve")
    shop.write("serve", f'#!/bin/sh\nexec unshare -m sh -c \'{mount} && exec "$0" "$@"\' "{harness.TROUPE}" "$@"\n', 0o755)
    real, harness.TROUPE = harness.TROUPE, program
    try:
        supervisor = Supervisor(shop)
    finally:
        harness.TROUPE = real
    with supervisor as s:
        ready(shop)
        contains(s.get("/api/v1/triggers")["triggers"]["test/inbox"]["degraded"], "overlay", "every 200ms")
        contains(json.dumps(s.get("/readyz")), "test/inbox", "overlay")
        contains(s.get("/metrics"), "troupe_watch_polling 1", "troupe_triggers_degraded 1")
        with open(f"/proc/{s.process.pid}/root{shop.path('inbox')}/a.csv", "w", encoding="ascii") as file:
            file.write("x")
        shop.wait_for(lambda: "inbox/a.csv" in known(shop), "it is found")
        equal(len(watched(shop)), 1)
        s.stop()
    verify(shop)


def a_system_without_watches_left_is_polled(shop):
    """One watch for all: a user namespace has a limit of its own."""
    if os.geteuid() != 0:
        raise Skip("in that namespace this user would be another one to the state")
    limit = "echo 1 > /proc/sys/user/max_inotify_watches"
    if subprocess.run(["unshare", "-U", "-r", "sh", "-c", limit], capture_output=True, check=False).returncode != 0:
        raise Skip("a user namespace cannot be given a limit here")
    for folder in ("inbox/a", "inbox/b"):
        os.makedirs(shop.path(folder))
    watching(shop, "inbox/**/*.csv", assets=COUNT, poll="200ms")
    program = shop.path("serve")
    shop.write("serve", f'#!/bin/sh\nexec unshare -U -r sh -c \'{limit} && exec "$0" "$@"\' "{harness.TROUPE}" "$@"\n', 0o755)
    real, harness.TROUPE = harness.TROUPE, program
    try:
        supervisor = Supervisor(shop)
    finally:
        harness.TROUPE = real
    with supervisor as s:
        ready(shop)
        shop.wait_for(lambda: s.get("/readyz")["degraded"], "it says so")
        contains(json.dumps(s.get("/readyz")["degraded"]), "test/inbox", "every 200ms")
        contains(s.get("/metrics"), "troupe_watch_polling 1", "troupe_triggers_degraded 1")
        drop(shop, "inbox/b/new.csv")
        shop.wait_for(lambda: "inbox/b/new.csv" in known(shop), "it is found all the same")
        equal(len(watched(shop)), 1)
        s.stop()
    verify(shop)


TESTS = [a_file_that_is_dropped_into_a_folder_makes_the_report_new, what_changes_nothing_is_no_event,
         saves_of_editors_each_count_and_a_half_written_file_does_not, folders_appear_move_and_go,
         a_folder_that_is_not_there_yet_is_waited_for, thousands_of_files_at_once_all_count_once,
         when_changes_come_faster_than_they_are_read_nothing_is_lost,
         a_kill_between_a_change_and_its_event_loses_nothing_and_repeats_nothing, changes_while_nobody_watched_are_one_event,
         what_an_asset_makes_does_not_trigger_it_again, an_empty_file_is_not_taken_for_an_empty_output,
         a_file_in_an_output_folder_is_the_assets_own, files_that_are_there_already_fire_only_if_asked,
         what_changes_during_a_pause_does_not_count, another_list_of_paths_begins_anew,
         a_reload_in_the_middle_of_a_change_loses_nothing, what_finds_no_room_in_the_queue_waits,
         a_file_that_never_settles_counts_in_the_end, a_folder_that_reports_no_changes_is_polled, a_system_without_watches_left_is_polled]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
