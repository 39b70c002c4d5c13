#!/usr/bin/env python3
"""The control socket of a state from outside: cancel by number, --wait, what has the socket's name, who may use it, what hostile clients do.
usage: control_test.py TROUPE [NAME...]"""
import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import time

import harness
from harness import Skip, Workshop, contains, equal, finish, main, statuses

ANOTHER_USER = 23457
SOCKET = ".troupe/control.sock"
LIVE = {"a": {"command": "echo $$ > a.pid; until test -e go; do sleep 0.01; done"}}


def live_run(shop, *arguments, **how):
    """A run that ends when the file `go` is made; its socket listens."""
    run = shop.start("run", *arguments, **how)
    shop.wait_for_file("a.pid")
    shop.wait_for(lambda: shop.exists(SOCKET), "it listens")
    shop.wait_for_status("a", "running")
    return run


def let_go(shop, run, status=0):
    shop.write("go", "")
    done = finish(run).must(status)
    for name in ("go", "a.pid"):
        os.remove(shop.path(name))
    return done


def connect(path):
    """By the folder, so that the path may be long."""
    client = socket.socket(socket.AF_UNIX)
    folder = os.open(os.path.dirname(path), os.O_PATH)
    try:
        client.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")     # waits while many others do
        client.settimeout(60)
    finally:
        os.close(folder)
    return client


def frame(message):
    text = json.dumps(message).encode()
    return struct.pack("<I", len(text)) + text


def answers(client):
    """All messages until the other side ends the connection."""
    data = b""
    while True:
        try:
            piece = client.recv(65536)
        except ConnectionResetError:
            break
        if not piece:
            break
        data += piece
    found = []
    while data:
        length = struct.unpack("<I", data[:4])[0]
        found.append(json.loads(data[4:4 + length]))
        data = data[4 + length:]
    return found


HELLO = frame({"type": "hello", "protocol": 1, "build": "test"})


def cancel_by_number(shop):
    shop.pipeline(LIVE)
    let_go(shop, live_run(shop))
    for name in ("2", "#3", None):
        run = live_run(shop, "--force")
        number = shop.troupe("runs", "--json", "-l", "1").must(0).json()["runs"][0]["number"]
        contains(shop.troupe("cancel", "1").must(2).errors, f"run #1 is not live; its status is succeeded; run #{number} is live")
        contains(shop.troupe("cancel", "99").must(2).errors, "99")
        contains(shop.troupe("cancel", *([name] if name else [])).must(0).text, f"run #{number} cancelled")
        finish(run).must(1)
        os.remove(shop.path("a.pid"))
        assert not shop.exists(SOCKET), "it is left behind"
    contains(shop.troupe("cancel").must(2).errors, "run #4 is not live; its status is cancelled")


def the_live_run_is_cancelled_where_a_later_one_has_ended(shop):
    """A resumed run is live, and not the latest."""
    shop.pipeline({"a": {"command": "echo $$ > a.pid; test -e fine || exit 1; until test -e go; do sleep 0.01; done"}})
    shop.run(status=1)
    shop.run(status=1)
    shop.write("fine", "")
    os.remove(shop.path("a.pid"))
    run = shop.start("resume", "1")
    shop.wait_for_file("a.pid")
    shop.wait_for(lambda: shop.troupe("show", "1", "--json").json()["status"] == "running", "it is live")
    contains(shop.troupe("cancel").must(0).text, "run #1 cancelled")
    finish(run).must(1)


