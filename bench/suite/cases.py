"""The rows of the benchmark: what is computed, and by whom. bench/peer.h reads the same fields."""
import dataclasses
import random

CELLS = {"rnn": 1, "gru": 3, "lstm": 4}
# RTNeural's README, microseconds a step of LSTM in -> out of one size on an i7-8700B: published, not measured here.
PUBLISHED_STREAM_US = {("lstm", 4): 0.08, ("lstm", 64): 3.2}


@dataclasses.dataclass
class Case:
    """One row. `group` is its table; `peers` are pairs (program, variant)."""
    name: str
    group: str
    cell: str
    hidden: int
    batch: int
    mode: str  # infer, train; stream: one call a step, the state carried by the caller
    precision: str = "f32"  # f32, bf16, int8
    input: int = 0
    steps: int = 128
    layers: int = 1
    directions: int = 1
    lengths: list = None  # falling; the longest is `steps`
    threads: int = 1
    busy: bool = False  # a neighbour spins on one of the processors
    kind: str = "layer"  # layer, lesson
    variant: str = ""
    vocabulary: int = 0
    classes: int = 0
    batches: int = 0
    peers: list = dataclasses.field(default_factory=list)
    core: bool = False  # of the quick selection

    def __post_init__(self):
        self.input = self.input or self.hidden
        self.lengths = self.lengths or [self.steps] * self.batch

    def tokens(self):
        return sum(self.lengths) if self.mode != "stream" else self.batch * self.steps

    def operations(self):
        """Of one call: forward, and twice as much again for the gradients."""
        blocks, total = CELLS[self.cell], 0
        for layer in range(self.layers):
            width = self.input if layer == 0 else self.hidden * self.directions
            total += 2 * self.tokens() * blocks * self.hidden * (width + self.hidden) * self.directions
        return total * (3 if self.mode == "train" else 1)

    def same_inputs(self):
        """Names the random numbers: rows that agree in it share them, and the reference for their outputs."""
        parts = [self.kind, self.cell, self.hidden, self.batch, self.steps, self.layers, self.directions]
        ragged = "ragged" if min(self.lengths) < self.steps else "full"
        return "-".join(map(str, [*parts, ragged, "epoch" if self.variant == "epoch" else "step"]))

    def message(self, variant):
        fields = ("name kind cell mode precision hidden input batch steps layers directions lengths threads "
                  "vocabulary classes").split()
        return {**{field: getattr(self, field) for field in fields}, "variant": self.variant or variant}


def padded_peers(precision, mode):
    peers = [("rondo", ""), ("onednn", ""), ("torch", "")]
    if mode != "train" and precision in ("f32", "int8"):
        peers.append(("onnxruntime", ""))
    return peers


def layer(group, cell, hidden, batch, mode, precision="f32", suffix="", **fields):
    name = f"{group}/{cell}-h{hidden}-b{batch}-{mode}-{precision}{suffix}"
    fields.setdefault("peers", padded_peers(precision, mode))
    return Case(name=name, group=group, cell=cell, hidden=hidden, batch=batch, mode=mode, precision=precision, **fields)


def core_grid():
    for cell in CELLS:
        for hidden in (128, 256, 512, 1024):
            for batch in (1, 32):
                for mode in ("infer", "train"):
                    for precision in ("f32", "bf16"):
                        quick = hidden in (128, 512) and cell == "lstm" or (hidden, batch) == (256, 32)
                        yield layer("grid", cell, hidden, batch, mode, precision, core=quick)


def batch_sizes():
    for cell in CELLS:
        for batch in (8, 128):
            for mode in ("infer", "train"):
                yield layer("batch", cell, 256, batch, mode, core=cell == "lstm")


def streams():
    for cell in CELLS:
        for hidden in (4, 8, 16, 32, 64, 128, 256):
            yield layer("stream", cell, hidden, 1, "stream", steps=64, core=cell == "lstm")


def shapes():
    for cell in CELLS:
        for mode in ("infer", "train"):
            yield layer("shape", cell, 256, 32, mode, suffix="-layers2", layers=2)
            yield layer("shape", cell, 256, 32, mode, suffix="-bidirectional", directions=2, core=cell == "lstm")


def ragged():
    lengths = sorted((random.Random(7).randint(10, 128) for _ in range(31)), reverse=True)
    lengths = [128] + lengths
    peers = [("rondo", ""), ("rondo", "padded"), ("onednn", "padded"), ("torch", "packed"), ("torch", "padded")]
    for cell in CELLS:
        for mode in ("infer", "train"):
            more = [("onnxruntime", "padded")] if mode == "infer" else []
            yield layer("ragged", cell, 256, 32, mode, lengths=lengths, peers=peers + more, core=cell == "lstm")


def quantised():
    for cell in ("lstm", "gru"):
        for hidden in (128, 256, 512, 1024):
            for batch in (1, 32):
                yield layer("int8", cell, hidden, batch, "infer", "int8", core=(cell, hidden) == ("lstm", 256))


def threads():
    for busy in (False, True):
        for cell in CELLS:
            for batch in (1, 32):
                for mode in ("infer", "train"):
                    yield layer("threads", cell, 256, batch, mode, suffix="-threads2" + "-busy" * busy, threads=2,
                                busy=busy, core=(cell, batch) == ("lstm", 32))


def lessons():
    shape = {"hidden": 32, "batch": 16, "input": 64, "mode": "train", "steps": 60, "threads": 2, "kind": "lesson",
             "vocabulary": 95812, "classes": 4}
    for cell in CELLS:
        peers = [("rondo", ""), ("torch", "packed"), ("torch", "padded")]
        yield Case(name=f"lesson/{cell}-step", group="lesson", cell=cell, batches=512, peers=peers, core=True, **shape)
        yield Case(name=f"lesson/{cell}-epoch", group="lesson", cell=cell, batches=7500, variant="epoch",
                   peers=[("rondo", "")], **shape)


def all_cases():
    return [*core_grid(), *batch_sizes(), *streams(), *shapes(), *ragged(), *quantised(), *threads(), *lessons()]
