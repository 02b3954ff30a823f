"""What the tests of language models share: a small text, and training on it."""

import json
import random

from support import TOPICS, CommandTest, sentence

SMALL = ["--hidden", "16", "--embedding", "12", "--lr", "0.01", "--batch", "4", "--chunk", "20", "--after", "2e"]


def text(lines=240, seed=1):
    """Lines of words, a blank one after every sixth."""
    rng = random.Random(seed)
    made = []
    for i in range(lines):
        made.append(sentence(rng, sorted(TOPICS)))
        if i % 6 == 5:
            made.append("")
    return "\n".join(made) + "\n"


class LanguageModelTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("text.txt", text())

    def train_lm(self, output, *words, data="text.txt"):
        self.succeed("train", "lm", "-i", data, "-o", output, *SMALL, *words)
        return output

    def evaluate(self, model, *words, data="text.txt"):
        return json.loads(self.succeed("evaluate", model, data, "--json", *words))
