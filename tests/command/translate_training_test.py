"""rondo train translate, and what its file says of itself."""

import json
import os
import random
import signal
import subprocess
import time

from support import COMMAND, CommandTest, main

DIGITS = "one two three four five".split()
ZIFFERN = "eins zwei drei vier fuenf".split()
SMALL = ["--tokenizer", "spaces", "--embedding", "12", "--hidden", "12", "--batch-tokens", "80", "--dev-fraction", "0.1", "--after", "2e"]


def texts(pairs=150, seed=1):
    rng = random.Random(seed)
    chosen = [[rng.randrange(5) for _ in range(rng.randint(1, 6))] for _ in range(pairs)]
    return tuple("".join(" ".join(words[i] for i in line) + "\n" for line in chosen) for words in (DIGITS, ZIFFERN))


class TranslateTraining(CommandTest):
    def setUp(self):
        super().setUp()
        source, target = texts()
        self.write("train.en", source)
        self.write("train.de", target)

    def train_translator(self, output, *words):
        self.succeed("train", "translate", "--source", "train.en", "--target", "train.de", "-o", output, *SMALL, *words)
        return output

    def test_writes_one_file_that_tells_what_it_is(self):
        self.train_translator("en-de.rondo")
        told = json.loads(self.succeed("info", "en-de.rondo", "--json"))
        self.assertEqual(told["kind"], "translator")
        self.assertEqual((told["vocabulary"], told["target_vocabulary"]), (7, 7))
        self.assertEqual(told["config"]["attention"], "general")
        self.assertEqual(told["tensors"]["readout.weight"], [12, 24])
        self.assertIn("held out", told["metrics"]["dev_text"])
        self.assertIn("translator, 7 source and 7 target tokens", self.succeed("info", "en-de.rondo"))

    def test_the_same_file_for_any_number_of_threads(self):
        self.train_translator("one.rondo", "-t", "1", "--input-dropout", "0.3")
        self.train_translator("two.rondo", "-t", "2", "--input-dropout", "0.3")
        self.assertEqual(self.sha256("one.rondo"), self.sha256("two.rondo"))
        self.train_translator("other.rondo", "--input-dropout", "0.3", "--seed", "2")
        self.assertNotEqual(self.sha256("one.rondo"), self.sha256("other.rondo"))

    def test_one_file_of_pairs_trains_the_same_weights(self):
        source, target = texts()
        self.write("pairs.tsv", "".join(f"{a}\t{b}\n" for a, b in zip(source.splitlines(), target.splitlines())))
        self.train_translator("two.rondo")
        self.succeed("train", "translate", "--source", "pairs.tsv", "-o", "one.rondo", *SMALL)
        self.assertEqual(self.sha256("one.rondo"), self.sha256("two.rondo"))

    def test_the_dev_figure_is_that_of_what_translate_writes(self):
        source, target = texts()
        rare = iter(range(10000))  # most often the next word is one that the vocabulary lacks
        lines = [" ".join(f"r{next(rare)}" if i % 2 else word for i, word in enumerate(line.split())) for line in target.splitlines()]
        self.write("train.de", "\n".join(lines) + "\n")
        self.write("dev.en", "\n".join(source.splitlines()[:40]) + "\n")
        self.write("dev.de", "\n".join(lines[:40]) + "\n")
        pairs = ["--source", "train.en", "--target", "train.de", "--dev-source", "dev.en", "--dev-target", "dev.de"]
        options = ["--tokenizer", "spaces", "--hidden", "12", "--embedding", "12", "--batch-tokens", "80", "--min-count", "2"]
        self.succeed("train", "translate", *pairs, "-o", "m.rondo", *options, "--after", "3e")
        trained = json.loads(self.succeed("info", "m.rondo", "--json"))["metrics"]["best"]["dev_metric"]
        measured = json.loads(self.succeed("evaluate", "m.rondo", "--source", "dev.en", "--target", "dev.de", "--beam", "1", "--json"))
        self.assertAlmostEqual(measured["bleu"]["score"], trained, places=6)

    def test_every_shape_of_network_trains(self):
        for number, words in enumerate([["--attention", "none"], ["--attention", "bahdanau", "--cell", "gru"],
                                        ["--attention", "local-p", "--window", "3", "--input-feeding"],
                                        ["--attention", "concat", "--joint", "--tied", "--bridge", "mean"],
                                        ["--layers", "2", "--dropout", "0.2", "--bridge", "last", "--attention", "dot"],
                                        ["--scheduled-sampling", "0.3", "--no-bidirectional", "--bridge", "zero"],
                                        ["--precision", "bf16", "--label-smoothing", "0.1"]]):
            with self.subTest(words=words):
                self.train_translator(f"{number}.rondo", *words)
                self.assertIn("translator", self.succeed("info", f"{number}.rondo"))

    def test_subwords_are_trained_on_each_language_or_on_both(self):
        words = ["--tokenizer", "sentencepiece", "--subwords", "18"]
        self.train_translator("apart.rondo", *words)
        self.assertEqual(json.loads(self.succeed("info", "apart.rondo", "--json"))["target_vocabulary"], 18)
        self.train_translator("joint.rondo", *words, "--subwords", "24", "--joint", "--tied")
        self.assertNotIn("target_vocabulary", json.loads(self.succeed("info", "joint.rondo", "--json")))

    def test_a_stopped_run_goes_on_to_the_same_file(self):
        words = ["train", "translate", "--source", "train.en", "--target", "train.de", *SMALL, "--after", "30e", "--input-dropout", "0.2",
                 "--patience", "0"]
        began = time.monotonic()
        self.succeed(*words, "-o", "whole.rondo")
        duration = time.monotonic() - began
        run = subprocess.Popen([COMMAND, *words, "-o", "part.rondo"], cwd=self.folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while not os.path.exists(self.path("part.rondo.checkpoint")) and run.poll() is None:
            time.sleep(0.01)
        time.sleep(duration / 3)
        run.send_signal(signal.SIGINT)
        _, told = run.communicate()
        self.assertEqual(run.returncode, 1, told)
        self.assertIn("--resume", told.decode())
        self.succeed(*words, "-o", "part.rondo", "--resume")
        self.assertEqual(self.sha256("part.rondo"), self.sha256("whole.rondo"))

    def test_mistakes_say_where_and_what_to_do(self):
        base = ["train", "translate", "-o", "m.rondo", *SMALL]
        self.assertIn("--source", self.refuse(2, *base))
        self.write("short.de", "eins\n")
        message = self.refuse(3, *base, "--source", "train.en", "--target", "short.de")
        self.assertIn("short.de", message)
        self.write("same.de", "x\n" * 150)
        self.assertIn("1 different token", self.refuse(3, *base, "--source", "train.en", "--target", "same.de"))
        few = self.refuse(2, *base, "--source", "same.de", "--target", "train.de", "--tokenizer", "sentencepiece")
        self.assertIn("few different words", few)
        self.assertIn("take --tokenizer words or characters", few)
        both = ["--source", "train.en", "--target", "train.de"]
        self.assertIn("bahdanau", self.refuse(2, *base, *both, "--attention", "bahdanou"))
        self.assertIn("--input-feeding", self.refuse(2, *base, *both, "--attention", "none", "--input-feeding"))
        self.assertIn("--bridge zero", self.refuse(2, *base, *both, "--attention", "none", "--bridge", "zero"))
        self.assertIn("--min-count", self.refuse(2, "train", "translate", "-o", "m.rondo", *both,
                                                    "--tokenizer", "characters", "--min-count", "3"))
        for mask in (["--embedding-dropout", "0.1"], ["--locked-dropout", "--input-dropout", "0.1"]):
            self.assertIn("--scheduled-sampling", self.refuse(2, *base, *both, "--scheduled-sampling", "0.2", *mask))
        self.assertIn("would be overwritten", self.refuse(2, *base, *both, "-o", "train.de", "--force"))
        self.assertIn("give another --report", self.refuse(2, *base, *both, "--report", "train.de", "--force"))
        self.assertEqual(self.read("train.de").decode(), texts()[1])

    def test_a_sentence_of_ten_thousand_words_is_left_out_with_a_warning(self):
        source, target = texts()
        self.write("train.en", source + "one " * 10000 + "\n")
        self.write("train.de", target + "eins " * 10000 + "\n")
        done = self.run_command("train", "translate", "--source", "train.en", "--target", "train.de", "-o", "m.rondo", *SMALL,
                                "--dev-source", "train.en", "--dev-target", "train.de", "--dev-fraction", "0.02")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 pairs with more than 100 tokens", done.stderr.decode())
        self.assertIn("line 151", done.stderr.decode())


if __name__ == "__main__":
    main()
