"""Killed at any moment and resumed, a training ends with the undisturbed run's bytes."""

import os
import random
import re
import shlex
import signal
import subprocess
import time
import unittest

from support import COMMAND, SMALL, CommandTest, corpus, main

TRAIN = ["train", "classify", "-i", "train.csv", *SMALL, "--checkpoint-seconds", "0"]

SETTINGS = {
    "adam": [],
    "plateau": ["--schedule", "plateau", "--plateau-patience", "0", "--lr", "0.05"],
    "adamw, cosine, dropout of every kind": shlex.split(
        "--optimizer adamw --weight-decay 0.1 --schedule cosine --warmup 5 --layers 2 --dropout 0.3 "
        "--input-dropout 0.2 --state-dropout 0.2 --weight-dropout 0.1 --embedding-dropout 0.1"),
    "sgd with momentum": ["--optimizer", "sgd", "--momentum", "0.9", "--lr", "0.5"],
    "rmsprop": ["--optimizer", "rmsprop", "--cell", "gru"],
    "adagrad, updates": ["--optimizer", "adagrad", "--after", "31u", "--cell", "rnn"],
}


class Resume(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("train.csv", corpus())
        self.rng = random.Random(5)

    def start(self, *words, stderr=subprocess.DEVNULL):
        return subprocess.Popen([COMMAND, *words], cwd=self.folder, stdin=subprocess.DEVNULL, stderr=stderr)

    def stop_soon(self, run, seconds, how=signal.SIGKILL):
        time.sleep(seconds)
        run.send_signal(how)
        return run.wait()

    def undisturbed(self, *words):
        began = time.monotonic()
        self.succeed(*TRAIN, "-o", "whole.rondo", "--log", "whole.jsonl", "--force", *words)
        return time.monotonic() - began

    def wait_for(self, path, run):
        while not os.path.exists(self.path(path)) and run.poll() is None:
            time.sleep(0.001)

    def same_as_undisturbed(self):
        self.assertEqual(self.sha256("part.rondo"), self.sha256("whole.rondo"))
        self.assertEqual(self.read("part.jsonl"), self.read("whole.jsonl"))
        left = [name for name in os.listdir(self.folder) if "checkpoint" in name and "partial" not in name]
        self.assertEqual(left, [])

    def killed_again_and_again(self, words, kills):
        """Runs with --resume, killed `kills` times, then to the end. Returns how many kills hit a run."""
        duration = self.undisturbed(*words)
        part = [*TRAIN, "-o", "part.rondo", "--log", "part.jsonl", *words]
        hits = 0
        for _ in range(kills):
            run = self.start(*part, "--resume")
            ended = self.stop_soon(run, self.rng.uniform(0, 0.5 * duration))
            hits += ended == -signal.SIGKILL
            if os.path.exists(self.path("part.rondo")):
                self.assertEqual(self.sha256("part.rondo"), self.sha256("whole.rondo"))
            if ended == 0:
                break
        if not os.path.exists(self.path("part.rondo")) or os.path.exists(self.path("part.rondo.checkpoint")):
            self.succeed(*part, "--resume")
        self.same_as_undisturbed()
        for name in os.listdir(self.folder):
            if name.startswith("part"):
                os.remove(self.path(name))
        return hits

    def test_killed_at_random_moments(self):
        hits = 0
        for name, words in SETTINGS.items():
            with self.subTest(name):
                hits += self.killed_again_and_again(words, 6)
        self.assertGreater(hits, len(SETTINGS))

    def test_killed_after_the_first_checkpoint(self):
        for _ in range(4):
            self.undisturbed()
            run = self.start(*TRAIN, "-o", "part.rondo", "--log", "part.jsonl", "--force")
            self.wait_for("part.rondo.checkpoint", run)
            self.stop_soon(run, 0)
            if os.path.exists(self.path("part.rondo.checkpoint")):
                self.succeed(*TRAIN, "-o", "part.rondo", "--log", "part.jsonl", "--resume")
            self.same_as_undisturbed()

    def test_killed_before_the_first_checkpoint(self):
        self.undisturbed()
        run = self.start(*TRAIN, "-o", "part.rondo", "--log", "part.jsonl")
        run.kill()
        run.wait()
        self.assertFalse(os.path.exists(self.path("part.rondo")))
        again = self.run_command(*TRAIN, "-o", "part.rondo", "--log", "part.jsonl", "--resume")
        self.assertEqual(again.returncode, 0, again.stderr)
        if b"resumed   at update" not in again.stderr:
            self.assertIn(b"there is no part.rondo.checkpoint; the run begins anew", again.stderr)
        self.same_as_undisturbed()

    def test_resumed_with_another_number_of_threads(self):
        self.undisturbed("-t", "1")
        run = self.start(*TRAIN, "-o", "part.rondo", "--log", "part.jsonl", "-t", "2")
        self.wait_for("part.rondo.checkpoint", run)
        self.stop_soon(run, 0)
        if os.path.exists(self.path("part.rondo.checkpoint")):
            self.succeed(*TRAIN, "-o", "part.rondo", "--log", "part.jsonl", "--resume", "-t", "3")
        self.same_as_undisturbed()

    def stopped(self, how, *words):
        """A run that was told to stop after its first checkpoint; what it said."""
        if os.path.exists(self.path("part.rondo.checkpoint")):
            os.remove(self.path("part.rondo.checkpoint"))
        long = [*TRAIN, "-o", "part.rondo", "--after", "2000e", "--patience", "0"]
        run = self.start(*long, *words, stderr=subprocess.PIPE)
        self.wait_for("part.rondo.checkpoint", run)
        run.send_signal(how)
        message = run.communicate(timeout=120)[1].decode()
        self.assertEqual(run.returncode, 1, message)
        return message

    def test_signals_save_first_and_print_the_command_that_resumes(self):
        for how in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
            with self.subTest(how.name):
                message = self.stopped(how, "--force")
                stopped = re.search(r"stopped at update (\d+); all of it is in part.rondo.checkpoint", message)
                update = int(stopped[1])
                words = shlex.split(message.splitlines()[-1])
                self.assertEqual(words[0], "rondo")
                self.assertEqual(words[-1], "--resume")
                self.assertNotIn("--force", words)
                run = self.start(*words[1:], stderr=subprocess.PIPE)
                while b"resumed   at update" not in (line := run.stderr.readline()):
                    self.assertNotEqual(line, b"")
                run.terminate()
                run.communicate(timeout=120)
                self.assertEqual(int(line.split()[-1]), update)

    def test_a_stopped_run_ends_with_the_same_bytes(self):
        self.undisturbed("--after", "60e", "--patience", "0")
        part = [*TRAIN, "-o", "part.rondo", "--log", "part.jsonl", "--after", "60e", "--patience", "0"]
        for _ in range(3):
            run = self.start(*part, "--resume")
            self.wait_for("part.rondo.checkpoint", run)
            self.stop_soon(run, self.rng.uniform(0, 0.05), signal.SIGTERM)
            if os.path.exists(self.path("part.rondo")):
                break
        if os.path.exists(self.path("part.rondo.checkpoint")):
            self.succeed(*part, "--resume")
        self.same_as_undisturbed()

    def test_the_printed_command_is_quoted_for_the_shell(self):
        self.write("it's my data.csv", corpus())
        message = self.stopped(signal.SIGTERM, "-i", "it's my data.csv")
        self.assertIn("it's my data.csv", shlex.split(message.splitlines()[-1]))


class RefusedResume(CommandTest):
    """A checkpoint is never continued with something else, and never lost by a slip."""

    def setUp(self):
        super().setUp()
        self.write("train.csv", corpus())
        words = [COMMAND, *TRAIN, "-o", "part.rondo", "--after", "2000e", "--patience", "0"]
        run = subprocess.Popen(words, cwd=self.folder, stderr=subprocess.DEVNULL)
        while not os.path.exists(self.path("part.rondo.checkpoint")) and run.poll() is None:
            time.sleep(0.001)
        run.terminate()
        run.wait()
        self.checkpoint = self.sha256("part.rondo.checkpoint")
        self.words = words[1:]

    def tearDown(self):
        self.assertEqual(self.sha256("part.rondo.checkpoint"), self.checkpoint)

    def test_another_option_is_named(self):
        for words in [["--hidden", "9"], ["--lr", "0.5"], ["--seed", "2"], ["--min-count", "7"], ["--cell", "gru"]]:
            with self.subTest(words[0]):
                message = self.refuse(2, *self.words, *words, "--resume")
                self.assertIn(words[0].strip("-"), message)
                self.assertIn(words[1], message)

    def test_other_data(self):
        self.write("train.csv", corpus(seed=2))
        self.assertIn("other texts", self.refuse(2, *self.words, "--resume"))

    def test_beginning_anew_needs_force(self):
        message = self.refuse(2, *self.words)
        self.assertIn("--resume", message)
        self.assertIn("--force", message)

    def test_a_damaged_checkpoint_is_an_error(self):
        content = self.read("part.rondo.checkpoint")
        for damaged in [content[:100], content[:-1], b"", content[:-9] + b"x" + content[-8:]]:
            self.write("part.rondo.checkpoint", damaged)
            self.refuse(3, *self.words, "--resume")
        self.write("part.rondo.checkpoint", content)

    def test_info_of_a_checkpoint_says_what_it_is(self):
        self.assertIn("checkpoint", self.refuse(3, "info", "part.rondo.checkpoint"))


class Finished(CommandTest):
    def test_a_log_that_belongs_to_no_checkpoint_is_not_emptied(self):
        self.write("train.csv", corpus())
        self.write("notes.jsonl", "keep\n")
        message = self.refuse(2, *TRAIN, "-o", "new.rondo", "--resume", "--log", "notes.jsonl")
        self.assertIn("--log", message)
        self.assertEqual(self.read("notes.jsonl"), b"keep\n")

    def test_a_finished_model_is_not_resumed(self):
        model = self.train()
        before = self.sha256(model)
        message = self.refuse(2, "train", "classify", "-i", "train.csv", "-o", model, *SMALL, "--resume")
        self.assertIn("finished", message)
        self.assertEqual(self.sha256(model), before)


if __name__ == "__main__":
    main()
