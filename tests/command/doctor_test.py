"""rondo doctor: findings with their places, exit statuses, every kind of corpus and model, odd input."""

import json

from language_models import text
from support import SMALL, CommandTest, corpus, main
from tag_test import SMALL as SMALL_TAGGER
from tag_test import columns, sentences
from translations import pairs


class Doctor(CommandTest):
    def findings(self, *words, status=None):
        result = self.run_command("doctor", *words, "--json")
        self.assertIn(result.returncode, (0, 1) if status is None else (status,), result.stderr)
        return json.loads(result.stdout)

    def checks(self, diagnosis):
        return {finding["check"]: finding for finding in diagnosis["findings"]}

    def test_a_clean_corpus_says_what_was_checked(self):
        rows = list(dict.fromkeys(corpus(3000).splitlines()))
        self.write("train.csv", "\n".join(rows[:1500]) + "\n")
        self.write("dev.csv", "\n".join(rows[:1] + rows[1500:]) + "\n")
        shown = self.succeed("doctor", "train.csv", "dev.csv")
        self.assertIn("Checked: encoding, characters, markup, overlap,", " ".join(shown.split()))
        self.assertIn("Clean: nothing was found.", shown)
        self.assertNotIn("What to do", shown)

    def test_the_exit_status_is_a_linters(self):
        self.write("train.csv", corpus(400))
        self.write("dev.csv", corpus(50))
        shown = self.run_command("doctor", "train.csv", "dev.csv")
        self.assertEqual(shown.returncode, 1)
        self.assertIn("PROBLEM [overlap] 50 of 50 texts of dev.csv (100.0 %) stand in train.csv too", shown.stdout.decode())
        self.assertIn("What to do: take them out", shown.stdout.decode())
        self.assertEqual(self.run_command("doctor", "train.csv", "dev.csv", "--fail-on", "never").returncode, 0)
        self.write("few.csv", corpus(40))
        self.assertEqual(self.run_command("doctor", "few.csv").returncode, 0)
        self.assertEqual(self.run_command("doctor", "few.csv", "--fail-on", "warning").returncode, 1)

    def test_formats_are_those_of_the_readers(self):
        rows = [line.split(",", 1) for line in corpus(300).splitlines()[1:]]
        self.write("a.tsv", "label\ttext\n" + "".join(f"{label}\t{line}\n" for label, line in rows))
        self.write("a.jsonl", "".join(json.dumps({"label": label, "text": line}) + "\n" for label, line in rows))
        self.write("a.txt", "".join(f"__label__{label} {line}\n" for label, line in rows))
        self.write("a.csv", corpus(300))
        for name in "a.tsv", "a.jsonl", "a.txt":
            with self.subTest(name):
                overlap = self.checks(self.findings(name, "a.csv", status=1))["overlap"]
                self.assertIn("300 of 300 texts", overlap["what"])
                self.assertRegex(overlap["where"][0], rf"^a\.csv:2 is {name}:[12]$")

    def test_a_classifier_is_looked_into(self):
        self.train("m.rondo")
        self.write("dev.csv", corpus(250, seed=7))
        diagnosis = self.findings("train.csv", "dev.csv", "m.rondo")
        for check in "unknown tokens", "dead units", "saturated gates", "over-fitting", "clipping", "confusion", "calibration":
            self.assertIn(check, diagnosis["checked"])
        figure = json.loads(self.succeed("evaluate", "m.rondo", "dev.csv", "--json"))
        right = round(figure["accuracy"] * 250)
        self.assertIn(f"{right} of 250 texts", diagnosis["measures"]["the model is right on"])
        self.assertIn("a classifier, tried on dev.csv", diagnosis["measures"]["model"])
        self.assertIn("which it may know", self.findings("train.csv", "m.rondo")["measures"]["model"])

    def test_a_classifier_of_sets_a_grid_and_int8_are_looked_into(self):
        from support import corpus_of_sets
        self.write("sets.tsv", corpus_of_sets())
        self.train("sets.rondo", "--label-separator", ";", data="sets.tsv")
        self.assertIn("dead units", self.findings("sets.tsv", "sets.rondo", "--label-separator", ";")["checked"])
        self.train("grid.rondo", "--cell", "grid", "--layers", "2")
        self.assertIn("saturated gates", self.findings("train.csv", "grid.rondo")["checked"])
        self.write("dev.csv", corpus(200, seed=2))
        self.train("m.rondo")
        self.succeed("quantize", "m.rondo", "-o", "small.rondo", "--dev", "dev.csv", "--force")
        self.assertIn("saturated gates", self.findings("train.csv", "small.rondo")["checked"])

    def test_a_language_model_is_looked_into(self):
        self.write("text.txt", text())
        self.write("other.txt", text(60, seed=9) + "\u017d\u017e\u017c\n")
        self.succeed("train", "lm", "-i", "text.txt", "-o", "m.rondo", "--hidden", "16", "--embedding", "12", "--batch", "4",
                     "--chunk", "20", "--after", "2e")
        diagnosis = self.findings("text.txt", "other.txt", "m.rondo")
        self.assertIn("tokens of other.txt", diagnosis["measures"]["tokens the model lacks"])
        self.assertIn("saturated gates", diagnosis["checked"])

    def test_a_tagger_is_looked_into(self):
        self.write("train.conll", columns(sentences(300)))
        self.write("dev.conll", columns(sentences(250, seed=2)))
        self.succeed("train", "tag", "-i", "train.conll", "-d", "dev.conll", "-o", "m.rondo", *SMALL_TAGGER)
        diagnosis = self.findings("train.conll", "dev.conll", "m.rondo")
        self.assertIn("order of tags", diagnosis["checked"])
        figure = json.loads(self.succeed("evaluate", "m.rondo", "dev.conll", "--json"))
        words = sum(len(sentence) for sentence in sentences(250, seed=2))
        self.assertIn(f"{round(figure['accuracy'] * words):,} of {words:,} words", diagnosis["measures"]["the model is right on"])

    def test_a_translator_is_looked_into(self):
        for stem, made in ("train", pairs(300)), ("dev", pairs(30, seed=2)):
            self.write(stem + ".en", "".join(source + "\n" for source, _ in made))
            self.write(stem + ".de", "".join(target + "\n" for _, target in made))
        files = ["train.en", "dev.en", "--target", "train.de", "--dev-target", "dev.de"]
        self.assertIn("length ratio", self.findings(*files)["checked"])
        for attention in "bahdanau", "dot", "none":
            self.succeed("train", "translate", "--source", "train.en", "--target", "train.de", "-o", "m.rondo", "--force",
                         "--tokenizer", "words", "--embedding", "12", "--hidden", "12", "--batch-tokens", "100", "--after",
                         "1e", "--attention", attention)
            diagnosis = self.findings("train.en", "dev.en", "m.rondo", *files[2:])
            self.assertIn("saturated gates", diagnosis["checked"])


