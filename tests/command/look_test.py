"""rondo look --json and the page as a file; look_page_test.py opens the page in a browser."""

import base64
import json
import os
import re
import struct
import subprocess

from servers import ServeTest
from support import COMMAND, SMALL, main

NASTY = "</script><img src=x onerror=alert(1)> {{script}} <!-- & \u2028 \u2029 \U0001f600 goal"


def floats(text):
    content = base64.b64decode(text)
    return list(struct.unpack(f"<{len(content) // 4}f", content))


class LookTest(ServeTest):
    """The tiny models of the server's tests, and a classifier of each other cell."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for cell in "rnn", "gru":
            if os.path.exists(os.path.join(cls.models, cell + ".rondo")):
                continue  # another class of this program trained it
            subprocess.run([COMMAND, "train", "classify", "-i", "train.csv", "-o", cell + ".rondo", *SMALL, "--cell", cell, "-t", "1"],
                           cwd=cls.models, check=True, timeout=300, stderr=subprocess.DEVNULL)

    ALL = ServeTest.ALL + ["rnn.rondo", "gru.rondo"]

    def look(self, *words, **options):
        return json.loads(self.succeed("look", *words, "--json", **options))["entries"]

    def numbers_of(self, page):
        """The JSON inside a page."""
        return json.loads(re.search(r'<script type="application/json" id="numbers">(.*?)</script>', self.read(page).decode(), re.S).group(1))


class Json(LookTest):
    def series(self, entry):
        return [[one["name"] for one in layer["series"]] for layer in entry["layers"]]

    def test_a_classifier_tells_gates_states_predictions_and_gradients(self):
        entry, = self.look("news.rondo", "goal match team")
        self.assertEqual((entry["kind"], entry["cell"], entry["tokens"]), ("classifier", "lstm", ["goal", "match", "team"]))
        self.assertEqual(set(self.series(entry)[0]), set("ifogch"))
        for one in entry["layers"][0]["series"]:
            self.assertEqual(len(floats(one["values"])), 3 * 8, one["name"])
        own = json.loads(self.succeed("predict", "news.rondo", "goal match team", "--json", "-k", "3"))["predictions"]
        by_label = dict(zip(entry["labels"], floats(entry["predictions"])[-3:]))
        for one in own:
            self.assertEqual(struct.pack("<f", one["probability"]), struct.pack("<f", by_label[one["label"]]))
        self.assertEqual(entry["gradient_of"], f"log p({own[0]['label']})")
        self.assertEqual((len(entry["connectivity"]), len(entry["contribution"])), (3, 3))
        self.assertEqual(len(entry["layers"][0]["gradient_norms"]), 3)

    def test_every_kind_of_model_tells_what_it_has(self):
        tagger, language, translator = (self.look(model, text)[0] for model, text in
                                        [("names.rondo", "Ada met Alan Turing"), ("poems.rondo", "the old"), ("en-de.rondo", "one red dog")])
        self.assertEqual(len(tagger["tags"]), 4)
        self.assertEqual(len(floats(tagger["predictions"])), 4 * len(tagger["labels"]))
        steps = len(language["tokens"])
        self.assertEqual((len(language["alternatives"]), len(language["next_probabilities"])), (steps, steps - 1))
        self.assertEqual([len(step) for step in language["alternatives"]], [5] * steps)
        self.assertEqual(translator["translation"], self.succeed("translate", "en-de.rondo", "one red dog").rstrip("\n"))
        weights = floats(translator["attention"])
        self.assertEqual(len(weights), len(translator["target_tokens"]) * len(translator["tokens"]))
        self.assertAlmostEqual(sum(weights), len(translator["target_tokens"]), places=4)
        self.assertTrue(translator["beam"])
        self.assertEqual({layer["side"] for layer in translator["layers"]}, {"source", "target"})

    def test_every_model_looks_at_every_text(self):
        entries = self.look("rnn.rondo", "news.rondo", "gru.rondo", "goal", "chip server")
        self.assertEqual([(entry["cell"], entry["text"]) for entry in entries],
                         [(cell, text) for text in ("goal", "chip server") for cell in ("rnn", "lstm", "gru")])
        self.assertEqual([set(names) for names in self.series(entries[2])], [{"r", "z", "n", "h"}] * 2)

    def test_lines_of_standard_input_and_of_files_are_texts(self):
        from_input = self.look("news.rondo", "-", input="goal\nchip server\n".encode())
        self.write("texts.txt", "goal\nchip server\n")
        self.assertEqual(from_input, self.look("news.rondo", "texts.txt"))
        self.assertEqual([entry["text"] for entry in from_input], ["goal", "chip server"])

    def test_a_model_is_known_whatever_its_name_is(self):
        os.rename(self.path("news.rondo"), self.path("best"))
        self.assertEqual(self.look("best", "goal")[0]["model"], "best")

    def test_fewer_units_are_the_ones_that_vary_most(self):
        whole, = self.look("news.rondo", "goal match team chip vote", "--no-gradient")
        few, = self.look("news.rondo", "goal match team chip vote", "--no-gradient", "--units", "3")
        for all_of, some in zip(whole["layers"][0]["series"], few["layers"][0]["series"]):
            values = floats(all_of["values"])
            self.assertEqual(floats(some["values"]), [values[step * 8 + unit] for step in range(5) for unit in some["units"]])
            self.assertEqual(len(some["units"]), 3)
        cell = floats(next(one["values"] for one in whole["layers"][0]["series"] if one["name"] == "c"))
        columns = [cell[unit::8] for unit in range(8)]
        spread = [sum((value - sum(column) / 5) ** 2 for value in column) for column in columns]
        self.assertEqual(few["layers"][0]["series"][0]["units"], sorted(sorted(range(8), key=lambda unit: -spread[unit])[:3]))

    def test_saturation_is_of_all_units(self):
        entry, = self.look("news.rondo", "goal match team chip vote", "--units", "2")
        for one in entry["layers"][0]["series"]:
            self.assertEqual("low" in one, one["role"] == "gate")
            if "low" in one:
                self.assertEqual((len(floats(one["low"])), len(floats(one["high"]))), (8, 8))

    def test_the_gradient_is_of_what_was_asked_for(self):
        self.assertEqual(self.look("news.rondo", "goal", "--gradient", "Tech")[0]["gradient_of"], "log p(Tech)")
        self.assertIn("loss", self.look("news.rondo", "goal", "--loss")[0]["gradient_of"])
        without, = self.look("news.rondo", "goal", "--no-gradient")
        self.assertNotIn("connectivity", without)
        self.assertNotIn("gradient_norms", without["layers"][0])

    def test_odd_texts_have_a_look_of_their_own(self):
        for model in self.ALL:
            for text in "", "x", " ", NASTY:
                with self.subTest(model=model, text=text):
                    self.assertEqual(self.look(model, text)[0]["text"], text)
                    self.succeed("look", model, text, "-o", "page.html")


class Page(LookTest):
    def test_the_page_holds_the_numbers_of_json(self):
        path = self.succeed("look", "news.rondo", "goal match", "-o", "page.html").strip()
        self.assertEqual(path, "page.html")
        self.assertEqual(self.numbers_of("page.html")["entries"], self.look("news.rondo", "goal match"))

    def test_a_page_that_is_there_is_replaced(self):
        self.write("model.html", "old")
        self.succeed("look", "news.rondo", "goal")
        self.assertIn(b"render_look", self.read("model.html"))
        self.assertEqual([name for name in os.listdir(self.folder) if "partial" in name], [])

    def test_texts_do_not_break_out(self):
        self.succeed("look", "news.rondo", NASTY, "-o", "page.html")
        page = self.read("page.html").decode()
        self.assertEqual(page.count("</script>"), 2)
        self.assertNotIn("<img", page)
        self.assertEqual(self.numbers_of("page.html")["entries"][0]["text"], NASTY)

    def test_nothing_is_fetched(self):
        self.succeed("look", "news.rondo", "goal", "-o", "page.html")
        page = self.read("page.html").decode()
        self.assertIn("default-src 'none'", page)
        self.assertEqual(re.findall(r"https?://(?!www\.w3\.org/2000/svg)\S*", page), [])

    def test_a_long_text_of_a_wide_model_stays_below_two_megabytes(self):
        self.train("wide.rondo", "--hidden", "256", "--layers", "2", "--after", "1u")
        words = " ".join(["goal", "match", "chip", "vote"] * 50)
        result = self.run_command("look", "wide.rondo", words, "-o", "page.html")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertLess(len(self.read("page.html")), 2_000_000)
        numbers = self.numbers_of("page.html")
        units = len(numbers["entries"][0]["layers"][0]["series"][0]["units"])
        self.assertGreater(units, 40)
        self.assertIn(f"{units} units are drawn, of 256", numbers["notes"][0])
        self.assertIn(numbers["notes"][0].encode(), result.stderr)
        self.succeed("look", "wide.rondo", words, "-o", "page.html", "--units", "7")
        self.assertEqual(len(self.numbers_of("page.html")["entries"][0]["layers"][0]["series"][0]["units"]), 7)


class Mistakes(LookTest):
    def test_words_without_model_or_text(self):
        self.assertIn("no model", self.refuse(2, "look", "goal match"))
        self.assertIn("give a text", self.refuse(2, "look", "news.rondo"))
        self.refuse(1, "look", "none.rondo", "goal")
        self.refuse(1, "look", "news.rondo", "none.txt")

    def test_what_is_no_model(self):
        self.write("bad.rondo", "no model")
        self.refuse(3, "look", "bad.rondo", "goal")

    def test_options_that_contradict_each_other(self):
        self.assertIn("--json", self.refuse(2, "look", "news.rondo", "goal", "--json", "-o", "x.html"))
        self.assertIn("--no-gradient", self.refuse(2, "look", "news.rondo", "goal", "--no-gradient", "--gradient", "Tech"))
        self.assertIn("--loss", self.refuse(2, "look", "poems.rondo", "goal", "--loss", "--step", "2"))

    def test_outputs_that_are_not_there(self):
        self.assertIn("no label Nothing", self.refuse(2, "look", "news.rondo", "goal", "--gradient", "Nothing"))
        self.assertIn("step 9", self.refuse(2, "look", "names.rondo", "Ada met", "--step", "9"))

    def test_a_model_without_gradients_is_looked_at_without(self):
        self.write("dev.csv", self.read("train.csv") if os.path.exists(self.path("train.csv")) else "label,text\nSports,goal\n")
        self.succeed("quantize", "news.rondo", "-o", "small.rondo", "--dev", "dev.csv", "--max-drop", "1")
        result = self.run_command("look", "small.rondo", "goal", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"looked at without a gradient", result.stderr)
        self.assertIn("int8", self.refuse(2, "look", "small.rondo", "goal", "--gradient", "Tech"))

    def test_bytes_that_are_not_utf8(self):
        self.refuse(3, "look", "news.rondo", b"goal \xff", "-o", "page.html")
        self.succeed("look", "news.rondo", b"goal \xff", "--replace-invalid", "-o", "page.html")

    def test_a_text_that_no_page_can_show(self):
        self.write("long.txt", "the " * 10000)
        self.assertIn("5000 at most", self.refuse(3, "look", "news.rondo", "long.txt", "-o", "page.html", "--no-gradient"))
        self.assertFalse(os.path.exists(self.path("page.html")))
        self.assertEqual(len(self.look("news.rondo", "long.txt", "--units", "2")[0]["tokens"]), 10000)

    def test_more_looks_than_stand_side_by_side(self):
        self.assertIn("64 looks at most", self.refuse(2, "look", "news.rondo", "-", input=b"goal\n" * 65))

    def test_a_folder_that_is_not_there(self):
        self.assertIn("nowhere/page.html", self.refuse(1, "look", "news.rondo", "goal", "-o", "nowhere/page.html"))


if __name__ == "__main__":
    main()
