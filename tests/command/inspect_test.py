"""rondo unroll and rondo diff on models of every kind."""

import json
import random

from language_models import SMALL as SMALL_LM, text
from support import CommandTest, main
from tag_test import SMALL as SMALL_TAGGER, columns, sentences
from translations import TranslationTest

TEXT = "the goal after the match"
ONE_WAY = ["--no-bidirectional", "--pool", "final"]


class Unroll(TranslationTest):
    def test_the_arithmetic_of_a_unit_ends_in_what_the_model_computed(self):
        self.train("c.rondo", *ONE_WAY)
        page = self.succeed("unroll", "c.rondo", TEXT, "--unit", "3")
        for line in ['c.rondo: classifier, layer 0, unit 3 of 8, lstm in f32', 'step 0 "the"   h = 0.000000   c = 0.000000',
                     "  i  = s(W x + U h + b)", "  c' = f*c + i*g = ", "  h' = o*tanh(c') = ", 'step 4 "match"']:
            self.assertIn(line, page)
        self.assertRegex(page.splitlines()[-1], r"^equal to what the model computed: largest difference \S+, allowed 1e-05$")
        self.assertEqual(self.succeed("unroll", "c.rondo", TEXT, "--unit", "3", "-t", "2"), page)
        self.assertEqual(self.succeed("unroll", "c.rondo", TEXT, "--unit", "3", "--device", "reference").splitlines()[0],
                         page.splitlines()[0])
        self.assertIn("in bf16", self.succeed("unroll", "c.rondo", TEXT, "--precision", "bf16"))

    def test_the_numbers_add_up(self):
        self.train("c.rondo", "--cell", "gru", "--layers", "2")
        made = json.loads(self.succeed("unroll", "c.rondo", TEXT, "--layer", "1", "--reverse", "--steps", "1-3", "--json"))
        self.assertEqual([step["step"] for step in made["steps"]], [3, 2, 1])
        self.assertTrue(made["equal"])
        h = made["steps"][0]["h_before"]
        for step in made["steps"]:
            self.assertAlmostEqual(step["h_before"], h, delta=1e-5)
            r, z, n = (gate["value"] for gate in step["gates"])
            terms = step["gates"][2]["terms"]
            self.assertAlmostEqual(step["gates"][2]["sum"],
                                   terms["W x"] + terms["b_in"] + r * (terms["U h"] + terms["b_hn"]), delta=1e-12)
            self.assertAlmostEqual(step["gates"][0]["sum"], sum(step["gates"][0]["terms"].values()), delta=1e-12)
            h = (1 - z) * n + z * step["h_before"]
            self.assertAlmostEqual(step["h"], h, delta=1e-12)

    def test_models_of_every_kind_are_unrolled(self):
        self.write("text.txt", text())
        self.succeed("train", "lm", "-i", "text.txt", "-o", "lm.rondo", *SMALL_LM)
        self.write("train.conll", columns(sentences()))
        self.succeed("train", "tag", "-i", "train.conll", "-o", "tag.rondo", *SMALL_TAGGER, "--characters", "lstm")
        self.train_translator("mt.rondo", "--after", "20u")
        for words in [["lm.rondo", "the goal"], ["tag.rondo", "Ada saw London"], ["mt.rondo", "one red dog"],
                      ["tag.rondo", "Ada saw London", "--part", "characters", "--reverse"],
                      ["mt.rondo", "one red dog", "--part", "decoder"], ["lm.rondo", ""], ["tag.rondo", ""],
                      ["mt.rondo", ""]]:
            with self.subTest(words):
                self.assertIn("equal to what the model computed", self.succeed("unroll", *words))

    def test_what_is_odd_gets_a_clear_answer(self):
        self.train("c.rondo", *ONE_WAY)
        for status, said, words in [
                (2, "unit 8: layer 0 has 8 units", ["c.rondo", TEXT, "--unit", "8"]),
                (2, "reads in one direction", ["c.rondo", TEXT, "--reverse"]),
                (2, "the text has 5 steps", ["c.rondo", TEXT, "--steps", "3-9"]),
                (2, "no recurrent part", ["c.rondo", TEXT, "--part", "encoder"]),
                (2, "--precision f32 or bf16", ["c.rondo", TEXT, "--precision", "int8"]),
                (3, "not UTF-8", ["c.rondo", b"\xff"]), (1, "absent.rondo", ["absent.rondo", TEXT])]:
            with self.subTest(said):
                self.assertIn(said, self.refuse(status, "unroll", *words))
        self.assertIn("no step", self.succeed("unroll", "c.rondo", ""))
        self.assertIn("step 0", self.succeed("unroll", "c.rondo", "goal"))
        long = " ".join(random.Random(1).choices(["goal", "match", "unheard"], k=10000))
        self.assertIn("step 9999", self.succeed("unroll", "c.rondo", long))
        self.train("grid.rondo", "--cell", "grid")
        self.assertIn("grid", self.refuse(2, "unroll", "grid.rondo", TEXT))


