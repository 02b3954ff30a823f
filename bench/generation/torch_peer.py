#!/usr/bin/env python3
"""The loop of `rondo generate` in PyTorch: embedding, LSTM, linear, softmax, one draw, and again.

    bench/generation/torch_peer.py --vocabulary 67 --embedding 64 --hidden 256 --form eager --count 2000 --threads 1

Prints one line of JSON: characters a second of the best of three runs, after one that warms up. Form `script` is the
loop and the network under torch.jit.script and torch.jit.freeze; weights are random, for they change no time.
"""
import argparse
import json
import time
import typing

import torch
from torch import nn


class Network(nn.Module):
    def __init__(self, vocabulary: int, embedding: int, hidden: int, layers: int):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.lstm = nn.LSTM(embedding, hidden, layers)
        self.linear = nn.Linear(hidden, vocabulary)

    def forward(self, x: torch.Tensor, state: typing.Tuple[torch.Tensor, torch.Tensor]):
        y, state = self.lstm(self.embedding(x), state)
        return self.linear(y[-1]), state


class Loop(nn.Module):
    def __init__(self, network: nn.Module, layers: int, hidden: int):
        super().__init__()
        self.network, self.layers, self.hidden = network, layers, hidden

    def forward(self, count: int, temperature: float) -> typing.List[int]:
        x = torch.zeros(1, 1, dtype=torch.long)
        state = (torch.zeros(self.layers, 1, self.hidden), torch.zeros(self.layers, 1, self.hidden))
        written: typing.List[int] = []
        for _ in range(count):
            scores, state = self.network(x, state)
            x = torch.multinomial(torch.softmax(scores / temperature, -1), 1)
            written.append(int(x))
        return written


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("vocabulary", 67), ("embedding", 64), ("hidden", 256), ("layers", 1), ("count", 2000), ("threads", 1)):
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--form", choices=["eager", "script"], default="eager")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(1)
    network = Network(chosen.vocabulary, chosen.embedding, chosen.hidden, chosen.layers)
    loop = Loop(network, chosen.layers, chosen.hidden).eval()
    if chosen.form == "script":
        loop = torch.jit.freeze(torch.jit.script(loop))
    seconds = []
    with torch.inference_mode():
        for _ in range(4):
            begun = time.perf_counter()
            loop(chosen.count, 1.0)
            seconds.append(time.perf_counter() - begun)
    print(json.dumps({"rate": chosen.count / min(seconds[1:]), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
