#!/usr/bin/env python3
"""bench/compare on small reports: what is slower is found, named and fails; what cannot be compared is refused."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "bench/compare"


def report(machine="one", quiet=True, **seconds):
    rows = [{"name": name, "quiet": quiet, "peers": {"rondo": {"seconds": value} if value else {"why": "no"}}}
            for name, value in seconds.items()]
    return {"machine": machine, "rows": rows}


class Compare(unittest.TestCase):
    def compare(self, old, new, *options):
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, name) for name in ("old.json", "new.json")]
            for path, content in zip(paths, (old, new)):
                path.write_text(content if isinstance(content, str) else json.dumps(content))
            done = subprocess.run([sys.executable, SCRIPT, *paths, *options], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_equal_runs_pass(self):
        status, output = self.compare(report(a=1.0, b=2.0), report(a=1.0, b=2.0))
        self.assertEqual(status, 0, output)
        self.assertIn("2 rows, 0 above 1.10x", output)

    def test_a_row_above_the_limit_fails_and_is_named_first(self):
        status, output = self.compare(report(a=1.0, b=1.0), report(a=1.05, b=1.2))
        self.assertEqual(status, 1)
        self.assertRegex(output.split("\n")[0], r"1\.20x +b .*SLOWER")
        self.assertNotRegex(output, r"x  a  .*SLOWER")

    def test_the_limit_can_be_moved(self):
        self.assertEqual(self.compare(report(a=1.0), report(a=1.2), "--limit", "1.3")[0], 0)
        self.assertEqual(self.compare(report(a=1.0), report(a=1.05), "--limit", "1.01")[0], 1)

    def test_rows_of_one_file_alone_do_not_count(self):
        self.assertEqual(self.compare(report(a=1.0, gone=1.0), report(a=1.0, fresh=9.0))[0], 0)

    def test_a_row_that_has_no_time_any_more_fails(self):
        status, output = self.compare(report(a=1.0, b=1.0), report(a=1.0, b=None))
        self.assertEqual(status, 1)
        self.assertIn("lost   b", output)

    def test_other_work_is_marked(self):
        self.assertIn("busy", self.compare(report(a=1.0), report(quiet=False, a=1.0))[1])

    def test_another_machine_is_refused(self):
        status, output = self.compare(report(a=1.0), report(machine="two", a=1.0))
        self.assertEqual(status, 2)
        self.assertIn("machine", output)

    def test_nothing_in_common_is_refused(self):
        self.assertEqual(self.compare(report(a=1.0), report(b=1.0))[0], 2)

    def test_what_is_no_report_is_refused(self):
        for text in ("", "{", "[]", "3", '{"rows": [1]}'):
            status, output = self.compare(report(a=1.0), text)
            self.assertEqual(status, 2, text)
            self.assertIn("new.json", output)


if __name__ == "__main__":
    unittest.main()
