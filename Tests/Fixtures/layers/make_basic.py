"""Writes CASE.safetensors for convolutions, dense layers, batch norm, sums, activations, elementary functions and arithmetic,
with PyTorch as the judge.

    python make_basic.py [FOLDER]

Inputs are rounded to single precision, everything else is computed in double precision and stored as single:
x0, x1, ... and p.NAME go in, d_y is the gradient of the output y; d_x0, ... and d_p.NAME are the gradients.
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)


def values(seed, shape, scale=1.0, offset=0.0):
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(shape, generator=generator) * scale + offset
    return numbers.to(torch.float32).to(torch.float64).requires_grad_()


def positive(seed, shape):
    """Numbers between 1/e and e."""
    return torch.exp(torch.tanh(values(seed, shape))).detach().to(torch.float32).to(torch.float64).requires_grad_()


def case(name, shapes, function, draw=values, **parameters):
    """`function(*inputs, **parameters)` on random values; parameters maps names to tensors."""
    seed = sum(name.encode())
    inputs = [draw(seed + index, shape) for index, shape in enumerate(shapes)]
    y = function(*inputs, **parameters)
    d_y = values(seed + 9, y.shape)
    y.backward(d_y)
    tensors = {"y": y, "d_y": d_y}
    for index, x in enumerate(inputs):
        tensors[f"x{index}"] = x
        tensors[f"d_x{index}"] = x.grad
    for key, tensor in parameters.items():
        tensors[f"p.{key}"] = tensor
        if tensor.grad is not None:
            tensors[f"d_p.{key}"] = tensor.grad
    stored = {key: tensor.detach().to(torch.float32).contiguous() for key, tensor in tensors.items()}
    save_file(stored, FOLDER / f"{name}.safetensors")


def convolutions():
    def conv(name, shape, weight, bias=True, pad=(0, 0, 0, 0), **settings):
        left, right, top, bottom = pad
        parameters = {"weight": values(1, weight, 0.3)}
        if bias:
            parameters["bias"] = values(2, weight[:1], 0.3)
        case(name, [shape],
             lambda x, weight, bias=None: F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, **settings),
             **parameters)

    conv("conv2d", (2, 3, 5, 7), (4, 3, 3, 3), padding=1)
    conv("conv2d_blocks", (2, 16, 7, 9), (32, 16, 3, 3), padding=1, stride=2)
    conv("conv2d_asymmetric", (1, 2, 6, 5), (5, 2, 2, 4), bias=False, pad=(2, 0, 0, 1), stride=(2, 1))
    conv("conv2d_dilated_groups", (3, 3, 5, 5), (6, 1, 3, 3), padding=2, dilation=2, groups=3)
    conv("conv2d_depthwise", (2, 16, 7, 5), (16, 1, 3, 3), padding=1, stride=2, groups=16)
    conv("conv2d_pointwise", (3, 32, 3, 5), (16, 32, 1, 1))


def dense():
    case("dense", [(3, 7)], F.linear, weight=values(1, (4, 7), 0.3), bias=values(2, (4,)))
    case("dense_blocks", [(17, 48)], F.linear, weight=values(1, (32, 48), 0.3), bias=values(2, (32,)))
    case("dense_no_bias", [(1, 33)], F.linear, weight=values(1, (19, 33), 0.3))


def batch_norms():
    for name, shape in [("batchnorm2d", (3, 3, 4, 5)), ("batchnorm2d_blocks", (2, 32, 3, 5)),
                        ("batchnorm2d_features", (17, 19)), ("batchnorm2d_one", (1, 2, 5, 7)),
                        ("batchnorm2d_sequence", (17, 3, 7))]:
        channels = shape[1]
        mean, variance = torch.zeros(channels, dtype=torch.float64), torch.ones(channels, dtype=torch.float64)

        def norm(x, weight, bias, running_mean, running_var):
            return F.batch_norm(x, None, None, weight, bias, training=True, eps=float(torch.tensor(1e-2)))

        case(name, [shape], norm, weight=values(1, (channels,), 0.3, 1.0), bias=values(2, (channels,), 0.3),
             running_mean=mean, running_var=variance)


def others():
    case("add", [(3, 2, 5, 7)] * 2, lambda a, b: a + b)
    case("add_blocks", [(2, 32, 3, 3)] * 3, lambda a, b, c: a + b + c)
    case("add_features", [(1, 19)] * 2, lambda a, b: a + b)
    case("flatten", [(3, 2, 5, 7)], lambda x: x.flatten(1))
    case("flatten_blocks", [(2, 32, 3, 3)], lambda x: x.flatten(1))
    case("flatten_sequence", [(1, 3, 11)], lambda x: x.flatten(1))
    for name, shape, extents in [
            ("", (2, 3, 4, 5), (6, 4, 5)), ("_blocks", (5, 16, 2, 3), (3, 32, 5)),
            ("_features", (7, 15), (1, 3, 5, 7)), ("_sequence", (1, 3, 14), (21, 2))]:
        case(f"reshapeall{name}", [shape], lambda x, extents=extents: x.reshape(extents))


def activations():
    slope, alpha = float(torch.tensor(0.2)), float(torch.tensor(0.8))
    functions = {
        "relu": F.relu, "relu6": F.relu6, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
        "leakyrelu": lambda x: F.leaky_relu(x, slope), "elu": lambda x: F.elu(x, alpha), "selu": F.selu,
        "silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "softplus": F.softplus, "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish,
        "clip": lambda x: x.clamp(-0.5, 0.75), "softsign": F.softsign,
    }
    for name, function in functions.items():
        for suffix, shape in [("", (3, 2, 5, 7)), ("_blocks", (2, 32, 3, 5)), ("_features", (1, 19))]:
            case(name + suffix, [shape], function)


def elementary():
    for name, shape, function in [
            ("abs", (3, 2, 5, 7), torch.abs), ("sin", (2, 32, 3, 5), torch.sin), ("cos", (2, 3, 9), torch.cos),
            ("erf", (1, 19), torch.erf), ("negate", (5, 3, 1, 4), torch.neg)]:
        case(f"elementary_{name}", [shape], function)
    for name, shape, function in [
            ("exp", (2, 3, 4, 5), torch.exp), ("log", (3, 16, 3, 3), torch.log), ("sqrt", (1, 3, 11), torch.sqrt),
            ("reciprocal", (5, 19), torch.reciprocal)]:
        case(f"elementary_{name}", [shape], function, draw=positive)


def arithmetic():
    tensors = [
        ("add", (2, 3, 4, 1), (2, 1, 4, 9), torch.add), ("subtract", (3, 2, 5, 7), (3, 2, 1, 1), torch.sub),
        ("multiply", (2, 1, 4, 5), (2, 3, 1, 5), torch.mul), ("divide", (2, 3, 4, 5), (2, 1, 4, 1), torch.div),
        ("maximum", (2, 16, 3, 5), (2, 16, 3, 5), torch.maximum), ("minimum", (1, 19), (1, 1), torch.minimum),
        ("power", (2, 3, 7), (2, 1, 7), torch.pow)]
    for name, a, b, function in tensors:
        case(f"arithmetic_{name}", [a, b], function, draw=positive if name in ("divide", "power") else values)
    constants = [
        ("constants", (3, 2, 3, 5), (1, 3, 5), lambda x, value: value - x),
        ("channels", (2, 16, 3, 3), (16, 1, 1), lambda x, value: x / value),
        ("spread", (2, 1, 3, 5), (4, 1, 5), lambda x, value: x * value),
        ("over", (5, 19), (19,), lambda x, value: value / x), ("power_of", (2, 3, 9), (1, 1), lambda x, value: x ** value)]
    for name, shape, extents, function in constants:
        # Training leaves constants alone: their gradient is stored as zeros.
        value = positive(1, extents)
        value.requires_grad_(False)
        value.grad = torch.zeros_like(value)
        draw = positive if name in ("over", "power_of") else values
        case(f"arithmetic_{name}", [shape], function, draw=draw, value=value)


if __name__ == "__main__":
    convolutions()
    dense()
    batch_norms()
    others()
    activations()
    elementary()
    arithmetic()
