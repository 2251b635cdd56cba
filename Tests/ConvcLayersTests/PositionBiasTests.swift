import Convc
import ConvcTestSupport
import Testing

@Suite("PositionBias")
struct PositionBiasTests {
  static let cases = [
    LayerCase("positionbias", PositionBias(), inputs: [3, 2, 5, 7]),
    LayerCase("positionbias_features", PositionBias(), inputs: [1, 19], maximumBatch: 3),
    LayerCase("positionbias_wide", PositionBias(), inputs: [2, 1, 1, 2053]),
    LayerCase("positionbias_blocks", PositionBias(), inputs: [2, 16, 9, 5], maximumBatch: 5),
    LayerCase("positionbias_wide_blocks", PositionBias(), inputs: [2, 16, 1, 133]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("has a value for each place of an image")
  func count() {
    let input = TensorType(shape: [4, 3, 5, 5])
    #expect(PositionBias().parameters(for: [input])[0].count == 75)
  }
}
