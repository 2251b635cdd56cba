import ConvcIR
import ConvcLayers

/// Normalisation, and softmax.
let normalizationOperators: [String: OperatorConverter] = [
  "BatchNormalization": { (node) throws(ConversionError) in try node.batchNormalization() },
  "InstanceNormalization": { (node) throws(ConversionError) in try node.instanceNormalization() },
  "LayerNormalization": { (node) throws(ConversionError) in try node.layerNormalization() },
  "RMSNormalization": { (node) throws(ConversionError) in try node.rmsNormalization() },
  "GroupNormalization": { (node) throws(ConversionError) in try node.groupNormalization() },
  "LpNormalization": { (node) throws(ConversionError) in try node.lpNormalization() },
  "MeanVarianceNormalization": { (node) throws(ConversionError) in
    try node.meanVarianceNormalization()
  },
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
  /// Constants of one value a channel; nil: one of them is computed at run time.
  private func channelConstants(_ range: Range<Int>, channels: Int) throws(ConversionError)
    -> [ONNXTensor]?
  {
    var tensors: [ONNXTensor] = []
    for index in range {
      guard node.input(index) != nil else {
        throw problem("lacks its input \(index + 1); export the model again")
      }
      guard let tensor = constant(index) else { return nil }
      guard tensor.count == channels else {
        throw problem(
          "has an input \(index + 1) of \(tensor.count) values, expected one for each of \(channels) channels"
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

  /// Multiplies a normalised value by a scale and adds a shift, with broadcasting; left-out ones are 1 and 0.
  private func affine(
    _ x: ConvertedValue, scale: NestOperand?, shift: NestOperand?
  ) throws(ConversionError) -> ConvertedValue {
    var result = x
    if let scale { result = try compute(.multiply, operand(result), scale) }
    if let shift { result = try compute(.add, operand(result), shift) }
    return result
  }

  /// An input of one value a channel, to stand before `space` further axes.
  private func channelOperand(_ index: Int, before space: Int) throws(ConversionError)
    -> NestOperand
  {
    let operand = try operand(index)
    let shape = operand.shape + [Int](repeating: 1, count: space)
    switch operand.source {
    case .value(let value): return self.operand(value.read(as: shape))
    case .constant(let tensor): return try self.operand(ONNXTensor(tensor, dims: shape))
    case .table: throw problem("has whole numbers for its input \(index + 1), expected floats")
    }
  }

  fileprivate func batchNormalization() throws(ConversionError) {
    let isTraining = try int("training_mode", 0) != 0
    let shape = try operand(0).shape
    guard shape.count > 1 else { throw problem("needs an input of at least two axes") }
    guard !isTraining, constant(0) == nil,
      let tensors = try channelConstants(1..<5, channels: shape[1])
    else { return try generalBatchNormalization(isTraining: isTraining) }
    let maps = try maps(try plain(0))
    // The share that is kept; in decimal digits, so that 0.9 leaves 0.1.
    let kept = try float("momentum", 0.9)
    let layer = BatchNorm2D(
      momentum: Float(1 - (Double("\(kept)") ?? Double(kept))),
      epsilon: try float("epsilon", 1e-5))
    let names = ["weight", "bias", "running_mean", "running_var"]
    let values = Dictionary(uniqueKeysWithValues: zip(names, tensors.map(weights)))
    define(try apply(layer, to: maps, weights: values), as: shape)
  }

  /// Batch normalisation whose constants come at run time, or which takes the statistics of its input.
  private func generalBatchNormalization(isTraining: Bool) throws(ConversionError) {
    let x = try operand(0)
    let space = x.shape.count - 2
    let epsilon = Double(try float("epsilon", 1e-5))
    var (mean, variance) = (
      try channelOperand(3, before: space), try channelOperand(4, before: space)
    )
    if isTraining {
      let axes = Set(x.shape.indices.filter { $0 != 1 })
      let (oldMean, oldVariance) = (try operand(3), try operand(4))
      mean = try self.mean(of: x, over: axes)
      variance = try self.variance(of: x, mean: mean, over: axes)
      let momentum = Double(try float("momentum", 0.9))
      for (index, old, new) in [(1, oldMean, mean), (2, oldVariance, variance)] {
        guard node.output(index) != nil, case .value(let value) = new.source else { continue }
        let operands = [old, operand(value.read(as: [x.shape[1]]))]
        define(
          try cells("BatchNormalization, its running statistic", operands) {
            .real(momentum) * $0[0] + .real(1 - momentum) * $0[1]
          }, output: index)
      }
    } else if node.output(1) != nil {
      throw problem("returns statistics that it does not take; export the model for inference")
    }
    let operands = [
      x, mean, variance, try channelOperand(1, before: space),
      try channelOperand(2, before: space),
    ]
    define(
      try cells("BatchNormalization", operands) {
        ($0[0] - $0[1]) / ($0[2] + .real(epsilon)).applying(.sqrt) * $0[3] + $0[4]
      })
  }

  fileprivate func instanceNormalization() throws(ConversionError) {
    let x = try plain(0)
    guard x.extents.count > 2 else { throw problem("needs an input of at least three axes") }
    let epsilon = try float("epsilon", 1e-5)
    if let tensors = try channelConstants(1..<3, channels: x.extents[1]) {
      let layer = InstanceNorm(hasParameters: true, epsilon: epsilon)
      let values = ["weight": weights(tensors[0]), "bias": weights(tensors[1])]
      return define(try apply(layer, to: try maps(x), weights: values), as: x.shape)
    }
    let normalized = try apply(
      InstanceNorm(hasParameters: false, epsilon: epsilon), to: try maps(x))
    let space = x.shape.count - 2
    define(
      try affine(
        normalized.read(as: x.shape), scale: try channelOperand(1, before: space),
        shift: try channelOperand(2, before: space)))
  }

  fileprivate func groupNormalization() throws(ConversionError) {
    let x = try plain(0)
    let groups = try int("num_groups", 1)
    guard x.extents.count > 2, groups > 0, x.extents[1] % groups == 0 else {
      throw problem("has \(groups) groups for an input of \(x.shape); export the model again")
    }
    let epsilon = try float("epsilon", 1e-5)
    let channels = x.extents[1]
    if node.opset >= 21, let tensors = try channelConstants(1..<3, channels: channels) {
      let layer = GroupNorm(groups: groups, hasParameters: true, epsilon: epsilon)
      let values = ["weight": weights(tensors[0]), "bias": weights(tensors[1])]
      return define(try apply(layer, to: try maps(x), weights: values), as: x.shape)
    }
    let normalized = try apply(
      GroupNorm(groups: groups, hasParameters: false, epsilon: epsilon), to: try maps(x))
    // Before version 21 scale and shift are those of groups.
    let space = x.shape.count - 2
    let isOld = node.opset < 21
    let shape =
      isOld
      ? [x.shape[0], groups, channels / groups] + x.shape.dropFirst(2) : x.shape
    define(
      try affine(
        normalized.read(as: shape),
        scale: try channelOperand(1, before: isOld ? space + 1 : space),
        shift: try channelOperand(2, before: isOld ? space + 1 : space)), as: x.shape)
  }

  fileprivate func layerNormalization() throws(ConversionError) {
    let x = try operand(0)
    let axis = try axis(try int("axis", -1), of: x.shape.count)
    let epsilon = try float("epsilon", 1e-5)
    let (scale, shift) = (try operand(1), try optionalOperand(2))
    let inner = x.shape.dropFirst(axis).reduce(1, *)
    if case .value(let value) = x.source, node.output(1) == nil, node.output(2) == nil, inner > 1 {
      // Each run of the last axes is a map of its own.
      let rows = axis == 0 ? [1, 1] : [x.shape[0], x.shape[1..<axis].reduce(1, *)]
      let maps = try reshape(value, to: rows + [1, inner])
      let normalized = try apply(InstanceNorm(hasParameters: false, epsilon: epsilon), to: maps)
      return define(try affine(normalized.read(as: x.shape), scale: scale, shift: shift))
    }
    let axes = Set(axis..<x.shape.count)
    let mean = try self.mean(of: x, over: axes)
    let variance = try self.variance(of: x, mean: mean, over: axes)
    let inverse = try cells("LayerNormalization, its inverse deviation", [variance]) {
      .real(1) / ($0[0] + .real(Double(epsilon))).applying(.sqrt)
    }
    if case .value(let value) = mean.source { define(value, output: 1) }
    define(inverse, output: 2)
    let normalized = try cells("LayerNormalization", [x, mean, operand(inverse)]) {
      .function(.multiply, [$0[0] - $0[1], $0[2]])
    }
    define(try affine(normalized, scale: scale, shift: shift))
  }

  fileprivate func rmsNormalization() throws(ConversionError) {
    let x = try operand(0)
    let axis = try axis(try int("axis", -1), of: x.shape.count)
    let epsilon = Double(try float("epsilon", 1e-5))
    let squares = try mean(of: x, over: Set(axis..<x.shape.count), squared: true)
    define(
      try cells("RMSNormalization", [x, squares, try operand(1)]) {
        $0[0] / ($0[1] + .real(epsilon)).applying(.sqrt) * $0[2]
      })
  }

  fileprivate func lpNormalization() throws(ConversionError) {
    let operands = numbered([try operand(0)])
    let x = operands[0]
    try checkAxes(of: x.shape)
    let axis = try axis(try int("axis", -1), of: x.shape.count)
    let order = try int("p", 2)
    guard order == 1 || order == 2 else { throw problem("has p \(order), expected 1 or 2") }
    let plan = ReducedAxes(axes: [axis], shape: x.shape, keeps: true)
    let cell = x.cell(plan.indices)
    let norm = try nest(
      "norm over \(plan.text)", operands, shape: plan.result, reduction: .sum,
      reduced: plan.extents,
      value: order == 1 ? cell.applying(.abs) : .function(.multiply, [cell, cell]),
      result: order == 1 ? nil : Cell.total.applying(.sqrt))
    // Where all values are 0, so are the results.
    define(
      try cells("LpNormalization over \(plan.text)", [x, operand(norm)]) {
        .select($0[1].equals(.real(0)), .real(0), $0[0] / $0[1])
      })
  }

  fileprivate func meanVarianceNormalization() throws(ConversionError) {
    let x = try operand(0)
    var axes = Set<Int>()
    for axis in try ints("axes") ?? [0, 2, 3] {
      axes.insert(try self.axis(axis, of: x.shape.count))
    }
    let mean = try self.mean(of: x, over: axes)
    let variance = try self.variance(of: x, mean: mean, over: axes)
    define(
      try cells("MeanVarianceNormalization", [x, mean, variance]) {
        ($0[0] - $0[1]) / ($0[2].applying(.sqrt) + .real(1e-9))
      })
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
