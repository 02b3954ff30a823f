"""What the tests of `rondo serve` share: a server on a free port, and asking it over sockets."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

import language_models
import tag_test
import translations
from support import COMMAND, SMALL, CommandTest, corpus


class Server:
    """`rondo serve` in a folder, until it is stopped."""

    def __init__(self, folder, *words, token=None):
        self.token = token
        self.log_path = os.path.join(folder, "serve.log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([COMMAND, "serve", *words, "--port", "0"], cwd=folder, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline().decode()
        if not line:
            self.process.wait(60)
            raise RuntimeError(self.log())
        address = urllib.parse.urlsplit(line.strip())
        self.host, self.port = address.hostname, address.port

    def log(self):
        with open(self.log_path, "rb") as file:
            return file.read().decode()

    def stop(self, number=signal.SIGTERM, timeout=300):
        """The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def connection(self, timeout=300):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None, connection=None):
        """(status, headers, bytes) of one request; a dict goes as JSON, an iterator in chunks."""
        own = connection or self.connection()
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        if self.token:
            headers.setdefault("Authorization", "Bearer " + self.token)
        own.request(method, path, body, headers, encode_chunked="Transfer-Encoding" in headers)
        answer = own.getresponse()
        content = answer.read()
        if not connection:
            own.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def post(self, path, body, **options):
        """(status, JSON)."""
        status, _, content = self.ask("POST", path, body, **options)
        return status, json.loads(content) if content else None

    def get(self, path, **options):
        status, _, content = self.ask("GET", path, **options)
        return status, json.loads(content)

    def socket(self, timeout=300):
        return socket.create_connection((self.host, self.port), timeout=timeout)

    def raw(self, data, timeout=300):
        """All that comes back for these bytes until the server closes."""
        with self.socket(timeout) as one:
            try:
                one.sendall(data)
            except OSError:
                pass  # refused before all was sent
            return read_all(one)

    def metrics(self):
        """{'rondo_sessions': 3.0, ...}"""
        lines = self.ask("GET", "/metrics")[2].decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))


def read_all(one):
    content = b""
    while True:
        try:
            piece = one.recv(65536)
        except ConnectionResetError:
            return content
        if not piece:
            return content
        content += piece


def events(content):
    """[(name, JSON)] of server-sent events."""
    found = []
    for block in content.decode().split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((lines.get("event", ""), json.loads(lines["data"])))
    return found


class ServeTest(CommandTest):
    """Tiny models of every kind, trained once; a copy of them in each test's folder."""

    models = None

    @classmethod
    def setUpClass(cls):
        if ServeTest.models is not None:
            return
        ServeTest.models = tempfile.mkdtemp(prefix="rondo-serve-")
        unittest.addModuleCleanup(shutil.rmtree, cls.models)

        def write(name, content):
            with open(os.path.join(cls.models, name), "w") as file:
                file.write(content)

        def train(*words):
            subprocess.run([COMMAND, "train", *words, "-t", "1"], cwd=cls.models, check=True, timeout=300, stderr=subprocess.DEVNULL)

        write("train.csv", corpus())
        write("text.txt", language_models.text())
        write("train.conll", tag_test.columns(tag_test.sentences()))
        for language, side in ("en", 0), ("de", 1):
            write("train." + language, "".join(pair[side] + "\n" for pair in translations.pairs(200)))
        train("classify", "-i", "train.csv", "-o", "news.rondo", *SMALL, "--no-bidirectional")
        train("lm", "-i", "text.txt", "-o", "poems.rondo", *language_models.SMALL)
        train("tag", "-i", "train.conll", "-o", "names.rondo", *tag_test.SMALL)
        train("translate", "--source", "train.en", "--target", "train.de", "-o", "en-de.rondo",
              *translations.TranslationTest.SMALL[:-4], "--after", "3e", "--min-count", "1")

    ALL = ["news.rondo", "poems.rondo", "names.rondo", "en-de.rondo"]

    def setUp(self):
        super().setUp()
        for name in self.ALL:
            shutil.copy(os.path.join(self.models, name), self.folder)

    def serve(self, *words, **options):
        server = Server(self.folder, *words, **options)
        self.addCleanup(server.stop, signal.SIGKILL)
        return server

    def assert_serves(self, server):
        status, answer = server.post("/v1/predict", {"text": "goal match"})
        self.assertEqual((status, answer["results"][0]["predictions"][0]["label"]), (200, "Sports"))

    def wait_until(self, condition, seconds=120):
        """Asks again and again; a refusal, or a connection that breaks, is no answer yet."""
        end = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except (AssertionError, KeyError, OSError, http.client.HTTPException):
                if time.monotonic() > end:
                    raise
            self.assertLess(time.monotonic(), end, "it did not come")
            time.sleep(0.02)

    def wait_for_service(self, server):
        self.wait_until(lambda: self.assert_serves(server) is None)

    def assert_error(self, reply, status, words=""):
        got, answer = reply
        self.assertEqual(got, status, answer)
        self.assertEqual(answer["error"]["status"], status)
        self.assertIn(words, answer["error"]["message"])
