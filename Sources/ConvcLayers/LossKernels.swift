import ConvcIR

extension SoftmaxCrossEntropy {
  public func calls(for context: LossContext) -> [KernelCall] {
    let prediction = context.prediction
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
  let mean = KernelCall(
    template: "loss_mean", name: "\(context.name)_mean", title: "mean over the batch",
    layers: [context.name], constants: [], scalars: [.batch],
    arguments: [
      Argument("each", element: "float", access: .read, buffer: each, text: "[batch]"),
      Argument(
        "loss", element: "float", access: .write, buffer: context.losses, origin: context.index,
        text: "[1]"),
    ], isParallel: false, work: Work(flops: Double(prediction.maps.n), bytes: 0, efficiency: 0.1))
  return [judge, mean]
}
