"""rondo train ... --report: the page's figures are the run's, nothing of the training changes, a resumed run's curve goes on.

The page in headless Chromium is in report_page_test.py.
"""

import json
import os
import re
import signal
import subprocess
import time

import train_test
from language_models import text
from support import COMMAND, SMALL, CommandTest, corpus, main
from tag_test import SMALL as SMALL_TAGGER
from tag_test import columns, sentences
from translations import pairs

FIGURES = re.compile(rb'<script type="application/json" id="figures">(.*?)</script>', re.S)


class ReportTest(CommandTest):
    def figures(self, name="run.html"):
        found = FIGURES.findall(self.read(name))
        self.assertEqual(len(found), 1)
        return json.loads(found[0])

    def log(self, name, event):
        return [entry for entry in map(json.loads, self.read(name).splitlines()) if entry["event"] == event]

    def check_against_log(self, figures, log):
        """Every logged update and evaluation stands in the page with its figures."""
        curve = figures["curve"]
        at = {update: i for i, update in enumerate(curve["update"])}
        logged = self.log(log, "update")
        for entry in logged:
            i = at[entry["update"]]
            for ours, theirs in ("loss", "loss"), ("rate", "rate"), ("norm", "gradient_norm"):
                self.assertAlmostEqual(curve[ours][i], entry[theirs], delta=1e-6 * max(1, abs(entry[theirs])))
        evaluations = self.log(log, "evaluation")
        self.assertEqual(len(figures["evaluations"]), len(evaluations))
        for ours, theirs in zip(figures["evaluations"], evaluations):
            self.assertEqual(ours, {key: value for key, value in theirs.items() if key != "event"})
        return logged


