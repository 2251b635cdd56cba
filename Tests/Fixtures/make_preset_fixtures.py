"""Writes what PyTorch makes of the presets, in double precision: one forward and backward pass over a small batch.

    python make_preset_fixtures.py
    python make_preset_fixtures.py --models models.py --folder FOLDER

writes presets/presets.json, the networks with their inputs, and for each presets/NAME.safetensors:

    inferred            the output of inference
    trained, loss       the output and the loss of the training pass; dropout is off
    conv1.weight, ...   of a parameter's gradient, and of a running statistic's new value: norm, largest size, 16 elements

Parameters, images and targets come from `Values`, which the tests have too. With --models the networks, their weights
and their batches are those of a module that has `MODELS[name].model()`, `.batch(n)` and `.loss`; then a file holds all
of them, as start.conv1.weight, start.image and start.target. CONVC_PRESET_FIXTURES=FOLDER makes the tests read it.
"""
import argparse
import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

SAMPLES = 16
SEEDS = 16


class Values:
    """Numbers that a name decides: SplitMix64 from the FNV-1a hash of the name on."""

    def __init__(self, name, count):
        seed = 0xcbf29ce484222325
        for byte in name.encode():
            seed = (seed ^ byte) * 0x100000001b3 % 2**64
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
        self.bits = z ^ (z >> np.uint64(31))

    def uniform(self, low, high):
        return (low + (high - low) * ((self.bits >> np.uint64(11)).astype(np.float64) * 2**-53)).astype(np.float32)

    def labels(self, classes):
        return (self.bits % np.uint64(classes)).astype(np.int64)


def places(count):
    """Which elements of a tensor are kept."""
    return [number * 0x9e3779b97f4a7c15 % 2**64 % count for number in range(SAMPLES)]


def start(prefix, name, shape, shift):
    """A parameter's value: weights after He et al., what usually is 0 or 1 spread around it, or around `shift`."""
    values = Values(f"{prefix}.{name}", int(np.prod(shape)))
    if len(shape) > 1:
        # Values that a shift makes large would leave one class at the end.
        tameness = (1 + shift) * (1 + shift) if name.startswith("dense") else 1.0
        bound = math.sqrt(6 / float(np.prod(shape[1:]))) / tameness
        return values.uniform(-bound, bound).reshape(shape)
    if name.endswith(".weight") or name.endswith(".running_var"):
        return values.uniform(0.75, 1.25)
    middle = shift if name.startswith("bn") and name.endswith(".bias") else 0.0
    return values.uniform(middle - 0.25, middle + 0.25)


# Networks.

def conv(inputs, outputs, kernel, stride=1, groups=1, act=nn.ReLU):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
              nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([act()] if act else []))


def plain(inputs, outputs, kernel, padding=0):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.ReLU())


def dense(sizes, dropout=False):
    layers = [nn.Flatten()]
    for inputs, outputs in zip(sizes, sizes[1:-1]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(), *([nn.Dropout()] if dropout else [])]
    return nn.Sequential(*layers, nn.Linear(*sizes[-2:]))


