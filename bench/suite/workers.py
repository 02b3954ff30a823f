"""The peers' processes: started once for each number of threads, asked by lines of JSON."""
import json
import os
import select
import subprocess
import sys
import time

# Caps of the environment would make a peer slower than it is.
UNSET = ("OPENBLAS_CORETYPE", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "RONDO_TARGET", "RONDO_THREADS")


class PeerFailed(Exception):
    """A peer that does not support the case, died, or took too long."""


class Worker:
    def __init__(self, name, command, threads):
        self.name = name
        environment = {key: value for key, value in os.environ.items() if key not in UNSET}
        environment["OMP_NUM_THREADS"] = str(threads)
        self.errors = open(os.devnull, "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        env=environment)
        self.unread = b""

    def ask(self, timeout, **request):
        """@throws PeerFailed with the reason."""
        if self.process.poll() is not None:
            raise PeerFailed(f"ended with status {self.process.returncode}")
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            answer = json.loads(self.read_line(time.monotonic() + timeout))
        except (OSError, ValueError) as error:
            self.stop()
            raise PeerFailed(f"no answer to {request['do']} ({error})") from None
        if not answer["ok"]:
            raise PeerFailed(answer["why"])
        return answer

    def read_line(self, end):
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise OSError("too slow")
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            if not more:
                raise OSError("it died")
            self.unread += more
        line, self.unread = self.unread.split(b"\n", 1)
        return line

    def stop(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            stream.close()


class Workers:
    """Workers by (program, variant, threads), for a worker holds one case. `programs` maps a name to its command."""

    def __init__(self, programs):
        self.programs, self.running = programs, {}

    def get(self, name, variant, threads):
        key = name, variant, threads
        if key in self.running and self.running[key].process.poll() is not None:
            del self.running[key]
        if key not in self.running:
            self.running[key] = Worker(name, self.programs[name], threads)
        return self.running[key]

    def stop(self):
        for worker in self.running.values():
            if worker.process.poll() is None:
                worker.stop()
        self.running = {}


class Neighbour:
    """A process that keeps one processor busy, for at most so many seconds."""
    SPIN = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: pass"

    def __init__(self, seconds):
        self.seconds, self.process = seconds, None

    def __enter__(self):
        processor = max(os.sched_getaffinity(0))
        self.process = subprocess.Popen([sys.executable, "-c", self.SPIN, str(self.seconds)],
                                        preexec_fn=lambda: os.sched_setaffinity(0, {processor}))
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
