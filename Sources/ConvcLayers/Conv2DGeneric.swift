import ConvcIR

extension Conv2D {
  /// Plain loops over a row buffer, layout NCHW: every option, any compiler.
  func genericCandidate(for group: GroupContext) -> Candidate {
    let flops = 2 * Double(multiplyAdds(for: group.inputTypes))
    let cost = group.passes * flops / (0.4 * Target.generic.peak * 1e3)
    return Candidate(
      family: "generic", inputs: [.nchw], halos: [.none], output: .nchw, microseconds: cost,
      forward: { [genericForward($0)] }, backward: genericBackward)
  }

  /// Constants of the three generic kernels.
  func genericConstants(_ context: ForwardContext) -> [ConstantRow] {
    let input = context.inputs[0].maps
    let output = context.output.maps
    let pooling = context.context.group.pooling ?? Pooling(height: 1, width: 1)
    var rows = [
      ConstantRow(
        [
          Constant("C", input.c), Constant("H", input.h), Constant("W", input.w),
          Constant("K", output.c), Constant("R", window.kernelSize.height),
          Constant("S", window.kernelSize.width), Constant("OH", output.h),
          Constant("OW", output.w),
        ], comment: "C x H x W to K x OH x OW"),
      ConstantRow([
        Constant("STRIDE_H", window.stride.height), Constant("STRIDE_W", window.stride.width),
        Constant("PAD_TOP", window.padding.top), Constant("PAD_LEFT", window.padding.left),
        Constant("DILATION_H", window.dilation.height),
        Constant("DILATION_W", window.dilation.width),
      ]),
      ConstantRow(
        [Constant("C_GROUP", input.c / groups), Constant("K_GROUP", output.c / groups)],
        comment: groups == 1 ? "" : "channels and maps of one group"),
    ]
    if groups == 1 { rows.removeLast() }
    rows.append(
      ConstantRow(
        [
          Constant("POOL_H", pooling.height), Constant("POOL_W", pooling.width),
          Constant("COLUMNS", output.w * pooling.width),
        ],
        comment: pooling == Pooling(height: 1, width: 1)
          ? "" : "pooling window; columns that the windows cover"))
    return rows
  }

  private func genericFlags(_ context: ForwardContext) -> [String: Bool] {
    ["grouped": groups > 1, "pooled": context.context.group.pooling != nil]
  }

  private func genericForward(_ context: ForwardContext) -> KernelCall {
    let group = context.context.group
    let maker = PieceMaker(forward: context, dialect: .scalar, names: ("K", "OH", "OW"))
    let cells = maker.epilogues(group.beforePooling)
    let after = maker.epilogues(group.epilogues)
    var flags = genericFlags(context)
    flags["bias"] = addsBias(context)
    flags["winners"] = group.pooling != nil && context.context.savesForBackward
    flags["cells"] = !group.beforePooling.isEmpty
    var arguments =
      [context.inputs[0].argument("x", .read, .scalar)] + parameterArguments(context)
    arguments.append(context.output.argument("y", .write, .scalar, names: ("K", "OH", "OW")))
    if flags["winners"] == true { arguments.append(winners(context, .write)) }
    return KernelCall(
      template: "conv2d_generic_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: genericConstants(context), flags: flags,
      fragments: ["epilogue": after.fragments, "cell": cells.fragments],
      support: cells.support + after.support,
      scalars: [.batch] + cells.scalars + after.scalars,
      arguments: arguments + cells.arguments + after.arguments, work: work(context.context, 0.4))
  }

  func parameterArguments(_ context: ForwardContext) -> [Argument] {
    guard let node = context.context.anchor else { return [] }
    let channels = context.inputs[0].maps.c / groups
    let folding = Folding(context)
    let weight = Argument(
      "weight", element: "float", access: .read,
      buffer: folding?.weight ?? context.buffers.parameter(node.parameters[0]),
      dimensions: [groups == 1 ? "C" : "C_GROUP", "R", "S"],
      text:
        "[\(outputChannels), \(channels), \(window.kernelSize.height), \(window.kernelSize.width)]"
    )
    guard addsBias(context) else { return [weight] }
    return [
      weight,
      Argument(
        "bias", element: "float", access: .read,
        buffer: folding?.shift ?? context.buffers.parameter(node.parameters[1]),
        text: "[\(outputChannels)]"),
    ]
  }

  /// Whether the forward kernel adds a bias: its own, or that of a batch norm in its weights.
  func addsBias(_ context: ForwardContext) -> Bool { hasBias || context.context.folded != nil }

