"""What the tests of the command share: small corpora, and running the command.

RONDO_COMMAND names the program; CTest sets it.
"""

import hashlib
import os
import random
import subprocess
import tempfile
import unittest

COMMAND = os.environ.get("RONDO_COMMAND", "rondo")
SMALL = ["--hidden", "8", "--embedding", "8", "--lr", "0.01", "--after", "4e"]

TOPICS = {
    "Sports": "goal match team coach league striker season cup win defeat".split(),
    "Tech": "chip server code browser software startup robot cloud data network".split(),
    "World": "minister vote treaty border election parliament talks crisis envoy summit".split(),
}
COMMON = "the a of in on after before new old big small again today".split()


def sentence(rng, topics, low=3, high=9):
    lists = [TOPICS[rng.choice(topics)] if rng.random() < 0.5 else COMMON for _ in range(rng.randint(low, high))]
    return " ".join(rng.choice(words) for words in lists)


def corpus(rows=300, seed=1):
    """CSV with a header, one label a text."""
    rng = random.Random(seed)
    lines = ["label,text"]
    for _ in range(rows):
        label = rng.choice(sorted(TOPICS))
        lines.append(f"{label},{sentence(rng, [label])}")
    return "\n".join(lines) + "\n"


def corpus_of_sets(rows=300, seed=1):
    """TSV with a header, one or two labels a text, separated by semicolons."""
    rng = random.Random(seed)
    lines = ["labels\ttext"]
    for _ in range(rows):
        labels = rng.sample(sorted(TOPICS), rng.randint(1, 2))
        lines.append(f"{';'.join(labels)}\t{sentence(rng, labels, 5, 10)}")
    return "\n".join(lines) + "\n"


class CommandTest(unittest.TestCase):
    """Each test works in a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rondo-command-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return name

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def sha256(self, name):
        return hashlib.sha256(self.read(name)).hexdigest()

    def run_command(self, *words, **options):
        """Runs to the end, with an empty standard input unless `input` is given."""
        if "input" not in options and "stdin" not in options:
            options["stdin"] = subprocess.DEVNULL
        if "stdout" not in options:
            options["stdout"] = subprocess.PIPE
        if "stderr" not in options:
            options["stderr"] = subprocess.PIPE
        return subprocess.run([COMMAND, *words], cwd=self.folder, timeout=300, **options)

    def succeed(self, *words, **options):
        """Standard output of a run that ends with 0."""
        result = self.run_command(*words, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return (result.stdout or b"").decode()

    def refuse(self, status, *words, **options):
        """Standard error of a run that ends with `status` and one line that says why."""
        result = self.run_command(*words, **options)
        message = result.stderr.decode()
        self.assertEqual(result.returncode, status, message)
        self.assertIn("rondo: ", message)
        self.assertNotIn("unexpected:", message)
        return message

    def train(self, output="model.rondo", *words, data="train.csv"):
        if not os.path.exists(self.path(data)):
            self.write(data, corpus())
        self.succeed("train", "classify", "-i", data, "-o", output, *SMALL, *words)
        return output


def main():
    unittest.main(verbosity=2)
