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

from chart import COLOURS, DASHES, Chart

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


STYLES = {name: (COLOURS[i], DASHES[i]) for i, name in enumerate(CELLS)}


def draw_first_weights(figures):
    chart = Chart("Gradient that reaches the state k steps before the end, for six untrained networks", 760, 420)
    panel = chart.panel(75, 40, 560, 320, x=(0, 100), y=(1e-30, 1e5), log=True, y_step=5,
                        title="At first weights: how much of the gradient is left after k steps",
                        x_title="steps back, k", y_title="‖∂L/∂s(T−k)‖ / ‖∂L/∂s(T)‖")
    shifts = {"GRU": -8, "LSTM, b = 0": 8, "LSTM, b = 2": 4, "LSTM, b = 4": -4}
    for name, curve in figures["first_weights"].items():
        colour, dash = STYLES[name]
        steps = list(range(len(curve["median"])))
        panel.band(steps, curve["lower"], curve["upper"], colour)
        panel.line(steps, curve["median"], colour, dash, label=name, shift=shifts.get(name, 0))
    return chart


def draw_adding(figures):
    chart = Chart("Adding problem: loss of tanh, LSTM and GRU networks over updates, three lengths", 890, 352)
    for i, length in enumerate(LENGTHS):
        panel = chart.panel(72 + i * 285, 62, 225, 225, x=(0, 4000), y=(1e-5, 10), log=True, y_step=1, x_step=1000,
                            title=f"{length} steps", x_title="updates", y_title="" if i else "squared error")
        panel.level(1 / 6, "" if i else "remembers nothing: 1/6", "end")
        for name, curve in figures["adding"][str(length)].items():
            for network in zip(*curve["losses"]):
                panel.line(curve["updates"], network, *STYLES[name], width=1.6)
    draw_legend(chart, 270, 22)
    return chart


def draw_legend(chart, x, y):
    for name in LEARNERS:
        colour, dash = STYLES[name]
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        chart.parts.append(f'<path d="M{x} {y - 4}h34" stroke="{colour}" stroke-width="2.2"{dashed}/>')
        chart.text(x + 40, y, name, colour=colour, bold=True)
        x += 75 + 9 * len(name)


def draw_before_and_after(figures):
    chart = Chart("Gradient over distance before and after learning to add over 100 steps, and half way over updates", 890, 352)
    runs = figures["adding"]["100"]
    for i, (when, title) in enumerate([("before", "before training"), ("after", "after 4,000 updates")]):
        panel = chart.panel(72 + i * 285, 62, 225, 225, x=(0, 100), y=(1e-25, 1e5), log=True, y_step=5, title=title,
                            x_title="steps back, k", y_title="" if i else "‖∂L/∂s(T−k)‖ / ‖∂L/∂s(T)‖")
        for name, run in runs.items():
            steps = list(range(len(run[when]["median"])))
            panel.band(steps, run[when]["lower"], run[when]["upper"], STYLES[name][0])
            panel.line(steps, run[when]["median"], *STYLES[name])
    panel = chart.panel(642, 62, 225, 225, x=(0, 4000), y=(1e-25, 1e5), log=True, y_step=5, x_step=1000,
                        title="at k = 50, while it learns", x_title="updates")
    for name, run in runs.items():
        panel.line(run["updates"], run["half_way"], *STYLES[name])
    draw_legend(chart, 270, 22)
    return chart


def draw_clipping(figures):
    chart = Chart("An exploding tanh network with and without clipping: loss, and length of the steps", 860, 340)
    titles = [("loss", "loss of the batch"), ("step", "length of the step / learning rate")]
    styles = {"0": (COLOURS[1], DASHES[1]), "1": (COLOURS[0], DASHES[0])}
    for i, (key, title) in enumerate(titles):
        panel = chart.panel(70 + i * 400, 40, 360, 235, x=(0, 60), y=(1e-2, 1e6), log=True, y_step=2, x_step=10,
                            title=title, x_title="updates")
        for threshold, style in styles.items():
            values = figures["clipping"][threshold][key]
            finite = values.index(None) if None in values else len(values)
            panel.line(list(range(1, finite + 1))[:20 if threshold == "0" else finite], values[:finite], *style)
        chart.text(panel.x(10), panel.y(2e4), "no clipping", colour=COLOURS[1], bold=True)
        chart.text(panel.x(30), panel.y(0.025 if i else 0.7), "clipped at 1", colour=COLOURS[0], bold=True)
        if key == "step":
            norms = figures["clipping"]["1"]["norm"]
            panel.line(list(range(1, len(norms) + 1)), norms, COLOURS[5], "2 2", width=1.4)
            chart.text(panel.x(20), panel.y(15), "the same gradient before it is clipped", colour=COLOURS[5])
    return chart


PICTURES = {"gradients-at-first-weights.svg": draw_first_weights, "adding-curves.svg": draw_adding,
            "gradients-before-and-after.svg": draw_before_and_after, "clipping.svg": draw_clipping}


def check(figures):
    """Names of pictures that are not those of the figures, or too large for a page."""
    wrong = []
    for name, draw in PICTURES.items():
        with open(os.path.join(HERE, name), encoding="utf-8") as file:
            there = file.read()
        if there != draw(figures).svg() or len(there) > 60000:
            wrong.append(name)
    return wrong


def main(words):
    if words[:1] == ["--measure"] and len(words) == 2:
        measure(words[1])
    elif words not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    with open(FIGURES) as file:
        figures = json.load(file)
    if words == ["--check"]:
        wrong = check(figures)
        for name in wrong:
            print(f"{name}: not what vanishing_gradients.py draws; run it without options", file=sys.stderr)
        return 1 if wrong else 0
    for name, draw in PICTURES.items():
        draw(figures).save(os.path.join(HERE, name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