class Report(ReportTest):
    def test_a_run_of_every_kind_has_its_figures_on_the_page(self):
        self.write("train.csv", corpus(900))
        self.write("text.txt", text())
        self.write("train.conll", columns(sentences()))
        made = pairs(200)
        self.write("train.en", "".join(source + "\n" for source, _ in made))
        self.write("train.de", "".join(target + "\n" for _, target in made))
        kinds = {
            "classify": (["-i", "train.csv", *SMALL, "--cell", "gru", "--layers", "2"], "accuracy", 4 * 2),
            "lm": (["-i", "text.txt", "--hidden", "16", "--embedding", "12", "--batch", "4", "--chunk", "20", "--after", "2e"],
                   "perplexity", 3),
            "tag": (["-i", "train.conll", *SMALL_TAGGER, "--after", "3e"], "F1", 2 * 3),
            "translate": (["--source", "train.en", "--target", "train.de", "--tokenizer", "words", "--embedding", "12",
                           "--hidden", "12", "--batch-tokens", "100", "--after", "2e", "--attention", "bahdanau"],
                          "BLEU", 3 * 3),
        }
        for kind, (words, metric, gates) in kinds.items():
            with self.subTest(kind):
                common = [*words, "-o", kind + ".rondo", "--log", kind + ".jsonl", "-t", "1"]
                self.succeed("train", kind, *common, "--report", kind + ".html")
                figures = self.figures(kind + ".html")
                self.check_against_log(figures, kind + ".jsonl")
                self.assertEqual(figures["state"], "done")
                self.assertEqual(figures["plan"]["metric"], metric)
                self.assertEqual(figures["update"], figures["curve"]["update"][-1])
                self.assertIn(f"rondo train {kind}", figures["command"])
                self.assertEqual([gate["update"] for gate in figures["gates"]],
                                 [evaluation["update"] for evaluation in figures["evaluations"]])
                shares = figures["gates"][-1]["shares"]
                self.assertEqual(len(shares), gates)
                for share in shares:
                    self.assertGreaterEqual(share["low"], 0)
                    self.assertLessEqual(share["low"] + share["high"], 1)

    def test_the_model_has_the_same_bytes_with_a_report_and_without(self):
        self.train("plain.rondo", "--log", "plain.jsonl", "--layers", "2", "--dropout", "0.3", "--averaging", "always")
        self.train("seen.rondo", "--log", "seen.jsonl", "--layers", "2", "--dropout", "0.3", "--averaging", "always",
                   "--report", "run.html")
        self.assertEqual(self.sha256("plain.rondo"), self.sha256("seen.rondo"))
        self.assertEqual(self.read("plain.jsonl"), self.read("seen.jsonl"))

    def test_a_stopped_and_resumed_run_has_one_curve(self):
        self.write("train.csv", corpus())
        train = ["train", "classify", "-i", "train.csv", *SMALL, "--after", "3000u", "--patience", "0",
                 "--evaluate-every", "50", "-t", "1"]
        run = subprocess.Popen([COMMAND, *train, "-o", "m.rondo", "--report", "run.html"], cwd=self.folder,
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and run.poll() is None:
            if os.path.exists(self.path("run.html")) and self.figures()["evaluations"]:
                break
            time.sleep(0.02)
        live = self.figures()
        self.assertEqual(live["state"], "running")
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(), 1)
        stopped = self.figures()
        self.assertEqual(stopped["state"], "stopped")
        self.assertLess(stopped["update"], 3000)
        self.succeed(*train, "-o", "m.rondo", "--report", "run.html", "--resume", "--log", "m.jsonl")
        whole = self.figures()
        self.assertEqual(whole["state"], "done")
        self.assertEqual(whole["plan"]["resumed_at"], stopped["update"])
        self.assertEqual(len(whole["evaluations"]), 60)
        curve = whole["curve"]
        self.assertEqual(curve["update"], [2 * i for i in range(1, 1501)], "neighbours go together beyond 2000 points")
        self.assertEqual(sum(curve["updates"]), 3000)
        self.assertEqual([gate["update"] for gate in whole["gates"]], [50 * i for i in range(1, 61)])
        # The same run undisturbed.
        self.succeed(*train, "-o", "whole.rondo", "--report", "whole.html")
        undisturbed = self.figures("whole.html")["curve"]
        for column, values in undisturbed.items():
            for ours, theirs in zip(curve[column], values) if column != "width" else []:
                self.assertAlmostEqual(ours, theirs, delta=1e-6 * max(1, abs(theirs)), msg=column)
        self.assertEqual(self.sha256("whole.rondo"), self.sha256("m.rondo"))

    def test_a_report_that_begins_with_the_resumed_part_knows_the_evaluations_before(self):
        self.write("train.csv", corpus())
        train = ["train", "classify", "-i", "train.csv", *SMALL, "--after", "2000u", "--patience", "0",
                 "--evaluate-every", "20", "-t", "1", "-o", "m.rondo", "--log", "m.jsonl"]
        run = subprocess.Popen([COMMAND, *train], cwd=self.folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while run.poll() is None and not (os.path.exists(self.path("m.jsonl")) and self.log("m.jsonl", "evaluation")):
            time.sleep(0.02)
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(), 1)
        self.succeed(*train, "--resume", "--report", "run.html")
        figures = self.figures()
        self.assertEqual(figures["curve"]["update"][0], figures["plan"]["resumed_at"] + 1)
        self.assertEqual([e["update"] for e in figures["evaluations"]], [20 * i for i in range(1, 101)])

    def test_a_run_that_fails_says_so_on_its_page(self):
        self.write("train.csv", corpus())
        message = self.refuse(1, "train", "classify", "-i", "train.csv", "-o", "m.rondo", *train_test.Explosion.WILD, "--lr", "1e6",
                              "--report", "run.html")
        figures = self.figures()
        self.assertEqual(figures["state"], "failed")
        self.assertIn(figures["why"], message)
        self.assertGreaterEqual(figures["skipped"], 10)

    def test_nothing_in_a_file_name_or_a_warning_ends_the_script(self):
        name = "a</script><b>&.csv"
        self.write("b.csv", corpus())
        os.makedirs(self.path("a<"), exist_ok=True)
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        os.rename(self.path("b.csv"), self.path(name))
        self.succeed("train", "classify", "-i", name, "-o", "m.rondo", *SMALL, "--report", "run.html")
        self.assertIn(name, self.figures()["command"])


class Files(ReportTest):
    def test_a_report_is_no_other_file_and_overwrites_nothing_unasked(self):
        self.write("train.csv", corpus())
        train = ["train", "classify", "-i", "train.csv", "-o", "m.rondo", *SMALL]
        self.assertIn("--input and --report are one file", self.refuse(2, *train, "--report", "train.csv"))
        self.assertIn("there is no folder", self.refuse(1, *train, "--report", "nowhere/run.html"))
        self.write("run.html", "mine")
        self.assertIn("run.html exists", self.refuse(2, *train, "--report", "run.html"))
        self.assertEqual(self.read("run.html"), b"mine")
        self.succeed(*train, "--report", "run.html", "--force")
        self.assertEqual(self.figures()["state"], "done")


if __name__ == "__main__":
    main()
