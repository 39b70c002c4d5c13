#!/usr/bin/env python3
"""The state's folder as an attacker or an accident may leave it: whatever lies in it under whatever name, nothing outside of it is written, made, printed or
deleted, nothing waits, and what belongs to others is read and not written.
usage: state_folder_test.py TROUPE [NAME...]"""
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import harness
from harness import Skip, contains, equal, finish, main, statuses

READING = [("runs",), ("status",), ("plan",), ("show",), ("show", "--json"), ("logs", "b"), ("logs", "a", "--json"), ("explain", "a"), ("explain", "b", "--run", "1"), ("graph",),
           ("journal", "verify"), ("journal", "stats"), ("journal", "dump"), ("__complete", "runs")]
WRITING = [("run",), ("run", "--force"), ("resume", "1"), ("adopt", "--all", "--yes"), ("clean", "--orphans", "--yes"), ("cancel",), ("journal", "compact"), ("journal", "rebuild")]
FILES = [".gitignore", "troupe-state", "lock", "journal.mdb", "journal.mdb-lock", "journal.mdb.new", "journal.mdb.new-lock", "journal.mdb.format1", "unsynced", "unsynced.new",
         "control", "control.sock", "logs/.troupe-mark", "logs/.troupe-mark.new", "logs/1/a.1.log", "logs/1/b.1.log", "members/.troupe-mark"]
FOLDERS = ["logs", "logs/1", "results", "members"]
SECRET = "precious words of a file outside"
LONG_AGO = 1_000_000_000
A_USER, ANOTHER_USER = 23456, 23457


def make_state(shop):
    shop.write("d/x", "1")
    shop.pipeline({"a": {"command": "echo a; date +%N > a.txt", "inputs": ["d"], "outputs": ["a.txt"]}, "b": {"command": "echo b; exit 1", "deps": ["a"]}})
    shop.run(status=1)


def picture(top):
    """Everything beneath a folder: kind, mode, content, time."""
    seen = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            content = os.readlink(path) if stat.S_ISLNK(info.st_mode) else ""
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            seen[os.path.relpath(path, top)] = (info.st_mode, info.st_mtime_ns, content)
    return seen


def make_outside(shop):
    shop.write("../outside/file", SECRET + "\n")
    shop.write("../outside/folder/2019/photo", SECRET + "\n")
    shop.write("../outside/folder/1/a.1.log", SECRET + "\n")
    for path in ("folder/2019/photo", "folder/2019", "folder/1/a.1.log", "folder/1"):
        os.utime(shop.path("../outside/" + path), (LONG_AGO, LONG_AGO))


def lead_to_file(path, outside):
    os.symlink(outside + "/file", path)


def lead_to_folder(path, outside):
    os.symlink(outside + "/folder", path)


def lead_nowhere(path, outside):
    os.symlink(outside + "/made", path)


def fifo(path, _):
    os.mkfifo(path)


def folder_with_something(path, _):
    os.makedirs(path + "/deep")


def hard_link(path, outside):
    os.link(outside + "/file", path)


def a_socket(path, _):
    with socket.socket(socket.AF_UNIX) as listens:
        here = os.getcwd()
        os.chdir(os.path.dirname(path))     # a socket's path is short
        listens.bind(os.path.basename(path))
        os.chdir(here)


def device(path, _):
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))      # /dev/zero: has no end


KINDS = [lead_to_file, lead_to_folder, lead_nowhere, fifo, folder_with_something, hard_link, a_socket, device]


def put(path, kind, outside):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    kind(path, outside)


