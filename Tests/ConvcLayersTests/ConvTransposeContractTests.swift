import Convc
import ConvcReference
import ConvcTestSupport
import Testing

@Suite("Transposed convolutions: contract, and the convolution they reverse")
struct ConvTransposeContractTests {
  static let cases = [
    LayerCase(
      "convtranspose2d_dilated",
      ConvTranspose2D(
        outputChannels: 6, kernelSize: Size2D(height: 3, width: 2),
        stride: Size2D(height: 2, width: 3),
        padding: Padding(top: 1, bottom: 1, left: 2, right: 2),
        outputPadding: Size2D(height: 1, width: 0), dilation: Size2D(height: 2, width: 1),
        groups: 2), inputs: [3, 4, 4, 3], maximumBatch: 5),
    LayerCase(
      "convtranspose1d",
      ConvTranspose1D(
        outputChannels: 5, kernelSize: 4, stride: 3, padding: .cells(left: 1, right: 0),
        outputPadding: 1), inputs: [3, 2, 5]),
    LayerCase(
      "convtranspose1d_blocks", ConvTranspose1D(outputChannels: 16, kernelSize: 2, stride: 2),
      inputs: [2, 16, 7], maximumBatch: 3),
    LayerCase(
      "convtranspose1d_groups",
      ConvTranspose1D(
        outputChannels: 6, kernelSize: 3, stride: 2, padding: 1, dilation: 2, groups: 2,
        bias: false), inputs: [1, 4, 6]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test(
    "forward is the gradient of the convolution with the same kernel by its input",
    arguments: [
      (stride: 1, padding: 0, dilation: 1, groups: 1),
      (stride: 2, padding: 1, dilation: 1, groups: 2),
      (stride: 3, padding: 2, dilation: 2, groups: 1),
    ])
  func reversesConvolution(stride: Int, padding: Int, dilation: Int, groups: Int) async throws {
    let image = TensorType(shape: [2, 4, 10, 11])
    let conv = Conv2D(
      outputChannels: 6, kernelSize: 3, stride: Size2D(stride), padding: Padding(padding),
      dilation: Size2D(dilation), groups: groups, bias: .none)
    let output = try conv.output(for: [image])
    // The rows and columns that the convolution never reads are the output padding of its reverse.
    let lost = conv.lostPixels(for: [image])
    let reverse = ConvTranspose2D(
      outputChannels: 4, kernelSize: 3, stride: Size2D(stride), padding: Padding(padding),
      outputPadding: Size2D(height: lost.rows, width: lost.columns), dilation: Size2D(dilation),
      groups: groups, bias: false)
    #expect(try reverse.output(for: [output]).shape == image.shape)

    let weights = (0..<6 * 4 / groups * 9).map { Float($0 * 37 % 23 - 11) / 16 }
    let gradient = (0..<output.count).map { Float($0 * 53 % 29 - 14) / 8 }
    let graph = try InferShapes(batch: 2, memoryLimit: 1 << 28).run(
      Model("conv") { graph in
        graph.output("y", graph.input("x", [4, 10, 11]).apply(conv))
      })
    let call = LayerCall(
      node: graph.nodes[0], inputs: [DoubleTensor(shape: image.shape)],
      parameters: [DoubleTensor(shape: conv.parameters(for: [image])[0].shape, weights)],
      outputShape: output.shape, options: PassOptions())
    let expected = conv.backward(call, outputGradient: DoubleTensor(shape: output.shape, gradient))
      .inputs[0].values
    let model = Model("reverse") { graph in
      graph.output("y", graph.input("x", Array(output.shape.dropFirst())).apply(reverse))
    }
    let session = try await session(of: model, batch: 2) { weights[$0] }
    let y = try session.forward(inputs: [.float32(gradient)], batch: 2)[0].floats
    #expect(Comparison(y, expected, atLeast: 0.05).isWithin(1e-5))
  }

  private func message(_ layer: any Layer, _ shape: [Int]) -> String? {
    do throws(LayerError) {
      _ = try layer.output(for: [TensorType(shape: shape)])
      return nil
    } catch { return error.description }
  }

  @Test("settings of sequences that make no output are refused in their words")
  func refusals() {
    #expect(
      message(
        ConvTranspose1D(outputChannels: 2, kernelSize: 2, stride: 2, outputPadding: 2), [1, 1, 4])
        == "length: output padding 2 is not in 0..<2; it has to be below the stride")
    #expect(
      message(ConvTranspose1D(outputChannels: 2, kernelSize: 1, padding: 2), [1, 1, 4])
        == "length (4 - 1)*1 + 1 + 0 - 2 - 2 is below 1: the paddings cut off all of it; "
        + "use paddings of at most 3 together, or a larger kernel")
    #expect(
      message(ConvTranspose1D(outputChannels: 2, kernelSize: 1), [1, 4])
        == "expects an input of rank 3, got 1x4; this layer works on sequences [N, C, L]; "
        + "for maps there is ConvTranspose2D")
  }
}
