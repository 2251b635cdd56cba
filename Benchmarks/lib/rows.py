"""What is compared: networks in the rows, rivals in the columns."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    network: str
    mode: str
    batch: int

    @property
    def name(self):
        return f"{self.network} b{self.batch}"

    @property
    def key(self):
        return f"{self.mode}-{self.network}-b{self.batch}"


@dataclass(frozen=True)
class Rival:
    name: str
    title: str
    modes: tuple
    package: str
    # Whether the general allocator gives large blocks back to the system at every step, and tcmalloc
    # makes it faster.
    wants_tcmalloc: bool = False

    @property
    def environment(self):
        return "tensorflow" if self.name == "tensorflow" else "main"


CONVC = "convc"

TRAIN = [
    Row("lenet5", "train", 64), Row("keypoints-net2", "train", 128), Row("glioma", "train", 32),
    Row("tinyvgg", "train", 128), Row("resnet18-cifar", "train", 64), Row("unet", "train", 8),
]
INFER = [
    Row("lenet5", "infer", 1), Row("lenet5", "infer", 32), Row("tinyvgg", "infer", 1),
    Row("tinyvgg", "infer", 32), Row("unet", "infer", 1), Row("resnet50", "infer", 1),
    Row("resnet50", "infer", 32), Row("vgg16", "infer", 1), Row("mobilenetv2", "infer", 1),
]
ROWS = TRAIN + INFER

RIVALS = [
    Rival("torch", "PyTorch", ("train", "infer"), "torch", True),
    Rival("torch-channels-last", "PyTorch channels_last", ("train", "infer"), "torch", True),
    Rival("torch-compile", "torch.compile", ("train",), "torch", True),
    Rival("jax", "JAX", ("train",), "jax"),
    Rival("tensorflow", "TensorFlow", ("train",), "tensorflow"),
    Rival("onnxruntime", "ONNX Runtime", ("infer",), "onnxruntime"),
    Rival("openvino", "OpenVINO", ("infer",), "openvino"),
]
TITLES = {rival.name: rival.title for rival in RIVALS} | {CONVC: "convc"}


def chosen(items, words, names):
    """Those of the items that a comma-separated list names, and an error for a word that names none.

    - names: for an item the words that stand for it.
    """
    wanted = [word for word in words.split(",") if word]
    known = {name for item in items for name in names(item)}
    for word in wanted:
        if word not in known:
            raise ValueError(f"there is no '{word}'; there are {', '.join(sorted(known))}")
    return [item for item in items if not wanted or set(names(item)) & set(wanted)]


def rival_words(rival):
    """`torch` stands for all that PyTorch runs."""
    return {rival.name, rival.package}


def row_words(row):
    return {row.network, row.key, f"{row.network}-b{row.batch}"}
