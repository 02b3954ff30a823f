"""rondo quantize, and the precision that train, predict and evaluate run in."""

import json
import os
import random

from support import TOPICS, CommandTest, corpus, main

BIG = ["--hidden", "32", "--embedding", "64", "--min-count", "1"]


class Precision(CommandTest):
    def accuracy(self, model, *words):
        return json.loads(self.succeed("evaluate", model, "dev.csv", "--json", *words))["accuracy"]

    def setUp(self):
        super().setUp()
        self.write("dev.csv", corpus(200, seed=2))

    def test_bf16_is_kept_in_the_model_and_may_be_overridden(self):
        self.train("model.rondo", "--precision", "bf16")
        info = json.loads(self.succeed("info", "model.rondo", "--json"))
        self.assertEqual(info["config"]["precision"], "bf16")
        self.assertIn("runs in bf16", self.succeed("info", "model.rondo"))
        own = self.succeed("predict", "model.rondo", "a new goal", "--probs", "-k", "3")
        self.assertEqual(self.succeed("predict", "model.rondo", "a new goal", "--probs", "-k", "3",
                                      "--precision", "bf16"), own)
        for precision in ["f32", "int8"]:
            self.assertAlmostEqual(self.accuracy("model.rondo", "--precision", precision),
                                   self.accuracy("model.rondo"), delta=0.03)

    def test_the_bits_of_a_precision_do_not_depend_on_threads(self):
        for threads in ["1", "2", "3"]:
            self.train(f"bf16-{threads}.rondo", "--precision", "bf16", "-t", threads)
        self.assertEqual(self.sha256("bf16-1.rondo"), self.sha256("bf16-2.rondo"))
        self.assertEqual(self.sha256("bf16-1.rondo"), self.sha256("bf16-3.rondo"))

    def test_int8_is_not_trained(self):
        self.write("train.csv", corpus())
        message = self.refuse(2, "train", "classify", "-i", "train.csv", "-o", "m.rondo", "--precision", "int8")
        self.assertIn("rondo quantize", message)
        self.assertFalse(os.path.exists(self.path("m.rondo")))

    def test_a_precision_that_there_is_not_is_named(self):
        self.train()
        self.assertIn("bf16", self.refuse(2, "predict", "model.rondo", "goal", "--precision", "bf61"))


class QuantizeTranslator(CommandTest):
    def test_its_loss_is_measured_on_pairs(self):
        rng = random.Random(3)
        for language in ("en", "de"):
            words = [f"{language}{i}" for i in range(30)]
            rng.seed(3)
            self.write("all." + language, "".join(" ".join(rng.choices(words, k=5)) + "\n" for _ in range(60)))
        self.succeed("train", "translate", "--source", "all.en", "--target", "all.de", "-o", "m.rondo", "--tokenizer", "words",
                     "--hidden", "32", "--embedding", "32", "--after", "2e", "--min-count", "1")
        text = self.succeed("quantize", "m.rondo", "-o", "small.rondo", "--dev", "all.en", "--dev-target", "all.de",
                            "--max-drop", "0.05")
        self.assertRegex(text, r"(?m)^small.rondo: int8, \d+\.\d\d MB, dev loss \d\.\d{4}$")
        sides = [self.read("all." + language).decode().splitlines() for language in ("de", "en")]
        self.write("all.tsv", "german\tenglish\n" + "".join(f"{de}\t{en}\n" for de, en in zip(*sides)))
        again = self.succeed("quantize", "m.rondo", "-o", "again.rondo", "--dev", "all.tsv", "--source-column", "english",
                             "--target-column", "german", "--max-drop", "0.05")
        self.assertEqual([line.split("dev ")[1] for line in again.splitlines()], [line.split("dev ")[1] for line in text.splitlines()])
        self.assertIn("--label-column has no effect on a translator", self.refuse(
            2, "quantize", "m.rondo", "-o", "no.rondo", "--dev", "all.tsv", "--label-column", "1"))
        self.assertEqual(len(self.succeed("translate", "small.rondo", "en1 en2", "--beam", "2").splitlines()), 1)


