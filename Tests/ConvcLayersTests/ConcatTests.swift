import Convc
import ConvcTestSupport
import Testing

@Suite("Concat")
struct ConcatTests {
  static let cases = [
    LayerCase("concat", Concat(), inputs: [3, 2, 3, 5], [3, 1, 3, 5]),
    LayerCase(
      "concat_blocks", Concat(), inputs: [1, 16, 2, 3], [1, 32, 2, 3], maximumBatch: 2),
    LayerCase("concat_rows", Concat(axis: 2), inputs: [2, 16, 2, 3], [2, 16, 3, 3]),
    LayerCase(
      "concat_columns", Concat(axis: 3), inputs: [2, 3, 4, 5], [2, 3, 4, 1], [2, 3, 4, 2]),
    LayerCase("concat_sequence", Concat(axis: 2), inputs: [2, 3, 4], [2, 3, 7]),
    LayerCase("concat_features", Concat(), inputs: [5, 3], [5, 17]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("a local and a global path are joined; paths that do not fit are refused with their shapes")
  func twoPaths() async throws {
    func model(_ globalPadding: Padding) -> Model {
      Model("paths") { graph in
        let x = graph.input("x", [4, 9, 9])
        let local = x.conv2d(16, kernelSize: 3).relu().conv2d(16, kernelSize: 3)
        let global = x.conv2d(32, kernelSize: 7, padding: globalPadding)
        graph.output("y", local.concat(global).conv2d(5, kernelSize: 5))
        graph.loss(SoftmaxCrossEntropy(), on: "y", target: "target")
      }
    }
    try await expectAgreement(of: model(1), batch: 2)
    #expect(throws: CompileError.self) {
      try InferShapes(batch: 1, memoryLimit: 1 << 28).run(model(0))
    }
  }

  @Test("inputs that do not go together are refused")
  func errors() {
    #expect(
      message(of: Concat(), on: [1, 32, 5, 5], [1, 32, 3, 3])
        == "expects equal shapes, got 1x32x5x5 and 1x32x3x3; everything but the channels has to agree"
    )
    #expect(
      message(of: Concat(axis: 2), on: [1, 3, 5, 5], [1, 2, 3, 5])
        == "expects equal shapes, got 1x3x5x5 and 1x2x3x5; everything but axis 2 has to agree")
    #expect(
      message(of: Concat(axis: 0), on: [1, 3, 5, 5])
        == "axis 0 of 1x3x5x5 is not one of 1 to 3; axis 0 is the batch, which every layer keeps")
  }
}
