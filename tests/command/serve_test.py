"""rondo serve: every route, every limit, and clients who mean no good."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import language_models
import servers
import tag_test
import translations
from servers import Server, events
from support import COMMAND, SMALL, CommandTest, corpus, main


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


class Routes(ServeTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve(*self.ALL)

    def command(self, *words):
        return [json.loads(line) for line in self.succeed(*words).splitlines()]

    def test_predict_answers_as_the_command(self):
        texts = ["goal match team", "", "chip server \u00e9 \U0001f600"]
        status, answer = self.server.post("/v1/predict", {"texts": texts, "best": 3})
        self.assertEqual((status, answer["model"]), (200, "news"))
        self.write("texts.txt", "".join(text + "\n" for text in texts))
        own = self.command("predict", "news.rondo", "texts.txt", "--format", "lines", "--json", "-k", "3")
        self.assertEqual([one["predictions"] for one in answer["results"]], [one["predictions"] for one in own])

    def test_tag_answers_as_the_command(self):
        status, answer = self.server.post("/v1/tag", {"text": "Ada met Alan Turing", "n_best": 2, "marginals": True})
        self.assertEqual(status, 200)
        own = self.command("predict", "names.rondo", "Ada met Alan Turing", "--json", "--n-best", "2", "--marginals")
        self.assertEqual(answer["results"], own)

    def test_translate_answers_as_the_command(self):
        status, answer = self.server.post("/v1/translate", {"texts": ["one red dog", "two cat"], "n_best": 2, "beam": 4})
        self.assertEqual(status, 200)
        self.write("in.en", "one red dog\ntwo cat\n")
        own = self.command("translate", "en-de.rondo", "in.en", "--json", "--n-best", "2", "--beam", "4")
        for one, other in zip(answer["results"], own):
            self.assertEqual([t["text"] for t in one["translations"]], [t["text"] for t in other["translations"]])
            self.assertEqual([t["score"] for t in one["translations"]], [t["score"] for t in other["translations"]])

    def test_generate_answers_as_the_command_whole_and_as_events(self):
        body = {"prompt": "the ", "length": 40, "temperature": 0.8, "top_k": 5, "seed": 3}
        status, whole = self.server.post("/v1/generate", body)
        self.assertEqual(status, 200)
        own = self.command("generate", "poems.rondo", "the ", "--length", "40", "--temperature", "0.8", "--top-k", "5",
                           "--seed", "3", "--json")
        self.assertEqual(whole["text"], own[0]["text"])
        status, headers, content = self.server.ask("POST", "/v1/generate", {**body, "stream": True})
        self.assertEqual((status, headers["content-type"]), (200, "text/event-stream"))
        *pieces, (name, done) = events(content)
        self.assertEqual("".join(piece["text"] for _, piece in pieces), whole["text"])
        self.assertGreater(len(pieces), 5)
        self.assertEqual((name, done["tokens"], done["why"]), ("done", whole["tokens"], whole["why"]))

    def test_look_answers_as_the_command(self):
        for name, text in ("news", "goal match"), ("poems", "the "), ("names", "Ada met Alan"), ("en-de", "one red dog"):
            status, answer = self.server.post("/v1/look", {"model": name, "text": text, "gradient": True})
            self.assertEqual((status, answer["entries"][0].pop("model")), (200, name))
            own = json.loads(self.succeed("look", name + ".rondo", text, "--json"))
            del own["entries"][0]["model"]
            self.assertEqual(answer, own)

    def test_events_come_one_by_one(self):
        with self.server.socket() as one:
            body = json.dumps({"length": 2000, "ignore_end": True, "stream": True}).encode()
            one.sendall(b"POST /v1/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(body) + body)
            first = one.recv(300)
            self.assertIn(b"200 OK", first)
            self.assertNotIn(b"event: done", first)

    def test_a_client_of_http_1_0_gets_its_events_without_chunks(self):
        body = json.dumps({"length": 5, "stream": True}).encode()
        content = self.server.raw(b"POST /v1/generate HTTP/1.0\r\nContent-Type: application/json\r\n"
                                  b"Content-Length: %d\r\n\r\n" % len(body) + body)
        head, _, rest = content.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head)
        self.assertEqual(events(rest)[-1][0], "done")

    def test_sessions_from_beginning_to_end(self):
        status, created = self.server.post("/v1/sessions", {"model": "news", "text": "goal"})
        self.assertEqual(status, 201)
        path = "/v1/sessions/" + created["id"]
        status, fork = self.server.post(path + "/fork", {})
        self.assertEqual(status, 201)
        status, fed = self.server.post(path + "/feed", {"text": "match team"})
        self.assertEqual((status, fed["steps"]), (200, 3))
        whole = self.server.post("/v1/predict", {"text": "goal match team", "best": 10})[1]
        self.assertEqual(fed["predictions"], whole["results"][0]["predictions"])
        self.assertEqual(self.server.get("/v1/sessions/" + fork["id"])[1]["steps"], 1)
        self.assertEqual(self.server.ask("DELETE", path)[0], 204)
        self.assert_error(self.server.get(path), 404)
        status, poem = self.server.post("/v1/sessions", {"model": "poems", "text": "the "})
        self.assertEqual((status, len(poem["next"])), (201, 10))
        # curl -X POST without a body sends neither a length nor a type.
        answer = self.server.raw(b"POST /v1/sessions/%s/fork HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                                 % poem["id"].encode())
        self.assertIn(b" 201 ", answer.split(b"\r\n")[0])

    def test_the_others(self):
        status, headers, page = self.server.ask("GET", "/")
        self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", headers["content-security-policy"])
        self.assertIn(b"<!doctype html>", page)
        self.assertEqual(self.server.get("/openapi.json")[1]["openapi"], "3.1.0")
        self.assertEqual(self.server.get("/health"), (200, {"status": "ok", "models": 4}))
        kinds = {model["name"]: model["kind"] for model in self.server.get("/v1/models")[1]["models"]}
        self.assertEqual(kinds, {"news": "classifier", "poems": "language_model", "names": "tagger", "en-de": "translator"})
        status, headers, content = self.server.ask("HEAD", "/health")
        self.assertEqual((status, content), (200, b""))
        self.assert_serves(self.server)
        metrics = self.server.metrics()
        self.assertEqual(metrics['rondo_requests_total{route="/v1/predict",status="200"}'], 1)
        self.assertEqual(metrics['rondo_request_seconds_count{route="/health"}'], 2)

    def test_every_route_of_the_openapi_file_is_there(self):
        for path, operations in self.server.get("/openapi.json")[1]["paths"].items():
            for method in operations:
                if method != "parameters":
                    status = self.server.ask(method.upper(), path.replace("{id}", "none"), {} if method == "post" else None)[0]
                    self.assertIn(status, [200, 201, 400, 422, 404] if "{id}" in path else [200, 201, 400, 422], (method, path))

    def test_wrong_paths_methods_and_bodies(self):
        server = self.server
        self.assert_error(server.get("/nothing"), 404)
        self.assert_error(server.get("/v1/predict"), 405, "POST")
        self.assertEqual(server.ask("GET", "/v1/predict")[1]["allow"], "POST")
        self.assert_error(server.post("/health", {}), 405)
        self.assert_error(server.post("/v1/predict", b'{"text": '), 400, "byte 10")
        self.assert_error(server.post("/v1/predict", b'{"text": "\xff"}'), 400, "byte 11 is not UTF-8")
        self.assert_error(server.post("/v1/predict", b"[" * 100000), 400, "nested deeper")
        self.assert_error(server.post("/v1/predict", b""), 400)
        self.assert_error(server.post("/v1/predict", {"text": "a", "modle": "news"}), 400, 'did you mean "model"')
        self.assert_error(server.post("/v1/predict", {"text": "a", "model": "poems"}), 422, "language model")
        self.assert_error(server.post("/v1/predict", {"text": "a", "model": "x"}), 404)
        self.assert_error(server.post("/v1/predict", b"text=a", headers={"Content-Type": "application/x-www-form-urlencoded"}), 415)
        self.assert_error(server.post("/v1/predict", b"{}", headers={"Content-Encoding": "gzip"}), 415)
        self.assert_serves(server)

    def test_one_connection_takes_many_requests_also_after_errors(self):
        connection = self.server.connection()
        for i in range(50):
            body = {"text": "goal match"} if i % 3 else b"no json"
            status, headers, _ = self.server.ask("POST", "/v1/predict", body, connection=connection)
            self.assertEqual(status, 200 if i % 3 else 400)
            self.assertNotEqual(headers.get("connection"), "close")
            self.assertIsNotNone(connection.sock)
        connection.close()

    def test_requests_may_come_in_a_row(self):
        one = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        content = self.server.raw(one * 4 + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        self.assertEqual(content.count(b"HTTP/1.1 200 OK"), 5)


class Limits(ServeTest):
    def test_a_body_that_is_too_large(self):
        server = self.serve("news.rondo", "--max-body", "10000")
        text = {"text": "x " * 5000}
        self.assert_error(server.post("/v1/predict", text), 413, "at most 10000")
        pieces = [b'{"text": "'] + [b"x" * 1000] * 20 + [b'"}']
        self.assert_error(server.post("/v1/predict", iter(pieces), headers={"Transfer-Encoding": "chunked"}), 413, "more than the 10000")
        self.assert_serves(server)

    def test_chunks_are_read(self):
        server = self.serve("news.rondo")
        body = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n" \
               b"Transfer-Encoding: chunked\r\n\r\n9\r\n{\"text\": \r\n7\r\n\"goal\"}\r\n0\r\n\r\n"
        self.assertIn(b'"Sports"', server.raw(body))

    def test_a_gigabyte_is_refused_without_being_read_into_memory(self):
        server = self.serve("news.rondo")
        self.assert_serves(server)
        before = server.memory()
        piece = b"x" * (1 << 20)
        for head in b"Content-Length: 1073741824", b"Transfer-Encoding: chunked":
            with server.socket() as one:
                one.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + head + b"\r\n\r\n")
                try:
                    for _ in range(1024):
                        one.sendall(b"100000\r\n" + piece + b"\r\n" if b"chunked" in head else piece)
                except OSError:
                    pass  # it is not read to its end
                self.assertLess(server.memory() - before, 64 << 20)  # a sanitizer keeps what was freed
        # Asked first, as curl does, the answer comes before the body.
        answer = server.raw(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            b"Content-Length: 1073741824\r\nExpect: 100-continue\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        self.assert_serves(server)

    def test_expected_continue_is_granted(self):
        server = self.serve("news.rondo")
        with server.socket() as one:
            body = b'{"text": "goal match"}'
            one.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
                        b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
            self.assertTrue(one.recv(100).startswith(b"HTTP/1.1 100 "))
            one.sendall(body)
            self.assertIn(b'"Sports"', servers.read_all(one))

    def test_texts_that_are_too_long_or_too_many(self):
        server = self.serve(*self.ALL, "--max-text", "100", "--max-texts", "2", "--max-length", "10", "--max-beam", "3")
        self.assert_error(server.post("/v1/predict", {"text": "x" * 101}), 422, "at most 100")
        self.assert_error(server.post("/v1/predict", {"texts": ["a", "b", "c"]}), 422, "at most 2")
        self.assert_error(server.post("/v1/tag", {"text": "x" * 101}), 422)
        self.assert_error(server.post("/v1/generate", {"length": 11}), 422, "at most 10")
        self.assert_error(server.post("/v1/generate", {"prompt": "x" * 101}), 422)
        self.assert_error(server.post("/v1/translate", {"text": "one", "beam": 4}), 422, "at most 3")
        self.assert_error(server.post("/v1/sessions", {"model": "news", "text": "x" * 101}), 422)
        self.assert_error(server.post("/v1/look", {"model": "news", "text": "x" * 2001}), 422, "at most 2000")
        self.assert_serves(server)

    def test_time(self):
        server = self.serve("poems.rondo", "news.rondo", "--timeout-s", "2", "--max-length", "1000000000")
        long_one = {"length": 1000000000, "ignore_end": True}
        self.assert_error(server.post("/v1/generate", long_one), 504)
        name, data = events(server.ask("POST", "/v1/generate", {**long_one, "stream": True})[2])[-1]
        self.assertEqual((name, data["error"]["status"]), ("error", 504))
        self.assert_serves(server)

    def test_texts_written_at_once(self):
        server = self.serve("poems.rondo", "news.rondo", "--generations", "1", "--max-length", "1000000000", "--timeout-s", "3000")
        with server.socket() as one:
            body = json.dumps({"length": 1000000000, "ignore_end": True, "stream": True}).encode()
            one.sendall(b"POST /v1/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(body) + body)
            one.recv(100)
            status, headers, _ = server.ask("POST", "/v1/generate", {"length": 5})
            self.assertEqual((status, headers["retry-after"]), (429, "1"))
            self.assert_serves(server)
            self.assertEqual(server.metrics()["rondo_generations"], 1)
        # The client left in the middle: its place is free long before its time is over.
        self.wait_until(lambda: server.metrics()["rondo_generations"] == 0)
        self.assertEqual(server.post("/v1/generate", {"length": 5})[0], 200)

    def test_the_queue(self):
        server = self.serve("news.rondo", "--queue", "1", "--batch-wait-ms", "4000", "--timeout-s", "300")
        statuses = []
        thread = threading.Thread(target=lambda: statuses.append(server.post("/v1/predict", {"text": "goal"})[0]))
        thread.start()  # waits for company, and fills the queue
        self.wait_until(lambda: server.metrics()["rondo_queue_length"] == 1)
        status, headers, content = server.ask("POST", "/v1/predict", {"text": "goal"})
        self.assertEqual((status, headers["retry-after"]), (503, "1"))
        self.assertIn(b"1 requests wait already", content)
        thread.join()
        self.assertEqual(statuses, [200])

    def test_connections(self):
        server = self.serve("news.rondo", "--connections", "3", "--idle-timeout-s", "60")
        held = [server.socket() for _ in range(3)]
        for one in held:
            one.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")  # a head that does not end
        with server.socket() as one:
            answer = servers.read_all(one)
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"Retry-After: 1\r\n", answer)
        for one in held:
            one.close()
        self.wait_for_service(server)
        self.assertGreaterEqual(server.metrics()["rondo_connections_refused_total"], 1)

    def test_connections_without_requests_make_room_for_others(self):
        server = self.serve("news.rondo", "--connections", "4", "--idle-timeout-s", "600")
        idle = [server.connection() for _ in range(4)]
        for connection in idle:
            self.assertEqual(server.ask("GET", "/health", connection=connection)[0], 200)
        self.wait_for_service(server)
        for connection in idle:
            connection.close()

    def test_ten_thousand_sessions(self):
        server = self.serve("poems.rondo", "news.rondo", "--sessions", "50")
        one = b'POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{"model": "poems"}'
        content = b"".join(server.raw(one * 999 + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) for _ in range(10))
        self.assertEqual((content.count(b"HTTP/1.1 201 "), content.count(b"HTTP/1.1 429 ")), (50, 9950))
        self.assertEqual(content.count(b"Retry-After: 1\r\n"), 9950)
        self.assertEqual(server.metrics()["rondo_sessions"], 50)
        self.assert_serves(server)

    def test_sessions_expire(self):
        server = self.serve("news.rondo", "--session-idle-s", "0.3")
        path = "/v1/sessions/" + server.post("/v1/sessions", {})[1]["id"]
        self.wait_until(lambda: server.metrics()["rondo_sessions"] == 0)
        self.assert_error(server.get(path), 404, "expired")

    def test_a_head_that_is_too_long(self):
        server = self.serve("news.rondo")
        many = b"".join(b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(100))
        self.assertIn(b" 431 ", server.raw(b"GET /health HTTP/1.1\r\n" + many + b"\r\n").split(b"\r\n")[0])
        self.assertIn(b" 414 ", server.raw(b"GET /" + b"a" * 10000 + b" HTTP/1.1\r\n\r\n").split(b"\r\n")[0])
        self.assert_serves(server)


class Hostile(ServeTest):
    def test_slow_clients_hold_no_one_up(self):
        server = self.serve("news.rondo", "--read-timeout-s", "1.5", "--connections", "60")
        request = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{" + b" " * 50
        drips, begun = [server.socket() for _ in range(40)], time.monotonic()
        ended = {}
        # A byte each tenth of a second: each wait for one is short, the whole is not.
        for step in range(40):
            for i, one in enumerate(drips):
                if i in ended:
                    continue
                try:
                    at = step if i % 2 else len(request) - 40 + step  # in the head, or in the body
                    one.sendall(request[:len(request) - 40] if step == 0 and not i % 2 else request[at:at + 1])
                except OSError:
                    ended[i] = time.monotonic() - begun
            if step % 5 == 0:
                self.assert_serves(server)
            time.sleep(0.1)
        for i, one in enumerate(drips):
            if i not in ended:
                answer = servers.read_all(one)
                self.assertTrue(answer == b"" or b" 408 " in answer.split(b"\r\n")[0], answer)
            one.close()
        self.assert_serves(server)
        self.wait_until(lambda: server.metrics()["rondo_connections"] == 1)

    def test_slow_clients_on_all_connections_make_room_soon(self):
        server = self.serve("news.rondo", "--read-timeout-s", "600", "--connections", "10")
        slow = [server.socket() for _ in range(10)]
        for i, one in enumerate(slow):
            one.sendall(b"POST /v1/predict HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"[:40 + 5 * i])
        self.wait_for_service(server)
        for one in slow:
            one.close()

    def test_a_head_that_stops_is_answered_by_408(self):
        server = self.serve("news.rondo", "--read-timeout-s", "0.3")
        for part in b"GET /hea", b"GET /health HTTP/1.1\r\nHost: localhost\r\n", \
                b"POST /v1/predict HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{":
            self.assertIn(b" 408 ", server.raw(part).split(b"\r\n")[0])

    def test_a_client_that_does_not_read_holds_no_one_up(self):
        server = self.serve("news.rondo", "names.rondo", "--write-timeout-s", "0.5")
        with server.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            # An answer that no buffer on the way has room for.
            body = json.dumps({"text": "a " * 49000, "marginals": True}).encode()
            one.sendall(b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(body) + body)
            self.wait_until(lambda: server.metrics().get('rondo_requests_total{route="/v1/tag",status="200"}') == 1)
            self.wait_until(lambda: server.metrics()["rondo_connections"] == 1)
            self.assert_serves(server)

    def test_what_is_no_http_is_refused(self):
        server = self.serve("news.rondo")
        post = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        for bad in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                    b"FETCH / HTTP/1.1\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nno header\r\n\r\n",
                    post + b"Content-Length: -1\r\n\r\n", post + b"Content-Length: 1e3\r\n\r\n",
                    post + b"Content-Length: 10\r\nContent-Length: 20\r\n\r\n",
                    post + b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                    post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"):
            with self.subTest(bad):
                with server.socket(5) as one:
                    one.sendall(bad)
                    one.shutdown(socket.SHUT_WR)
                    answer = servers.read_all(one)
                self.assertIn(answer.split(b" ")[1:2], [[b"400"], [b"404"], [b"501"]], answer)
        self.assertIn(b" 413 ", server.raw(post + b"Content-Length: 99999999999999999999999\r\n\r\n").split(b"\r\n")[0])
        self.assertIn(b" 501 ", server.raw(post + b"Transfer-Encoding: gzip\r\n\r\n").split(b"\r\n")[0])
        self.assert_serves(server)

    def test_no_request_hides_in_another(self):
        server = self.serve("news.rondo")
        hidden = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        size = b"%d" % len(hidden)
        for framing in (b"Content-Length: " + size + b"\n", b"Content-Length : " + size + b"\r\n", b"Content-Length:\r\n",
                        b"Content-Length: %31\r\n", b" Content-Length: " + size + b"\r\n", b"Transfer-Encoding : chunked\r\n",
                        b"Transfer-Encoding: chunked\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
                        b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", b"A: b\r\n\tContent-Length: 5\r\n"):
            content = server.raw(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + framing + b"\r\n" + hidden)
            self.assertEqual(content.count(b"Content-Type:"), 1, content)
            self.assertIn(content.split(b" ")[1], [b"400", b"501"], framing)
            self.assertNotIn(b"rondo_", content)
        content = server.raw(b"POST /v1/sessions/%0a/feed HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
                             b"Content-Length: 13\r\n\r\n{\"text\": \"a\"}")
        self.assertIn(b"there is no such session", content)

    def test_chunks_that_are_none(self):
        server = self.serve("news.rondo")
        post = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        for chunks in b"5\r\nhelloXYZ\r\n0\r\n\r\n", b"-1\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n":
            content = server.raw(post + chunks)
            self.assertIn(b"HTTP/1.1 400 ", content)
            self.assertIn(b"Connection: close\r\n", content)
        # A trailer changes nothing, not even how the answer is written.
        content = server.raw(post.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") +
                             b"10\r\n{\"text\": \"goal\"}\r\n0\r\nAccept-Encoding: br, gzip\r\n\r\n")
        self.assertIn(b'"Sports"', content)

    def test_names_of_others_lead_nowhere(self):
        # A page of evil.example whose name now means 127.0.0.1 is of the same origin for the browser.
        self.write("token", "geheim\n")
        local, guarded = self.serve("news.rondo"), self.serve("news.rondo", "--token-file", "token")
        for host, status in ("evil.example", 421), ("evil.example:80", 421), ("localhost:80", 200), ("127.0.0.1", 200), ("[::1]:80", 200):
            self.assertEqual(local.ask("GET", "/v1/models", headers={"Host": host})[0], status, host)
            guarded.token = "geheim"
            self.assertEqual(guarded.ask("GET", "/v1/models", headers={"Host": host})[0], 200)
        self.assert_error(local.get("/", headers={"Host": "evil.example"}), 421, "--token-file")

    def test_clients_that_close_their_side_are_answered(self):
        server = self.serve("news.rondo", "poems.rondo")
        for path, body, end in ("/v1/predict", b'{"text": "goal match"}', b"Sports"), \
                ("/v1/generate", b'{"length": 300, "ignore_end": true, "stream": true}', b"event: done"):
            with server.socket() as one:
                one.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                            % (path.encode(), len(body), body))
                one.shutdown(socket.SHUT_WR)
                self.assertIn(end, servers.read_all(one))

    def test_a_body_that_was_left_is_no_request(self):
        server = self.serve("news.rondo")
        hidden = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for head, status in (b"GET /health", b"200"), (b"POST /nothing", b"404"), (b"DELETE /v1/sessions/x", b"404"), (b"PUT /", b"405"):
            content = server.raw(head + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden)
            self.assertEqual((content.split(b" ")[1], content.count(b"Content-Length")), (status, 1), content)

    def test_clients_that_leave_at_any_moment(self):
        server = self.serve("news.rondo")
        body = b'{"text": "goal match"}'
        request = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        for cut in range(0, len(request) + 1, 3):
            with server.socket() as one:
                one.sendall(request[:cut])
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end
        self.assert_serves(server)

    def test_hostile_texts(self):
        server = self.serve(*self.ALL)
        for text in "\0", "\0" * 1000, "\u202e\ufeff", "\U0010ffff", "e" + "\u0301" * 5000, "a" * 90000, " " * 90000, "\n" * 50000:
            for path in "/v1/predict", "/v1/tag", "/v1/translate":
                self.assertEqual(server.post(path, {"text": text})[0], 200, (path, text[:10]))
            for model in "news", "poems", "names", "en-de":
                status, answer = server.post("/v1/look", {"model": model, "text": text[:200], "gradient": bool(text.strip())})
                self.assertIn(status, [200, 422], (model, text[:10], answer))
            self.assertIn(server.post("/v1/generate", {"prompt": text[:1000], "length": 5})[0], [200, 422])
            self.assertEqual(server.post("/v1/sessions", {"model": "news", "text": text})[0], 201)
        self.assert_error(server.post("/v1/predict", b'{"text": "\\ud800"}'), 400, "surrogate")


class Running(ServeTest):
    def test_a_token_is_asked_for(self):
        self.write("token", "geheim-123\n")
        server = self.serve("news.rondo", "--token-file", "token")
        for wrong in None, "Bearer wrong", "Bearer geheim-12", "Bearer geheim-1234", "geheim-123":
            headers = {"Authorization": wrong} if wrong else {}
            self.assert_error(server.post("/v1/predict", {"text": "goal"}, headers=headers), 401)
            self.assertEqual(server.ask("GET", "/metrics", headers=headers)[0], 401)
        self.assertEqual(server.ask("GET", "/v1/models")[1]["www-authenticate"], "Bearer")
        for open_to_all in "/", "/health", "/openapi.json":
            self.assertEqual(server.ask("GET", open_to_all)[0], 200)
        server.token = "geheim-123"
        self.assert_serves(server)

    def test_sigterm_ends_it_after_what_has_begun(self):
        for number in signal.SIGTERM, signal.SIGINT:
            server = self.serve("poems.rondo", "--max-length", "100000", "--timeout-s", "300")
            answers = []
            body = {"length": 10000, "ignore_end": True, "stream": True}
            thread = threading.Thread(target=lambda: answers.append(server.ask("POST", "/v1/generate", body)))
            thread.start()
            self.wait_until(lambda: server.metrics()["rondo_generations"] == 1 or not thread.is_alive())
            server.process.send_signal(number)
            server.process.send_signal(signal.SIGHUP)  # means nothing any more
            while True:  # at once, not only when the text is written
                try:
                    server.socket().close()
                    time.sleep(0.01)
                except OSError:
                    break
            self.assertEqual(server.process.wait(300), 0)
            thread.join()
            self.assertEqual(events(answers[0][2])[-1][0], "done")

    def test_idle_connections_do_not_hold_up_the_end(self):
        server = self.serve("news.rondo", "--idle-timeout-s", "600")
        connections = [server.connection() for _ in range(5)]
        for connection in connections:
            server.ask("GET", "/health", connection=connection)
        begun = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - begun, 100)
        for connection in connections:
            connection.close()

    def test_sighup_loads_the_models_anew_and_loses_no_request(self):
        server = self.serve("news.rondo")
        over, statuses = threading.Event(), []

        def ask():
            connection = server.connection()
            while not over.is_set():
                statuses.append(server.ask("POST", "/v1/predict", {"text": "goal match"}, connection=connection)[0])
            connection.close()

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for count in range(1, 6):
            server.process.send_signal(signal.SIGHUP)
            self.wait_until(lambda: server.metrics()["rondo_reloads_total"] >= count and len(statuses) >= 20 * count)
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(set(statuses), {200})
        # A damaged file: the old model goes on, and the log says why.
        self.write("news.rondo", b"damaged")
        server.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: server.metrics()["rondo_reload_failures_total"] == 1)
        self.assert_serves(server)
        self.wait_until(lambda: "goes on" in server.log())
        self.assertIn("news.rondo", server.log())

    def test_the_log_is_a_json_line_a_request(self):
        server = self.serve("news.rondo", "--log")
        self.assert_serves(server)
        server.post("/v1/predict", {"nothing": 1})
        server.ask("GET", "/v1/sessions/secret-name")
        self.assertEqual(server.stop(), 0)
        lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
        self.assertEqual([(line["route"], line["status"]) for line in lines],
                         [("/v1/predict", 200), ("/v1/predict", 400), ("/v1/sessions/{id}", 404)])
        self.assertNotIn("goal", server.log())
        self.assertNotIn("secret-name", server.log())

    def test_answers_in_company_are_those_alone(self):
        alone, together = self.serve(*self.ALL), self.serve(*self.ALL, "--batch-wait-ms", "500")
        asked = [("/v1/predict", {"text": corpus(1, seed).split(",", 2)[-1], "best": 3}) for seed in range(12)]
        asked += [("/v1/tag", {"text": text}) for text in ("Ada met Alan", "the old London", "Paris")]
        asked += [("/v1/translate", {"text": text}) for text in ("one dog", "two red cat and one blue dog", "big")]
        found = {}

        def ask(i):
            found[i] = together.ask("POST", *asked[i])[2]

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(asked))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i, (path, body) in enumerate(asked):
            self.assertEqual(found[i], alone.ask("POST", path, body)[2])
        self.assertGreater(together.metrics()["rondo_batch_requests_sum"], together.metrics()["rondo_batch_requests_count"])

    def test_what_cannot_be_served_is_said_at_once(self):
        self.assertIn("two models are named news", self.refuse(2, "serve", "news.rondo", "news.rondo", "--port", "0"))
        self.assertIn("1 names for 2 models", self.refuse(2, "serve", "news.rondo", "names.rondo", "--name", "a", "--port", "0"))
        self.assertIn("nothing.rondo", self.refuse(1, "serve", "nothing.rondo", "--port", "0"))
        self.write("bad.rondo", b"bad")
        self.assertIn("bad.rondo", self.refuse(3, "serve", "bad.rondo", "--port", "0"))
        self.write("odd", "50%41\n")  # the library would decode it
        self.assertIn("--token-file odd", self.refuse(2, "serve", "news.rondo", "--token-file", "odd", "--port", "0"))
        self.write("empty", "\n")
        self.assertIn("--token-file empty", self.refuse(2, "serve", "news.rondo", "--token-file", "empty", "--port", "0"))
        server = self.serve("news.rondo")
        message = self.refuse(1, "serve", "news.rondo", "--port", str(server.port))
        self.assertIn("Address already in use", message)
        self.assertIn("--host", self.refuse(1, "serve", "news.rondo", "--host", "no such host", "--port", "0"))

    def test_options_come_from_a_file_too(self):
        self.write("serve.toml", "[limits]\nmax-text = 10\nname = [\"sections\"]\n")
        server = self.serve("news.rondo", "--config", "serve.toml")
        self.assert_error(server.post("/v1/predict", {"text": "x" * 11, "model": "sections"}), 422)


class Guide(ServeTest):
    @unittest.skipUnless(shutil.which("curl"), "curl is missing")
    def test_what_the_guide_shows_can_be_pasted(self):
        server = self.serve(*self.ALL)
        path = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "serve.md")
        with open(path) as file:
            lines = [line.strip() for line in file if line.startswith(("    curl", "    id="))]
        lines = [line for line in lines if "$(cat token)" not in line]  # of another server
        self.assertGreater(len(lines), 10)
        script = f"set -eu\ncurl() {{ command curl -sS --fail-with-body \"$@\"; }}\nurl=http://127.0.0.1:{server.port}\n"
        done = subprocess.run(["bash", "-c", script + "\n".join(lines)], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, (done.stdout, done.stderr))
        self.assertIn(b"event: done", done.stdout)
        self.assertIn(b'"steps":', done.stdout)


if __name__ == "__main__":
    main()
