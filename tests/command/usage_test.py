"""How the command is called: help, suggestions, configuration files, exit statuses."""

import os
import re
import shlex
import subprocess
import unittest

from support import SMALL, CommandTest, corpus, main

VERBS = [[], ["serve"], ["train"], ["train", "classify"], ["train", "tag"], ["train", "translate"], ["predict"], ["evaluate"], ["info"],
         ["check-gradients"], ["data"], ["data", "debian-sections"], ["data", "debian-translations"], ["translate"], ["bleu"], ["look"],
         ["train", "caption"], ["caption"], ["data", "fashion-scenes"]]


class Help(CommandTest):
    def test_every_help_fits_in_a_hundred_columns(self):
        for verb in VERBS:
            for line in self.succeed(*verb, "--help").splitlines():
                if not line.startswith("  rondo "):
                    self.assertLessEqual(len(line), 100, line)

    def test_help_tells_how_it_is_called(self):
        for verb in VERBS:
            self.assertIn("Usage: " + " ".join(["rondo", *verb]), self.succeed(*verb, "-h"))

    def test_help_shows_defaults_and_ranges(self):
        text = self.succeed("train", "classify", "--help")
        for part in ["--hidden N", "[128; 1 to 65536]", "--cell rnn|lstm|gru", "[lstm]", "-o, --output FILE", "[10e]"]:
            self.assertIn(part, text)

    def test_help_shows_only_the_form_of_a_flag_that_changes_something(self):
        text = self.succeed("train", "classify", "--help")
        self.assertIn("--quotes, --no-quotes", text)
        self.assertIn("[on]", text)
        self.assertNotIn("--no-resume", text)
        self.assertNotIn("{", text)

    def test_the_short_name_of_best_stands_in_the_help(self):
        self.assertIn("-k, --best N", self.succeed("predict", "--help"))

    def test_the_examples_of_the_help_run(self):
        self.write("news.csv", corpus())
        self.write("test.csv", corpus(40, seed=4))
        self.write("texts.txt", "the coach\na new chip\n")
        poems = "shall I compare thee to a summer day\nthou art more lovely and the end is near\n" * 40
        for name in ("poems.txt", "other-poems.txt", "lines.txt"):
            self.write(name, poems)
        self.succeed("train", "lm", "-i", "poems.txt", "-o", "poems.rondo", "--batch", "4", "--chunk", "20", "--hidden", "8",
                     "--after", "1e")
        self.make_translators()
        words = "Ada\tB-PER\nlives\tO\nin\tO\nLondon\tB-LOC\n\nit\tO\nrains\tO\n\n" * 20
        for name in ("train.conll", "dev.conll", "test.conll"):
            self.write(name, words)
        self.succeed("train", "tag", "-i", "train.conll", "-o", "names.rondo", "--hidden", "8", "--after", "1e")
        for verb in [["translate"], ["bleu"], ["train", "classify"], ["predict"], ["evaluate"], ["generate"], ["score"], ["info"], ["check-gradients"],
                     ["look"]]:
            help_text = self.succeed(*verb, "--help")
            examples = [line.strip() for line in help_text.splitlines() if re.match(r"^  (rondo|cat) ", line)]
            self.assertTrue(examples)
            for example in examples:
                if "recipes/" in example or "scenes/" in example:
                    continue  # needs the checkout; runs in caption_test.py
                with self.subTest(example):
                    self.run_example(example)

    def make_translators(self):
        for language in ("en", "de"):
            self.write("train." + language, "".join(f"{language}{i} dog\n" for i in range(40)))
            self.write("test." + language, f"{language}1 dog\n{language}2 dog\n")
        for name in ("out.de", "other-test.de"):
            self.write(name, self.read("test.de"))
        for name in ("a.rondo", "en-de.rondo"):
            self.succeed("train", "translate", "--source", "train.en", "--target", "train.de", "-o", name, "--tokenizer",
                         "words", "--hidden", "8", "--embedding", "8", "--after", "1e", "--min-count", "1")
        self.write("b.rondo", self.read("a.rondo"))

    def run_example(self, example):
        words = shlex.split(example.split("|")[-1].split(">")[0])
        if words[1] == "train":
            words += ["--force", *SMALL]
        if words[1] == "look":
            for cell in "rnn", "lstm", "gru":
                self.write(cell + ".rondo", self.read("news.rondo"))
        content = self.read("texts.txt") if "|" in example else None
        options = {"input": content} if content is not None else {}
        self.succeed(*words[1:], **options)

    def test_version(self):
        self.assertRegex(self.succeed("--version"), r"^rondo \d+\.\d+\.\d+\n$")


