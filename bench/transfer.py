#!/usr/bin/env python3
"""What a language model without labels gives a classifier with few: AG News with 200, 1,000, 5,000 and all labels.

    bench/transfer.py --rondo build/release/rondo [--seeds 3] [--labels 200,1000,5000,all] [--lm FILE]

A language model learns from all texts of the subset's training files without their labels (recipes/papers/ag-news-lm.toml),
once. For each number of labels and each seed, so many examples are drawn, and the same examples go to classifiers from scratch (the
defaults, and the recipe's shape and schedule, with 30 epochs of 1,000 labels and fewer) and to one that begins from the language model
(recipes/papers/ag-news-transfer.toml). Draws begin with seed 2: the recipe was chosen on draw 1.
Accuracy is that of the official test file. data/ag_news is looked for in $RONDO_DATA (default ../shared/data).
Writes build/bench/transfer.json after every row and prints a table.
"""
import argparse, csv, json, os, pathlib, platform, random, statistics, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("RONDO_DATA", ROOT.parent / "shared" / "data")) / "ag_news"
RECIPES = ROOT / "recipes" / "papers"
WORK = ROOT / "build" / "bench"
UNLABELLED = [DATA / "train_normalised_extra.csv", DATA / "train_description_only_extra.csv"]


def run(*command):
    begun = time.time()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout, time.time() - begun


def draw(rows, labels, seed):
    """The same examples for every program: the first of a shuffle by the seed."""
    if labels == "all":
        return DATA / "train_raw_subset.csv"
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    path = WORK / f"ag-{labels}-{seed}.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows[i] for i in order[: int(labels)])
    return path


def classifier(rondo, examples, seed, *options):
    model = WORK / "transfer.rondo"
    _, wall = run(rondo, "train", "classify", "-i", examples, "-o", model, "--force", "--seed", seed, *options)
    out, _ = run(rondo, "evaluate", model, DATA / "test.csv", "--json")
    return json.loads(out)["accuracy"], wall


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rondo", default=ROOT / "build" / "release" / "rondo")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", default="200,1000,5000,all")
    parser.add_argument("--lm", help="a language model that is there already")
    chosen = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    rondo = chosen.rondo
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    report = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "commit": commit, "rows": []}
    language_model = chosen.lm
    if not language_model:
        language_model = WORK / "ag-news-lm.rondo"
        _, report["lm_seconds"] = run(rondo, "train", "lm", "--config", RECIPES / "ag-news-lm.toml", "-i", DATA / "train_raw_subset.csv",
                                      "--also", ",".join(map(str, UNLABELLED)), "-o", language_model, "--force")
    with open(DATA / "train_raw_subset.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    recipe = RECIPES / "ag-news-transfer.toml"
    scratch = WORK / "ag-news-scratch.toml"  # the rate of lower layers means nothing there
    scratch.write_text("".join(line for line in recipe.open(encoding="utf-8") if not line.startswith("layer-rate")))
    programs = {"from scratch, defaults": [], "from scratch, the recipe": ["--config", scratch],
                "from the language model": ["--config", recipe, "--from", language_model]}
    print("| labels | program | test accuracy, mean | each seed | seconds |\n|-|-|-|-|-|", flush=True)
    for labels in chosen.labels.split(","):
        for name, options in programs.items():
            if name == "from scratch, the recipe" and labels != "all" and int(labels) <= 1000:
                options = [*options, "--after", "30e"]
            found = [classifier(rondo, draw(rows, labels, seed), seed, *options) for seed in range(2, chosen.seeds + 2)]
            each = [accuracy for accuracy, _ in found]
            seconds = statistics.median(wall for _, wall in found)
            report["rows"].append({"labels": labels, "program": name, "each": each, "seconds": seconds})
            (WORK / "transfer.json").write_text(json.dumps(report, indent=2) + "\n")
            print(f"| {labels} | {name} | {statistics.mean(each):.4f} | {', '.join(f'{value:.4f}' for value in each)} | {seconds:.0f} |",
                  flush=True)


if __name__ == "__main__":
    main()
