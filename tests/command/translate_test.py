"""rondo translate, rondo evaluate of a translator: one line a line, the same whatever stands beside it."""

import json
import os
import shutil
import subprocess
import unittest

from support import COMMAND, CommandTest, corpus, main
from translations import TranslationTest, pairs

TEXTS = ["one dog", "", "two big cat and one red dog", "dog", "three blue cat sees four dog"]


class Translate(TranslationTest):
    """All tests use models that are trained once: nothing here changes them."""

    models = None

    @classmethod
    def setUpClass(cls):
        maker = cls("train_models")
        maker.setUp()
        cls.models, cls.maker = maker.folder, maker
        maker.train_models()

    @classmethod
    def tearDownClass(cls):
        cls.maker.doCleanups()

    def train_models(self):
        self.train_translator("a.rondo")
        self.train_translator("b.rondo", "--seed", "2")
        self.train_translator("none.rondo", "--attention", "none", "--after", "1e")
        # Names that occur once are unknown in both languages, and each other's translation.
        named = []
        for i, sides in enumerate(pairs()):
            at = i % len(sides[0].split())
            named.append(tuple(" ".join(f"name{i}" if t == at else word for t, word in enumerate(side.split())) for side in sides))
        self.write_pairs("named", named)
        self.succeed("train", "translate", "--source", "named.en", "--target", "named.de", "--dev-source", "dev.en",
                     "--dev-target", "dev.de", "-o", "named.rondo", *self.SMALL, "--min-count", "2", "--patience", "0",
                     "-t", "1")

    def setUp(self):
        super().setUp()
        for name in os.listdir(self.models) if self.models else []:
            shutil.copy(os.path.join(self.models, name), self.path(name))
        self.write("texts.en", "".join(text + "\n" for text in TEXTS))

    def translate(self, *words, **options):
        return self.succeed("translate", *words, **options)

    def json_lines(self, *words, **options):
        return [json.loads(line) for line in self.translate(*words, **options).splitlines()]

    def test_a_line_for_a_line_in_order(self):
        lines = self.translate("a.rondo", "texts.en").split("\n")
        self.assertEqual(len(lines), len(TEXTS) + 1)
        self.assertEqual([line == "" for line in lines], [text == "" for text in TEXTS] + [True])
        self.assertEqual(lines[0], "eins hund")
        self.assertEqual(lines[0], self.translate("a.rondo", "one dog").rstrip("\n"))

    def test_company_batches_threads_and_streams_change_nothing(self):
        self.write("many.en", "".join(source + "\n" for source, _ in pairs(150, seed=3)))
        whole = self.translate("a.rondo", "many.en", "--n-best", "2")
        for words in (["-t", "3"], ["--batch", "1"], ["--batch", "7", "-t", "2"], ["--unbuffered"]):
            self.assertEqual(whole, self.translate("a.rondo", "many.en", "--n-best", "2", *words), words)
        self.assertEqual(whole, self.translate("a.rondo", "--n-best", "2", input=self.read("many.en")))

    def test_a_stream_answers_each_line_at_once(self):
        with subprocess.Popen([COMMAND, "translate", self.path("a.rondo"), "--unbuffered"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            for text in TEXTS:
                process.stdin.write(text.encode() + b"\n")
                process.stdin.flush()
                self.assertEqual(process.stdout.readline() == b"\n", text == "")
            process.stdin.close()
            self.assertEqual(process.wait(), 0)

    def test_n_best_are_ranked_and_the_first_is_the_best(self):
        best = self.translate("a.rondo", "texts.en").splitlines()
        rows = [line.split("\t") for line in self.translate("a.rondo", "texts.en", "--n-best", "3").splitlines()]
        for number, text in enumerate(TEXTS, 1):
            own = [row for row in rows if row[0] == str(number)]
            self.assertEqual(len(own), 3 if text else 1)
            scores = [float(row[1]) for row in own]
            self.assertEqual(scores, sorted(scores, reverse=True))
            self.assertEqual(own[0][2], best[number - 1])
            self.assertEqual(len({row[2] for row in own}), len(own))
        self.assertIn("n-best is 9, but beam 5", self.refuse(2, "translate", "a.rondo", "texts.en", "--n-best", "9"))

    def test_without_penalties_the_score_is_the_log_probability(self):
        for made in self.json_lines("a.rondo", "texts.en", "--json", "--alpha", "0"):
            for translation in made["translations"]:
                self.assertEqual(translation["score"], translation["log_probability"])
        longer = self.json_lines("a.rondo", "two big cat and one red dog", "--json", "--alpha", "1")[0]["translations"][0]
        tokens = len(longer["tokens"])
        self.assertAlmostEqual(longer["score"], longer["log_probability"] / ((5 + tokens) / 6), delta=1e-9)

    def test_attention_and_alignments(self):
        made = self.json_lines("a.rondo", "three big dog", "--attention")[0]
        self.assertEqual(made["source_tokens"], ["three", "big", "dog", "</s>"])
        best = made["translations"][0]
        self.assertEqual(best["tokens"], ["drei", "gro\u00df", "hund", "</s>"])
        self.assertEqual([len(row) for row in best["attention"]], [4] * 4)
        for row in best["attention"]:
            self.assertAlmostEqual(sum(row), 1, delta=1e-4)
        # The languages have one order, and the network has learnt it.
        self.assertEqual(best["alignment"], "0-0 1-1 2-2")
        self.assertEqual(self.translate("a.rondo", "three big dog", "--alignments"), "drei gro\u00df hund\t0-0 1-1 2-2\n")
        self.assertNotIn("attention", self.json_lines("a.rondo", "three big dog", "--json")[0]["translations"][0])

    def test_unknown_words_are_replaced_by_the_source(self):
        words = ["named.rondo", "two Zanzibar and one dog"]
        replaced = self.translate(*words, "--replace-unknown")
        self.assertRegex(replaced, "^zwei zanzibar .*hund$")
        plain = self.translate(*words)
        self.assertNotIn("zanzibar", plain)
        for text in (replaced, plain):
            self.assertNotIn("unk", text)
        best = self.json_lines(*words, "--replace-unknown", "--json")[0]["translations"][0]
        self.assertIn("zanzibar", best["tokens"])
        self.assertIn(f"1-{best['tokens'].index('zanzibar')}", best["alignment"])

    def test_an_ensemble_translates_as_one(self):
        one = self.json_lines("a.rondo", "texts.en", "--json")
        same = self.json_lines("a.rondo,a.rondo", "texts.en", "--json")
        both = self.json_lines("a.rondo,b.rondo", "texts.en", "--json")
        for a, b, c in zip(one, same, both):
            self.assertEqual(a["translations"][0]["text"], b["translations"][0]["text"])
            self.assertAlmostEqual(a["translations"][0]["score"], b["translations"][0]["score"], delta=1e-5)
            self.assertEqual(a["source"], c["source"])
        self.assertNotEqual([made["translations"][0]["score"] for made in one],
                            [made["translations"][0]["score"] for made in both])
        # One of them has attention: wherever it stands, the ensemble's is that one's.
        for models in ("none.rondo,a.rondo", "a.rondo,none.rondo"):
            best = self.json_lines(models, "three big dog", "--json")[0]["translations"][0]
            self.assertEqual(best["alignment"], "0-0 1-1 2-2")
            self.assertIn("\t", self.translate(models, "three big dog", "--alignments", "--coverage", "0.1"))
        self.write_pairs("other", [("x y", "z w")] * 40)
        self.succeed("train", "translate", "--source", "other.en", "--target", "other.de", "-o", "c.rondo", *self.SMALL,
                     "--after", "1e", "-t", "1")
        message = self.refuse(2, "translate", "a.rondo,c.rondo", "one")
        self.assertIn("c.rondo: its source vocabulary differs from that of a.rondo", message)
        self.assertIn("another --seed", message)

    def test_evaluate_is_bleu_of_what_translate_writes(self):
        self.write_pairs("test", pairs(60, seed=4))
        self.write("out.de", self.translate("a.rondo", "test.en"))
        words = ["evaluate", "a.rondo", "--source", "test.en", "--target", "test.de"]
        figures = json.loads(self.succeed(*words, "--json"))
        self.assertEqual(figures, json.loads(self.succeed("bleu", "out.de", "test.de", "--json")))
        self.assertEqual(figures["sentences"], 60)
        self.assertGreater(figures["bleu"]["score"], 80)
        self.assertRegex(self.succeed(*words), r"^BLEU\|nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:\S+ = ")
        self.succeed(*words, "--output", "again.de")
        self.assertEqual(self.read("again.de"), self.read("out.de"))
        self.write("test.tsv", "".join(f"{source}\t{target}\n" for source, target in pairs(60, seed=4)))
        self.assertEqual(figures, json.loads(self.succeed("evaluate", "a.rondo", "test.tsv", "--json")))

    def test_evaluate_measures_an_ensemble(self):
        self.write_pairs("test", pairs(60, seed=4))
        files = ["--source", "test.en", "--target", "test.de"]
        for words in ([], ["--ensemble", "log-probabilities"]):
            self.write("out.de", self.translate("a.rondo,b.rondo", "test.en", *words))
            figures = self.succeed("evaluate", "a.rondo,b.rondo", *files, *words, "--json")
            self.assertEqual(figures, self.succeed("bleu", "out.de", "test.de", "--json"))
        self.assertIn("--ensemble has no effect", self.refuse(2, "evaluate", "a.rondo", *files, "--ensemble", "log-probabilities"))
        self.assertIn("would be overwritten", self.refuse(2, "evaluate", "a.rondo,b.rondo", *files, "--output", "b.rondo"))
        self.write("train.csv", corpus())
        message = self.refuse(2, "evaluate", f"{self.train()},a.rondo", "train.csv")
        self.assertIn("it holds a classifier, and only translators are measured several at once", message)

    def test_the_bound_on_length_holds_whatever_else_is_asked(self):
        best = self.json_lines("a.rondo", "one dog", "--json", "--max-ratio", "0", "--max-extra", "2", "--min-length", "100000")
        self.assertLessEqual(len(best[0]["translations"][0]["tokens"]), 3)

    def test_evaluate_overwrites_nothing_that_it_reads(self):
        self.write_pairs("test", pairs(10, seed=4))
        for name in ("test.de", "test.en", "a.rondo"):
            before = self.read(name)
            words = ["evaluate", "a.rondo", "--source", "test.en", "--target", "test.de", "--output", name]
            self.assertIn("would be overwritten", self.refuse(2, *words))
            self.assertEqual(self.read(name), before)

    def test_evaluate_refuses_what_does_not_fit(self):
        self.assertIn("input is missing", self.refuse(2, "evaluate", "a.rondo"))
        for words in (["--label-column", "1"], ["--parts", "1"], ["--conll", "auto"], ["--confusion"]):
            message = self.refuse(2, "evaluate", "a.rondo", "--source", "train.en", "--target", "train.de", *words)
            self.assertIn(f"{words[0]} has no effect on a translator", message)
        # The first pair is left out: an empty side.
        self.write("pairs.tsv", "one\t\none dog\teins hund\none two red dog\teins zwei rot hund\n")
        message = self.refuse(3, "evaluate", "a.rondo", "pairs.tsv", "--max-source", "2")
        self.assertIn("pairs.tsv:3: 4 tokens, and --max-source is 2", message)
        self.write("train.csv", corpus())
        classifier = self.train()
        self.assertIn("--beam has no effect on a classifier", self.refuse(2, "evaluate", classifier, "train.csv", "--beam", "3"))
        self.assertIn("it holds a classifier", self.refuse(3, "translate", classifier, "one"))
        message = self.refuse(3, "predict", "a.rondo", "one")
        self.assertIn("it holds a translator, a classifier or a tagger is needed here", message)

    def test_a_long_sentence_works_or_is_refused(self):
        text = " ".join(["one", "dog"] * 5000)
        self.write("long.en", "one dog\n" + text + "\n")
        lines = self.translate("a.rondo", "long.en", "--beam", "1", "--max-ratio", "0.01", "--max-extra", "5").splitlines()
        self.assertEqual(lines[0], "eins hund")
        self.assertGreater(len(lines[1]), 0)
        message = self.refuse(3, "translate", "a.rondo", "long.en", "--max-source", "9999")
        self.assertIn("long.en:2: 10000 tokens, and --max-source is 9999", message)
        message = self.refuse(3, "translate", "a.rondo", text, "--max-source", "9999")
        self.assertIn("rondo: the text: 10000 tokens, and --max-source is 9999", message)

    def test_what_is_refused_costs_no_line_before_it(self):
        for last in (b"one " * 50, b"\xff"):
            result = self.run_command("translate", "a.rondo", "--max-source", "20", input=b"one dog\ntwo\n" + last + b"\nred\n")
            self.assertEqual((result.returncode, result.stdout), (3, b"eins hund\nzwei\n"))
            self.assertRegex(result.stderr, rb"^rondo: standard input:3: (50 tokens|byte 1)")

    def test_bad_input_is_named(self):
        message = self.refuse(3, "translate", "a.rondo", input=b"one\n\xff\n")
        self.assertIn("standard input:2: byte 1 (0xFF) is not UTF-8", message)
        self.assertIn("the model has no attention", self.refuse(2, "translate", "none.rondo", "one", "--alignments"))
        self.assertIn("the model has no attention", self.refuse(2, "translate", "none.rondo", "one", "--coverage", "1"))
        self.assertTrue(self.translate("none.rondo", "one dog", "--json"))
        for words in (["--ensemble", "log-probabilities"], ["--json", "--alignments"], ["--attention", "--alignments"], ["--beam", "0"]):
            self.refuse(2, "translate", "a.rondo", "one", *words)
        self.refuse(1, "translate", "missing.rondo", "one")
        self.assertIn("echo 'missing.en' | rondo translate", self.refuse(1, "translate", "a.rondo", "missing.en"))
        whole = self.read("a.rondo")
        self.write("cut.rondo", whole[:len(whole) // 2])
        self.refuse(3, "translate", "cut.rondo", "one")

    def test_info_tells_what_it_is(self):
        told = self.succeed("info", "a.rondo")
        self.assertIn("translator", told)


class DebianTranslations(CommandTest):
    def test_pairs_of_a_folder_of_lists(self):
        os.mkdir(self.path("lists"))
        for language in ("en", "fr"):
            self.write(f"lists/debian_i18n_Translation-{language}", "".join(
                f"Package: p{i}\nDescription-md5: {i}\nDescription-{language}: {language} text {i}\n\n" for i in range(200)))
        words = ["data", "debian-translations", "--lists", "lists", "-o", "p.tsv"]
        self.assertEqual(self.succeed(*words), "p.tsv\t200 pairs\n")
        self.assertTrue(self.read("p.tsv").startswith(b"source\ttarget\nen text 0\tfr text 0\n"))
        rows = [int(line.split("\t")[1].split()[0]) for line in self.succeed(*words, "--split", "80/10/10").splitlines()]
        self.assertEqual(sum(rows), 200)
        parts = b"".join(self.read(f"p-{part}.tsv").split(b"\n", 1)[1] for part in ("train", "dev", "test"))
        self.assertEqual(sorted(parts.splitlines()), sorted(self.read("p.tsv").splitlines()[1:]))

    def test_lists_that_are_not_there_are_told_how_to_fetch(self):
        os.mkdir(self.path("lists"))
        message = self.refuse(3, "data", "debian-translations", "--lists", "lists", "--language", "de", "-o", "p.tsv")
        self.assertIn("apt-get update -o Acquire::Languages=en,de -o Dir::State::Lists=$PWD/lists", message)
        self.assertIn("language must be a name", self.refuse(2, "data", "debian-translations", "--language", "../de"))


class Bleu(CommandTest):
    def test_figures_are_those_of_sacrebleu(self):
        self.write("out.txt", "The cat sat on the mat.\nA dog runs quickly.\n")
        self.write("a.txt", "The cat is sitting on the mat.\nA dog runs fast.\n")
        self.write("b.txt", "The cat sat on a mat.\nThe dog is running quickly.\n")
        figures = json.loads(self.succeed("bleu", "out.txt", "a.txt", "b.txt", "--json"))
        for name, score in SACREBLEU.items():
            self.assertAlmostEqual(figures[name]["score"], score, delta=0.01)
        self.assertIn("nrefs:2", figures["bleu"]["signature"])
        self.assertEqual(self.succeed("bleu", "-", "a.txt", "b.txt", "--json", input=self.read("out.txt")),
                         self.succeed("bleu", "out.txt", "a.txt", "b.txt", "--json"))

    def test_files_of_unequal_length_are_named(self):
        self.write("out.txt", "a\nb\n")
        self.write("ref.txt", "a\nb\nc\nd\n")
        message = self.refuse(3, "bleu", "out.txt", "ref.txt")
        self.assertIn("ref.txt:3: this line has no partner: ref.txt has 4 lines, out.txt has 2", message)
        self.write("empty.txt", "")
        self.assertIn("there is no line in it", self.refuse(3, "bleu", "empty.txt", "empty.txt"))
        self.refuse(2, "bleu", "out.txt")


# Of the texts above; sacrebleu 2.6.0, its defaults.
SACREBLEU = {"bleu": 65.803701, "chrf": 61.697709, "ter": 18.181818}


if __name__ == "__main__":
    main()
