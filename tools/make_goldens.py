#!/usr/bin/env python3
"""Makes tests/goldens/: what PyTorch computes for small recurrent stacks, so that the tests need no PyTorch.

usage: make_goldens.py [folder]      needs torch, numpy, safetensors; their versions are written into each file.
Run it by hand only; the files are checked in. The arrays come out the same each time, but the library orders
the metadata at random: compare arrays, not files.

recurrent_NAME.safetensors, one a cell, depth and number of directions. Sequences are in packed order (falling
length), rows time-major as in src/kernels/packed_rows.h; states are [layers*directions, N, size] as h_n.
  lengths [N] int32           x [R, D]           h0, c0
  weight_ih_l0, ...           torch's names
  y [R, directions*P]         h_n, c_n           the forward pass
  d_y, d_h_n, d_c_n           arriving gradients: loss = sum(d_y*y) + sum(d_h_n*h_n) + sum(d_c_n*c_n)
  d_x, d_h0, d_c0, d_weight_ih_l0, ...           what torch's autograd gives for them
torch refuses an empty sequence: it runs without those, and their final state is defined as their initial
state, so that d_h_n arrives at d_h0 unchanged.

training_NAME.safetensors: embedding of 7 words, a recurrent stack, linear on the last layer's final states
(both directions side by side), mean cross-entropy, 10 steps of Adam at rate 1e-2.
  ids (packed rows), lengths, labels [N] int32   embedding.weight, lstm.weight_ih_l0, ..., linear.weight/bias
  losses [10]  before each step                  logits [N, 3] of the initial weights

optimizers.safetensors: a table [32, 4] after 1,000 dense steps of torch.optim at rate 1e-2 where row r has a gradient in one
step of r + 1 on average and zeros in the others. Which, and what, is drawn by a generator that the test repeats.
  initial                     adam, adamw, sgd, adagrad, rmsprop     after the last step, computed in float32: beta2, 0.999,
rounds to a decay that is 1.3e-5 slower, so float32's Adam is 1.5e-6 and AdamW 4e-6 from float64's, torch's as ours

adaptive_softmax.safetensors: torch.nn.AdaptiveLogSoftmaxWithLoss, 16 inputs, 20 ids, cutoffs 5 and 12, div_value 4, no head
bias. Targets in the head and in each tail.
  x [8, 16]                   targets [8] int32   decoder.head.weight, decoder.tail.0.0.weight, ...
  losses [8]                  log_probabilities [8, 20]
  d_x, d_decoder.head.weight, ...                 of the mean of the losses

All else is computed in float64 from float32 operands and rounded once, but for the losses, which float32 is
held against within 1e-4.
"""
import sys
from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn.utils.rnn import PackedSequence

