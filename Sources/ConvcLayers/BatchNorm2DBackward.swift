import ConvcIR

/// The backward kernels of a batch norm: sums, gradients of the parameters, and the gradient of the input, stored or
/// left to who needs it.
struct BatchNormBackward {
  let kernels: BatchNormKernels
  let context: BackwardContext

  private var forward: ForwardContext { kernels.context }
  private var group: Group { kernels.group }
  private var node: Node { kernels.node }
  private var input: Placement { kernels.input }
  private var dialect: Dialect { kernels.dialect }

  func calls() -> [KernelCall] {
    let bytes = kernels.parts * 2 * kernels.padded * 4
    let sums = forward.buffers.arena("\(group.name)_d_sums", bytes: bytes)
    var calls = [gradientSums(sums), parameterGradients(sums)]
    if let gradient = context.inputGradients[0] {
      calls.append(
        elementwiseCall(
          name: "\(group.name)_backward_data", title: "gradient of the input",
          layers: layerNames(forward.context), from: context.outputGradient,
          to: gradient.placement, names: ("d_y", "d_x"), accumulates: gradient.accumulates,
          pieces: deferredInput(x: "x").pieces(dialect, ("C", "H", "W")), dialect: dialect))
    }
    return calls + operandGradients(context)
  }

  private func gradientSums(_ buffer: Buffer.ID) -> KernelCall {
    let values = kernels.values(.read)
    let mean = kernels.row(0, of: values, name: "mean", dialect)
    var pieces = after(x: "x", values).pieces(dialect, ("C", "H", "W"))
    pieces.append(
      Pieces(arguments: [
        input.argument("x", .read, dialect, meaning: "input of \(node.name)"), mean,
      ]))
    return ChannelSumsKernel(
      layer: node.name, source: context.outputGradient, argument: "d_y", pieces: pieces,
      factor: "(x\(input.at(dialect)) - \(mean.name)[m])",
      sums: kernels.partSums(buffer, .write, of: 2, asVectors: true), target: forward.context.target
    ).call(
      name: "\(group.name)_backward_sums",
      title: "sums of each channel's gradients, and of their products with the centred input")
  }

  private func parameterGradients(_ sums: Buffer.ID) -> KernelCall {
    let wantsData = context.inputGradients[0] != nil || context.defersInput
    let gradients = ["d_weight", "d_bias"].enumerated().map { index, name in
      Argument(
        name, element: "float", access: .update,
        buffer: forward.buffers.gradient(node.parameters[index]), text: "[\(kernels.channels)]")
    }
    let scalars: [Scalar] = input.layout == .lanes ? [.batch, .groups] : [.batch]
    return KernelCall(
      template: "batchnorm_slopes", name: "\(group.name)_backward_parameters",
      title: "gradients of weight and bias"
        + (wantsData ? ", and the slopes of the input's gradient" : ""),
      layers: [node.name], constants: kernels.tableConstants, flags: ["data": wantsData],
      texts: ["parts": input.outerScalar.rawValue, "pixels": kernels.pixels],
      scalars: scalars + [.accumulate],
      arguments: [
        kernels.partSums(sums, .read, of: 2, asVectors: false), kernels.values(.read),
      ] + gradients + (wantsData ? [kernels.slopes(.write)] : []), work: kernels.tableWork)
  }

  // MARK: Pieces

  /// The gradient of the input as an expression of the gradient that is stored after the group.
  ///
  /// - Parameter name: name of the input among the arguments of the kernel that computes it.
  func deferredInput(x name: String? = nil) -> DeferredGradient {
    let tables = (values: kernels.values(.read), slopes: kernels.slopes(.read))
    let x = name ?? "\(node.name)_x"
    let after = after(x: x, tables.values)
    return DeferredGradient(source: after.source) { dialect, names in
      var pieces = after.pieces(dialect, names)
      pieces.append(inputGradient(dialect, names: names, x: x, tables))
      return pieces
    }
  }

  /// The gradient right after the normalisation. What the first member's gradient needs is computed from the input: the
  /// output is not read for it.
  private func after(x name: String, _ values: Argument) -> DeferredGradient {
    guard let reader = BatchNormKernels.readerOfInput(group.epilogues) else {
      return context.passed(through: group.epilogues)
    }
    return context.passed(through: group.epilogues) { dialect, names in
      normalized(before: reader, dialect, names: names, x: name, values)
    }
  }

  /// The normalised value, from the input.
  private func normalized(
    before reader: Member, _ dialect: Dialect, names: (c: String, h: String, w: String),
    x name: String, _ values: Argument
  ) -> MemberInput {
    let rows = kernels.normalizingRows(of: values, dialect)
    let layer = forward.context.graph[reader.node].name
    let channel = dialect == .vector ? "m" : input.channel
    let centred = "\(layer)_x"
    let fragment = Fragment(
      template: "batchnorm_centred_\(dialect == .vector ? "vector" : "scalar")",
      values: [
        "centred": centred, "x": name, "at": input.at(dialect), "mean": rows[0].name,
        "channel": channel,
      ], layer: layer)
    let x = input.argument(
      name, .read, dialect, names: names, meaning: "input of \(node.name)")
    return MemberInput(
      member: reader.node,
      value: "\(centred) * \(rows[1].name)[\(channel)] + \(rows[2].name)[\(channel)]",
      pieces: Pieces(fragments: [fragment], arguments: [x] + rows))
  }

  private func inputGradient(
    _ dialect: Dialect, names: (c: String, h: String, w: String), x name: String,
    _ tables: (values: Argument, slopes: Argument)
  ) -> Pieces {
    let rows = [
      kernels.row(0, of: tables.values, name: "mean", dialect),
      kernels.row(2, of: tables.values, name: "scale", dialect),
      kernels.row(0, of: tables.slopes, name: "slope", dialect),
      kernels.row(1, of: tables.slopes, name: "offset", dialect),
    ]
    var texts = [
      "channel": dialect == .vector ? "m" : input.channel, "x": name, "at": input.at(dialect),
      "centred": "\(node.name)_centred",
    ]
    for (name, argument) in zip(["mean", "scale", "slope", "offset"], rows) {
      texts[name] = argument.name
    }
    let suffix = dialect == .vector ? "vector" : "scalar"
    let x = input.argument(
      name, .read, dialect, names: names, meaning: "input of \(node.name)")
    var pieces = Pieces(
      fragments: [
        Fragment(
          template: "batchnorm_batch_backward_\(suffix)", values: texts, layer: node.name)
      ], arguments: [x] + rows)
    if input.layout == .lanes { pieces.append(imagesOnly(dialect)) }
    return pieces
  }

  /// Lanes without an image get no gradient.
  private func imagesOnly(_ dialect: Dialect) -> Pieces {
    let masked =
      dialect == .vector
      ? "of_images(v, batch - n * LANES)" : "n * LANES + l < batch ? v : 0.0f"
    return Pieces(
      fragments: [
        Fragment(template: "batchnorm_images", values: ["masked": masked], layer: node.name)
      ], scalars: [.batch], support: dialect == .vector ? ["support_images"] : [])
  }
}
