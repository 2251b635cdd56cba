"""Compares one training pass of generated C with PyTorch on the same weights and images.

PyTorch computes in double precision. The C runs twice: as it is, and with double in the place of float, where nothing
is left of rounding: a ReLU whose input lies near 0 takes the same side in both, which single precision cannot promise.
Started by `Benchmarks/agreement`.
"""

import ctypes
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import numpy
import torch
from torch import nn
from torch.nn import functional

sys.dont_write_bytecode = True

import backend_torch
import networks

# The preset of a network where its name in a file of models is another one.
PRESETS = {"keypoints": "keypoints-net2"}


class Case:
    """A network, its batch and its loss, in PyTorch."""

    def __init__(self, name, batch, model, images, target, loss):
        self.name, self.batch, self.loss = name, batch, loss
        self.model, self.images, self.target = model, images, target
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            # In place, an activation's input would be lost to who asks for it.
            if isinstance(module, (nn.ReLU, nn.ReLU6)):
                module.inplace = False

    @classmethod
    def of_networks(cls, name, batch):
        network = networks.network(name)
        images, target = map(torch.from_numpy, network.data(batch))
        loss = functional.mse_loss if network.target == "values" else functional.cross_entropy
        return cls(name, batch, backend_torch.module(network), images, target, loss)

    @classmethod
    def of_file(cls, models, name, batch):
        spec = models.MODELS[name]
        images, target = spec.batch(batch)
        return cls(PRESETS.get(name, name), batch, spec.model(), images, target, spec.loss_fn())

    def modules(self):
        """Modules that have parameters, in the order in which they run."""
        order, hooks = [], []
        for module in self.model.modules():
            if any(True for _ in module.parameters(recurse=False)):
                hooks.append(module.register_forward_hook(lambda module, *_: order.append(module)))
        self.model.eval()
        with torch.no_grad():
            self.model(self.images[:1])
        for hook in hooks:
            hook.remove()
        return order

    def run(self, precision):
        """The loss, the outputs, and all gradients, module by module."""
        values = [(t, t.detach().clone()) for t in [*self.model.parameters(), *self.model.buffers()]]
        self.model.to(precision).train()
        self.model.zero_grad()
        images = self.images.to(precision)
        target = self.target.to(precision) if self.target.is_floating_point() else self.target
        output = self.model(images)
        loss = self.loss(output, target)
        loss.backward()
        gradients = [p.grad.double().numpy().copy() for m in self.order for p in m.parameters(recurse=False)]
        result = loss.item(), output.detach().double().numpy(), gradients
        self.model.float()
        with torch.no_grad():
            for tensor, value in values:
                tensor.copy_(value)
        return result


def structures(real):
    """The structures of a generated header, where `real` stands for float."""
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    longs = ctypes.POINTER(ctypes.c_int64)

    class Options(ctypes.Structure):
        _fields_ = [
            ("struct_size", ctypes.c_size_t), ("rate", real), ("momentum", real), ("weight_decay", real),
            ("accumulate", ctypes.c_int32), ("threads", ctypes.c_int32), ("reserved", ctypes.c_uint32),
            ("seed", ctypes.c_uint64), ("step", ctypes.c_uint64)]

    class Parameter(ctypes.Structure):
        _fields_ = [
            ("name", text), ("kind", ctypes.c_int32), ("rank", ctypes.c_int32), ("shape", longs),
            ("offset", ctypes.c_int64), ("gradient_offset", ctypes.c_int64)]

    class Model(ctypes.Structure):
        _fields_ = (
            [("abi_version", ctypes.c_uint32), ("struct_size", ctypes.c_uint32)]
            + [(name, text) for name in ("name", "target", "model_hash")]
            + [(name, ctypes.c_int32) for name in (
                "max_batch", "fixed_batch", "inputs_count", "outputs_count", "targets_count", "losses_count",
                "parameters_count", "classes_count")]
            + [(name, pointer) for name in ("inputs", "outputs", "targets", "losses")]
            + [("parameters", ctypes.POINTER(Parameter)), ("classes", pointer)]
            + [(name, ctypes.c_int64) for name in (
                "parameters_floats", "gradients_floats", "optimizer_floats", "packed_bytes",
                "inference_workspace_bytes", "training_workspace_bytes")])

    return Options, Model


