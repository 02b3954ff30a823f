"""rondo predict and rondo evaluate and rondo info: the same answers in every form and in any company."""

import json
import unittest

from support import CommandTest, corpus, corpus_of_sets, main

TEXTS = ["the coach of the team", "a vote in parliament", "", "new robot", "zzz unknown words only", "the " * 50 + "chip"]


class Predict(CommandTest):
    def setUp(self):
        super().setUp()
        self.model = self.train()
        self.write("texts.txt", "".join(text + "\n" for text in TEXTS))

    def predict(self, *words, **options):
        return self.succeed("predict", self.model, *words, **options)

    def test_text_file_and_standard_input_give_the_same_bits(self):
        form = ["-k", "3", "--json"]
        from_file = self.predict("texts.txt", *form)
        from_input = self.predict("-", *form, input="".join(t + "\n" for t in TEXTS).encode())
        without_dash = self.predict(*form, input="".join(t + "\n" for t in TEXTS).encode())
        alone = "".join(self.predict(text, *form) for text in TEXTS)
        self.assertEqual(from_file, from_input)
        self.assertEqual(from_file, without_dash)
        self.assertEqual(from_file, alone)

    def test_batches_and_threads_change_no_bit(self):
        lines = corpus(500, seed=7).splitlines()[1:]
        texts = [line.split(",", 1)[1] for line in lines]
        many = self.predict("-", "--json", "-k", "3", "-t", "1", input="\n".join(texts).encode())
        threads = self.predict("-", "--json", "-k", "3", "-t", "4", input="\n".join(texts).encode())
        one_by_one = self.predict("-", "--json", "-k", "3", "--unbuffered", input="\n".join(texts).encode())
        backwards = self.predict("-", "--json", "-k", "3", input="\n".join(reversed(texts)).encode())
        self.assertEqual(many, threads)
        self.assertEqual(many, one_by_one)
        self.assertEqual(many.splitlines(), list(reversed(backwards.splitlines())))

    def test_reference_device_agrees(self):
        words = ["texts.txt", "--json", "-k", "3"]
        fast = [json.loads(line) for line in self.predict(*words).splitlines()]
        plain = [json.loads(line) for line in self.predict(*words, "--device", "reference").splitlines()]
        self.assertEqual(len(fast), len(plain))
        for one, other in zip(fast, plain):
            for a, b in zip(one["predictions"], other["predictions"]):
                self.assertEqual(a["label"], b["label"])
                self.assertAlmostEqual(a["probability"], b["probability"], delta=1e-5)

    def test_plain_output_is_a_label_a_line(self):
        lines = self.predict("texts.txt").splitlines()
        self.assertEqual(len(lines), len(TEXTS))
        self.assertEqual(lines[0], "Sports")
        self.assertEqual(lines[1], "World")

    def test_best_with_probabilities(self):
        cells = self.predict(TEXTS[0], "--best", "3", "--probs").rstrip("\n").split("\t")
        self.assertEqual(sorted(cells[0::2]), ["Sports", "Tech", "World"])
        numbers = [float(cell) for cell in cells[1::2]]
        self.assertEqual(numbers, sorted(numbers, reverse=True))
        self.assertAlmostEqual(sum(numbers), 1, delta=2e-4)

    def test_more_labels_than_there_are_gives_all(self):
        self.assertEqual(len(self.predict(TEXTS[0], "-k", "1000").split("\t")), 3)

    def test_json_holds_the_text_as_given(self):
        text = 'quotes " tab \t and é'
        answer = json.loads(self.predict(text, "--json"))
        self.assertEqual(answer["text"], text)
        self.assertEqual(len(answer["predictions"]), 1)

    def test_empty_text_is_a_text(self):
        self.assertIn(self.predict("").strip(), ["Sports", "Tech", "World"])

    def test_empty_standard_input_gives_nothing(self):
        self.assertEqual(self.predict("-", input=b""), "")

    def test_labelled_file_is_read_by_its_text_column(self):
        answers = self.predict("train.csv").splitlines()
        truth = [line.split(",")[0] for line in corpus().splitlines()[1:]]
        self.assertEqual(len(answers), len(truth))
        report = json.loads(self.succeed("evaluate", self.model, "train.csv", "--json"))
        right = sum(a == b for a, b in zip(answers, truth))
        self.assertAlmostEqual(report["accuracy"], right / len(truth))

    def test_text_that_begins_with_a_dash_stands_behind_two(self):
        self.assertIn(self.predict("--", "-1 degrees").strip(), ["Sports", "Tech", "World"])

    def test_threshold_without_effect_is_refused(self):
        self.assertIn("--threshold", self.refuse(2, "predict", self.model, "x", "-k", "1", "--threshold", "0.1"))
        self.assertIn("--threshold", self.refuse(2, "predict", self.model, "x", "--threshold", "0.1"))


