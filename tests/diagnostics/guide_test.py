"""docs/vanishing-gradients.md: its commands run, its pictures are drawn from its figures, its tables are theirs."""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "vanishing-gradients.md").read_text()
FIGURES = json.loads((DOCS / "pictures/vanishing_gradients.json").read_text())


def run(*arguments):
    return subprocess.run([os.environ["RONDO_DIAGNOSTICS"], *arguments], capture_output=True, text=True, check=False)


def table(*arguments):
    """The rows of a command's table by the names of its columns."""
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    head, *rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [dict(zip(head, row)) for row in rows]


class Commands(unittest.TestCase):
    def test_those_of_the_guide_run(self):
        commands = re.findall(r"^rondo-diagnostics ((?:gradients|clipping)[^#\n]*)", GUIDE, re.M)
        self.assertGreater(len(commands), 8)
        for words in (command.split() for command in commands):
            few = ["--networks", "1"] if words[0] == "gradients" else []
            if "adding" in words or words[0] == "clipping":  # minutes: two updates of them
                few += ["--updates", "2", "--length", "6"]
            words += few
            with self.subTest(command=words):
                self.assertGreater(len(table(*words)), 0)

    def test_jsonl_holds_every_step(self):
        lines = run("gradients", "--length", "7", "--networks", "2", "--hidden", "4", "--format", "jsonl").stdout
        record = json.loads(lines)
        self.assertEqual(record["update"], 0)
        self.assertEqual(record["losses"], [])
        for quartile in ("lower", "median", "upper"):
            self.assertEqual(len(record[quartile]), 7)
            self.assertEqual(record[quartile][0], 1)

    def test_what_is_not_finite_is_null_in_jsonl(self):
        done = run("clipping", "--lr", "1e3", "--clip", "0", "--updates", "60", "--length", "10", "--hidden", "4", "--format",
                   "jsonl")
        last = json.loads(done.stdout.splitlines()[-1], parse_constant=self.fail)
        self.assertEqual(last["update"], 60)
        self.assertIsNone(last["norm"])

    def test_help_lists_options_and_mistakes_exit_with_2(self):
        self.assertIn("--forget-bias", run("gradients", "--help").stdout)
        self.assertIn("clipping", run("--help").stdout)
        for wrong, hint in [(["--cell", "grid"], "rnn, lstm or gru"), (["--every", "0"], "every"), (["--nonesuch", "1"], "nonesuch"),
                            (["--cell"], "--OPTION VALUE")]:
            done = run("gradients", *wrong)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertIn(hint, done.stderr)


class Pictures(unittest.TestCase):
    def test_are_drawn_from_their_figures(self):
        script = DOCS / "pictures/vanishing_gradients.py"
        done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_each_is_shown_by_the_guide(self):
        shown = re.findall(r"!\[[^\]]+\]\(pictures/([^)]+)\)", GUIDE)
        self.assertEqual(sorted(shown), sorted(path.name for path in (DOCS / "pictures").glob("*.svg") if path.name in shown))
        self.assertEqual(len(shown), 4)


class Tables(unittest.TestCase):
    def test_that_of_first_weights_is_the_figures(self):
        for name, curve in FIGURES["first_weights"].items():
            row = re.search(rf"^\| {re.escape(name)} \|(.+)\|$", GUIDE, re.M).group(1).split("|")
            for k, cell in zip((10, 50), (row[0], row[2])):
                self.assertAlmostEqual(float(cell) / curve["median"][k], 1, delta=0.05, msg=f"{name}, k = {k}")


if __name__ == "__main__":
    unittest.main()
