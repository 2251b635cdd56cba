"""JAX: one jitted training step with donated buffers, images as NHWC."""

import jax
import jax.numpy as jnp
from jax import lax

from measure import MOMENTUM, RATE

LAYOUT = ("NHWC", "HWIO", "NHWC")
MEMORY = 0.1  # share of the new batch in running statistics
EPSILON = 1e-5


def conv(node, x, p):
    y = lax.conv_general_dilated(
        x, p["weight"], (node["stride"],) * 2, ((node["padding"],) * 2,) * 2, dimension_numbers=LAYOUT,
        feature_group_count=node["groups"])
    return y + p["bias"] if "bias" in p else y


def transposed(node, x, p):
    # The windows do not overlap, so each place of the input gives a window of the output.
    n, h, w, _ = x.shape
    window, maps = node["window"], node.shape[0]
    y = jnp.einsum("nhwc,rscm->nhrwsm", x, p["weight"])
    return y.reshape(n, h * window, w * window, maps) + p["bias"]


def norm(x, p, s):
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    count = x.size // x.shape[-1]
    unbiased = variance * (count / (count - 1))
    factor = p["scale"] * lax.rsqrt(variance + EPSILON)
    new = {
        "mean": s["mean"] + MEMORY * (mean - s["mean"]),
        "variance": s["variance"] + MEMORY * (unbiased - s["variance"]),
    }
    return x * factor + (p["shift"] - mean * factor), new


def maxpool(node, x):
    window, stride, padding = ((1, node[key], node[key], 1) for key in ("window", "stride", "padding"))
    pads = [(0, 0)] + [(node["padding"],) * 2] * 2 + [(0, 0)]
    return lax.reduce_window(x, -jnp.inf, lax.max, window, stride, pads)


def dropout(node, x, key):
    keep = 1 - node["share"]
    return jnp.where(jax.random.bernoulli(key, keep, x.shape), x / keep, 0)


def forward(network, parameters, statistics, images, key):
    values, news = {}, {}
    for node in network.nodes:
        x, *more = [values[name] for name in node.inputs] or [images]
        p = parameters.get(node.name)
        match node.kind:
            case "conv":
                x = conv(node, x, p)
            case "transposed":
                x = transposed(node, x, p)
            case "norm":
                x, news[node.name] = norm(x, p, statistics[node.name])
            case "dense":
                x = x @ p["weight"] + p["bias"]
            case "relu":
                x = jax.nn.relu(x)
            case "relu6":
                x = jax.nn.relu6(x)
            case "maxpool":
                x = maxpool(node, x)
            case "mean":
                x = x.mean((1, 2))
            case "flatten":
                # No transposition: the dense layer's weights are in this order.
                x = x.reshape(x.shape[0], -1)
            case "dropout":
                key, own = jax.random.split(key)
                x = dropout(node, x, own)
            case "add":
                x = x + more[0]
            case "concat":
                x = jnp.concatenate([x, *more], -1)
        values[node.name] = x
    return x, news


def loss(network, parameters, statistics, images, target, key):
    outputs, news = forward(network, parameters, statistics, images, key)
    if network.target == "values":
        return jnp.square(outputs - target).mean(), news
    logs = jax.nn.log_softmax(outputs)
    return -jnp.take_along_axis(logs, target[..., None], -1).mean(), news


def values(network):
    """Parameters and statistics, weights of convolutions as [row, column, channel, map]."""
    parameters, statistics = {}, {}
    initial = network.initial()
    for node in network.nodes:
        own = initial.pop(node.name, {})
        weight = own.get("weight")
        if node.kind == "conv":
            own["weight"] = weight.transpose(2, 3, 1, 0)
        elif node.kind == "transposed":
            own["weight"] = weight.transpose(2, 3, 0, 1)
        elif node.kind == "dense":
            own["weight"] = network.channels_last(node, weight).T
        fixed = set(network.statistics(node))
        learned = {name: jnp.array(array) for name, array in own.items() if name not in fixed}
        if learned:
            parameters[node.name] = learned
        if fixed:
            statistics[node.name] = {name: jnp.array(own[name]) for name in fixed}
    return parameters, statistics


def prepare(job):
    network = job.network
    parameters, statistics = values(network)
    images, target = network.data(job.batch)
    images, target = jnp.array(images.transpose(0, 2, 3, 1)), jnp.array(target)

    def update(parameters, velocity, statistics, key, images, target):
        key, own = jax.random.split(key)
        gradient = jax.value_and_grad(lambda p: loss(network, p, statistics, images, target, own), has_aux=True)
        (value, statistics), gradients = gradient(parameters)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradients)
        parameters = jax.tree.map(lambda p, v: p - RATE * v, parameters, velocity)
        return parameters, velocity, statistics, key, value

    compiled = jax.jit(update, donate_argnums=(0, 1, 2, 3))
    velocity = jax.tree.map(jnp.zeros_like, parameters)
    state = [parameters, velocity, statistics, jax.random.key(0)]

    def step():
        *state[:], value = compiled(*state, images, target)
        jax.block_until_ready(state)
        return value

    return step, jax.__version__


def check(result):
    return result
