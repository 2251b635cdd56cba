import Convc
import ConvcTestSupport
import Testing

@Suite("Dense")
struct DenseTests {
  static let cases = [
    LayerCase("dense", Dense(outputs: 4), inputs: [3, 7]),
    LayerCase("dense_blocks", Dense(outputs: 32), inputs: [17, 48], maximumBatch: 20),
    LayerCase("dense_no_bias", Dense(outputs: 19, bias: false), inputs: [1, 33], maximumBatch: 2),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }
}