class Evaluate(CommandTest):
    def test_table_begins_with_accuracy(self):
        model = self.train()
        report = self.succeed("evaluate", model, "train.csv")
        self.assertRegex(report, r"^accuracy 0\.\d{4}, macro F1")
        self.assertLess(report.index("\nSports"), report.index("\nTech"))
        self.assertIn("truth, predicted", report)

    def test_json_counts(self):
        report = json.loads(self.succeed("evaluate", self.train(), "train.csv", "--json"))
        confusion = report["confusion"]
        self.assertEqual(sum(map(sum, confusion)), 300)
        self.assertAlmostEqual(report["accuracy"], sum(confusion[i][i] for i in range(3)) / 300)
        self.assertAlmostEqual(report["macro_f1"], sum(row["f1"] for row in report["labels"]) / 3)
        self.assertEqual([row["label"] for row in report["labels"]], ["Sports", "Tech", "World"])

    def test_standard_input(self):
        model = self.train()
        from_file = self.succeed("evaluate", model, "train.csv", "--json")
        self.assertEqual(self.succeed("evaluate", model, "-", "--json", input=corpus().encode()), from_file)

    def test_unseen_label_is_named_with_its_line_and_counts_as_an_error(self):
        model = self.train()
        self.write("dev.csv", "label,text\nSports,the coach\nCooking,a soup\nCooking,two soups\n")
        result = self.run_command("evaluate", model, "dev.csv", "--json")
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"dev.csv:3: the model has no label Cooking; its 2 texts", result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual(report["unseen"], {"Cooking": 2})
        self.assertEqual(report["examples"], 3)
        self.assertLessEqual(report["accuracy"], 1 / 3)


class SeveralLabels(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("sets.tsv", corpus_of_sets())
        self.model = self.train("sets.rondo", "--label-separator", ";", "--after", "12e", data="sets.tsv")

    def test_micro_f1_is_far_above_chance(self):
        report = json.loads(self.succeed("evaluate", self.model, "sets.tsv", "--label-separator", ";", "--json"))
        self.assertGreater(report["micro_f1"], 0.8)
        self.assertNotIn("confusion", report)

    def test_labels_above_the_threshold_are_printed(self):
        text = "coach team striker chip robot software"
        everything = self.succeed("predict", self.model, text, "--threshold", "0").strip().split("\t")
        self.assertEqual(sorted(everything), ["Sports", "Tech", "World"])
        self.assertEqual(self.succeed("predict", self.model, text, "--threshold", "1"), "\n")
        answer = json.loads(self.succeed("predict", self.model, text, "--json"))
        self.assertTrue(all(p["probability"] > 0.5 for p in answer["predictions"]))

    def test_missing_separator_is_suggested(self):
        result = self.run_command("evaluate", self.model, "sets.tsv")
        self.assertIn(b"is --label-separator missing?", result.stderr)


class Info(CommandTest):
    def test_equations_sizes_and_labels(self):
        text = self.succeed("info", self.train("gru.rondo", "--cell", "gru", "--reset", "before"))
        for part in ["text classifier, 3 labels", "gru 8", "U_n", "[24, 8]", "in all", "labels: Sports, Tech, World"]:
            self.assertIn(part, text)

    def test_json(self):
        report = json.loads(self.succeed("info", self.train(), "--json"))
        self.assertEqual(report["config"]["hidden"], 8)
        self.assertEqual(report["labels"], ["Sports", "Tech", "World"])
        self.assertEqual(report["tensors"]["lstm.weight_ih_l0"], [32, 8])


if __name__ == "__main__":
    main()