class Diff(CommandTest):
    def differ(self, *words):
        """Standard output of a diff that finds something."""
        result = self.run_command("diff", *words)
        self.assertEqual(result.returncode, 1, result.stderr)
        return result.stdout.decode()

    def test_a_model_is_the_same_as_itself_for_any_threads(self):
        self.train("a.rondo")
        self.assertEqual(self.succeed("diff", "a.rondo", "a.rondo"), "files: no difference\n")
        page = self.succeed("diff", "a.rondo", "a.rondo", TEXT, "", "-t", "2")
        self.assertEqual(page.count("the same bits"), 2)
        self.train("again.rondo", "-t", "2")
        self.succeed("diff", "a.rondo", "again.rondo", TEXT)

    def test_models_of_two_seeds_differ_from_the_first_gate_on(self):
        self.train("a.rondo")
        self.train("b.rondo", "--seed", "2")
        self.assertIn("tensor embedding.weight: from its number [0, 0] on", self.differ("a.rondo", "b.rondo"))
        made = json.loads(self.differ("a.rondo", "b.rondo", TEXT, "--json"))
        self.assertFalse(made["same"])
        first = made["texts"][0]["first"]
        self.assertEqual((first["place"], first["step"], first["token"], first["unit"]), ("layer 0, i", 0, "the", "unit 0"))
        self.assertEqual(made["texts"][0]["largest"][-1]["place"], "probabilities")

    def test_where_another_precision_or_device_is_first_too_far_away(self):
        self.train("a.rondo")
        page = self.differ("a.rondo", "a.rondo", TEXT, "--precision-b", "bf16")
        self.assertIn("f32 on cpu, bf16 on cpu", page)
        self.assertIn("  first: layer 0, i, step 0", page)
        self.succeed("diff", "a.rondo", "a.rondo", TEXT, "--precision-b", "bf16", "--tolerance", "0.5")
        self.succeed("diff", "a.rondo", "a.rondo", TEXT, "--device-b", "reference", "--tolerance", "1e-5")

    def test_a_quantized_model_differs_by_its_roundings(self):
        self.train("a.rondo")
        self.succeed("quantize", "a.rondo", "-o", "small.rondo", "--dev", "train.csv", "--max-drop", "1")
        self.assertIn('option precision: "f32" and "int8"', self.differ("a.rondo", "small.rondo", TEXT, "--tolerance", "0.5"))

    def test_other_cells_words_and_kinds_are_told(self):
        self.train("a.rondo")
        self.train("gru.rondo", "--cell", "gru")
        page = self.differ("a.rondo", "gru.rondo", TEXT)
        self.assertIn('option cell: "lstm" and "gru"', page)
        self.assertIn("gates and states not compared", page)
        self.write("train.conll", columns(sentences()))
        self.succeed("train", "tag", "-i", "train.conll", "-o", "tag.rondo", *SMALL_TAGGER)
        page = self.differ("a.rondo", "tag.rondo", TEXT)
        self.assertIn("kind: classifier and tagger", page)
        self.assertIn("different kinds", page)

    def test_what_is_odd_gets_a_clear_answer(self):
        self.train("a.rondo")
        self.assertIn("precision", self.refuse(2, "diff", "a.rondo", "a.rondo", TEXT, "--precision-b", "f16"))
        self.assertIn("device", self.refuse(2, "diff", "a.rondo", "a.rondo", TEXT, "--device-b", "tpu"))
        self.assertIn("absent.rondo", self.refuse(1, "diff", "a.rondo", "absent.rondo"))
        self.assertIn("not UTF-8", self.refuse(3, "diff", "a.rondo", "a.rondo", b"\xff"))
        self.write("no.rondo", "no model")
        self.refuse(3, "diff", "a.rondo", "no.rondo")


if __name__ == "__main__":
    main()
