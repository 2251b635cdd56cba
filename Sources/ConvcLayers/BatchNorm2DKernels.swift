import ConvcIR

extension BatchNorm2D {
  public func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(for: group, forward: { [forward($0)] }, backward: backward)
  }

  public func channelValues(
    of node: Node, in graph: Graph, buffers: any BufferSource, lanes: Int
  ) -> [Buffer.ID] {
    let channels = graph.parameters[node.parameters[0]].spec.count
    let padded = (channels + lanes - 1) / lanes * lanes
    let sources = node.parameters.map { index in
      (graph.parameters[index].spec.name, buffers.masterParameter(index))
    }
    let entry = buffers.packed("\(node.name).scale_and_shift", bytes: padded * 8) { packed in
      KernelCall(
        template: "batchnorm_prepare", name: "\(node.name)_prepare",
        title: "BatchNorm2D as one multiply-add: y = x * scale + shift", layers: [node.name],
        constants: [ConstantRow([Constant("C", channels), Constant("PADDED", padded)])],
        texts: ["epsilon": cFloat(epsilon)], scalars: [],
        arguments: sources.map { name, buffer in
          Argument(name, element: "float", access: .read, buffer: buffer, text: "[\(channels)]")
        } + [
          Argument(
            "y", element: "float", access: .write, buffer: packed, dimensions: ["PADDED"],
            text: "[2, \(padded)]  scale, then shift")
        ], isParallel: false, work: Work(flops: Double(channels * 4), bytes: 0, efficiency: 0.1))
    }
    return [entry, buffers.packedPart(of: entry, offset: padded)]
  }

  private func constants(_ placement: Placement) -> [ConstantRow] {
    let maps = placement.maps
    return [
      ConstantRow(
        placement.isMaps
          ? [Constant("C", maps.c), Constant("H", maps.h), Constant("W", maps.w)]
          : [Constant("C", maps.c)])
    ]
  }

  private func flags(_ placement: Placement) -> [String: Bool] {
    [
      "maps": placement.isMaps, "lanes": placement.layout == .lanes,
      "blocked": placement.layout == .blocked,
    ]
  }

  private func texts(_ placement: Placement) -> [String: String] {
    [
      "outer": placement.outerScalar.rawValue, "at": placement.at(.scalar),
      "pixels": placement.isMaps ? " * H * W" : "",
    ]
  }

  private func names(_ placement: Placement) -> (c: String, h: String, w: String) {
    (placement.layout == .blocked ? "\(placement.blocks)" : "C", "H", "W")
  }

  private func scalars(_ placement: Placement) -> [Scalar] {
    placement.layout == .lanes ? [.batch, .groups] : [.batch]
  }

  private func saved(_ context: ForwardContext, _ access: Access) -> Argument {
    let channels = context.output.maps.c
    return Argument(
      "saved", element: "float", access: access,
      buffer: context.buffers.saved("statistics", bytes: channels * 8), dimensions: ["C"],
      text: "[2, \(channels)]  mean and inverse deviation of the batch")
  }

  private func parameter(_ name: String, _ index: Int, _ access: Access, _ context: ForwardContext)
    -> Argument
  {
    guard let node = context.context.anchor else {
      preconditionFailure("internal error: a batch norm group without its anchor")
    }
    return Argument(
      name, element: "float", access: access,
      buffer: context.buffers.masterParameter(node.parameters[index]),
      text: "[\(context.output.maps.c)]")
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    let group = context.context.group
    let input = context.inputs[0]
    let pieces = PieceMaker(forward: context, dialect: .scalar, names: names(context.output))
      .epilogues(group.epilogues)
    var texts = texts(input)
    texts["momentum"] = cFloat(momentum)
    texts["epsilon"] = cFloat(epsilon)
    return KernelCall(
      template: "batchnorm_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context),
      notes: ["One thread has a whole channel: its mean, its variance, then its values."],
      layers: layerNames(context.context), constants: constants(input), flags: flags(input),
      texts: texts, fragments: ["epilogue": pieces.fragments], support: pieces.support,
      scalars: scalars(input) + pieces.scalars.filter { !scalars(input).contains($0) },
      arguments: [
        input.argument("x", .read, .scalar, names: names(input), meaning: input.lanesText),
        parameter("weight", 0, .read, context), parameter("bias", 1, .read, context),
        parameter("running_mean", 2, .update, context),
        parameter("running_var", 3, .update, context),
        context.output.argument("y", .write, .scalar, names: names(context.output)),
        saved(context, .write),
      ] + pieces.arguments, work: streamingWork(input, input, input, flopsPerValue: 4))
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    let forward = context.forward
    let input = forward.inputs[0]
    let pieces = PieceMaker(forward: forward, dialect: .scalar, names: names(forward.output))
      .reversed(context.context.group.epilogues)
    guard let node = context.context.anchor else { return [] }
    let weight = parameter("weight", 0, .read, forward)
    var arguments = [
      input.argument("x", .read, .scalar, names: names(input), meaning: input.lanesText),
      saved(forward, .read),
    ]
    if context.inputGradients[0] != nil { arguments.append(weight) }
    arguments.append(context.outputGradient.argument("d_y", .read, .scalar, names: names(input)))
    arguments += pieces.arguments
    arguments += ["d_weight", "d_bias"].enumerated().map { index, name in
      Argument(
        name, element: "float", access: .update,
        buffer: context.buffers.gradient(node.parameters[index]), text: "[\(input.maps.c)]")
    }
    var flags = flags(input)
    flags["data"] = context.inputGradients[0] != nil
    var texts = texts(input)
    texts["store"] = context.inputGradients[0]?.accumulates == true ? "+=" : "="
    if let gradient = context.inputGradients[0] {
      arguments.append(
        gradient.placement.argument(
          "d_x", gradient.accumulates ? .update : .write, .scalar, names: names(input)))
    }
    let scalars = scalars(input) + [.accumulate] + pieces.scalars
    return [
      KernelCall(
        template: "batchnorm_backward", name: "\(context.context.group.name)_backward",
        title: "gradients of "
          + (context.inputGradients[0] == nil ? "weight and bias" : "input, weight and bias"),
        notes: input.layout == .lanes
          ? ["Lanes without an image count in no sum, and get zeros."] : [],
        layers: layerNames(context.context), constants: constants(input), flags: flags,
        texts: texts, fragments: ["prologue": pieces.fragments], support: pieces.support,
        scalars: scalars, arguments: arguments,
        work: streamingWork(input, input, input, flopsPerValue: 6))
    ] + operandGradients(context)
  }
}
