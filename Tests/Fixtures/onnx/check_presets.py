"""Checks exported presets with onnx's checker, and compares them with onnxruntime.

    pip install onnx onnxruntime numpy
    python Tests/Fixtures/onnx/check_presets.py --convc .build/release/convc [--preset NAME ...]

For each preset: weights as they are initialised, plus noise (biases and running statistics would be zeros and ones), are written as
safetensors; `convc export` makes a file with a free batch and one with a fixed batch; both pass `onnx.checker.check_model(full_check)`;
what onnxruntime computes is compared with `convc run` on the same images. The figure is the largest difference over the largest
value. Large presets take smaller images, as SIZES says.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

LIMIT = 1e-4
SIZES = {"fcn-alexnet": "3x128x128", "segnet": "1x64x64", "fcn15": "1x64x64", "unet": "1x64x64"}


def noisy_weights(source, target, seed):
    """Copies a safetensors file, with noise on every value; variances stay positive."""
    data = bytearray(pathlib.Path(source).read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    random = np.random.default_rng(seed)
    for name in sorted(header):
        first, last = header[name]["data_offsets"]
        values = np.frombuffer(data, "<f4", (last - first) // 4, 8 + length + first).copy()
        if name.endswith("running_var"):
            values *= random.uniform(0.5, 1.5, values.shape).astype(np.float32)
        elif name.endswith(".weight") and values.std() > 0:
            values *= random.uniform(0.8, 1.2, values.shape).astype(np.float32)
        else:
            values += 0.1 * random.standard_normal(values.shape).astype(np.float32)
        data[8 + length + first : 8 + length + last] = values.astype("<f4").tobytes()
    pathlib.Path(target).write_bytes(data)


def check(convc, preset, images, folder):
    """The worst difference of a preset's outputs, relative to the largest value."""

    def call(*words):
        done = subprocess.run([convc, *words], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{preset}: convc {' '.join(words)}: {done.stderr.strip()}")

    size = ["--size", SIZES[preset]] if preset in SIZES else []
    call("emit", preset, *size, "-o", "c", "--quiet")
    weights = next(pathlib.Path(folder, "c").glob("*.safetensors"))
    noisy_weights(weights, f"{folder}/noisy.safetensors", seed=1)
    trained = ["--weights", "noisy.safetensors", *size]
    call("export", preset, *trained, "-o", "free.onnx")
    call("export", preset, *trained, "-o", "fixed.onnx", "--batch", str(images))
    for name in ["free", "fixed"]:
        onnx.checker.check_model(f"{folder}/{name}.onnx", full_check=True)
    session = onnxruntime.InferenceSession(f"{folder}/free.onnx")
    random = np.random.default_rng(2)
    feeds = {}
    for value in session.get_inputs():
        feeds[value.name] = random.uniform(-1, 1, [images, *value.shape[1:]]).astype(np.float32)
    expected = session.run(None, feeds)
    fixed = onnxruntime.InferenceSession(f"{folder}/fixed.onnx").run(None, feeds)
    words = ["run", preset, *trained, "--batch", str(images)]
    for name, values in feeds.items():
        np.save(f"{folder}/{name}.npy", values)
        words += ["--input", f"{name}={name}.npy"]
    outputs = [value.name for value in session.get_outputs()]
    for name in outputs:
        words += ["--output", f"{name}=out_{name}.npy"]
    call(*words)
    worst = 0.0
    for name, wanted, same in zip(outputs, expected, fixed):
        if not np.array_equal(wanted, same):
            worst = max(worst, np.abs(wanted - same).max() / np.abs(wanted).max())
        got = np.load(f"{folder}/out_{name}.npy")
        worst = max(worst, np.abs(got - wanted).max() / np.abs(wanted).max())
    return float(worst)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--convc", required=True)
    parser.add_argument("--preset", action="append")
    parser.add_argument("--images", type=int, default=2)
    options = parser.parse_args()
    convc = str(pathlib.Path(options.convc).resolve())
    listed = subprocess.run([convc, "models"], capture_output=True, text=True, check=True).stdout
    presets = options.preset or [line.split()[0] for line in listed.splitlines()[1:]]
    failed = []
    for preset in presets:
        with tempfile.TemporaryDirectory() as folder:
            worst = check(convc, preset, options.images, folder)
        print(f"{preset:16} {worst:.1e}", flush=True)
        if not worst <= LIMIT:
            failed.append(preset)
    if failed:
        sys.exit(f"differ by more than {LIMIT}: {', '.join(failed)}")


if __name__ == "__main__":
    main()
