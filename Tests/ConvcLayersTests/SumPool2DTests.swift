import Convc
import ConvcTestSupport
import Testing

@Suite("SumPool2D")
struct SumPool2DTests {
  static let cases = [
    LayerCase("sumpool2d", SumPool2D(kernelSize: 2), inputs: [3, 2, 5, 7]),
    LayerCase(
      "sumpool2d_overlapping",
      SumPool2D(
        kernelSize: 3, stride: 2, padding: Padding(top: 1, bottom: 0, left: 2, right: 1)),
      inputs: [2, 3, 6, 5]),
    LayerCase(
      "sumpool2d_blocks", SumPool2D(kernelSize: 2, stride: 3, rounding: .ceil),
      inputs: [1, 16, 6, 7], maximumBatch: 2),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("windows that do not fit are refused")
  func errors() {
    #expect(
      message(of: SumPool2D(kernelSize: 5), on: [1, 1, 4, 9])
        == "height 1 + (4 - 5 + 0 + 0)/5 is below 1: the window spans 5 of 4 padded cells; an input of at least 5, "
        + "or a kernel of at most 4, works")
  }
}
