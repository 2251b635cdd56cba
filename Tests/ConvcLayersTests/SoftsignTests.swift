import Convc
import ConvcTestSupport
import Testing

@Suite("Softsign")
struct SoftsignTests {
  static let cases = [
    LayerCase("softsign", Softsign(), inputs: [3, 2, 5, 7]),
    LayerCase("softsign_blocks", Softsign(), inputs: [2, 32, 3, 5], maximumBatch: 18),
    LayerCase("softsign_features", Softsign(), inputs: [1, 19], maximumBatch: 4),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }
}
