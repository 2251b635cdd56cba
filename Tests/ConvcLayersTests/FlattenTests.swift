import Convc
import ConvcTestSupport
import Testing

@Suite("Flatten")
struct FlattenTests {
  static let cases = [
    LayerCase("flatten", Flatten(), inputs: [3, 2, 5, 7]),
    LayerCase("flatten_blocks", Flatten(), inputs: [2, 32, 3, 3], maximumBatch: 5),
    LayerCase("flatten_sequence", Flatten(), inputs: [1, 3, 11], maximumBatch: 4),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }
}
