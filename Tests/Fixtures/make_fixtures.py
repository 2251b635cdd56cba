"""Writes the fixtures of the tests, with PyTorch as the judge.

    python make_fixtures.py --mnist FOLDER --digits digits.csv.gz

FOLDER holds MNIST's train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz. For each of lenet5 and resnet8-digits:

    NAME.weights.safetensors   initial parameters, named as convc names them
    NAME.data.safetensors      images as bytes, labels; logits of the first batch before the first step (inference and
                               training) and after the last (inference)
    NAME.json                  how pixels become inputs, and the losses of 20 steps

and layers.safetensors with layers.json: outputs of single layers with unusual settings.
"""
import argparse
import gzip
import json
import struct
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

STEPS, RATE, MOMENTUM = 20, 0.05, 0.9


class Numbered(nn.Module):
    """Makes layers that are numbered by their kind in the order in which they are made: conv1, bn1, conv2."""

    def add(self, kind, layer):
        number = 1 + sum(name.startswith(kind) for name, _ in self.named_children())
        self.add_module(f"{kind}{number}", layer)
        return layer


class LeNet5(Numbered):
    def __init__(self):
        super().__init__()
        self.layers = [
            self.add("conv", nn.Conv2d(1, 6, 5, padding=2)), nn.ReLU(), nn.MaxPool2d(2),
            self.add("conv", nn.Conv2d(6, 16, 5)), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            self.add("dense", nn.Linear(400, 120)), nn.ReLU(),
            self.add("dense", nn.Linear(120, 84)), nn.ReLU(),
            self.add("dense", nn.Linear(84, 10))]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class ResNet8(Numbered):
    def __init__(self):
        super().__init__()
        self.stem = self.convolution(1, 16, 3, 1)
        self.blocks = [self.block(16, 16, 1), self.block(16, 32, 2), self.block(32, 64, 2)]
        self.head = self.add("dense", nn.Linear(64, 10))

    def convolution(self, inputs, outputs, kernel, stride):
        layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        return [self.add("conv", layer), self.add("bn", nn.BatchNorm2d(outputs))]

    def block(self, inputs, outputs, stride):
        body = [*self.convolution(inputs, outputs, 3, stride), nn.ReLU(),
                *self.convolution(outputs, outputs, 3, 1)]
        shortcut = [] if inputs == outputs else self.convolution(inputs, outputs, 1, stride)
        return body, shortcut

    def forward(self, x):
        x = torch.relu(run(self.stem, x))
        for body, shortcut in self.blocks:
            x = torch.relu(run(body, x) + run(shortcut, x))
        return self.head(x.mean(dim=(2, 3)))


def run(layers, x):
    for layer in layers:
        x = layer(x)
    return x


def initialise(model, seed):
    """He et al. for weights; biases, scales and running statistics a little off their usual start."""
    random = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        kind = name.split(".")[1]
        if kind == "num_batches_tracked":
            continue
        noise = torch.randn(value.shape, generator=random)
        if kind == "weight" and value.dim() > 1:
            value.copy_(noise * (2 / value[0].numel()) ** 0.5)
        elif kind in ("weight", "running_var"):
            value.copy_(1 + 0.1 * noise.clamp(-3, 3))
        else:
            value.copy_(0.02 * noise)


