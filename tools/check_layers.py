#!/usr/bin/env python3
"""Holds the folders of src/ and apps/ to tools/layers.txt: no include against it, no circle in it, and the
same edges in src/CMakeLists.txt.  usage: check_layers.py [root]   Exit status 0, or 1 with a line a finding."""
import re
import sys
from pathlib import Path

PUBLIC = "rondo"  # include/rondo, the public headers


def read_layers(root):
    layers = {}
    for line in (root / "tools/layers.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            folder, _, allowed = line.partition(":")
            layers[folder.strip()] = allowed.split()
    return layers


def check_order(layers):
    """A folder may name only folders above it: so a circle cannot be written down."""
    above = set()
    for folder, allowed in layers.items():
        for other in allowed:
            if other not in above:
                yield f"tools/layers.txt: {folder} names {other}, which does not stand above it (a circle?)"
        above.add(folder)


def folder_of(include, layers):
    """The layer that a quoted include belongs to: the longest folder that is listed."""
    parts = include.split("/")[:-1]
    names = ("/".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((name for name in names if name in layers), None)


def check_includes(root, layers):
    sources = sorted(p for top in ("include", "src", "apps") for p in (root / top).rglob("*")
                     if p.suffix in (".h", ".cc", ".cu"))
    for path in sources:
        where = path.relative_to(root)
        folder = "/".join(where.parts[:-1] if where.parts[0] == "apps" else where.parts[1:-1])
        if folder not in layers:
            yield f"{where}: the folder {folder} is missing in tools/layers.txt"
            continue
        text = path.read_text(errors="replace")
        for include in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE):
            if "/" not in include:
                continue  # beside the file that includes it
            other = folder_of(include, layers)
            if other is None:
                yield f'{where}: "{include}" is in no folder of tools/layers.txt'
            elif other != folder and other not in layers[folder]:
                yield f'{where}: {folder} must not include "{include}": {other} is not in its line of tools/layers.txt'


def check_targets(root, layers):
    """rondo_folder(NAME DEPENDS ...) repeats the edges of layers.txt, the public headers left out."""
    text = re.sub(r"#.*", "", (root / "src/CMakeLists.txt").read_text())
    targets = {}
    for name, rest in re.findall(r"rondo_folder\(\s*(\S+?)\s*(?:\s([^)]*))?\)", text):
        targets[name] = set((rest or "").split("LIBRARIES")[0].split()) - {"DEPENDS"}
    expected = {f: set(a) - {PUBLIC} for f, a in layers.items() if f != PUBLIC and not f.startswith("apps/")}
    for folder in sorted(targets.keys() | expected.keys()):
        if targets.get(folder) != expected.get(folder):
            show = [" ".join(sorted(s)) if s is not None else "(no line)" for s in
                    (targets.get(folder), expected.get(folder))]
            yield f"src/CMakeLists.txt: {folder} DEPENDS {show[0]}; tools/layers.txt says {show[1]}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    layers = read_layers(root)
    findings = [*check_order(layers), *check_includes(root, layers), *check_targets(root, layers)]
    print("\n".join(findings) or f"layers: {len(layers)} folders, no include against tools/layers.txt")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
