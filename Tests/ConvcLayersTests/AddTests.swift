import Convc
import ConvcTestSupport
import Testing

@Suite("Add")
struct AddTests {
  static let cases = [
    LayerCase("add", Add(), inputs: [3, 2, 5, 7], [3, 2, 5, 7]),
    LayerCase(
      "add_blocks", Add(), inputs: [2, 32, 3, 3], [2, 32, 3, 3], [2, 32, 3, 3], maximumBatch: 5),
    LayerCase("add_features", Add(), inputs: [1, 19], [1, 19], maximumBatch: 4),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }
}
