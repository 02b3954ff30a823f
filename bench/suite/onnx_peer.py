"""ONNX Runtime as a peer: inference of one operator RNN, LSTM or GRU a layer, padded batches."""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import inputs
import peer

OPERATORS = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}
# Blocks of ONNX's gates among PyTorch's: lstm i o f c, gru z r h.
ORDER = {"rnn": [0], "gru": [1, 0, 2], "lstm": [0, 3, 1, 2]}


def reorder(case, array):
    blocks = np.split(array, len(ORDER[case["cell"]]))
    return np.concatenate([blocks[place] for place in ORDER[case["cell"]]])


def layer_nodes(case, number, weights, source):
    """One operator with its initialisers; y [T, directions, B, H] becomes [T, B, directions*H]."""
    per = [weights[4 * d:4 * d + 4] for d in range(case["directions"])]
    tensors = {"w": np.stack([reorder(case, each[0]) for each in per]),
               "r": np.stack([reorder(case, each[1]) for each in per]),
               "b": np.stack([np.concatenate([reorder(case, each[2]), reorder(case, each[3])]) for each in per]),
               "shape": np.array([0, 0, -1])}
    constants = [numpy_helper.from_array(value, f"{key}{number}") for key, value in tensors.items()]
    stream = case["mode"] == "stream"
    states = ["h0"] + ["c0"] * (case["cell"] == "lstm") if stream else []
    finals = ["h_n"] + ["c_n"] * (case["cell"] == "lstm") if stream else []
    settings = {"linear_before_reset": 1} if case["cell"] == "gru" else {}
    node = helper.make_node(OPERATORS[case["cell"]], [source, f"w{number}", f"r{number}", f"b{number}", "", *states],
                            [f"all{number}", *finals], hidden_size=case["hidden"],
                            direction="bidirectional" if case["directions"] == 2 else "forward", **settings)
    turn = helper.make_node("Transpose", [f"all{number}"], [f"turned{number}"], perm=[0, 2, 1, 3])
    flat = helper.make_node("Reshape", [f"turned{number}", f"shape{number}"], [f"y{number}"])
    return [node, turn, flat], constants


def make_model(case, weights):
    steps = 1 if case["mode"] == "stream" else case["steps"]
    nodes, constants, source = [], [], "x"
    for number in range(case["layers"]):
        begin = 4 * case["directions"] * number
        more, values = layer_nodes(case, number, weights[begin:begin + 4 * case["directions"]], source)
        nodes, constants, source = nodes + more, constants + values, f"y{number}"
    state = [case["directions"], case["batch"], case["hidden"]]
    takes = {"x": [steps, case["batch"], case["input"]]}
    gives = {source: [steps, case["batch"], case["directions"] * case["hidden"]]}
    if case["mode"] == "stream":
        names = "h" if case["cell"] != "lstm" else "hc"
        takes.update({f"{name}0": state for name in names})
        gives.update({f"{name}_n": state for name in names})
    values = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in group.items()]
              for group in (takes, gives)]
    graph = helper.make_graph(nodes, "stack", *values, initializer=constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


def quantised(model, path):
    from onnxruntime.quantization import QuantType, quantize_dynamic
    plain, small = path + ".plain.onnx", path + ".int8.onnx"
    onnx.save(model, plain)
    quantize_dynamic(plain, small, weight_type=QuantType.QInt8)
    found = onnx.load(small)
    if not any(node.op_type.startswith("DynamicQuantize") for node in found.graph.node):
        raise ValueError("onnxruntime.quantization leaves this cell in float32")
    return found


class OnnxRuntime(peer.Peer):
    def prepare(self, case, path):
        if case["mode"] == "train" or case["precision"] == "bf16" or case["kind"] != "layer":
            raise ValueError("inference of layers in f32 or int8 only")
        self.case = case
        *weights, self.x, _ = inputs.split(inputs.read(path), inputs.input_shapes(case))
        model = make_model(case, weights)
        if case["precision"] == "int8":
            model = quantised(model, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = case["threads"], 1
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                                    providers=["CPUExecutionProvider"])

    def run(self):
        if self.case["mode"] == "stream":
            return self.stream()
        self.y = self.session.run(None, {"x": self.x})[0]

    def stream(self):
        state = np.zeros((1, self.case["batch"], self.case["hidden"]), dtype=np.float32)
        states, outputs = {name: state for name in ("h0", "c0")[:1 + (self.case["cell"] == "lstm")]}, []
        for t in range(self.case["steps"]):
            y, *finals = self.session.run(None, {"x": self.x[t:t + 1], **states})
            states = dict(zip(states, finals))
            outputs.append(y)
        self.y = np.concatenate(outputs)

    def outputs(self):
        return self.y.ravel()

    def versions(self):
        return {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}


if __name__ == "__main__":
    peer.serve(OnnxRuntime())