class OddInput(CommandTest):
    def test_a_missing_or_hopeless_file_is_refused(self):
        self.write("train.csv", corpus(50))
        self.refuse(1, "doctor", "nowhere.csv")
        self.refuse(3, "doctor", self.write("empty.csv", ""))
        self.assertIn("the texts come first", self.refuse(2, "doctor", self.train("m.rondo")))
        self.assertIn("is no model", self.refuse(2, "doctor", "train.csv", "train.csv", "train.csv"))
        self.assertIn("not standard input", self.refuse(2, "doctor", "-"))
        self.assertIn("have no effect", self.refuse(2, "doctor", "train.csv", "--task", "classify", "--target", "train.csv"))
        self.assertIn("holds a classifier", self.refuse(2, "doctor", "train.csv", "m.rondo", "--task", "lm"))

    def test_bytes_that_are_not_text_are_findings(self):
        self.write("train.csv", b"label,text\n" + b"a,caf\xe9\nb,\x00\x01\x02\na,x\nb,y\n" * 60)
        shown = self.run_command("doctor", "train.csv")
        self.assertEqual(shown.returncode, 1, shown.stderr)
        self.assertIn("hold bytes that are not UTF-8", shown.stdout.decode())
        self.assertIn("hold control characters", shown.stdout.decode())
        self.assertIn("train.csv:2", shown.stdout.decode())

    def test_empty_texts_and_a_text_of_ten_thousand_words_pass_through_a_model(self):
        self.train("m.rondo")
        self.write("dev.csv", "label,text\nSports,\nTech," + "goal " * 10000 + "\nWorld,x\n")
        shown = self.run_command("doctor", "train.csv", "dev.csv", "m.rondo")
        self.assertEqual(shown.returncode, 1, shown.stderr)  # the tiny model tells nothing of these
        self.assertIn("have no word", shown.stdout.decode())


if __name__ == "__main__":
    main()