def the_socket_is_the_users_alone_and_no_commands(shop):
    shop.pipeline({"a": {"command": "echo $$ > a.pid; ls -l /proc/self/fd > fds; until test -e go; do sleep 0.01; done"}})
    run = live_run(shop)
    info = os.lstat(shop.path(SOCKET))
    equal((stat.S_ISSOCK(info.st_mode), stat.S_IMODE(info.st_mode)), (True, 0o600))
    equal(len([line for line in shop.lines("fds") if "socket:" in line]), 0)
    with connect(shop.path(SOCKET)) as client:
        client.sendall(HELLO + frame({"type": "list"}))
        client.shutdown(socket.SHUT_WR)
        hello, runs = answers(client)
    equal((hello["type"], hello["protocol"]), ("hello", 1))
    equal([(one["run"], one["pipeline"], one["counts"]) for one in runs["runs"]], [(1, "test", {"running": 1})])
    let_go(shop, run)
    assert not shop.exists(SOCKET)
    run = live_run(shop, "--force", umask=0o777)
    equal(stat.S_IMODE(os.lstat(shop.path(SOCKET)).st_mode), 0o600)
    shop.troupe("cancel").must(0)
    finish(run).must(1)


def a_path_longer_than_an_address(shop):
    deep = "d" * 100 + "/" + "e" * 100
    os.makedirs(shop.path(deep))
    shop.pipeline(LIVE, engine={"state_dir": deep + "/state"})
    run = shop.start("run")
    shop.wait_for_file("a.pid")
    shop.wait_for(lambda: shop.exists(deep + "/state/control.sock"), "it listens")
    shop.wait_for_status("a", "running")
    contains(shop.troupe("cancel").must(0).text, "run #1 cancelled")
    finish(run).must(1)


def a_killed_writer_leaves_a_socket(shop):
    shop.pipeline(LIVE)
    run = live_run(shop)
    run.send_signal(signal.SIGKILL)
    finish(run)
    assert stat.S_ISSOCK(os.lstat(shop.path(SOCKET)).st_mode)
    contains(shop.troupe("cancel").must(2).errors, "run #1 is not live; its status is interrupted")
    os.remove(shop.path("a.pid"))
    run = live_run(shop)
    contains(shop.troupe("cancel").must(0).text, "run #2 cancelled")
    finish(run).must(1)
    assert not shop.exists(SOCKET)


def what_else_has_the_sockets_name_stays(shop):
    """The run goes on without it, and says so."""
    shop.pipeline(LIVE)
    let_go(shop, live_run(shop))
    shop.write("../outside/file", "precious\n")

    def elsewhere(path):
        with socket.socket(socket.AF_UNIX) as listens:
            listens.bind(shop.path("../outside/socket"))
        os.symlink(shop.path("../outside/socket"), path)

    def of_another_user(path):
        with socket.socket(socket.AF_UNIX) as listens:
            here = os.getcwd()
            os.chdir(os.path.dirname(path))
            listens.bind(os.path.basename(path))
            os.chdir(here)
        os.chown(path, ANOTHER_USER, ANOTHER_USER)

    kinds = {"is a file": lambda path: shop.write(SOCKET, "precious\n"), "is a symbolic link": lambda path: os.symlink(shop.path("../outside/file"), path),
             "is a symbolic link, ": elsewhere, "is a folder": lambda path: os.makedirs(path + "/deep"), "is a FIFO": os.mkfifo}
    if os.geteuid() == 0:
        kinds["belongs to user 23457"] = of_another_user
    for words, make in kinds.items():
        make(shop.path(SOCKET))
        before = os.lstat(shop.path(SOCKET))
        run = shop.start("run", "--force")
        shop.wait_for_file("a.pid")
        shop.wait_for_status("a", "running")
        contains(shop.troupe("cancel").must(3).errors, words, "control.sock")
        done = let_go(shop, run)
        contains(done.text, "troupe cancel cannot reach this run", words)
        after = os.lstat(shop.path(SOCKET))
        equal((after.st_ino, after.st_mode, after.st_uid), (before.st_ino, before.st_mode, before.st_uid))
        if stat.S_ISDIR(after.st_mode):
            shutil.rmtree(shop.path(SOCKET))
        else:
            os.remove(shop.path(SOCKET))
    equal(shop.read("../outside/file"), "precious\n")


