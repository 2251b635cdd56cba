"""PyTorch: eager in two memory formats, and torch.compile."""

import operator

import torch
from torch import fx, nn
from torch.nn import functional

from measure import MOMENTUM, RATE


def layer(network, node):
    """The module of a node; nil where a function does."""
    channels = network.node(node.inputs[0]).shape[0]
    match node.kind:
        case "conv":
            return nn.Conv2d(
                channels, node.shape[0], node["window"], node["stride"], node["padding"],
                groups=node["groups"], bias=node["bias"])
        case "transposed":
            return nn.ConvTranspose2d(channels, node.shape[0], node["window"], node["window"])
        case "norm":
            return nn.BatchNorm2d(channels)
        case "dense":
            return nn.Linear(channels, node.shape[0])
        case "relu":
            return nn.ReLU(inplace=len(network.readers(node.inputs[0])) == 1)
        case "relu6":
            return nn.ReLU6(inplace=len(network.readers(node.inputs[0])) == 1)
        case "maxpool":
            return nn.MaxPool2d(node["window"], node["stride"], node["padding"])
        case "mean":
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        case "flatten":
            return nn.Flatten()
        case "dropout":
            return nn.Dropout(node["share"])


PARAMETERS = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}


def module(network):
    """The network as a module whose forward function is straight Python, without a loop over nodes."""
    root, graph, values = nn.Module(), fx.Graph(), {}
    initial = network.initial()
    for node in network.nodes:
        inputs = tuple(values[name] for name in node.inputs)
        match node.kind:
            case "input":
                value = graph.placeholder(node.name)
            case "add":
                value = graph.call_function(operator.add, inputs)
            case "concat":
                value = graph.call_function(torch.cat, (inputs, 1))
            case _:
                part = layer(network, node)
                for name, array in initial.pop(node.name, {}).items():
                    name = PARAMETERS.get(name, name)
                    tensor = torch.from_numpy(array)  # shares the memory
                    if isinstance(getattr(part, name), nn.Parameter):
                        tensor = nn.Parameter(tensor)
                    setattr(part, name, tensor)
                root.add_module(node.name, part)
                value = graph.call_module(node.name, inputs)
        values[node.name] = value
    graph.output(value)
    return fx.GraphModule(root, graph, network.name)


def prepare(job):
    torch.set_num_threads(job.threads)
    model = module(job.network).train(job.trains)
    images, target = map(torch.from_numpy, job.network.data(job.batch))
    if job.variant == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    step = training(job, model, images, target) if job.trains else inference(job, model, images)
    return step, torch.__version__


def training(job, model, images, target):
    measure = functional.mse_loss if job.network.target == "values" else functional.cross_entropy

    def loss(images, target):
        return measure(model(images), target)

    if job.variant == "compile":
        loss = torch.compile(loss)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss(images, target)
        value.backward()
        optimizer.step()
        return value.detach()

    return step


def inference(job, model, images):
    if job.variant == "compile":
        model = torch.compile(model)

    def step():
        with torch.inference_mode():
            return model(images)

    return step


def check(result):
    """The loss, or the mean magnitude of outputs."""
    return result.abs().mean()
