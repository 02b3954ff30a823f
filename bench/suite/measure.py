"""One row: the peers' results are compared, then they are timed in rounds, one after another in each round."""
import os
import pathlib
import statistics
import time

import inputs
import machine
from workers import Neighbour, PeerFailed

# Largest difference from float64, relative to the largest absolute value of the array.
TOLERANCE = {"f32": 1e-5, "bf16": 2e-2, "int8": 5e-2}
TIMEOUT = 240


class Files:
    """Random numbers and float64 references of the rows, kept for the rows that share them."""

    def __init__(self, folder, workers):
        self.folder, self.workers = pathlib.Path(folder), workers
        self.inputs_of, self.reference_of = None, None

    def inputs(self, case):
        path = self.folder / "inputs.f32"
        if self.inputs_of != case.same_inputs():
            inputs.write_inputs(vars(case), path)
            self.inputs_of = case.same_inputs()
        return str(path)

    def reference(self, case):
        """@return  outputs in float64 arithmetic. @throws PeerFailed without PyTorch."""
        if "torch" not in self.workers.programs:
            raise PeerFailed("no PyTorch to compare with")
        wanted = case.same_inputs(), case.mode
        if self.reference_of is None or self.reference_of[0] != wanted:
            path = str(self.folder / "reference.f32")
            worker = self.workers.get("torch", "reference", len(os.sched_getaffinity(0)))
            worker.ask(TIMEOUT, do="prepare", case=case.message("reference"), inputs=self.inputs(case))
            worker.ask(TIMEOUT, do="check", outputs=path)
            self.reference_of = wanted, inputs.read(path)
        return self.reference_of[1]


class Row:
    def __init__(self, case, workers, files, settings):
        self.case, self.workers, self.files, self.settings = case, workers, files, settings
        self.peers = {}
        self.seconds = {}

    def label(self, program, variant):
        return program + (f" {variant}" if variant else "")

    def prepare(self, program, variant, reference):
        """Compares what a peer gives with the reference."""
        entry = self.peers[self.label(program, variant)] = {}
        if program not in self.workers.programs:
            entry["why"] = "not installed"
            return
        try:
            worker = self.workers.get(program, variant, self.case.threads)
            path = str(self.files.folder / "outputs.f32")
            worker.ask(TIMEOUT, do="prepare", case=self.case.message(variant), inputs=self.files.inputs(self.case))
            worker.ask(TIMEOUT, do="check", outputs=path)
        except PeerFailed as failure:
            entry["why"] = str(failure)
            return
        if reference is not None:
            entry["difference"] = inputs.difference(vars(self.case), reference, inputs.read(path))
            entry["agrees"] = entry["difference"] <= TOLERANCE[self.case.precision]
        self.seconds[self.label(program, variant)] = worker, []

    def time(self):
        pause = 0.02 if self.case.threads > 1 else 0  # a peer's threads may spin a while after its turn
        for number in range(self.settings.rounds + 1):
            order = list(self.seconds)
            turn = number % max(1, len(order))
            for label in order[turn:] + order[:turn]:
                worker, seconds = self.seconds[label]
                time.sleep(pause)
                try:
                    took = worker.ask(TIMEOUT, do="time", seconds=self.settings.seconds)["seconds"]
                except PeerFailed as failure:
                    self.peers[label]["why"] = str(failure)
                    del self.seconds[label]
                    continue
                if number > 0 or self.settings.rounds == 0:  # the first round finds out how many calls fill it
                    seconds.append(took)

    def measure(self):
        """@return  the row of the JSON file."""
        case, reference, unchecked = self.case, None, None
        try:
            # An epoch's steps are compared in the row of single steps.
            reference = self.files.reference(case) if case.variant != "epoch" else None
        except PeerFailed as failure:
            unchecked = str(failure)
        for program, variant in case.peers:
            self.prepare(program, variant, reference)
        average, before = os.getloadavg()[0], machine.load_before(self.settings.wait)
        pids = [worker.process.pid for worker, _ in self.seconds.values()]
        if case.busy:
            with Neighbour(TIMEOUT) as neighbour:
                load = machine.Load([*pids, neighbour.process.pid])
                self.time()
                during = load.others()
        else:
            load = machine.Load(pids)
            self.time()
            during = load.others()
        for label, (_, seconds) in self.seconds.items():
            self.peers[label].update(self.figures(seconds))
        return {"name": case.name, "group": case.group, "case": self.described(),
                "load_average": round(average, 2), "load_before": round(before, 2),
                "load_during": round(during, 2), "quiet": max(before, during) <= machine.MAX_LOAD,
                "unchecked": unchecked, "peers": self.peers, **self.verdict()}

    def described(self):
        keep = ("cell hidden input batch steps layers directions mode precision threads busy kind variant batches")
        return {**{key: getattr(self.case, key) for key in keep.split()}, "tokens": self.case.tokens(),
                "operations": self.case.operations()}

    def figures(self, seconds):
        median = statistics.median(seconds)
        steps = self.case.steps if self.case.kind == "layer" else 1
        return {"seconds": median, "minimum": min(seconds), "rounds": len(seconds), "us_a_step": median / steps * 1e6,
                "gflops": self.case.operations() / median * 1e-9}

    def verdict(self):
        """Rondo's figure against the best peer's whose results are right."""
        rondo = self.peers.get("rondo", {})
        others = {label: entry["seconds"] for label, entry in self.peers.items()
                  if not label.startswith("rondo") and "seconds" in entry and entry.get("agrees", True)}
        failed = [label for label, entry in self.peers.items() if entry.get("agrees") is False]
        best = min(others, key=others.get) if others else None
        ratio = others[best] / rondo["seconds"] if best and "seconds" in rondo else None
        return {"best_peer": best, "ratio": ratio, "disagree": failed}