def the_fifo_of_an_older_version(shop):
    """One that was left is removed by the next writer, if it is this user's; a run that listens at one is named."""
    shop.pipeline(LIVE)
    let_go(shop, live_run(shop))
    os.mkfifo(shop.path(".troupe/control"))
    run = live_run(shop, "--force")
    assert not shop.exists(".troupe/control")
    os.rename(shop.path(SOCKET), shop.path(".troupe/away"))
    os.mkfifo(shop.path(".troupe/control"))
    contains(shop.troupe("cancel").must(3).errors, "run #2 is carried out by another version of Troupe", f"kill {run.pid}")
    os.remove(shop.path(".troupe/control"))
    contains(shop.troupe("cancel").must(2).errors, "cannot be reached: it is just starting or ending")
    os.rename(shop.path(".troupe/away"), shop.path(SOCKET))
    let_go(shop, run)
    for make in (lambda path: shop.write(".troupe/control", "x"), lambda path: os.symlink("lock", path)):
        make(shop.path(".troupe/control"))
        shop.run()
        assert shop.exists(".troupe/control"), "what is no FIFO stays"
        os.remove(shop.path(".troupe/control"))


def a_server_of_another_version(shop):
    shop.pipeline(LIVE)
    run = live_run(shop)
    os.rename(shop.path(SOCKET), shop.path(".troupe/away"))
    with socket.socket(socket.AF_UNIX) as listens:
        here = os.getcwd()
        os.chdir(shop.path(".troupe"))
        listens.bind("control.sock")
        os.chdir(here)
        listens.listen(4)
        cancel = shop.start("cancel")
        client, _ = listens.accept()
        client.sendall(frame({"type": "hello", "protocol": 2, "build": "9.9"}))
        contains(finish(cancel).must(3).errors, "troupe 9.9", "newer", "use the same program")
        client.close()
    os.remove(shop.path(SOCKET))
    os.rename(shop.path(".troupe/away"), shop.path(SOCKET))
    let_go(shop, run)


def hostile_clients(shop):
    """None of them delays another one, or the run."""
    shop.pipeline(LIVE)
    run = live_run(shop)
    kept = []
    for words in (b"GET / HTTP/1.1\r\n\r\n", struct.pack("<I", 1 << 30), struct.pack("<I", 3) + b"abc", HELLO[:9], b"", HELLO + frame({"type": "wait", "run": 1}), frame({"type": "list"})):
        client = connect(shop.path(SOCKET))
        client.sendall(words)
        kept.append(client)
    for number in (0, 1, 2, 6):
        equal([one["code"] for one in answers(kept[number])], ["bad_message"])
    for _ in range(100):
        with connect(shop.path(SOCKET)) as client:
            client.sendall(HELLO + frame({"type": "wait", "run": 1}))
    equal(shop.troupe("runs", "--json").must(0).json()["runs"][0]["status"], "running")
    contains(shop.troupe("cancel").must(0).text, "run #1 cancelled")
    finish(run).must(1)
    equal([one["type"] for one in answers(kept[5])], ["hello", "ended"])
    for client in kept:
        client.close()


def another_user_is_refused(shop):
    if os.geteuid() != 0:
        raise Skip("only root can act as two users")
    shop.pipeline(LIVE)
    run = live_run(shop)
    program = ("import os, socket, sys\nos.setgroups([]); os.setgid(%d); os.setuid(%d)\nclient = socket.socket(socket.AF_UNIX)\n"
               "try: client.connect(sys.argv[1])\nexcept OSError as refused: print(type(refused).__name__); sys.exit()\n"
               "client.settimeout(30); print(client.recv(1000))") % (ANOTHER_USER, ANOTHER_USER)

    def as_another(path):
        return subprocess.run([sys.executable, "-c", program, path], capture_output=True, check=True, timeout=60).stdout.decode()
    os.chmod(shop.top, 0o711)
    contains(as_another(shop.path(SOCKET)), "PermissionError")
    os.chmod(shop.path(".troupe"), 0o711)    # and where the modes would let it
    os.chmod(shop.path(SOCKET), 0o666)
    contains(as_another(shop.path(SOCKET)), "not_permitted")
    os.chmod(shop.path(".troupe"), 0o700)
    let_go(shop, run)


