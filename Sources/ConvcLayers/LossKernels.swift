import ConvcIR

extension SoftmaxCrossEntropy {
  public func calls(for context: LossContext) -> [KernelCall] {
    let prediction = context.prediction
    guard !prediction.isMaps else { return pixelCalls(for: context) }
    let classes = prediction.maps.c
    var arguments = [
      prediction.argument(
        "x", .read, .scalar, names: ("K", "", ""), meaning: prediction.lanesText),
      Argument(
        "label", element: "int32_t", access: .read, buffer: context.target, text: "[batch]"),
    ]
    return lossCalls(
      context, kind: "softmax_cross_entropy", title: "softmax and cross-entropy, with the gradient",
      constants: [Constant("K", classes)], support: ["support_exp_log"], arguments: &arguments,
      scale: context.weight, divisor: 1, flopsPerValue: 40)
  }

  /// The kernels for maps: each row of pixels is judged at once, in vectors where the compiler has them.
  private func pixelCalls(for context: LossContext) -> [KernelCall] {
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
      support: ["support_exp_log"], scalars: isLanes ? [.batch, .groups] : [.batch],
      arguments: arguments, work: streamingWork(prediction, prediction, flopsPerValue: 40))
    return [judge, meanCall(context, of: each, rows: maps.h)]
  }
}

extension MeanSquaredError {
  public func calls(for context: LossContext) -> [KernelCall] {
    let prediction = context.prediction
    let maps = prediction.maps
    let target = Placement(
      buffer: context.target, type: prediction.type, layout: .nchw, lanes: prediction.lanes)
    let names = prediction.isMaps ? ("K", "H", "W") : ("K", "", "")
    var arguments = [
      prediction.argument("x", .read, .scalar, names: names, meaning: prediction.lanesText),
      target.argument("expected", .read, .scalar, names: names),
    ]
    let constants =
      prediction.isMaps
      ? [Constant("K", maps.c), Constant("H", maps.h), Constant("W", maps.w)]
      : [Constant("K", maps.c)]
    return lossCalls(
      context, kind: "mean_squared_error", title: "mean squared error, with the gradient",
      constants: constants, support: [], arguments: &arguments, scale: 2 * context.weight,
      divisor: maps.c * maps.pixels, flopsPerValue: 4)
  }
}

/// The kernel that judges each image, and the one that takes the mean over the batch.
private func lossCalls(
  _ context: LossContext, kind: String, title: String, constants: [Constant], support: [String],
  arguments: inout [Argument], scale: Float, divisor: Int, flopsPerValue: Double
) -> [KernelCall] {
  let prediction = context.prediction
  let each = context.buffers.arena("\(context.name)_each", bytes: prediction.maps.n * 4)
  arguments.append(
    Argument(
      "each", element: "float", access: .write, buffer: each, text: "[batch]  loss of each image"))
  if let gradient = context.gradient {
    let names = prediction.isMaps ? ("K", "H", "W") : ("K", "", "")
    arguments.append(
      gradient.placement.argument(
        "d_x", gradient.accumulates ? .update : .write, .scalar, names: names))
  }
  let isLanes = prediction.layout == .lanes
  var flags = ["lanes": isLanes, "gradient": context.gradient != nil]
  if kind == "mean_squared_error" { flags["maps"] = prediction.isMaps }
  var texts = [
    "outer": prediction.outerScalar.rawValue, "lane": isLanes ? "[l]" : "",
    "scale": cFloat(scale), "store": context.gradient?.accumulates == true ? "+=" : "=",
  ]
  if kind == "mean_squared_error" { texts["values"] = "\(divisor)" }
  let judge = KernelCall(
    template: kind, name: "\(context.name)_forward_backward", title: title,
    notes: isLanes ? ["Lanes without an image get a gradient of zero."] : [],
    layers: [context.name], constants: [ConstantRow(constants)], flags: flags, texts: texts,
    support: support, scalars: isLanes ? [.batch, .groups] : [.batch], arguments: arguments,
    work: streamingWork(prediction, prediction, flopsPerValue: flopsPerValue))
  return [judge, meanCall(context, of: each)]
}

/// The kernel that takes the mean of the losses of all images, or of all rows of them.
private func meanCall(
  _ context: LossContext, of each: Buffer.ID, rows: Int? = nil
) -> KernelCall {
  let count = rows.map { "batch * \($0)" } ?? "batch"
  let extents = rows.map { "[batch, \($0)]" } ?? "[batch]"
  return KernelCall(
    template: "loss_mean", name: "\(context.name)_mean", title: "mean over the batch",
    layers: [context.name], constants: [],
    texts: ["count": count, "divisor": rows == nil ? count : "(\(count))"], scalars: [.batch],
    arguments: [
      Argument("each", element: "float", access: .read, buffer: each, text: extents),
      Argument(
        "loss", element: "float", access: .write, buffer: context.losses, origin: context.index,
        text: "[1]"),
    ], isParallel: false,
    work: Work(
      flops: Double(context.prediction.maps.n * (rows ?? 1)), bytes: 0, efficiency: 0.1))
}