class Quantize(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("dev.csv", corpus(200, seed=2))
        self.train("model.rondo", *BIG)

    def test_the_model_is_smaller_and_as_good(self):
        text = self.succeed("quantize", "model.rondo", "-o", "small.rondo", "--dev", "dev.csv")
        before, after = text.splitlines()
        self.assertRegex(before, r"^model.rondo: f32, \d+\.\d\d MB, dev accuracy \d\.\d{4}$")
        self.assertRegex(after, r"^small.rondo: int8, \d+\.\d\d MB, dev accuracy \d\.\d{4}$")
        big, small = (os.path.getsize(self.path(name)) for name in ["model.rondo", "small.rondo"])
        self.assertLess(small, 0.45 * big)
        info = json.loads(self.succeed("info", "small.rondo", "--json"))
        self.assertEqual(info["types"]["lstm.weight_hh_l0"], "I8")
        self.assertEqual(info["types"]["lstm.weight_hh_l0.scale"], "F32")
        self.assertEqual(info["config"]["precision"], "int8")
        self.assertIn("quantized", info["metrics"])
        self.assertIn("I8", self.succeed("info", "small.rondo"))
        figure = json.loads(self.succeed("evaluate", "small.rondo", "dev.csv", "--json"))["accuracy"]
        self.assertAlmostEqual(figure, float(after.split()[-1]), places=4)
        self.succeed("predict", "small.rondo", "a new goal")

    def test_too_large_a_drop_writes_nothing(self):
        # A model that learnt noise is sure of nothing, and the dev file's labels are its own predictions: every
        # one that int8 changes is a loss.
        rng = random.Random(3)
        words = sorted(word for words in TOPICS.values() for word in words)
        texts = [" ".join(rng.choices(words, k=4)) for _ in range(10000)]
        noise = [f"{rng.choice(sorted(TOPICS))},{text}" for text in texts[:300]]
        self.write("noise.csv", "\n".join(["label,text", *noise]) + "\n")
        self.train("noise.rondo", "-d", "noise.csv", "--after", "20e", data="noise.csv")
        self.write("texts.txt", "\n".join(texts) + "\n")
        labels = self.succeed("predict", "noise.rondo", "texts.txt").splitlines()
        own = [f"{label},{text}" for label, text in zip(labels, texts)]
        self.write("own.csv", "\n".join(["label,text", *own]) + "\n")
        message = self.refuse(1, "quantize", "noise.rondo", "-o", "small.rondo", "--dev", "own.csv", "--max-drop", "0")
        self.assertIn("(from 1.0000 to 0.9", message)
        self.assertIn("nothing is written", message)
        self.assertFalse(os.path.exists(self.path("small.rondo")))
        self.succeed("quantize", "noise.rondo", "-o", "small.rondo", "--dev", "own.csv", "--max-drop", "0.1")

    def test_what_is_missing_is_said(self):
        self.assertIn("--dev is missing", self.refuse(2, "quantize", "model.rondo", "-o", "small.rondo"))
        self.assertIn("--output is missing", self.refuse(2, "quantize", "model.rondo", "--dev", "dev.csv"))
        self.assertFalse(os.path.exists(self.path("small.rondo")))

    def test_files_that_exist_or_are_int8_already_are_refused(self):
        self.succeed("quantize", "model.rondo", "-o", "small.rondo", "--dev", "dev.csv")
        self.assertIn("--force", self.refuse(2, "quantize", "model.rondo", "-o", "small.rondo", "--dev", "dev.csv"))
        self.assertIn("already", self.refuse(2, "quantize", "small.rondo", "-o", "s.rondo", "--dev", "dev.csv"))
        self.succeed("quantize", "model.rondo", "-o", "small.rondo", "--dev", "dev.csv", "--force")

    def test_a_damaged_int8_model_is_refused(self):
        self.succeed("quantize", "model.rondo", "-o", "small.rondo", "--dev", "dev.csv")
        content = bytearray(self.read("small.rondo"))
        content[-7] ^= 1
        self.write("damaged.rondo", bytes(content))
        self.assertIn("altered", self.refuse(3, "predict", "damaged.rondo", "goal"))
        self.write("cut.rondo", self.read("small.rondo")[:-9])
        self.assertIn("cut", self.refuse(3, "predict", "cut.rondo", "goal"))


if __name__ == "__main__":
    main()
