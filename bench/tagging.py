#!/usr/bin/env python3
"""How well taggers tag: Swedish parts of speech without outside vectors, and names in noisy text with GloVe.

    bench/tagging.py --rondo build/release/rondo [--seeds 3] [--only wnut17|ud] [--threads 1] [--out tagging.md]

Each row trains by its recipe (recipes/papers/ud-swedish-upos.toml, recipes/papers/wnut17.toml) with the seeds 1, 2, ...,
chooses the best state by the official dev file, and tells the figure of the official test file: accuracy of universal
parts of speech, or F1 of entities by conlleval's rules. The rows of wnut17 differ in the part that reads characters and in the
output layer alone. ud_swedish_lines, wnut17 and glove_6B_50d_subset are looked for in $RONDO_DATA (default ../shared/data).
Writes build/bench/tagging.json after every row and prints a table (--out: also to a file).
"""
import argparse, json, os, pathlib, platform, statistics, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("RONDO_DATA", ROOT.parent / "shared" / "data"))
RECIPES = ROOT / "recipes" / "papers"
WORK = ROOT / "build" / "bench"

UD = DATA / "ud_swedish_lines"
WNUT = DATA / "wnut17"
GLOVE = DATA / "glove_6B_50d_subset" / "glove.6B.50d.subset.txt"
TASKS = {
    "ud": {"name": "UD_Swedish-LinES, UPOS", "figure": "accuracy", "recipe": "ud-swedish-upos.toml", "options": [],
           "train": UD / "sv_lines-ud-train.conllu", "dev": UD / "sv_lines-ud-dev.conllu", "test": UD / "sv_lines-ud-test.conllu"},
    "wnut17": {"name": "WNUT-17, entities", "figure": "f1", "recipe": "wnut17.toml", "options": ["--vectors", GLOVE],
               "train": WNUT / "wnut17train.conll", "dev": WNUT / "emerging.dev.conll", "test": WNUT / "emerging.test.annotated"},
}
ROWS = [
    ("ud", "the recipe", []),
    ("ud", "no characters", ["--characters", "none", "--character-units", 0]),
    ("wnut17", "the recipe: characters by a convolution, CRF", []),
    ("wnut17", "characters by an LSTM, CRF", ["--characters", "lstm"]),
    ("wnut17", "no characters, CRF", ["--characters", "none"]),
    ("wnut17", "characters by a convolution, softmax", ["--output-layer", "softmax"]),
    ("wnut17", "no characters, softmax", ["--characters", "none", "--output-layer", "softmax"]),
]


def run(*command):
    begun = time.time()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout, time.time() - begun


def measure(rondo, task, options, seed, threads):
    """Figures on dev and test, and the seconds of the training."""
    model = WORK / "tagger.rondo"
    _, wall = run(rondo, "train", "tag", "--config", RECIPES / task["recipe"], "-i", task["train"], "-d", task["dev"], "-o", model,
                  "--force", "--seed", seed, "-t", threads, *task["options"], *options)
    found = {}
    for part in ("dev", "test"):
        out, _ = run(rondo, "evaluate", model, task[part], "--json", "-t", threads)
        found[part] = json.loads(out)[task["figure"]]
    return {**found, "seconds": wall}


def row_text(name, label, figure, runs):
    each = [run["test"] for run in runs]
    dev = statistics.mean(run["dev"] for run in runs)
    seconds = statistics.median(run["seconds"] for run in runs)
    return (f"| {name} | {label} | {figure} | {dev:.4f} | {statistics.mean(each):.4f} | "
            f"{', '.join(f'{value:.4f}' for value in each)} | {seconds:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rondo", default=ROOT / "build" / "release" / "rondo")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=sorted(TASKS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path)
    chosen = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    report = {"machine": platform.processor() or platform.machine(), "threads": chosen.threads, "commit": commit, "rows": []}
    lines = ["| corpus | tagger | figure | dev, mean | test, mean | test, each seed | seconds |", "|-|-|-|-|-|-|-|"]
    print("\n".join(lines), flush=True)
    for key, label, options in ROWS:
        if chosen.only and key != chosen.only:
            continue
        task = TASKS[key]
        runs = [measure(chosen.rondo, task, options, seed, chosen.threads) for seed in range(1, chosen.seeds + 1)]
        report["rows"].append({"task": key, "tagger": label, "runs": runs})
        (WORK / "tagging.json").write_text(json.dumps(report, indent=2) + "\n")
        lines.append(row_text(task["name"], label, task["figure"], runs))
        print(lines[-1], flush=True)
    if chosen.out:
        chosen.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
