"""Python's safetensors and Rondo read each other's files.

usage: python_test.py PROGRAM    PROGRAM is sample_model (python/sample_model.cc).
Runs itself again with RONDO_PYTHON if that is set. Exit status 77, reported as skipped, without the modules.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PYTHON = os.environ.get("RONDO_PYTHON")
if PYTHON and os.path.exists(PYTHON) and os.environ.get("RONDO_PYTHON_STARTED") != "1":
    os.execve(PYTHON, [PYTHON, *sys.argv], os.environ | {"RONDO_PYTHON_STARTED": "1"})

try:
    import numpy as np
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

PROGRAM = sys.argv.pop(1)
EXPECTED = {
    "lstm.weight_ih_l0": np.array([[0, 0.5], [1, 1.5], [2, 2.5]], np.float32),
    "linear.bias": np.array([0, 0.25], np.float32),
    "ids": np.array([[-1, 0], [1, 2]], np.int32),
    "double": np.array([0.1], np.float64),
    "tokenizer.model": np.array([0, 0x7F, 0xFF], np.uint8),
}


class PythonTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.model = Path(folder.name) / "model.rondo"
        self.copy = Path(folder.name) / "copy.rondo"
        subprocess.run([PROGRAM, "write", self.model], check=True)

    def metadata(self):
        with safe_open(self.model, "numpy") as file:
            return file.metadata()

    def test_tensors_have_their_names_shapes_types_and_values(self):
        tensors = load_file(self.model)
        self.assertEqual(set(tensors), set(EXPECTED))
        for name, wanted in EXPECTED.items():
            self.assertEqual(tensors[name].dtype, wanted.dtype, name)
            np.testing.assert_array_equal(tensors[name], wanted, name)

    def test_metadata_is_text_and_json(self):
        metadata = self.metadata()
        self.assertEqual(metadata["format"], "rondo")
        self.assertEqual(metadata["format_version"], "1")
        self.assertEqual(metadata["kind"], "classifier")
        self.assertEqual(json.loads(metadata["config"]), {"cell": "lstm", "hidden": 4})
        self.assertEqual(json.loads(metadata["labels"]), ["World", "Sci/Tech"])
        self.assertEqual(json.loads(metadata["vocabulary"]), ["<unk>", "été", 'a"b'])
        self.assertEqual(json.loads(metadata["metrics"]), {"accuracy": 0.9})

    def read(self):
        return subprocess.run([PROGRAM, "read", self.copy], capture_output=True, text=True)

    def test_rondo_reads_what_python_saved_in_another_order(self):
        save_file(dict(sorted(load_file(self.model).items())), self.copy, self.metadata())
        self.assertEqual(self.read().returncode, 0)

    def test_rondo_finds_what_python_changed(self):
        tensors = load_file(self.model)
        tensors["linear.bias"] = tensors["linear.bias"] + 1
        save_file(tensors, self.copy, self.metadata())
        self.assertEqual(self.read().returncode, 3)
        self.assertIn("altered", self.read().stderr)
        save_file(tensors, self.copy, {k: v for k, v in self.metadata().items() if k != "checksum"})
        self.assertEqual(self.read().returncode, 1)


if __name__ == "__main__":
    unittest.main()
