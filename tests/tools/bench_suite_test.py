#!/usr/bin/env python3
"""What bench/run does around the measurements: the rows, peers that fail, the tables."""
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench/suite"))
import cases
import machine
import tables
import workers

ECHO = """
import json, sys, time
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "die": sys.exit(3)
    if request["do"] == "sleep": time.sleep(60)
    if request["do"] == "babble": print("no JSON", flush=True)
    else: print(json.dumps({"ok": request["do"] != "refuse", "why": "it will not", "do": request["do"]}), flush=True)
"""


class Rows(unittest.TestCase):
    def test_names_are_unique(self):
        names = [case.name for case in cases.all_cases()]
        self.assertEqual(len(names), len(set(names)))

    def test_the_grid_has_its_96_rows(self):
        self.assertEqual(sum(case.group == "grid" for case in cases.all_cases()), 96)

    def test_lengths_fall_and_the_longest_is_the_number_of_steps(self):
        for case in cases.all_cases():
            self.assertEqual(case.lengths, sorted(case.lengths, reverse=True), case.name)
            self.assertEqual(case.lengths[0], case.steps, case.name)
            self.assertEqual(len(case.lengths), case.batch, case.name)

    def test_operations_count_tokens_and_not_padding(self):
        lstm = cases.Case("", "", "lstm", hidden=2, batch=3, mode="infer", input=5, lengths=[4, 2, 1], steps=4)
        self.assertEqual(lstm.operations(), 2 * 7 * 4 * 2 * (5 + 2))
        lstm.mode = "train"
        self.assertEqual(lstm.operations(), 3 * 2 * 7 * 4 * 2 * (5 + 2))

    def test_layers_above_the_first_read_both_directions(self):
        rnn = cases.Case("", "", "rnn", hidden=2, batch=1, mode="infer", input=5, steps=1, layers=2, directions=2)
        self.assertEqual(rnn.operations(), 2 * 2 * (2 * (5 + 2) + 2 * (4 + 2)))


class Peers(unittest.TestCase):
    def setUp(self):
        self.workers = workers.Workers({"echo": [sys.executable, "-c", ECHO]})
        self.addCleanup(self.workers.stop)

    def ask(self, wanted, timeout=20):
        return self.workers.get("echo", "", 1).ask(timeout, do=wanted)

    def test_an_answer_comes_back(self):
        self.assertEqual(self.ask("hello")["do"], "hello")

    def test_a_refusal_gives_the_reason_and_the_peer_lives_on(self):
        with self.assertRaisesRegex(workers.PeerFailed, "it will not"):
            self.ask("refuse")
        self.assertTrue(self.ask("hello")["ok"])

    def test_a_peer_that_dies_is_started_again(self):
        with self.assertRaises(workers.PeerFailed):
            self.ask("die")
        self.assertTrue(self.ask("hello")["ok"])

    def test_a_peer_that_is_too_slow_is_ended(self):
        begun = time.monotonic()
        with self.assertRaisesRegex(workers.PeerFailed, "too slow"):
            self.ask("sleep", timeout=0.2)
        self.assertLess(time.monotonic() - begun, 20)
        self.assertTrue(self.ask("hello")["ok"])

    def test_what_is_no_answer_is_a_failure(self):
        with self.assertRaises(workers.PeerFailed):
            self.ask("babble")

    def test_the_neighbour_keeps_a_processor_busy_and_is_ended(self):
        with workers.Neighbour(30) as neighbour:
            time.sleep(0.5)
            self.assertGreater(machine.seconds_of_process(neighbour.process.pid), 0.05)
        self.assertIsNotNone(neighbour.process.returncode)


def row(ratio=2.0, quiet=True, agrees=True):
    rondo = {"seconds": 1e-3, "minimum": 9e-4, "us_a_step": 7.8125, "gflops": 120.0, "share": 0.5, "agrees": True}
    other = {"seconds": ratio * 1e-3, "minimum": 1e-3, "us_a_step": ratio * 7.8125, "agrees": agrees}
    case = vars(cases.layer("grid", "lstm", 128, 32, "infer")) | {"tokens": 4096, "operations": 1}
    return {"name": case["name"], "group": "grid", "case": case, "quiet": quiet, "ratio": ratio if agrees else None,
            "best_peer": "torch" if agrees else None, "peers": {"rondo": rondo, "torch": other}}


class Tables(unittest.TestCase):
    def line_of(self, **settings):
        return tables.plain_table([row(**settings)], {}).split("\n")[2]

    def test_a_row_shows_time_rate_share_and_ratio(self):
        line = self.line_of()
        for cell in ("lstm H=128 B=32 infer f32", "7.81 / 7.03", "15.6", "120", "50 %", "2.00x torch"):
            self.assertIn(cell, line)

    def test_a_loss_is_bold(self):
        self.assertIn("**0.50x torch**", self.line_of(ratio=0.5))
        self.assertNotIn("**", self.line_of(ratio=1.5))

    def test_results_that_differ_stand_in_parentheses_and_win_nothing(self):
        line = self.line_of(agrees=False)
        self.assertIn("(15.6)", line)
        self.assertNotIn("2.00x", line)

    def test_other_work_is_marked(self):
        self.assertIn("†", self.line_of(quiet=False))
        self.assertNotIn("†", self.line_of())


if __name__ == "__main__":
    unittest.main()
