"""Makes what bench/run needs: the peers' virtual environment and the two C++ peers. Standard library only."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUITE = ROOT / "bench" / "suite"
WORK = ROOT / "build" / "bench"
# In this order: what is missing of the first is fatal, of the others one peer less.
PACKAGES = {"numpy": ["numpy"], "torch": ["torch"], "onnxruntime": ["onnxruntime", "onnx", "sympy"]}


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def parse(description, arguments=None):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the quick selection of rows, in 3 rounds")
    parser.add_argument("--only", metavar="REGEX", help="rows whose name the expression finds")
    parser.add_argument("--list", action="store_true", help="print the names of the selected rows")
    parser.add_argument("--rounds", type=int, help="rounds a row (default 9)")
    parser.add_argument("--seconds", type=float, default=0.05, help="least time of a peer's round (default 0.05)")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS",
                        help="wait up to so long before each row until other programs leave the machine alone")
    parser.add_argument("--again", action="store_true",
                        help="measure anew the rows of the output file that were measured beside other work")
    parser.add_argument("--peers", metavar="REGEX", help="only these peers, such as 'rondo|torch packed'")
    parser.add_argument("--output", default=str(WORK / "run.json"), help="file to write (default build/bench/run.json)")
    parser.add_argument("--docs", action="store_true", help="write the tables of docs/benchmarks.md")
    parser.add_argument("--from", dest="source", metavar="JSON", help="with --docs: take this run, measure nothing")
    parser.add_argument("--venv", help="virtual environment with torch, onnxruntime, onnx, numpy to use as it is")
    parser.add_argument("--build", default=str(WORK / "build"), help="build directory (default build/bench/build)")
    parser.add_argument("--jobs", default=str(os.cpu_count()), help="compilations at a time")
    chosen = parser.parse_args(arguments)
    chosen.rounds = chosen.rounds or (3 if chosen.quick else 9)
    return chosen


def python_of(venv):
    return pathlib.Path(venv) / "bin" / "python"


def has_module(python, name):
    if not pathlib.Path(python).exists():
        return False
    done = subprocess.run([python, "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec({name!r}) is None)"],
                          check=False, capture_output=True)
    return done.returncode == 0


def make_venv(chosen):
    """@return  the interpreter to go on with; it has numpy."""
    venv = pathlib.Path(chosen.venv or WORK / "venv")
    python = python_of(venv)
    if not chosen.venv:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        for name, packages in PACKAGES.items():
            if not has_module(python, name):
                note(f"pip install {' '.join(packages)} into {venv}")
                subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=False)
    if not has_module(python, "numpy"):
        sys.exit(f"bench: {venv} has no numpy, and nothing is compared without it; is there a network?")
    return python


def enter(description):
    """Goes on in the virtual environment's interpreter, where numpy is."""
    chosen = parse(description)
    if chosen.list:
        import selection
        sys.exit(selection.print_names(chosen))
    if chosen.source:
        import tables
        sys.exit(tables.write_documentation(chosen.source))
    python = make_venv(chosen)
    os.execv(python, [str(python), str(SUITE / "main.py"), *sys.argv[1:]])


def build(chosen):
    """@return  the directory of the C++ peers."""
    folder = pathlib.Path(chosen.build)
    folder.mkdir(parents=True, exist_ok=True)
    generator = ["-G", "Ninja"] if shutil.which("ninja") and not (folder / "CMakeCache.txt").exists() else []
    log = WORK / "build.log"
    steps = [["cmake", "-S", ROOT, "-B", folder, *generator, "-DCMAKE_BUILD_TYPE=Release", "-DRONDO_BENCH=ON",
              "-DRONDO_TESTS=OFF"],
             ["cmake", "--build", folder, "-j", chosen.jobs, "--target", "bench_peers"]]
    with open(log, "w", encoding="utf-8") as output:
        for step in steps:
            if subprocess.run(step, stdout=output, stderr=subprocess.STDOUT, check=False).returncode != 0:
                sys.exit(f"bench: the build failed, see {log}; tools/install_packages build installs what it needs")
    return folder / "bench"


def programs(chosen):
    """@return  the command of each peer that can run here."""
    folder = build(chosen)
    found = {"rondo": [str(folder / "rondo_peer")]}
    if (folder / "onednn_peer").exists():
        found["onednn"] = [str(folder / "onednn_peer")]
    else:
        note("without oneDNN, the fastest peer for padded batches; tools/install_packages bench adds it")
    for name, script in (("torch", "torch_peer.py"), ("onnxruntime", "onnx_peer.py")):
        if has_module(sys.executable, name):
            found[name] = [sys.executable, str(SUITE / script)]
        else:
            note(f"without {name}; pip install {' '.join(PACKAGES[name])} adds it")
    return found
