#!/usr/bin/env python3
"""What attention and the beam give: Multi30k English to German, test_2016_flickr, greedy and beam 5, with attention and without.

    bench/translation_table.py --rondo build/release/rondo [--threads 2] [--recipe RECIPE] [--seeds 1] [--reuse] [-- OPTIONS]

Trains by the recipe, and once more with --attention none and all else the same, each with the seeds 1, 2, ...; measures on the test file by
`rondo evaluate`, whose figures and signatures are sacrebleu's. OPTIONS go to both trainings: `-- --after 1e` is a trial of the bench itself. --reuse takes
the models of the last run. multi30k is looked for in $RONDO_DATA (default ../shared/data). Writes build/bench/translation-table.json after every
row and prints a table. Trainings take as long as the recipe says; run it on an idle machine.
"""
import argparse
import itertools
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("RONDO_DATA", ROOT.parent / "shared" / "data")) / "multi30k"
WORK = ROOT / "build" / "bench"
MODELS = {"attention": [], "no attention": ["--attention", "none"]}
SEARCHES = {"greedy": ["--beam", "1"], "beam 5": ["--beam", "5"]}


def run(*command):
    begun = time.time()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout, time.time() - begun


def train(chosen, name, words, seed):
    """The model's file, and the minutes of its training: None if it stood there."""
    model = WORK / f"multi30k-{name.replace(' ', '-')}-{seed}.rondo"
    if chosen.reuse and model.exists():
        return model, None
    sides = [f"--{part}{side}={DATA / file}.{language}" for part, file in (("", "train"), ("dev-", "val"))
             for side, language in (("source", "en"), ("target", "de"))]
    _, seconds = run(chosen.rondo, "train", "translate", "--config", chosen.recipe, *sides, "-o", model, "--force",
                     "-t", chosen.threads, "--seed", seed, *words, *chosen.options)
    return model, seconds / 60


def evaluate(chosen, model, words):
    out, seconds = run(chosen.rondo, "evaluate", model, f"--source={DATA / 'test_2016_flickr.en'}",
                       f"--target={DATA / 'test_2016_flickr.de'}", "--json", "-t", chosen.threads, *words)
    return json.loads(out), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rondo", default=ROOT / "build" / "release" / "rondo")
    parser.add_argument("--recipe", default=ROOT / "recipes" / "papers" / "multi30k.toml")
    parser.add_argument("--threads", default=os.cpu_count(), type=int)
    parser.add_argument("--seeds", default=1, type=int)
    parser.add_argument("--reuse", action="store_true")
    parser.add_argument("options", nargs="*", help="for both trainings, behind --")
    chosen = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    report = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "commit": commit,
              "threads": chosen.threads, "options": chosen.options, "rows": []}
    print("| model | search | seed | BLEU | chrF2 | TER | training | evaluation |\n|-|-|-|-|-|-|-|-|", flush=True)
    for (name, words), seed in itertools.product(MODELS.items(), range(1, chosen.seeds + 1)):
        model, minutes = train(chosen, name, words, seed)
        for search, options in SEARCHES.items():
            figures, seconds = evaluate(chosen, model, options)
            report["rows"].append({"model": name, "search": search, "seed": seed, "figures": figures, "minutes": minutes,
                                   "seconds": seconds})
            (WORK / "translation-table.json").write_text(json.dumps(report, indent=2) + "\n")
            scores = " | ".join(f"{figures[key]['score']:.2f}" for key in ("bleu", "chrf", "ter"))
            taken = "" if minutes is None else f"{minutes:.1f} min"
            print(f"| {name} | {search} | {seed} | {scores} | {taken} | {seconds:.1f} s |", flush=True)
    signatures = report["rows"][0]["figures"]
    print("\n" + "\n".join(f"{signatures[key]['name']}|{signatures[key]['signature']}" for key in ("bleu", "chrf", "ter")))


if __name__ == "__main__":
    main()
