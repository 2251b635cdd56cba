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
    LayerCase("batchnorm2d_sequence", BatchNorm2D(epsilon: 1e-2), inputs: [17, 3, 7]),
    LayerCase("batchnorm2d_wide", BatchNorm2D(epsilon: 1e-2), inputs: [2, 3, 2, 19]),
    LayerCase("batchnorm2d_vectors", BatchNorm2D(epsilon: 1e-2), inputs: [2, 2, 2, 64]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("refuses volumes")
  func rank() {
    #expect(
      refusal { _ = try BatchNorm2D().output(for: [TensorType(shape: [1, 2, 3, 4, 5])]) }
        == "expects an input of rank 4, got 1x2x3x4x5; "
        + "this layer works on [N, C, H, W], [N, C, L] or [N, C]")
  }
}
