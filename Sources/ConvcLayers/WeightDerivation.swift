import ConvcIR

/// Weights that a layer's kernels see in place of its parameter: the parameter flipped, or with connections dropped.
///
/// The kernels stay as they are: they are handed other buffers. What they write as the weight's gradient goes to a buffer
/// in the arena, from which the derivation adds to the parameter's gradient.
protocol WeightDerivation: Sendable {
  /// The derived weights, and the calls that write them.
  ///
  /// - Parameter part: a word for the names of the calls, `forward` or `backward`.
  func weight(_ context: ForwardContext, part: String) -> (buffer: Buffer.ID, calls: [KernelCall])

  /// Takes the gradient of the derived weights to that of the parameter, and adds it there.
  func gradient(_ context: BackwardContext, from derived: Buffer.ID) -> KernelCall
}

extension Candidate {
  /// The same kernels on derived weights: the anchor's first parameter.
  func deriving(_ derivation: any WeightDerivation) -> Candidate {
    Candidate(
      family: family, inputs: inputs, halos: halos, output: output, microseconds: microseconds,
      givesSums: givesSums, readsSums: readsSums, readsDeferred: readsDeferred, deferred: deferred,
      forward: { context in
        let buffers = DerivedWeights(context, derivation, part: "forward")
        let calls = forward(context.with(buffers))
        return buffers.calls + calls
      },
      backward: { context in
        let buffers = DerivedWeights(context.forward, derivation, part: "backward")
        let calls = backward(context.with(context.forward.with(buffers)))
        guard let gradient = buffers.writtenGradient else { return buffers.calls + calls }
        return buffers.calls + [clear(gradient, context)] + calls + [
          derivation.gradient(context, from: gradient)
        ]
      })
  }

  /// Kernels add to gradients where the caller accumulates: so the buffer begins with zeros.
  private func clear(_ gradient: Buffer.ID, _ context: BackwardContext) -> KernelCall {
    let count = context.forward.weightSpec.count
    return KernelCall(
      template: "weight_clear", name: "\(context.context.group.name)_backward_weight_clear",
      title: "zeros, to which the gradient of the weights in use is added",
      layers: layerNames(context.context), constants: [ConstantRow([Constant("COUNT", count)])],
      scalars: [],
      arguments: [
        Argument("y", element: "float", access: .write, buffer: gradient, text: "[\(count)]")
      ], work: Work(flops: 0, bytes: Double(count * 4), efficiency: 0.1))
  }
}

/// The buffers of a group whose anchor's first parameter is replaced by derived weights, made where they are asked for.
private final class DerivedWeights: BufferSource {
  private let context: ForwardContext
  private let derivation: any WeightDerivation
  private let part: String
  private var weight: Buffer.ID?
  /// The calls that write the derived weights.
  private(set) var calls: [KernelCall] = []
  /// Where kernels write the gradient of the derived weights; nil: none does.
  private(set) var writtenGradient: Buffer.ID?

  init(_ context: ForwardContext, _ derivation: any WeightDerivation, part: String) {
    self.context = context
    self.derivation = derivation
    self.part = part
  }

  private var buffers: any BufferSource { context.buffers }

  private func isWeight(_ index: Int) -> Bool {
    context.context.anchor?.parameters.first == index
  }

  private func derived() -> Buffer.ID {
    if let weight { return weight }
    let made = derivation.weight(context, part: part)
    weight = made.buffer
    calls = made.calls
    return made.buffer
  }

  func parameter(_ index: Int) -> Buffer.ID {
    isWeight(index) ? derived() : buffers.parameter(index)
  }

  func masterParameter(_ index: Int) -> Buffer.ID {
    isWeight(index) ? derived() : buffers.masterParameter(index)
  }

  func gradient(_ index: Int) -> Buffer.ID {
    guard isWeight(index) else { return buffers.gradient(index) }
    if let writtenGradient { return writtenGradient }
    let made = buffers.arena(
      "d_\(context.context.group.name)_weight_in_use", bytes: context.weightSpec.count * 4)
    writtenGradient = made
    return made
  }

  func arena(_ name: String, bytes: Int) -> Buffer.ID { buffers.arena(name, bytes: bytes) }

  func saved(_ name: String, bytes: Int) -> Buffer.ID { buffers.saved(name, bytes: bytes) }

  func packed(_ key: String, bytes: Int, prepare: (Buffer.ID) -> KernelCall) -> Buffer.ID {
    buffers.packed(key, bytes: bytes, prepare: prepare)
  }

  func packedParts(
    _ key: String, floats: [Int], prepare: (Buffer.ID) -> KernelCall
  ) -> [Buffer.ID] {
    buffers.packedParts(key, floats: floats, prepare: prepare)
  }

  func channelSums(cells: Int, of map: Int, channels: Int) -> ChannelSums {
    buffers.channelSums(cells: cells, of: map, channels: channels)
  }
}

extension ForwardContext {
  /// The anchor's node.
  var anchorNode: Node {
    guard let node = context.anchor else {
      preconditionFailure("internal error: \(context.group.name) has no anchor")
    }
    return node
  }

  /// The anchor's first parameter.
  var weightSpec: ParameterSpec { context.graph.parameters[anchorNode.parameters[0]].spec }

  fileprivate func with(_ buffers: any BufferSource) -> ForwardContext {
    ForwardContext(
      context: context, inputs: inputs, operands: operands, output: output, buffers: buffers,
      givesSums: givesSums, inputSums: inputSums)
  }
}

extension BackwardContext {
  fileprivate func with(_ forward: ForwardContext) -> BackwardContext {
    BackwardContext(
      forward: forward, wanted: wanted, outputGradient: outputGradient, deferred: deferred,
      defersInput: defersInput, inputGradients: inputGradients, operandGradients: operandGradients)
  }
}
