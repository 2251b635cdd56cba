"""Times the passes of one convolution in PyTorch, in both memory formats, and prints one line of JSON.

    python layer_torch.py C HxW K WINDOW STRIDE PADDING GROUPS BATCH THREADS SECONDS

Each pass is the better of the two formats: the mean of the faster half of its calls.
"""

import json
import sys
import time

import torch
from torch.nn import functional


def mean_of_faster_half(call, seconds):
    for _ in range(3):
        call()
    times, start = [], time.perf_counter()
    while len(times) < 10 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - before))
    times = sorted(times)[: (len(times) + 1) // 2]
    return sum(times) / len(times)


def passes(x, weight, bias, stride, padding, groups):
    """{pass: a function that runs it}"""
    y = functional.conv2d(x, weight, bias, stride, padding, groups=groups)
    gradient = torch.randn_like(y)

    def backward(*wanted):
        return torch.ops.aten.convolution_backward(
            gradient, x, weight, [bias.numel()], [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups,
            list(wanted))

    found = {"forward": lambda: functional.conv2d(x, weight, bias, stride, padding, groups=groups)}
    if x.shape[1] > 4:
        found["data"] = lambda: backward(True, False, False)
    found["weight"] = lambda: backward(False, True, True)
    return found


def main(words):
    size = [int(n) for n in words.pop(1).split("x")]
    channels, maps, window, stride, padding, groups, batch, threads = map(int, words[:8])
    seconds = float(words[8])
    torch.set_num_threads(threads)
    best = {}
    for form in (torch.contiguous_format, torch.channels_last):
        x = torch.randn(batch, channels, *size).contiguous(memory_format=form)
        weight = torch.randn(maps, channels // groups, window, window).contiguous(memory_format=form)
        with torch.no_grad():
            found = passes(x, weight, torch.randn(maps), stride, padding, groups)
            for name, call in found.items():
                taken = mean_of_faster_half(call, seconds / 2 / len(found))
                best[name] = min(taken, best.get(name, taken))
    print(json.dumps(best))


if __name__ == "__main__":
    main(sys.argv[1:])
