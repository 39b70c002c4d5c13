"""One trial: a run is disturbed, then all is checked that must hold whatever the disturbance was: what is recorded is true, the next
command just works, nothing recorded as succeeded runs again, nothing is left running, the outputs are those of an undisturbed run."""
import json
import os
import signal
import time

from scenes import Folder, Recorded, processes_with

KILL_CALLS = ("write,pwrite64,writev,pwritev,ftruncate,fsync,fdatasync,msync,clone,clone3,fork,vfork,execve,waitid,wait4,"
              "open,openat,unlink,unlinkat,rename,renameat2,mkdir,mkdirat,mknod,mknodat")
CLEAR = (0, 1, 2, 3)     # the exit statuses of a program that has its senses together


class Fault:
    """What goes wrong, and where: a kill or an error at the k-th call, or a kill after some seconds."""

    def __init__(self, fault_at, calls=KILL_CALLS, on="", at=0, kill=None, error=None, after_s=None):
        self.fault_at, self.calls, self.on, self.at, self.kill, self.error, self.after_s = fault_at, calls, on, at, kill, error, after_s
        self.hit = ""
        self.count = 0

    def __str__(self):
        if self.after_s is not None:
            return f"killed after {self.after_s:.4f} s"
        what = f"killed {self.kill}" if self.kill else f"error {os.strerror(self.error)} at" if self.error else "counting"
        return f"{what} call {self.at}: {self.hit}"

    def strike(self, folder, *arguments):
        """Runs a troupe command with this fault; the outcome, and whether it was killed."""
        if self.after_s is not None:
            process = folder.start(*arguments)
            time.sleep(self.after_s)
            process.kill()
            outcome = folder.finish(process, arguments)
            return outcome, outcome.status == -signal.SIGKILL
        report = os.path.join(folder.top, "report")
        what = ["--at", str(self.at), *(["--kill", self.kill] if self.kill else ["--error", str(self.error)])] if self.at else []
        outcome = folder.troupe(*arguments, before=[self.fault_at, "--calls", self.calls, *(["--on", self.on] if self.on else []), "--from-path", "troupe.json", "--report", report, *what, "--"])
        with open(report, encoding="utf-8", errors="replace") as file:
            told = dict(line.rstrip("\n").split(" ", 1) for line in file if " " in line)
        self.hit, self.count = told.get("hit", ""), int(told["calls"])
        killed_by = int(told["signal"])
        assert killed_by == 0 or (killed_by == signal.SIGKILL and self.kill), f"ended by signal {killed_by}: {outcome.told()}"
        return outcome, killed_by != 0


class Tally:
    """What the trials of a sweep came to."""

    def __init__(self):
        self.trials = self.killed = self.twice = self.resumed = self.succeeded = self.failed = self.refused = 0

    def __str__(self):
        return ", ".join(f"{value} {name}" for name, value in vars(self).items() if value)


def check_record(folder, thorough):
    """Reading a state that was left at any moment: it can be read, and what it says is true."""
    scene = folder.scene
    recorded = Recorded(folder.troupe("journal", "dump").must(0).text)
    verified = folder.troupe("journal", "verify", "--json").must(0).json()
    assert verified["ok"] and not verified["problems"], f"journal verify: {verified['problems']}"
    if (recorded.number or 0) < scene.number():     # of the run that was disturbed nothing is recorded
        recorded.run, recorded.succeeded = None, {}
        return recorded
    made = folder.made()
    for asset, attempt in recorded.succeeded.items():
        assert asset not in scene.never_succeeds, f"{asset} is recorded as succeeded, which it never does"
        assert asset == "seed" or folder.ended(asset, attempt, recorded.run), f"attempt {attempt} of {asset} is recorded as succeeded, and did not end well"
    for asset in recorded.succeeded:
        for output in outputs_of(scene, asset):
            assert made[output] == scene.made[output], f"{asset} is recorded as succeeded, but {output} holds {made[output]!r}, not {scene.made[output]!r}"
    last = folder.troupe("runs", "--json").must(0).json()["runs"][0]
    assert last["run"] == recorded.run, (last, recorded.run)
    if not recorded.finished:
        assert last["status"] == "interrupted", f"an unfinished run without a supervisor is shown as {last['status']}"
    if thorough:
        shown = folder.troupe("show", "latest", "--json").must(0).json()
        for asset, entry in shown["assets"].items():
            assert (entry["status"] == "succeeded") == (asset in recorded.succeeded), f"{asset} is shown as {entry['status']}; recorded: {recorded.succeeded}"
        folder.troupe("status", "--json").must(0)
        folder.troupe("plan", "--json").must(0)
        folder.troupe("logs", next(iter(scene.pipeline["assets"]))).must(0, 2)
    return recorded


def outputs_of(scene, asset):
    """Which of the files the scene makes belong to an asset."""
    name, _, value = asset.partition("[")
    outputs = [output.replace("{{ matrix.n }}", value.rstrip("]")) for output in scene.pipeline["assets"][name].get("outputs", [])]
    return [made for made in scene.made if any(made == output or made.startswith(output + "/") for output in outputs)]