def wait_for_the_end(shop):
    """`run --wait` begins when the other run has ended: with the pipeline file and the files as they are then."""
    shop.pipeline(LIVE)
    run = live_run(shop)
    waits = shop.start("run", "--wait", "--json")
    equal(waits.stderr.readline().decode(), f"waiting for run #1, process {run.pid} (troupe run)\n")
    began = time.monotonic()
    time.sleep(1)
    assert waits.poll() is None
    shop.pipeline({**LIVE, "b": {"command": "echo b > b.txt", "outputs": ["b.txt"]}})
    first = let_go(shop, run)
    done = finish(waits).must(0)
    contains(first.text, "succeeded")
    equal(statuses(done.json()), {"a": "fresh", "b": "succeeded"})
    assert done.json()["duration_ms"] / 1000 < time.monotonic() - began - 0.9, "the wait is no part of the run"
    equal(shop.troupe("run", "--wait").must(0).errors, "")


def wait_no_longer_than_asked(shop):
    shop.pipeline(LIVE)
    run = live_run(shop)
    held = f"is in use by process {run.pid} (troupe run), since "
    contains(shop.troupe("run").must(3).errors, held)
    began = time.monotonic()
    done = shop.troupe("run", "--wait=300ms").must(3)
    assert time.monotonic() - began >= 0.3
    contains(done.errors, held)
    assert "waiting" not in done.errors
    done = shop.troupe("run", "--wait=700ms", "--json").must(3)
    contains(done.errors, "waiting for run #1", held)
    equal(done.json()["error"]["code"], "state_locked")
    for wrong in ("soon", "-3s", "3", "true story"):
        contains(shop.troupe("run", "--wait=" + wrong).must(2).errors, f"--wait takes a time such as 30s, not '{wrong}'")
    let_go(shop, run)


def a_signal_ends_the_wait(shop):
    shop.pipeline(LIVE)
    run = live_run(shop)
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        waits = shop.start("run", "--wait")
        contains(waits.stderr.readline().decode(), "waiting for run #1")
        began = time.monotonic()
        waits.send_signal(number)
        contains(finish(waits).must(status).errors, "stopped while it waited", "nothing was done")
        assert time.monotonic() - began < 5
    waits = shop.start("journal", "compact", "--wait=1h")
    time.sleep(0.2)
    run.send_signal(signal.SIGSTOP)      # who has the lock does not answer any more
    time.sleep(0.5)
    waits.send_signal(signal.SIGINT)
    finish(waits).must(130)
    run.send_signal(signal.SIGCONT)
    let_go(shop, run)


def every_verb_that_writes_waits(shop):
    shop.pipeline({**LIVE, "bad": {"command": "exit 1"}, "old": {"command": "echo old > old.txt", "outputs": ["old.txt"]}}, engine={"error_strategy": "continue"})
    let_go(shop, live_run(shop), 1)
    verbs = [("resume", "1"), ("clean", "--orphans", "--yes"), ("adopt", "bad", "--yes"), ("journal", "compact"), ("journal", "compact", "troupe.json"), ("journal", "rebuild"),
             ("journal", "trust", "--yes"), ("run", "-n")]
    for verb in verbs:
        if verb[0] == "clean":
            shop.pipeline({**LIVE, "bad": {"command": "exit 1"}})
        run = live_run(shop, "--force", "a")
        waits = shop.start(*verb, "--wait")
        if verb[-1] == "-n":      # a plan needs no lock
            shop.wait_for(lambda waits=waits: waits.poll() is not None, "the plan is shown")
        else:
            time.sleep(0.1)
            assert waits.poll() is None, f"{verb}: {finish(waits).errors}"
        let_go(shop, run)
        done = finish(waits)
        assert done.status == (1 if verb[0] == "resume" else 0), f"{verb}: {done.status} {done.errors}"
    assert not shop.exists("old.txt")


