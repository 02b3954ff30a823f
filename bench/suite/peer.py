"""The worker's side of the line protocol of bench/peer.h, for the peers that are Python."""
import json
import os
import sys
import time


class Peer:
    """A peer has prepare(case, inputs), run(), outputs() -> float32 array, versions(). None of them may print."""

    def versions(self):
        return {}


def seconds_of(peer, calls):
    begun = time.perf_counter()
    for _ in range(calls):
        peer.run()
    return time.perf_counter() - begun


def calls_that_fill(peer, seconds):
    calls = 1
    took = seconds_of(peer, calls)
    while took < seconds / 8:
        calls *= 2
        took = seconds_of(peer, calls)
    return max(1, int(calls * seconds / took))


class Server:
    def __init__(self, peer):
        self.peer, self.calls = peer, 0

    def prepare(self, request):
        self.calls = 0
        self.peer.prepare(request["case"], request["inputs"])
        return {}

    def check(self, request):
        self.peer.run()
        self.peer.outputs().astype("float32").tofile(request["outputs"])
        return {}

    def time(self, request):
        if self.calls == 0:
            self.calls = calls_that_fill(self.peer, request["seconds"])
        elif self.calls > 1:
            self.peer.run()  # the other peers have emptied the caches
        return {"seconds": seconds_of(self.peer, self.calls) / self.calls, "calls": self.calls}

    def versions(self, _):
        return {"versions": self.peer.versions()}


def serve(peer):
    # What a library prints must not end up between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server = Server(peer)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] not in ("prepare", "check", "time", "versions"):
                raise ValueError(f"no request {request['do']}")
            answer = {"ok": True, **getattr(server, request["do"])(request)}
        except Exception as error:  # a library may throw anything; the run goes on without this peer
            answer = {"ok": False, "why": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        print(json.dumps(answer), file=answers, flush=True)
