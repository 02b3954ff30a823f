"""The tables of docs/benchmarks.md from a run's JSON file: what stands between the markers is generated."""
import json
import pathlib
import re

import cases

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
MARK = "<!-- {} of bench/run -->"
COLUMNS = ("onednn", "torch", "onnxruntime")
TITLES = {"grid": "One layer, one thread, T = 128, I = H", "batch": "Other batches, H = 256",
          "stream": "Streams: one call a step, B = 1, the state carried by the caller",
          "shape": "Two layers, two directions; H = 256, B = 32",
          "ragged": "Ragged lengths: 10 to 128, H = 256, B = 32", "int8": "int8 inference",
          "threads": "Two threads, H = 256", "lesson": "The lesson's training step"}


def number(value):
    """Three digits, no exponent."""
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}" if value >= 0.1 else f"{value:.2f}"


def time_cell(entry):
    if entry is None:
        return ""
    if "us_a_step" not in entry:
        return "–"
    return number(entry["us_a_step"]) if entry.get("agrees", True) else f"({number(entry['us_a_step'])})"


def median_and_minimum(row, label="rondo"):
    entry = row["peers"].get(label, {})
    if "us_a_step" not in entry:
        return "–"
    return f"{time_cell(entry)} / {number(entry['us_a_step'] * entry['minimum'] / entry['seconds'])}"


def rate(row):
    entry = row["peers"].get("rondo", {})
    if "gflops" not in entry:
        return ["", ""]
    return [number(entry["gflops"]), f"{entry['share'] * 100:.0f} %" if "share" in entry else ""]


def ratio_cell(row):
    if not row["ratio"]:
        return "–"
    text = f"{row['ratio']:.2f}x {row['best_peer']}"
    return text if row["ratio"] >= 1 else f"**{text}**"


def beside_f32(row, everything):
    """Of a narrow precision: against the best peer in f32 on the same layer."""
    case = row["case"]
    if case["precision"] == "f32" or "seconds" not in row["peers"].get("rondo", {}):
        return ""
    name = re.sub("^[^/]*/", "grid/", row["name"]).replace(f"-{case['precision']}", "-f32")
    wide = everything.get(name)
    if not wide or not wide["best_peer"]:
        return ""
    return f"{wide['peers'][wide['best_peer']]['seconds'] / row['peers']['rondo']['seconds']:.2f}x"


def marked(row, text):
    return text + ("" if row["quiet"] else " †")


def table(header, rows):
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "-|" * len(header),
                      *("| " + " | ".join(row) + " |" for row in rows)])


def shape_of(row):
    case = row["case"]
    words = [case["cell"], f"H={case['hidden']}", f"B={case['batch']}", case["mode"], case["precision"]]
    words += [f"{case['layers']} layers"] * (case["layers"] > 1) + ["bidirectional"] * (case["directions"] > 1)
    words += ["busy neighbour"] * case["busy"]
    return marked(row, " ".join(words))


def plain_table(rows, everything):
    header = ["row", "Rondo median / minimum", "oneDNN", "torch", "ONNX Runtime", "GF/s", "of the peak", "against the best",
              "against the best in f32"]
    return table(header, [[shape_of(row), median_and_minimum(row), *(time_cell(row["peers"].get(peer)) for peer in COLUMNS),
                           *rate(row), ratio_cell(row), beside_f32(row, everything)] for row in rows])


def stream_table(rows):
    header = ["row", "Rondo median / minimum", "oneDNN", "torch", "ONNX Runtime", "RTNeural, published", "against the best"]

    def published(row):
        found = cases.PUBLISHED_STREAM_US.get((row["case"]["cell"], row["case"]["hidden"]))
        return number(found) if found else ""
    return table(header, [[shape_of(row), median_and_minimum(row), *(time_cell(row["peers"].get(peer)) for peer in COLUMNS),
                           published(row), ratio_cell(row)] for row in rows])


