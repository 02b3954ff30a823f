"""What rondo tells of its own cost: the plan's memory, train --profile, rondo bench."""

import json
import os
import random
import re
import subprocess
import unittest

from support import COMMAND, SMALL, CommandTest, corpus, main

PARTS = ["reading", "tokenising", "model", "batches (waiting)", "forward", "backward", "optimiser", "evaluation", "checkpoint", "rest"]


def is_sanitized():
    """A sanitizer keeps memory of its own for every byte."""
    with open(COMMAND, "rb") as file:
        program = file.read()
    return b"__asan_init" in program or b"__tsan_init" in program


@unittest.skipUnless(os.path.exists("/proc/self/statm"), "the system does not tell what a process holds")
@unittest.skipIf(is_sanitized(), "a sanitizer's own memory counts too")
class Memory(CommandTest):
    def planned_and_peak(self, *words, task="classify"):
        """Megabytes: what the plan says, and the most that the process held."""
        with open(self.path("report.txt"), "w", encoding="utf-8") as report:
            run = subprocess.Popen([COMMAND, "train", task, "-o", "m.rondo", "--force", *words], cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=report, stderr=report)
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = status
        report = self.read("report.txt").decode()
        self.assertEqual(status, 0, report)
        return float(re.search(r"about (\d+) MB", report)[1]), usage.ru_maxrss * 1.024e-3

    def test_the_plan_is_within_15_percent_of_the_true_peak(self):
        rows = corpus(6000).splitlines()
        self.write("long.csv", "\n".join([rows[0]] + [row + " word" * (i % 90) + f" rare{i}" for i, row in enumerate(rows[1:])]))
        for words in (["--hidden", "128"], ["--cell", "gru", "--layers", "2", "--dropout", "0.2", "--hidden", "64"],
                      ["--cell", "rnn", "--batch", "128", "--pool", "attention"], ["--min-count", "1", "--embedding", "300"]):
            with self.subTest(" ".join(words)):
                planned, peak = self.planned_and_peak("-i", "long.csv", "--after", "40u", "-t", "2", *words)
                self.assertGreater(peak, 30)
                self.assertLess(abs(planned / peak - 1), 0.15, f"planned {planned} MB, held {peak:.0f} MB")

    def test_a_taggers_plan_is_within_15_percent_of_the_true_peak(self):
        rng = random.Random(2)
        tags = ["O", "O", "B-PER", "B-LOC"]
        with open(self.path("train.conll"), "w", encoding="utf-8") as file:
            for i in range(3000):
                for t in range(5 + i % 60):
                    file.write(f"word{rng.randrange(20000) if t % 3 == 0 else rng.randrange(200)}\t{rng.choice(tags)}\n")
                file.write("\n")
        for words in ([], ["--characters", "cnn", "--hidden", "200", "--batch", "64"],
                      ["--characters", "none", "--output-layer", "softmax", "--embedding", "300"],
                      ["--embedding", "0", "--layers", "2", "--batch", "32", "--tanh", "100"]):
            with self.subTest(" ".join(words)):
                planned, peak = self.planned_and_peak("-i", "train.conll", "--after", "60u", "-t", "2", *words, task="tag")
                self.assertGreater(peak, 20)
                self.assertLess(abs(planned / peak - 1), 0.15, f"planned {planned} MB, held {peak:.0f} MB")

    def test_batches_of_all_lengths_share_the_memory_of_the_longest(self):
        rows = corpus(3000).splitlines()
        self.write("ragged.csv", "\n".join([rows[0]] + [row + " word" * (i % 90) for i, row in enumerate(rows[1:])]))
        sizes = ["-i", "ragged.csv", "--hidden", "128", "-t", "2", "--patience", "0"]
        _, short = self.planned_and_peak(*sizes, "--after", "10u")
        _, long = self.planned_and_peak(*sizes, "--after", "2e")
        # Gates and states of the longest batch: 32 texts of 100 words; without sharing this grew by 100 MB.
        self.assertLess(long, short + 30)


