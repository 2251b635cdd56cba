import Convc
import ConvcTestSupport
import Testing

@Suite("GlobalMaxPool")
struct GlobalMaxPoolTests {
  static let cases = [
    LayerCase("globalmaxpool", GlobalMaxPool(), inputs: [3, 2, 3, 5]),
    LayerCase("globalmaxpool_blocks", GlobalMaxPool(), inputs: [1, 16, 3, 5], maximumBatch: 2),
    LayerCase("globalmaxpool_large", GlobalMaxPool(), inputs: [2, 3, 17, 16]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("features have no maps")
  func errors() {
    #expect(
      message(of: GlobalMaxPool(), on: [2, 3])
        == "expects an input of rank 4, got 2x3; this layer works on maps [N, C, H, W]; put it before flatten"
    )
  }
}
