import Convc
import ConvcTestSupport
import Testing

@Suite("ReduceSum")
struct ReduceSumTests {
  static let cases = [
    LayerCase(
      "reducesum", ReduceSum(axes: [1, 3], keepsDimensions: false), inputs: [3, 2, 3, 5]),
    LayerCase("reducesum_blocks", ReduceSum(axes: [2]), inputs: [1, 16, 3, 5], maximumBatch: 2),
    LayerCase("reducesum_all", ReduceSum(axes: [3, 1, 2]), inputs: [2, 5, 3, 4]),
    LayerCase("reducesum_features", ReduceSum(axes: [1]), inputs: [2, 7]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("axes stay with one cell, or go")
  func shape() {
    #expect(outputShape(of: ReduceSum(axes: [1, 3]), on: [2, 3, 4, 5]) == [2, 1, 4, 1])
    #expect(
      outputShape(of: ReduceSum(axes: [1, 3], keepsDimensions: false), on: [2, 3, 4, 5]) == [2, 4])
  }
}
