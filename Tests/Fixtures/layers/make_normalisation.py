"""Writes CASE.safetensors for the cases of softmaxes, PReLU, and normalisations, with PyTorch as the judge.

    python make_normalisation.py [FOLDER]

Inputs are rounded to single precision, everything else is computed in double precision and stored as single:
x0 and p.NAME go in, d_y is the gradient of the output y; d_x0 and d_p.NAME are the gradients.
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


def case(name, shape, function, parameters=None):
    """`function(x, **parameters)` on random values; parameters maps names to tensors."""
    seed = sum(name.encode())
    parameters = parameters or {}
    x = values(seed, shape)
    y = function(x, **parameters)
    d_y = values(seed + 1, y.shape)
    y.backward(d_y)
    tensors = {"x0": x, "y": y, "d_y": d_y, "d_x0": x.grad}
    for key, tensor in parameters.items():
        tensors[f"p.{key}"] = tensor
        tensors[f"d_p.{key}"] = tensor.grad
    save_file({key: tensor.detach().to(torch.float32).contiguous() for key, tensor in tensors.items()},
              FOLDER / f"{name}.safetensors")


def softmaxes():
    for name, shape, dim in [
            ("softmax", (3, 7), 1), ("softmax_maps", (2, 5, 3, 7), 1), ("softmax_blocks", (3, 32, 3, 5), 1),
            ("softmax_rows", (1, 3, 5, 4), 2), ("softmax_columns", (2, 16, 3, 9), -1),
            ("softmax_sequence", (17, 3, 11), 2)]:
        case(name, shape, lambda x: F.softmax(x, dim))
    for name, shape, dim in [
            ("logsoftmax", (1, 19), -1), ("logsoftmax_maps", (2, 16, 3, 5), 1),
            ("logsoftmax_rows", (3, 2, 7, 3), -2), ("logsoftmax_sequence", (2, 5, 9), 1)]:
        case(name, shape, lambda x: F.log_softmax(x, dim))


def prelus():
    for name, shape, slopes in [
            ("prelu", (3, 2, 5, 7), 2), ("prelu_shared", (2, 16, 3, 3), 1), ("prelu_features", (1, 19), 19),
            ("prelu_sequence", (17, 3, 9), 3), ("prelu_blocks", (2, 32, 5, 3), 32)]:
        case(name, shape, lambda x, slope: F.prelu(x, slope), {"slope": values(5, slopes, 0.2, 0.25)})


def space_norm(x, size, alpha, beta, kappa):
    """Across space, as local_response_norm does it across channels: zeros around, divided by the whole window."""
    if x.dim() == 3:
        return space_norm(x.unsqueeze(2), (1, size), alpha, beta, kappa).squeeze(2)
    size = (size, size) if isinstance(size, int) else size
    squares = F.avg_pool2d(x * x, size, 1, (size[0] // 2, size[1] // 2), count_include_pad=True)
    return x * (kappa + alpha * squares) ** -beta


def local_response_norms():
    for name, shape, size, alpha, beta, kappa in [
            ("lrn", (3, 7, 3, 5), 5, 0.5, 0.75, 1), ("lrn_sum", (2, 16, 3, 3), 3, 3 * 0.1, 0.75, 2),
            ("lrn_power", (17, 5, 9), 3, 0.7, 0.6, 1), ("lrn_length", (2, 32, 3, 5), 63, 63, 0.5, 0)]:
        case(name, shape, lambda x: F.local_response_norm(x, size, alpha, beta, kappa))
    # Features are channels of a single place.
    case("lrn_features", (1, 19),
         lambda x: F.local_response_norm(x.unsqueeze(2), 5, 0.5, 1, 1).squeeze(2))
    case("lrn_all_features", (3, 7),
         lambda x: F.local_response_norm(x.unsqueeze(2), 13, 0.5 * 13 / 7, 0.75, 1).squeeze(2))
    for name, shape, size, beta, kappa in [
            ("lrn_space", (2, 3, 5, 7), 3, 0.75, 1), ("lrn_space_blank", (1, 16, 3, 4), 5, 0.75, 0),
            ("lrn_space_sequence", (3, 2, 9), 3, 0.6, 1)]:
        case(name, shape, lambda x: space_norm(x, size, 0.5, beta, kappa))


def group_norms():
    """Statistics of groups of an image's channels; `groups` 1 is a layer norm, as many as channels an instance norm."""
    for name, shape, groups, affine in [
            ("groupnorm", (3, 6, 5, 7), 2, True), ("groupnorm_lanes", (2, 16, 3, 3), 4, True),
            ("groupnorm_blocks", (2, 48, 3, 5), 2, True), ("groupnorm_wide", (1, 32, 4, 3), 1, False),
            ("groupnorm_features", (17, 12), 3, True), ("groupnorm_sequence", (3, 4, 19), 2, False),
            ("instancenorm", (3, 2, 5, 7), 2, False), ("instancenorm_blocks", (1, 32, 3, 5), 32, True),
            ("instancenorm_sequence", (2, 3, 33), 3, True),
            ("layernorm", (3, 5, 3, 7), 1, True), ("layernorm_features", (1, 19), 1, True),
            ("layernorm_blocks", (2, 32, 3, 3), 1, False),
            ("mvn", (3, 2, 5, 7), 2, False), ("mvn_across", (2, 16, 3, 5), 1, False),
            ("mvn_features", (17, 9), 1, False)]:
        parameters = {}
        if affine:
            parameters = {"weight": values(3, shape[1], 0.3, 1), "bias": values(4, shape[1], 0.3)}
        case(name, shape, lambda x, weight=None, bias=None: F.group_norm(x, groups, weight, bias, 1e-5), parameters)
    case("mvn_mean", (2, 3, 4, 5), lambda x: x - x.mean((2, 3), keepdim=True))
    case("mvn_mean_blocks", (3, 16, 3, 3), lambda x: x - x.mean((1, 2, 3), keepdim=True))


if __name__ == "__main__":
    softmaxes()
    prelus()
    local_response_norms()
    group_norms()