class WrongWords(CommandTest):
    def test_a_command_half_said_prints_its_help(self):
        for verb, part in [([], "train"), (["train"], "classify"), (["data"], "debian-sections")]:
            result = self.run_command(*verb)
            self.assertEqual(result.returncode, 2)
            self.assertEqual(result.stdout, b"")
            self.assertIn(part, result.stderr.decode())

    def test_an_option_given_twice_is_noted(self):
        result = self.run_command("train", "lm", "-i", "none.txt", "-o", "m.rondo", "--lr", "1", "--lr", "2", "--lr", "1")
        self.assertIn("note: --lr is given 3 times; the last counts, 1", result.stderr.decode())

    def test_the_nearest_name_is_suggested(self):
        cases = [
            (["trian"], "did you mean train?; see rondo --help"),
            (["train", "clasify"], "did you mean classify?; see rondo train --help"),
            (["train", "classify", "--hiden", "3"], "did you mean --hidden?; see rondo train classify --help"),
            (["train", "classify", "--hiden=3"], "did you mean --hidden?"),
            (["train", "lm", "--epochs", "3"], "did you mean --after 10e?"),
            (["train", "tag", "--batch-size", "3"], "did you mean --batch?"),
            (["predict", "m.rondo", "x", "--prob"], "did you mean --probs?; see rondo predict --help"),
            (["predict", "--prob"], "did you mean --probs?"),
            (["train", "caption", "--cell", "gru"], "--cell is an option of rondo train"),
            (["--versio"], "did you mean --version?"),
            (["predict", "m.rondo", "x", "--hidden", "3"], "--hidden is an option of rondo train classify"),
            (["train", "classify", "--cell", "ltsm"], "did you mean lstm?"),
        ]
        for words, part in cases:
            with self.subTest(words):
                self.assertIn(part, self.refuse(2, *words))

    def test_a_wrong_value_names_the_option_what_is_accepted_and_what_was_given(self):
        cases = [(["--hidden", "x"], ["--hidden", "1 to 65536", "x"]), (["--hidden", "0"], ["--hidden", "1 to 65536", "0"]),
                 (["--hidden", "1.5"], ["--hidden", "integer", "1.5"]), (["--lr", "fast"], ["--lr", "fast"]),
                 (["--output-dropout", "1"], ["--output-dropout", "0 to 0.99"]), (["--resume=perhaps"], ["--resume", "perhaps"]),
                 (["--after", "5x"], ["after", "5x"]), (["--lr", "nan"], ["--lr", "nan"]), (["-t", "-1"], ["--threads", "-1"])]
        self.write("train.csv", corpus())
        for words, parts in cases:
            with self.subTest(words):
                message = self.refuse(2, "train", "classify", "-i", "train.csv", "-o", "m.rondo", *words)
                for part in parts:
                    self.assertIn(part, message)

    def test_what_is_missing_is_named(self):
        self.assertIn("model is missing", self.refuse(2, "predict"))
        self.assertIn("input is missing", self.refuse(2, "evaluate", "m.rondo"))
        self.assertIn("--input", self.refuse(2, "train", "classify"))
        self.assertIn("--output", self.refuse(2, "train", "classify", "-i", "train.csv"))
        self.assertIn("--input: its value is missing", self.refuse(2, "train", "classify", "-i"))

    def test_words_too_many(self):
        self.assertIn("quotes", self.refuse(2, "predict", "m.rondo", "two", "words"))

    def test_options_without_effect_are_refused(self):
        self.write("train.csv", corpus())
        words = ["train", "classify", "-i", "train.csv", "-o", "m.rondo"]
        for extra in [["--dropout", "0.5"], ["--momentum", "0.9"], ["--peepholes", "--cell", "gru"]]:
            with self.subTest(extra):
                self.assertIn(extra[0].strip("-"), self.refuse(2, *words, *extra))

    def test_an_unknown_device_says_how_to_get_it(self):
        self.write("train.csv", corpus())
        words = ["train", "classify", "-i", "train.csv", "-o", "m.rondo", "--device"]
        self.assertIn("reference", self.refuse(2, *words, "gpu"))