def parameters(model):
    return {name: value.clone().contiguous() for name, value in model.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def train(model, x, y, batches):
    """Losses of the steps, batch after batch, over again when they are used up."""
    size = len(x) // batches
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    losses = []
    for step in range(STEPS):
        part = slice(step % batches * size, (step % batches + 1) * size)
        loss = F.cross_entropy(model(x[part]), y[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def write(folder, name, make, seed, images, labels, batches, preprocessing):
    """Writes a network's fixtures.

    The seed has to give a run on which rounding has little influence: where a ReLU's input comes close to zero, single
    and double precision part after ten steps.
    """
    model, exact = make(), make().double()
    initialise(model, seed)
    exact.load_state_dict({k: v.to(exact.state_dict()[k].dtype) for k, v in model.state_dict().items()})
    x = (torch.from_numpy(images).float() * preprocessing["scale"]
         - torch.tensor(preprocessing["mean"])) / torch.tensor(preprocessing["deviation"])
    y = torch.from_numpy(labels).long()
    size = len(images) // batches
    save_file(parameters(model), folder / f"{name}.weights.safetensors")
    start = {key: value.clone() for key, value in model.state_dict().items()}
    tensors = {"images": torch.from_numpy(images), "labels": torch.from_numpy(labels)}
    with torch.no_grad():
        tensors["logits_inference"] = model.eval()(x[:size])
        tensors["logits_training"] = model.train()(x[:size])
    model.load_state_dict(start)
    losses = train(model, x, y, batches)
    with torch.no_grad():
        tensors["logits_after"] = model.eval()(x[:size])
    save_file(tensors, folder / f"{name}.data.safetensors")
    ratio = np.array(losses) / train(exact, x.double(), y, batches)
    assert abs(ratio - 1).max() < 1e-5, ratio
    assert sum(losses[-batches:]) < 0.7 * sum(losses[:batches]), losses
    text = {"batch": size, "rate": RATE, "momentum": MOMENTUM, "preprocessing": preprocessing,
            "losses": losses}
    (folder / f"{name}.json").write_text(json.dumps(text) + "\n")
    print(name, *(f"{loss:.3f}" for loss in losses))


def idx(path):
    with gzip.open(path) as file:
        rank = struct.unpack(">I", file.read(4))[0] & 255
        shape = struct.unpack(f">{rank}I", file.read(4 * rank))
        return np.frombuffer(file.read(), np.uint8).reshape(shape)


def padded(x, window, value):
    """Pads by top, bottom, left, right."""
    top, bottom, left, right = window["padding"]
    return F.pad(x, (left, right, top, bottom), value=value)


def convolve(x, window, tensors):
    return F.conv2d(padded(x, window, 0), tensors["weight"], tensors.get("bias"), window["stride"],
                    dilation=window["dilation"], groups=window["groups"])


def spread(x, window, tensors):
    """A transposed convolution; PyTorch pads both sides of an axis alike, so the whole result is cut."""
    whole = F.conv_transpose2d(x, tensors["weight"], tensors["bias"], window["stride"],
                               output_padding=window["outputPadding"], groups=window["groups"])
    top, bottom, left, right = window["padding"]
    return whole[:, :, top:whole.shape[2] - bottom, left:whole.shape[3] - right].contiguous()


def pool(x, window, kind):
    kernel, stride, ceil = window["kernel"], window["stride"], window["ceil"]
    inside, total = torch.ones_like(x), kernel[0] * kernel[1]
    if ceil:  # PyTorch's own padding, which is the same on both sides: rounding depends on it
        around = {"padding": (window["padding"][0], window["padding"][2]), "ceil_mode": True}
    else:
        around = {}
        lowest = -torch.inf if kind == "max" else 0
        x, inside = padded(x, window, lowest), padded(inside, window, 0)
    if kind == "max":
        return F.max_pool2d(x, kernel, stride, **around)
    if ceil:
        return F.avg_pool2d(x, kernel, stride, count_include_pad=kind == "average", **around)
    sums = F.avg_pool2d(x, kernel, stride) * total
    return sums / (total if kind == "average" else F.avg_pool2d(inside, kernel, stride) * total)


def write_layers(folder):
    """Single layers: [kind, input shape, settings]."""
    random = torch.Generator().manual_seed(3)
    normal = lambda *shape: torch.randn(shape, generator=random, dtype=torch.float64)
    conv = lambda kernel, stride, padding, dilation, groups: {
        "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation,
        "groups": groups}
    transposed = lambda kernel, stride, padding, added, groups: {
        "kernel": kernel, "stride": stride, "padding": padding, "outputPadding": added,
        "groups": groups}
    pooling = lambda kernel, stride, padding, ceil=False: {
        "kernel": kernel, "stride": stride, "padding": padding, "ceil": ceil}
    cases = [
        ["conv", [2, 3, 7, 6], conv([3, 3], [1, 1], [1, 1, 1, 1], [1, 1], 1)],
        ["conv", [2, 3, 7, 9], conv([2, 4], [2, 3], [0, 1, 3, 2], [1, 1], 1)],
        ["conv", [1, 4, 9, 8], conv([3, 2], [1, 2], [2, 0, 1, 4], [2, 3], 2)],
        ["conv", [2, 3, 5, 5], conv([3, 3], [2, 2], [4, 4, 4, 4], [1, 1], 3)],
        ["max", [2, 2, 7, 5], pooling([2, 2], [2, 2], [0, 0, 0, 0])],
        ["max", [2, 2, 7, 8], pooling([3, 2], [2, 1], [2, 0, 0, 1])],
        ["max", [1, 2, 8, 7], pooling([3, 3], [2, 3], [1, 1, 1, 1], True)],
        ["average", [1, 2, 7, 8], pooling([3, 2], [2, 1], [2, 0, 0, 1])],
        ["average", [1, 2, 8, 7], pooling([3, 3], [2, 3], [1, 1, 1, 1], True)],
        ["average-inside", [1, 2, 7, 8], pooling([3, 2], [2, 1], [2, 0, 0, 1])],
        ["average-inside", [1, 2, 8, 7], pooling([3, 3], [2, 3], [1, 1, 1, 1], True)],
        ["transposed", [2, 3, 4, 5], transposed([2, 2], [2, 2], [0, 0, 0, 0], [0, 0], 1)],
        ["transposed", [2, 3, 5, 4], transposed([3, 4], [2, 3], [1, 1, 1, 1], [1, 2], 1)],
        ["transposed", [1, 4, 3, 6], transposed([3, 2], [1, 3], [0, 2, 1, 0], [0, 1], 2)],
        ["transposed", [2, 4, 4, 3], transposed([4, 5], [2, 1], [2, 1, 0, 3], [0, 0], 4)],
    ]
    tensors, texts = {}, []
    for number, (kind, shape, window) in enumerate(cases):
        case = {"x": normal(*shape).float().double()}
        if kind == "conv":
            outputs = 2 * window["groups"]
            weight = normal(outputs, shape[1] // window["groups"], *window["kernel"])
            case |= {"weight": weight.float().double(), "bias": normal(outputs).float().double()}
            case["y"] = convolve(case["x"], window, case)
        elif kind == "transposed":
            outputs = 2 * window["groups"]
            weight = normal(shape[1], outputs // window["groups"], *window["kernel"])
            case |= {"weight": weight.float().double(), "bias": normal(outputs).float().double()}
            case["y"] = spread(case["x"], window, case)
        else:
            case["y"] = pool(case["x"], window, kind)
        tensors |= {f"{number}.{name}": value.float() for name, value in case.items()}
        texts.append({"kind": kind, "input": shape, "output": list(case["y"].shape), **window})
    save_file(tensors, folder / "layers.safetensors")
    (folder / "layers.json").write_text("[\n" + ",\n".join(map(json.dumps, texts)) + "\n]\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--mnist", type=Path, required=True)
    arguments.add_argument("--digits", type=Path, required=True)
    given = arguments.parse_args()
    folder = Path(__file__).parent
    torch.set_num_threads(1)

    images = idx(given.mnist / "train-images-idx3-ubyte.gz")[:24, None].copy()
    labels = idx(given.mnist / "train-labels-idx1-ubyte.gz")[:24].astype(np.int32)
    write(folder, "lenet5", LeNet5, 6, images, labels, 2, {
        "scale": 1 / 255, "mean": [0.1307], "deviation": [0.3081]})

    rows = np.loadtxt(gzip.open(given.digits), delimiter=",", dtype=np.uint8)[:128]
    write(folder, "resnet8-digits", ResNet8, 2, rows[:, :64].reshape(-1, 1, 8, 8).copy(),
          rows[:, 64].astype(np.int32), 4, {"scale": 1 / 16, "mean": [0.0], "deviation": [1.0]})
    write_layers(folder)


if __name__ == "__main__":
    main()
