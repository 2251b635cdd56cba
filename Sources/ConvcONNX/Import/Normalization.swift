import ConvcIR
import ConvcLayers

/// Normalisation, and softmax.
let normalizationOperators: [String: OperatorConverter] = [
  "BatchNormalization": { (node) throws(ConversionError) in try node.batchNormalization() },
  "InstanceNormalization": { (node) throws(ConversionError) in try node.instanceNormalization() },
  "LRN": { (node) throws(ConversionError) in
    let layer = LocalResponseNorm(
      across: .channels(try node.int("size", 1)), alpha: try node.float("alpha", 1e-4),
      beta: try node.float("beta", 0.75), kappa: try node.float("bias", 1))
    node.define(try node.apply(layer, to: try node.plain(0)))
  },
  "Softmax": { (node) throws(ConversionError) in try node.softmax() },
  "LogSoftmax": { (node) throws(ConversionError) in try node.softmax() },
]

extension NodeConversion {
  /// Constants of one value a channel.
  private func channelConstants(_ range: Range<Int>, channels: Int) throws(ConversionError)
    -> [ONNXTensor]
  {
    var tensors: [ONNXTensor] = []
    for index in range {
      guard let tensor = constant(index), tensor.count == channels else {
        throw problem(
          "has an input \(index + 1) that is no constant of \(channels) values, which this version needs"
        )
      }
      tensors.append(tensor)
    }
    return tensors
  }

  /// Maps of more than two axes in space as such of one row.
  private func maps(_ x: ConvertedValue) throws(ConversionError) -> ConvertedValue {
    guard x.extents.count > 4 else { return x }
    return try reshape(x, to: [x.extents[0], x.extents[1], 1, x.extents[2...].reduce(1, *)])
  }

  fileprivate func batchNormalization() throws(ConversionError) {
    let x = try plain(0)
    guard x.extents.count > 1 else { throw problem("needs an input of at least two axes") }
    let tensors = try channelConstants(1..<5, channels: x.extents[1])
    guard try int("training_mode", 0) == 0, node.output(1) == nil else {
      throw problem("takes statistics of its input, as in training; export the model for inference")
    }
    let maps = try reshape(
      x,
      to: x.extents.count <= 4
        ? x.extents : Array(x.extents.prefix(2)) + [1, x.extents.dropFirst(2).reduce(1, *)])
    let layer = BatchNorm2D(
      momentum: 1 - (try float("momentum", 0.9)), epsilon: try float("epsilon", 1e-5))
    let names = ["weight", "bias", "running_mean", "running_var"]
    let values = Dictionary(uniqueKeysWithValues: zip(names, tensors.map(weights)))
    define(try apply(layer, to: maps, weights: values), as: x.shape)
  }

  fileprivate func instanceNormalization() throws(ConversionError) {
    let x = try plain(0)
    guard x.extents.count > 2 else { throw problem("needs an input of at least three axes") }
    let tensors = try channelConstants(1..<3, channels: x.extents[1])
    let maps = try reshape(
      x,
      to: x.extents.count <= 4
        ? x.extents : Array(x.extents.prefix(2)) + [1, x.extents.dropFirst(2).reduce(1, *)])
    let layer = InstanceNorm(hasParameters: true, epsilon: try float("epsilon", 1e-5))
    let values = ["weight": weights(tensors[0]), "bias": weights(tensors[1])]
    define(try apply(layer, to: maps, weights: values), as: x.shape)
  }

  fileprivate func softmax() throws(ConversionError) {
    let x = try value(0)
    let isNew = node.opset >= 13
    let rank = x.shape.count
    let axis = try axis(try int("axis", isNew ? -1 : 1), of: rank)
    func layer(_ axis: Int) -> any Layer {
      node.op == "Softmax" ? Softmax(axis: axis) : LogSoftmax(axis: axis)
    }
    if isNew || axis == rank - 1 {
      if rank == 2, axis == 1 { return define(try apply(layer(1), to: try plain(0))) }
      return define(try apply(layer(2), to: try around(axis, x)), as: x.shape)
    }
    // Before version 13 all axes from the given one on are one.
    let rows = x.shape.prefix(axis).reduce(1, *)
    let matrix = try reshape(x, to: [rows, x.shape.dropFirst(axis).reduce(1, *)])
    define(try apply(layer(1), to: matrix), as: x.shape)
  }
}
