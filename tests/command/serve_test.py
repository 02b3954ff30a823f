"""rondo serve: every route, how it begins, ends and loads anew, and what the guide shows."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
import unittest

from servers import ServeTest, events
from support import corpus, main


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
