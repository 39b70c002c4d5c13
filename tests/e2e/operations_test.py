#!/usr/bin/env python3
"""What runs `troupe serve`: its settings, its log, the service manager, health. usage: operations_test.py TROUPE [NAME...]"""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import harness
from harness import Skip, contains, equal, main
from serve_test import Supervisor

PACKAGING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packaging", "systemd")
# Says when it begins and ends; two that ran at the same time say so.
MARKED = "echo {0} begins >> log; sleep 0.1; echo {0} ends >> log"


def supervised(shop, *files, **more):
    shop.write("supervisor.json", json.dumps({"pipelines": list(files), "auto_reload": False, **more}))


def most_at_a_time(lines):
    most = now = 0
    for line in lines:
        now += 1 if line.endswith("begins") else -1
        most = max(most, now)
    return most


def started(shop, supervisor, *pipelines):
    return [supervisor.post(f"/api/v1/pipelines/{name}/runs", {"force": True})["number"] for name in pipelines]


def pools_of_the_supervisor_are_shared_by_its_pipelines(shop):
    for name in ("one", "two"):
        shop.pipeline({f"{name}{i}": {"command": MARKED.format(f"{name}{i}"), "pools": {"db": 1}} for i in range(4)}, name=name, file=f"{name}.json",
                      engine={"pools": {"db": 4}, "workers": 4})
    supervised(shop, "one.json", "two.json", pools={"db": 1}, workers=8)
    with Supervisor(shop) as s:
        for number in started(shop, s, "one", "two"):
            equal(s.wait_for_end(number)["status"], "succeeded")
        equal(most_at_a_time(shop.lines("log")), 1)
        equal(len(shop.lines("log")), 16)
        os.unlink(shop.path("log"))
        equal(s.wait_for_end(started(shop, s, "one")[0])["status"], "succeeded")   # alone, it is bound by it as well
        equal(most_at_a_time(shop.lines("log")), 1)
        s.stop()


def other_pools_are_each_pipelines_own(shop):
    for name, other in (("one", "two"), ("two", "one")):
        shop.pipeline({name: {"command": f"touch {name}.here; until test -e {other}.here; do sleep 0.01; done", "pools": {"x": 1}, "timeout": "60s"}},
                      name=name, file=f"{name}.json", engine={"pools": {"x": 1}})
    supervised(shop, "one.json", "two.json")
    with Supervisor(shop) as s:
        for number in started(shop, s, "one", "two"):
            equal(s.wait_for_end(number)["status"], "succeeded")   # they need each other at the same time
        s.stop()


def workers_are_those_of_the_supervisor(shop):
    for name in ("one", "two"):
        shop.pipeline({f"{name}{i}": {"command": MARKED.format(f"{name}{i}")} for i in range(4)}, name=name, file=f"{name}.json", engine={"workers": 4})
    supervised(shop, "one.json", "two.json", workers=2)
    with Supervisor(shop) as s:
        for number in started(shop, s, "one", "two"):
            equal(s.wait_for_end(number)["status"], "succeeded")
        most = most_at_a_time(shop.lines("log"))
        assert most <= 2, most
        s.stop()


def what_the_supervisor_cannot_serve_is_left_out(shop):
    shop.pipeline({"x": {"command": "echo 1 > state/x.txt", "outputs": ["state/x.txt"]}}, name="inside", file="inside.json")
    shop.pipeline({"x": {"command": "true", "pools": {"db": 3}}}, name="large", file="large.json", engine={"pools": {"db": 4}})
    shop.pipeline({"x": {"command": "true"}}, name="quick", file="quick.json", engine={"durability": "none"})
    supervised(shop, "inside.json", "large.json", "quick.json", state_dir="state", pools={"db": 2})
    with Supervisor(shop) as s:
        sock = shop.path("state/supervisor.sock")
        s.connection = lambda: __import__("serve_test").UnixConnection(sock)
        ready = s.get("/readyz")
        equal(sorted(os.path.basename(one["file"]) for one in ready["degraded"]), ["inside.json", "large.json"])
        contains(json.dumps(ready), "state/x.txt", "takes 3 slots of the pool")
        contains(s.said(), 'asks for the durability \\"none\\"' if '\\"' in s.said() else 'asks for the durability "none"')
        os.chmod(shop.path("quick.json"), 0o666)
        contains(s.ask("POST", "/api/v1/pipelines/quick/runs", {})[2]["detail"], "every user may write")
        s.stop()


