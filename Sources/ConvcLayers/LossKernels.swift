import ConvcIR

extension SoftmaxCrossEntropy {
  public func calls(for context: LossContext) -> [KernelCall] {
    let prediction = context.prediction
    guard !prediction.isMaps else { return pixelCalls(for: context) }
    let classes = prediction.maps.c
    let arguments = [
      prediction.argument(
        "x", .read, .scalar, names: ("K", "", ""), meaning: prediction.lanesText),
      Argument(
        "label", element: "int32_t", access: .read, buffer: context.target, text: "[batch]"),
    ]
    return ImageLossKernel(
      template: "softmax_cross_entropy", title: "softmax and cross-entropy, with the gradient",
      constants: [Constant("K", classes)], support: ["support_exp_scalar", "support_log_scalar"],
      arguments: arguments,
      scale: context.weight, flopsPerValue: 40
    ).calls(for: context)
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
      support: ["support_exp_scalar", "support_log_scalar"],
      scalars: isLanes ? [.batch, .groups] : [.batch],
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
    let arguments = [
      prediction.argument("x", .read, .scalar, names: names, meaning: prediction.lanesText),
      target.argument("expected", .read, .scalar, names: names),
    ]
    let constants =
      prediction.isMaps
      ? [Constant("K", maps.c), Constant("H", maps.h), Constant("W", maps.w)]
      : [Constant("K", maps.c)]
    return ImageLossKernel(
      template: "mean_squared_error", title: "mean squared error, with the gradient",
      constants: constants, flags: ["maps": prediction.isMaps],
      texts: ["values": "\(maps.c * maps.pixels)"], arguments: arguments,
      scale: 2 * context.weight, flopsPerValue: 4
    ).calls(for: context)
  }
}

/// A loss that judges each image by itself: the kernel that does, and the one that takes the mean over the batch.
private struct ImageLossKernel {
  let template: String
  let title: String
  let constants: [Constant]
  /// Switches and texts of the template, beside those that all such losses have.
  var flags: [String: Bool] = [:]
  var texts: [String: String] = [:]
  var support: [String] = []
  /// The prediction, and what it is judged by.
  let arguments: [Argument]
  /// Factor of the gradient, before it is divided by the batch.
  let scale: Float
  let flopsPerValue: Double

  func calls(for context: LossContext) -> [KernelCall] {
    let prediction = context.prediction
    let isLanes = prediction.layout == .lanes
    let each = context.buffers.arena("\(context.name)_each", bytes: prediction.maps.n * 4)
    let losses = Argument(
      "each", element: "float", access: .write, buffer: each, text: "[batch]  loss of each image")
    let gradient = context.gradient.map {
      $0.placement.argument(
        "d_x", $0.accumulates ? .update : .write, .scalar,
        names: prediction.isMaps ? ("K", "H", "W") : ("K", "", ""))
    }
    let usual = [
      "outer": prediction.outerScalar.rawValue, "lane": isLanes ? "[l]" : "",
      "scale": cFloat(scale), "store": context.gradient?.accumulates == true ? "+=" : "=",
    ]
    let judge = KernelCall(
      template: template, name: "\(context.name)_forward_backward", title: title,
      notes: isLanes ? ["Lanes without an image get a gradient of zero."] : [],
      layers: [context.name], constants: [ConstantRow(constants)],
      flags: flags.merging(["lanes": isLanes, "gradient": context.gradient != nil]) { $1 },
      texts: texts.merging(usual) { $1 }, support: support,
      scalars: isLanes ? [.batch, .groups] : [.batch],
      arguments: arguments + [losses] + [gradient].compactMap { $0 },
      work: streamingWork(prediction, prediction, flopsPerValue: flopsPerValue))
    return [judge, meanCall(context, of: each)]
  }
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
