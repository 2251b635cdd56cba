"""The networks that are compared, free of any framework.

A network is a list of nodes. A node knows its kind, what it reads, its settings and the shape of its
output for one image; parameters have the shapes that ONNX and PyTorch give them. Each rival builds
its own network from the list, so that all compute the same, layer for layer.
"""

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Node:
    name: str
    kind: str
    inputs: tuple
    shape: tuple
    settings: dict = field(default_factory=dict)

    def __getitem__(self, key):
        return self.settings[key]


@dataclass(frozen=True)
class Network:
    name: str
    nodes: tuple
    # What the loss compares: "classes" (cross-entropy with one label an image), "pixels" (one label a
    # pixel) or "values" (mean squared error).
    target: str

    @property
    def input(self):
        return self.nodes[0]

    @property
    def output(self):
        return self.nodes[-1]

    def node(self, name):
        return next(node for node in self.nodes if node.name == name)

    def readers(self, name):
        return [node for node in self.nodes if name in node.inputs]

    @property
    def has_dropout(self):
        return any(node.kind == "dropout" for node in self.nodes)

    def parameters(self, node):
        """Names and shapes of what training changes in a node."""
        if node.kind == "conv":
            window = node["window"]
            weight = (node.shape[0], self._channels(node) // node["groups"], window, window)
        elif node.kind == "transposed":
            weight = (self._channels(node), node.shape[0], node["window"], node["window"])
        elif node.kind == "dense":
            weight = (node.shape[0], self._channels(node))
        elif node.kind == "norm":
            return {"scale": node.shape[:1], "shift": node.shape[:1]}
        else:
            return {}
        shapes = {"weight": weight}
        if node.settings.get("bias", True):
            shapes["bias"] = node.shape[:1]
        return shapes

    def statistics(self, node):
        """Names and shapes of running statistics."""
        return {"mean": node.shape, "variance": node.shape} if node.kind == "norm" else {}

    @property
    def trainable(self):
        """Floats that training changes."""
        shapes = (s for node in self.nodes for s in self.parameters(node).values())
        return sum(math.prod(shape) for shape in shapes)

    @property
    def multiply_adds(self):
        """Multiplications of convolutions and dense layers for one image."""
        return sum(self._multiply_adds(node) for node in self.nodes)

    def _channels(self, node):
        return self.node(node.inputs[0]).shape[0]

    def _multiply_adds(self, node):
        weights = self.parameters(node).get("weight")
        if not weights:
            return 0
        # A transposed convolution uses each weight once for each of its input's places.
        place = self.node(node.inputs[0]) if node.kind == "transposed" else node
        return math.prod(weights) * math.prod(place.shape[1:])

    def initial(self, seed=0):
        """Values of all parameters and statistics: {node: {name: array}}.

        Normal with variance 2 / fan-in, so that values neither vanish nor overflow on the way through
        a deep network; biases and shifts 0, scales and variances 1.
        """
        import numpy

        random = numpy.random.default_rng(seed)
        values = {}
        for node in self.nodes:
            own = {}
            for name, shape in (self.parameters(node) | self.statistics(node)).items():
                if name == "weight":
                    own[name] = random.standard_normal(shape, dtype="float32")
                    own[name] *= math.sqrt(2 / self._fan_in(node))
                else:
                    start = 1 if name in ("scale", "variance") else 0
                    own[name] = numpy.full(shape[:1], start, dtype="float32")
            if own:
                values[node.name] = own
        return values

    def _fan_in(self, node):
        shape = self.parameters(node)["weight"]
        return shape[0] if node.kind == "transposed" else math.prod(shape[1:])

    def channels_last(self, node, weight):
        """A dense layer's weights for a framework that flattens images as NHWC."""
        before = self.node(node.inputs[0])
        if before.kind != "flatten":
            return weight
        maps, height, width = self.node(before.inputs[0]).shape
        split = weight.reshape(-1, maps, height, width)
        return split.transpose(0, 2, 3, 1).reshape(weight.shape)

    def data(self, batch, seed=1):
        """A batch of random images, NCHW, and what the loss compares with."""
        import numpy

        random = numpy.random.default_rng(seed)
        images = random.standard_normal((batch, *self.input.shape), dtype="float32")
        if self.target == "values":
            return images, random.standard_normal((batch, *self.output.shape), dtype="float32")
        shape = (batch, *self.output.shape[1:])
        labels = random.integers(0, self.output.shape[0], shape, dtype="int64")
        return images, labels


class Builder:
    """Adds nodes one after the other; each method takes and returns names of nodes."""

    def __init__(self, *shape):
        self.nodes = [Node("x", "input", (), shape)]
        self.counts = {}

    def shape(self, name):
        return next(node.shape for node in self.nodes if node.name == name)

    def add_node(self, kind, inputs, shape, **settings):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        name = f"{kind}{self.counts[kind]}"
        self.nodes.append(Node(name, kind, tuple(inputs), tuple(shape), settings))
        return name

    def conv(self, x, maps, window, stride=1, padding=0, groups=1, bias=True):
        size = [(n + 2 * padding - window) // stride + 1 for n in self.shape(x)[1:]]
        return self.add_node(
            "conv", [x], [maps, *size], window=window, stride=stride, padding=padding, groups=groups, bias=bias)

    def transposed(self, x, maps, window):
        """A transposed convolution whose windows do not overlap."""
        size = [n * window for n in self.shape(x)[1:]]
        return self.add_node("transposed", [x], [maps, *size], window=window)

    def norm(self, x):
        return self.add_node("norm", [x], self.shape(x))

    def relu(self, x):
        return self.add_node("relu", [x], self.shape(x))

    def relu6(self, x):
        return self.add_node("relu6", [x], self.shape(x))

    def maxpool(self, x, window=2, stride=2, padding=0):
        maps, *size = self.shape(x)
        size = [(n + 2 * padding - window) // stride + 1 for n in size]
        return self.add_node("maxpool", [x], [maps, *size], window=window, stride=stride, padding=padding)

    def mean(self, x):
        """The mean of each map."""
        return self.add_node("mean", [x], self.shape(x)[:1])

    def flatten(self, x):
        return self.add_node("flatten", [x], [math.prod(self.shape(x))])

    def dense(self, x, outputs):
        return self.add_node("dense", [x], [outputs])

    def dropout(self, x, share):
        return self.add_node("dropout", [x], self.shape(x), share=share)

    def add(self, a, b):
        return self.add_node("add", [a, b], self.shape(a))

    def concat(self, a, b):
        maps = self.shape(a)[0] + self.shape(b)[0]
        return self.add_node("concat", [a, b], [maps, *self.shape(a)[1:]])

    # What networks are made of.

    def conv_relu(self, x, maps, window, padding=0):
        return self.relu(self.conv(x, maps, window, padding=padding))

    def conv_norm(self, x, maps, window=3, stride=1, groups=1):
        return self.norm(self.conv(x, maps, window, stride, window // 2, groups, bias=False))

    def conv_norm_relu(self, x, maps, window=3, stride=1):
        return self.relu(self.conv_norm(x, maps, window, stride))

    def dense_relu(self, x, outputs):
        return self.relu(self.dense(x, outputs))


def lenet5(b, x):
    x = b.maxpool(b.conv_relu(x, 6, 5, padding=2))
    x = b.flatten(b.maxpool(b.conv_relu(x, 16, 5)))
    return b.dense(b.dense_relu(b.dense_relu(x, 120), 84), 10)


def keypoints_net2(b, x):
    for maps, window in ((32, 3), (64, 2), (128, 2)):
        x = b.maxpool(b.conv_relu(x, maps, window))
    x = b.flatten(x)
    return b.dense(b.dense_relu(b.dense_relu(x, 500), 500), 30)


def glioma(b, x):
    for maps in (32, 64, 128):
        x = b.maxpool(b.conv_relu(b.conv_relu(x, maps, 3), maps, 3))
    x = b.flatten(x)
    for _ in range(2):
        x = b.dropout(b.dense_relu(x, 550), 0.5)
    return b.dense(x, 2)


def tinyvgg(b, x):
    for maps in (64, 128, 256):
        x = b.maxpool(b.conv_norm_relu(b.conv_norm_relu(x, maps), maps))
    x = b.dropout(b.dense_relu(b.flatten(x), 512), 0.5)
    return b.dense(x, 10)


def shortcut(b, x, maps, stride):
    """The way around a block: a 1x1 convolution where the shape changes."""
    changes = stride != 1 or b.shape(x)[0] != maps
    return b.conv_norm(x, maps, 1, stride) if changes else x


def resnet18_cifar(b, x):
    x = b.conv_norm_relu(x, 64)
    for maps, first in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for stride in (first, 1):
            inner = b.conv_norm(b.conv_norm_relu(x, maps, 3, stride), maps)
            x = b.relu(b.add(inner, shortcut(b, x, maps, stride)))
    return b.dense(b.mean(x), 10)


def resnet50(b, x):
    x = b.maxpool(b.conv_norm_relu(x, 64, 7, 2), 3, 2, 1)
    for middle, blocks, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            stride = first if block == 0 else 1
            inner = b.conv_norm_relu(b.conv_norm_relu(x, middle, 1), middle, 3, stride)
            inner = b.conv_norm(inner, 4 * middle, 1)
            x = b.relu(b.add(inner, shortcut(b, x, 4 * middle, stride)))
    return b.dense(b.mean(x), 1000)


def unet(b, x):
    def double(x, maps):
        return b.conv_norm_relu(b.conv_norm_relu(x, maps), maps)

    skips = []
    for maps in (32, 64, 128):
        skips.append(double(x, maps))
        x = b.maxpool(skips[-1])
    x = double(x, 256)
    for maps in (128, 64, 32):
        x = double(b.concat(skips.pop(), b.transposed(x, maps, 2)), maps)
    return b.conv(x, 2, 1)


def vgg16(b, x):
    for count, maps in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        for _ in range(count):
            x = b.conv_relu(x, maps, 3, padding=1)
        x = b.maxpool(x)
    x = b.flatten(x)
    for _ in range(2):
        x = b.dropout(b.dense_relu(x, 4096), 0.5)
    return b.dense(x, 1000)


def mobilenetv2(b, x):
    x = b.relu6(b.conv_norm(x, 32, 3, 2))
    stages = (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)
    for expansion, maps, blocks, first in stages:
        for block in range(blocks):
            stride = first if block == 0 else 1
            start = x
            channels = b.shape(x)[0]
            if expansion > 1:
                x = b.relu6(b.conv_norm(x, expansion * channels, 1))
            x = b.relu6(b.conv_norm(x, expansion * channels, 3, stride, groups=expansion * channels))
            x = b.conv_norm(x, maps, 1)
            if stride == 1 and channels == maps:
                x = b.add(start, x)
    x = b.relu6(b.conv_norm(x, 1280, 1))
    return b.dense(b.mean(x), 1000)


_ALL = {
    "lenet5": (lenet5, (1, 28, 28), "classes"),
    "keypoints-net2": (keypoints_net2, (1, 96, 96), "values"),
    "glioma": (glioma, (4, 96, 96), "classes"),
    "tinyvgg": (tinyvgg, (3, 32, 32), "classes"),
    "resnet18-cifar": (resnet18_cifar, (3, 32, 32), "classes"),
    "unet": (unet, (1, 128, 128), "pixels"),
    "resnet50": (resnet50, (3, 224, 224), "classes"),
    "vgg16": (vgg16, (3, 224, 224), "classes"),
    "mobilenetv2": (mobilenetv2, (3, 224, 224), "classes"),
}
NAMES = tuple(_ALL)


def network(name):
    make, shape, target = _ALL[name]
    builder = Builder(*shape)
    make(builder, "x")
    return Network(name, tuple(builder.nodes), target)


if __name__ == "__main__":
    for name in NAMES:
        one = network(name)
        print(f"{name:16} {one.trainable:>12,} parameters {2e-6 * one.multiply_adds:>10,.2f} MFLOP an image")
