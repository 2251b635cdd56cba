import Convc
import ConvcTestSupport
import Testing

@Suite("ReduceMean")
struct ReduceMeanTests {
  static let cases = [
    LayerCase("reducemean", ReduceMean(axes: [2, 3]), inputs: [3, 2, 3, 5]),
    LayerCase(
      "reducemean_blocks", ReduceMean(axes: [3], keepsDimensions: false), inputs: [1, 16, 3, 5],
      maximumBatch: 2),
    LayerCase("reducemean_channels", ReduceMean(axes: [1]), inputs: [2, 5, 3, 4]),
    LayerCase(
      "reducemean_sequence", ReduceMean(axes: [2], keepsDimensions: false), inputs: [2, 3, 7]),
    LayerCase("reducemean_wide", ReduceMean(axes: [2, 3]), inputs: [2, 3, 2, 19]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("axes that cannot be reduced are refused")
  func errors() {
    #expect(
      message(of: ReduceMean(axes: [0]), on: [2, 3, 4])
        == "axis 0 of 2x3x4 is not one of 1 to 2; axis 0 is the batch, which every layer keeps")
    #expect(
      message(of: ReduceMean(axes: [1, 1]), on: [2, 3, 4])
        == "axes [1, 1] have to name one axis or more, each once")
    #expect(
      message(of: ReduceMean(axes: [1, 2], keepsDimensions: false), on: [2, 3, 4])
        == "without all of its axes an image of 2x3x4 has no shape; let keepsDimensions be true")
  }
}
