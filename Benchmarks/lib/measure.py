"""Measures one rival on one network, in a process of its own, and prints a line of JSON for each measurement.

The fields are those of `convc bench --json`. Started by `run`; by hand:

    python measure.py torch --network lenet5 --mode train --batch 64 --threads 2
"""

import argparse
import importlib
import json
import statistics
import sys
import time
from dataclasses import dataclass

import networks

# rival: the module that builds it, and its variant there.
BACKENDS = {
    "torch": ("backend_torch", "nchw"),
    "torch-channels-last": ("backend_torch", "channels_last"),
    "torch-compile": ("backend_torch", "compile"),
    "jax": ("backend_jax", None),
    "tensorflow": ("backend_tensorflow", None),
    "onnxruntime": ("backend_onnx", "onnxruntime"),
    "openvino": ("backend_onnx", "openvino"),
}

RATE, MOMENTUM = 0.01, 0.9


@dataclass(frozen=True)
class Job:
    """What is measured. A backend's `prepare(job)` returns a step and the framework's version.

    A step is one training step or one inference, complete when it returns. It returns the loss, or the
    outputs' mean magnitude when `check` is called on what it returned.
    """

    network: networks.Network
    trains: bool
    batch: int
    threads: int
    variant: str
    # The ONNX file, for rivals that read one.
    file: str


def quantile(times, share):
    return times[min(len(times) - 1, int(len(times) * share))]


def time_steps(step, steps, seconds):
    """Milliseconds of up to `steps` calls within `seconds`, at least five, after three that do not count."""
    start = time.perf_counter()
    for _ in range(3):
        step()
        if time.perf_counter() - start > seconds:
            break
    times = []
    start = time.perf_counter()
    while len(times) < steps:
        before = time.perf_counter()
        step()
        after = time.perf_counter()
        times.append(1e3 * (after - before))
        if after - start > seconds and len(times) >= 5:
            break
    return sorted(times)


def peak_memory():
    """The most memory that this process has had, in mebibytes."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rival", choices=BACKENDS)
    parser.add_argument("--network", required=True, choices=networks.NAMES)
    parser.add_argument("--mode", required=True, choices=["infer", "train"])
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--paced", action="store_true", help="measure once for each line of standard input")
    parser.add_argument("--file", help="ONNX file, written by write_onnx.py")
    options = parser.parse_args()

    module, variant = BACKENDS[options.rival]
    backend = importlib.import_module(module)  # imports the framework, which no time counts
    network = networks.network(options.network)
    trains = options.mode == "train"
    job = Job(network, trains, options.batch, options.threads, variant, options.file)
    start = time.perf_counter()
    step, version = backend.prepare(job)
    first_value = float(backend.check(step()))
    first = time.perf_counter() - start

    def measure():
        times = time_steps(step, options.steps or (50 if trains else 500), options.seconds)
        median = statistics.median(times)
        flops = 2 * network.multiply_adds * options.batch * (3 if trains else 1)
        print(json.dumps({
            "model": options.network, "mode": options.mode, "batch": options.batch,
            "threads": options.threads, "rival": options.rival, "version": version,
            "ms_median": round(median, 4), "ms_min": round(times[0], 4),
            "ms_p90": round(quantile(times, 0.9), 4), "steps": len(times),
            "images_per_s": round(options.batch / median * 1e3, 1),
            "gflops": round(flops / median / 1e6, 1), "peak_rss_mb": round(peak_memory(), 1),
            "first_step_s": round(first, 3), "first_value": first_value,
        }), flush=True)

    if not options.paced:
        return measure()
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        measure()


if __name__ == "__main__":
    main()
