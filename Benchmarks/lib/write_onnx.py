"""Writes a network for inference of one batch size as an ONNX file.

    python write_onnx.py resnet50 --batch 1 --output resnet50_b1.onnx
"""

import argparse

import onnx
from onnx import helper, numpy_helper

import networks


def nodes(network, node):
    """ONNX operators of a node."""
    inputs = [*node.inputs]

    def one(kind, *more, **attributes):
        return [helper.make_node(kind, [*inputs, *more], [node.name], node.name, **attributes)]

    names = [f"{node.name}.{name}" for name in network.parameters(node) | network.statistics(node)]
    match node.kind:
        case "conv":
            return one(
                "Conv", *names, kernel_shape=[node["window"]] * 2, strides=[node["stride"]] * 2,
                pads=[node["padding"]] * 4, group=node["groups"])
        case "transposed":
            return one("ConvTranspose", *names, kernel_shape=[node["window"]] * 2, strides=[node["window"]] * 2)
        case "norm":
            return one("BatchNormalization", *names, epsilon=1e-5)
        case "dense":
            return one("Gemm", *names, transB=1)
        case "relu":
            return one("Relu")
        case "relu6":
            return one("Clip", "zero", "six")
        case "maxpool":
            return one(
                "MaxPool", kernel_shape=[node["window"]] * 2, strides=[node["stride"]] * 2,
                pads=[node["padding"]] * 4)
        case "mean":
            mean = f"{node.name}.maps"
            return [
                helper.make_node("GlobalAveragePool", inputs, [mean]),
                helper.make_node("Flatten", [mean], [node.name]),
            ]
        case "flatten":
            return one("Flatten")
        case "dropout":
            return one("Identity")
        case "add":
            return one("Add")
        case "concat":
            return one("Concat", axis=1)
        case "input":
            return []
    raise ValueError(node.kind)


def model(network, batch):
    floats = onnx.TensorProto.FLOAT
    constants = [
        numpy_helper.from_array(array, f"{node}.{name}")
        for node, own in network.initial().items() for name, array in own.items()
    ]
    if any(node.kind == "relu6" for node in network.nodes):
        constants += [helper.make_tensor(n, floats, [], [v]) for n, v in (("zero", 0.0), ("six", 6.0))]
    graph = helper.make_graph(
        [operator for node in network.nodes for operator in nodes(network, node)], network.name,
        [helper.make_tensor_value_info("x", floats, [batch, *network.input.shape])],
        [helper.make_tensor_value_info(network.output.name, floats, [batch, *network.output.shape])],
        constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=networks.NAMES)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    onnx.save(model(networks.network(options.network), options.batch), options.output)


if __name__ == "__main__":
    main()
