"""Writes layers.safetensors: what onnxruntime computes of the models that convc exports, a layer each.

    pip install onnx onnxruntime numpy safetensors
    mkdir models; CONVC_ONNX_EXPORTS=$PWD/models swift test --filter ExportTests
    python Tests/Fixtures/onnx/make_layers.py models

Every model has to pass onnx's checker with full shape inference. Tests read the file and need no Python.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import save_file


def run(path):
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path)
    feeds = {}
    for value in session.get_inputs():
        numbers = np.fromfile(path.with_suffix(f".{value.name}.bin"), "<f4")
        feeds[value.name] = numbers.reshape([-1, *value.shape[1:]])
    return session.run(None, feeds)[0]


def main():
    models = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
    outputs = {path.stem: np.ascontiguousarray(run(path)) for path in models}
    save_file(outputs, pathlib.Path(__file__).with_name("layers.safetensors"))
    print(len(outputs), "layers")


if __name__ == "__main__":
    main()
