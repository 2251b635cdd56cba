"""Writes what PyTorch gives for pooling, resampling, merging and reshaping layers: values, and gradients of all inputs.

    python make_shapes.py

Each file holds the inputs x0, x1, ..., the output y, its gradient d_y, and d_x0, d_x1, ... Computed in double precision
from inputs that are single-precision numbers.
"""
import struct
import json
from pathlib import Path

import torch
from torch.nn import functional as F

FOLDER = Path(__file__).parent


def save(path, tensors):
    """A safetensors file of single-precision tensors."""
    header, blob = {}, b""
    for name, tensor in tensors.items():
        data = tensor.detach().to(torch.float32).contiguous().numpy().tobytes()
        header[name] = {
            "dtype": "F32", "shape": list(tensor.shape),
            "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def case(name, function, *shapes):
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    inputs = [
        torch.randn(shape, generator=generator).double().requires_grad_() for shape in shapes]
    y = function(*inputs)
    d_y = torch.randn(y.shape, generator=generator).double()
    y.backward(d_y)
    tensors = {f"x{i}": x for i, x in enumerate(inputs)} | {"y": y, "d_y": d_y}
    for i, x in enumerate(inputs):
        if x.grad is not None:
            tensors[f"d_x{i}"] = x.grad
    save(FOLDER / f"{name}.safetensors", tensors)


def pad(x, top, bottom, left, right, **settings):
    return F.pad(x, (left, right, top, bottom), **settings)


def blocks(order):
    """Depth to space in either order; PyTorch's pixel_shuffle is crd."""
    def function(x, b=2):
        if order == "crd":
            return F.pixel_shuffle(x, b)
        n, c, h, w = x.shape
        x = x.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2)
        return x.reshape(n, c // (b * b), h * b, w * b)
    return function


def unblocks(x, b):
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, c * b * b, h // b, w // b)


def unpool(values, image, padded, kernel, stride):
    """The winners are taken from the padded image, and counted in it: PyTorch pads both sides alike."""
    top, bottom, left, right = padded
    whole = pad(image, *padded, value=-torch.inf)
    _, index = F.max_pool2d(whole, kernel, stride, return_indices=True)
    flat = torch.zeros(whole.shape[:2] + (whole.shape[2] * whole.shape[3],), dtype=values.dtype)
    flat = flat.scatter_add(2, index.flatten(2), values.flatten(2)).reshape(whole.shape)
    return flat[:, :, top:top + image.shape[2], left:left + image.shape[3]]


case("multiply", lambda a, b: a * b, (3, 2, 5, 7), (3, 2, 5, 7))
case("multiply_gate", lambda a, b: a * b, (1, 16, 3, 5), (1, 16, 1, 1))
case("multiply_three", lambda a, b, c: a * b * c, (2, 3, 1, 1), (2, 3, 4, 3), (2, 3, 4, 3))
case("multiply_features", lambda a, b: a * b, (5, 19), (5, 19))
case("multiply_sequence", lambda a, b: a * b, (2, 4, 1), (2, 4, 9))

case("upsample_nearest", lambda x: F.interpolate(x, scale_factor=2), (3, 2, 3, 5))
case("upsample_nearest_blocks", lambda x: F.interpolate(x, scale_factor=(3, 1)), (1, 16, 2, 3))
case("upsample_sequence", lambda x: F.interpolate(x, scale_factor=2), (2, 3, 7))
for name, factor, aligned, shape in [
        ("bilinear", (2, 2), False, (2, 3, 4, 5)), ("bilinear_odd", (3, 4), False, (1, 16, 3, 1)),
        ("corners", (2, 2), True, (2, 3, 4, 5)), ("corners_odd", (1, 3), True, (1, 2, 1, 5))]:
    case(f"upsample_{name}", lambda x: F.interpolate(
        x, scale_factor=factor, mode="bilinear", align_corners=aligned), shape)

case("maxunpool2d", lambda v, x: F.max_unpool2d(
    v, F.max_pool2d(x, 2, return_indices=True)[1], 2, output_size=x.shape[2:]),
    (3, 2, 2, 3), (3, 2, 5, 7))
case("maxunpool2d_overlapping", lambda v, x: unpool(v, x, (0, 0, 0, 0), 3, 2),
     (1, 16, 2, 3), (1, 16, 5, 7))
case("maxunpool2d_padded", lambda v, x: unpool(v, x, (0, 1, 2, 0), (2, 3), (3, 2)),
     (2, 3, 3, 3), (2, 3, 7, 5))

case("pad_constant", lambda x: pad(x, 2, 1, 0, 3, value=1.5), (3, 2, 3, 5))
case("pad_zeros", lambda x: pad(x, 1, 1, 1, 1), (1, 16, 2, 3))
case("pad_reflect", lambda x: pad(x, 2, 1, 0, 3, mode="reflect"), (2, 3, 4, 5))
case("pad_edge", lambda x: pad(x, 2, 1, 0, 3, mode="replicate"), (1, 16, 3, 2))
case("pad_sequence", lambda x: F.pad(x, (3, 1), mode="reflect"), (2, 3, 5))
case("pad_causal", lambda x: F.pad(x, (4, 0)), (2, 3, 7))

case("slice_channels", lambda x: x[:, 1:3], (3, 4, 3, 5))
case("slice_blocks", lambda x: x[:, 16:48], (1, 48, 2, 3))
case("slice_rows", lambda x: x[:, :, 1:7:2], (2, 16, 7, 3))
case("slice_columns", lambda x: x[..., -4:-1], (2, 3, 4, 7))
case("slice_steps", lambda x: x[:, 0:7:3], (2, 7, 2, 3))
case("slice_sequence", lambda x: x[..., 2:5], (2, 3, 8))
case("slice_features", lambda x: x[:, 3:20], (5, 40))

case("concat", lambda *x: torch.cat(x, 1), (3, 2, 3, 5), (3, 1, 3, 5))
case("concat_blocks", lambda *x: torch.cat(x, 1), (1, 16, 2, 3), (1, 32, 2, 3))
case("concat_rows", lambda *x: torch.cat(x, 2), (2, 16, 2, 3), (2, 16, 3, 3))
case("concat_columns", lambda *x: torch.cat(x, 3), (2, 3, 4, 5), (2, 3, 4, 1), (2, 3, 4, 2))
case("concat_sequence", lambda *x: torch.cat(x, 2), (2, 3, 4), (2, 3, 7))
case("concat_features", lambda *x: torch.cat(x, 1), (5, 3), (5, 17))

case("reshape", lambda x: x.reshape(3, 6, 2, 5), (3, 3, 4, 5))
case("reshape_blocks", lambda x: x.reshape(1, 4, 16, 3), (1, 32, 2, 3))
case("reshape_features", lambda x: x.reshape(2, 2, 3, 4), (2, 24))
case("reshape_sequence", lambda x: x.flatten(1), (2, 3, 7))
case("transpose", lambda x: x.permute(0, 2, 3, 1), (3, 2, 3, 5))
case("transpose_back", lambda x: x.permute(0, 3, 1, 2), (1, 16, 3, 16))
case("transpose_maps", lambda x: x.permute(0, 1, 3, 2), (2, 3, 4, 5))
case("transpose_sequence", lambda x: x.permute(0, 2, 1), (2, 3, 7))
case("depthtospace", blocks("dcr"), (3, 12, 3, 5))
case("depthtospace_crd", blocks("crd"), (3, 12, 3, 5))
case("depthtospace_three", lambda x: blocks("dcr")(x, 3), (1, 144, 1, 2))
case("spacetodepth", lambda x: unblocks(x, 2), (3, 3, 4, 6))
case("spacetodepth_crd", lambda x: F.pixel_unshuffle(x, 2), (3, 3, 4, 6))
case("spacetodepth_three", lambda x: unblocks(x, 3), (1, 16, 3, 6))

case("reducemean", lambda x: x.mean((2, 3), True), (3, 2, 3, 5))
case("reducemean_blocks", lambda x: x.mean(3), (1, 16, 3, 5))
case("reducemean_channels", lambda x: x.mean(1, True), (2, 5, 3, 4))
case("reducemean_sequence", lambda x: x.mean(2), (2, 3, 7))
case("reducesum", lambda x: x.sum((1, 3)), (3, 2, 3, 5))
case("reducesum_blocks", lambda x: x.sum(2, True), (1, 16, 3, 5))
case("reducesum_all", lambda x: x.sum((1, 2, 3), True), (2, 5, 3, 4))
case("reducesum_features", lambda x: x.sum(1, True), (2, 7))

case("maxpool2d", lambda x: F.max_pool2d(x, 2), (3, 2, 5, 7))
case("maxpool2d_overlapping", lambda x: F.max_pool2d(
    pad(x, 0, 1, 2, 0, value=-torch.inf), 3, 2), (2, 3, 6, 5))
case("maxpool2d_blocks", lambda x: F.max_pool2d(x, 2, 3, ceil_mode=True), (1, 16, 6, 7))
case("maxpool2d_large", lambda x: F.max_pool2d(x, (17, 16), 1), (2, 3, 18, 17))
case("globalmaxpool", lambda x: F.adaptive_max_pool2d(x, 1), (3, 2, 3, 5))
case("globalmaxpool_blocks", lambda x: F.adaptive_max_pool2d(x, 1), (1, 16, 3, 5))
case("globalmaxpool_large", lambda x: F.adaptive_max_pool2d(x, 1), (2, 3, 17, 16))
case("averagepool2d", lambda x: F.avg_pool2d(x, 2), (3, 2, 5, 7))
case("averagepool2d_overlapping", lambda x: F.avg_pool2d(pad(x, 0, 1, 2, 0), 3, 2), (2, 3, 6, 5))
case("averagepool2d_inside", lambda x: F.avg_pool2d(
    x, 3, 2, 1, ceil_mode=True, count_include_pad=False), (1, 16, 6, 7))
case("averagepool2d_ceil", lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), (2, 3, 6, 4))
case("globalaveragepool", lambda x: F.adaptive_avg_pool2d(x, 1), (3, 2, 3, 5))
case("globalaveragepool_blocks", lambda x: F.adaptive_avg_pool2d(x, 1), (1, 32, 4, 3))
case("globalaveragepool_pixel", lambda x: F.adaptive_avg_pool2d(x, 1), (2, 5, 1, 1))
case("sumpool2d", lambda x: F.avg_pool2d(x, 2, divisor_override=1), (3, 2, 5, 7))
case("sumpool2d_overlapping", lambda x: F.avg_pool2d(
    pad(x, 1, 0, 2, 1), 3, 2, divisor_override=1), (2, 3, 6, 5))
case("sumpool2d_blocks", lambda x: F.avg_pool2d(
    x, 2, 3, ceil_mode=True, divisor_override=1), (1, 16, 6, 7))