def try_all(shop, names, kinds):
    make_state(shop)
    make_outside(shop)
    outside = os.path.realpath(shop.path("../outside"))
    before = picture(outside)
    shutil.copytree(shop.path(".troupe"), shop.path("../kept"))
    tried = 0
    for kind in kinds:
        if kind is device and os.geteuid() != 0:
            continue     # only root can make one
        for name in names:
            shutil.rmtree(shop.path(".troupe"))
            shutil.copytree(shop.path("../kept"), shop.path(".troupe"))
            if name in ("control", "control.sock"):    # a run would take the place of what is there
                verbs = [("cancel",), *WRITING]
            else:
                verbs = READING + WRITING
            put(shop.path(".troupe/" + name), kind, outside)
            for verb in verbs:
                what = f"{name} as {kind.__name__}: troupe {' '.join(verb)}"
                try:
                    done = subprocess.run([harness.TROUPE, *verb], cwd=shop.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
                except subprocess.TimeoutExpired:
                    raise AssertionError(f"{what}: waits") from None
                assert done.returncode in (0, 1, 2, 3), f"{what}: exit status {done.returncode}\n{done.stderr.decode(errors='replace')}"
                assert SECRET.encode() not in done.stdout + done.stderr, f"{what}: prints a file outside"
                tried += 1
            if kind is not hard_link:
                now = picture(outside)
                assert now == before, f"{name} as {kind.__name__}: {sorted(set(now.items()) ^ set(before.items()))[:4]}"
            else:    # its number of names changed, nothing else
                equal({path: facts[2] for path, facts in picture(outside).items()}, {path: facts[2] for path, facts in before.items()})
    print(f"        {tried} commands", flush=True)


def every_file_of_a_state_as_a_link(shop):
    try_all(shop, FILES, [lead_to_file, lead_to_folder, lead_nowhere])


def every_file_of_a_state_as_what_is_no_file(shop):
    try_all(shop, FILES, [fifo, folder_with_something, a_socket, device])


def every_file_of_a_state_with_a_second_name(shop):
    try_all(shop, FILES, [hard_link])


def every_folder_of_a_state_as_something_else(shop):
    try_all(shop, FOLDERS, [lead_to_file, lead_to_folder, lead_nowhere, fifo, hard_link, device])


def what_is_no_log_is_said_and_not_shown(shop):
    make_state(shop)
    make_outside(shop)
    log = shop.path(".troupe/logs/1/b.1.log")
    for kind, words in ((lead_to_file, "is a symbolic link"), (fifo, "is a FIFO"), (folder_with_something, "is a folder")):
        put(log, kind, shop.path("../outside"))
        contains(shop.troupe("show").must(0).text, "the log is not shown", words)
        contains(shop.troupe("logs", "b").must(3).errors, words, "Remove")
        contains(shop.troupe("logs", "b", "--follow").must(3).errors, words)
        contains(shop.troupe("logs", "b", "--json").must(3).errors, words)


def a_result_file_is_read_only_where_it_is_a_file(shop):
    make_outside(shop)
    outside = os.path.realpath(shop.path("../outside/file"))
    shop.pipeline({"link": {"command": f"ln -s {outside} $TROUPE_RESULT"}, "fifo": {"command": "mkfifo $TROUPE_RESULT"}, "folder": {"command": "mkdir $TROUPE_RESULT"},
                   "file": {"command": "echo '{\"metadata\": {\"n\": 1}}' > $TROUPE_RESULT"}}, engine={"error_strategy": "continue"})
    document = shop.run(status=1)
    equal(statuses(document), {"link": "failed", "fifo": "failed", "folder": "failed", "file": "succeeded"})
    for name, words in {"link": "is a symbolic link", "fifo": "is a FIFO", "folder": "is a folder"}.items():
        contains(document["assets"][name]["error"], "TROUPE_RESULT", words)
    equal(os.listdir(shop.path(".troupe/results")), [".troupe-mark"])
    contains(shop.read("../outside/file"), SECRET)


def calls_that_change(shop, *arguments):
    """The system calls of a command that open something for writing, or make, remove or change something, each with its path."""
    trace = shop.path("../trace")
    calls = ("open,openat,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,truncate,chmod,fchmod,fchmodat,chown,fchown,"
             "fchownat,lchown,mknod,mknodat,utimensat")
    # What sanitizers and coverage do by themselves: a traced program cannot be traced for leaks; counts go where nothing is kept.
    env = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0", "LLVM_PROFILE_FILE": "/dev/null"}
    done = subprocess.run(["strace", "-f", "-qq", "-y", "-o", trace, "-e", "trace=" + calls, harness.TROUPE, *arguments], cwd=shop.folder, env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=harness.TIMEOUT_S, check=False)
    if not os.path.exists(trace) or os.path.getsize(trace) == 0:
        raise Skip("strace may not trace here")
    assert done.returncode in (0, 1, 2), f"{arguments}: exit status {done.returncode}: {done.stderr.decode()}"
    found = []
    with open(trace, encoding="utf-8", errors="replace") as file:
        for line in file:
            call = re.match(r"\d+ +(\w+)\(", line)
            if call is None or (call.group(1).startswith("open") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND", line)):
                continue
            if not re.search(r'"/dev[/"]', line):
                found.append(line.strip())
    os.remove(trace)
    return found


def who_reads_writes_nothing(shop):
    """But for the place in LMDB's table of readers, where the state is this user's alone."""
    if shutil.which("strace") is None:
        raise Skip("there is no strace")
    make_state(shop)
    verbs = [*READING, ("validate",), ("schema",), ("help",), ("graph", "--format", "json"), ("completions", "bash"), ("__complete", "assets")]
    for verb in verbs:
        for line in calls_that_change(shop, *verb):
            assert re.search(r'openat\(.*journal\.mdb-lock"', line), f"troupe {' '.join(verb)}: {line}"
    assert calls_that_change(shop, "run", "--force"), "a run that writes nothing: then this test sees nothing"
    os.remove(shop.path(".troupe/journal.mdb-lock"))
    os.chmod(shop.path(".troupe"), 0o770)
    for verb in verbs:
        equal((verb, calls_that_change(shop, *verb)), (verb, []))
    assert not shop.exists(".troupe/journal.mdb-lock")
    os.chmod(shop.path(".troupe"), 0o700)
    shutil.rmtree(shop.path(".troupe"))
    for verb in verbs:
        equal((verb, [line for line in calls_that_change(shop, *verb) if ".troupe" in line]), (verb, []))
    assert not shop.exists(".troupe")


def a_state_that_others_may_write_in_is_not_written(shop):
    make_state(shop)
    os.chmod(shop.path(".troupe"), 0o777)
    before = picture(shop.path(".troupe"))
    for verb in WRITING:
        if verb[0] not in ("cancel", "clean"):
            contains(shop.troupe(*verb).must(3).errors, "can be written by other users", "chmod go-w " + shop.path(".troupe"))
    for verb in READING:
        assert shop.troupe(*verb).status in (0, 1), verb
    equal(picture(shop.path(".troupe")), before)
    os.chmod(shop.path(".troupe"), 0o755)     # as the message says
    shop.run(status=1)


def as_user(user, folder, *arguments, **how):
    return subprocess.Popen([harness.TROUPE, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, user=user, group=user, extra_groups=[],
                            env={"PATH": os.environ["PATH"], "HOME": folder}, **how)


def run_as(user, folder, *arguments, **how):
    return finish(as_user(user, folder, *arguments, **how), arguments)


def need_two_users(shop):
    if os.geteuid() != 0:
        raise Skip("only root can act as two users")
    os.chmod(shop.top, 0o755)
    os.chmod(shop.folder, 0o755)
    for user in (A_USER, ANOTHER_USER):
        os.mkdir(shop.path(f"home-{user}"))
        os.chown(shop.path(f"home-{user}"), user, user)
    try:
        version = run_as(A_USER, shop.path(f"home-{A_USER}"), "version")
    except (PermissionError, subprocess.SubprocessError):
        raise Skip("another user may not run the program") from None
    if version.status != 0:
        raise Skip("another user may not run the program")
    return shop.path(f"home-{A_USER}"), shop.path(f"home-{ANOTHER_USER}")


def their_pipeline(shop, user, command="echo secret-token"):
    folder = f"home-{user}"
    shop.write(folder + "/troupe.json", '{ "name": "p", "assets": { "a": { "command": "%s" } } }' % command)
    os.chown(shop.path(folder + "/troupe.json"), user, user)


def a_state_that_somebody_else_made_beforehand(shop):
    victim, _ = need_two_users(shop)
    their_pipeline(shop, A_USER)
    shop.write("precious", "precious")
    os.chown(shop.path("precious"), A_USER, A_USER)
    os.mkdir(shop.path("tmp"))
    os.chmod(shop.path("tmp"), 0o1777)
    for name, mode in (("empty", 0o777), ("private", 0o755), ("trap", 0o777)):
        state = shop.path("tmp/" + name)
        os.mkdir(state)
        os.chmod(state, mode)
        os.chown(state, ANOTHER_USER, ANOTHER_USER)
    for name in ("lock", "journal.mdb", "journal.mdb-lock", ".gitignore", "troupe-state"):
        os.symlink(shop.path("precious"), shop.path("tmp/trap/" + name))
        os.lchown(shop.path("tmp/trap/" + name), ANOTHER_USER, ANOTHER_USER)
    before = picture(shop.path("tmp"))
    for name in ("empty", "private", "trap"):
        for verb in ("run", "adopt"):
            refused = run_as(A_USER, victim, verb, "--state", shop.path("tmp/" + name), *(["--all", "--yes"] if verb == "adopt" else []))
            assert refused.status == 3, refused.errors
            if verb == "run":       # adopt reads first, and may name what it finds
                contains(refused.errors, f"belongs to user {ANOTHER_USER}", f"Run as user {ANOTHER_USER}", "--state")
        assert run_as(A_USER, victim, "runs", "--state", shop.path("tmp/" + name)).status in (0, 3)
    equal(picture(shop.path("tmp")), before)
    equal(shop.read("precious"), "precious")
    run_as(A_USER, victim, "run", "--state", shop.path("tmp/own")).must(0)      # in a sticky folder one's own is fine
    equal(stat.S_IMODE(os.stat(shop.path("tmp/own")).st_mode), 0o700)


def a_state_of_another_user_is_read_and_not_written(shop):
    owner, _ = need_two_users(shop)
    their_pipeline(shop, A_USER, "echo secret-token; exit 1")
    run_as(A_USER, owner, "run").must(1)
    state = shop.path(f"home-{A_USER}/.troupe")
    os.remove(state + "/journal.mdb-lock")
    for folder, _, files in os.walk(state):
        os.chmod(folder, 0o755)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o644)
    before = picture(state)
    for user in (ANOTHER_USER, 0):      # root is no exception
        for verb in (("runs",), ("show",), ("status",), ("plan",), ("journal", "verify"), ("__complete", "runs")):
            run_as(user, owner, *verb).must(0)
        contains(run_as(user, owner, "logs", "a").must(0).text, "secret-token")
        for verb in (("run",), ("resume", "1"), ("adopt", "--all", "--yes"), ("journal", "compact"), ("journal", "rebuild")):
            refused = run_as(user, owner, *verb)
            assert refused.status == 3, f"{verb}: {refused.status} {refused.errors}"
            contains(refused.errors, f"belongs to user {A_USER}")
        equal(picture(state), before)
    run_as(A_USER, owner, "run").must(1)
    assert os.stat(state + "/journal.mdb").st_uid == A_USER


def a_state_that_another_user_writes_just_now(shop):
    owner, _ = need_two_users(shop)
    their_pipeline(shop, A_USER, "touch begun; while ! test -e go; do sleep 0.01; done")
    runs = as_user(A_USER, owner, "run")
    try:
        shop.wait_for(lambda: shop.exists(f"home-{A_USER}/begun"), "the command has begun")
        refused = run_as(0, owner, "runs")
        assert refused.status == 3, f"{refused.status}: {refused.errors}"
        contains(refused.errors, "is writing it", str(runs.pid))
        contains(run_as(0, owner, "run").must(3).errors, f"belongs to user {A_USER}")
        run_as(A_USER, owner, "runs").must(0)
    finally:
        shop.write(f"home-{A_USER}/go", "")
        ended = finish(runs)
    ended.must(0)
    run_as(0, owner, "runs").must(0)


def any_umask(shop):
    folder = shop.folder
    user = os.geteuid()
    if user == 0:
        folder, _ = need_two_users(shop)
        user = A_USER
        their_pipeline(shop, user)
    else:
        shop.pipeline({"a": {"command": "echo secret-token"}})
    for mask in (0o000, 0o022, 0o077, 0o277, 0o777):
        state = os.path.join(folder, f"state-{mask:o}")
        how = {"umask": mask} if os.geteuid() == 0 else {"preexec_fn": lambda mask=mask: os.umask(mask)}
        start = (lambda *a: finish(subprocess.Popen([harness.TROUPE, *a], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how), a)) \
            if os.geteuid() != 0 else (lambda *a: run_as(user, folder, *a, **how))
        start("run", "--state", state).must(0)
        start("run", "--force", "--state", state).must(0)
        start("run", "--state", state).must(0)
        contains(start("logs", "a", "--state", state).must(0).text, "secret-token")
        start("journal", "compact", "--state", state).must(0)
        for path, _, files in os.walk(state):
            equal((path, oct(stat.S_IMODE(os.stat(path).st_mode))), (path, oct(0o700)))
            for name in files:
                at = os.path.join(path, name)
                equal((at, oct(stat.S_IMODE(os.stat(at).st_mode))), (at, oct(0o600)))


def a_folder_in_use_does_not_become_a_state(shop):
    shop.pipeline({"a": {"command": "true"}})
    for name in ("logs/2023/app.log", "logs/42/app.log", "members/ab/x", "results/x"):
        shop.write(name, "precious")
    for path in ("logs/2023", "logs/42"):
        os.utime(shop.path(path), (LONG_AGO, LONG_AGO))
    before = picture(shop.folder)
    for state in (".", "logs"):
        for verb in ("run", "adopt"):
            contains(shop.troupe(verb, "--state", state, *(["--all", "--yes"] if verb == "adopt" else [])).must(3).errors, "holds other things", "--state")
        equal(shop.troupe("runs", "--json", "--state", state).must(0).json()["runs"], [])
    equal(picture(shop.folder), before)
    os.mkdir(shop.path("empty"))
    shop.run("--state", "empty")


def only_what_troupe_made_is_deleted(shop):
    """In a state of before there were marks: the folders that its journal names."""
    shop.pipeline({"a": {"command": "echo a", "always": True}}, engine={"keep_logs": "1s", "keep_runs": 2})
    for _ in range(3):
        shop.run()
    for mark in ("troupe-state", "logs/.troupe-mark"):
        os.remove(shop.path(".troupe/" + mark))
    for name in ("2023/app.log", "007/x", "17/2024/x", "notes/x"):
        shop.write(".troupe/logs/" + name, "precious")
    os.symlink("../../../work", shop.path(".troupe/logs/18"))
    for path in os.listdir(shop.path(".troupe/logs")):
        os.utime(shop.path(".troupe/logs/" + path), (LONG_AGO, LONG_AGO), follow_symlinks=False)
    shop.troupe("journal", "compact").must(0)
    for _ in range(3):
        shop.run()
        time.sleep(0.05)
    left = set(os.listdir(shop.path(".troupe/logs")))
    assert {"2023", "007", "17", "notes", "18"} <= left, left
    assert not {"2", "3"} & left, left
    for name in ("2023/app.log", "007/x", "17/2024/x", "notes/x"):
        equal(shop.read(".troupe/logs/" + name), "precious")
    assert shop.exists(".troupe/troupe-state") and shop.exists("troupe.json")


def a_state_whose_journal_was_removed_begins_anew(shop):
    make_state(shop)
    for marked in (True, False):
        if not marked:
            os.remove(shop.path(".troupe/troupe-state"))
            shop.write(".troupe/lock", "pid 1\nstart_ticks 1\nwhere unknown\nhost there\ncommand troupe run\n")   # as the program of then left it
        os.remove(shop.path(".troupe/journal.mdb"))
        equal(shop.run(status=1)["number"], 1)
        assert shop.exists(".troupe/troupe-state")


def logs_behind_a_link_are_refused(shop):
    make_state(shop)
    make_outside(shop)
    shutil.rmtree(shop.path(".troupe/logs"))
    os.symlink(shop.path("../outside/folder"), shop.path(".troupe/logs"))
    before = picture(shop.path("../outside"))
    for verb in (("run",), ("journal", "compact")):
        contains(shop.troupe(*verb).must(3).errors, "its logs is a symbolic link, not a folder", "Remove " + shop.path(".troupe/logs"))
    equal(picture(shop.path("../outside")), before)
    os.remove(shop.path(".troupe/logs"))
    shop.run(status=1)


def the_lock_file_of_a_run_is_removed(shop):
    shop.pipeline({"a": {"command": "echo start >> began; while ! test -e go; do sleep 0.01; done"}})
    for replaced in (False, True):
        for name in ("began", "go"):
            if shop.exists(name):
                os.remove(shop.path(name))
        first = shop.start("run", "--force")
        try:
            shop.wait_for_file("began")
            os.remove(shop.path(".troupe/lock"))
            if replaced:
                shop.write(".troupe/lock", "")
            contains(shop.troupe("run").must(3).errors, "was removed or replaced", shop.path(".troupe/lock"))
            contains(shop.troupe("journal", "compact").must(3).errors, "was removed or replaced")
            equal(shop.troupe("runs", "--json").must(0).json()["runs"][0]["status"], "running")
            equal(shop.lines("began"), ["start"])
        finally:
            shop.write("go", "")
            ended = finish(first)
        ended.must(0)
        shop.run()


def a_run_without_its_lock_file_is_cancelled(shop):
    shop.pipeline({"a": {"command": "echo start >> began; sleep 300"}})
    run = shop.start("run")
    try:
        shop.wait_for_file("began")
        os.remove(shop.path(".troupe/lock"))
        shop.troupe("cancel").must(0)
    finally:
        if run.poll() is None:
            run.send_signal(signal.SIGTERM)
        finish(run)


TESTS = [every_file_of_a_state_as_a_link, every_file_of_a_state_as_what_is_no_file, every_file_of_a_state_with_a_second_name, every_folder_of_a_state_as_something_else,
         what_is_no_log_is_said_and_not_shown, a_result_file_is_read_only_where_it_is_a_file, who_reads_writes_nothing, a_state_that_others_may_write_in_is_not_written,
         a_state_that_somebody_else_made_beforehand, a_state_of_another_user_is_read_and_not_written, a_state_that_another_user_writes_just_now, any_umask,
         a_folder_in_use_does_not_become_a_state, only_what_troupe_made_is_deleted, a_state_whose_journal_was_removed_begins_anew, logs_behind_a_link_are_refused,
         the_lock_file_of_a_run_is_removed, a_run_without_its_lock_file_is_cancelled]


if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
