import ConvcIR

extension ConvTranspose2D {
  /// Plain loops over a row buffer, layout NCHW: every option, any compiler.
  func genericCandidate(for group: GroupContext) -> Candidate {
    let flops = 2 * Double(multiplyAdds(for: group.inputTypes))
    return Candidate(
      family: "generic", inputs: [.nchw], halos: [.none], output: .nchw,
      microseconds: group.passes * flops / (0.4 * Target.generic.peak * 1e3),
      forward: { [genericForward($0)] }, backward: genericBackward)
  }

  private func genericConstants(_ context: ForwardContext) -> [ConstantRow] {
    let input = context.inputs[0].maps
    let output = context.output.maps
    return [
      ConstantRow(
        [
          Constant("C", input.c), Constant("H", input.h), Constant("W", input.w),
          Constant("K", output.c), Constant("R", kernelSize.height),
          Constant("S", kernelSize.width), Constant("OH", output.h), Constant("OW", output.w),
        ], comment: "C x H x W to K x OH x OW"),
      ConstantRow([
        Constant("STRIDE_H", stride.height), Constant("STRIDE_W", stride.width),
        Constant("PAD_TOP", padding.top), Constant("PAD_LEFT", padding.left),
        Constant("DILATION_H", dilation.height), Constant("DILATION_W", dilation.width),
      ]),
    ]
      + (groups == 1
        ? []
        : [
          ConstantRow(
            [Constant("C_GROUP", input.c / groups), Constant("K_GROUP", output.c / groups)],
            comment: "channels and maps of one group")
        ])
  }

  private func genericForward(_ context: ForwardContext) -> KernelCall {
    let group = context.context.group
    let after = PieceMaker(forward: context, dialect: .scalar, names: ("K", "OH", "OW"))
      .epilogues(group.epilogues)
    return KernelCall(
      template: "convtranspose2d_generic_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: genericConstants(context), flags: ["bias": hasBias, "grouped": groups > 1],
      fragments: ["epilogue": after.fragments], support: after.support,
      scalars: [.batch] + after.scalars,
      arguments: [context.inputs[0].argument("x", .read, .scalar)] + parameterArguments(context)
        + [context.output.argument("y", .write, .scalar, names: ("K", "OH", "OW"))]
        + after.arguments, work: work(context.context, 0.4))
  }

  private var groupMaps: String { groups == 1 ? "K" : "K_GROUP" }

  private func weightText(_ context: ForwardContext) -> String {
    "[\(context.inputs[0].maps.c), \(outputChannels / groups), \(kernelSize.height), \(kernelSize.width)]"
  }

  private func parameterArguments(_ context: ForwardContext) -> [Argument] {
    guard let node = context.context.anchor else { return [] }
    let weight = Argument(
      "weight", element: "float", access: .read,
      buffer: context.buffers.parameter(node.parameters[0]), dimensions: [groupMaps, "R", "S"],
      text: weightText(context))
    guard hasBias else { return [weight] }
    return [
      weight,
      Argument(
        "bias", element: "float", access: .read,
        buffer: context.buffers.parameter(node.parameters[1]), text: "[\(outputChannels)]"),
    ]
  }

  /// The parameters' gradients as arguments.
  func gradientArguments(_ context: BackwardContext) -> [Argument] {
    guard let node = context.context.anchor else { return [] }
    let weight = Argument(
      "d_weight", element: "float", access: .update,
      buffer: context.buffers.gradient(node.parameters[0]), dimensions: [groupMaps, "R", "S"],
      text: weightText(context.forward))
    guard hasBias else { return [weight] }
    return [
      weight,
      Argument(
        "d_bias", element: "float", access: .update,
        buffer: context.buffers.gradient(node.parameters[1]), text: "[\(outputChannels)]"),
    ]
  }

  private func genericBackward(_ context: BackwardContext) -> [KernelCall] {
    let group = context.context.group
    let pieces = PieceMaker(forward: context.forward, dialect: .scalar, names: ("K", "OH", "OW"))
      .reversed(group.epilogues)
    let gradient =
      [context.outputGradient.argument("d_y", .read, .scalar, names: ("K", "OH", "OW"))]
      + pieces.arguments
    var calls: [KernelCall] = []
    if context.wanted.parameters {
      calls.append(
        KernelCall(
          template: "convtranspose2d_generic_backward_weight",
          name: "\(group.name)_backward_weight",
          title: hasBias ? "gradients of weight and bias" : "gradient of the weight",
          layers: layerNames(context.context), constants: genericConstants(context.forward),
          flags: ["bias": hasBias, "grouped": groups > 1],
          fragments: ["prologue": pieces.fragments], support: ["support_dot"] + pieces.support,
          scalars: [.batch, .accumulate] + pieces.scalars,
          arguments: [context.forward.inputs[0].argument("x", .read, .scalar)] + gradient
            + gradientArguments(context), work: work(context.context, 0.3)))
    }
    if let input = context.inputGradients[0] {
      calls.append(
        KernelCall(
          template: "convtranspose2d_generic_backward_data", name: "\(group.name)_backward_data",
          title: "gradient of the input", layers: layerNames(context.context),
          constants: genericConstants(context.forward),
          flags: ["adds": input.accumulates, "grouped": groups > 1],
          fragments: ["prologue": pieces.fragments], support: pieces.support,
          scalars: [.batch] + pieces.scalars,
          arguments: [parameterArguments(context.forward)[0]] + gradient + [
            input.placement.argument("d_x", input.accumulates ? .update : .write, .scalar)
          ], work: work(context.context, 0.4)))
    }
    return calls + operandGradients(context)
  }

  /// Work of one pass.
  func work(_ context: GroupContext, _ efficiency: Double) -> Work {
    let types = context.inputTypes + [context.outputType]
    return Work(
      flops: 2 * Double(multiplyAdds(for: context.inputTypes)),
      bytes: Double(types.reduce(0) { $0 + $1.bytes }), efficiency: efficiency)
  }
}