def doubled(text):
    """C whose floats are doubles: sizes in bytes and masks double too, and logarithms are those of the C library."""
    text = re.sub(r"\bfloat\b", "double", text)
    text = re.sub(r"\b4 \* LANES\b", "8 * LANES", text).replace("aligned(4)", "aligned(8)")
    text = text.replace("typedef int32_t masks", "typedef int64_t masks")
    text = re.sub(r"\bint32_t (\(\*\w*\)\[LANES\])", r"int64_t \1", text)  # elements of masks
    text = re.sub(r"\b(arena|packed|\(char \*\)\w+) \+ (\d+)", lambda m: f"{m[1]} + {2 * int(m[2])}", text)
    for name in ("exp", "log"):
        text = re.sub(rf"(double {name}_float\(double x\) {{)", rf"\1 return {name}(x);", text)
        text = re.sub(
            rf"(INLINE lanes {name}_lanes\(lanes x\) {{)",
            rf"\1 lanes y; for (int l = 0; l < LANES; l++) y[l] = {name}(x[l]); return y;", text)
    return text


class Library:
    """Generated C, compiled and loaded."""

    def __init__(self, folder, precision, compiler):
        self.type = numpy.float64 if precision == "double" else numpy.float32
        self.scale = 2 if precision == "double" else 1
        own = os.path.join(folder, precision)
        os.makedirs(own)
        sources = []
        for name in os.listdir(folder):
            if not name.endswith((".c", ".h")):
                continue
            with open(os.path.join(folder, name)) as file:
                text = file.read()
            with open(os.path.join(own, name), "w") as file:
                file.write(doubled(text) if precision == "double" else text)
            if name.endswith(".c"):
                sources.append(os.path.join(own, name))
        path = os.path.join(own, "library.so")
        subprocess.run(
            [compiler, "-O2", "-march=native", "-w", "-fPIC", "-shared", *sources, "-lm", "-o", path], check=True)
        self.library = ctypes.CDLL(path)
        header = next(name for name in os.listdir(folder) if name.endswith(".h"))
        self.name = header[:-2]
        self.Options, Model = structures(ctypes.c_double if precision == "double" else ctypes.c_float)
        describe = self.library[f"{self.name}_model"]
        describe.restype = ctypes.POINTER(Model)
        self.model = describe().contents

    def block(self, count, dtype=None):
        """Zeros at a multiple of 64 bytes."""
        dtype = numpy.dtype(dtype or self.type)
        room = numpy.zeros(count * dtype.itemsize + 64, dtype="uint8")
        start = -room.ctypes.data % 64
        return room[start:start + count * dtype.itemsize].view(dtype)

    def entries(self, kind):
        listed = [self.model.parameters[i] for i in range(self.model.parameters_count)]
        return [entry for entry in listed if entry.kind == kind]

    def run(self, case):
        model, batch = self.model, case.batch
        parameters = self.block(model.parameters_floats)
        arrays = [p for module in case.order for p in module.parameters(recurse=False)]
        statistics = [
            b for module in case.order for name, b in module.named_buffers(recurse=False) if name.startswith("running")]
        for entries, tensors in ((self.entries(0), arrays), (self.entries(2), statistics)):
            if len(entries) != len(tensors):
                raise ValueError(f"{self.name} has {len(entries)} parameters of a kind, PyTorch {len(tensors)}")
            for entry, tensor in zip(entries, tensors):
                shape = tuple(entry.shape[:entry.rank])
                if shape != tuple(tensor.shape):
                    raise ValueError(f"{entry.name.decode()} is {shape}, PyTorch has {tuple(tensor.shape)}")
                count = tensor.numel()
                parameters[entry.offset:entry.offset + count] = tensor.detach().numpy().ravel()
        packed = self.block(self.scale * model.packed_bytes, "uint8")
        workspace = self.block(self.scale * model.training_workspace_bytes, "uint8")
        gradients = self.block(model.gradients_floats)
        losses = self.block(max(1, model.losses_count))
        output = self.block(case.shape[0] * int(numpy.prod(case.shape[1:])))
        images = numpy.ascontiguousarray(case.images.numpy(), dtype=self.type)
        target = case.target.numpy()
        target = numpy.ascontiguousarray(target, dtype=self.type if target.dtype.kind == "f" else "int32")
        options = self.Options(struct_size=ctypes.sizeof(self.Options), threads=1)

        def at(array):
            return ctypes.c_void_p(array.ctypes.data)

        def pointers(array):
            return (ctypes.c_void_p * 1)(array.ctypes.data)

        self.call("prepare", at(parameters), at(packed))
        self.call(
            "gradients", at(parameters), at(packed), pointers(images), pointers(target), batch,
            ctypes.byref(options), at(gradients), at(losses), pointers(output), at(workspace))
        pieces = []
        for entry, tensor in zip(self.entries(0), arrays):
            first = entry.gradient_offset
            pieces.append(gradients[first:first + tensor.numel()].reshape(tensor.shape).astype("float64"))
        return float(losses[0]), output.reshape(case.shape).astype("float64"), pieces

    def call(self, function, *values):
        code = self.library[f"{self.name}_{function}"](*values)
        if code:
            raise ValueError(f"{self.name}_{function} returned {code}")


