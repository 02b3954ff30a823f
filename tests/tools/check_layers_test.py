#!/usr/bin/env python3
"""tools/check_layers.py on small trees: a good one passes, each kind of violation is found and named."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "tools/check_layers.py"
LAYERS = "rondo:\nbase: rondo\ntext: rondo base\napps/rondo: rondo base text\n"
TARGETS = "rondo_folder(base DEPENDS LIBRARIES fmt::fmt)\nrondo_folder(text DEPENDS base)\n"


class CheckLayers(unittest.TestCase):
    def check(self, files=None, layers=LAYERS, targets=TARGETS):
        tree = {"tools/layers.txt": layers, "src/CMakeLists.txt": targets, "include/rondo/errors.h": "",
                "src/base/files.h": '#include "rondo/errors.h"\n', "src/base/files.cc": '#include "base/files.h"\n',
                "src/text/words.cc": '#include <vector>\n#include "base/files.h"\n#include "local.h"\n',
                "apps/rondo/main.cc": '#include "text/words.h"\n', **(files or {})}
        with tempfile.TemporaryDirectory() as root:
            for name, text in tree.items():
                path = Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            done = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def expect_finding(self, *words, **tree):
        status, output = self.check(**tree)
        self.assertEqual(status, 1, output)
        for word in words:
            self.assertIn(word, output)

    def test_a_good_tree_passes(self):
        self.assertEqual(self.check()[0], 0, self.check()[1])

    def test_an_include_against_the_order_is_named(self):
        self.expect_finding("src/base/files.cc", "text/words.h",
                            files={"src/base/files.cc": '#include "text/words.h"\n'})

    def test_a_spaced_include_is_seen_too(self):
        self.expect_finding("src/base/files.cc", files={"src/base/files.cc": ' #  include "text/words.h"\n'})

    def test_public_headers_include_no_internal_one(self):
        self.expect_finding("include/rondo/errors.h", files={"include/rondo/errors.h": '#include "base/files.h"\n'})

    def test_a_folder_that_is_not_listed_is_named(self):
        self.expect_finding("src/extra/a.cc", "missing", files={"src/extra/a.cc": ""})

    def test_an_include_from_no_folder_is_named(self):
        self.expect_finding("other/a.h", files={"src/text/words.cc": '#include "other/a.h"\n'})

    def test_a_circle_is_found(self):
        self.expect_finding("circle", layers="rondo:\nbase: rondo text\ntext: rondo base\napps/rondo: rondo text\n",
                            targets="rondo_folder(base DEPENDS text)\nrondo_folder(text DEPENDS base)\n")

    def test_targets_must_repeat_the_edges(self):
        self.expect_finding("src/CMakeLists.txt", "text", targets="rondo_folder(base)\nrondo_folder(text)\n")

    def test_a_target_must_be_there(self):
        self.expect_finding("(no line)", targets="rondo_folder(base)\n")


if __name__ == "__main__":
    unittest.main()