def ragged_table(rows, everything):
    header = ["row", "Rondo", "Rondo padded", "torch packed", "torch padded", "oneDNN padded", "ONNX Runtime padded",
              "against the best", "a token, against equal lengths"]
    labels = ("rondo", "rondo padded", "torch packed", "torch padded", "onednn padded", "onnxruntime padded")
    lines = []
    for row in rows:
        case = row["case"]
        even = everything.get(f"grid/{case['cell']}-h{case['hidden']}-b{case['batch']}-{case['mode']}-{case['precision']}")
        cost = ""
        if even and "seconds" in even["peers"]["rondo"] and "seconds" in row["peers"]["rondo"]:
            tokens = [each["peers"]["rondo"]["seconds"] / each["case"]["tokens"] for each in (row, even)]
            cost = f"{tokens[0] / tokens[1]:.2f}x"
        lines.append([shape_of(row), *(time_cell(row["peers"].get(label)) for label in labels), ratio_cell(row), cost])
    return table(header, lines)


def threads_table(rows, everything):
    header = ["row", "Rondo", "oneDNN", "torch", "ONNX Runtime", "against the best", "Rondo against its one thread"]
    lines = []
    for row in rows:
        alone = everything.get(re.sub("^threads/(.*?)-threads2.*", r"grid/\1", row["name"]))
        gain = ""
        if alone and "seconds" in alone["peers"]["rondo"] and "seconds" in row["peers"]["rondo"]:
            gain = f"{alone['peers']['rondo']['seconds'] / row['peers']['rondo']['seconds']:.2f}x as fast"
        lines.append([shape_of(row), median_and_minimum(row), *(time_cell(row["peers"].get(peer)) for peer in COLUMNS),
                      ratio_cell(row), gain])
    return table(header, lines)


def lesson_table(rows):
    steps = [row for row in rows if row["case"]["variant"] != "epoch"]
    epochs = {row["case"]["cell"]: row for row in rows if row["case"]["variant"] == "epoch"}
    header = ["row", "Rondo", "torch packed", "torch padded", "against packed", "against padded", "Rondo, an epoch",
              "torch packed, 7,500 such steps"]
    lines = []
    for row in steps:
        seconds = {label: entry.get("seconds") for label, entry in row["peers"].items()}
        ratios = [f"{seconds[label] / seconds['rondo']:.0f}x" if seconds.get(label) and seconds.get("rondo") else "–"
                  for label in ("torch packed", "torch padded")]
        epoch = epochs.get(row["case"]["cell"], {"peers": {}})["peers"].get("rondo", {}).get("seconds")
        lines.append([marked(row, row["case"]["cell"]), *(time_cell(row["peers"].get(label))
                                                          for label in ("rondo", "torch packed", "torch padded")),
                      *ratios, f"{epoch:.1f} s" if epoch else "",
                      f"{7500 * seconds['torch packed']:.0f} s" if seconds.get("torch packed") else ""])
    return table(header, lines)


def section(group, rows, everything):
    special = {"stream": lambda: stream_table(rows), "ragged": lambda: ragged_table(rows, everything),
               "threads": lambda: threads_table(rows, everything), "lesson": lambda: lesson_table(rows)}
    return f"### {TITLES[group]}\n\n{special.get(group, lambda: plain_table(rows, everything))()}\n"


def facts(report):
    peak = ", ".join(f"{name} {value:.0f}" for name, value in report["peak"].items() if value)
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items())
    won = [row for row in report["rows"] if row["ratio"] and row["ratio"] >= 1]
    compared = [row for row in report["rows"] if row["ratio"]]
    loud = [row for row in report["rows"] if not row["quiet"]]
    return (f"{report['machine']}, {report['processors']} processors, {report['system']}; "
            f"{' '.join(report['flags'])}. Commit {report['commit'][:10]}"
            f"{' with changes that are not committed' if report['dirty'] else ''}, {report['compiler']}, {report['date']}. "
            f"{versions}. Measured peak of one thread, GF/s: {peak}. Median of {report['rounds']} rounds. "
            f"Rondo is at least as fast as the best peer in {len(won)} of {len(compared)} rows; "
            f"{len(loud)} of {len(report['rows'])} rows were measured beside other work (†).")


def make(report):
    everything = {row["name"]: row for row in report["rows"]}
    parts = [facts(report) + "\n"]
    for group in TITLES:
        rows = [row for row in report["rows"] if row["group"] == group]
        if rows:
            parts.append(section(group, rows, everything))
    return "\n".join(parts)


def write_documentation(path):
    report = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    begin, end = MARK.format("begin"), MARK.format("end")
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    DOCUMENT.write_text(f"{before}{begin}\n{make(report)}{end}{after}", encoding="utf-8")
    return 0
