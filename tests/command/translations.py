"""What the tests of translators share: sentences of a language of numbers and their translations."""

import random

from support import CommandTest

WORDS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "acht", "red": "rot", "blue": "blau",
         "big": "gro\u00df", "dog": "hund", "cat": "katze", "sees": "sieht", "and": "und"}


def pairs(count=400, seed=1):
    """Word by word, in the same order: what a small network learns in seconds."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        words = [rng.choice(list(WORDS)) for _ in range(rng.randint(2, 7))]
        made.append((" ".join(words), " ".join(WORDS[word] for word in words)))
    return made


class TranslationTest(CommandTest):
    SMALL = ["--tokenizer", "words", "--embedding", "24", "--hidden", "32", "--lr", "0.01", "--batch-tokens", "150",
             "--after", "30e", "--min-count", "1"]

    def write_pairs(self, stem, made):
        self.write(stem + ".en", "".join(source + "\n" for source, _ in made))
        self.write(stem + ".de", "".join(target + "\n" for _, target in made))

    def train_translator(self, output="en-de.rondo", *words):
        self.write_pairs("train", pairs())
        self.write_pairs("dev", pairs(40, seed=2))
        self.succeed("train", "translate", "--source", "train.en", "--target", "train.de", "--dev-source", "dev.en",
                     "--dev-target", "dev.de", "-o", output, *self.SMALL, "-t", "1", *words)
        return output
