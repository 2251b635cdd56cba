import ConvcIR
import ConvcLayers
import ConvcReference

extension NetworkGrowth {
  /// The layer of the registry whose turn it is to be in a network.
  static func layer(of seed: UInt64) -> any RegisteredLayer.Type {
    let layers = LayerRegistry.layers
    return layers[Int(seed % UInt64(layers.count))]
  }

  /// The layer whose turn it is, as an example has it, on inputs of its own behind learned offsets.
  mutating func planted() -> Open? {
    let type = Self.layer(of: seed)
    let examples = type.examples + (Self.others[type.registeredName] ?? [])
    let example = examples[number(0...examples.count - 1)]
    let layer = example.layer
    let own = example.inputs.map {
      TensorType(shape: [example.isUnbatched ? $0[0] : batch] + $0.dropFirst())
    }
    guard let types = [resized(own), own].first(where: { (try? layer.output(for: $0)) != nil })
    else { return nil }
    let values = types.enumerated().map { index, type in
      let x = join(PositionBias(), [input("\(Self.plantedName)\(index)", type)])
      return example.needsPositive ? Open(value: x.value.madePositive(), type: type) : x
    }
    return join(layer, values, frozen: hasParameters(layer, values) && chance(0.15))
  }

  /// Inputs of an example, some with whole vectors of channels, some with rows so long that kernels take pieces of them.
  private mutating func resized(_ types: [TensorType]) -> [TensorType] {
    var shapes = types.map(\.shape)
    if chance(0.4) {
      let channels = pick(16, 16, 32)
      shapes = shapes.map { [batch, channels] + $0.dropFirst(2) }
    }
    if chance(0.15), shapes.allSatisfy({ $0.count > 2 && $0.last == shapes[0].last }) {
      let columns = number(65...80)
      shapes = shapes.map { $0.dropLast() + [columns] }
    }
    return zip(types, shapes).map { $0.with(shape: $1) }
  }

  /// Uses beside those of the registry, for kernels that these do not reach.
  private static let others = [
    LocalResponseNorm.registeredName: [
      LayerExample(LocalResponseNorm(across: .channels(5), alpha: 2), inputs: [2, 6, 3, 4]),
      LayerExample(LocalResponseNorm(across: .space(3), alpha: 1), inputs: [2, 3, 9]),
      LayerExample(LocalResponseNorm(across: .space(3), alpha: 1), inputs: [2, 3, 5, 6]),
      LayerExample(
        LocalResponseNorm(across: .space(5), alpha: 1, beta: 0.5), inputs: [2, 2, 5, 4]),
      // A window too wide for its channels to be summed one by one.
      LayerExample(LocalResponseNorm(across: .channels(11), alpha: 2), inputs: [2, 13, 2, 3]),
    ]
  ]

  /// What the names of a planted layer's inputs begin with.
  static let plantedName = "planted"

  /// Whether a layer on these values has parameters, which may be frozen.
  func hasParameters(_ layer: any Layer, _ values: [Open]) -> Bool {
    !layer.parameters(for: values.map(\.type)).isEmpty
  }
}

extension RandomValues {
  /// A batch for a network with a planted layer, whose inputs are sometimes so large that they leave its middle piece.
  mutating func sample(forPlanted graph: Graph, batch: Int) -> ReferenceSample {
    let sample = sample(for: graph, batch: batch)
    let scale: Float = uniform() < 0.4 ? 5 : 1
    let inputs = zip(graph.inputs, sample.inputs).map { id, values in
      graph[id].name.hasPrefix(NetworkGrowth.plantedName) ? values.map { $0 * scale } : values
    }
    return ReferenceSample(batch: batch, inputs: inputs, targets: sample.targets)
  }
}