def go_on(folder, recorded, resume):
    """The next command: `resume` where there is something to resume and that is asked for, else `run`."""
    if resume and recorded.run is not None and not recorded.finished:
        return ("resume", "--json")
    return ("run", "--json")


def must_settle(folder, recorded, before, resume, tally):
    """The next command just works, and all is as if nothing had happened."""
    scene = folder.scene
    if scene.mend:
        folder.write("mended", "")
    command = go_on(folder, recorded, resume)
    document = folder.troupe(*command).must(0).json()
    tally.resumed += command[0] == "resume"
    assert document["status"] == "succeeded", document
    if command[0] == "resume":
        assert document["run"] == recorded.run, (document["run"], recorded.run)
    after = folder.begun()
    for asset in recorded.succeeded:
        assert after.get(asset, 0) == before.get(asset, 0), f"{asset} was recorded as succeeded, and `{command[0]}` ran it again"
    made = folder.made()
    assert made == scene.made, f"`{command[0]}` ended with {made}, not {scene.made}"
    left = processes_with(folder.mark)
    assert not left, f"left running after `{command[0]}`: {left}"
    assert folder.read(".troupe/.gitignore") == "*\n", "the state's .gitignore is not what it should be"
    verified = folder.troupe("journal", "verify", "--json").must(0).json()
    assert verified["ok"] and not verified["problems"], f"journal verify: {verified['problems']}"
    document = folder.troupe("run", "--json").must(0).json()
    again = {asset: count for asset, count in folder.begun().items() if count != after[asset] and asset not in scene.never_succeeds}
    assert not again, f"all was made, and yet a run made some again: {again}; {json.dumps(document)[:3000]}"


def crash_trial(scene, troupe, fault, tally, second=None, resume=False):
    """A run is killed, and perhaps the command after it too."""
    folder = Folder(scene, troupe)
    try:
        folder.prepare()
        outcome, killed = fault.strike(folder, "run")
        if not killed:       # the moment comes after the end
            outcome.must(scene.ends_with)
        recorded = check_record(folder, thorough=fault.at % 4 == 0)
        if not killed:
            assert recorded.finished, "a run that was reported as ended is not recorded as ended"
        before = folder.begun()
        if second and killed:
            if scene.mend:
                folder.write("mended", "")
            _, killed_again = second.strike(folder, *go_on(folder, recorded, resume))
            tally.twice += killed_again
            for asset in recorded.succeeded:
                assert folder.begun().get(asset, 0) == before.get(asset, 0), f"{asset} was recorded as succeeded, and was run again"
            recorded = check_record(folder, thorough=False)
            before = folder.begun()
        must_settle(folder, recorded, before, resume, tally)
        tally.trials += 1
        tally.killed += killed
    finally:
        folder.end_processes()
        folder.remove()


def error_trial(scene, troupe, fault, tally, resume=False, first=None):
    """A system call of a run fails: it succeeds all the same, fails an asset, or refuses; it says so, and leaves nothing behind. With
    `first` the run before it was killed, and it has that to recover from."""
    folder = Folder(scene, troupe)
    try:
        folder.prepare()
        if first:
            first.strike(folder, "run")
        outcome, _ = fault.strike(folder, "run", "--json")
        outcome.must(*CLEAR)
        left = processes_with(folder.mark)
        assert not left or (first and outcome.status in (2, 3)), f"left running: {left}; {outcome.told()}"
        recorded = check_record(folder, thorough=fault.at % 4 == 0)
        if outcome.status == 0:
            document = outcome.json()
            assert document["status"] == "succeeded", outcome.told()
            assert recorded.finished and recorded.run == document["run"], f"success was told, and is not recorded: {outcome.told()}"
            made = folder.made()
            assert made == scene.made, f"success was told, with {made}, not {scene.made}"
            tally.succeeded += 1
        elif outcome.status == 1:
            check_failure(scene, outcome, recorded)
            tally.failed += 1
        else:
            document = outcome.json() if outcome.text else {}
            message = document.get("error", {}).get("message") or outcome.errors
            assert message.strip(), f"no word of what went wrong: {outcome.told()}"
            assert outcome.status == 3 or (fault.hit.endswith("troupe.json") and (first or scene.edit is not None or not any(folder.begun().values()))), f"refused as a wrong pipeline: {outcome.told()}"
            tally.refused += 1
        must_settle(folder, recorded, folder.begun(), resume, tally)
        tally.trials += 1
    finally:
        folder.end_processes()
        folder.remove()


def check_failure(scene, outcome, recorded):
    """Exit status 1: either the document says which asset failed, and how, or standard output itself could not be written."""
    if not outcome.text.strip().endswith("}"):
        assert "standard output" in outcome.errors, f"neither a document nor a reason why not: {outcome.told()}"
        return
    document = outcome.json()
    failed = {name: asset for name, asset in document["assets"].items() if asset["status"] == "failed" and name not in scene.never_succeeds}
    assert document["status"] == "failed" and failed, outcome.told()
    for name, asset in failed.items():
        assert asset["error"] or asset["exit_code"], f"{name} failed without a word: {outcome.told()}"
    for name, asset in document["assets"].items():
        assert (asset["status"] == "succeeded") == (name in recorded.succeeded), f"{name} is told as {asset['status']}; recorded: {recorded.succeeded}"
