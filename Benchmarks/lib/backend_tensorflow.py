"""TensorFlow: one training step as a tf.function, images as NHWC."""

import tensorflow as tf

from measure import MOMENTUM, RATE

MEMORY = 0.1  # share of the new batch in running statistics


def conv(node, x, p):
    padding = node["padding"]
    pads = [[0, 0], [padding] * 2, [padding] * 2, [0, 0]] if padding else "VALID"
    y = tf.nn.conv2d(x, p["weight"], node["stride"], pads)
    return tf.nn.bias_add(y, p["bias"]) if "bias" in p else y


def transposed(node, x, p):
    maps, height, width = node.shape
    y = tf.nn.conv2d_transpose(x, p["weight"], (x.shape[0], height, width, maps), node["window"], "VALID")
    return tf.nn.bias_add(y, p["bias"])


def norm(x, p, s):
    y, mean, variance = tf.compat.v1.nn.fused_batch_norm(x, p["scale"], p["shift"], epsilon=1e-5)
    s["mean"].assign_add(MEMORY * (mean - s["mean"]))
    s["variance"].assign_add(MEMORY * (variance - s["variance"]))
    return y


def forward(network, parameters, statistics, images):
    values = {}
    for node in network.nodes:
        x, *more = [values[name] for name in node.inputs] or [images]
        p = parameters.get(node.name)
        match node.kind:
            case "conv":
                x = conv(node, x, p)
            case "transposed":
                x = transposed(node, x, p)
            case "norm":
                x = norm(x, p, statistics[node.name])
            case "dense":
                x = tf.nn.bias_add(tf.matmul(x, p["weight"]), p["bias"])
            case "relu":
                x = tf.nn.relu(x)
            case "relu6":
                x = tf.nn.relu6(x)
            case "maxpool":
                x = tf.nn.max_pool2d(x, node["window"], node["stride"], "VALID")
            case "mean":
                x = tf.reduce_mean(x, (1, 2))
            case "flatten":
                # No transposition: the dense layer's weights are in this order.
                x = tf.reshape(x, (x.shape[0], -1))
            case "dropout":
                x = tf.nn.dropout(x, node["share"])
            case "add":
                x = x + more[0]
            case "concat":
                x = tf.concat([x, *more], -1)
        values[node.name] = x
    return x


def variables(network):
    """Parameters and statistics in TensorFlow's order of axes."""
    parameters, statistics = {}, {}
    initial = network.initial()
    for node in network.nodes:
        own = initial.pop(node.name, {})
        weight = own.get("weight")
        if node.kind in ("conv", "transposed"):
            own["weight"] = weight.transpose(2, 3, 1, 0)
        elif node.kind == "dense":
            own["weight"] = network.channels_last(node, weight).T
        fixed = set(network.statistics(node))
        parameters[node.name] = {k: tf.Variable(v) for k, v in own.items() if k not in fixed}
        statistics[node.name] = {k: tf.Variable(own[k]) for k in fixed}
    return parameters, statistics


def prepare(job):
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = job.network
    parameters, statistics = variables(network)
    learned = [variable for own in parameters.values() for variable in own.values()]
    velocities = [tf.Variable(tf.zeros_like(variable)) for variable in learned]
    images, target = network.data(job.batch)
    images, target = tf.constant(images.transpose(0, 2, 3, 1)), tf.constant(target)

    @tf.function(autograph=False)
    def update(images, target):
        with tf.GradientTape() as tape:
            outputs = forward(network, parameters, statistics, images)
            if network.target == "values":
                loss = tf.reduce_mean(tf.math.squared_difference(outputs, target))
            else:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target, outputs)
                loss = tf.reduce_mean(losses)
        for variable, velocity, gradient in zip(learned, velocities, tape.gradient(loss, learned)):
            velocity.assign(MOMENTUM * velocity + gradient)
            variable.assign_sub(RATE * velocity)
        return loss

    return lambda: update(images, target).numpy(), tf.__version__


def check(result):
    return result