class Profile(CommandTest):
    def profile(self, *words):
        self.write("train.csv", corpus())
        words = ["train", "classify", "-i", "train.csv", "-o", "m.rondo", "--force", *SMALL, *words]
        result = self.run_command(*words)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stderr.decode()

    def test_the_parts_add_up_to_the_whole(self):
        report = self.profile("--profile")
        seconds = dict(re.findall(r"^  ([a-z][a-z ()]*?) +([0-9.]+) s", report, re.M))
        whole = float(seconds.pop("in all"))
        self.assertEqual(list(seconds), PARTS)
        self.assertAlmostEqual(sum(map(float, seconds.values())), whole, delta=0.02)
        self.assertGreater(float(seconds["backward"]), 0)
        self.assertRegex(report, r"arithmetic of forward and backward: [0-9.]+ GF/s, \d+ % of the [0-9.]+ GF/s")

    def test_a_taggers_arithmetic_counts(self):
        self.write("train.conll", "Ada\tB-PER\nmet\tO\n\nthe\tO\nold\tO\n\n" * 50)
        result = self.run_command("train", "tag", "-i", "train.conll", "-o", "t.rondo", "--after", "1e", "--profile")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, rb"arithmetic of forward and backward: [0-9.]+ GF/s, \d+ % of the [0-9.]+ GF/s")

    def test_it_changes_no_result(self):
        self.profile()
        without = self.sha256("m.rondo")
        self.assertNotIn("where the time went", self.profile())
        self.profile("--profile")
        self.assertEqual(self.sha256("m.rondo"), without)


class Bench(CommandTest):
    def setUp(self):
        super().setUp()
        self.model = self.train()

    def bench(self, *words, **options):
        return json.loads(self.succeed("bench", self.model, "--json", "--seconds", "0.4", *words, **options))

    def check(self, runs):
        for run in runs:
            self.assertGreater(run["latency_ms"]["median"], 0)
            self.assertGreaterEqual(run["latency_ms"]["p99"], run["latency_ms"]["median"])
            self.assertGreater(run["texts_per_second"], 0)
            self.assertGreater(run["tokens_per_second"], run["texts_per_second"])
            self.assertAlmostEqual(run["share_of_peak"], run["gflops"] / run["peak_gflops"])

    def test_without_texts_it_makes_some_up(self):
        report = self.bench("-t", "2")
        self.assertTrue(report["made_up"])
        self.assertEqual([run["threads"] for run in report["runs"]], [1, 2])
        self.assertGreater(report["peak_memory_mb"], 1)
        self.check(report["runs"])

    def test_it_takes_a_file_and_standard_input(self):
        self.write("texts.txt", "the coach of the team\na vote in parliament\n\nnew robot\n")
        for words, options in ((["texts.txt"], {}), (["-"], {"input": self.read("texts.txt")})):
            report = self.bench(*words, "-t", "1", **options)
            self.assertEqual((report["texts"], report["made_up"]), (4, False))
            self.assertEqual(len(report["runs"]), 1)
            self.check(report["runs"])

    def test_the_table_is_for_people(self):
        table = self.succeed("bench", self.model, "--seconds", "0.2")
        for word in ["texts/s", "tokens/s", "GF/s", "of peak", "peak memory"]:
            self.assertIn(word, table)
        self.assertNotIn("stream", table)  # the default model reads from both ends

    def test_a_model_that_reads_forwards_is_timed_token_by_token(self):
        self.model = self.train("forwards.rondo", "--no-bidirectional")
        for precision in ["f32", "bf16", "int8"]:
            self.assertGreater(self.bench("-t", "1", "--precision", precision)["stream_us_per_token"], 0)
        self.assertIn("a stream reads a token in", self.succeed("bench", self.model, "--seconds", "0.2"))

    def test_what_cannot_be_measured_is_refused(self):
        self.write("empty.txt", "")
        self.assertIn("no texts", self.refuse(3, "bench", self.model, "empty.txt"))
        self.assertIn("seconds", self.refuse(2, "bench", self.model, "--seconds", "0"))
        self.refuse(1, "bench", "none.rondo")


if __name__ == "__main__":
    main()
