import ConvcIR

extension Dense {
  /// Plain loops over rows of features: any size, any compiler.
  func genericCandidate(for group: GroupContext) -> Candidate {
    let flops = 2 * Double(multiplyAdds(for: group.inputTypes))
    return Candidate(
      family: "generic", inputs: [.nchw], halos: [.none], output: .nchw,
      microseconds: group.passes * flops / (0.5 * Target.generic.peak * 1e3),
      forward: { [genericForward($0)] }, backward: genericBackward)
  }

  func denseConstants(_ context: ForwardContext) -> [ConstantRow] {
    [
      ConstantRow(
        [Constant("F", context.inputs[0].maps.c), Constant("K", outputs)],
        comment: "features, outputs")
    ]
  }

  func denseWork(_ context: GroupContext, _ efficiency: Double) -> Work {
    let features = context.inputTypes[0].maps.c
    return Work(
      flops: 2 * Double(multiplyAdds(for: context.inputTypes)),
      bytes: Double(4 * features * outputs),
      efficiency: efficiency)
  }

  func weightArgument(_ context: ForwardContext) -> Argument {
    Argument(
      "weight", element: "float", access: .read, buffer: parameter(0, of: context),
      dimensions: ["F"], text: "[\(outputs), \(context.inputs[0].maps.c)]")
  }

  func biasArgument(_ context: ForwardContext) -> Argument {
    Argument(
      "bias", element: "float", access: .read, buffer: parameter(1, of: context),
      text: "[\(outputs)]")
  }

  private func parameter(_ index: Int, of context: ForwardContext) -> Buffer.ID {
    guard let node = context.context.anchor else {
      preconditionFailure("internal error: a dense group without its anchor")
    }
    return context.buffers.parameter(node.parameters[index])
  }

  private func genericForward(_ context: ForwardContext) -> KernelCall {
    let group = context.context.group
    let pieces = PieceMaker(forward: context, dialect: .scalar, names: ("K", "", ""))
      .epilogues(group.epilogues)
    return KernelCall(
      template: "dense_generic_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: denseConstants(context), flags: ["bias": hasBias],
      fragments: ["epilogue": pieces.fragments], support: ["support_dot"] + pieces.support,
      scalars: [.batch] + pieces.scalars,
      arguments: [
        context.inputs[0].argument("x", .read, .scalar, names: ("F", "", "")),
        weightArgument(context),
      ] + (hasBias ? [biasArgument(context)] : []) + [
        context.output.argument("y", .write, .scalar, names: ("K", "", ""))
      ] + pieces.arguments, work: denseWork(context.context, 0.5))
  }

  private func genericBackward(_ context: BackwardContext) -> [KernelCall] {
    let forward = context.forward
    let group = context.context.group
    let pieces = PieceMaker(forward: forward, dialect: .scalar, names: ("K", "", ""))
      .reversed(group.epilogues)
    let gradient =
      [context.outputGradient.argument("d_y", .read, .scalar, names: ("K", "", ""))]
      + pieces.arguments
    var calls: [KernelCall] = []
    if context.wanted.parameters {
      calls.append(
        KernelCall(
          template: "dense_generic_backward_weight", name: "\(group.name)_backward_weight",
          title: hasBias ? "gradients of weight and bias" : "gradient of the weight",
          layers: layerNames(context.context), constants: denseConstants(forward),
          flags: ["bias": hasBias], fragments: ["prologue": pieces.fragments],
          support: pieces.support, scalars: [.batch, .accumulate] + pieces.scalars,
          arguments: [forward.inputs[0].argument("x", .read, .scalar, names: ("F", "", ""))]
            + gradient + gradientArguments(context), work: denseWork(context.context, 0.5)))
    }
    if let input = context.inputGradients[0] {
      calls.append(
        KernelCall(
          template: "dense_generic_backward_data", name: "\(group.name)_backward_data",
          title: "gradient of the input", layers: layerNames(context.context),
          constants: denseConstants(forward), flags: ["adds": input.accumulates],
          fragments: ["prologue": pieces.fragments], support: pieces.support,
          scalars: [.batch] + pieces.scalars,
          arguments: [weightArgument(forward)] + gradient + [
            input.placement.argument(
              "d_x", input.accumulates ? .update : .write, .scalar, names: ("F", "", ""))
          ], work: denseWork(context.context, 0.5)))
    }
    return calls + operandGradients(context)
  }

  func gradientArguments(_ context: BackwardContext) -> [Argument] {
    guard let node = context.context.anchor else { return [] }
    let features = context.forward.inputs[0].maps.c
    var arguments = [
      Argument(
        "d_weight", element: "float", access: .update,
        buffer: context.buffers.gradient(node.parameters[0]), dimensions: ["F"],
        text: "[\(outputs), \(features)]")
    ]
    if hasBias {
      arguments.append(
        Argument(
          "d_bias", element: "float", access: .update,
          buffer: context.buffers.gradient(node.parameters[1]), text: "[\(outputs)]"))
    }
    return arguments
  }
}
