"""bench/run, in the interpreter that has numpy: builds the peers, measures the selected rows, writes the report."""
import json
import os
import pathlib
import sys
import tempfile

import environment
import machine
import measure
import selection
import tables
from workers import PeerFailed, Workers

PEAKS = ("f32", "bf16", "int8")


def versions(workers):
    found = {}
    for name in workers.programs:
        try:
            found.update(workers.get(name, "", 1).ask(120, do="versions")["versions"])
        except PeerFailed as failure:
            environment.note(f"{name}: {failure}")
    return found


def peaks(workers):
    """GF/s of one thread; 0 where nothing measures it."""
    worker = workers.get("rondo", "", 1)
    return {precision: worker.ask(60, do="peak", precision=precision)["peak"] for precision in PEAKS}


def add_shares(row, peak):
    case = row["case"]
    peak = peak.get(case["precision"], 0) * case["threads"]
    for entry in row["peers"].values():
        if "gflops" in entry and peak > 0:
            entry["share"] = entry["gflops"] / peak


def line(row):
    """One line a row on standard error, as it comes."""
    figures = ", ".join(f"{label} {entry['us_a_step']:.4g}" + ("" if entry.get("agrees", True) else " WRONG")
                        for label, entry in row["peers"].items() if "us_a_step" in entry)
    ratio = f"{row['ratio']:.2f}x {row['best_peer']}" if row["ratio"] else "-"
    load = (f"others' load {row['load_before']:.2f} before, {row['load_during']:.2f} meanwhile, average of all "
            f"{row['load_average']:.2f}" + ("" if row["quiet"] else " BUSY"))
    return f"{row['name']}: {ratio}; us a step: {figures}; {load}"


def quiet_rows(chosen, commit):
    """What --again keeps of the output file."""
    report = json.loads(pathlib.Path(chosen.output).read_text(encoding="utf-8"))
    if report["commit"] != commit:
        sys.exit(f"bench: {chosen.output} is of commit {report['commit'][:10]}: rows of one commit only")
    return {row["name"]: row for row in report["rows"] if row["quiet"]}


def write(report, rows, kept, path):
    """What there is so far, and of an earlier run what is still to come: nothing is lost when this one is stopped."""
    done = {row["name"] for row in report["rows"]}
    later = [kept[case.name] for case in rows if case.name in kept and case.name not in done]
    text = json.dumps({**report, "rows": report["rows"] + later}, indent=1) + "\n"
    pathlib.Path(path).write_text(text, encoding="utf-8")


def run(chosen, workers, folder):
    report = machine.describe(os.environ.get("CXX", "c++"))
    report["versions"] = versions(workers)
    report["rounds"], report["rows"] = chosen.rounds, []
    report["peak"] = peaks(workers)
    kept = quiet_rows(chosen, report["commit"]) if chosen.again else {}
    environment.note(f"{report['machine']}; one thread at most {report['peak']} GF/s; load {report['load'][0]:.2f}")
    files = measure.Files(folder, workers)
    rows = selection.select(chosen)
    for number, case in enumerate(rows, 1):
        if case.name in kept:
            report["rows"].append(kept[case.name])
            continue
        row = measure.Row(case, workers, files, chosen).measure()
        add_shares(row, report["peak"])
        report["rows"].append(row)
        environment.note(f"{number}/{len(rows)} {line(row)}")
        if row["unchecked"]:
            environment.note(f"    results not compared: {row['unchecked']}")
        for label, entry in row["peers"].items():
            if "why" in entry:
                environment.note(f"    {label}: {entry['why']}")
        write(report, rows, kept, chosen.output)
    return report


def main():
    chosen = environment.parse(__doc__)
    pathlib.Path(chosen.output).parent.mkdir(parents=True, exist_ok=True)
    workers = Workers(environment.programs(chosen))
    try:
        with tempfile.TemporaryDirectory(prefix="rondo-bench-") as folder:
            report = run(chosen, workers, folder)
    finally:
        workers.stop()
    wrong = [row["name"] for row in report["rows"] if any(label.startswith("rondo") for label in row["disagree"])]
    missing = [row["name"] for row in report["rows"] if "seconds" not in row["peers"].get("rondo", {"seconds": 0})]
    if chosen.docs:
        tables.write_documentation(chosen.output)
    if wrong or missing:
        sys.exit(f"bench: Rondo's results differ from float64 in {', '.join(wrong) or 'no row'}; "
                 f"it gave none in {', '.join(missing) or 'no row'}")


if __name__ == "__main__":
    main()