  /// Positions of the maxima, which forward saves.
  private func winners(_ context: ForwardContext, _ access: Access) -> Argument {
    Argument(
      "winner", element: "uint8_t", access: access,
      buffer: context.buffers.saved("winners", bytes: context.output.type.count),
      dimensions: ["K", "OH", "OW"],
      text: "\(context.output.text)  position of each maximum in its window; the first wins a tie")
  }

  private func genericBackward(_ context: BackwardContext) -> [KernelCall] {
    let group = context.context.group
    let forward = context.forward
    let pieces = PieceMaker(forward: forward, dialect: .scalar, names: ("K", "OH", "OW"))
      .reversed(group.epilogues)
    var gradient = [
      context.outputGradient.argument("d_y", .read, .scalar, names: ("K", "OH", "OW"))
    ]
    if group.pooling != nil { gradient.append(winners(forward, .read)) }
    gradient += pieces.arguments
    var calls: [KernelCall] = []
    if context.wanted.parameters {
      calls.append(genericBackwardWeight(context, pieces, gradient))
    }
    if let input = context.inputGradients[0] {
      calls.append(genericBackwardData(context, pieces, gradient, input))
    }
    return calls + operandGradients(context)
  }

  private func genericBackwardWeight(
    _ context: BackwardContext, _ pieces: Pieces, _ gradient: [Argument]
  ) -> KernelCall {
    let forward = context.forward
    var flags = genericFlags(forward)
    flags["bias"] = hasBias
    return KernelCall(
      template: "conv2d_generic_backward_weight",
      name: "\(context.context.group.name)_backward_weight",
      title: hasBias ? "gradients of weight and bias" : "gradient of the weight",
      layers: layerNames(context.context), constants: genericConstants(forward), flags: flags,
      fragments: ["prologue": pieces.fragments], support: ["support_dot"] + pieces.support,
      scalars: [.batch, .accumulate] + pieces.scalars,
      arguments: [forward.inputs[0].argument("x", .read, .scalar)] + gradient
        + gradientArguments(context), work: work(context.context, 0.3))
  }

  /// The parameters' gradients as arguments.
  func gradientArguments(_ context: BackwardContext) -> [Argument] {
    guard let node = context.context.anchor else { return [] }
    var arguments = [
      Argument(
        "d_weight", element: "float", access: .update,
        buffer: context.buffers.gradient(node.parameters[0]),
        dimensions: [groups == 1 ? "C" : "C_GROUP", "R", "S"],
        text: "[\(outputChannels), \(context.forward.inputs[0].maps.c / groups), "
          + "\(window.kernelSize.height), \(window.kernelSize.width)]")
    ]
    if hasBias {
      arguments.append(
        Argument(
          "d_bias", element: "float", access: .update,
          buffer: context.buffers.gradient(node.parameters[1]), text: "[\(outputChannels)]"))
    }
    return arguments
  }

  private func genericBackwardData(
    _ context: BackwardContext, _ pieces: Pieces, _ gradient: [Argument],
    _ input: GradientPlacement
  ) -> KernelCall {
    var flags = genericFlags(context.forward)
    flags["adds"] = input.accumulates
    return KernelCall(
      template: "conv2d_generic_backward_data",
      name: "\(context.context.group.name)_backward_data", title: "gradient of the input",
      layers: layerNames(context.context), constants: genericConstants(context.forward),
      flags: flags, fragments: ["prologue": pieces.fragments], support: pieces.support,
      scalars: [.batch] + pieces.scalars,
      arguments: [parameterArguments(context.forward)[0]] + gradient + [
        input.placement.argument("d_x", input.accumulates ? .update : .write, .scalar)
      ], work: work(context.context, 0.4))
  }

  /// Work of one pass.
  func work(_ context: GroupContext, _ efficiency: Double) -> Work {
    let types = context.inputTypes + [context.outputType]
    return Work(
      flops: 2 * Double(multiplyAdds(for: context.inputTypes)),
      bytes: Double(types.reduce(0) { $0 + $1.bytes }), efficiency: efficiency)
  }

  /// The same for a kernel that goes through one cell of each pooling window.
  func workOfWinners(_ context: GroupContext, _ efficiency: Double) -> Work {
    let pool = context.group.pooling ?? Pooling(height: 1, width: 1)
    let all = work(context, efficiency)
    return Work(
      flops: all.flops / Double(pool.height * pool.width), bytes: all.bytes,
      efficiency: efficiency)
  }
}

/// Names of a group's layers.
func layerNames(_ context: GroupContext) -> [String] {
  context.group.nodes.map { context.graph[$0].name }
}

/// What a group's layers do, in words.
func groupSummary(_ context: GroupContext) -> String {
  context.group.nodes.map { context.graph[$0].layer.summary }.joined(separator: "; ")
}
