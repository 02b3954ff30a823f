"""What the figures depend on beside the code: processor, load, versions, commit."""
import os
import pathlib
import platform
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAX_LOAD = 0.3
FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_bf16", "amx_int8",
         "asimd", "bf16", "i8mm", "sve")


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    except OSError:
        return ""
    return done.stdout.strip().split("\n")[0]


def describe(compiler):
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.*)$", cpu, re.M)
    family = re.findall(r"^(?:cpu family|model|stepping)\s*:\s*(.*)$", cpu, re.M)[:3]
    found = set(re.search(r"^(?:flags|Features)\s*:\s*(.*)$", cpu, re.M).group(1).split())
    return {"machine": f"{model.group(1) if model else platform.machine()} ({' '.join(family)})",
            "processors": len(os.sched_getaffinity(0)), "flags": [flag for flag in FLAGS if flag in found],
            "system": platform.platform(), "compiler": first_line(compiler, "--version"),
            "commit": first_line("git", "rev-parse", "HEAD"),
            "dirty": bool(first_line("git", "status", "--porcelain", "--untracked-files=no")),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "load": list(os.getloadavg()),
            "denormals": "flushed to zero inside Rondo; peers as they come; no input is denormal"}


def busy_seconds():
    """Of all processors together, and what the hypervisor took away."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")


def seconds_of_process(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Load:
    """Processors kept busy by others than `pids` since it was made. The load average would count our own last row."""

    def __init__(self, pids=()):
        self.pids = [*pids, os.getpid()]
        self.begun, self.busy, self.own = time.monotonic(), busy_seconds(), self.own_seconds()

    def own_seconds(self):
        return sum(seconds_of_process(pid) for pid in self.pids)

    def others(self):
        seconds = time.monotonic() - self.begun
        return max(0.0, (busy_seconds() - self.busy - (self.own_seconds() - self.own)) / max(seconds, 1e-3))


def load_before(wait=0):
    """@param wait  seconds to wait, at most, until the others leave the machine alone."""
    end = time.monotonic() + wait
    while True:
        load = Load()
        time.sleep(0.4)
        if load.others() <= MAX_LOAD or time.monotonic() >= end:
            return load.others()
