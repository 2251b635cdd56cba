import Convc
import ConvcTestSupport
import Testing

@Suite("Pooling of sequences")
struct Pool1DTests {
  static let cases = [
    LayerCase(
      "maxpool1d",
      MaxPool1D(
        kernelSize: 3, stride: 2, padding: .cells(left: 1, right: 0), rounding: .ceil),
      inputs: [3, 2, 10]),
    LayerCase("maxpool1d_tiles", MaxPool1D(kernelSize: 2), inputs: [1, 5, 9], maximumBatch: 3),
    LayerCase(
      "maxpool1d_blocks", MaxPool1D(kernelSize: 4, stride: 3, padding: 1), inputs: [2, 16, 11],
      maximumBatch: 5),
    LayerCase(
      "averagepool1d",
      AveragePool1D(kernelSize: 3, stride: 2, padding: .cells(left: 1, right: 0)),
      inputs: [3, 2, 10]),
    LayerCase(
      "averagepool1d_inside",
      AveragePool1D(kernelSize: 3, stride: 2, padding: 1, countsPadding: false),
      inputs: [1, 5, 9], maximumBatch: 3),
    LayerCase(
      "averagepool1d_blocks", AveragePool1D(kernelSize: 4), inputs: [2, 16, 11], maximumBatch: 5),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("a window rounds as its setting says")
  func rounding() throws {
    func length(_ rounding: Rounding) throws -> Int {
      try MaxPool1D(kernelSize: 3, stride: 2, rounding: rounding)
        .output(for: [TensorType(shape: [1, 1, 8])]).shape[2]
    }
    #expect(try length(.floor) == 3)
    #expect(try length(.ceil) == 4)
    #expect(throws: LayerError.self) { try length(.exact) }
  }

  @Test("a padding that leaves a window without a cell is refused")
  func padding() {
    #expect(
      throws: LayerError.setting(
        "a padding of 0, 0, 2, 2 leaves windows of 1x2 without a cell; paddings have to be smaller than the window"
      )
    ) {
      try AveragePool1D(kernelSize: 2, padding: 2).output(for: [TensorType(shape: [1, 1, 8])])
    }
  }
}
