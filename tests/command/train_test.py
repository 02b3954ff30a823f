"""rondo train classify: the same file from any number of threads; what a run tells, and where."""

import json
import os
import pty
import select
import subprocess
import unittest

from support import COMMAND, SMALL, CommandTest, corpus, main

SETTINGS = {
    "lstm": [],
    "gru, both directions, two layers": ["--cell", "gru", "--bidirectional", "--layers", "2", "--dropout", "0.3"],
    "attention, adagrad": ["--pool", "attention", "--optimizer", "adagrad", "--embedding-dropout", "0.2"],
    "rnn, sgd": ["--cell", "rnn", "--optimizer", "sgd", "--momentum", "0.9", "--weight-dropout", "0.1"],
}


class Threads(CommandTest):
    def test_one_two_and_four_threads_give_the_same_file(self):
        for name, words in SETTINGS.items():
            with self.subTest(name):
                hashes = {self.sha256(self.train("m.rondo", "--force", "-t", n, *words)) for n in ["1", "2", "4"]}
                self.assertEqual(len(hashes), 1)

    def test_another_seed_gives_another_file(self):
        first = self.sha256(self.train("a.rondo", "--seed", "1"))
        self.assertNotEqual(first, self.sha256(self.train("b.rondo", "--seed", "2")))


class Output(CommandTest):
    def test_results_of_training_go_to_standard_error(self):
        self.write("train.csv", corpus())
        result = self.run_command("train", "classify", "-i", "train.csv", "-o", "my model.rondo", *SMALL)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, b"")
        report = result.stderr.decode()
        for part in ["270 texts", "held out", "3 labels", "epoch 4", "rondo predict 'my model.rondo'"]:
            self.assertIn(part, report)

    def test_a_file_gets_no_carriage_returns(self):
        self.write("train.csv", corpus())
        result = self.run_command("train", "classify", "-i", "train.csv", "-o", "m.rondo", *SMALL)
        self.assertNotIn(b"\r", result.stderr)
        self.assertNotIn(b"\033", result.stderr)

    def test_a_terminal_shows_the_live_line(self):
        self.write("train.csv", corpus())
        controller, terminal = pty.openpty()
        words = [COMMAND, "train", "classify", "-i", "train.csv", "-o", "m.rondo", *SMALL]
        run = subprocess.Popen(words, cwd=self.folder, stderr=terminal, stdin=subprocess.DEVNULL)
        os.close(terminal)
        shown = b""
        while select.select([controller], [], [], 60)[0]:
            try:
                part = os.read(controller, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(controller)
        self.assertEqual(run.wait(), 0)
        self.assertIn(b"\r\033[Kepoch", shown)
        self.assertIn(b"left 0:", shown)

    def test_a_full_or_closed_standard_error_does_not_end_a_training(self):
        self.write("train.csv", corpus())
        undisturbed = self.sha256(self.train("a.rondo"))
        with open("/dev/full", "wb") as full:
            words = ["train", "classify", "-i", "train.csv", *SMALL, "-o"]
            self.assertEqual(self.run_command(*words, "b.rondo", stderr=full).returncode, 0)
        reader, writer = os.pipe()
        os.close(reader)
        self.assertEqual(self.run_command(*words, "c.rondo", stderr=writer).returncode, 0)
        os.close(writer)
        self.assertEqual(self.sha256("b.rondo"), undisturbed)
        self.assertEqual(self.sha256("c.rondo"), undisturbed)

    def test_log_is_json_lines(self):
        self.train("m.rondo", "--log", "log.jsonl")
        records = [json.loads(line) for line in self.read("log.jsonl").splitlines()]
        evaluations = [r for r in records if r["event"] == "evaluation"]
        self.assertEqual([r["epoch"] for r in evaluations], [1, 2, 3, 4])

    def test_nothing_is_left_beside_the_model(self):
        self.train()
        self.assertEqual(sorted(os.listdir(self.folder)), ["model.rondo", "train.csv"])


class Explosion(CommandTest):
    """A step without finite gradients changes nothing, is named, and repeated ones end the run."""

    WILD = ["--cell", "rnn", "--nonlinearity", "relu", "--optimizer", "sgd", "--clip", "0", "--hidden", "8"]

    def test_a_run_that_never_was_good_writes_no_model(self):
        self.write("train.csv", corpus())
        message = self.refuse(1, "train", "classify", "-i", "train.csv", "-o", "m.rondo", *self.WILD, "--lr", "1e6")
        self.assertRegex(message, r"warning: update \d+ skipped: .*lines of the input: \d+, \d+")
        self.assertIn("10 updates in a row", message)
        self.assertIn("no model was written", message)
        self.assertEqual(os.listdir(self.folder), ["train.csv"])

    def test_an_older_model_survives(self):
        self.train("m.rondo")
        before = self.sha256("m.rondo")
        self.refuse(1, "train", "classify", "-i", "train.csv", "-o", "m.rondo", "--force", *self.WILD, "--lr", "1e6")
        self.assertEqual(self.sha256("m.rondo"), before)

    def test_the_last_good_state_is_kept(self):
        # The warmup keeps the first epochs sane; then the rate rises until the network explodes.
        self.write("train.csv", corpus())
        words = [*self.WILD, "--lr", "1e6", "--warmup", "100000000", "--after", "400e", "--patience", "0"]
        message = self.refuse(1, "train", "classify", "-i", "train.csv", "-o", "m.rondo", *words, "--log", "l.jsonl")
        self.assertIn("m.rondo holds the best state before, of update", message)
        report = json.loads(self.succeed("evaluate", "m.rondo", "train.csv", "--json"))
        self.assertGreater(report["accuracy"], 0.4)
        self.assertLess(report["loss"], 100)
        events = [json.loads(line)["event"] for line in self.read("l.jsonl").splitlines()]
        self.assertGreaterEqual(events.count("skipped"), 10)


if __name__ == "__main__":
    main()
