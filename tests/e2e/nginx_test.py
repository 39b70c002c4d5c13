#!/usr/bin/env python3
"""The example of docs/serve.md behind a real nginx with TLS: documents, webhooks and the journal's stream through it. Skipped without nginx. usage: nginx_test.py TROUPE [NAME...]"""
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys

from harness import Skip, contains, equal, main
from serve_test import Supervisor

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "serve.md")
SECRET = "nginx and troupe"
NAME = "troupe.example.org"


class Nginx:
    """The example, at a Unix socket in the place of port 443; ended with the test."""

    def __init__(self, shop, port):
        if shutil.which("nginx") is None or shutil.which("openssl") is None:
            raise Skip("there is no nginx, or no openssl")
        self.shop, self.socket = shop, shop.path("nginx.sock")
        with open(DOCS, encoding="utf-8") as file:
            (example,) = re.findall(r"```nginx\n(server \{.*?)```", file.read(), re.S)
        for said, here in (("listen 443 ssl;", f"listen unix:{self.socket} ssl;"), ("/etc/ssl/troupe.pem", shop.path("cert.pem")), ("/etc/ssl/troupe.key", shop.path("key.pem")),
                           ("http://127.0.0.1:7070", f"http://127.0.0.1:{port}")):
            assert example.count(said) == 1, (said, example)
            example = example.replace(said, here)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
                        "-keyout", shop.path("key.pem"), "-out", shop.path("cert.pem")], check=True, capture_output=True, timeout=60)
        temporary = "".join(f"{kind}_temp_path {shop.path('tmp')};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        shop.write("nginx.conf", f"{user} daemon off; pid {shop.path('nginx.pid')}; error_log stderr; events {{}} http {{ access_log off; {temporary} {example} }}")
        self.process = subprocess.Popen(["nginx", "-p", shop.folder, "-e", "stderr", "-c", shop.path("nginx.conf")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        shop.wait_for(lambda: os.path.exists(self.socket) or self.process.poll() is not None, "nginx listens")
        assert self.process.poll() is None, self.process.stderr.read().decode()
        self.context = ssl.create_default_context(cafile=shop.path("cert.pem"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.process.stderr.close()

    def connection(self):
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(60)
        plain.connect(self.socket)
        connection = http.client.HTTPSConnection(NAME, timeout=60)
        connection.sock = self.context.wrap_socket(plain, server_hostname=NAME)
        return connection

    def ask(self, method, target, body=None, headers=None):
        connection = self.connection()
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text


def the_example_of_the_docs_works(shop):
    shop.write("secret", SECRET)
    shop.pipeline({"a": {"command": "echo 1 > a.txt", "outputs": ["a.txt"]}}, triggers={"push": {"webhook": {"scheme": "github", "secret": {"from_file": "secret"}}}})
    with Supervisor(shop, "--listen", "127.0.0.1:0", "--host", NAME) as s, Nginx(shop, s.port) as nginx:
        token = {"Authorization": "Bearer " + shop.read(".troupe/token").strip()}
        equal(nginx.ask("GET", "/healthz")[0], 200)
        equal(nginx.ask("GET", "/api/v1/runs")[0], 401)
        status, headers, _ = nginx.ask("GET", "/api/v1/runs", headers=token)
        equal(status, 200)
        equal(nginx.ask("GET", "/api/v1/runs", headers={**token, "If-None-Match": headers["ETag"]})[0], 304)
        # The stream comes event by event, while nothing else does.
        stream = nginx.connection()
        stream.request("GET", "/api/v1/journal?from=1", headers={**token, "Accept": "text/event-stream"})
        lines = stream.getresponse()
        equal(lines.readline().decode().startswith(("id:", "event: hello", "retry:")), True)
        body = b'{"ref": "\xc3\xa9"}'
        signed = {"Content-Type": "application/json", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}
        status, _, text = nginx.ask("POST", "/hooks/test/push", body, signed)
        equal(status, 202)
        equal(nginx.ask("POST", "/hooks/test/push", body, {**signed, "X-Hub-Signature-256": "sha256=00"})[0], 401)
        while b"event: run_finished" not in (line := lines.readline()):
            assert line, "the stream has ended"
        stream.close()
        run = json.loads(text)["run"]
        equal(json.loads(nginx.ask("GET", f"/api/v1/runs/{run}", headers=token)[2])["status"], "succeeded")
        equal(nginx.ask("POST", f"/api/v1/runs/{run}/resume", "{}", {**token, "Content-Type": "application/json", "Origin": "https://evil.org"})[0], 403)
        equal(nginx.ask("POST", "/api/v1/pipelines/test/runs", "{}", {**token, "Content-Type": "application/json", "Origin": f"https://{NAME}"})[0], 202)
        contains(nginx.ask("GET", "/api/v1/runs", headers={**token, "Host": "evil.org"})[2], "foreign_host")
        s.stop()


TESTS = [the_example_of_the_docs_works]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
