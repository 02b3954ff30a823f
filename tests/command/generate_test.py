"""rondo generate and rondo score: texts that depend on the seed alone, and figures that agree with each other."""

import json
import math
import unittest

from support import CommandTest, corpus, main

VERSES = "the rain falls on the plain\nthe train waits in the rain\na plain grain, a main lane\n\n" * 40


class LanguageModelTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("verses.txt", VERSES)
        self.model = "verses.rondo"
        self.succeed("train", "lm", "-i", "verses.txt", "-o", self.model, "--hidden", "24", "--embedding", "12",
                     "--lr", "0.01", "--after", "10e", "--batch", "8", "--chunk", "32")


class Generate(LanguageModelTest):
    def generate(self, *words, **options):
        return self.succeed("generate", self.model, *words, **options)

    def test_same_seed_same_text_for_any_threads(self):
        words = ["the ", "--length", "120", "--seed", "7"]
        first = self.generate(*words, "-t", "1")
        self.assertEqual(first, self.generate(*words, "-t", "3"))
        self.assertEqual(first, self.generate(*words, "--unbuffered"))
        self.assertNotEqual(first, self.generate("the ", "--length", "120", "--seed", "8"))
        self.assertTrue(first.startswith("the "))
        self.assertEqual(len(first), 4 + 120 + 1)

    def test_prompt_comes_from_the_command_or_standard_input(self):
        words = ["--length", "40", "--seed", "1"]
        self.assertEqual(self.generate("the r", *words), self.generate("-", *words, input=b"the r"))
        self.assertEqual(self.generate("rain\n", *words), self.generate("-", *words, input=b"rain\n"))
        alone = self.generate("the r", *words, "--no-echo")
        self.assertEqual("the r" + alone, self.generate("the r", *words))

    def test_samples_are_the_first_ones_of_more(self):
        words = ["the ", "--length", "30", "--json"]
        three = [json.loads(line) for line in self.generate(*words, "--samples", "3").splitlines()]
        two = [json.loads(line) for line in self.generate(*words, "--samples", "2").splitlines()]
        self.assertEqual(three[:2], two)
        self.assertEqual(len({sample["text"] for sample in three}), 3)
        plain = self.generate("the ", "--length", "30", "--samples", "3", "--no-echo")
        self.assertEqual(plain.split("\n----------\n")[1], three[1]["text"])

    def test_json_tells_why_it_stopped(self):
        made = json.loads(self.generate("the ", "--length", "30", "--json", "--seed", "2"))
        self.assertEqual(made["prompt"], "the ")
        self.assertEqual("".join(made["tokens"]), made["text"])
        self.assertLess(made["log_probability"], 0)
        self.assertEqual(made["stopped"], "length")
        stop = made["text"][10:12]
        ended = json.loads(self.generate("the ", "--length", "30", "--json", "--seed", "2", "--stop", "@@", "--stop", stop))
        self.assertEqual(ended["stopped"], "stop")
        self.assertEqual(ended["text"], made["text"][:made["text"].index(stop)])

    def test_log_probability_is_the_sum_of_the_scores(self):
        made = json.loads(self.generate("the ", "--length", "30", "--json", "--temperature", "0.7"))
        both = json.loads(self.succeed("score", self.model, "the " + made["text"], "--no-end", "--json"))
        prompt = json.loads(self.succeed("score", self.model, "the ", "--no-end", "--json"))
        difference = both["log_probability"] - prompt["log_probability"]
        self.assertAlmostEqual(made["log_probability"], difference, delta=1e-3)

    def test_greedy_is_low_temperature_and_top_one(self):
        words = ["the ", "--length", "60"]
        greedy = self.generate(*words, "--greedy")
        self.assertEqual(greedy, self.generate(*words, "--top-k", "1"))
        self.assertEqual(greedy, self.generate(*words, "--temperature", "0.0001"))

    def test_pick_takes_what_was_typed(self):
        result = self.run_command("generate", self.model, "the ", "--pick", "3", input=b"\n2\nx\n9\n1\nq\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        shown = [line.split("  ") for line in result.stderr.decode().replace("end: ", "end: \n").splitlines()
                 if line.startswith("  ")]
        # four lists of three: after Enter, 2 and 1 one more each
        self.assertEqual([row[1].strip() for row in shown], ["1", "2", "3"] * 4)
        chosen = [shown[0], shown[4], shown[6]]
        self.assertEqual(result.stdout.decode(), "the " + "".join(json.loads(row[3]) for row in chosen) + "\n")
        self.assertTrue(all(row[3].startswith('"') and row[3].endswith('"') for row in shown))
        self.assertIn(b"a number from 1 to 3, Enter or q, not \"x\"", result.stderr)

    def test_unknown_symbols_are_named(self):
        result = self.run_command("generate", self.model, "the \u20ac X", "--length", "5")
        self.assertEqual(result.returncode, 0)
        self.assertIn("2 tokens that the model has never seen: \"\u20ac\", \"X\"", result.stderr.decode())
        message = self.refuse(3, "generate", self.model, "\u20acX\u20ac")
        for part in ("never seen any of its tokens (\"\u20ac\", \"X\")", "give one of characters", "rondo info"):
            self.assertIn(part, message)
        self.assertIn('tokens: "</s>", ', self.succeed("info", self.model))
        self.assertIn('"\\n"', self.succeed("info", self.model))

    def test_options_without_effect_are_refused(self):
        for words in (["--greedy", "--top-k", "3"], ["--greedy", "--seed", "3"], ["--greedy", "--samples", "2"],
                      ["--pick", "3", "--json"], ["--repetition-window", "3"], ["--temperature", "0"], ["--stop", ""],
                      ["--json", "--no-echo"]):
            self.refuse(2, "generate", self.model, "the", *words)

    def test_nothing_is_written_before_the_options_are_right(self):
        result = self.run_command("generate", self.model, "the", "--stop", "")
        self.assertEqual((result.returncode, result.stdout), (2, b""))

    def test_a_prompt_may_begin_with_a_hyphen(self):
        self.assertTrue(self.generate("--length", "5", "--", "-the").startswith("-the"))
        self.assertIn("rondo generate MODEL -- TEXT", self.refuse(2, "generate", self.model, "-rain"))
        self.assertIn("before it", self.refuse(2, "generate", self.model, "--", "-the", "--length", "5"))

    def test_other_models_and_broken_files_are_refused(self):
        self.write("train.csv", corpus())
        classifier = self.train()
        self.assertIn("classifier", self.refuse(3, "generate", classifier, "the"))
        self.assertIn("classifier", self.refuse(3, "score", classifier, "the"))
        whole = self.read(self.model)
        self.write("cut.rondo", whole[:len(whole) // 2])
        self.refuse(3, "generate", "cut.rondo", "the")
        self.refuse(1, "generate", "none.rondo", "the")
        message = self.refuse(3, "generate", self.model, b"the \xff")
        self.assertIn("prompt: its byte 5 (0xFF) is not UTF-8", message)
        self.assertNotIn("file", message)
        self.assertIn("verses.txt: not a model of Rondo", self.refuse(3, "info", "verses.txt"))
        self.assertIn("it holds a language model,", self.refuse(3, "predict", self.model, "the"))

    def test_info_tells_the_loss_and_what_it_was_measured_on(self):
        best = json.loads(self.succeed("info", self.model, "--json"))["metrics"]["best"]["dev_loss"]
        figures = f"with dev loss {best:.4f} nats a token, perplexity {math.exp(best):.2f}, on the last 10 %"
        self.assertIn(figures, self.succeed("info", self.model))

    def test_full_disk_ends_it(self):
        with open("/dev/full", "w") as full:
            result = self.run_command("generate", self.model, "--length", "1000", "--unbuffered", stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"cannot write to standard output", result.stderr)


class Score(LanguageModelTest):
    LINES = ["the rain", "", "a train in the rain waits", "xyz \u20ac"]

    def test_line_holds_log_probability_tokens_and_perplexity(self):
        row = self.succeed("score", self.model, "the rain").rstrip("\n").split("\t")
        self.assertEqual(int(row[1]), len("the rain") + 1)
        self.assertAlmostEqual(float(row[2]), math.exp(-float(row[0]) / int(row[1])), delta=1e-3)

    def test_any_company_and_threads_give_the_same_bits(self):
        text = "\n".join(self.LINES * 20).encode()
        many = self.succeed("score", self.model, "-", "--json", "-t", "1", input=text)
        self.assertEqual(many, self.succeed("score", self.model, "-", "--json", "-t", "3", input=text))
        alone = "".join(self.succeed("score", self.model, "-", "--json", input=(line + "\n").encode())
                        for line in self.LINES)
        self.assertEqual(many, alone * 20)
        self.write("lines.txt", text)
        self.assertEqual(many, self.succeed("score", self.model, "lines.txt", "--json"))

    def test_tokens_have_ranks(self):
        lines = self.succeed("score", self.model, "the rain", "--tokens").splitlines()
        self.assertEqual([line.split("\t")[0] for line in lines], [*(f'"{c}"' for c in "the rain"), '"</s>"', ""][:len(lines)])
        total = float(self.succeed("score", self.model, "the rain").split("\t")[0])
        self.assertAlmostEqual(sum(float(line.split("\t")[1]) for line in lines if line), total, delta=1e-4)
        first = json.loads(self.succeed("score", self.model, "the rain", "--tokens", "--json"))["tokens"]
        self.assertTrue(all(token["rank"] >= 1 for token in first))
        greedy = self.succeed("generate", self.model, "the ", "--greedy", "--length", "5", "--no-echo").rstrip("\n")
        ranks = json.loads(self.succeed("score", self.model, "the " + greedy, "--tokens", "--json"))["tokens"]
        self.assertEqual([token["rank"] for token in ranks[4:4 + len(greedy)]], [1] * len(greedy))

    def test_a_text_may_begin_with_a_hyphen(self):
        row = self.succeed("score", self.model, "--no-end", "--", "-the").split("\t")
        self.assertEqual(int(row[1]), 4)

    def test_a_word_like_a_file_name_is_a_text_with_a_warning(self):
        for word in ("verse.tx", "poems/verse", "verse.m4a"):
            result = self.run_command("score", self.model, word)
            self.assertEqual(result.returncode, 0)
            self.assertIn(f'warning: "{word}": no such file', result.stderr.decode())
        for text in ("rain.", "3.14", "the train.in the rain", ".rain"):
            self.assertNotIn(b"warning", self.run_command("score", self.model, text).stderr)

    def test_what_was_learnt_is_more_probable(self):
        known = float(self.succeed("score", self.model, "the rain falls").split("\t")[2])
        shuffled = float(self.succeed("score", self.model, "htr eifnla lsa").split("\t")[2])
        self.assertLess(known, shuffled)


if __name__ == "__main__":
    main()
