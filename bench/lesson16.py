#!/usr/bin/env python3
"""Runs every recipe of recipes/lesson16 on AG News and prints the table of docs/lesson16.md.

    bench/lesson16.py --rondo build/release/rondo [--seeds 3]

Trains on train_raw_subset.csv (18,680 of the lesson's 120,000 texts) for the recipe's one epoch, measures on the
official test file, which nothing is chosen on. The folder ag_news is looked for in $RONDO_DATA (default ../shared/data).
"""
import argparse, json, os, pathlib, re, statistics, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("RONDO_DATA", ROOT.parent / "shared" / "data")) / "ag_news"
WORK = ROOT / "build" / "bench"
LESSON = {"torch-rnn": "0.806 running training", "torch-lstm": "0.7728 running training",
          "torch-lstm-packed": "0.8138 running training", "keras-rnn-titles": "0.7995 validation",
          "keras-rnn": "0.8822 validation", "keras-lstm": "0.8870 validation",
          "keras-bilstm2": "0.8706 running training, 2/3 epoch"}


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rondo", default=ROOT / "build" / "release" / "rondo")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    print("| recipe | the lesson's figure (120,000 texts) | test accuracy here (18,680 texts) | each seed | seconds |\n|-|-|-|-|-|")
    for name, figure in LESSON.items():
        model, accuracies, seconds = WORK / f"{name}.rondo", [], []
        for seed in range(1, chosen.seeds + 1):
            begun = time.time()
            run(chosen.rondo, "train", "classify", "--config", ROOT / "recipes" / "lesson16" / f"{name}.toml",
                "-i", DATA / "train_raw_subset.csv", "-d", DATA / "test.csv", "-o", model, "--force", "--seed", seed)
            seconds.append(time.time() - begun)
            accuracies.append(json.loads(run(chosen.rondo, "evaluate", model, DATA / "test.csv", "--json"))["accuracy"])
        each = ", ".join(f"{value:.4f}" for value in accuracies)
        print(f"| {name} | {figure} | {statistics.mean(accuracies):.4f} | {each} | {statistics.median(seconds):.1f} |", flush=True)


if __name__ == "__main__":
    main()