LENGTHS = [5, 3, 3, 2, 1, 0]
INPUT, HIDDEN, PROJECTION = 3, 4, 2
CELLS = {
    "rnn": (nn.RNN, {}),
    "rnn_relu": (nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (nn.LSTM, {}),
    "lstm_projected": (nn.LSTM, {"proj_size": PROJECTION}),
    "gru": (nn.GRU, {}),
}


def step_counts(lengths):
    return [sum(length > t for length in lengths) for t in range(max(lengths))]


def numpy_of(tensor):
    return np.ascontiguousarray(tensor.detach().to(torch.float32).numpy())


def draw(generator, *shape):
    """Normal float32 values as float64: the operands are exact in both."""
    return torch.randn(*shape, generator=generator).double()


def make_stack(kind, options, layers, directions, generator, input_size=INPUT):
    stack = kind(input_size, HIDDEN, num_layers=layers, bidirectional=directions == 2, **options).double()
    with torch.no_grad():
        for weight in stack.parameters():
            # Twice torch's own range: gates leave their linear middle.
            values = torch.rand(weight.shape, generator=generator) * 2 - 1
            weight.copy_(values.double() * np.float32(2 / HIDDEN**0.5))
            weight.copy_(weight.float().double())
    return stack


def run_stack(stack, x, lengths, states):
    """Output rows and final states [layers*directions, N, size] of every sequence, the empty ones last."""
    alive = sum(length > 0 for length in lengths)
    packed = PackedSequence(x, torch.tensor(step_counts(lengths)))
    initial = [state[:, :alive].contiguous() for state in states]
    y, final = stack(packed, tuple(initial) if len(initial) == 2 else initial[0])
    final = final if isinstance(final, tuple) else (final,)
    return y.data, [torch.cat([f, s[:, alive:]], dim=1) for f, s in zip(final, states)]


def recurrent_golden(kind, options, layers, directions, seed):
    generator = torch.Generator().manual_seed(seed)
    stack = make_stack(kind, options, layers, directions, generator)
    output = options.get("proj_size", HIDDEN)
    x = draw(generator, sum(LENGTHS), INPUT).requires_grad_()
    sizes = {"h": output, "c": HIDDEN} if kind is nn.LSTM else {"h": output}
    states = {
        letter: draw(generator, layers * directions, len(LENGTHS), size).requires_grad_()
        for letter, size in sizes.items()
    }
    y, final = run_stack(stack, x, LENGTHS, list(states.values()))
    arrays = {"lengths": np.array(LENGTHS, np.int32), "x": numpy_of(x), "y": numpy_of(y)}
    d_y = draw(generator, *y.shape)
    loss = (d_y * y).sum()
    arrays["d_y"] = numpy_of(d_y)
    for letter, state in zip(states, final):
        weighting = draw(generator, *state.shape)
        loss = loss + (weighting * state).sum()
        arrays[f"{letter}_n"] = numpy_of(state)
        arrays[f"d_{letter}_n"] = numpy_of(weighting)
    loss.backward()
    arrays["d_x"] = numpy_of(x.grad)
    for letter, state in states.items():
        arrays[f"{letter}0"] = numpy_of(state)
        arrays[f"d_{letter}0"] = numpy_of(state.grad)
    for name, weight in stack.named_parameters():
        arrays[name] = numpy_of(weight)
        arrays[f"d_{name}"] = numpy_of(weight.grad)
    return arrays


class Classifier(nn.Module):
    def __init__(self, name, stack, output, directions):
        super().__init__()
        self.embedding = nn.Embedding(7, INPUT)
        self.name = name
        self.add_module(name, stack)
        self.linear = nn.Linear(output * directions, 3)
        self.directions = directions
        self.double()

    def forward(self, ids, lengths):
        stack = getattr(self, self.name)
        count = stack.num_layers * self.directions
        states = [torch.zeros(count, len(lengths), stack.proj_size or HIDDEN).double()]
        if isinstance(stack, nn.LSTM):
            states.append(torch.zeros(count, len(lengths), HIDDEN).double())
        _, final = run_stack(stack, self.embedding(ids), lengths, states)
        return self.linear(torch.cat(list(final[0][-self.directions :]), dim=1))


def training_golden(cell, kind, options, layers, directions, seed):
    generator = torch.Generator().manual_seed(seed)
    stack = make_stack(kind, options, layers, directions, generator)
    model = Classifier(cell, stack, options.get("proj_size", HIDDEN), directions)
    with torch.no_grad():
        for weight in [model.embedding.weight, model.linear.weight, model.linear.bias]:
            weight.copy_(draw(generator, *weight.shape))
    ids = torch.randint(7, (sum(LENGTHS),), generator=generator)
    labels = torch.randint(3, (len(LENGTHS),), generator=generator)
    arrays = {
        "ids": ids.numpy().astype(np.int32),
        "lengths": np.array(LENGTHS, np.int32),
        "labels": labels.numpy().astype(np.int32),
        "logits": numpy_of(model(ids, LENGTHS)),
    }
    arrays |= {name: numpy_of(weight) for name, weight in model.named_parameters()}
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(ids, LENGTHS), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    arrays["losses"] = np.array(losses, np.float32)
    return {name: array.copy() for name, array in arrays.items()}  # later steps wrote into shared memory


class Draws:
    """Knuth's 64-bit linear congruential generator: the test has the same four lines."""

    def __init__(self):
        self.state = 1

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % bound


TABLE, TABLE_STEPS = (32, 4), 1000
RULES = {
    "adam": lambda table: torch.optim.Adam([table], lr=1e-2),
    "adamw": lambda table: torch.optim.AdamW([table], lr=1e-2, weight_decay=0.1),
    "sgd": lambda table: torch.optim.SGD([table], lr=1e-2, momentum=0.9),
    "adagrad": lambda table: torch.optim.Adagrad([table], lr=1e-2, eps=1e-8),
    "rmsprop": lambda table: torch.optim.RMSprop([table], lr=1e-2),
}


def sparse_gradient(draws):
    gradient = torch.zeros(*TABLE, dtype=torch.float32)
    for row in range(TABLE[0]):
        if draws.below(row + 1) == 0:
            gradient[row] = torch.tensor([(draws.below(1024) - 384) / 1024 for _ in range(TABLE[1])], dtype=torch.float32)
    return gradient


def optimizer_golden():
    start = Draws()
    initial = torch.tensor([(start.below(1024) - 512) / 1024 for _ in range(TABLE[0] * TABLE[1])], dtype=torch.float32)
    arrays = {"initial": numpy_of(initial.reshape(*TABLE))}
    for name, make in RULES.items():
        table = initial.reshape(*TABLE).clone().requires_grad_()
        optimizer, draws = make(table), Draws()
        for _ in range(TABLE_STEPS):
            table.grad = sparse_gradient(draws)
            optimizer.step()
        arrays[name] = numpy_of(table).copy()
    return arrays


def adaptive_softmax_golden():
    generator = torch.Generator().manual_seed(5000)
    module = nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs=[5, 12], div_value=4.0).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(draw(generator, *weight.shape))
    x = draw(generator, 8, 16).requires_grad_()
    targets = torch.tensor([0, 12, 7, 19, 4, 11, 5, 7])
    log_probabilities = module.log_prob(x)
    output, loss = module(x, targets)
    loss.backward()
    arrays = {
        "x": numpy_of(x),
        "targets": targets.numpy().astype(np.int32),
        "losses": numpy_of(-output),
        "log_probabilities": numpy_of(log_probabilities),
        "d_x": numpy_of(x.grad),
    }
    for name, weight in module.named_parameters():
        arrays[f"decoder.{name}"] = numpy_of(weight)
        arrays[f"d_decoder.{name}"] = numpy_of(weight.grad)
    return arrays


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "tests/goldens"
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    versions = {"made_by": "tools/make_goldens.py", "torch": torch.__version__, "numpy": np.__version__,
                "safetensors": safetensors.__version__}
    save_file(optimizer_golden(), folder / "optimizers.safetensors", versions)
    save_file(adaptive_softmax_golden(), folder / "adaptive_softmax.safetensors", versions)
    for number, (name, (kind, options)) in enumerate(CELLS.items()):
        metadata = versions | {"cell": name}
        for layers in (1, 2, 3):
            for directions in (1, 2):
                seed = 100 * number + 10 * layers + directions
                details = metadata | {"layers": str(layers), "directions": str(directions)}
                arrays = recurrent_golden(kind, options, layers, directions, seed)
                save_file(arrays, folder / f"recurrent_{name}_{layers}x{directions}.safetensors", details)
        details = metadata | {"layers": "2", "directions": "2"}
        # The module carries the cell's name as in a model file: rnn, lstm, gru.
        arrays = training_golden(name.split("_")[0], kind, options, 2, 2, 1000 + number)
        save_file(arrays, folder / f"training_{name}.safetensors", details)


if __name__ == "__main__":
    main()
