"""What the recipes share that are programs: they run a program, watch its figures, and print the paper's beside them."""
import argparse
import math
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILDS = ("release", "dev")
POINT = re.compile(r"update +(\d+) +loss ([\d.]+) +right +([\d.]+) %")
DEV_LOSS = re.compile(r"epoch (\d+) +loss .*dev loss ([\d.]+)")
EPOCH = re.compile(r"epoch +(\d+) +loss ([\d.]+) +test error +([\d.]+) %")


def parser(documentation):
    arguments = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--paper", action="store_true", help="the paper's own setting (long)")
    arguments.add_argument("--build", help="folder of the build (default build/release, else build/dev)")
    arguments.add_argument("--threads", type=int, default=0, help="0: one a processor")
    arguments.add_argument("--seed", type=int, default=1)
    return arguments


def build_folder(chosen):
    folders = [pathlib.Path(chosen.build)] if chosen.build else [ROOT / "build" / name for name in BUILDS]
    for folder in folders:
        if (folder / "examples" / "rondo-diagnostics").exists():
            return folder
    sys.exit(f"no examples/rondo-diagnostics in {' or '.join(map(str, folders))}; build it, or name its folder by --build")


def data_folder(name):
    folder = pathlib.Path(os.environ.get("RONDO_DATA", ROOT.parent / "shared" / "data")) / name
    if not folder.exists():
        sys.exit(f"{folder} is missing: let RONDO_DATA name the folder that holds {name}")
    return folder


def words_of(options):
    return [word for name, value in options.items() for word in ("--" + name.replace("_", "-"), str(value))]


def watch(command, pattern, meaning):
    """Runs a program whose lines match; what it prints goes to standard error. @return  all matches, seconds."""
    print("+", *command, file=sys.stderr, flush=True)
    points, begun = [], time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            print(" ", line.rstrip(), file=sys.stderr, flush=True)
            if found := pattern.search(line):
                points.append(tuple(meaning(text) for text in found.groups()))
    if process.returncode != 0 or not points:
        sys.exit(f"{command[0]} ended with status {process.returncode} and {len(points)} figures")
    return points, time.monotonic() - begun


def diagnostic(chosen, problem, **options):
    """A run of rondo-diagnostics. @return  (samples, share right in percent) of each point, seconds."""
    options = {"threads": chosen.threads, "seed": chosen.seed, **options}
    command = [str(build_folder(chosen) / "examples" / "rondo-diagnostics"), problem, *words_of(options)]
    points, seconds = watch(command, POINT, float)
    return [(int(update) * options["batch"], right) for update, _, right in points], seconds


def language_model(chosen, text, model, options, flags=()):
    """A run of rondo train lm. @return  bits a token of the best evaluation, seconds."""
    options = {"seed": chosen.seed, **options}
    command = [str(build_folder(chosen) / "rondo"), "train", "lm", "-i", str(text), "-o", str(model), *["--" + flag for flag in flags],
               *words_of(options)]
    points, seconds = watch(command + (["-t", str(chosen.threads)] if chosen.threads else []), DEV_LOSS, float)
    return min(loss for _, loss in points) / math.log(2), seconds


def reached(points, share):
    """The samples after which `share` percent were right, or None."""
    return next((samples for samples, right in points if right >= share), None)


def table(title, rows, columns=("what", "here", "the paper")):
    print(f"{title}\n\n| {' | '.join(columns)} |\n|{'-|' * len(columns)}")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def minutes(seconds):
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
