import ConvcIR

/// The kernels of labels and scores alone: the loss that most networks have.
extension SoftmaxCrossEntropy {
  /// The kernels for features: each image is judged by itself.
  func plainCalls(for context: LossContext) -> [KernelCall] {
    let prediction = context.prediction
    let isLanes = prediction.layout == .lanes
    let dialect: Dialect = isLanes ? .vector : .scalar
    let each = context.buffers.arena("\(context.name)_each", bytes: prediction.maps.n * 4)
    let arguments = [
      prediction.argument(
        "x", .read, dialect, names: ("K", "", ""), meaning: prediction.lanesText),
      Argument(
        "label", element: "int32_t", access: .read, buffer: context.target, text: "[batch]"),
      Argument(
        "each", element: "float", access: .write, buffer: each, text: "[batch]  loss of each image"),
    ]
    let gradient = context.gradient.map {
      $0.placement.argument(
        "d_x", $0.accumulates ? .update : .write, dialect, names: ("K", "", ""))
    }
    let judge = KernelCall(
      template: isLanes ? "softmax_cross_entropy_lanes" : "softmax_cross_entropy",
      name: "\(context.name)_forward_backward",
      title: "softmax and cross-entropy, with the gradient",
      notes: isLanes ? ["Lanes without an image get a gradient of zero."] : [],
      layers: [context.name], constants: [ConstantRow([Constant("K", prediction.maps.c)])],
      flags: ["gradient": context.gradient != nil],
      texts: [
        "scale": cFloat(context.weight),
        "store": context.gradient?.accumulates == true ? "+=" : "=",
      ],
      support: isLanes
        ? ["support_exp_vector", "support_log_vector"]
        : ["support_exp_scalar", "support_log_scalar"],
      scalars: isLanes ? [.batch, .groups] : [.batch],
      arguments: arguments + [gradient].compactMap { $0 },
      work: streamingWork(prediction, prediction, flopsPerValue: 40))
    return [
      judge,
      lossMean(context, of: each, rows: nil, title: "mean over the batch", divisor: "batch"),
    ]
  }

  /// The kernels for maps: each row of pixels is judged at once, in vectors where the compiler has them.
  func plainPixelCalls(for context: LossContext) -> [KernelCall] {
    let prediction = context.prediction
    let maps = prediction.maps
    let names = ("K", "H", "W")
    let isLanes = prediction.layout == .lanes
    let each = context.buffers.arena("\(context.name)_each", bytes: maps.n * maps.h * 4)
    var arguments = [
      prediction.argument("x", .read, .scalar, names: names, meaning: prediction.lanesText),
      Argument(
        "label", element: "int32_t", access: .read, buffer: context.target,
        dimensions: ["H", "W"], text: "[batch, \(maps.h), \(maps.w)]"),
      Argument(
        "each", element: "float", access: .write, buffer: each, dimensions: ["H"],
        text: "[batch, \(maps.h)]  loss of each row of pixels"),
    ]
    if let gradient = context.gradient {
      arguments.append(
        gradient.placement.argument(
          "d_x", gradient.accumulates ? .update : .write, .scalar, names: names))
    }
    let row = isLanes ? "[h][0]" : "[h]"
    let texts = [
      "outer": prediction.outerScalar.rawValue, "scale": cFloat(context.weight),
      "pixels": "\(maps.pixels)", "first": "x[n][0]\(row)", "score": "x[n][k]\(row)",
      "slope": "d_x[n][k]\(row)", "store": context.gradient?.accumulates == true ? "+=" : "=",
    ]
    let judge = KernelCall(
      template: "softmax_cross_entropy_maps", name: "\(context.name)_forward_backward",
      title: "softmax and cross-entropy of each pixel, with the gradient",
      notes: isLanes ? ["Lanes without an image get a gradient of zero."] : [],
      layers: [context.name],
      constants: [
        ConstantRow([Constant("K", maps.c), Constant("H", maps.h), Constant("W", maps.w)]),
        ConstantRow(
          [Constant("CELLS", maps.w * (isLanes ? prediction.lanes : 1))],
          comment: "values of a row"),
      ], flags: ["lanes": isLanes, "gradient": context.gradient != nil], texts: texts,
      support: ["support_exp_scalar", "support_log_scalar"],
      scalars: isLanes ? [.batch, .groups] : [.batch],
      arguments: arguments, work: streamingWork(prediction, prediction, flopsPerValue: 40))
    return [
      judge,
      lossMean(
        context, of: each, rows: maps.h, title: "mean over the batch",
        divisor: "(batch * \(maps.h))"),
    ]
  }
}
