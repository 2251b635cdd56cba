"""Writes layers.safetensors: what onnxruntime computes of the models that convc exports, a layer each.

    pip install onnx onnxruntime numpy safetensors
    mkdir models; CONVC_ONNX_EXPORTS=$PWD/models swift test --filter ExportTests
    python Tests/Fixtures/onnx/make_layers.py models

Every model has to pass onnx's checker with full shape inference. Random networks, whose outputs stand beside them, are compared
and not stored: the worst difference is printed, relative to the largest value. Tests read the file and need no Python.
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
    for index, value in enumerate(session.get_inputs()):
        numbers = np.fromfile(path.with_suffix(f".x{index}.bin"), "<f4")
        feeds[value.name] = numbers.reshape([-1, *value.shape[1:]])
    return session.run(None, feeds)


def difference(path):
    worst = 0.0
    for index, found in enumerate(run(path)):
        wanted = np.fromfile(path.with_suffix(f".y{index}.bin"), "<f4").reshape(found.shape)
        worst = max(worst, np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-30))
    return worst


def main():
    models = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
    random = [path for path in models if path.stem.startswith("random-")]
    outputs = {path.stem: np.ascontiguousarray(run(path)[0]) for path in models if path not in random}
    target = pathlib.Path(__file__).with_name("layers.safetensors")
    save_file(outputs, target)
    target.chmod(0o644)
    print(len(outputs), "layers")
    worst = max((difference(path), path.stem) for path in random)
    print(f"{len(random)} random networks, the worst {worst[1]} by {worst[0]:.1e}")


if __name__ == "__main__":
    main()
