"""Runs networks that `convc verify --random N --write DIR` drew under onnxruntime as well.

    convc verify --random 300 --seed 0 --write drawn
    python3 compare_drawn.py drawn

Each folder holds model.onnx and test_data_set_0 with inputs and what convc's own evaluation in double precision expects.
The third opinion tells whether that evaluation is right: any disagreement is printed with the network's number.
Needs onnx, onnxruntime and numpy.
"""

import pathlib
import sys

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper

TOLERANCE = 1e-4
FLOOR = 0.1


def tensors(folder, kind):
    result = []
    while (path := folder / f"{kind}_{len(result)}.pb").exists():
        result.append(numpy_helper.to_array(onnx.load_tensor(str(path))))
    return result


def difference(folder):
    """The largest difference of an output, as a share of its largest value."""
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    data = folder / "test_data_set_0"
    names = [entry.name for entry in session.get_inputs()]
    outputs = session.run(None, dict(zip(names, tensors(data, "input"))))
    worst = 0.0
    for value, expected in zip(outputs, tensors(data, "output"), strict=True):
        if value.shape != expected.shape:
            raise ValueError(f"shape {value.shape}, expected {expected.shape}")
        largest = max(FLOOR, float(numpy.abs(expected).max()))
        worst = max(worst, float(numpy.abs(value - expected).max()) / largest)
    return worst


def main():
    folders = sorted(pathlib.Path(sys.argv[1]).glob("network_*"), key=lambda path: int(path.name[8:]))
    worst, bad = 0.0, 0
    for folder in folders:
        try:
            share = difference(folder)
            worst = max(worst, share)
            problem = None if share <= TOLERANCE else f"differs by {share:.3g} of the largest value"
        except Exception as error:  # what onnx or onnxruntime refuse
            problem = str(error).splitlines()[0]
        if problem:
            bad += 1
            print(f"{folder.name}: {problem}")
    print(f"{len(folders) - bad} of {len(folders)} networks agree; the largest difference is {worst:.3g}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
