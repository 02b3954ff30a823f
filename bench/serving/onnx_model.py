"""A classifier of Rondo (LSTM, max pooling) as an ONNX graph, from the model file alone.

    python onnx_model.py news.rondo news.onnx     writes news.onnx, and vocabulary and labels beside it (news.onnx.json)
"""
import json
import pathlib
import struct
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


def read_model(path):
    """(metadata, tensors) of a safetensors file."""
    content = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "F32":
            tensors[name] = numpy.frombuffer(content[begin:end], numpy.float32).reshape(entry["shape"])
    return metadata, tensors


def gates(matrix):
    """The rows of PyTorch's gates i, f, g, o as ONNX has them: i, o, f, g."""
    i, f, g, o = numpy.split(matrix, 4)
    return numpy.concatenate([i, o, f, g])


def lstm_weights(tensors, directions):
    stacked = {"W": [], "R": [], "B": []}
    for suffix in ["", "_reverse"][:directions]:
        stacked["W"].append(gates(tensors["lstm.weight_ih_l0" + suffix]))
        stacked["R"].append(gates(tensors["lstm.weight_hh_l0" + suffix]))
        stacked["B"].append(numpy.concatenate([gates(tensors[f"lstm.bias_{kind}_l0{suffix}"]) for kind in ("ih", "hh")]))
    return {name: numpy.stack(parts) for name, parts in stacked.items()}


def build(metadata, tensors):
    config = json.loads(metadata["config"])
    if (config["cell"], config["layers"], config["pool"]) != ("lstm", 1, "max"):
        raise SystemExit("onnx_model: one layer of LSTM with --pool max is what this knows")
    directions = 2 if config["bidirectional"] else 1
    hidden = tensors["lstm.weight_hh_l0"].shape[1]
    weights = {"embedding": tensors["embedding.weight"], **lstm_weights(tensors, directions),
               "linear": tensors["linear.weight"], "bias": tensors["linear.bias"],
               "flat": numpy.array([0, 0, -1], numpy.int64)}
    nodes = [
        helper.make_node("Gather", ["embedding", "ids"], ["x"]),                                    # [T, 1, D]
        helper.make_node("LSTM", ["x", "W", "R", "B"], ["y4"], hidden_size=hidden,
                         direction="bidirectional" if directions == 2 else "forward"),              # [T, directions, 1, H]
        helper.make_node("Transpose", ["y4"], ["y3"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["y3", "flat"], ["y"]),                                         # [T, 1, directions * H]
        helper.make_node("ReduceMax", ["y"], ["pooled"], axes=[0], keepdims=0),
        helper.make_node("Gemm", ["pooled", "linear", "bias"], ["logits"], transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(nodes, "classifier", [helper.make_tensor_value_info("ids", TensorProto.INT64, ["T", 1])],
                              [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, "labels"])],
                              [numpy_helper.from_array(value, name) for name, value in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def main():
    metadata, tensors = read_model(sys.argv[1])
    onnx.save(build(metadata, tensors), sys.argv[2])
    words = {name: json.loads(metadata[name]) for name in ("vocabulary", "labels")}
    pathlib.Path(sys.argv[2] + ".json").write_text(json.dumps(words))


if __name__ == "__main__":
    main()
