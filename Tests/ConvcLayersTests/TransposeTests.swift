import Convc
import ConvcTestSupport
import Testing

@Suite("Transpose")
struct TransposeTests {
  static let cases = [
    LayerCase("transpose", Transpose([2, 3, 1]), inputs: [3, 2, 3, 5]),
    LayerCase("transpose_back", Transpose([3, 1, 2]), inputs: [1, 16, 3, 16], maximumBatch: 2),
    LayerCase("transpose_maps", Transpose([1, 3, 2]), inputs: [2, 3, 4, 5]),
    LayerCase("transpose_sequence", Transpose([2, 1]), inputs: [2, 3, 7]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("orders that are none are refused")
  func errors() {
    #expect(outputShape(of: Transpose([2, 3, 1]), on: [2, 3, 4, 5]) == [2, 4, 5, 3])
    #expect(
      message(of: Transpose([0, 2, 1]), on: [2, 3, 4, 5])
        == "[0, 2, 1] does not order the axes of 2x3x4x5; each of [1, 2, 3] has to stand in it once, "
        + "the batch stays first")
  }
}
