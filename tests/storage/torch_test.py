"""A model file's weights load into torch.nn by name, and torch computes what `rondo predict` prints.

usage: torch_test.py, with RONDO_COMMAND naming the command. Needs torch and numpy only (Debian's python3-torch):
the safetensors file is read in ten lines. Exit status 77 without torch.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

RONDO = os.environ.get("RONDO_COMMAND", "rondo")
MODULES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
TYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "U8": np.uint8}
TRAIN = [("good fine nice day", "up"), ("bad poor sad", "down"), ("so so", "flat"), ("nice fine", "up"),
         ("sad day bad", "down"), ("so", "flat")] * 4
TEXTS = ["good", "bad sad day so fine nice", "unheard words", "so so so", "nice day"]
TOLERANCE = 1e-5


def read_model(path):
    """(metadata, {name: torch tensor}) of a safetensors file."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return metadata, tensors


def part(tensors, prefix):
    """The state dictionary of one module, its names taken out of `tensors`."""
    names = [name for name in tensors if name.startswith(prefix + ".")]
    return {name[len(prefix) + 1 :]: tensors.pop(name) for name in names}


class TorchClassifier:
    """The same network of torch's modules; strict: every tensor is consumed, and none is missing."""

    def __init__(self, path):
        metadata, tensors = read_model(path)
        config = json.loads(metadata["config"])
        self.labels = json.loads(metadata["labels"])
        self.ids = {token: i for i, token in enumerate(json.loads(metadata["vocabulary"]))}
        self.directions = 2 if config["bidirectional"] else 1
        output = config["projection"] or config["hidden"]
        options = {"proj_size": config["projection"]} if config["cell"] == "lstm" else {}
        if config["cell"] == "rnn":
            options["nonlinearity"] = config["nonlinearity"]
        self.embedding = nn.Embedding(len(self.ids), config["embedding"])
        self.recurrent = MODULES[config["cell"]](
            config["embedding"], config["hidden"], config["layers"], bidirectional=config["bidirectional"], **options
        )
        self.linear = nn.Linear(output * self.directions, len(self.labels))
        for name, module in [("embedding", self.embedding), (config["cell"], self.recurrent), ("linear", self.linear)]:
            module.load_state_dict(part(tensors, name), strict=True)
            module.eval()
        assert not tensors, f"tensors that no module takes: {sorted(tensors)}"

    def probabilities(self, text):
        ids = torch.tensor([[self.ids.get(token, 0) for token in text.split()]])
        with torch.no_grad():
            _, state = self.recurrent(self.embedding(ids).transpose(0, 1))
            state = state[0] if isinstance(state, tuple) else state
            summary = torch.cat(list(state[-self.directions :]), dim=1)
            return dict(zip(self.labels, torch.softmax(self.linear(summary), dim=1)[0].tolist()))


class TorchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        rows = [f"{text},{label}" for text, label in TRAIN]
        (self.folder / "train.csv").write_text("\n".join(["text,label", *rows]) + "\n")

    def train(self, *options):
        model = self.folder / "model.rondo"
        command = [RONDO, "train", "classify", "-i", self.folder / "train.csv", "-o", model, "--pool", "final",
                   "--embedding", "5", "--hidden", "6", "--after", "20e", "--lr", "0.05", "--embedding-dropout", "0",
                   "--input-dropout", "0", "--output-dropout", "0", *options]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return model

    def predict(self, model):
        command = [RONDO, "predict", model, "-", "--json", "--best", "3"]
        done = subprocess.run(command, input="\n".join(TEXTS) + "\n", capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line)["predictions"] for line in done.stdout.splitlines()]
        return [{p["label"]: p["probability"] for p in line} for line in lines]

    def check(self, *options):
        model = self.train(*options)
        torch_model = TorchClassifier(model)
        predictions = self.predict(model)
        self.assertEqual(len(predictions), len(TEXTS))
        # Weights that had learned nothing would agree under wrong gates too.
        columns = [[prediction[label] for prediction in predictions] for label in predictions[0]]
        self.assertGreater(max(max(column) - min(column) for column in columns), 0.1)
        for text, prediction in zip(TEXTS, predictions):
            wanted = torch_model.probabilities(text)
            self.assertEqual(set(prediction), set(wanted))
            for label, probability in wanted.items():
                self.assertAlmostEqual(prediction[label], probability, delta=TOLERANCE, msg=f"{text}: {label}")

    def test_rnn(self):
        self.check("--cell", "rnn")

    def test_rnn_relu(self):
        self.check("--cell", "rnn", "--nonlinearity", "relu")

    def test_lstm_of_two_layers_in_both_directions(self):
        self.check("--cell", "lstm", "--layers", "2", "--bidirectional")

    def test_lstm_with_projection(self):
        self.check("--cell", "lstm", "--projection", "4", "--bidirectional")

    def test_gru(self):
        self.check("--cell", "gru", "--layers", "3")


if __name__ == "__main__":
    unittest.main()
