import Convc
import ConvcTestSupport
import Testing

@Suite("DepthToSpace")
struct DepthToSpaceTests {
  static let cases = [
    LayerCase("depthtospace", DepthToSpace(blockSize: 2), inputs: [3, 12, 3, 5]),
    LayerCase("depthtospace_crd", DepthToSpace(blockSize: 2, order: .crd), inputs: [3, 12, 3, 5]),
    LayerCase(
      "depthtospace_three", DepthToSpace(blockSize: 3), inputs: [1, 144, 1, 2], maximumBatch: 2),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("channels that do not make blocks are refused")
  func errors() {
    #expect(
      message(of: DepthToSpace(blockSize: 2), on: [1, 6, 3, 3])
        == "6 channels do not make blocks of 2x2; multiples of 4 do, for example 8")
    #expect(
      message(of: DepthToSpace(blockSize: 0), on: [1, 6, 3, 3])
        == "a block size of 0 is out of range; 1 to 256 work")
  }
}
