import Convc
import ConvcTestSupport
import Testing

@Suite("AveragePool2D")
struct AveragePool2DTests {
  static let cases = [
    LayerCase("averagepool2d", AveragePool2D(kernelSize: 2), inputs: [3, 2, 5, 7]),
    LayerCase(
      "averagepool2d_overlapping",
      AveragePool2D(
        kernelSize: 3, stride: 2, padding: Padding(top: 0, bottom: 1, left: 2, right: 0)),
      inputs: [2, 3, 6, 5]),
    LayerCase(
      "averagepool2d_inside",
      AveragePool2D(kernelSize: 3, stride: 2, padding: 1, rounding: .ceil, countsPadding: false),
      inputs: [1, 16, 6, 7], maximumBatch: 2),
    LayerCase(
      "averagepool2d_ceil", AveragePool2D(kernelSize: 3, stride: 2, padding: 1, rounding: .ceil),
      inputs: [2, 3, 6, 4]),
    LayerCase("globalaveragepool", GlobalAveragePool(), inputs: [3, 2, 3, 5]),
    LayerCase(
      "globalaveragepool_blocks", GlobalAveragePool(), inputs: [1, 32, 4, 3], maximumBatch: 2),
    LayerCase("globalaveragepool_pixel", GlobalAveragePool(), inputs: [2, 5, 1, 1]),
    LayerCase("globalaveragepool_wide", GlobalAveragePool(), inputs: [2, 3, 3, 19]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("a padding as large as the window leaves windows without a cell")
  func errors() {
    #expect(
      message(of: AveragePool2D(kernelSize: 2, padding: 2), on: [1, 1, 4, 4])
        == "a padding of 2, 2, 2, 2 leaves windows of 2x2 without a cell; paddings have to be smaller than the window"
    )
  }
}
