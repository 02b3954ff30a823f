"""A Grid LSTM in PyTorch as one would write it down: a loop over steps and layers, a block in five lines."""
import sys

import numpy as np
import torch

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parent.parent / "suite"))
import peer

import shapes


class Block(torch.nn.Module):
    """Depth is the priority dimension; the output gate stands inside of the tanh, as the paper prints it."""

    def __init__(self, hidden):
        super().__init__()
        self.depth = torch.nn.Linear(2 * hidden, 4 * hidden)
        self.time = torch.nn.Linear(2 * hidden, 4 * hidden)

    def lstm(self, linear, states, memory):
        i, f, g, o = linear(states).chunk(4, -1)
        memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(g)
        return torch.tanh(torch.sigmoid(o) * memory), memory

    def forward(self, h_depth, m_depth, h_time, m_time):
        h_time, m_time = self.lstm(self.time, torch.cat((h_depth, h_time), -1), m_time)
        h_depth, m_depth = self.lstm(self.depth, torch.cat((h_depth, h_time), -1), m_depth)
        return h_depth, m_depth, h_time, m_time


class Grid(torch.nn.Module):
    def __init__(self, case):
        super().__init__()
        self.hidden, self.layers = case["hidden"], case["layers"]
        self.project = torch.nn.Linear(case["input"], 2 * self.hidden)
        self.blocks = torch.nn.ModuleList(Block(self.hidden) for _ in range(shapes.different_layers(case)))

    def forward(self, x):
        zeros = x.new_zeros(x.shape[1], self.hidden)
        time = [(zeros, zeros)] * self.layers
        outputs = []
        for step in self.project(x):
            h, m = step.chunk(2, -1)
            for layer in range(self.layers):
                h, m, *time[layer] = self.blocks[layer % len(self.blocks)](h, m, *time[layer])
            outputs.append(torch.cat((h, m), -1))
        return torch.stack(outputs)


class Torch(peer.Peer):
    def prepare(self, case, path):
        torch.set_num_threads(case["threads"])
        self.training, self.narrow = case["mode"] == "train", "bf16" in case["variant"]
        self.grid = Grid(case)
        arrays = shapes.split(np.fromfile(path, dtype=np.float32), case)
        *weights, x, d_y = (torch.from_numpy(array) for array in arrays)
        with torch.no_grad():
            for parameter, value in zip(self.grid.parameters(), weights, strict=True):
                parameter.copy_(value)
        self.x, self.d_y = x, d_y
        if case["variant"].endswith("traced"):  # each block as one call; the loops stay Python's, as anyone would leave them
            states = tuple(x.new_zeros(case["batch"], case["hidden"]) for _ in range(4))
            self.grid.blocks = torch.nn.ModuleList(torch.jit.trace(block, states) for block in self.grid.blocks)

    def forward(self):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.narrow):
            return self.grid(self.x)

    def run(self):
        if not self.training:
            with torch.inference_mode():
                self.y = self.forward()
            return
        self.grid.zero_grad(set_to_none=True)
        self.y = self.forward()
        self.y.backward(self.d_y.to(self.y.dtype))

    def outputs(self):
        arrays = [self.y] + ([parameter.grad for parameter in self.grid.parameters()] if self.training else [])
        return np.concatenate([array.detach().float().numpy().ravel() for array in arrays])

    def versions(self):
        return {"torch": torch.__version__}


if __name__ == "__main__":
    torch.set_num_interop_threads(1)
    peer.serve(Torch())
