"""Random numbers for a case, and how far two results are apart. Both files are plain float32, one array after another:
inputs   for each layer and direction w_ih [G*H, D], w_hh [G*H, H], b_ih, b_hh; x [T, B, I]; d_y [T, B, directions*H]
outputs  y [T, B, directions*H]; training adds d_x [T, B, I] and the gradients, laid out as the weights"""
import numpy as np

from cases import CELLS


def weight_shapes(case):
    rows = CELLS[case["cell"]] * case["hidden"]
    for number in range(case["layers"]):
        width = case["input"] if number == 0 else case["hidden"] * case["directions"]
        for _ in range(case["directions"]):
            yield from ((rows, width), (rows, case["hidden"]), (rows,), (rows,))


def input_shapes(case):
    steps, batch = case["steps"], case["batch"]
    return [*weight_shapes(case), (steps, batch, case["input"]), (steps, batch, case["hidden"] * case["directions"])]


def output_shapes(case):
    y, x = input_shapes(case)[-1], input_shapes(case)[-2]
    return [y, x, *weight_shapes(case)] if case["mode"] == "train" else [y]


def read(path):
    return np.fromfile(path, dtype=np.float32)


def split(values, shapes):
    arrays, begin = [], 0
    for shape in shapes:
        count = int(np.prod(shape))
        arrays.append(values[begin:begin + count].reshape(shape))
        begin += count
    if begin != len(values):
        raise ValueError(f"{len(values)} numbers where {begin} belong")
    return arrays


def alive(case):
    """[T, B, 1]: 1 where a sequence has a token."""
    steps = np.arange(case["steps"])[:, None, None]
    return (steps < np.array(case["lengths"])[None, :, None]).astype(np.float32)


def write_inputs(case, path):
    """Weights as PyTorch draws them, x and d_y from U(-1, 1); zeros behind the ends of sequences."""
    random = np.random.default_rng(1)
    if case["kind"] == "lesson":
        return write_lesson(case, random, path)
    shapes, bound = input_shapes(case), case["hidden"] ** -0.5
    arrays = [random.uniform(-bound, bound, shape) for shape in shapes[:-2]]
    arrays += [random.uniform(-1, 1, shape) * alive(case) for shape in shapes[-2:]]
    np.concatenate([array.ravel().astype(np.float32) for array in arrays]).tofile(path)


def lesson_shapes(case):
    rows = CELLS[case["cell"]] * case["hidden"]
    return [(case["vocabulary"], case["input"]), (rows, case["input"]), (rows, case["hidden"]), (rows,), (rows,),
            (case["classes"], case["hidden"]), (case["classes"],)]


def write_lesson(case, random, path):
    """The network's weights in the order of PyTorch's parameters(), then batches: lengths, labels, ids."""
    shapes, bound = lesson_shapes(case), case["hidden"] ** -0.5
    arrays = [random.normal(0, 1, shapes[0]), *(random.uniform(-bound, bound, shape) for shape in shapes[1:])]
    # AG News: 10 to 60 tokens, 38 on average; a word's frequency falls as its rank rises (Zipf).
    frequency = np.cumsum(1 / (np.arange(case["vocabulary"]) + 2.7))
    for _ in range(case["batches"]):
        lengths = np.sort(np.clip(random.normal(38, 9, case["batch"]).round(), 10, 60))[::-1]
        arrays += [lengths, random.integers(0, case["classes"], case["batch"])]
        arrays.append(np.searchsorted(frequency, random.uniform(0, frequency[-1], int(lengths.sum()))))
    np.concatenate([np.asarray(array, dtype=np.float32).ravel() for array in arrays]).tofile(path)


def read_lesson(case, path):
    """@return weights, and a list of (lengths, labels, padded ids [T, B])."""
    values = read(path)
    count = sum(int(np.prod(shape)) for shape in lesson_shapes(case))
    weights, batches, at = split(values[:count], lesson_shapes(case)), [], count
    while at < len(values):
        lengths, labels = values[at:at + 2 * case["batch"]].astype(np.int64).reshape(2, -1)
        at += 2 * case["batch"]
        ids = np.zeros((lengths[0], case["batch"]), dtype=np.int64)
        for number, length in enumerate(lengths):
            ids[:length, number] = values[at:at + length]
            at += length
        batches.append((lengths, labels, ids))
    return weights, batches


def difference(case, expected, found):
    """The largest difference of all arrays, relative to the largest absolute value in each. Padding does not count."""
    if case["kind"] == "lesson":
        shapes = [(len(expected),)]
    else:
        shapes = output_shapes(case)
    worst = 0.0
    for number, (left, right) in enumerate(zip(split(expected, shapes), split(found, shapes))):
        if case["kind"] == "layer" and number < 2 and left.ndim == 3:
            left, right = left * alive(case), right * alive(case)
        if not np.isfinite(right).all():
            return float("inf")
        worst = max(worst, float(np.abs(left - right).max() / max(np.abs(left).max(), 1e-30)))
    return worst
