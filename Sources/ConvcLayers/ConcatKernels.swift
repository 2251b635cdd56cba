import ConvcIR

extension Concat {
  public func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(
      for: group, needsFullBlocks: true, forward: forward, backward: backward)
  }

  private func forward(_ context: ForwardContext) -> [KernelCall] {
    guard axis == 1 else { return placedForward(context) }
    let name = context.context.group.name
    var channel = 0
    return context.inputs.enumerated().map { index, input in
      defer { channel += input.maps.c }
      return elementwiseCall(
        name: "\(name)_forward_\(index + 1)", title: "\(summary), input \(index + 1)",
        layers: layerNames(context.context), from: input, to: context.output, names: ("x", "y"),
        accumulates: false, pieces: Pieces(), dialect: elementwiseDialect(input, []),
        resultChannel: channel, channels: input)
    }
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    guard axis == 1 else { return placedBackward(context) }
    var channel = 0
    var calls: [KernelCall] = []
    for (index, input) in context.forward.inputs.enumerated() {
      defer { channel += input.maps.c }
      guard let gradient = context.inputGradients[index] else { continue }
      calls.append(
        elementwiseCall(
          name: "\(context.context.group.name)_backward_\(index + 1)",
          title: "gradient of input \(index + 1)", layers: layerNames(context.context),
          from: context.outputGradient, to: gradient.placement, names: ("d_y", "d_x"),
          accumulates: gradient.accumulates, pieces: Pieces(),
          dialect: elementwiseDialect(gradient.placement, []), sourceChannel: channel,
          channels: gradient.placement))
    }
    return calls
  }

  // MARK: Rows and columns

  /// Where each input stands on the output's axis.
  private func places(_ inputs: [Placement]) -> [PartPlace] {
    var start = 0
    return inputs.map { input in
      defer { start += input.type.shape[axis] }
      return PartPlace(
        starts: (1..<input.type.shape.count).map { $0 == axis ? start : 0 })
    }
  }

  private func placedForward(_ context: ForwardContext) -> [KernelCall] {
    let y = context.output
    return zip(context.inputs, places(context.inputs)).enumerated().map { index, entry in
      let (x, place) = entry
      return cellsCall(
        context.context, name: "forward_\(index + 1)", title: "\(summary), input \(index + 1)",
        over: x, y.cell("y", place.indices(in: y)), from: x.cell("x"),
        constants: place.constants(in: y),
        arguments: [x.cellArgument("x", .read, like: x), y.cellArgument("y", .write, like: x)])
    }
  }

  private func placedBackward(_ context: BackwardContext) -> [KernelCall] {
    let dY = context.outputGradient
    return places(context.forward.inputs).enumerated().compactMap { index, place in
      guard let gradient = context.inputGradients[index] else { return nil }
      let dX = gradient.placement
      return cellsCall(
        context.context, name: "backward_\(index + 1)", title: "gradient of input \(index + 1)",
        over: dX, dX.cell("d_x"), accumulates: gradient.accumulates,
        from: dY.cell("d_y", place.indices(in: dY)), constants: place.constants(in: dY),
        arguments: [
          dY.cellArgument("d_y", .read, like: dX),
          dX.cellArgument("d_x", gradient.accumulates ? .update : .write, like: dX),
        ])
    }
  }
}
