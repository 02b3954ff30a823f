"""rondo serve: every limit, and clients who mean no good."""

import json
import socket
import threading
import time

import servers
from servers import ServeTest, events
from support import main


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


if __name__ == "__main__":
    main()
