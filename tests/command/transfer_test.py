"""Language models that go on: stopped and resumed with the same bytes, and what begins from them."""

import json
import os
import signal
import subprocess
import time

from language_models import SMALL, LanguageModelTest, text
from support import COMMAND, corpus, main


class Resume(LanguageModelTest):
    SETTINGS = {
        "carried states": ["--documents", "blank-line", "--carry", "always"],
        "random chunks": ["--random-chunks", "--layers", "2", "--dropout", "0.2", "--weight-dropout", "0.2"],
        "averages": ["--averaging", "nt", "--optimizer", "sgd", "--lr", "2", "--evaluate-every", "20"],
        "segments": ["--chunk", "600", "--max-mem", "43"],
    }

    def stopped_after_a_checkpoint(self, words):
        """The exit status: 1 where the signal came in time."""
        run = subprocess.Popen([COMMAND, *words, "-o", "part.rondo", "--log", "part.jsonl", "--force"],
                               cwd=self.folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(self.path("part.rondo.checkpoint")) and run.poll() is None:
            time.sleep(0.001)
        run.send_signal(signal.SIGTERM)
        return run.wait(timeout=120)

    def stopped_and_resumed(self, words, data=("train", "lm", "-i", "text.txt")):
        """A run that is told to stop after its first checkpoint ends with the undisturbed run's bytes."""
        words = [*data, *words, "--checkpoint-seconds", "0", "--patience", "0"]
        self.succeed(*words, "-o", "whole.rondo", "--log", "whole.jsonl", "--force")
        for _ in range(5):  # a busy machine may give the signal too late
            status = self.stopped_after_a_checkpoint(words)
            if status == 1:
                break
        self.assertEqual(status, 1)
        self.succeed(*words, "-o", "part.rondo", "--log", "part.jsonl", "--resume")
        self.assertEqual(self.sha256("part.rondo"), self.sha256("whole.rondo"))
        self.assertEqual(self.read("part.jsonl"), self.read("whole.jsonl"))
        for name in ["part.rondo", "part.jsonl"]:
            os.remove(self.path(name))

    def test_a_stopped_run_ends_with_the_same_bytes(self):
        for name, words in self.SETTINGS.items():
            with self.subTest(name):
                self.stopped_and_resumed([*SMALL, "--after", "3e", *words])

    def test_a_stopped_transfer_ends_with_the_same_bytes(self):
        self.train_lm("lm.rondo", "--tokenizer", "words", "--layers", "2")
        self.write("train.csv", corpus(400))
        self.stopped_and_resumed(["--from", "lm.rondo", "--after", "4e", "--batch", "4", "--layer-rate", "0.4",
                                  "--unfreeze", "1", "--pool", "concat"],
                                 ("train", "classify", "-i", "train.csv"))
        self.stopped_and_resumed(["--from", "lm.rondo", "--after", "4e", "--batch", "4", "--chunk", "10",
                                  "--layer-rate", "0.4", "--unfreeze", "1"])

    def test_another_text_or_option_is_refused(self):
        words = ["train", "lm", "-i", "text.txt", "-o", "m.rondo", *SMALL, "--after", "500e", "--patience", "0",
                 "--checkpoint-seconds", "0"]
        run = subprocess.Popen([COMMAND, *words], cwd=self.folder, stderr=subprocess.DEVNULL)
        while not os.path.exists(self.path("m.rondo.checkpoint")) and run.poll() is None:
            time.sleep(0.001)
        run.terminate()
        run.wait()
        self.assertIn("chunk 20", self.refuse(2, *words, "--chunk", "21", "--resume"))
        self.assertIn("carry", self.refuse(2, *words, "--carry", "never", "--resume"))
        self.write("text.txt", text(seed=3))
        self.assertIn("other texts", self.refuse(2, *words, "--resume"))


class Transfer(LanguageModelTest):
    def test_a_language_model_goes_on_with_a_grown_vocabulary(self):
        self.train_lm("lm.rondo", "--tokenizer", "words")
        self.write("more.txt", text(120, seed=2).replace("robot", "xyzzy plugh"))
        self.succeed("train", "lm", "-i", "more.txt", "-o", "more.rondo", "--from", "lm.rondo", "--batch", "4",
                     "--chunk", "20", "--after", "2e", "--layer-rate", "0.5")
        before, after = (json.loads(self.succeed("info", m, "--json")) for m in ["lm.rondo", "more.rondo"])
        self.assertEqual(after["vocabulary"], before["vocabulary"] + 2)
        self.assertEqual(after["config"]["hidden"], 16)
        self.assertLess(self.evaluate("more.rondo", data="more.txt")["loss"],
                        self.evaluate("lm.rondo", data="more.txt")["loss"])
        self.assertEqual(self.evaluate("more.rondo", data="more.txt")["unknown"], 0)

    def test_unit_vectors_keep_their_vocabulary(self):
        self.train_lm("lm.rondo", "--embedding", "0")
        self.write("more.txt", text(120, seed=2).replace("robot", "ROBOT"))
        self.succeed("train", "lm", "-i", "more.txt", "-o", "more.rondo", "--from", "lm.rondo", "--batch", "4",
                     "--chunk", "20", "--after", "1e")
        sizes = [json.loads(self.succeed("info", m, "--json"))["vocabulary"] for m in ["lm.rondo", "more.rondo"]]
        self.assertEqual(sizes[0], sizes[1])
        self.assertGreater(self.evaluate("more.rondo", data="more.txt")["unknown"], 0)

    def test_a_classifier_begins_from_each_kind_of_model(self):
        self.write("train.csv", corpus(200))
        self.write("new.csv", corpus(100, seed=9))
        for words in [["--tokenizer", "words"], ["--tokenizer", "words", "--bidirectional"],
                      ["--tokenizer", "words", "--tied", "--embedding", "16"],
                      ["--tokenizer", "words", "--adaptive", "10"], ["--tokenizer", "bytes"],
                      ["--tokenizer", "sentencepiece", "--subwords", "50"], []]:
            with self.subTest(words):
                self.train_lm("lm.rondo", *words, "--force")
                self.succeed("train", "classify", "-i", "train.csv", "-o", "c.rondo", "--from", "lm.rondo", "--after",
                             "12e", "--patience", "0", "--lr", "0.01", "--pool", "concat", "--layer-rate", "0.5", "--unfreeze", "1",
                             "--force")
                self.assertGreater(json.loads(self.succeed("evaluate", "c.rondo", "new.csv", "--json"))["accuracy"], 0.4)


if __name__ == "__main__":
    main()
