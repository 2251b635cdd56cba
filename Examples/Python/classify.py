"""Runs a network in a shared library through ctypes, with nothing but the standard library.

    python3 classify.py out/liblenet5.so out/lenet5.safetensors
"""
import ctypes
import struct
import sys

library = ctypes.CDLL(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    header, = struct.unpack("<Q", file.read(8))
    file.seek(8 + header)
    parameters = file.read()  # the data section is the parameter block


def aligned(size, alignment=64):
    """A block of memory that starts at a multiple of the alignment, and what keeps it alive."""
    block = ctypes.create_string_buffer(size + alignment)
    return ctypes.c_void_p((ctypes.addressof(block) + alignment - 1) // alignment * alignment), block


packed, keep_packed = aligned(1 << 20)
workspace, keep_workspace = aligned(1 << 22)
assert library.lenet5_prepare(parameters, packed) == 0

picture = (ctypes.c_float * (28 * 28))()
for row in range(4, 24):
    picture[row * 28 + 14] = 1.0
scores = (ctypes.c_float * 10)()
inputs = (ctypes.c_void_p * 1)(ctypes.addressof(picture))
outputs = (ctypes.c_void_p * 1)(ctypes.addressof(scores))
assert library.lenet5_forward(packed, inputs, outputs, 1, 1, workspace) == 0
print("class", max(range(10), key=lambda k: scores[k]))
