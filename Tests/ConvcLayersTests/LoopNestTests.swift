import Convc
import ConvcLayers
import ConvcTestSupport
import Testing

/// The C of loop nests does what their formulas say, for every form that they can take.
@Suite("Loop nests")
struct LoopNestTests {
  private static let all: [LoopNest.Reduction] = [
    .sum, .product, .maximum, .minimum, .firstMaximum, .lastMaximum, .firstMinimum, .lastMinimum,
  ]

  @Test("reductions of one cell after the other, and of whole rows", arguments: all)
  func reductions(reduction: LoopNest.Reduction) async throws {
    let shape = [3, 4, 2, 9]
    try await expectInference("reduce_\(reduction.rawValue)") { builder in
      let x = builder.input("x", shape)
      // The last axis is kept, so its cells are reduced side by side; then it is reduced itself.
      for (name, axes) in [("rows", [1]), ("cells", [3]), ("several", [0, 2])] {
        let kept = shape.indices.filter { !axes.contains($0) }
        let value = Cell.operand(
          0,
          shape.indices.map { axis in
            .variable(kept.firstIndex(of: axis) ?? kept.count + (axes.firstIndex(of: axis) ?? 0))
          })
        let nest = LoopNest(
          "reduce", shape: kept.map { shape[$0] }, inputs: [shape], reduction: reduction,
          reduced: axes.map { shape[$0] }, value: value,
          result: .function(.multiply, [Cell.total.applying(.toReal), .real(0.5)]),
          isPerImage: false)
        builder.output(name, builder.apply(nest, to: [x], name: "nest_\(name)"))
      }
    }
  }

  @Test("maps that stand among zeros for other readers, as input and as output")
  func halo() async throws {
    let maps = [2, 6, 7]
    let nest = LoopNest(
      "double", shape: [4] + maps, inputs: [[4] + maps],
      value: .operand(0, (0..<4).map { Cell.variable($0) }) * .real(2), isPerImage: true)
    try await expectAgreement("halo", batch: 3, maximumBatch: 4, trains: false) {
      let x = $0.input("x", maps)
      let padded = Conv2D(outputChannels: 3, kernelSize: 3, padding: 1)
      $0.output("beside", x.apply(padded, name: "beside"))
      let doubled = x.apply(nest, name: "doubled")
      $0.output("behind", doubled.apply(padded, name: "behind"))
    }
  }

  @Test("a convolution over three axes, with zeros around, for any number of images")
  func window() async throws {
    let (n, m, c) = (Cell.variable(0), Cell.variable(1), Cell.variable(5))
    let steps = (0..<3).map { axis in
      LoopNest.Step(
        ["d", "h", "w"][axis],
        .variable(2 + axis) * .whole(2) + .variable(6 + axis) + .whole(-1))
    }
    let space = [4, 5, 16]
    let nest = LoopNest(
      "convolution", shape: [4, 3, 2, 3, 8], inputs: [[4, 2] + space],
      constants: [[3, 2, 3, 3, 3]],
      reduction: .sum, reduced: [2, 3, 3, 3], steps: steps,
      guards: space.indices.map { Cell.step($0).isIn(space[$0]) },
      value: .operand(0, [n, c, .step(0), .step(1), .step(2)])
        * .operand(1, [m, c, .variable(6), .variable(7), .variable(8)]), isPerImage: true)
    #expect(nest.staysInImage(batch: 4))
    for batch in [1, 3] {
      try await expectAgreement("window_\(batch)", batch: batch, maximumBatch: 4, trains: false) {
        let x = $0.input("x", [2] + space)
        $0.output("y", x.apply(nest, name: "nest"))
      }
    }
  }

  @Test("tables, choices, whole numbers and truths")
  func kinds() async throws {
    let shape = [3, 5]
    let place = [Cell.variable(0), .variable(1)]
    try await expectInference("kinds") { builder in
      let (a, b) = (builder.input("a", shape), builder.input("b", shape))
      let isLess = builder.apply(
        LoopNest(
          "less", shape: shape, element: .bool, inputs: [shape, shape],
          value: .operand(0, place) < .operand(1, place), isPerImage: false), to: [a, b])
      let wholes = builder.apply(
        LoopNest(
          "wholes", shape: shape, element: .int64, inputs: [shape],
          value: (Cell.operand(0, place) * .real(3)).applying(.toWhole), isPerImage: false),
        to: [a])
      let turned = LoopNest(
        "turned", shape: shape, inputs: [shape, shape, shape],
        tables: [LoopNest.Table("order", wholes: [4, 3, 2, 1, 0])],
        steps: [
          LoopNest.Step(
            "place",
            .function(
              .minimum,
              [.function(.maximum, [.operand(1, place), .whole(0)]), .whole(4)]))
        ],
        value: .select(
          .operand(0, place), .operand(2, [.variable(0), .table(0, .variable(1))]),
          .operand(2, [.variable(0), .step(0)])), isPerImage: false)
      builder.output("y", builder.apply(turned, to: [isLess, wholes, b]))
    }
  }

  @Test("inputs of another size than the nest reads are refused")
  func sizes() {
    let nest = LoopNest(
      "copy", shape: [3], inputs: [[3]], value: .operand(0, [.variable(0)]), isPerImage: false)
    let builder = ModelBuilder(name: "misfit", isUnbatched: true)
    builder.output("y", builder.input("x", [4]).apply(nest, name: "copy"))
    let error = #expect(throws: CompileError.self) {
      try builder.model.compile(BuildOptions(trains: false))
    }
    #expect(error?.description.contains("copy reads as many values") == true)
  }

  @Test("a layer of floats refuses whole numbers")
  func elements() {
    let wholes = LoopNest(
      "wholes", shape: [2, 3], element: .int64, inputs: [[2, 3]],
      value: Cell.operand(0, [.variable(0), .variable(1)]).applying(.toWhole), isPerImage: false)
    let builder = ModelBuilder(name: "mixed", isUnbatched: true)
    let x = builder.input("x", [2, 3]).apply(wholes, name: "wholes")
    builder.output("y", x.apply(ReLU(), name: "relu"))
    let error = #expect(throws: CompileError.self) {
      try builder.model.compile(BuildOptions(trains: false))
    }
    #expect(
      error?.description.hasSuffix(
        "reads values of type int64, expected float32; a cast comes before it") == true)
  }

  /// Compares what an unbatched network infers with the reference.
  private func expectInference(_ name: String, _ build: (ModelBuilder) -> Void) async throws {
    try await expectAgreement(name, batch: 1, isUnbatched: true, trains: false, build)
  }
}
