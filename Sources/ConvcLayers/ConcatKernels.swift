import ConvcIR

extension Concat {
  public func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(
      for: group, joinsChannels: true, forward: forward, backward: backward)
  }

  private func forward(_ context: ForwardContext) -> [KernelCall] {
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
}