class Config(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("train.csv", corpus())
        self.words = ["train", "classify", "-i", "train.csv", "-o", "m.rondo", "--config", "c.toml"]

    def test_a_file_and_the_command_line_give_the_same_model(self):
        self.write("c.toml", '[model]\nhidden = 8\nembedding = 8\n[training]\nlr = 0.01\nafter = "4e"\nforce = true\n')
        self.succeed(*self.words)
        typed = self.train("typed.rondo")
        self.assertEqual(self.sha256("m.rondo"), self.sha256(typed))

    def test_the_command_line_wins(self):
        self.write("c.toml", 'hidden = 99\nembedding = 8\nlr = 0.01\nafter = "4e"\nbidirectional = true\n')
        self.succeed(*self.words, "--hidden", "8", "--no-bidirectional")
        self.assertEqual(self.sha256("m.rondo"), self.sha256(self.train("typed.rondo", "--no-bidirectional")))

    def test_mistakes_name_file_and_line(self):
        cases = [("\nhiden = 3\n", ["c.toml:2", "did you mean hidden?"]), ("hidden = 'x'\n", ["c.toml:1", "hidden", "1 to 65536"]),
                 ("lr = \n", ["c.toml:1"]), ("lr = 1\n\n[x]\nlr = 2\n", ["c.toml", "lr", "already"]),
                 ("lr = 1979-05-27\n", ["c.toml:1", "lr"]), ("cell = 'ltsm'\n", ["c.toml:1", "lstm"]), ("\xff\n", ["c.toml"])]
        for content, parts in cases:
            with self.subTest(content):
                self.write("c.toml", content.encode("latin-1"))
                message = self.refuse(2, *self.words)
                for part in parts:
                    self.assertIn(part, message)

    def test_a_missing_file(self):
        self.assertIn("c.toml", self.refuse(1, *self.words))


class CheckGradients(CommandTest):
    def test_every_cell_passes(self):
        for words in [[], ["--cell", "gru"], ["--cell", "gru", "--reset", "before"], ["--cell", "rnn"], ["--peepholes"],
                      ["--coupled"], ["--projection", "3"], ["--pool", "attention", "--bidirectional"]]:
            with self.subTest(words):
                report = self.succeed("check-gradients", "--samples", "4", *words)
                self.assertIn("passed: largest error", report)
                self.assertIn("embedding.weight", report)

    def test_a_model_file(self):
        self.assertIn("passed", self.succeed("check-gradients", self.train(), "--samples", "2"))


class Data(CommandTest):
    def test_debian_sections_train(self):
        result = self.run_command("data", "debian-sections", "-o", "s.tsv")
        if result.returncode != 0:
            self.skipTest("no package index on this machine: " + result.stderr.decode().strip())
        self.assertRegex(result.stdout.decode(), r"^s\.tsv\t\d+ texts\n$")
        self.assertTrue(self.read("s.tsv").startswith(b"section\tdescription\n"))

    def test_an_output_of_another_kind(self):
        result = self.run_command("data", "debian-sections", "-o", "s.xlsx")
        self.assertIn(result.returncode, (1, 2, 3))
        self.assertFalse(os.path.exists(self.path("s.xlsx")))


if __name__ == "__main__":
    main()