def lenet5(size):
    return nn.Sequential(plain(1, 6, 5, 2), nn.MaxPool2d(2), plain(6, 16, 5), nn.MaxPool2d(2),
                         dense([16 * ((size // 2 - 4) // 2) ** 2, 120, 84, 10]))


def keypoints_net2(size):
    end = (((size - 2) // 2 - 1) // 2 - 1) // 2
    return nn.Sequential(plain(1, 32, 3), nn.MaxPool2d(2), plain(32, 64, 2), nn.MaxPool2d(2),
                         plain(64, 128, 2), nn.MaxPool2d(2), dense([128 * end ** 2, 500, 500, 30]))


def glioma(size):
    layers, inputs = [], 4
    for maps in (32, 64, 128):
        layers += [plain(inputs, maps, 3), plain(maps, maps, 3), nn.MaxPool2d(2)]
        inputs, size = maps, (size - 4) // 2
    return nn.Sequential(*layers, dense([128 * size ** 2, 550, 550, 2], True))


def tinyvgg(size):
    layers, inputs = [], 3
    for maps in (64, 128, 256):
        layers += [conv(inputs, maps, 3), conv(maps, maps, 3), nn.MaxPool2d(2)]
        inputs = maps
    return nn.Sequential(*layers, dense([256 * (size // 8) ** 2, 512, 10], True))


def vgg16(size):
    layers, inputs = [], 3
    for depth, maps in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        for _ in range(depth):
            layers.append(plain(inputs, maps, 3, 1))
            inputs = maps
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, dense([512 * (size // 32) ** 2, 4096, 4096, 1000], True))


class Residual(nn.Module):
    """A body and a shortcut, added; the shortcut is evaluated last."""

    def __init__(self, body, shortcut=None, relu=True):
        super().__init__()
        self.body, self.shortcut, self.act = body, shortcut, nn.ReLU() if relu else nn.Identity()

    def forward(self, x):
        body = self.body(x)
        return self.act(body + (self.shortcut(x) if self.shortcut else x))


def pooled(maps, classes):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(maps, classes)]


def resnet18_cifar(size):
    layers, inputs = [conv(3, 64, 3)], 64
    for maps, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for step in (stride, 1):
            body = nn.Sequential(conv(inputs, maps, 3, step), conv(maps, maps, 3, act=None))
            projects = step != 1
            layers.append(Residual(body, conv(inputs, maps, 1, step, act=None) if projects else None))
            inputs = maps
    return nn.Sequential(*layers, *pooled(512, 10))


def resnet50(size):
    layers, inputs = [conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for maps, depth, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for index in range(depth):
            step = stride if index == 0 else 1
            body = nn.Sequential(conv(inputs, maps, 1), conv(maps, maps, 3, step),
                                 conv(maps, 4 * maps, 1, act=None))
            projects = index == 0
            layers.append(Residual(body, conv(inputs, 4 * maps, 1, step, act=None) if projects else None))
            inputs = 4 * maps
    return nn.Sequential(*layers, *pooled(2048, 1000))


def mobilenetv2(size):
    layers, inputs = [conv(3, 32, 3, 2, act=nn.ReLU6)], 32
    for factor, maps, depth, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                        (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for index in range(depth):
            width, step = factor * inputs, stride if index == 0 else 1
            body = nn.Sequential(
                *([conv(inputs, width, 1, act=nn.ReLU6)] if factor > 1 else []),
                conv(width, width, 3, step, width, nn.ReLU6), conv(width, maps, 1, act=None))
            layers.append(Residual(body, relu=False) if step == 1 and inputs == maps else body)
            inputs = maps
    return nn.Sequential(*layers, conv(320, 1280, 1, act=nn.ReLU6), *pooled(1280, 1000))


class UNet(nn.Module):
    def __init__(self, size):
        super().__init__()
        double = lambda inputs, maps: nn.Sequential(conv(inputs, maps, 3), conv(maps, maps, 3))
        self.down = nn.ModuleList([double(1, 32), double(32, 64), double(64, 128)])
        self.pool = nn.ModuleList(nn.MaxPool2d(2) for _ in range(3))
        self.bottom = double(128, 256)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * maps, maps, 2, 2) for maps in (128, 64, 32))
        self.merge = nn.ModuleList(double(2 * maps, maps) for maps in (128, 64, 32))
        self.head = nn.Conv2d(32, 2, 1)

    def forward(self, x):
        skips = []
        for level, pool in zip(self.down, self.pool):
            skips.append(level(x))
            x = pool(skips[-1])
        x = self.bottom(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips)):
            x = merge(torch.cat([skip, up(x)], 1))
        return self.head(x)


# Preset, network, channels, size of the fixture's images, classes or outputs, middle of batch norm's biases. Of the
# millions of ReLUs in the deepest networks some come so close to zero that single precision decides them differently:
# PyTorch's own gradients are off by a fifth then. Biases of 3 keep most values away from there; for all networks the
# seed is the one that leaves the widest margin.
PRESETS = [
    ("lenet5", lenet5, 1, 28, 10, 0.0),
    ("keypoints-net2", keypoints_net2, 1, 36, 30, 0.0),
    ("glioma", glioma, 4, 44, 2, 0.0),
    ("tinyvgg", tinyvgg, 3, 16, 10, 0.0),
    ("resnet18-cifar", resnet18_cifar, 3, 16, 10, 0.0),
    ("unet", UNet, 1, 24, 2, 0.0),
    ("resnet50", resnet50, 3, 64, 1000, 3.0),
    ("vgg16", vgg16, 3, 32, 1000, 0.0),
    ("mobilenetv2", mobilenetv2, 3, 64, 1000, 3.0),
]


# Passes.

KINDS = {nn.Conv2d: "conv", nn.ConvTranspose2d: "convtranspose", nn.BatchNorm2d: "bn", nn.Linear: "dense"}


def named(model, x):
    """Parameters and running statistics by convc's names: layers numbered by kind in the order of evaluation."""
    names, numbers, hooks = {}, {}, []

    def number(layer, *_):
        kind = KINDS[type(layer)]
        numbers[kind] = numbers.get(kind, 0) + 1
        for name, value in layer.state_dict(keep_vars=True).items():
            if name != "num_batches_tracked":
                names[f"{kind}{numbers[kind]}.{name}"] = value

    for layer in model.modules():
        if type(layer) in KINDS:
            hooks.append(layer.register_forward_hook(number))
    with torch.no_grad():
        model.eval()(x)
    for hook in hooks:
        hook.remove()
    return names


def margin(model, x):
    """How near a training pass comes to a kink of an activation or a maximum, in deviations of the layer's input."""
    nearest, hooks = [], []

    def look(layer, given):
        x = given[0]
        if isinstance(layer, nn.MaxPool2d):
            size, stride = layer.kernel_size, layer.stride
            around = F.pad(x, [layer.padding] * 4, value=-torch.inf)
            cells = around.unfold(2, size, stride).unfold(3, size, stride).flatten(4)
            best = cells.topk(2).values
            gaps = best[..., 0] - best[..., 1]
            gaps = gaps[gaps > 0]  # equal cells are zeros of a ReLU
        else:
            gaps = torch.minimum(x.abs(), (x - 6).abs()) if isinstance(layer, nn.ReLU6) else x.abs()
        nearest.append((gaps.min() / x.std()).item())

    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
        if isinstance(layer, (nn.ReLU, nn.ReLU6, nn.MaxPool2d)):
            hooks.append(layer.register_forward_pre_hook(look))
    with torch.no_grad():
        model.train()(x)
    for hook in hooks:
        hook.remove()
    return min(nearest)


def passes(model, values, x, target, loss):
    """Inference, then one training pass without dropout; what it gives for each parameter."""
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    with torch.no_grad():
        inferred = model.eval()(x)
    model.zero_grad()
    trained = model.train()(x)
    value = loss(trained, target)
    value.backward()
    results = {name: value.grad if value.requires_grad else value for name, value in values.items()}
    return inferred, trained.detach(), value.detach(), {k: v.detach().clone() for k, v in results.items()}


def summary(result):
    flat = result.reshape(-1)
    return torch.cat([flat.norm()[None], flat.abs().max()[None], flat[places(len(flat))]])


def write(folder, name, model, x, target, loss, keeps):
    """Writes a network's file; says how far single precision is from double."""
    values = named(model, x)
    begin = {key: value.detach().clone() for key, value in values.items()}
    _, _, _, single = passes(model, values, x, target, loss)
    with torch.no_grad():
        for key, value in values.items():
            value.copy_(begin[key])
    exact = target.double() if target.is_floating_point() else target
    values = named(model.double(), x.double())
    inferred, trained, value, double = passes(model, values, x.double(), exact, loss)
    tensors = {key: summary(result) for key, result in double.items()}
    tensors |= {"inferred": inferred, "trained": trained, "loss": value.reshape(1)}
    tensors = {key: value.float().contiguous() for key, value in tensors.items()}
    if keeps:
        tensors |= {f"start.{key}": value for key, value in begin.items()}
        tensors["start.image"] = x
        tensors["start.target"] = target if target.is_floating_point() else target.int()
    save_file(tensors, folder / f"{name}.safetensors")
    # A gradient that is zero but for rounding is measured by the others.
    floor = 1e-3 * max(result.abs().max() for key, result in double.items() if values[key].requires_grad)
    gaps = {key: ((single[key] - exact).abs().max() / exact.abs().max().clamp(min=floor)).item()
            for key, exact in double.items()}
    worst = max(gaps, key=gaps.get)
    print(f"{name}: loss {value:.5f}, single precision differs by {gaps[worst]:.1e} in {worst}", flush=True)


def begun(preset, seed):
    """A preset's network with the parameters of a seed, and the images."""
    name, network, channels, size, _, shift = preset
    prefix, shape = f"{name}.{seed}", (2, channels, size, size)
    bound = math.sqrt(3)
    x = torch.from_numpy(Values(f"{prefix}.image", int(np.prod(shape))).uniform(-bound, bound).reshape(shape))
    model = network(size)
    with torch.no_grad():
        for key, value in named(model, x).items():
            value.copy_(torch.from_numpy(start(prefix, key, value.shape, shift)))
    return model, x


def widest(preset):
    """The seed with the widest margin, and the margin."""
    found = []
    for seed in range(SEEDS):
        model, x = begun(preset, seed)
        found.append((margin(model.double(), x.double()), seed))
    return max(found)


def made(folder):
    entries = []
    for preset in PRESETS:
        name, _, channels, size, classes, shift = preset
        gap, seed = widest(preset)
        model, x = begun(preset, seed)
        shape = model.eval()(x).shape
        if name == "keypoints-net2":
            values = Values(f"{name}.{seed}.target", int(np.prod(shape))).uniform(-1, 1)
            target, loss = torch.from_numpy(values.reshape(shape)), F.mse_loss
        else:
            labels = Values(f"{name}.{seed}.target", shape[0] * int(np.prod(shape[2:]))).labels(classes)
            target, loss = torch.from_numpy(labels.reshape(shape[:1] + shape[2:])), F.cross_entropy
        print(f"seed {seed}, margin {gap:.1e}", end=", ")
        write(folder, name, model, x, target, loss, False)
        entries.append({"name": name, "batch": 2, "input": [channels, size, size], "classes": classes,
                        "shift": shift, "seed": seed})
    return entries


def given(folder, path, batch):
    spec = importlib.util.spec_from_file_location("models", path)
    module = importlib.util.module_from_spec(spec)
    importlib.sys.modules["models"] = module
    spec.loader.exec_module(module)
    entries = []
    for name, network in module.MODELS.items():
        x, target = network.batch(batch)
        name = "keypoints-net2" if name == "keypoints" else name
        loss = F.mse_loss if network.loss == "mse" else F.cross_entropy
        write(folder, name, network.model(), x, target, loss, True)
        entries.append({"name": name, "batch": batch, "input": list(x.shape[1:]), "classes": network.classes})
    return entries


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--models", type=Path)
    arguments.add_argument("--batch", type=int, default=2)
    arguments.add_argument("--folder", type=Path, default=Path(__file__).parent / "presets")
    options = arguments.parse_args()
    options.folder.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    if options.models:
        entries = given(options.folder, options.models, options.batch)
    else:
        entries = made(options.folder)
    lines = ",\n".join(map(json.dumps, entries))
    (options.folder / "presets.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
