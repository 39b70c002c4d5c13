#!/usr/bin/env python3
"""Plays configs/supervisor, from a copy, as its comments tell a newcomer to: a schedule, a watched folder, a webhook, a sensor and changes of assets at work. usage: supervisor_test.py TROUPE SOURCE_ROOT"""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Demo:
    def __init__(self, troupe, folder):
        self.troupe, self.folder = troupe, folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_for(self, what, condition):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"after 60 s still not: {what}\n{self.read('log')[-3000:]}"
            time.sleep(0.05)

    def ask(self, method, target, body=None):
        connection = UnixConnection(self.path("out/state/supervisor.sock"))
        connection.request(method, target, body, {"Content-Type": "application/json"} if body is not None else {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status in (200, 202), (target, answer.status, text)
        return text

    def play(self):
        self.wait_for("it serves", lambda: os.path.exists(self.path("out/state/supervisor.sock")))
        self.wait_for("the schedule has fired", lambda: self.read("out/load.txt").count("\n") >= 1)
        self.wait_for("the sensor has reported", lambda: self.read("out/packages.txt").startswith("as of "))
        os.makedirs(self.path("out/inbox"), exist_ok=True)
        with open(self.path("out/inbox/words.txt"), "w", encoding="utf-8") as file:
            file.write("rose is a rose is a Rose\n")
        self.wait_for("the watched folder was seen", lambda: "3 rose" in self.read("out/words.txt"))
        assert json.loads(self.ask("POST", "/hooks/desk/note", json.dumps({"text": "$(touch out/hacked) & <b>"})))["run"]
        self.wait_for("the note was taken", lambda: "note: $(touch out/hacked) & <b>\n" in self.read("out/notes.txt"))
        assert not os.path.exists(self.path("out/hacked"))
        self.wait_for("the page has all of it", lambda: all(part in self.read("out/page.html") for part in ("3 rose", "note: $(touch", "&amp; &lt;b>", "== out/load.txt", "== out/packages.txt")))
        with open(self.path("out/broken"), "w", encoding="utf-8"):
            pass
        self.wait_for("somebody was told of a failure", lambda: '"kind": "failed"' in self.read("out/notices.jsonl").replace('":"', '": "'))
        os.remove(self.path("out/broken"))
        self.wait_for("and of its end", lambda: '"kind": "recovered"' in self.read("out/notices.jsonl").replace('":"', '": "'))
        kinds = {one["kind"] for one in json.loads(self.ask("GET", "/api/v1/events"))["events"] if one["fate"] in ("started", "coalesced", "pending")}
        assert kinds >= {"schedule", "sensor", "watch", "webhook", "assets"}, kinds
        degraded = {name: one["degraded"] for name, one in json.loads(self.ask("GET", "/api/v1/triggers"))["triggers"].items() if one["degraded"]}
        assert not degraded, degraded


def main(troupe, root):
    top = tempfile.mkdtemp(prefix="troupe-demo-")
    try:
        shutil.copytree(os.path.join(root, "configs", "supervisor"), os.path.join(top, "supervisor"), ignore=shutil.ignore_patterns("out"))
        demo = Demo(os.path.abspath(troupe), os.path.join(top, "supervisor"))
        checked = subprocess.run([demo.troupe, "serve", "-f", "supervisor.json", "--check"], cwd=demo.folder, capture_output=True, timeout=60, check=False)
        assert checked.returncode == 0, checked
        with open(demo.path("log"), "wb") as log:
            process = subprocess.Popen([demo.troupe, "serve", "-f", "supervisor.json"], cwd=demo.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                demo.play()
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait(60)
        verified = subprocess.run([demo.troupe, "journal", "verify", "--state", "out/state", "-f", "desk.json"], cwd=demo.folder, capture_output=True, timeout=60, check=False)
        assert verified.returncode == 0, verified
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
