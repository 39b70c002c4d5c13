#!/usr/bin/env python3
"""Runs as jobs of a terminal: commands that want to use it, and what is painted on it.
usage: terminals_test.py TROUPE [NAME...]"""
import os
import pty
import re
import select
import signal
import sys
import termios
import time

import harness
from harness import alive, contains, equal, finish, main


class Terminal:
    """A terminal of its own with a session leader in front of it, which starts troupe as a job like an interactive shell."""

    def __init__(self, shop, *arguments, background=False, tostop=False):
        self.text = ""
        self.orders, orders = os.pipe()[::-1]
        self.leader, self.screen = pty.fork()
        if self.leader == 0:
            os.chdir(shop.folder)
            os.environ.update(TERM="xterm", NO_COLOR="")
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            if tostop:
                modes = termios.tcgetattr(0)
                modes[3] |= termios.TOSTOP
                termios.tcsetattr(0, termios.TCSANOW, modes)
            job = os.fork()
            if job == 0:
                os.setpgid(0, 0)
                if not background:
                    os.tcsetpgrp(0, os.getpid())
                signal.signal(signal.SIGTTOU, signal.SIG_DFL)
                os.execv(harness.TROUPE, [harness.TROUPE, *arguments])
            while os.read(orders, 1) == b"f":
                os.tcsetpgrp(0, job)
            status = os.waitpid(job, 0)[1]
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)
        os.close(orders)

    def read(self):
        """What has come since; False once nothing more comes."""
        if not select.select([self.screen], [], [], 0.05)[0]:
            return True
        try:
            more = os.read(self.screen, 65536)
        except OSError:
            return False
        self.text += more.decode(errors="replace")
        return bool(more)

    def wait_for(self, text):
        deadline = time.monotonic() + 30
        while text not in self.plain():
            assert self.read() and time.monotonic() < deadline, f"{text!r} is not in {self.plain()!r}"

    def plain(self):
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text)

    def bring_to_foreground(self):
        os.write(self.orders, b"f")

    def type(self, text):
        os.write(self.screen, text)

    def finish(self):
        os.write(self.orders, b"e")
        while self.read():
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.leader, 0)[1])
        os.close(self.orders)
        os.close(self.screen)
        return status


def a_command_that_waits_for_the_terminal(shop):
    shop.pipeline({"asks": {"command": "read x < /dev/tty; echo \"got $x\""}, "member": {"command": "head -n 1 /dev/tty; true"},
                   "changes": {"command": "stty -F /dev/tty -echo"}}, engine={"workers": 3, "grace_period": "1s"})
    terminal = Terminal(shop, "run")
    for asset in ("asks", "member", "changes"):
        terminal.wait_for(f"asset {asset}: it waits for the terminal")
    terminal.wait_for("Ctrl-C")
    terminal.type(b"\x03")
    equal(terminal.finish(), 130)
    equal(shop.troupe("runs", "--json").must(0).json()["runs"][0]["status"], "cancelled")


def the_timeout_of_a_command_that_waits_for_the_terminal(shop):
    """Also of more commands than have a thread each that waits for them."""
    shop.pipeline({"asks": {"matrix": {"n": [str(n) for n in range(20)]}, "command": "read x < /dev/tty; : {{ matrix.n }}", "timeout": "4s"}},
                  engine={"workers": 20, "grace_period": "1s", "error_strategy": "continue"})
    terminal = Terminal(shop, "run")
    equal(terminal.finish(), 1)
    document = shop.troupe("show", "--json").must(0).json()
    for n in range(20):
        contains(document["assets"][f"asks[{n}]"]["error"], "timeout of 4", "waited for the terminal")
        contains(terminal.plain(), f"asset asks[{n}]: it waits for the terminal")


def a_command_that_somebody_stops(shop):
    shop.pipeline({"a": {"command": "echo $$ > a.pid; sleep 300"}})
    process = shop.start("run")
    shop.wait_for_file("a.pid")
    os.kill(int(shop.read("a.pid")), signal.SIGSTOP)
    line = process.stdout.readline()
    while b"is stopped by signal 19" not in line:
        assert line, "it ended"
        line = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    finish(process).must(143)
    assert not alive(int(shop.read("a.pid")))


def a_job_in_the_background_does_not_repaint(shop):
    moves_cursor = re.compile(r"\x1b\[[0-9]*[AJK]")
    shop.pipeline({"bad": {"command": "sleep 0.5; exit 3"}, "long": {"command": "until test -e go; do sleep 0.05; done"}}, engine={"workers": 2, "error_strategy": "continue"})
    terminal = Terminal(shop, "run", background=True)
    terminal.wait_for("bad  failed")
    assert not moves_cursor.search(terminal.text) and "run #1" not in terminal.plain(), terminal.text
    terminal.bring_to_foreground()
    terminal.wait_for("run #1")                        # from now on it is painted, and repainted
    shop.wait_for(lambda: terminal.read() and moves_cursor.search(terminal.text), "it is repainted")
    shop.write("go", "")
    equal(terminal.finish(), 1)


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def a_job_that_is_stopped_for_its_words_can_be_cancelled(shop):
    """stty tostop: who writes from the background is stopped, again and again; not so a run that is to end."""
    shop.pipeline({"bad": {"command": "sleep 0.2; exit 3"}, "long": {"command": "echo $PPID > pid; sleep 300"}}, engine={"workers": 2, "error_strategy": "continue"})
    terminal = Terminal(shop, "run", background=True, tostop=True)
    shop.wait_for_file("pid")
    supervisor = int(shop.read("pid"))
    shop.wait_for(lambda: terminal.read() and state_of(supervisor) == "T", "it is stopped")
    contains(shop.troupe("cancel").must(0).text, "cancelled")
    equal(terminal.finish(), 1)
    contains(terminal.plain(), "bad  failed", "cancelled")


def a_job_that_was_stopped_leaves_the_screen_as_it_is(shop):
    """What a shell has written meanwhile is not painted over: the block begins anew below it."""
    shop.pipeline({"long": {"command": "echo $PPID > pid; until test -e go; do sleep 0.05; done"}})
    terminal = Terminal(shop, "run")
    terminal.wait_for("run #1")
    shop.wait_for_file("pid")
    supervisor = int(shop.read("pid"))
    os.kill(supervisor, signal.SIGSTOP)
    shop.wait_for(lambda: state_of(supervisor) == "T", "it is stopped")
    while select.select([terminal.screen], [], [], 0.3)[0]:
        terminal.read()
    before = len(terminal.text)
    os.kill(supervisor, signal.SIGCONT)
    shop.wait_for(lambda: terminal.read() and "run #1" in terminal.text[before:], "it is painted again")
    assert not re.match(r"\x1b\[[0-9]*[AJ]", terminal.text[before:]), terminal.text[before:]
    shop.write("go", "")
    equal(terminal.finish(), 0)


TESTS = [a_command_that_waits_for_the_terminal, the_timeout_of_a_command_that_waits_for_the_terminal, a_command_that_somebody_stops,
         a_job_in_the_background_does_not_repaint, a_job_that_is_stopped_for_its_words_can_be_cancelled,
         a_job_that_was_stopped_leaves_the_screen_as_it_is]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
