#!/usr/bin/env python3
"""The network that `rondo train classify` trains by default, in PyTorch: bench/programs times both on one corpus.

    bench/torch_classifier.py TRAIN.tsv TEST.tsv [--cell lstm] [--epochs 3] [--seed 1]

Lines of LABEL, tab, tokens set apart by spaces. Prints one line of JSON. Embedding 100, one layer of 128 a direction over
PackedSequence, maximum over the outputs, dropout on words 0.2, embeddings 0.5 and the pooled vector 0.5; Adam at 2e-3
with gradients clipped at norm 1, 32 texts of like length a step; a tenth of the texts held out, the best epoch kept.
"""
import argparse
import collections
import json
import random
import time

import torch
from torch import nn

LAYERS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
BATCH, UNKNOWN = 32, 0


def read(path):
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return [(label, text.split(" ")) for label, text in rows if text]


def vocabulary_of(rows):
    """Words that occur twice; what occurs once teaches the unknown word."""
    counts = collections.Counter(token for _, tokens in rows for token in tokens)
    return {token: number for number, (token, count) in enumerate(counts.most_common(), UNKNOWN + 1) if count > 1}


def encode(rows, words, labels):
    return [(labels[label], torch.tensor([words.get(token, UNKNOWN) for token in tokens])) for label, tokens in rows]


class Classifier(nn.Module):
    def __init__(self, vocabulary, labels, cell, embedding=100, hidden=128):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.recurrent = LAYERS[cell](embedding, hidden, bidirectional=True)
        self.linear = nn.Linear(2 * hidden, labels)
        self.word_dropout, self.dropout = 0.2, nn.Dropout(0.5)

    def forward(self, ids, lengths):
        x = self.embedding(ids)
        if self.training:
            types, places = ids.unique(return_inverse=True)
            keep = (torch.rand(len(types)) >= self.word_dropout) / (1 - self.word_dropout)
            x = x * keep[places].unsqueeze(-1)
        packed = nn.utils.rnn.pack_padded_sequence(self.dropout(x), lengths)
        y, _ = nn.utils.rnn.pad_packed_sequence(self.recurrent(packed)[0], padding_value=float("-inf"))
        return self.linear(self.dropout(y.max(0).values))


def batches(examples, generator):
    """Texts of like length together, in random order."""
    order = list(range(len(examples)))
    generator.shuffle(order)
    pools = [order[i:i + 50 * BATCH] for i in range(0, len(order), 50 * BATCH)]
    order = [i for pool in pools for i in sorted(pool, key=lambda i: -len(examples[i][1]))]
    groups = [order[i:i + BATCH] for i in range(0, len(order), BATCH)]
    generator.shuffle(groups)
    for group in groups:
        rows = sorted((examples[i] for i in group), key=lambda row: -len(row[1]))
        lengths = torch.tensor([len(ids) for _, ids in rows])
        yield nn.utils.rnn.pad_sequence([ids for _, ids in rows]), lengths, torch.tensor([label for label, _ in rows])


def train_epoch(model, optimizer, examples, generator):
    model.train()
    for ids, lengths, labels in batches(examples, generator):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(ids, lengths), labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


@torch.inference_mode()
def accuracy(model, examples):
    model.eval()
    right = sum((model(ids, lengths).argmax(1) == labels).sum().item()
                for ids, lengths, labels in batches(examples, random.Random(0)))
    return right / len(examples)


def train(rows, chosen, generator):
    """@return  the model of the best epoch, its words and labels."""
    generator.shuffle(rows)
    held_out = len(rows) // 10
    words = vocabulary_of(rows[held_out:])
    labels = {label: number for number, label in enumerate(sorted({label for label, _ in rows}))}
    examples = encode(rows, words, labels)
    dev, examples = examples[:held_out], examples[held_out:]
    model = Classifier(len(words) + 1, len(labels), chosen.cell)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    best, kept = -1.0, None
    for _ in range(chosen.epochs):
        train_epoch(model, optimizer, examples, generator)
        found = accuracy(model, dev)
        if found > best:
            best, kept = found, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)
    return model, words, labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--cell", choices=LAYERS, default="lstm")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    torch.manual_seed(chosen.seed)
    begun = time.perf_counter()
    model, words, labels = train(read(chosen.train), chosen, random.Random(chosen.seed))
    seconds = time.perf_counter() - begun
    test = encode(read(chosen.test), words, labels)
    print(json.dumps({"accuracy": accuracy(model, test), "training_seconds": seconds, "vocabulary": len(words) + 1,
                      "torch": torch.__version__, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
