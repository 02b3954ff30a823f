#!/usr/bin/env python3
"""Measures and draws the pictures of docs/vanishing-gradients.md.

  docs/pictures/vanishing_gradients.py                  draws them from vanishing_gradients.json
  docs/pictures/vanishing_gradients.py --check          fails where a picture is not what would be drawn
  docs/pictures/vanishing_gradients.py --measure build/release/examples/rondo-diagnostics
                                                        runs the commands (8 CPU minutes), writes the JSON, draws
"""

import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FIGURES = os.path.join(HERE, "vanishing_gradients.json")

CELLS = {"tanh": "--cell rnn", "GRU": "--cell gru", "LSTM, b = 0": "--forget-bias 0", "LSTM, b = 1": "--forget-bias 1",
         "LSTM, b = 2": "--forget-bias 2", "LSTM, b = 4": "--forget-bias 4"}
LEARNERS = {"tanh": "--cell rnn --lr 1e-3", "LSTM, b = 1": "--cell lstm", "GRU": "--cell gru"}
LENGTHS = [20, 50, 100]
CLIPPING = "clipping --cell rnn --recurrent orthogonal --recurrent-scale 1.5 --lr 0.05 --updates 60 --clip "


def run(program, arguments):
    """The records that a command prints, and what to keep of how it ran."""
    begun = time.time()
    words = [program] + arguments.split() + ["--format", "jsonl", "--threads", "1"]
    lines = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    kept = {"command": "rondo-diagnostics " + arguments, "seconds": round(time.time() - begun)}
    return kept, [json.loads(line) for line in lines]


def quartiles(record):
    return {key: record[key] for key in ("lower", "median", "upper")}


def measure_first_weights(program, options):
    kept, records = run(program, "gradients " + options)
    return kept | quartiles(records[0])


def measure_learning(program, length, options):
    arguments = f"gradients --problem adding --length {length} {options} --networks 3 --evaluate-every 250"
    kept, records = run(program, arguments)
    kept["updates"] = [record["update"] for record in records]
    kept["losses"] = [record["losses"] for record in records]
    kept["half_way"] = [record["median"][length // 2] for record in records]
    return kept | {"before": quartiles(records[0]), "after": quartiles(records[-1])}


def measure_clipping(program, threshold):
    kept, records = run(program, CLIPPING + str(threshold))
    return kept | {key: [record[key] for record in records] for key in ("loss", "norm", "step", "half_way")}


def measure(program):
    figures = {"first_weights": {name: measure_first_weights(program, o) for name, o in CELLS.items()},
               "clipping": {str(threshold): measure_clipping(program, threshold) for threshold in (0, 1)},
               "adding": {str(t): {name: measure_learning(program, t, o) for name, o in LEARNERS.items()}
                          for t in LENGTHS}}
    with open(FIGURES, "w") as file:
        json.dump(figures, file, separators=(",", ":"))
        file.write("\n")


def main(words):
    if words[:1] == ["--measure"] and len(words) == 2:
        measure(words[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
