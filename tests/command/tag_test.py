"""rondo train tag and what predict, evaluate, quantize and info do with a tagger."""

import json
import math
import os
import random
import signal
import subprocess

from support import COMMAND, CommandTest, main

NAMES = {"PER": ["Ada", "Grace", "Alan", "Ada Lovelace", "Alan Turing"], "LOC": ["London", "Paris", "New York"]}
OTHERS = "the a in saw met near with old new again today wrote".split()
SMALL = ["--hidden", "12", "--embedding", "12", "--character-embedding", "8", "--character-units", "6", "--lr", "0.01",
         "--after", "8e", "--batch", "8", "--input-dropout", "0.1", "--output-dropout", "0.1"]


def sentences(count=120, seed=1):
    """Lists of (word, tag), in BIO."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        sentence = []
        for _ in range(rng.randint(2, 7)):
            if rng.random() < 0.7:
                sentence.append((rng.choice(OTHERS), "O"))
                continue
            kind = rng.choice(sorted(NAMES))
            for i, word in enumerate(rng.choice(NAMES[kind]).split()):
                sentence.append((word, f"{'I' if i else 'B'}-{kind}"))
        made.append(sentence)
    return made


def columns(made):
    return "".join("".join(f"{word}\t{tag}\n" for word, tag in sentence) + "\n" for sentence in made)


def conllu(made):
    text = ""
    for n, sentence in enumerate(made):
        text += f"# sent_id = {n}\n"
        for i, (word, tag) in enumerate(sentence, 1):
            upos = "PROPN" if tag != "O" else "VERB" if word in ("saw", "met", "wrote") else "X"
            text += f"{i}\t{word}\t_\t{upos}\t_\t_\t0\t_\t_\t_\n"
        text += "\n"
    return text


def spans_of(tags):
    """(begin, end, type) of BIO tags that may begin with I, as conlleval takes them."""
    spans, begin = set(), None
    for i, tag in enumerate([*tags, "O"]):
        if begin is not None and (tag[0] != "I" or tag[2:] != tags[begin][2:]):
            spans.add((begin, i, tags[begin][2:]))
            begin = None
        if begin is None and tag != "O":
            begin = i
    return spans


class TagTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("train.conll", columns(sentences()))
        self.write("dev.conll", columns(sentences(40, seed=2)))

    def train_tag(self, output="model.rondo", *words, data="train.conll", dev="dev.conll"):
        self.succeed("train", "tag", "-i", data, "-d", dev, "-o", output, *SMALL, *words)
        return output

    def figures(self, model, data="dev.conll", *words):
        return json.loads(self.succeed("evaluate", model, data, "--json", *words))


class Training(TagTest):
    KINDS = {
        "characters by an LSTM": [],
        "characters by a convolution": ["--characters", "cnn", "--casing", "4"],
        "softmax": ["--output-layer", "softmax", "--tanh", "10"],
        "softmax and BIOES": ["--output-layer", "softmax", "--convert", "bioes"],
        "gru, BIOES, lower case": ["--cell", "gru", "--convert", "bioes", "--word-case", "lower", "--digits"],
        "characters alone": ["--embedding", "0"],
        "dropouts": ["--locked-dropout", "--dropout", "0.1", "--state-dropout", "0.1", "--weight-dropout", "0.1", "--layers", "2"],
    }

    def test_every_kind_learns_and_describes_itself(self):
        for name, words in self.KINDS.items():
            with self.subTest(name):
                self.train_tag("m.rondo", *words, "--force")
                self.assertGreater(self.figures("m.rondo")["f1"], 0.8)
                self.assertIn("tagger", self.succeed("info", "m.rondo"))
                self.assertEqual(json.loads(self.succeed("info", "m.rondo", "--json"))["kind"], "tagger")

    def test_the_same_file_for_any_threads(self):
        for name in ["characters by an LSTM", "characters by a convolution"]:
            for threads in ["1", "2"]:
                self.train_tag(f"{threads}.rondo", *self.KINDS[name], "-t", threads, "--force")
            self.assertEqual(self.sha256("1.rondo"), self.sha256("2.rondo"))

    def test_a_run_that_was_stopped_goes_on_to_the_same_file(self):
        long = ["--patience", "0", "--after", "60e"]  # the signal comes long before its end
        self.train_tag("whole.rondo", *long)
        words = ["train", "tag", "-i", "train.conll", "-d", "dev.conll", "-o", "cut.rondo", *SMALL, *long]
        run = subprocess.Popen([COMMAND, *words], cwd=self.folder, stderr=subprocess.PIPE)
        next(line for line in run.stderr if line.startswith(b"epoch"))
        run.send_signal(signal.SIGTERM)
        _, told = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 1, told)
        resumed = self.run_command(*words, "--resume")
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertRegex(resumed.stderr, rb"resumed +at update [1-9]")
        self.assertEqual(self.sha256("cut.rondo"), self.sha256("whole.rondo"))

    def test_a_share_is_held_out_where_there_is_no_dev_file(self):
        self.succeed("train", "tag", "-i", "train.conll", "-o", "m.rondo", *SMALL)
        self.assertGreater(self.figures("m.rondo")["f1"], 0.7)

    def test_parts_of_speech_of_conllu(self):
        self.write("train.conllu", conllu(sentences()))
        self.train_tag("m.rondo", data="train.conllu", dev="train.conllu")
        figures = self.figures("m.rondo", "train.conllu")
        self.assertGreater(figures["accuracy"], 0.9)
        self.assertEqual({row["label"] for row in figures["labels"]}, {"PROPN", "VERB", "X"})
        self.assertIn("PROPN", self.succeed("evaluate", "m.rondo", "train.conllu"))

    def test_the_columns_of_the_training_are_those_of_what_comes_later(self):
        lines = conllu(sentences()).splitlines()
        rows = [line.split("\t") for line in lines]
        # The language's own tags stand in the fifth column.
        xpos = ["\t".join([*row[:4], row[3].lower(), *row[5:]]) if len(row) == 10 else row[0] for row in rows]
        self.write("train.conllu", "\n".join(xpos) + "\n\n")
        self.train_tag("m.rondo", "--tag-column", "xpos", data="train.conllu", dev="train.conllu")
        self.assertGreater(self.figures("m.rondo", "train.conllu")["accuracy"], 0.9)
        tagged = [line.split("\t") for line in self.succeed("predict", "m.rondo", "train.conllu").splitlines()]
        upos = {row[3] for row in tagged if len(row) == 10}
        self.assertEqual((upos, {row[4] for row in tagged if len(row) == 10}), ({"PROPN", "VERB", "X"}, {"propn", "verb", "x"}))
        # What is asked for goes first, and plain columns have the usual place.
        self.assertLess(self.figures("m.rondo", "train.conllu", "--tag-column", "upos")["accuracy"], 0.1)
        self.write("words.conll", "Ada\tpropn\nmet\tverb\n")
        self.assertEqual(self.figures("m.rondo", "words.conll")["accuracy"], 1)

    def test_vectors_are_taken_and_may_be_frozen(self):
        words = sorted({word for sentence in sentences() for word, _ in sentence} | {"Berlin"})
        rng = random.Random(1)
        self.write("v.txt", "".join(f"{word.lower()} {' '.join(f'{rng.gauss(0, 1):.4f}' for _ in range(5))}\n" for word in words))
        small = [word for i, word in enumerate(SMALL) if word != "--embedding" and SMALL[i - 1] != "--embedding"]
        sizes = []
        for more in [], ["--all-vectors"]:
            self.succeed("train", "tag", "-i", "train.conll", "-d", "dev.conll", "-o", "m.rondo", *small, "--vectors",
                         "v.txt", "--freeze-embeddings", "--force", *more)
            info = json.loads(self.succeed("info", "m.rondo", "--json"))
            self.assertEqual(info["config"]["embedding"], 5)
            sizes.append(info["vocabulary"])
            self.assertEqual(info["tensors"]["embedding.weight"], [sizes[-1], 5])
        self.assertGreater(sizes[1], sizes[0])


class Answers(TagTest):
    def setUp(self):
        super().setUp()
        self.train_tag()

    def test_the_input_comes_back_with_other_tags(self):
        bare = self.read("dev.conll").decode().replace("B-", "I-")
        self.write("bare.conll", bare)
        tagged = self.succeed("predict", "model.rondo", "bare.conll")
        self.assertEqual([line.split("\t")[0] for line in tagged.splitlines()], [line.split("\t")[0] for line in bare.splitlines()])
        appended = self.succeed("predict", "model.rondo", "bare.conll", "--append").splitlines()
        for line, own, old in zip(appended, tagged.splitlines(), bare.splitlines()):
            self.assertEqual(line, old + "\t" + own.split("\t")[1] if old else "")
        self.write("tagged.conll", tagged)
        self.assertEqual(self.figures("model.rondo", "tagged.conll")["f1"], 1)

    def test_appended_tags_are_conllevals_input(self):
        """As conlleval reads it: the last two columns of every line, all of one width, a document's line a token outside."""
        self.write("news.conll", "-DOCSTART- -X- O\n\n" + columns(sentences(40, seed=2)).replace("\t", " _ "))
        appended = self.succeed("predict", "model.rondo", "news.conll", "--append")
        rows = [line.split(" ") for line in appended.splitlines() if line]
        self.assertEqual({len(row) for row in rows}, {4})
        self.assertEqual(rows[0], ["-DOCSTART-", "-X-", "O", "O"])
        wanted, found = (spans_of([line.split(" ")[at] if line else "O" for line in appended.splitlines()]) for at in (-2, -1))
        figures = self.figures("model.rondo", "news.conll")
        self.assertEqual([figures["wanted"], figures["found"], figures["correct"]],
                         [len(wanted), len(found), len(wanted & found)])
        right = sum(row[-2] == row[-1] for row in rows[1:])
        self.assertEqual([figures["tokens"], figures["accuracy"]], [len(rows) - 1, right / (len(rows) - 1)])

    def test_options_without_effect_on_the_input_are_named(self):
        for words in (["Ada met Alan"], ["dev.conll", "--format", "lines"]):
            for option in (["--append"], ["--conll", "columns"], ["--tag-column", "2"], ["--token-column", "1"], ["--comments"]):
                message = self.refuse(2, "predict", "model.rondo", *words, *option)
                self.assertIn(f"{option[0]} has no effect on " + ("a text" if len(words) == 1 else "plain lines"), message)
        for more in ([], ["--json"]):
            self.assertIn("--unbuffered has no effect on columns",
                          self.refuse(2, "predict", "model.rondo", "dev.conll", "--unbuffered", *more))
        self.assertIn("--unbuffered has no effect on a text", self.refuse(2, "predict", "model.rondo", "Ada met", "--unbuffered"))

    def test_words_without_tags_get_a_column(self):
        self.write("words.conll", "Ada\nmet\nAlan\n\nParis\n")
        lines = self.succeed("predict", "model.rondo", "words.conll").splitlines()
        self.assertEqual([len(line.split()) for line in lines], [2, 2, 2, 0, 2])

    def test_plain_text_is_parted_by_white_space(self):
        one = self.succeed("predict", "model.rondo", "Ada met  Alan Turing")
        self.assertEqual(one, "Ada\tB-PER\nmet\tO\nAlan\tB-PER\nTuring\tI-PER\n\n")
        text = b"Ada met Alan Turing\n\nthe old London\n"
        lines = self.succeed("predict", "model.rondo", "-", "--format", "lines", input=text)
        self.assertTrue(lines.startswith(one + "\n"), lines)
        self.assertTrue(lines.endswith("London\tB-LOC\n\n"), lines)

    def test_sentences_are_not_taken_for_columns(self):
        for text in (b"Ada lives in London\n", b"Ada met Alan\nGrace saw Paris\n"):
            message = self.refuse(3, "predict", "model.rondo", "-", input=text)
            self.assertIn("is a tag of this model; if it holds sentences, give --format lines", message)
            self.succeed("predict", "model.rondo", "-", "--append", input=text)
        self.assertEqual(self.succeed("predict", "model.rondo", "-", input=b"Ada _\nmet _\n"), "Ada B-PER\nmet O\n")
        self.assertIn("rondo predict MODEL - --format lines", self.refuse(1, "predict", "model.rondo", "missing.conll"))

    def test_sentences_are_tagged_alike_in_any_company(self):
        tagged = self.succeed("predict", "model.rondo", "dev.conll", "--marginals").splitlines()
        for i in [0, 7, 39]:
            self.write("one.conll", columns(sentences(40, seed=2)[i:i + 1]))
            self.assertEqual(self.succeed("predict", "model.rondo", "one.conll", "--marginals").splitlines(), tagged[i:i + 1])

    def test_n_best_and_marginals_are_probabilities(self):
        answer = json.loads(self.succeed("predict", "model.rondo", "Ada met Alan", "--n-best", "1000", "--marginals"))
        paths = answer["n_best"]
        self.assertEqual(answer["tags"], paths[0]["tags"])
        # Three words, five tags: with BIO there are fewer than 125 sequences.
        self.assertLess(len(paths), 125)
        chances = [math.exp(path["log_probability"]) for path in paths]
        self.assertEqual(chances, sorted(chances, reverse=True))
        self.assertAlmostEqual(sum(chances), 1, places=3)
        for t, row in enumerate(answer["probabilities"]):
            self.assertAlmostEqual(sum(row.values()), 1, places=3)
            for tag, chance in row.items():
                whole = sum(p for p, path in zip(chances, paths) if path["tags"][t] == tag)
                self.assertAlmostEqual(chance, whole, places=3)

    def test_a_file_of_many_sequences_is_written_in_blocks(self):
        # 100 sentences of 12 words and 1000 sequences each are several blocks; each is what it is alone.
        texts = [" ".join(random.Random(i).choices(OTHERS + ["Ada", "London"], k=12)) for i in range(100)]
        self.write("many.txt", "".join(text + "\n" for text in texts))
        lines = self.succeed("predict", "model.rondo", "many.txt", "--format", "lines", "--n-best", "1000").splitlines()
        self.assertEqual(len(lines), len(texts))
        for i in (0, 86, 87, 88, 99):
            self.assertEqual(lines[i], self.succeed("predict", "model.rondo", texts[i], "--n-best", "1000").rstrip("\n"))
            self.assertEqual(len(json.loads(lines[i])["n_best"]), 1000)

    def test_bioes_is_written_as_bio(self):
        self.train_tag("e.rondo", "--convert", "bioes")
        self.assertIn("E-PER", json.loads(self.succeed("info", "e.rondo", "--json"))["labels"])
        self.assertEqual(self.succeed("predict", "e.rondo", "Alan Turing"), "Alan\tB-PER\nTuring\tI-PER\n\n")
        answer = json.loads(self.succeed("predict", "e.rondo", "Alan Turing", "--marginals"))
        self.assertEqual(set(answer["probabilities"][0]), {"O", "B-PER", "I-PER", "B-LOC", "I-LOC"})

    def test_whole_numbers_cost_little(self):
        self.succeed("quantize", "model.rondo", "-o", "small.rondo", "--dev", "dev.conll", "--max-drop", "0.05")
        self.assertLess(len(self.read("small.rondo")), 0.75 * len(self.read("model.rondo")))
        self.assertAlmostEqual(self.figures("small.rondo")["f1"], self.figures("model.rondo")["f1"], delta=0.05)

    def test_the_table_is_conllevals(self):
        table = self.succeed("evaluate", "model.rondo", "dev.conll")
        self.assertIn("processed", table)
        self.assertIn("PER: precision:", table)
        self.assertEqual(self.figures("model.rondo", "dev.conll", "-t", "2"), self.figures("model.rondo", "dev.conll", "-t", "1"))

    def test_options_of_other_models_are_refused(self):
        self.train("classifier.rondo")
        self.assertIn("--probs has no effect on a tagger", self.refuse(2, "predict", "model.rondo", "dev.conll", "--probs"))
        for words in (["--parts", "2"], ["--carry", "model"], ["--format", "auto"], ["--label-column", "1"], ["--beam", "2"]):
            message = self.refuse(2, "evaluate", "model.rondo", "dev.conll", *words)
            self.assertIn(f"{words[0]} has no effect on a tagger", message)
        for words in (["--documents", "line"], ["--no-quotes"], ["--dev-target", "x"], ["--source-column", "1"]):
            message = self.refuse(2, "quantize", "model.rondo", "-o", "small.rondo", "--dev", "dev.conll", *words)
            self.assertIn(f"--{words[0].removeprefix('--').removeprefix('no-')} has no effect on a tagger", message)
        self.assertIn("--format csv", self.refuse(2, "predict", "model.rondo", "dev.conll", "--format", "csv"))
        self.assertIn("--append", self.refuse(2, "predict", "model.rondo", "dev.conll", "--append", "--json"))
        for words in (["--n-best", "2"], ["--tag-column", "2"]):
            self.assertIn(f"{words[0]} has no effect on a classifier", self.refuse(2, "predict", "classifier.rondo", "x", *words))
        for words in (["--tag-column", "2"], ["--carry", "always"], ["--documents", "line"]):
            message = self.refuse(2, "evaluate", "classifier.rondo", "train.csv", *words)
            self.assertIn(f"{words[0]} has no effect on a classifier", message)
        self.assertIn("holds a tagger, a language model is needed here; rondo predict",
                      self.refuse(3, "generate", "model.rondo", "x"))


