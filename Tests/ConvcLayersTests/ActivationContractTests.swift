import Convc
import ConvcTestSupport
import Testing

/// Every activation on odd maps, on full blocks of channels, and on the features of one image.
@Suite("Activations keep the contract of all layers")
struct ActivationContractTests {
  private static let layers: [(name: String, layer: any RegisteredLayer)] = [
    ("relu", ReLU()),
    ("relu6", ReLU6()),
    ("sigmoid", Sigmoid()),
    ("tanh", Tanh()),
    ("leakyrelu", LeakyReLU(slope: 0.2)),
    ("elu", ELU(alpha: 0.8)),
    ("selu", SELU()),
    ("silu", SiLU()),
    ("gelu", GELU()),
    ("gelu_tanh", GELU(.tanh)),
    ("softplus", Softplus()),
    ("hardsigmoid", HardSigmoid()),
    ("hardswish", HardSwish()),
    ("clip", Clip(minimum: -0.5, maximum: 0.75)),
  ]

  static let cases = layers.flatMap { name, layer in
    [
      LayerCase(name, layer, inputs: [3, 2, 5, 7]),
      LayerCase("\(name)_blocks", layer, inputs: [2, 32, 3, 5], maximumBatch: 18),
      LayerCase("\(name)_features", layer, inputs: [1, 19], maximumBatch: 4),
    ]
  }

  @Test("values, gradients, bits and C", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }
}
