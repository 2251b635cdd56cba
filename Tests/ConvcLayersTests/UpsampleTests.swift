import Convc
import ConvcTestSupport
import Testing

@Suite("Upsample")
struct UpsampleTests {
  static let cases = [
    LayerCase("upsample_nearest", Upsample(factor: 2), inputs: [3, 2, 3, 5]),
    LayerCase(
      "upsample_nearest_blocks", Upsample(factor: Size2D(height: 3, width: 1)),
      inputs: [1, 16, 2, 3], maximumBatch: 2),
    LayerCase(
      "upsample_sequence", Upsample(factor: Size2D(height: 1, width: 2)), inputs: [2, 3, 7]),
    LayerCase(
      "upsample_bilinear", Upsample(factor: 2, interpolation: .bilinear), inputs: [2, 3, 4, 5]),
    LayerCase(
      "upsample_bilinear_odd",
      Upsample(factor: Size2D(height: 3, width: 4), interpolation: .bilinear),
      inputs: [1, 16, 3, 1], maximumBatch: 3),
    LayerCase(
      "upsample_corners", Upsample(factor: 2, interpolation: .bilinear, alignsCorners: true),
      inputs: [2, 3, 4, 5]),
    LayerCase(
      "upsample_corners_odd",
      Upsample(
        factor: Size2D(height: 1, width: 3), interpolation: .bilinear, alignsCorners: true),
      inputs: [1, 2, 1, 5]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("settings that make no sense are refused")
  func errors() {
    #expect(
      message(of: Upsample(factor: 2), on: [2, 3])
        == "expects an input of rank 4, got 2x3; upsampling works on maps [N, C, H, W] or sequences [N, C, L]; "
        + "put it before flatten")
    #expect(
      message(of: Upsample(factor: 0), on: [2, 3, 4, 5])
        == "factors 0x0 are out of range; whole numbers from 1 to 256 work")
    #expect(
      message(of: Upsample(factor: 2), on: [2, 3, 4])
        == "a factor of 2 for the height does not fit sequences 2x3x4; they have a width alone: "
        + "give Size2D(height: 1, width: 2)")
    #expect(
      message(of: Upsample(factor: 2, alignsCorners: true), on: [2, 3, 4, 5])
        == "alignsCorners means nothing to nearest, which copies cells; leave it out, or take bilinear"
    )
  }
}
