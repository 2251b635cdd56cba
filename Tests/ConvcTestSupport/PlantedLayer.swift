import ConvcIR
import ConvcLayers

extension NetworkGrowth {
  /// The layer of the registry whose turn it is, as an example has it, on inputs of its own behind learned offsets.
  mutating func planted() -> Open? {
    let layers = LayerRegistry.layers
    let examples = layers[Int(seed % UInt64(layers.count))].examples
    let example = examples[number(0...examples.count - 1)]
    let layer = example.layer
    let types = example.inputs.map { TensorType(shape: [batch] + $0.dropFirst()) }
    guard (try? layer.output(for: types)) != nil else { return nil }
    let values = example.inputs.enumerated().map { index, shape in
      join(PositionBias(), [input("planted\(index)", Array(shape.dropFirst()))])
    }
    return join(layer, values)
  }
}
