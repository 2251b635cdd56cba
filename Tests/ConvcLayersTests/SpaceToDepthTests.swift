import Convc
import ConvcTestSupport
import Testing

@Suite("SpaceToDepth")
struct SpaceToDepthTests {
  static let cases = [
    LayerCase("spacetodepth", SpaceToDepth(blockSize: 2), inputs: [3, 3, 4, 6]),
    LayerCase("spacetodepth_crd", SpaceToDepth(blockSize: 2, order: .crd), inputs: [3, 3, 4, 6]),
    LayerCase(
      "spacetodepth_three", SpaceToDepth(blockSize: 3), inputs: [1, 16, 3, 6], maximumBatch: 2),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("maps that do not fall into blocks are refused")
  func errors() {
    #expect(
      message(of: SpaceToDepth(blockSize: 2), on: [1, 6, 3, 4])
        == "maps of 3x4 do not fall into blocks of 2x2; pad or slice them to multiples of 2")
    #expect(
      message(of: SpaceToDepth(blockSize: 0), on: [1, 6, 3, 3])
        == "a block size of 0 is out of range; 1 to 256 work")
  }
}
