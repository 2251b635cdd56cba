import Convc
import ConvcTestSupport
import Testing

@Suite("BatchNorm2D")
struct BatchNorm2DTests {
  static let cases = [
    LayerCase("batchnorm2d", BatchNorm2D(epsilon: 1e-2), inputs: [3, 3, 4, 5]),
    LayerCase(
      "batchnorm2d_blocks", BatchNorm2D(momentum: 0.3, epsilon: 1e-2), inputs: [2, 32, 3, 5],
      maximumBatch: 5),
    LayerCase(
      "batchnorm2d_features", BatchNorm2D(epsilon: 1e-2), inputs: [17, 19], maximumBatch: 20),
    LayerCase(
      "batchnorm2d_one", BatchNorm2D(epsilon: 1e-2), inputs: [1, 2, 5, 7], maximumBatch: 3),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }
}
