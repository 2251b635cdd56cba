import Convc
import ConvcTestSupport
import Testing

@Suite("Pad")
struct PadTests {
  static let uneven = Padding(top: 2, bottom: 1, left: 0, right: 3)

  static let cases = [
    LayerCase("pad_constant", Pad(padding: uneven, value: 1.5), inputs: [3, 2, 3, 5]),
    LayerCase("pad_zeros", Pad(padding: 1), inputs: [1, 16, 2, 3], maximumBatch: 3),
    LayerCase("pad_reflect", Pad(padding: uneven, mode: .reflect), inputs: [2, 3, 4, 5]),
    LayerCase(
      "pad_edge", Pad(padding: uneven, mode: .edge), inputs: [1, 16, 3, 2], maximumBatch: 2),
    LayerCase(
      "pad_sequence",
      Pad(padding: Padding(top: 0, bottom: 0, left: 3, right: 1), mode: .reflect),
      inputs: [2, 3, 5]),
    LayerCase(
      "pad_causal", Pad(padding: Padding(top: 0, bottom: 0, left: 4, right: 0)), inputs: [2, 3, 7]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("settings that make no sense are refused")
  func errors() {
    #expect(
      message(of: Pad(padding: 1), on: [2, 3])
        == "expects an input of rank 4, got 2x3; padding works on maps [N, C, H, W] or sequences [N, C, L]; "
        + "put it before flatten")
    #expect(
      message(of: Pad(padding: -1), on: [2, 3, 4, 5])
        == "paddings [-1, -1, -1, -1] are out of range; whole numbers from 0 to 65536 work, and slice takes cells away"
    )
    #expect(
      message(of: Pad(padding: .same), on: [2, 3, 4, 5])
        == "same is a padding of windows, which this layer has not; give the cells of each side")
    #expect(
      message(of: Pad(padding: 1, value: .infinity), on: [2, 3, 4, 5])
        == "a padding of inf makes no finite values; give a finite number")
    #expect(
      message(of: Pad(padding: 1), on: [2, 3, 4])
        == "rows around sequences 2x3x4 make no sense; pad left and right alone")
    #expect(
      message(of: Pad(padding: 3, mode: .reflect), on: [2, 3, 3, 9])
        == "reflect mirrors at the border, so paddings [3, 3, 3, 3] have to be smaller than the map, 3x9; "
        + "edge has no such limit")
  }
}