class BadInput(TagTest):
    def refuse_training(self, status, content, *words, dev="dev.conll"):
        self.write("bad.conll", content)
        return self.refuse(status, "train", "tag", "-i", "bad.conll", "-d", dev, "-o", "m.rondo", *SMALL, *words)

    def test_files_that_teach_nothing(self):
        self.assertIn("no sentences", self.refuse_training(3, ""))
        self.assertIn("no sentences", self.refuse_training(3, "\n\n"))
        self.assertIn("no tags", self.refuse_training(3, "Ada\nmet\n"))
        self.assertIn("every word has the tag O", self.refuse_training(3, "Ada\tO\nmet\tO\n"))
        self.assertIn("not UTF-8", self.refuse_training(3, bytes(range(128, 256)) + b"\tO\n"))
        self.assertIn("bad.conll:2:", self.refuse_training(3, "Ada\tO\nmet O\n"))

    def test_a_scheme_that_is_broken_is_named_or_left(self):
        content = columns(sentences()) + "Ada\tO\nLovelace\tI-PER\n\n"
        line = len(columns(sentences()).splitlines()) + 1
        for words in [["--scheme", "bio"], ["--convert", "bioes"]]:
            message = self.refuse_training(3, content, *words)
            self.assertIn(f"bad.conll:{line}: tag I-PER of 'Lovelace', word 2", message)
        self.assertIn("--scheme bioes", self.refuse_training(3, columns([[("Ada", "NOUN"), ("met", "VERB")]]), "--scheme", "bioes"))
        self.write("bad.conll", content)
        result = self.run_command("train", "tag", "-i", "bad.conll", "-d", "dev.conll", "-o", "m.rondo", *SMALL)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"tags may follow each other in any order", result.stderr)
        self.assertEqual(json.loads(self.succeed("info", "m.rondo", "--json"))["config"]["scheme"], "none")

    def test_tags_that_the_model_lacks_count_as_errors(self):
        made = sentences(40, seed=2)
        made[3] = [("Ada", "B-ORG"), ("met", "O")]
        made[4] = [("Ada", "O"), ("met", "I-PER")]
        self.write("other.conll", columns(made))
        result = self.run_command("train", "tag", "-i", "train.conll", "-d", "other.conll", "-o", "m.rondo", *SMALL)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"tag B-ORG does not occur", result.stderr)
        self.assertIn(b"break the model's scheme", result.stderr)
        evaluated = self.run_command("evaluate", "m.rondo", "other.conll", "--json")
        self.assertIn(b"tag B-ORG does not occur", evaluated.stderr)
        figures = json.loads(evaluated.stdout)
        self.assertEqual(figures["types"]["ORG"], {"precision": 0, "recall": 0, "f1": 0, "wanted": 1, "found": 0, "correct": 0})
        self.assertTrue(math.isfinite(figures["loss"]))

    def test_long_sentences_and_long_words(self):
        self.train_tag()
        self.write("long.conll", "".join(f"{word}\tO\n" for word in OTHERS * 800 + ["x" * 100000]))
        self.assertEqual(len(self.succeed("predict", "model.rondo", "long.conll").splitlines()), 800 * len(OTHERS) + 1)
        self.assertEqual(self.figures("model.rondo", "long.conll")["tokens"], 800 * len(OTHERS) + 1)

    def test_nothing_to_predict(self):
        self.train_tag()
        self.write("empty.conll", "")
        self.assertEqual(self.succeed("predict", "model.rondo", "empty.conll"), "")
        self.assertEqual(self.succeed("predict", "model.rondo", "empty.conll", "--format", "lines"), "")
        self.assertIn("no sentences", self.refuse(3, "evaluate", "model.rondo", "empty.conll"))
        self.write("words.conll", "Ada\n")
        self.assertIn("no tags", self.refuse(3, "evaluate", "model.rondo", "words.conll"))
        self.write("binary.conll", os.urandom(5000))
        self.refuse(3, "evaluate", "model.rondo", "binary.conll")

    def test_f1_is_of_spans_alone(self):
        self.write("train.conllu", conllu(sentences()))
        message = self.refuse(2, "train", "tag", "-i", "train.conllu", "-o", "m.rondo", *SMALL, "--metric", "f1")
        self.assertIn("--metric f1: the tags mark no spans", message)

    def test_options_that_do_not_fit(self):
        for words, what in [(["--embedding", "0", "--characters", "none", "--character-units", "0"], "--embedding 0"),
                            (["--all-vectors"], "--all-vectors"), (["--character-window", "5"], "--character-window"),
                            (["--embedding", "0", "--min-count", "2"], "--min-count"),
                            (["--embedding", "0", "--max-vocabulary", "9"], "--max-vocabulary"),
                            (["--embedding", "0", "--word-dropout", "0"], "--word-dropout"),
                            (["--dev-fraction", "0.2"], "--dev-fraction")]:
            with self.subTest(what):
                self.assertIn(what, self.refuse(2, "train", "tag", "-i", "train.conll", "-d", "dev.conll", "-o", "m.rondo", *words))


if __name__ == "__main__":
    main()
