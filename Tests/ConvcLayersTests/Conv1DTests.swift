import Convc
import ConvcTestSupport
import Testing

@Suite("Conv1D")
struct Conv1DTests {
  static let cases = [
    LayerCase(
      "conv1d",
      Conv1D(
        outputChannels: 5, kernelSize: 3, stride: 2, padding: .cells(left: 2, right: 1),
        dilation: 2), inputs: [3, 2, 11]),
    LayerCase(
      "conv1d_causal", Conv1D(outputChannels: 4, kernelSize: 3, padding: .causal, dilation: 3),
      inputs: [1, 3, 9], maximumBatch: 3),
    LayerCase(
      "conv1d_groups",
      Conv1D(
        outputChannels: 6, kernelSize: 2, padding: .cells(left: 1, right: 1), groups: 2,
        bias: false), inputs: [2, 4, 10]),
    LayerCase(
      "conv1d_blocks", Conv1D(outputChannels: 16, kernelSize: 5, padding: .same),
      inputs: [2, 16, 13], maximumBatch: 5),
    LayerCase(
      "conv1d_depthwise",
      Conv1D(
        outputChannels: 16, kernelSize: 3, stride: 2, padding: 1, dilation: 2, groups: 16),
      inputs: [3, 16, 12]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("layers behind it join its loops, as those of maps do")
  func fusion() async throws {
    try await expectAgreement("sequence", batch: 3, maximumBatch: 5) { graph in
      let x = graph.input("x", [3, 21]).conv1d(16, kernelSize: 3, padding: .same)
        .batchNorm().relu().maxPool1d(2)
      let y = x.conv1d(16, kernelSize: 3, padding: .causal, bias: false).batchNorm().add(x).relu()
        .averagePool1d(3, stride: 2).flatten().dense(4)
      graph.output("y", y)
      graph.loss(SoftmaxCrossEntropy(), on: "y", target: "labels")
    }
  }

  // MARK: Shapes

  private func lengths(_ layer: Conv1D, _ length: Int) throws -> Int {
    try layer.output(for: [TensorType(shape: [1, 1, length])]).shape[2]
  }

  @Test("five inputs and three weights: three outputs, or five with zeros around")
  func keepsTheNumberOfFeatures() throws {
    #expect(try lengths(Conv1D(outputChannels: 1, kernelSize: 3), 5) == 3)
    #expect(try lengths(Conv1D(outputChannels: 1, kernelSize: 3, padding: 1), 5) == 5)
    #expect(try lengths(Conv1D(outputChannels: 1, kernelSize: 3, padding: .same), 5) == 5)
  }

  @Test("same padding: half of what is missing on each side, an odd cell on the right")
  func same() {
    let sides = (1...6).map { Padding1D.same.cells(kernelSize: $0, dilation: 1) }
    #expect(sides.map(\.left) == [0, 0, 1, 1, 2, 2])
    #expect(sides.map(\.right) == [0, 1, 1, 2, 2, 3])
    #expect(Padding1D.same.cells(kernelSize: 3, dilation: 4) == (4, 4))
  }

  @Test("a dilated kernel spans (K - 1)*D + 1 cells")
  func dilation() throws {
    let layer = Conv1D(outputChannels: 1, kernelSize: 3, dilation: 4)
    #expect(try lengths(layer, 9) == 1)
    #expect(throws: LayerError.self) { try lengths(layer, 8) }
  }

  @Test("weights are [K, C/groups, S], their number that of one kernel a map")
  func parameters() {
    let layer = Conv1D(outputChannels: 6, kernelSize: 3, groups: 2)
    let input = [TensorType(shape: [5, 4, 9])]
    #expect(layer.parameters(for: input).map(\.shape) == [[6, 2, 3], [6]])
    #expect(layer.multiplyAdds(for: input) == 5 * 6 * 7 * 2 * 3)
    #expect(layer.sizeFormula(for: input) == ["length 1 + (9 − 3 + 0 + 0)/1 = 7"])
  }

  // MARK: Values

  @Test("an output of causal padding does not depend on what comes later")
  func causal() async throws {
    let model = Model("causal") { graph in
      let x = graph.input("x", [1, 12])
      graph.output(
        "y",
        x.conv1d(3, kernelSize: 3, padding: .causal, dilation: 2)
          .conv1d(1, kernelSize: 2, padding: .causal, dilation: 4))
    }
    let session = try await session(of: model, batch: 1) { Float($0 % 7) - 3 }
    var input = (0..<12).map { Float($0) }
    let before = try session.forward(inputs: [.float32(input)], batch: 1)[0].floats
    for i in 7..<12 { input[i] = 100 }
    let after = try session.forward(inputs: [.float32(input)], batch: 1)[0].floats
    #expect(before[..<7] == after[..<7])
    #expect(before[7] != after[7])
  }

  // MARK: Errors

  private func message(_ layer: Conv1D, _ shape: [Int]) -> String? {
    do throws(LayerError) {
      _ = try layer.output(for: [TensorType(shape: shape)])
      return nil
    } catch { return error.description }
  }

  @Test("inputs and settings that do not fit are refused with the way out")
  func refusals() {
    #expect(
      message(Conv1D(outputChannels: 1, kernelSize: 3), [1, 2, 5, 5])
        == "expects an input of rank 3, got 1x2x5x5; this layer works on sequences [N, C, L]; for maps there is Conv2D"
    )
    #expect(
      message(Conv1D(outputChannels: 1, kernelSize: 3, stride: 2, rounding: .exact), [1, 2, 6])
        == "length 1 + (6 - 3 + 0 + 0)/2 is not whole; inputs of 5 or 7, or rounding floor (loses 1) or ceil, work"
    )
    #expect(
      message(Conv1D(outputChannels: 1, kernelSize: 7), [1, 2, 6])
        == "length 1 + (6 - 7 + 0 + 0)/1 is below 1: the window spans 7 of 6 padded cells; "
        + "an input of at least 7, or a kernel of at most 6, works")
    #expect(
      message(Conv1D(outputChannels: 3, kernelSize: 1, groups: 2), [1, 2, 6])
        == "groups 2 does not divide 2 input channels and 3 output channels; use a common divisor of both"
    )
    #expect(
      message(
        Conv1D(outputChannels: 3, kernelSize: 2, padding: .cells(left: -1, right: 0)), [1, 2, 6])
        == "length: kernel size 2, stride 1, dilation 1, padding -1 and 0 are out of range; "
        + "sizes, strides and dilations are at least 1, paddings at least 0, all at most 16777216")
  }
}
