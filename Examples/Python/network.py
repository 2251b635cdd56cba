"""Any network that convc built, called with numpy arrays.

    network = Network("out/libmnist.so")                           # weights in the library (--weights embed)
    network = Network("out/liblenet5.so", "out/lenet5.safetensors")
    [scores] = network(pictures)
"""
import ctypes
import re
from pathlib import Path

import numpy as np

TYPES = {1: np.float32, 2: np.int32, 3: np.int64, 4: np.bool_}
POINTER, TEXT, INT, LONG = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_int64


class Tensor(ctypes.Structure):
    """convc_tensor of the header."""
    _fields_ = [("name", TEXT), ("element", INT), ("rank", INT), ("shape", ctypes.POINTER(LONG)),
                ("preprocessing", POINTER)]


class Model(ctypes.Structure):
    """convc_model of the header, which every library describes itself with."""
    _fields_ = (
        [("abi_version", ctypes.c_uint32), ("struct_size", ctypes.c_uint32), ("name", TEXT), ("target", TEXT),
         ("model_hash", TEXT), ("max_batch", INT), ("fixed_batch", INT)]
        + [(name + "_count", INT) for name in ["inputs", "outputs", "targets", "losses", "parameters", "classes"]]
        + [(name, ctypes.POINTER(Tensor)) for name in ["inputs", "outputs", "targets"]]
        + [("losses", POINTER), ("parameters", POINTER), ("classes", ctypes.POINTER(TEXT))]
        + [(name, LONG) for name in ["parameters_floats", "gradients_floats", "optimizer_floats", "packed_bytes",
                                     "inference_workspace_bytes", "training_workspace_bytes"]]
        + [(name, POINTER) for name in ["prepare", "forward", "gradients", "update", "train_step",
                                        "embedded_packed", "embedded_parameters"]])


def aligned(size):
    """Bytes that start at a multiple of 64."""
    block = np.zeros(size + 64, np.uint8)
    start = -block.ctypes.data % 64
    return block[start:start + size]


class Network:
    def __init__(self, library, weights=None):
        name = re.fullmatch(r"lib(\w+)\.so", Path(library).name).group(1)
        self.library = ctypes.CDLL(str(Path(library).resolve()))
        describe = self.library[name + "_model"]
        describe.restype = ctypes.POINTER(Model)
        self.model = describe().contents
        if self.model.abi_version != 2:
            raise ValueError(f"{library} speaks version {self.model.abi_version} of the interface, expected 2")
        self.forward = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER, POINTER, ctypes.c_int, ctypes.c_int, POINTER)(
            self.model.forward)
        self.workspace = aligned(self.model.inference_workspace_bytes)
        self.inputs = self.model.inputs[:self.model.inputs_count]
        self.outputs = self.model.outputs[:self.model.outputs_count]
        self.packed = self.model.embedded_packed
        if weights is not None:
            self.load(weights)
        elif not self.packed:
            raise ValueError(f"{library} has no weights in it; give a file of weights")

    def load(self, path):
        """Takes weights from a safetensors file, whose data section is the parameter block."""
        data = np.fromfile(path, np.uint8)
        header = int(data[:8].view("<u8")[0])
        parameters = np.ascontiguousarray(data[8 + header:])
        if parameters.size != 4 * self.model.parameters_floats:
            raise ValueError(f"{path} holds weights of another network")
        self.block = aligned(self.model.packed_bytes)
        prepare = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER)(self.model.prepare)
        if status := prepare(parameters.ctypes.data, self.block.ctypes.data):
            raise RuntimeError(f"prepare returned {status}")
        self.packed = self.block.ctypes.data

    def __call__(self, *inputs, threads=0):
        """Runs the network; axis 0 of each array is the batch. Gives a list of arrays, one for each output."""
        if len(inputs) != len(self.inputs):
            raise ValueError(f"{len(inputs)} inputs, expected {len(self.inputs)}")
        arrays = []
        for array, tensor in zip(inputs, self.inputs):
            array = np.ascontiguousarray(array, TYPES[tensor.element])
            if array.shape[1:] != self.shape(tensor)[1:] or len(array) != len(inputs[0]):
                raise ValueError(f"{tensor.name.decode()} is {array.shape}, expected {self.shape(tensor)}")
            arrays.append(array)
        batch = 1 if self.model.fixed_batch else len(arrays[0])
        results = [np.empty(self.shape(tensor) if self.model.fixed_batch else (batch, *self.shape(tensor)[1:]),
                            TYPES[tensor.element]) for tensor in self.outputs]
        if status := self.forward(self.packed, self.addresses(arrays), self.addresses(results), batch, threads,
                                  self.workspace.ctypes.data):
            raise RuntimeError(f"forward returned {status}: see the codes in the header")
        return results

    def __repr__(self):
        inputs, outputs = ([f"{t.name.decode()} {self.shape(t)}" for t in list] for list in [self.inputs, self.outputs])
        return f"{self.model.name.decode()}: {', '.join(inputs)} -> {', '.join(outputs)}"

    @staticmethod
    def shape(tensor):
        return tuple(tensor.shape[:tensor.rank])

    @staticmethod
    def addresses(arrays):
        return (POINTER * len(arrays))(*[array.ctypes.data for array in arrays])
