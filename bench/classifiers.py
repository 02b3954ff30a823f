#!/usr/bin/env python3
"""Whole classifiers side by side: rondo train classify, Debian's fastText, multinomial naive Bayes.

    bench/classifiers.py --rondo build/release/rondo [--seeds 3] [--corpora ag_news,debian-sections] [-- OPTIONS]

Needs: apt-get install fasttext. data/ag_news is looked for in $RONDO_DATA (default ../shared/data).
All programs read the same texts, one after another in the same run. fastText gets them lower-cased with punctuation
set apart, as its authors' script does. Accuracy is that of the test file, which nothing was chosen on: early
stopping looks at a held-out part of the training file (ag_news) or the dev file (debian-sections).
Writes build/bench/classifiers.json and prints a table.
"""
import argparse, collections, csv, json, math, os, pathlib, platform, re, statistics, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("RONDO_DATA", ROOT.parent / "shared" / "data"))
WORK = ROOT / "build" / "bench"


def run(*command, **options):
    begun = time.time()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout, time.time() - begun


def tokens(text):
    return re.findall(r"\w+|[^\w\s]", text.lower())


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [(row[0], " ".join(row[1:])) for row in csv.reader(file)]


def read_tsv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [tuple(row) for row in list(csv.reader(file, delimiter="\t"))[1:]]


def ag_news(_):
    folder = DATA / "ag_news"
    train, test = folder / "train_raw_subset.csv", folder / "test.csv"
    return ["-i", train], test, read_csv(train), read_csv(test)


def debian_sections(rondo):
    run(rondo, "data", "debian-sections", "-o", WORK / "sections.tsv", "--split", "90/5/5")
    train, dev, test = (WORK / f"sections-{part}.tsv" for part in ("train", "dev", "test"))
    return ["-i", train, "-d", dev], test, read_tsv(train), read_tsv(test)


CORPORA = {"ag_news": ag_news, "debian-sections": debian_sections}


def rondo_rows(rondo, files, test, seeds, options):
    model, figures, seconds = WORK / "bench.rondo", [], []
    for seed in range(1, seeds + 1):
        _, wall = run(rondo, "train", "classify", *files, "-o", model, "--force", "--seed", seed, *options)
        out, _ = run(rondo, "evaluate", model, test, "--json")
        figures.append(json.loads(out)["accuracy"])
        seconds.append(wall)
    return {"program": f"rondo train classify {' '.join(options)}".strip(), "accuracy": statistics.mean(figures),
            "each": figures, "seconds": statistics.median(seconds)}


def fasttext_rows(train, test):
    for name, rows in (("train", train), ("test", test)):
        with open(WORK / f"fasttext.{name}", "w", encoding="utf-8") as file:
            for label, text in rows:
                file.write(f"__label__{label.replace(' ', '_')} {' '.join(tokens(text))}\n")
    for epochs in (5, 25):
        for ngrams in (1, 2):
            settings = ["-epoch", epochs, "-wordNgrams", ngrams, "-thread", os.cpu_count()]
            _, wall = run("fasttext", "supervised", "-input", WORK / "fasttext.train", "-output", WORK / "fasttext.model",
                          *settings)
            out, _ = run("fasttext", "test", WORK / "fasttext.model.bin", WORK / "fasttext.test")
            precision = float(re.search(r"P@1\s+([\d.]+)", out).group(1))
            default = " (its defaults)" if (epochs, ngrams) == (5, 1) else ""
            yield {"program": f"fastText epoch {epochs}, wordNgrams {ngrams}{default}", "accuracy": precision,
                   "seconds": wall}


def naive_bayes(train, test):
    begun = time.time()
    counts, labels, words = collections.defaultdict(collections.Counter), collections.Counter(), set()
    for label, text in train:
        labels[label] += 1
        counts[label].update(tokens(text))
    for counter in counts.values():
        words.update(counter)
    total = {label: sum(counter.values()) + len(words) for label, counter in counts.items()}

    def score(label, found):
        return math.log(labels[label]) + sum(math.log((counts[label][word] + 1) / total[label]) for word in found)

    right = 0
    for label, text in test:
        found = [word for word in tokens(text) if word in words]
        right += label == max(labels, key=lambda candidate: score(candidate, found))
    return {"program": "naive Bayes (multinomial, add one)", "accuracy": right / len(test), "seconds": time.time() - begun}


def main():
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, options = arguments[:at], arguments[at + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rondo", default=ROOT / "build" / "release" / "rondo")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--corpora", default=",".join(CORPORA))
    chosen = parser.parse_args(arguments)
    WORK.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    report = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "commit": commit,
              "load": os.getloadavg()[0], "corpora": {}}
    for name in chosen.corpora.split(","):
        files, test_file, train, test = CORPORA[name](chosen.rondo)
        rows = [rondo_rows(chosen.rondo, files, test_file, chosen.seeds, options), *fasttext_rows(train, test),
                naive_bayes(train, test)]
        report["corpora"][name] = rows
        print(f"\n{name}: {len(train)} texts to learn from, {len(test)} to test; {chosen.seeds} seeds of rondo\n")
        print("| program | test accuracy | seconds |\n|-|-|-|")
        for row in sorted(rows, key=lambda each: -each["accuracy"]):
            each = f" ({', '.join(f'{value:.4f}' for value in row['each'])})" if "each" in row else ""
            print(f"| {row['program']} | {row['accuracy']:.4f}{each} | {row['seconds']:.1f} |")
    (WORK / "classifiers.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
