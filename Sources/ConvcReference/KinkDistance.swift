import ConvcIR

/// Moves the point at which gradients are compared away from kinks.
///
/// A network of a million ReLUs always has some whose input is closer to zero than single precision can tell: there the
/// compiled mask may differ from the reference's, and gradients with it, though neither is wrong. Here each channel's bias
/// moves a little, to the middle of the largest gap between the inputs of the kinked layer that follows.
extension ReferenceNetwork {
  /// Parameters a little beside those given, with all kinks of single values as far away as their biases alone can make it.
  ///
  /// - Returns: the parameter block, and the distance to the nearest kink, as a share of the largest value there.
  public func movedFromKinks(
    parameters: [Float], _ sample: ReferenceSample, options: PassOptions = PassOptions()
  ) -> (parameters: [Float], margin: Double) {
    var block = parameters
    let tensors = self.tensors(parameters.map(Double.init))
    // Node by node: what follows is evaluated with the biases moved before it.
    var pass = forward(tensors, sample, options, changed: [])
    var settled: Set<Node.ID> = []
    for node in graph.nodes {
      defer { pass = forward(tensors, sample, options, changed: [node.id], earlier: pass) }
      guard let activation = layer(of: node) as? any ReferenceActivation, !activation.kinks.isEmpty
      else { continue }
      settled.insert(node.id)
      let values = pass[node.inputs[0]]
      guard values.shape.count > 1,
        let bias = bias(before: node.inputs[0], channels: values.shape[1])
      else { continue }
      let changed = graph.dependents(of: bias).filter { $0 <= node.id }
      guard changed.intersection(settled) == [node.id] else { continue }
      let parameter = graph.parameters[bias]
      for (channel, shift) in shifts(of: values, from: activation.kinks).enumerated() {
        block[parameter.offset + channel] += Float(shift)
        tensors[bias].address[channel] = Double(block[parameter.offset + channel])
      }
      pass = forward(tensors, sample, options, changed: changed, earlier: pass)
    }
    return (block, forward(tensors, sample, options).margin)
  }

  /// A bias of so many channels that is added, maybe with other tensors, to this one.
  private func bias(before tensor: Tensor.ID, channels: Int, depth: Int = 3) -> Int? {
    guard depth > 0, let id = graph[tensor].producer else { return nil }
    let node = graph[id]
    let own = node.parameters.last { index in
      let parameter = graph.parameters[index]
      return parameter.kind == .trainable && parameter.spec.shape == [channels]
        && parameter.spec.initializer == .constant(0)
    }
    if let own { return own }
    guard node.parameters.isEmpty, graph[node.output].type == graph[node.inputs[0]].type else {
      return nil
    }
    return node.inputs.lazy.compactMap {
      self.bias(before: $0, channels: channels, depth: depth - 1)
    }
    .first
  }

  /// For each channel the small shift that takes all its values as far from the kinks as possible.
  private func shifts(of values: DoubleTensor, from kinks: [Double]) -> [Double] {
    let (batch, channels) = (values.shape[0], values.shape[1])
    let pixels = values.count / (batch * channels)
    return (0..<channels).map { channel in
      var largest = 0.0
      for n in 0..<batch {
        for i in 0..<pixels {
          largest = max(largest, values.address[(n * channels + channel) * pixels + i].magnitude)
        }
      }
      let range = largest / 4
      var walls = [-range, range]
      for n in 0..<batch {
        for i in 0..<pixels {
          let value = values.address[(n * channels + channel) * pixels + i]
          for kink in kinks where (kink - value).magnitude < range { walls.append(kink - value) }
        }
      }
      walls.sort()
      let gaps = zip(walls, walls.dropFirst())
      let widest = gaps.max { $0.1 - $0.0 < $1.1 - $1.0 }
      return widest.map { ($0.0 + $0.1) / 2 } ?? 0
    }
  }
}
