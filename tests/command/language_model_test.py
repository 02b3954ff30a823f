"""rondo train lm: the same bytes for any threads, figures that agree, and mistakes that are told."""

import json
import os
import random

from language_models import SMALL, LanguageModelTest, text
from support import main

class Training(LanguageModelTest):
    KINDS = {
        "characters": [],
        "bytes": ["--tokenizer", "bytes"],
        "words": ["--tokenizer", "words", "--min-count", "2"],
        "spaces": ["--tokenizer", "spaces"],
        "sentencepiece": ["--tokenizer", "sentencepiece", "--subwords", "50"],
        "both directions": ["--bidirectional"],
        "tied": ["--tied", "--embedding", "16"],
        "adaptive": ["--adaptive", "5,12"],
        "one-hot": ["--embedding", "0"],
        "documents": ["--documents", "blank-line"],
        "AWD-LSTM": ["--layers", "2", "--last-hidden", "12", "--tied", "--weight-dropout", "0.3", "--locked-dropout",
                     "--input-dropout", "0.1", "--dropout", "0.1", "--output-dropout", "0.2", "--embedding-dropout",
                     "0.1", "--ar", "2", "--tar", "1", "--random-chunks", "--averaging", "nt", "--optimizer", "sgd",
                     "--lr", "5"],
    }

    def test_every_kind_trains_evaluates_and_describes_itself(self):
        for name, words in self.KINDS.items():
            with self.subTest(name):
                self.train_lm("m.rondo", *words, "--force")
                figures = self.evaluate("m.rondo")
                self.assertLess(figures["perplexity"], 60)
                self.assertGreater(figures["bits_per_character"], 0.5)
                # One code point each, whatever a token is; the last line feed may or may not count.
                self.assertAlmostEqual(figures["characters"], len(text()), delta=1)
                self.assertIn("language model", self.succeed("info", "m.rondo"))
                self.assertEqual(json.loads(self.succeed("info", "m.rondo", "--json"))["kind"], "language_model")
                self.assertEqual(self.evaluate("m.rondo", "-t", "2"), self.evaluate("m.rondo", "-t", "1"))

    def test_the_same_file_for_any_threads(self):
        for name in ["characters", "words", "AWD-LSTM"]:
            with self.subTest(name):
                for threads in ["1", "2"]:
                    self.train_lm(f"{threads}.rondo", *self.KINDS[name], "-t", threads, "--force")
                self.assertEqual(self.sha256("1.rondo"), self.sha256("2.rondo"))

    def test_recomputation_reaches_the_same_loss(self):
        words = ["--chunk", "0", "--after", "8u", "--evaluate-every", "8", "--hidden", "64"]
        for memory in ["0", "45"]:
            self.train_lm(f"{memory}.rondo", *words, "--max-mem", memory)
        whole, parts = self.evaluate("0.rondo"), self.evaluate("45.rondo")
        self.assertNotEqual(self.sha256("0.rondo"), self.sha256("45.rondo"))  # sums in another order
        self.assertAlmostEqual(whole["loss"], parts["loss"], delta=1e-3)

    def test_whole_numbers_cost_little(self):
        for words in [["--after", "6e"], ["--bidirectional"], ["--tied", "--embedding", "16"], ["--adaptive", "5,12"],
                      ["--embedding", "0"]]:
            with self.subTest(words):
                self.train_lm("m.rondo", *words, "--force")
                self.succeed("quantize", "m.rondo", "-o", "small.rondo", "--dev", "text.txt", "--max-drop", "0.01",
                             "--force")
                self.assertLess(len(self.read("small.rondo")), 0.7 * len(self.read("m.rondo")))
                self.assertAlmostEqual(self.evaluate("small.rondo")["loss"], self.evaluate("m.rondo")["loss"], delta=0.01)
                if "--bidirectional" not in words:
                    self.succeed("generate", "small.rondo", "the ", "--length", "20")
        self.assertIn("quantized already", self.refuse(2, "quantize", "small.rondo", "-o", "none.rondo", "--dev",
                                                       "text.txt"))

    def test_a_text_from_standard_input_is_evaluated(self):
        self.train_lm("m.rondo")
        piped = json.loads(self.succeed("evaluate", "m.rondo", "-", "--json", input=text().encode()))
        self.assertEqual(piped, self.evaluate("m.rondo"))
        self.assertIn("perplexity", self.succeed("evaluate", "m.rondo", "text.txt"))

    def test_a_cut_text_is_read_in_the_parts_that_it_says(self):
        self.train_lm("m.rondo")
        whole, parts = self.evaluate("m.rondo"), self.evaluate("m.rondo", "--parts", "8")
        self.assertEqual((whole["parts"], parts["parts"]), (1, 8))
        self.assertEqual(whole["tokens"], parts["tokens"])
        self.assertEqual(whole["characters"], parts["characters"])
        self.assertNotEqual(whole["loss"], parts["loss"])

    def test_more_texts_are_learnt_from(self):
        self.write("more.txt", text(seed=2) + "xyzzy\n")
        self.train_lm("m.rondo", "--also", "more.txt", "--tokenizer", "spaces")
        self.train_lm("less.rondo", "--tokenizer", "spaces")
        sizes = [json.loads(self.succeed("info", m, "--json"))["vocabulary"] for m in ["m.rondo", "less.rondo"]]
        self.assertEqual(sizes[0], sizes[1] + 1)