def many_wait_and_each_has_its_turn(shop):
    shop.pipeline({**LIVE, "b": {"command": "mkdir alone && sleep 0.02 && rmdir alone && echo b >> b.txt", "outputs": ["b.txt"]}})
    run = live_run(shop, "a")
    waiting = [shop.start("run", "--wait", "--force", "b") for _ in range(8)]
    time.sleep(0.3)
    let_go(shop, run)
    for one in waiting:
        finish(one).must(0)
    equal(len(shop.lines("b.txt")), 8)


def who_is_killed_while_it_holds_the_lock_is_waited_for_no_longer(shop):
    shop.pipeline(LIVE)
    run = live_run(shop)
    waits = shop.start("run", "--wait")
    time.sleep(0.1)
    os.remove(shop.path("a.pid"))
    run.send_signal(signal.SIGKILL)
    finish(run)
    shop.wait_for_file("a.pid")
    let_go(shop, waits)


def what_has_to_be_decided_first_is_not_waited_for(shop):
    """Exit status 3 for another reason than a holder: at once, however long one would wait."""
    shop.pipeline({"a": {"command": ["env", "-i", "/bin/sh", "-c", "echo $$ > a.pid; exec sleep 300"]}})
    run = shop.start("run")
    shop.wait_for_file("a.pid")
    shop.wait_for(lambda: "attempt_spawned" in shop.troupe("journal", "dump").text, "the process is in the journal")
    run.send_signal(signal.SIGKILL)
    finish(run)
    contains(shop.troupe("run", "--wait").must(3).errors, "So they were not ended")
    os.kill(int(shop.read("a.pid")), signal.SIGKILL)
    shop.pipeline({"a": {"command": "true"}})
    shop.wait_for(lambda: shop.troupe("run", "--wait=1s").status == 0, "it is gone")


def nobody_waits_for_itself(shop):
    shop.pipeline({"a": {"command": f"{harness.TROUPE} run --wait --json > inner.json 2> inner.err; echo $? > inner.status; {harness.TROUPE} run > plain.out 2>&1; echo $? > plain.status"}})
    shop.run()
    equal((shop.read("inner.status"), shop.read("plain.status")), ("3\n", "3\n"))
    contains(shop.read("inner.err"), "it would wait for itself", "is in use by process")
    equal(json.loads(shop.read("inner.json"))["error"]["code"], "state_locked")
    contains(shop.read("plain.out"), "is in use by process")
    with Workshop() as other:      # of another state a command may wait
        other.pipeline({"x": {"command": "true"}})
        shop.pipeline({"a": {"command": f"cd {other.folder} && {harness.TROUPE} run --wait"}})
        shop.run()


def wait_with_a_pipeline_from_standard_input(shop):
    shop.pipeline(LIVE)
    run = live_run(shop)
    text = json.dumps({"name": "test", "assets": {"c": {"command": "echo c > c.txt", "outputs": ["c.txt"]}}})
    waits = subprocess.Popen([harness.TROUPE, "run", "-f", "-", "--wait"], cwd=shop.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    waits.stdin.write(text.encode())
    waits.stdin.close()
    waits.stdin = None
    time.sleep(0.2)
    assert waits.poll() is None
    let_go(shop, run)
    finish(waits).must(0)
    equal(shop.read("c.txt"), "c\n")


TESTS = [cancel_by_number, the_live_run_is_cancelled_where_a_later_one_has_ended, the_socket_is_the_users_alone_and_no_commands, a_path_longer_than_an_address,
         a_killed_writer_leaves_a_socket, what_else_has_the_sockets_name_stays, the_fifo_of_an_older_version, a_server_of_another_version, hostile_clients,
         another_user_is_refused, wait_for_the_end, wait_no_longer_than_asked, a_signal_ends_the_wait, every_verb_that_writes_waits, many_wait_and_each_has_its_turn,
         who_is_killed_while_it_holds_the_lock_is_waited_for_no_longer, what_has_to_be_decided_first_is_not_waited_for, nobody_waits_for_itself,
         wait_with_a_pipeline_from_standard_input]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
