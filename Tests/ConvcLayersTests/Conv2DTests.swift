import Convc
import ConvcTestSupport
import Testing

@Suite("Conv2D")
struct Conv2DTests {
  static let cases = [
    LayerCase(
      "conv2d", Conv2D(outputChannels: 4, kernelSize: 3, padding: 1), inputs: [2, 3, 5, 7]),
    LayerCase(
      "conv2d_blocks", Conv2D(outputChannels: 32, kernelSize: 3, stride: 2, padding: 1),
      inputs: [2, 16, 7, 9], maximumBatch: 3),
    LayerCase(
      "conv2d_asymmetric",
      Conv2D(
        outputChannels: 5, kernelSize: Size2D(height: 2, width: 4),
        stride: Size2D(height: 2, width: 1), padding: Padding(top: 0, bottom: 1, left: 2, right: 0),
        bias: false), inputs: [1, 2, 6, 5], maximumBatch: 18),
    LayerCase(
      "conv2d_dilated_groups",
      Conv2D(outputChannels: 6, kernelSize: 3, padding: 2, dilation: 2, groups: 3),
      inputs: [3, 3, 5, 5]),
    LayerCase(
      "conv2d_depthwise",
      Conv2D(outputChannels: 16, kernelSize: 3, stride: 2, padding: 1, groups: 16),
      inputs: [2, 16, 7, 5]),
    LayerCase(
      "conv2d_pointwise", Conv2D(outputChannels: 16, kernelSize: 1), inputs: [3, 32, 3, 5]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }
}
