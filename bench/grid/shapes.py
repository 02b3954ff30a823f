"""How the numbers of a case lie in its files: see bench/grid_peer.cc."""
import numpy as np


def different_layers(case):
    return 1 if case["variant"].startswith("tied") else case["layers"]


def input_shapes(case):
    hidden, rows = case["hidden"], (case["steps"], case["batch"])
    block = [(4 * hidden, 2 * hidden), (4 * hidden,)] * 2  # depth, time
    return [(2 * hidden, case["input"]), (2 * hidden,), *block * different_layers(case),
            (*rows, case["input"]), (*rows, 2 * hidden)]


def split(values, case):
    arrays, begin = [], 0
    for shape in input_shapes(case):
        count = int(np.prod(shape))
        arrays.append(values[begin:begin + count].reshape(shape))
        begin += count
    if begin != len(values):
        raise ValueError(f"{len(values)} numbers where {begin} belong")
    return arrays


def draw(case):
    """Weights U(+-1/sqrt(2 hidden)), x and d_y U(-1, 1)."""
    random = np.random.default_rng(1)
    bound = 1 / np.sqrt(2 * case["hidden"])
    shapes = input_shapes(case)
    sizes = [bound] * (len(shapes) - 2) + [1, 1]
    drawn = [random.uniform(-size, size, shape).astype(np.float32).ravel() for size, shape in zip(sizes, shapes)]
    return np.concatenate(drawn)
