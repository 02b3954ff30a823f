"""What `rondo unroll --json` says that a model computed is what the equations give from the file's weights.

usage: torch_traces_test.py, with RONDO_COMMAND naming the command. Every gate, cell state and hidden state of every
unit, of every cell, again in numpy with float64 from the weights alone; outputs of those cells that torch has also by
torch.nn. Needs numpy; without torch its part is left out. Runs itself again with RONDO_PYTHON if that is set. Exit
status 77 without numpy.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PYTHON = os.environ.get("RONDO_PYTHON")
if PYTHON and os.path.exists(PYTHON) and os.environ.get("RONDO_PYTHON_STARTED") != "1":
    os.execve(PYTHON, [PYTHON, *sys.argv], os.environ | {"RONDO_PYTHON_STARTED": "1"})

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
try:
    import torch
except ImportError:
    torch = None

RONDO = os.environ.get("RONDO_COMMAND", "rondo")
TRAIN = [("good fine nice day", "up"), ("bad poor sad", "down"), ("so so", "flat"), ("nice fine", "up"),
         ("sad day bad", "down"), ("so", "flat")] * 4
TEXT = "bad sad day so fine nice so"
TOLERANCE = 1e-5
CELLS = {
    "rnn": ["--cell", "rnn", "--layers", "2"],
    "rnn relu": ["--cell", "rnn", "--nonlinearity", "relu"],
    "lstm": ["--layers", "2", "--bidirectional"],
    "lstm peepholes": ["--peepholes", "--bidirectional"],
    "lstm coupled": ["--coupled"],
    "lstm coupled peepholes": ["--coupled", "--peepholes"],
    "lstm without input gate": ["--without", "input-gate", "--peepholes"],
    "lstm without forget gate": ["--without", "forget-gate", "--peepholes"],
    "lstm without output gate": ["--without", "output-gate", "--peepholes", "--projection", "3"],
    "lstm without input tanh": ["--without", "input-tanh"],
    "lstm without output tanh": ["--without", "output-tanh"],
    "lstm coupled without output gate": ["--coupled", "--without", "output-gate"],
    "gru coupled": ["--cell", "gru", "--coupled"],
    "minimal gated": ["--cell", "gru", "--coupled", "--reset", "before"],
    "lstm projected": ["--projection", "3", "--layers", "2", "--bidirectional"],
    "gru": ["--cell", "gru", "--layers", "2", "--bidirectional"],
    "gru reset before": ["--cell", "gru", "--reset", "before"],
}


def read_model(path):
    """(configuration, vocabulary, {name: float64 array}) of a model file."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "F32":
            tensors[name] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"]).astype(np.float64)
    return json.loads(metadata["config"]), json.loads(metadata["vocabulary"]), tensors


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Direction:
    """One direction of one layer by the equations of src/kernels/recurrent.h."""

    def __init__(self, config, tensors, suffix):
        get = lambda name: tensors.get(f"{config['cell']}.{name}_{suffix}")
        self.config = config
        self.w, self.u, self.bw, self.bu = (get(n) for n in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
        self.project, self.peepholes = get("weight_hr"), get("weight_peephole")

    def run(self, x, reverse):
        """Series by name, each [T, units], in the order of the text."""
        state = np.zeros(self.u.shape[1])
        cell = np.zeros(self.w.shape[0] // self.blocks())
        steps = [None] * len(x)
        for t in reversed(range(len(x))) if reverse else range(len(x)):
            steps[t] = self.step(x[t], state, cell)
            state, cell = steps[t]["h"], steps[t].get("c")
        return {name: np.array([step[name] for step in steps]) for name in steps[0]}

    def blocks(self):
        return len(self.block_names())

    def block_names(self):
        coupled, without = self.config["coupled"], self.config["without"]
        if self.config["cell"] == "lstm":
            return [name for name, part in (("i", "input-gate"), ("f", "forget-gate"), ("g", ""), ("o", "output-gate"))
                    if part != without and not (coupled and name == "i")]
        return {"rnn": ["h"], "gru": ["z", "n"] if coupled else ["r", "z", "n"]}[self.config["cell"]]

    def step(self, x, h, c):
        if self.config["cell"] == "rnn":
            a = self.w @ x + self.bw + self.u @ h + self.bu
            return {"h": np.tanh(a) if self.config["nonlinearity"] == "tanh" else np.maximum(a, 0)}
        return self.gru(x, h) if self.config["cell"] == "gru" else self.lstm(x, h, c)

    def gru(self, x, h):
        *wr, wz, wn = np.split(self.w @ x + self.bw, self.blocks())
        *ur, uz, un = np.split(self.u @ h + self.bu, self.blocks())
        z = sigmoid(wz + uz)
        r = 1 - z if self.config["coupled"] else sigmoid(wr[0] + ur[0])
        if self.config["reset"] == "before":
            un = np.split(self.u, self.blocks())[-1] @ (r * h) + np.split(self.bu, self.blocks())[-1]
            n = np.tanh(wn + un)
        else:
            n = np.tanh(wn + r * un)
        return {"r": r, "z": z, "n": n, "h": (1 - z) * n + z * h}

    def lstm(self, x, h, c):
        names, without = self.block_names(), self.config["without"]
        a = dict(zip(names, np.split(self.w @ x + self.bw + self.u @ h + self.bu, self.blocks())))
        gates = [name for name in names if name != "g"]
        p = dict(zip(gates, np.zeros((3, len(c))) if self.peepholes is None else self.peepholes))

        def gate(name, cell):
            return sigmoid(a[name] + p[name] * cell) if name in gates else np.ones(len(c))

        f, g = gate("f", c), a["g"] if without == "input-tanh" else np.tanh(a["g"])
        i = 1 - f if self.config["coupled"] else gate("i", c)
        after = f * c + i * g
        o = gate("o", after)
        m = o * (after if without == "output-tanh" else np.tanh(after))
        shown = gates + (["i"] if self.config["coupled"] else [])
        result = {name: value for name, value in (("i", i), ("f", f), ("o", o)) if name in shown}
        return result | {"g": g, "c": after, "m": m, "h": m if self.project is None else self.project @ m}


def torch_outputs(config, tensors, x):
    """[T, directions * P] of the last layer by torch.nn, or None if it has no such cell."""
    if torch is None or config["peepholes"] or config["coupled"] or config["reset"] == "before" or config["without"] != "nothing":
        return None
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[config["cell"]]
    words = {"nonlinearity": config["nonlinearity"]} if config["cell"] == "rnn" else {}
    if config["projection"]:
        words["proj_size"] = config["projection"]
    module = kind(x.shape[1], config["hidden"], config["layers"], bidirectional=config["bidirectional"], **words).double()
    prefix = config["cell"] + "."
    state = {name[len(prefix):]: torch.from_numpy(t) for name, t in tensors.items() if name.startswith(prefix)}
    module.load_state_dict(state)
    with torch.no_grad():
        return module(torch.from_numpy(x)[:, None])[0][:, 0].numpy()


class Traces(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rondo-traces-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.folder.joinpath("train.csv").write_text("label,text\n" + "".join(f"{b},{a}\n" for a, b in TRAIN))

    def run_rondo(self, *words):
        result = subprocess.run([RONDO, *words], cwd=self.folder, capture_output=True, timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode()

    def unrolled(self, config, layer, reverse):
        """{name: [T, units]} of what the model computed, by one call a unit."""
        series = {}
        for unit in range(config["hidden"]):
            made = json.loads(self.run_rondo("unroll", "m.rondo", TEXT, "--unit", str(unit), "--layer", str(layer),
                                             *(["--reverse"] if reverse else []), "--json"))
            self.assertLess(made["largest_difference"], TOLERANCE)
            steps = sorted(made["steps"], key=lambda step: step["step"])
            for name in ["c", "h", "m"]:
                if name + "_traced" in steps[0]:
                    series.setdefault(name, []).append([step[name + "_traced"] for step in steps])
            for gate in steps[0]["gates"]:
                name = gate["name"]
                if name != "h":  # of an rnn: its one gate is the state
                    series.setdefault(name, []).append([next(g for g in step["gates"] if g["name"] == name)["traced"]
                                                        for step in steps])
        return {name: np.array(values).T for name, values in series.items()}

    def test_gates_and_states_are_those_of_the_equations(self):
        for name, words in CELLS.items():
            with self.subTest(name):
                self.run_rondo("train", "classify", "-i", "train.csv", "-o", "m.rondo", "--hidden", "5", "--embedding",
                               "6", "--lr", "0.05", "--after", "10u", "--min-count", "1", "--no-bidirectional", *words,
                               "--force")
                config, vocabulary, tensors = read_model(self.folder / "m.rondo")
                ids = {token: i for i, token in enumerate(vocabulary)}
                first = x = tensors["embedding.weight"][[ids.get(word, 0) for word in TEXT.split()]]
                for layer in range(config["layers"]):
                    outputs = []
                    for reverse in [False, True][: 2 if config["bidirectional"] else 1]:
                        suffix = f"l{layer}{'_reverse' if reverse else ''}"
                        wanted = Direction(config, tensors, suffix).run(x, reverse)
                        outputs.append(wanted["h"])
                        for series, values in self.unrolled(config, layer, reverse).items():
                            error = np.abs(values - wanted[series][:, : values.shape[1]]).max()
                            self.assertLess(error, TOLERANCE, f"{series} of layer {layer}, reverse {reverse}")
                    x = np.concatenate(outputs, axis=1)
                judged = torch_outputs(config, tensors, first)
                if judged is not None:
                    self.assertLess(np.abs(judged - x).max(), 1e-6)


if __name__ == "__main__":
    unittest.main(verbosity=2)