class BadInput(LanguageModelTest):
    def refuse_training(self, status, *words, data="text.txt"):
        message = self.refuse(status, "train", "lm", "-i", data, "-o", "new.rondo", *SMALL, *words)
        self.assertEqual([f for f in os.listdir(self.folder) if f.startswith("new.rondo")], [])
        return message

    def test_texts_that_teach_nothing(self):
        for content, words in [("", "bad.txt"), ("\n\n \n", "bad.txt"), ("short", "bad.txt: 6 tokens"),
                               ("a" * 3000, "two to tell apart"), ("a\n" * 2000, "two to tell apart"),
                               ("word " * 900, "")]:
            with self.subTest(content[:10]):
                self.write("bad.txt", content)
                options = ["--tokenizer", "words"] if content.startswith("word") else []
                self.assertIn(words, self.refuse_training(3, *options, data="bad.txt"))

    def test_a_text_shorter_than_a_chunk(self):
        self.write("bad.txt", text(10))
        message = self.refuse_training(3, "--chunk", "200", data="bad.txt")
        for word in ["bad.txt", "200", "--batch 1 fits"]:
            self.assertIn(word, message)

    def test_encodings(self):
        latin = text().encode() + "caf\u00e9 au lait\n".encode("latin-1")
        self.write("bad.txt", "caf\u00e9\n".encode() + latin)
        message = self.refuse_training(3, data="bad.txt")
        self.assertIn("bad.txt:282", message)
        self.assertIn("--replace-invalid", message)
        self.succeed("train", "lm", "-i", "bad.txt", "-o", "m.rondo", *SMALL, "--replace-invalid")
        for encoding in ["utf-16", "utf-16-le", "utf-16-be"]:
            with self.subTest(encoding):
                self.write("wide.txt", text().encode(encoding))
                self.assertIn("wide.txt", self.refuse_training(3, data="wide.txt"))

    def test_missing_files(self):
        self.assertIn("none.txt", self.refuse_training(1, data="none.txt"))
        self.assertIn("none.txt", self.refuse_training(1, "--also", "none.txt"))
        self.assertIn("none.txt", self.refuse_training(1, "--dev", "none.txt"))
        self.assertIn("none.rondo", self.refuse_training(1, "--from", "none.rondo"))

    def test_options_without_effect_or_that_do_not_fit(self):
        for words, name in [
                ("--tokenizer bytes --min-count 3", "--min-count"),
                ("--tokenizer bytes --max-vocabulary 30", "--max-vocabulary"),
                ("--tokenizer sentencepiece --subwords 50 --min-count 3", "--min-count"),
                ("--tokenizer sentencepiece", "--subwords"), ("--subwords 50", "--subwords"),
                ("--sentencepiece text.txt", "--sentencepiece"),
                ("--dev text.txt --dev-fraction 0.2", "--dev-fraction"), ("--unfreeze 1", "--unfreeze"),
                ("--layer-rate 0.5", "--layer-rate"), ("--random-chunks --chunk 0", "--random-chunks"),
                ("--adaptive 5,100000", "adaptive"), ("--adaptive 5,x", "--adaptive"), ("--tied", "--tied"),
                ("--tied --embedding 0", "--tied"), ("--tied --embedding 16 --adaptive 5", "--adaptive"),
                ("--bidirectional --layers 2", "--bidirectional"), ("--max-mem 1", "--max-mem 1"),
                ("--max-mem 43 --chunk 0 --hidden 64 --ar 2", "--ar"),
                ("--max-mem 46 --chunk 0 --hidden 64 --layers 2 --dropout 0.2", "--locked-dropout"),
                ("--max-mem 43 --chunk 0 --hidden 64 --bidirectional", "--max-mem"),
                ("--carry always --dev-split random", "--dev-split"), ("--class-weights balanced", "--class-weights"),
                ("--precision int8", "int8"), ("--also text.txt --log text.txt", "--log")]:
            with self.subTest(words):
                self.assertIn(name, self.refuse_training(2, *words.split()))

    def test_no_bytes_are_foreign_to_a_model_of_bytes(self):
        self.train_lm("bytes.rondo", "--tokenizer", "bytes")
        self.train_lm("characters.rondo")
        row = self.succeed("score", "bytes.rondo", "-", "--no-end", input=b"a\xff\n").split("\t")
        self.assertEqual(row[1], "2")
        self.assertIn("UTF-8", self.refuse(3, "score", "characters.rondo", "-", input=b"a\xff\n"))

    def test_what_is_read_is_never_overwritten(self):
        self.write("more.txt", text(seed=2))
        before = self.sha256("more.txt")
        self.refuse(2, "train", "lm", "-i", "text.txt", "--also", "more.txt", "-o", "more.txt", *SMALL, "--force")
        self.assertEqual(self.sha256("more.txt"), before)

    def test_a_model_to_begin_from_that_does_not_fit(self):
        self.train_lm("lm.rondo", "--tokenizer", "words")
        self.train_lm("bytes.rondo", "--tokenizer", "bytes")
        self.train_lm("one-hot.rondo", "--embedding", "0")
        self.train("classifier.rondo")
        begin = ["train", "lm", "-i", "text.txt", "-o", "new.rondo", "--batch", "4", "--chunk", "20", "--from"]
        self.assertIn("--hidden 30: lm.rondo has 16", self.refuse(2, *begin, "lm.rondo", "--hidden", "30"))
        self.assertIn("classifier.rondo", self.refuse(3, *begin, "classifier.rondo"))
        self.assertIn("text.txt", self.refuse(3, *begin, "text.txt"))
        self.assertIn("--subwords", self.refuse(2, *begin, "lm.rondo", "--subwords", "50"))
        self.assertIn("--min-count", self.refuse(2, *begin, "bytes.rondo", "--min-count", "3"))
        classify = ["train", "classify", "-i", "train.csv", "-o", "new.rondo", "--from"]
        self.assertIn("--embedding", self.refuse(2, *classify, "one-hot.rondo"))
        self.assertIn("classifier.rondo", self.refuse(3, *classify, "classifier.rondo"))
        self.assertIn("--cell", self.refuse(2, *classify, "lm.rondo", "--cell", "gru"))
        self.assertIn("--vectors", self.refuse(2, *classify, "lm.rondo", "--vectors", "text.txt"))

    def test_a_model_of_another_kind(self):
        self.train_lm("lm.rondo")
        self.train("classifier.rondo")
        for words in [["predict", "lm.rondo", "some text"], ["bench", "lm.rondo", "--seconds", "0.1"],
                      ["check-gradients", "lm.rondo"]]:
            with self.subTest(words):
                message = self.refuse(3, *words)
                self.assertIn("lm.rondo", message)
                self.assertIn("classifier", message)
        for words in [["generate", "classifier.rondo", "the"], ["score", "classifier.rondo", "the"]]:
            with self.subTest(words):
                self.assertIn("language model", self.refuse(3, *words))
        for words in (["--confusion"], ["--conll", "auto"], ["--beam", "2"], ["--source-column", "1"]):
            message = self.refuse(2, "evaluate", "lm.rondo", "text.txt", *words)
            self.assertIn(f"{words[0]} has no effect on a language model", message)
        for words in (["--tag-column", "1"], ["--dev-target", "text.txt"]):
            message = self.refuse(2, "quantize", "lm.rondo", "-o", "q.rondo", "--dev", "text.txt", *words)
            self.assertIn(f"{words[0]} has no effect on a language model", message)
        self.assertIn("--carry", self.refuse(2, "evaluate", "lm.rondo", "text.txt", "--carry", "never"))

    def test_a_damaged_model_is_an_error_at_any_byte(self):
        self.train_lm("lm.rondo")
        content = self.read("lm.rondo")
        rng = random.Random(4)
        for _ in range(15):
            place = rng.randrange(len(content))
            for damaged in [content[:place], content[:place] + bytes([content[place] ^ 255]) + content[place + 1:]]:
                self.write("bad.rondo", damaged)
                result = self.run_command("evaluate", "bad.rondo", "text.txt")
                self.assertIn(result.returncode, (2, 3), result.stderr)
                self.assertNotIn(b"unexpected:", result.stderr)

    def test_an_empty_text_to_evaluate(self):
        self.train_lm("lm.rondo")
        self.write("empty.txt", "")
        self.assertIn("empty.txt", self.refuse(3, "evaluate", "lm.rondo", "empty.txt"))


if __name__ == "__main__":
    main()
