"""Writes fixtures of the convolution family, with PyTorch as the judge: python make_convolutions.py

Each NAME.safetensors holds the case of that name in Conv1DTests and its neighbours: input x0, parameters p.NAME, output y,
a random gradient d_y of the output, and the gradients d_x0 and d_p.NAME that it gives. PyTorch computes in double
precision, on numbers that were rounded to single precision first.
"""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

FOLDER = Path(__file__).parent


def numbers(*shape):
    return torch.randn(shape, dtype=torch.float64).float().double().requires_grad_()


def case(name, function, x, **parameters):
    """Parameters are shapes, or tensors."""
    torch.manual_seed(sum(name.encode()))
    x = numbers(*x)
    parameters = {key: numbers(*shape) for key, shape in parameters.items()}
    y = function(x, **parameters)
    d_y = numbers(*y.shape).detach()
    y.backward(d_y)
    tensors = {"x0": x, "y": y, "d_y": d_y, "d_x0": x.grad}
    for key, value in parameters.items():
        tensors[f"p.{key}"] = value
        tensors[f"d_p.{key}"] = value.grad
    save_file({key: value.detach().float().contiguous() for key, value in tensors.items()},
              FOLDER / f"{name}.safetensors")


def conv1d(left=0, right=0, **settings):
    return lambda x, weight, bias=None: F.conv1d(F.pad(x, (left, right)), weight, bias, **settings)


case("conv1d", conv1d(left=2, right=1, stride=2, dilation=2), (3, 2, 11), weight=(5, 2, 3), bias=(5,))
case("conv1d_causal", conv1d(left=6, dilation=3), (1, 3, 9), weight=(4, 3, 3), bias=(4,))
case("conv1d_groups", conv1d(left=1, right=1, groups=2), (2, 4, 10), weight=(6, 2, 2))
case("conv1d_blocks", conv1d(left=2, right=2), (2, 16, 13), weight=(16, 16, 5), bias=(16,))
case("conv1d_depthwise", conv1d(left=1, right=1, stride=2, dilation=2, groups=16), (3, 16, 12),
     weight=(16, 1, 3), bias=(16,))

case("maxpool1d", lambda x: F.max_pool1d(F.pad(x, (1, 0), value=-torch.inf), 3, 2, ceil_mode=True), (3, 2, 10))
case("maxpool1d_tiles", lambda x: F.max_pool1d(x, 2), (1, 5, 9))
case("maxpool1d_blocks", lambda x: F.max_pool1d(x, 4, 3, 1), (2, 16, 11))
case("averagepool1d", lambda x: F.avg_pool1d(F.pad(x, (1, 0)), 3, 2), (3, 2, 10))
case("averagepool1d_inside", lambda x: F.avg_pool1d(x, 3, 2, 1, count_include_pad=False), (1, 5, 9))
case("averagepool1d_blocks", lambda x: F.avg_pool1d(x, 4), (2, 16, 11))

conv2d_position = lambda x, weight, bias: F.conv2d(x, weight, stride=2, padding=1) + bias
case("conv2d_positionbias", conv2d_position, (3, 2, 7, 5), weight=(5, 2, 3, 3), bias=(5, 4, 3))
case("conv2d_positionbias_blocks", lambda x, weight, bias: F.conv2d(x, weight) + bias, (2, 16, 4, 5),
     weight=(16, 16, 2, 3), bias=(16, 3, 3))
case("conv1d_positionbias", lambda x, weight, bias: F.conv1d(x, weight) + bias, (1, 3, 9), weight=(4, 3, 3),
     bias=(4, 7))

case("conv2d_flipped", lambda x, weight, bias: F.conv2d(F.pad(x, (2, 1, 0, 1)), weight.flip(2, 3), bias, stride=2),
     (3, 3, 6, 7), weight=(5, 3, 2, 3), bias=(5,))
case("conv2d_flipped_blocks", lambda x, weight: F.conv2d(x, weight.flip(2, 3), padding=1), (2, 16, 5, 4),
     weight=(16, 16, 3, 3))
case("conv2d_flipped_depthwise", lambda x, weight, bias: F.conv2d(x, weight.flip(2, 3), bias, groups=16),
     (1, 16, 5, 4), weight=(16, 1, 2, 3), bias=(16,))
case("conv1d_flipped", lambda x, weight, bias: F.conv1d(x, weight.flip(2), bias), (2, 3, 9), weight=(4, 3, 4),
     bias=(4,))

case("convtranspose2d_dilated", lambda x, weight, bias: F.conv_transpose2d(
    x, weight, bias, stride=(2, 3), padding=(1, 2), output_padding=(1, 0), dilation=(2, 1), groups=2),
    (3, 4, 4, 3), weight=(4, 3, 3, 2), bias=(6,))
case("convtranspose1d", lambda x, weight, bias: F.conv_transpose1d(x, weight, bias, stride=3, output_padding=1)[..., 1:],
     (3, 2, 5), weight=(2, 5, 4), bias=(5,))
case("convtranspose1d_blocks", lambda x, weight, bias: F.conv_transpose1d(x, weight, bias, stride=2), (2, 16, 7),
     weight=(16, 16, 2), bias=(16,))
case("convtranspose1d_groups", lambda x, weight: F.conv_transpose1d(
    x, weight, stride=2, padding=1, dilation=2, groups=2), (1, 4, 6), weight=(4, 3, 3))
