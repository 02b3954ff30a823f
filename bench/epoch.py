#!/usr/bin/env python3
"""An epoch as large as the lesson's: 120,000 texts, 95,812 words, embedding 64, hidden 32, batch 16, Adam.

    bench/epoch.py --rondo build/release/rondo [--threads 2] [--cell lstm gru] [--keep FOLDER]

Only 18,680 of AG News's 120,000 training texts are here, so the corpus is made: texts drawn again and again from those, and
rare words put in place of others until there are 95,812. Prints for each cell one line of JSON: seconds of the epoch, of reading and
tokenising before it and of the whole program, its peak memory beside the plan's, and where the time went.
The folder ag_news is looked for in $RONDO_DATA (default ../shared/data).
"""
import argparse, csv, json, os, pathlib, random, re, resource, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("RONDO_DATA", ROOT.parent / "shared" / "data")) / "ag_news"
TEXTS, WORDS, DEV = 120_000, 95_812, 500
RECIPE = ROOT / "recipes" / "lesson16" / "torch-lstm-packed.toml"


def known_words(rows):
    """Words as basic_english cuts them, near enough: the rare words only have to make up the difference."""
    return {word for _, text in rows for word in re.findall(r"[^\s.,()!?'\"]+|[.,()!?']", text.lower())}


def write_corpus(folder):
    with open(DATA / "train_raw_subset.csv", newline="", encoding="utf-8") as file:
        source = [(row[0], " ".join(row[1:]).replace("\n", " ")) for row in csv.reader(file)]
    rng = random.Random(16)
    rows = source + [rng.choice(source) for _ in range(TEXTS - len(source))]
    texts = [text.split() for _, text in rows]
    for i in range(max(0, WORDS - len(known_words(source)))):
        for _ in range(1 + (i % 2)):  # half of them once, half twice
            words = texts[rng.randrange(TEXTS)]
            words[rng.randrange(len(words))] = f"rare{i}word"
    order = list(range(TEXTS))
    rng.shuffle(order)
    with open(folder / "train.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows((rows[i][0], " ".join(texts[i])) for i in order)
    with open(folder / "dev.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(source[:DEV])


def train(rondo, folder, cell, threads):
    model, log = folder / f"{cell}.rondo", folder / f"{cell}.log"
    words = [rondo, "train", "classify", "-i", folder / "train.csv", "-d", folder / "dev.csv", "-o", model, "--force", "--cell", cell,
             "-t", threads, "--profile", "--config", RECIPE]
    with open(log, "w", encoding="utf-8") as out:
        begun = time.time()
        run = subprocess.Popen([str(word) for word in words], stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(run.pid, 0)
        seconds = time.time() - begun
    report = log.read_text(encoding="utf-8")
    if status != 0:
        sys.exit(report)
    rows = {name.strip(): float(value) for name, value in re.findall(r"^ +([a-z(][a-z ()]*?) +([0-9.]+) s +[0-9.]+ %", report, re.M)}
    return {"cell": cell, "threads": threads, "whole_seconds": round(seconds, 2), "parts": rows,
            "planned_mb": float(re.search(r"about (\d+) MB", report)[1]), "peak_mb": round(usage.ru_maxrss * 1.024e-3),
            "load": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rondo", default=ROOT / "build" / "release" / "rondo")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cell", nargs="+", default=["lstm", "gru"])
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the corpus, made where it is not there yet")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "train.csv").exists():
            write_corpus(folder)
        for cell in chosen.cell:
            print(json.dumps(train(chosen.rondo, folder, cell, chosen.threads)), flush=True)


if __name__ == "__main__":
    main()
