#!/usr/bin/env python3
"""A training step of `rondo train translate` in PyTorch: bidirectional LSTM, LSTM with Luong's general attention, smoothed cross-entropy, Adam.

    bench/translation/torch_peer.py --lengths lengths.json --vocabulary 8000 --embedding 256 --hidden 512 --batch-tokens 2000 --form f32

Prints one line of JSON: target tokens a second of an epoch, after one that warms up. The encoder reads packed sequences; the decoder, whose
output is needed padded for the attention, reads padded ones, as is usual. Sentences are sorted by target length.
"""
import argparse
import json
import random
import time

import torch
from torch import nn
from torch.nn.utils import rnn


class Translator(nn.Module):
    def __init__(self, vocabulary, embedding, hidden, dropout):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.encoder = nn.LSTM(embedding, hidden // 2, bidirectional=True, batch_first=True)
        self.decoder = nn.LSTM(embedding, hidden, batch_first=True)
        self.bridge_h, self.bridge_c = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden, bias=False)
        self.readout = nn.Linear(2 * hidden, embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.dropout = nn.Dropout(dropout)

    def forward(self, source, source_lengths, inputs):
        packed = rnn.pack_padded_sequence(self.dropout(self.embedding(source)), source_lengths, batch_first=True, enforce_sorted=False)
        packed, (h, c) = self.encoder(packed)
        memory, _ = rnn.pad_packed_sequence(packed, batch_first=True)
        h = torch.tanh(self.bridge_h(torch.cat([h[0], h[1]], -1)))[None]
        c = self.bridge_c(torch.cat([c[0], c[1]], -1))[None]
        y, _ = self.decoder(self.dropout(self.embedding(inputs)), (h, c))
        scores = torch.bmm(y, self.key(memory).transpose(1, 2))
        behind = torch.arange(memory.shape[1])[None] >= source_lengths[:, None]
        weights = torch.softmax(scores.masked_fill(behind[:, None], float("-inf")), -1)
        told = torch.tanh(self.readout(torch.cat([y, torch.bmm(weights, memory)], -1)))
        return nn.functional.linear(self.dropout(told), self.embedding.weight, self.bias)


def batches(lengths, tokens):
    order = sorted(range(len(lengths)), key=lambda i: lengths[i][1])
    made, count = [[]], 0
    for i in order:
        if made[-1] and count + lengths[i][1] + 1 > tokens:
            made.append([])
            count = 0
        made[-1].append(lengths[i])
        count += lengths[i][1] + 1
    random.Random(1).shuffle(made)
    return made


def tensors(batch, vocabulary):
    """Token 1 begins and ends a sentence; targets of the padding are -100, which the loss leaves out."""
    source = torch.randint(2, vocabulary, (len(batch), max(s for s, _ in batch) + 1))
    target = torch.randint(2, vocabulary, (len(batch), max(t for _, t in batch) + 1))
    inputs = torch.cat([torch.ones(len(batch), 1, dtype=torch.long), target[:, :-1]], 1)
    for row, (_, length) in enumerate(batch):
        target[row, length] = 1
        target[row, length + 1:] = -100
    return source, torch.tensor([s + 1 for s, _ in batch]), inputs, target


def epoch(network, optimizer, made, vocabulary, form):
    tokens = 0
    for batch in made:
        source, source_lengths, inputs, target = tensors(batch, vocabulary)
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=form == "bf16"):
            logits = network(source, source_lengths, inputs)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), label_smoothing=0.1)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        tokens += sum(t + 1 for _, t in batch)
    return tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", required=True, help="JSON: pairs of source and target lengths")
    for name, value in (("vocabulary", 8000), ("embedding", 256), ("hidden", 512), ("batch-tokens", 2000), ("threads", 1)):
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--form", choices=["f32", "bf16"], default="f32")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(1)
    with open(chosen.lengths) as file:
        made = batches(json.load(file), chosen.batch_tokens)
    network = Translator(chosen.vocabulary, chosen.embedding, chosen.hidden, 0.4)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    epoch(network, optimizer, made[:3], chosen.vocabulary, chosen.form)
    begun = time.perf_counter()
    tokens = epoch(network, optimizer, made, chosen.vocabulary, chosen.form)
    print(json.dumps({"rate": tokens / (time.perf_counter() - begun), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
