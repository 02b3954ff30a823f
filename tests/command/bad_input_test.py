"""Bad input: each mistake has its message with file and line, and costs nothing."""

import gzip
import json
import os
import resource
import subprocess
import unittest

from support import COMMAND, SMALL, CommandTest, corpus, main


class BadCorpus(CommandTest):
    def refuse_training(self, content, *words, status=3, name="bad.csv"):
        self.write(name, content)
        message = self.refuse(status, "train", "classify", "-i", name, "-o", "m.rondo", *SMALL, *words)
        self.assertEqual([f for f in os.listdir(self.folder) if f.startswith("m.rondo")], [])
        return message

    def test_missing_column(self):
        lines = corpus(50).splitlines()
        lines[41] = "Sports"
        self.assertIn("bad.csv:42: ", self.refuse_training("\n".join(lines)))

    def test_a_named_column_that_is_not_there(self):
        message = self.refuse_training(corpus(50), "--label-column", "topic")
        self.assertIn("topic", message)
        self.assertIn("label", message)

    def test_empty_file(self):
        for name in ["bad.csv", "bad.tsv", "bad.jsonl", "bad.txt"]:
            with self.subTest(name):
                self.assertIn(name, self.refuse_training("", name=name))

    def test_header_only(self):
        self.assertIn("bad.csv", self.refuse_training("label,text\n"))

    def test_one_label_only(self):
        rows = "\n".join(f"Sports,game {i}" for i in range(50))
        self.assertIn("Sports", self.refuse_training("label,text\n" + rows + "\n"))

    def test_one_text_only(self):
        self.refuse_training("label,text\nSports,game\n")

    def test_two_texts_are_too_few_or_enough_but_no_defect(self):
        self.write("two.csv", "label,text\nSports,game\nTech,chip\n")
        result = self.run_command("train", "classify", "-i", "two.csv", "-o", "m.rondo", *SMALL)
        self.assertIn(result.returncode, (0, 3), result.stderr)
        self.assertNotIn(b"unexpected:", result.stderr)

    def test_empty_label(self):
        lines = corpus(50).splitlines()
        lines[10] = ",a text without a label"
        self.assertIn("bad.csv:11: ", self.refuse_training("\n".join(lines)))

    def test_invalid_utf8_is_named_with_its_line(self):
        lines = corpus(50).encode().splitlines()
        lines[20] += b" caf\xe9"
        message = self.refuse_training(b"\n".join(lines))
        self.assertIn("bad.csv:21: ", message)
        self.assertIn("--replace-invalid", message)

    def test_invalid_utf8_is_replaced_where_that_is_wanted(self):
        lines = corpus(50).encode().splitlines()
        lines[20] += b" caf\xe9"
        self.write("bad.csv", b"\n".join(lines))
        words = ["train", "classify", "-i", "bad.csv", "-o", "m.rondo", *SMALL, "--replace-invalid"]
        result = self.run_command(*words)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"warning: bad.csv: bytes that are not UTF-8 replaced in 1 lines", result.stderr)

    def test_a_quote_that_does_not_close(self):
        lines = corpus(50).splitlines()
        lines[30] = 'Sports,"the coach'
        message = self.refuse_training("\n".join(lines))
        self.assertIn("bad.csv:31: ", message)

    def test_broken_json(self):
        rows = [json.dumps({"label": "ab"[i % 2], "text": f"word {i}"}) for i in range(30)]
        rows[12] = rows[12][:-3]
        self.assertIn("bad.jsonl:13: ", self.refuse_training("\n".join(rows), name="bad.jsonl"))

    def test_damaged_gzip(self):
        content = gzip.compress(corpus(200).encode())
        self.assertIn("gzip", self.refuse_training(content[: len(content) // 2], name="bad.csv.gz"))

    def test_random_bytes(self):
        self.refuse_training(bytes(range(256)) * 40)

    def test_a_missing_file_and_a_folder(self):
        for name in ["none.csv", "."]:
            with self.subTest(name):
                words = ["train", "classify", "-i", name, "-o", "m.rondo"]
                self.assertIn(name, self.refuse(1, *words))

    def test_a_megabyte_on_one_line_is_a_text(self):
        self.write("long.csv", corpus(50) + "Sports," + "goal " * 200_000 + "\n")
        words = ["--max-length", "100", "--hidden", "8", "--embedding", "8", "--after", "1e"]
        self.succeed("train", "classify", "-i", "long.csv", "-o", "m.rondo", *words)
        self.write("long.txt", "goal " * 200_000 + "\n")
        self.assertEqual(len(self.succeed("predict", "m.rondo", "long.txt").splitlines()), 1)

    def test_a_label_of_the_dev_file_that_training_never_saw(self):
        self.write("train.csv", corpus())
        self.write("dev.csv", corpus(30, seed=3) + "Cooking,a soup of leeks\n")
        result = self.run_command("train", "classify", "-i", "train.csv", "-d", "dev.csv", "-o", "m.rondo", *SMALL)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"dev.csv:32: label Cooking does not occur in the input", result.stderr)


class BadModel(CommandTest):
    def test_a_damaged_or_foreign_model_file(self):
        content = self.read(self.train())
        flipped = bytearray(content)
        flipped[-5] ^= 1
        for damaged in [b"", b"label,text\n" * 20, content[: len(content) // 2], bytes(flipped), content + b"x"]:
            self.write("bad.rondo", damaged)
            for words in [["info"], ["predict", "x"], ["evaluate", "train.csv"], ["check-gradients"]]:
                message = self.refuse(3, words[0], "bad.rondo", *words[1:])
                self.assertIn("bad.rondo", message)

    def test_a_missing_model(self):
        self.assertIn("none.rondo", self.refuse(1, "predict", "none.rondo", "x"))

    def test_an_input_that_is_no_file_but_looks_like_one(self):
        self.assertIn("no such file", self.refuse(1, "predict", self.train(), "texts.txt"))

    def test_a_typed_text_that_is_not_utf8(self):
        model = self.train()
        self.assertIn("--replace-invalid", self.refuse(3, "predict", model, b"caf\xe9"))
        answer = json.loads(self.succeed("predict", model, b"caf\xe9", "--json", "--replace-invalid"))
        self.assertEqual(answer["text"], "caf\ufffd")

    def test_a_line_that_is_not_utf8(self):
        model = self.train()
        self.write("texts.txt", b"one\ntwo\nthr\xe9e\n")
        self.assertIn("texts.txt:3: ", self.refuse(3, "predict", model, "texts.txt"))


class Outputs(CommandTest):
    """No output that exists is lost, no failed write is taken for success."""

    def setUp(self):
        super().setUp()
        self.model = self.train()
        self.words = ["train", "classify", "-i", "train.csv", *SMALL]

    def test_a_model_that_exists_needs_force(self):
        before = self.read(self.model)
        self.assertIn("--force", self.refuse(2, *self.words, "-o", self.model))
        self.assertEqual(self.read(self.model), before)
        self.succeed(*self.words, "-o", self.model, "--force", "--seed", "9")
        self.assertNotEqual(self.read(self.model), before)

    def test_a_log_that_exists_needs_force(self):
        self.write("notes.txt", "dear diary\n")
        self.assertIn("--force", self.refuse(2, *self.words, "-o", "n.rondo", "--log", "notes.txt"))
        self.assertEqual(self.read("notes.txt"), b"dear diary\n")

    def test_the_data_are_never_overwritten(self):
        before = self.read("train.csv")
        os.link(self.path("train.csv"), self.path("link.csv"))
        for words in [["-o", "train.csv"], ["-o", "./train.csv"], ["-o", "link.csv"],
                      ["-o", "n.rondo", "--log", "train.csv"], ["-o", "n.rondo", "--log", "n.rondo"]]:
            with self.subTest(words):
                self.assertIn("one file", self.refuse(2, *self.words, *words, "--force"))
        self.assertEqual(self.read("train.csv"), before)

    def test_a_log_without_a_folder_is_told_before_anything_is_read(self):
        message = self.refuse(1, *self.words, "-o", "n.rondo", "--log", "none/n.jsonl")
        self.assertIn("--log none/n.jsonl: there is no folder none", message)
        self.assertFalse(os.path.exists(self.path("n.rondo")))

    def test_no_such_folder(self):
        self.assertIn("none/m.rondo", self.refuse(1, *self.words, "-o", "none/m.rondo"))

    def test_no_space_for_the_model(self):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

        before = self.read(self.model)
        result = self.run_command(*self.words, "-o", self.model, "--force", preexec_fn=small_files)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(b"model.rondo", result.stderr)
        self.assertEqual(self.read(self.model), before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["model.rondo", "train.csv"])

    def test_a_device_that_is_full(self):
        message = self.refuse(1, *self.words, "-o", "/dev/full", "--force")
        self.assertIn("/dev/full", message)

    def test_a_full_standard_output_is_a_failure(self):
        commands = [["predict", self.model, "x"], ["predict", self.model, "train.csv"], ["info", self.model],
                    ["evaluate", self.model, "train.csv"], ["check-gradients", "--samples", "1"], ["--help"]]
        for words in commands:
            with self.subTest(words), open("/dev/full", "wb") as full:
                self.assertIn("No space left", self.refuse(1, *words, stdout=full))

    def test_a_reader_that_went_away_is_no_crash(self):
        for words in [["predict", self.model, "train.csv"], ["info", self.model], ["evaluate", self.model, "train.csv"]]:
            with self.subTest(words):
                reader, writer = os.pipe()
                os.close(reader)
                result = self.run_command(*words, stdout=writer)
                os.close(writer)
                self.assertEqual(result.returncode, 1)
                self.assertNotIn(b"rondo: ", result.stderr)


if __name__ == "__main__":
    main()
