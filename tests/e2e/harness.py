"""What the end-to-end tests share: a folder with a pipeline, the troupe program run in it, and few assertions. Knows the CLI only."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

TROUPE = ""
TIMEOUT_S = 120
SKIPPED = 77                     # meson's exit status for it
SKIP_NOTHING = "TROUPE_TESTS_SKIP_NOTHING"   # set where every test has to run: what would be skipped fails then


class Skip(Exception):
    """What a test needs is not to be had on this machine; says what."""


class Result:
    """How a troupe process ended, and what it printed."""

    def __init__(self, arguments, status, text, errors):
        self.arguments, self.status, self.text, self.errors = arguments, status, text, errors

    def json(self):
        try:
            return json.loads(self.text)
        except ValueError:
            raise AssertionError(f"troupe {' '.join(self.arguments)}: no JSON document on standard output: {self.text[:800]!r}; "
                                 f"standard error: {self.errors[-1500:]}") from None

    def must(self, status):
        assert self.status == status, (f"troupe {' '.join(self.arguments)}: exit status {self.status}, not {status}\n"
                                       f"--- standard output\n{self.text[-2500:]}\n--- standard error\n{self.errors[-2500:]}")
        return self


class Workshop:
    """A temporary folder with a pipeline file; removed at the end."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="troupe-e2e-")
        self.folder = os.path.join(self.top, "work")
        os.mkdir(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=None):
        """A file; bytes of its name that are not UTF-8 are given as in os.fsdecode."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        if mode is not None:
            os.chmod(self.path(name), mode)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def lines(self, name):
        return self.read(name).splitlines() if self.exists(name) else []

    def pipeline(self, assets, name="test", file="troupe.json", **more):
        self.write(file, json.dumps({"name": name, **more, "assets": assets}, indent=1))

    def troupe(self, *arguments, stdin=None, env=None):
        done = subprocess.run([TROUPE, *arguments], cwd=self.folder, input=stdin.encode() if stdin is not None else None,
                              stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True, timeout=TIMEOUT_S, check=False,
                              env={**os.environ, **(env or {})})
        return Result(arguments, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def run(self, *arguments, status=0, **options):
        """`troupe run --json`: its document."""
        return self.troupe("run", "--json", *arguments, **options).must(status).json()

    def plan(self, *arguments, **options):
        return self.troupe("plan", "--json", *arguments, **options).must(0).json()

    def reasons(self, asset, *arguments, **options):
        """What `plan` says of one asset: (action, [(kind, detail)])."""
        entry = self.plan(*arguments, **options)["assets"][asset]
        return entry["action"], [(r["kind"], r["detail"]) for r in entry["reasons"]]

    def start(self, *arguments, **how):
        """A troupe process that goes on; end it with finish(). `how`: more for subprocess.Popen."""
        return subprocess.Popen([TROUPE, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)

    def wait_for(self, condition, what):
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, f"after 30 s still not: {what}"
            time.sleep(0.01)

    def wait_for_status(self, asset, status):
        """Until the journal tells it of the last run, whose beginning it has."""
        self.wait_for(lambda: self.troupe("show", "latest", "--json").must(0).json()["assets"][asset]["status"] == status, f"{asset} is recorded as {status}")

    def wait_for_file(self, name):
        self.wait_for(lambda: self.exists(name) and os.path.getsize(self.path(name)) > 0, f"{name} exists")


def finish(process, arguments=("…",)):
    text, errors = process.communicate(timeout=TIMEOUT_S)
    return Result(arguments, process.returncode, text.decode(errors="replace"), errors.decode(errors="replace"))


def heeds(pid, number):
    """Whether a process catches that signal by now."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            caught = next((line.split()[1] for line in file if line.startswith("SigCgt:")), "0")
    except OSError:
        return False
    return bool(int(caught, 16) >> (number - 1) & 1)


def alive(pid):
    """Whether a process runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


def statuses(document):
    return {name: asset["status"] for name, asset in document["assets"].items()}


def equal(got, expected):
    assert got == expected, f"got {got!r}\nexpected {expected!r}"


def contains(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in {text[-2500:]!r}"


def main(tests, arguments):
    """Runs the tests named (default: all) and ends with "N passed, N failed". Every test leaves a journal that verifies."""
    global TROUPE
    TROUPE = os.path.abspath(arguments[0])
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):   # ignored where these tests run in the background; troupe would heed that
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    passed = failed = skipped = 0
    for test in tests:
        if arguments[1:] and test.__name__ not in arguments[1:]:
            continue
        started = time.monotonic()
        with Workshop() as shop:
            try:
                test(shop)
                if os.path.isdir(shop.path(".troupe")):
                    verified = shop.troupe("journal", "verify", "--json").must(0).json()
                    equal((verified["ok"], verified["problems"]), (True, []))
                passed += 1
                print(f"ok      {test.__name__} ({time.monotonic() - started:.2f} s)", flush=True)
            except Skip as why:
                skipped += not os.environ.get(SKIP_NOTHING)
                failed += bool(os.environ.get(SKIP_NOTHING))
                print(f"{'FAILED, because it would be ' if os.environ.get(SKIP_NOTHING) else ''}skipped {test.__name__}: {why}", flush=True)
            except Exception:  # whatever it is: report it, and go on with the next test
                failed += 1
                print(f"FAILED  {test.__name__}", flush=True)
                traceback.print_exc(limit=-3, file=sys.stdout)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else SKIPPED if skipped and not passed else 0