def the_log_is_lines_of_json_with_fields(shop):
    shop.pipeline({"x": {"command": "false"}}, triggers={"t": {"manual": {}}})
    with Supervisor.__new__(Supervisor) as s:
        s.shop, s.log, s.port = shop, open(shop.path("out"), "ab"), None
        s.process = subprocess.Popen([harness.TROUPE, "--log-format", "json", "serve"], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=s.log, stderr=s.log)
        shop.wait_for(lambda: shop.exists(".troupe/supervisor.sock"), "it serves")
        number = shop.troupe("notify", "t", "--body", '{"secret": "hush"}', "--json").must(0).json()["run"]
        s.wait_for_end(number)
        s.stop()
    entries = [json.loads(line) for line in shop.lines("out")]
    ended = [entry for entry in entries if entry.get("run") == number]
    equal([(entry["level"], entry["pipeline"]) for entry in ended][-1], ("warning", "test"))
    contains(ended[0]["text"], "begins, for the trigger t")
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", entry["at"]) for entry in entries), entries
    assert "hush" not in shop.read("out")


def journald_gets_priorities_and_the_level_counts(shop):
    shop.pipeline({"x": {"command": "false"}})
    with open(shop.path("out"), "ab") as out:
        info = os.fstat(out.fileno())
        env = {**os.environ, "JOURNAL_STREAM": f"{info.st_dev}:{info.st_ino}"}
        process = subprocess.Popen([harness.TROUPE, "serve"], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env)
        shop.wait_for(lambda: "serving" in shop.read("out"), "it serves")
        process.send_signal(signal.SIGTERM)
        equal(process.wait(60), 0)
    assert all(line.startswith("<6>") for line in shop.lines("out")), shop.lines("out")
    contains(shop.read("out"), "<6>serving 1 of 1 pipeline")
    with open(shop.path("quiet"), "ab") as out:
        process = subprocess.Popen([harness.TROUPE, "--log-level", "error", "serve"], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        shop.wait_for(lambda: shop.exists(".troupe/supervisor.sock"), "it serves")
        process.send_signal(signal.SIGTERM)
        equal(process.wait(60), 0)
    equal(shop.read("quiet"), "")


class Manager:
    """A service manager's socket, and what it hears."""

    def __init__(self, shop):
        self.path = os.path.join(shop.top, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        try:
            while True:
                self.heard.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return self.heard


def the_service_manager_is_told(shop):
    shop.pipeline({"x": {"command": "env > env.txt; echo done > x.txt", "outputs": ["x.txt"]}})
    manager = Manager(shop)
    env = {**os.environ, "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000", "CREDENTIALS_DIRECTORY": "/run/credentials/x"}
    process = subprocess.Popen([harness.TROUPE, "serve"], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    try:
        shop.wait_for(lambda: any("READY=1" in word for word in manager.listen()), "it is ready")
        contains("".join(manager.heard), "STATUS=1 of 1 pipeline, 0 runs live, 0 queued")
        shop.wait_for(lambda: "".join(manager.listen()).count("WATCHDOG=1") >= 3, "the loop turns")
        s = Supervisor.__new__(Supervisor)
        s.shop = shop
        equal(s.wait_for_end(s.post("/api/v1/pipelines/test/runs")["number"])["status"], "succeeded")
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "CREDENTIALS_DIRECTORY", "LISTEN_"):
            assert name not in shop.read("env.txt"), name
        process.send_signal(signal.SIGHUP)
        shop.wait_for(lambda: any(word.startswith("RELOADING=1\nMONOTONIC_USEC=") for word in manager.listen()), "it reloads")
        shop.wait_for(lambda: sum("READY=1" in word for word in manager.listen()) == 2, "it is ready again")
        shop.troupe("reload").must(0)
        shop.wait_for(lambda: sum("READY=1" in word for word in manager.listen()) == 3, "and again")
        process.send_signal(signal.SIGTERM)
        equal(process.wait(60), 0)
        contains("".join(manager.listen()), "STOPPING=1", "EXTEND_TIMEOUT_USEC=")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)


def sockets_of_the_service_manager_are_served(shop):
    shop.pipeline({"x": {"command": "true"}})
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        port = listening.getsockname()[1]
        read = socket.create_connection(("127.0.0.1", port))   # before anybody serves: it waits
        read.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        # The shell's process id is that of the program it becomes.
        command = f'exec 3<&{listening.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=api exec "{harness.TROUPE}" serve'
        process = subprocess.Popen(["sh", "-c", command], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   pass_fds=[listening.fileno()])
    try:
        read.settimeout(60)
        answer = b""
        while chunk := read.recv(4096):
            answer += chunk
        contains(answer.decode(), "200 OK", '"healthy":true')
        # It is TCP, so it needs a token, which was made.
        with socket.create_connection(("127.0.0.1", port)) as other:
            other.sendall(b"GET /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            contains(other.recv(4096).decode(), "401")
        equal(os.stat(shop.path(".troupe/token")).st_mode & 0o777, 0o600)
    finally:
        process.send_signal(signal.SIGTERM)
        equal(process.wait(60), 0)
        read.close()


def a_socket_for_hooks_serves_hooks_alone(shop):
    shop.write("secret", "s3cret")
    shop.pipeline({"x": {"command": "true"}}, triggers={"push": {"webhook": {"scheme": "gitlab", "secret": {"from_file": "secret"}}}})
    with socket.socket() as hooks, socket.socket() as api:
        for one in (hooks, api):
            one.bind(("127.0.0.1", 0))
            one.listen(16)
        ports = [one.getsockname()[1] for one in (hooks, api)]
        command = f'exec 8<&{hooks.fileno()} 9<&{api.fileno()}; exec 3<&8 4<&9 8<&- 9<&-; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=hooks:api exec "{harness.TROUPE}" serve'
        process = subprocess.Popen(["sh", "-c", command], cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   pass_fds=[hooks.fileno(), api.fileno()])

    def ask(port, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(method, target, body, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text
    try:
        equal(ask(ports[0], "POST", "/hooks/test/push", "{}", {"X-Gitlab-Token": "s3cret"})[0], 202)
        equal(ask(ports[0], "POST", "/hooks/test/push", "{}", {"X-Gitlab-Token": "wrong"})[0], 401)
        token = {"Authorization": "Bearer " + shop.read(".troupe/token").strip()}
        for method, target in (("GET", "/healthz"), ("GET", "/api/v1/runs"), ("GET", "/metrics"), ("POST", "/api/v1/pipelines/test/runs"), ("GET", "/api/v1/journal")):
            status, text = ask(ports[0], method, target, "{}" if method == "POST" else None, token)
            equal((target, status), (target, 404))
            contains(text, "webhooks alone")
        equal((ask(ports[1], "GET", "/healthz")[0], ask(ports[1], "GET", "/api/v1/runs", headers=token)[0]), (200, 200))
    finally:
        process.send_signal(signal.SIGTERM)
        equal(process.wait(60), 0)


def units_are_as_systemd_wants_them(shop):
    if shutil.which("systemd-analyze") is None:
        raise Skip("there is no systemd-analyze")
    for name in ("troupe.service", "troupe.socket"):
        with open(os.path.join(PACKAGING, name), encoding="utf-8") as file:
            shop.write(name, file.read().replace("/usr/bin/troupe", harness.TROUPE).replace("User=troupe", "User=root").replace("Group=troupe", "Group=root"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", shop.path("troupe.service"), shop.path("troupe.socket")], capture_output=True, text=True, check=False)
    if "Failed to" in done.stderr and "setup" in done.stderr:
        raise Skip("systemd-analyze does not run here: " + done.stderr.strip())
    equal((done.returncode, [line for line in done.stderr.splitlines() if "troupe.s" in line]), (0, []))
    graded = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=30", shop.path("troupe.service")], capture_output=True, text=True, check=False)
    if "unrecognized option" in graded.stderr:
        raise Skip("this systemd-analyze grades no files")
    equal(graded.returncode, 0)


def health_lists_each_condition(shop):
    shop.pipeline({"x": {"command": "true"}}, triggers={"t": {"manual": {}}})
    supervised(shop, "troupe.json")
    with Supervisor(shop) as s:
        ready = s.get("/readyz")
        equal({name: one["ok"] for name, one in ready["conditions"].items()},
              {"recovered": True, "listening": True, "journal": True, "commits": True, "configuration": True, "taking": True})
        shop.troupe("notify", "t").must(0)
        shop.wait_for(lambda: 'troupe_trigger_events_total{pipeline="test",trigger="t",fate="started"} 1' in s.get("/metrics"), "it is counted")
        figures = s.get("/metrics")
        contains(figures, 'troupe_runs_from_queue_total{pipeline="test"} 1', 'troupe_queue_wait_seconds_total{pipeline="test"} ', 'troupe_start_delay_seconds_total{pipeline="test"} ')
        contains(figures, "troupe_config_last_reload_successful 1", 'troupe_trigger_paused{pipeline="test",trigger="t"} 0', "troupe_runs_left_open 0",
                 "troupe_journal_commit_wait_seconds ")
        # Each line is a comment, or a name with labels and a number.
        for line in figures.splitlines():
            assert line.startswith("# ") or re.fullmatch(r'[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)*\})? -?[0-9.e+-]+', line), line
        shop.write("troupe.json", "{")
        shop.troupe("reload").must(2)
        contains(s.get("/metrics"), "troupe_config_last_reload_successful 0", "troupe_config_reload_failures_total 1")
        ready = s.get("/readyz")
        equal((ready["ready"], ready["conditions"]["configuration"]["ok"]), (True, False))
        s.stop()


TESTS = [pools_of_the_supervisor_are_shared_by_its_pipelines, other_pools_are_each_pipelines_own, workers_are_those_of_the_supervisor,
         what_the_supervisor_cannot_serve_is_left_out, the_log_is_lines_of_json_with_fields, journald_gets_priorities_and_the_level_counts,
         the_service_manager_is_told, sockets_of_the_service_manager_are_served, a_socket_for_hooks_serves_hooks_alone, units_are_as_systemd_wants_them, health_lists_each_condition]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