def largest(array):
    return float(numpy.abs(array).max())


def difference(value, reference, least=0):
    """The largest difference as a share of the largest reference."""
    return largest(value - reference) / max(largest(reference), least)


def differences(result, reference):
    """Of the loss, of the outputs, and of the gradient of which it is largest."""
    loss = abs(result[0] - reference[0]) / abs(reference[0])
    # A shift that a later batch norm takes away has the gradient 0, and rounding alone.
    least = 1e-6 * max(map(largest, reference[2]))
    gradients = max(difference(a, b, least) for a, b in zip(result[2], reference[2]))
    return loss, difference(result[1], reference[1]), gradients


def generate(case, convc, target, folder):
    """The C of a preset, dropout off."""
    name = os.path.join(folder, "model.yaml")
    stage = [convc, "emit", case.name, "--stage", "model", "--batch", str(case.batch)]
    text = subprocess.run(stage, check=True, capture_output=True, text=True).stdout
    with open(name, "w") as file:
        file.write(re.sub(r"{layer: Dropout(, rate: [^,}]*)?", "{layer: Dropout, rate: 0", text))
    subprocess.run(
        [convc, "emit", name, "--mode", "train", "--batch", str(case.batch), "--target", target,
         "--output", os.path.join(folder, "c")], check=True, capture_output=True)
    return os.path.join(folder, "c")


def compare(case, options):
    case.order = case.modules()
    reference = case.run(torch.float64)
    case.shape = reference[1].shape
    single = differences(case.run(torch.float32), reference)
    folder = tempfile.mkdtemp()
    try:
        source = generate(case, options.convc, options.target, folder)
        results = [
            differences(Library(source, precision, options.compiler).run(case), reference)
            for precision in ("float", "double")]
    finally:
        shutil.rmtree(folder)
    cells = [f"{value:.0e}" for result in (*results, single) for value in result]
    print(f"| {case.name} | {case.batch} | " + " | ".join(cells) + " |", flush=True)
    return max(results[1]) <= options.limit and max(results[0][:2]) <= options.limit


def main():
    options = SimpleNamespace(**json.loads(sys.argv[1]))
    models = None
    if options.models:
        spec = importlib.util.spec_from_file_location("models", options.models)
        models = importlib.util.module_from_spec(spec)
        sys.modules["models"] = models
        spec.loader.exec_module(models)
    known = list(models.MODELS) if models else networks.NAMES
    chosen = options.networks.split(",") if options.networks else known
    for name in chosen:
        if name not in known:
            sys.exit(f"no network {name}; there are {', '.join(known)}")
    torch.set_num_threads(2)
    print("Largest differences from PyTorch in double precision, as a share of the largest value. Loss, outputs, gradients:")
    print()
    print("| network | batch | convc | | | its C in double | | | PyTorch in float | | |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    agree = True
    for name in chosen:
        case = Case.of_file(models, name, options.batch) if models else Case.of_networks(name, options.batch)
        agree = compare(case, options) and agree
    if not agree:
        sys.exit(f"some differ by more than {options.limit:.0e}")


if __name__ == "__main__":
    main()
