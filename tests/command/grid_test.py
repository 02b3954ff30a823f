"""--cell grid as the recurrent part of language models, classifiers and taggers."""

import json
import os

from language_models import LanguageModelTest
from support import corpus, main
import tag_test

GRID = ["--cell", "grid", "--hidden", "8"]
TIED = [*GRID, "--layers", "3", "--tied-layers"]
KINDS = {
    "tied": TIED,
    "untied": [*GRID, "--layers", "2", "--dropout", "0.2", "--output-gate", "outside"],
    "time last": [*GRID, "--layers", "2", "--priority", "time"],
    "no cells along depth": [*GRID, "--layers", "2", "--along-depth", "relu", "--priority", "none"],
    "depth alone": [*TIED, "--along-time", "none"],
}


class Grids(LanguageModelTest):
    def test_language_models_of_every_kind_train_evaluate_and_write(self):
        for name, words in KINDS.items():
            with self.subTest(name):
                self.train_lm("m.rondo", *words, "--force")
                figures = self.evaluate("m.rondo")
                self.assertLess(figures["perplexity"], 60)
                self.assertEqual(self.evaluate("m.rondo", "-t", "2"), figures)
                config = json.loads(self.succeed("info", "m.rondo", "--json"))["config"]
                self.assertEqual((config["cell"], config["tied-layers"]), ("grid", "--tied-layers" in words))
                self.assertIn("h_d'", self.succeed("info", "m.rondo"))
                written = self.succeed("generate", "m.rondo", "the ", "--length", "30", "--seed", "3")
                self.assertEqual(self.succeed("generate", "m.rondo", "the ", "--length", "30", "--seed", "3"), written)
                self.assertGreaterEqual(len(written), 10)
                self.succeed("score", "m.rondo", "text.txt")

    def test_the_same_file_for_any_threads(self):
        for name in ["tied", "time last"]:
            for threads in ["1", "2"]:
                self.train_lm(f"{threads}.rondo", *KINDS[name], "-t", threads, "--force")
            self.assertEqual(self.sha256("1.rondo"), self.sha256("2.rondo"), name)

    def test_the_state_is_carried_and_recomputed(self):
        words = [*TIED, "--chunk", "0", "--after", "8u", "--evaluate-every", "8", "--hidden", "64"]
        for memory in ["0", "100"]:
            self.train_lm(f"{memory}.rondo", *words, "--max-mem", memory)
        self.assertAlmostEqual(self.evaluate("0.rondo")["loss"], self.evaluate("100.rondo")["loss"], delta=1e-3)

    def test_a_classifier_begins_from_a_grid(self):
        self.train_lm("lm.rondo", *TIED)
        self.write("train.csv", corpus())
        self.succeed("train", "classify", "-i", "train.csv", "-o", "c.rondo", "--from", "lm.rondo", "--lr", "0.01", "--after", "2e")
        config = json.loads(self.succeed("info", "c.rondo", "--json"))["config"]
        self.assertEqual((config["cell"], config["layers"], config["tied-layers"]), ("grid", 3, True))

    def test_classifiers_of_every_pool_predict_what_they_evaluate(self):
        for pool in ["final", "max", "attention", "concat"]:
            with self.subTest(pool):
                self.train("c.rondo", *TIED, "--pool", pool, "--force")
                figures = json.loads(self.succeed("evaluate", "c.rondo", "train.csv", "--json"))
                self.assertGreater(figures["accuracy"], 0.6)
                lines = self.succeed("predict", "c.rondo", "train.csv").splitlines()
                self.assertGreater(len(lines), 250)

    def test_bfloat16_trains_and_whole_numbers_are_refused(self):
        self.train("c.rondo", *TIED, "--precision", "bf16")
        self.assertIn("grid", self.refuse(2, "quantize", "c.rondo", "-o", "small.rondo", "--dev", "train.csv"))
        self.assertFalse(os.path.exists(self.path("small.rondo")))
        self.assertIn("grid", self.refuse(2, "predict", "c.rondo", "train.csv", "--precision", "int8"))

    def test_gradients_are_exact(self):
        report = self.succeed("check-gradients", "--cell", "grid", "--layers", "3", "--tied-layers")
        self.assertIn("grid.weight_depth_l0", report)

    def test_options_without_effect_and_what_is_not_there_are_refused(self):
        lm = ["train", "lm", "-i", "text.txt", "-o", "m.rondo"]
        for words, told in [(["--tied-layers"], "--cell grid"),
                            ([*GRID, "--tied-layers"], "--layers 2"),
                            ([*GRID, "--along-depth", "none"], "--along-depth"),
                            ([*GRID, "--peepholes"], "--peepholes"),
                            ([*GRID, "--along-time", "none", "--priority", "time"], "--priority")]:
            with self.subTest(words):
                self.assertIn(told, self.refuse(2, *lm, *words))
        self.assertFalse(os.path.exists(self.path("m.rondo")))


class GridTaggers(tag_test.TagTest):
    def test_a_tagger_learns_tags(self):
        self.train_tag("m.rondo", *TIED)
        self.assertGreater(self.figures("m.rondo")["accuracy"], 0.8)


if __name__ == "__main__":
    main()
