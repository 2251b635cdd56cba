import Convc
import ConvcTestSupport
import Testing

@Suite("Slice")
struct SliceLayerTests {
  static let cases = [
    LayerCase("slice_channels", Slice(axis: 1, start: 1, end: 3), inputs: [3, 4, 3, 5]),
    LayerCase(
      "slice_blocks", Slice(axis: 1, start: 16, end: 48), inputs: [1, 48, 2, 3], maximumBatch: 2),
    LayerCase("slice_rows", Slice(axis: 2, start: 1, end: 7, step: 2), inputs: [2, 16, 7, 3]),
    LayerCase("slice_columns", Slice(axis: 3, start: -4, end: -1), inputs: [2, 3, 4, 7]),
    LayerCase("slice_steps", Slice(axis: 1, start: 0, end: 7, step: 3), inputs: [2, 7, 2, 3]),
    LayerCase("slice_sequence", Slice(axis: 2, start: 2, end: 5), inputs: [2, 3, 8]),
    LayerCase("slice_features", Slice(axis: 1, start: 3, end: 20), inputs: [5, 40]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("a split gives parts that add up, and their gradients add up to the whole's")
  func split() async throws {
    let model = Model("split") { graph in
      let parts = graph.input("x", [40, 3, 4]).positionBias()
        .split([16, 16, 8], axis: 1, name: "part")
      let sum = parts[0].add(parts[1])
      graph.output("y", sum.concat(parts[2]))
      graph.loss(MeanSquaredError(), on: "y", target: "target")
    }
    #expect(
      model.nodes.map(\.name).filter { $0.hasPrefix("part") } == ["part_1", "part_2", "part_3"])
    try await expectAgreement(of: model, batch: 3)
  }

  @Test("sizes of a split have to add up to the axis")
  func splitSizes() {
    let model = Model("split") { graph in
      let parts = graph.input("x", [8, 3, 4]).split([3, 4], axis: 1)
      graph.output("y", parts[0])
      graph.output("z", parts[1])
    }
    #expect(throws: CompileError.self) {
      try InferShapes(batch: 1, memoryLimit: 1 << 28).run(model)
    }
    #expect(
      message(of: model.nodes[0].layer, on: [1, 8, 3, 4])
        == "the sizes of the split add up to 7, axis 1 of 1x8x3x4 has 8; each cell belongs to one part: add or remove one"
    )
  }

  @Test("ranges that an axis has not are refused")
  func errors() {
    #expect(
      message(of: Slice(axis: 0, start: 0, end: 1), on: [2, 3, 4, 5])
        == "axis 0 of 2x3x4x5 is not one of 1 to 3; axis 0 is the batch, which every layer keeps")
    #expect(
      message(of: Slice(axis: 1, start: 2, end: 5), on: [2, 3])
        == "2..<5 is no range of axis 1 of 2x3; 0 <= start < end <= 3 works, negative ones count from the end"
    )
    #expect(
      message(of: Slice(axis: 1, start: 0, end: 2, step: 0), on: [2, 3])
        == "a step of 0 goes nowhere; steps are at least 1")
    #expect(
      message(of: Slice(axis: 1, start: 0, end: 2), on: [2, 3, 4, 5, 6])
        == "expects an input of rank 2 to 4, got 2x3x4x5x6; reshape joins axes that belong together"
    )
  }
}
