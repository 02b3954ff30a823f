"""PyTorch as a peer: nn.RNN, nn.LSTM, nn.GRU over padded batches or PackedSequence, and the lesson's training step."""
import sys

import numpy as np
import torch

import inputs
import peer

LAYERS = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
# reference: the oracle of the comparison, in float64.
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "int8": torch.float32, "reference": torch.float64}
STEPS_COMPARED = 20


def pack(x, lengths):
    return torch.nn.utils.rnn.pack_padded_sequence(x, lengths)


def unpack(packed, steps):
    return torch.nn.utils.rnn.pad_packed_sequence(packed, total_length=steps)[0]


class Layers:
    """A call is a forward pass, with mode train a backward pass too, with mode stream `steps` passes of one step."""

    def __init__(self, case, path):
        self.case, self.training = case, case["mode"] == "train"
        precision = "reference" if case["variant"] == "reference" else case["precision"]
        dtype = DTYPES[precision]
        values = inputs.split(inputs.read(path), inputs.input_shapes(case))
        *weights, x, d_y = (torch.from_numpy(value).to(dtype) for value in values)
        self.module = LAYERS[case["cell"]](case["input"], case["hidden"], case["layers"],
                                           bidirectional=case["directions"] == 2).to(dtype)
        with torch.no_grad():
            for parameter, value in zip(self.module.parameters(), weights):
                parameter.copy_(value)
        self.module.train(self.training)
        if precision == "int8":
            self.module = self.quantised()
        self.lengths = torch.tensor(case["lengths"])
        self.packs = case["variant"] == "packed"
        self.x, self.d_y = x.requires_grad_(self.training), d_y
        if self.packs:
            self.packed_x, self.packed_d_y = pack(x, self.lengths).data, pack(d_y, self.lengths).data
        self.packed_input = pack(x.detach(), self.lengths) if self.packs and not self.training else None

    def quantised(self):
        from torch.ao.quantization import quantize_dynamic
        holder = torch.nn.Sequential(self.module)
        return quantize_dynamic(holder, {torch.nn.LSTM, torch.nn.GRU}, dtype=torch.qint8)[0]

    def run(self):
        if self.training:
            return self.train()
        with torch.inference_mode():
            if self.case["mode"] == "stream":
                return self.stream()
            self.y = self.module(self.packed_input if self.packs else self.x)[0]

    def train(self):
        self.module.zero_grad(set_to_none=True)
        self.x.grad = None
        if self.packs:
            self.y = self.module(pack(self.x, self.lengths))[0]
            self.y.data.backward(self.packed_d_y)
        else:
            self.y = self.module(self.x)[0]
            self.y.backward(self.d_y)

    def stream(self):
        state, outputs = None, []
        for x in self.x.split(1):
            y, state = self.module(x, state)
            outputs.append(y)
        self.y = torch.cat(outputs)

    def outputs(self):
        y = unpack(self.y, self.case["steps"]) if self.packs else self.y
        arrays = [y]
        if self.training:
            arrays += [self.x.grad, *(parameter.grad for parameter in self.module.parameters())]
        return np.concatenate([array.detach().to(torch.float32).numpy().ravel() for array in arrays])


class Lesson(torch.nn.Module):
    """Embedding, one layer, the state at each text's end, linear, cross-entropy, Adam over every parameter. A call is
    one training step. Padded: the same result from outputs picked at each text's last token."""

    def __init__(self, case, path):
        super().__init__()
        self.case, self.packs = case, case["variant"] == "packed"
        self.embedding = torch.nn.Embedding(case["vocabulary"], case["input"])
        self.recurrent = LAYERS[case["cell"]](case["input"], case["hidden"])
        self.linear = torch.nn.Linear(case["hidden"], case["classes"])
        weights, batches = inputs.read_lesson(case, path)
        with torch.no_grad():
            for parameter, value in zip(self.parameters(), weights):
                parameter.copy_(torch.from_numpy(value))
        if case["variant"] == "reference":
            self.double()
        self.batches = [tuple(map(torch.from_numpy, batch)) for batch in batches]
        self.optimizer = torch.optim.Adam(self.parameters(), lr=1e-3)
        self.next, self.losses = 0, []

    def final_state(self, ids, lengths):
        x = self.embedding(ids)
        if self.packs:
            state = self.recurrent(pack(x, lengths))[1]
            return (state[0] if self.case["cell"] == "lstm" else state)[0]
        y = self.recurrent(x)[0]
        return y[lengths - 1, torch.arange(len(lengths))]

    def run(self):
        lengths, labels, ids = self.batches[self.next]
        self.next = (self.next + 1) % len(self.batches)
        self.optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(self.linear(self.final_state(ids, lengths)), labels)
        loss.backward()
        self.optimizer.step()
        self.losses.append(loss.item())

    def outputs(self):
        while len(self.losses) < STEPS_COMPARED:
            self.run()
        return np.array(self.losses[:STEPS_COMPARED])


class Torch(peer.Peer):
    def prepare(self, case, path):
        torch.set_num_threads(case["threads"])
        self.work = (Lesson if case["kind"] == "lesson" else Layers)(case, path)
        self.run, self.outputs = self.work.run, self.work.outputs

    def versions(self):
        return {"torch": torch.__version__, "numpy": np.__version__, "python": sys.version.split()[0]}


if __name__ == "__main__":
    torch.set_num_interop_threads(1)
    peer.serve(Torch())
