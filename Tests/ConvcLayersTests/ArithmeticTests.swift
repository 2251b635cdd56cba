import Convc
import ConvcTestSupport
import Testing

@Suite("Arithmetic")
struct ArithmeticTests {
  static let cases = [
    LayerCase("arithmetic_add", Arithmetic(.add), inputs: [2, 3, 4, 1], [2, 1, 4, 9]),
    LayerCase("arithmetic_subtract", Arithmetic(.subtract), inputs: [3, 2, 5, 7], [3, 2, 1, 1]),
    LayerCase("arithmetic_multiply", Arithmetic(.multiply), inputs: [2, 1, 4, 5], [2, 3, 1, 5]),
    LayerCase(
      "arithmetic_divide", Arithmetic(.divide), inputs: [2, 3, 4, 5], [2, 1, 4, 1],
      needsPositive: true),
    LayerCase(
      "arithmetic_maximum", Arithmetic(.maximum), inputs: [2, 16, 3, 5], [2, 16, 3, 5],
      maximumBatch: 18),
    LayerCase(
      "arithmetic_minimum", Arithmetic(.minimum), inputs: [1, 19], [1, 1], maximumBatch: 4),
    LayerCase(
      "arithmetic_power", Arithmetic(.power), inputs: [2, 3, 7], [2, 1, 7], needsPositive: true),
    LayerCase(
      "arithmetic_constants", Arithmetic(.subtract, constants: [1, 3, 5], side: .left),
      inputs: [3, 2, 3, 5]),
    LayerCase(
      "arithmetic_channels", Arithmetic(.divide, constants: [16, 1, 1]), inputs: [2, 16, 3, 3]),
    LayerCase(
      "arithmetic_spread", Arithmetic(.multiply, constants: [4, 1, 5]), inputs: [2, 1, 3, 5]),
    LayerCase(
      "arithmetic_over", Arithmetic(.divide, constants: [19], side: .left), inputs: [5, 19],
      needsPositive: true),
    LayerCase(
      "arithmetic_power_of", Arithmetic(.power, constants: [1, 1]), inputs: [2, 3, 9],
      needsPositive: true),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test(
    "two tensors: extents of 1 stand for all, of images too",
    arguments: Arithmetic.Operation.allCases.filter { $0 != .power })
  func tensors(operation: Arithmetic.Operation) async throws {
    try await expectInference("tensors_\(operation.rawValue)") { builder in
      let a = builder.input("a", [2, 3, 4, 5])
      let b = builder.input("b", [2, 1, 4, 1])
      let c = builder.input("c", [1, 3, 1, 5])
      builder.output("ab", a.arithmetic(operation, b))
      builder.output("bc", b.arithmetic(operation, c))
    }
  }

  @Test("a tensor and constants, on either side", arguments: Arithmetic.Operation.allCases)
  func constants(operation: Arithmetic.Operation) async throws {
    try await expectInference("constants_\(operation.rawValue)") { builder in
      let x = builder.input("x", [3, 2, 3, 5]).elementary(.abs)
      for (side, extents) in [(Arithmetic.Side.right, [2, 1, 1]), (.left, [1, 3, 5])] {
        builder.output(
          "\(side.rawValue)", x.arithmetic(operation, constants: extents, side: side))
      }
    }
  }

  @Test("gradients go through a chain of operations with constants")
  func chain() async throws {
    try await expectAgreement("constant_gradients", batch: 3) { builder in
      let x = builder.input("x", [4, 3, 5]).conv2d(5, kernelSize: 1, name: "conv")
      let added = x.arithmetic(.add, constants: [5, 1, 1])
      let turned = added.arithmetic(.subtract, constants: [1, 3, 5], side: .left)
      let scaled = turned.arithmetic(.multiply, constants: [5, 1, 5])
      builder.output("y", scaled.arithmetic(.divide, constants: [1, 1, 1]))
      builder.loss(MeanSquaredError(), on: "y", target: "t")
    }
  }

  @Test(
    "a value with itself: both sides' gradients add up",
    arguments: [Arithmetic.Operation.add, .maximum, .power])
  func itself(operation: Arithmetic.Operation) async throws {
    try await expectAgreement("itself_\(operation.rawValue)", batch: 2) { builder in
      let x = builder.input("x", [3, 4]).positionBias().tanh().elementary(.exp)
      builder.output("y", x.arithmetic(operation, x))
      builder.loss(MeanSquaredError(), on: "y", target: "t")
    }
  }

  @Test("a maximum or minimum with NaN is NaN, on either side")
  func notANumber() async throws {
    for operation in [Arithmetic.Operation.maximum, .minimum] {
      let model = Model("nan_\(operation.rawValue)") { graph in
        let (a, b) = (graph.input("a", [4]), graph.input("b", [4]))
        graph.output("y", a.arithmetic(operation, b))
      }
      let session = try await session(of: model, batch: 1) { _ in 0 }
      let (a, b): ([Float], [Float]) = ([.nan, 1, .infinity, 2], [1, .nan, .nan, 3])
      let y = try session.forward(inputs: [.float32(a), .float32(b)], batch: 1)[0].floats
      #expect(y.map(\.isNaN) == [true, true, true, false])
      #expect(y[3] == (operation == .maximum ? 3 : 2))
    }
  }

  @Test("slopes of powers at 0: of the base 0 for the exponent 0, of the exponent 0")
  func powersOfZero() async throws {
    let model = Model("powers") { graph in
      let a = graph.input("a", [3]).positionBias(name: "a_bias")
      let b = graph.input("b", [3]).positionBias(name: "b_bias")
      graph.output("y", a.arithmetic(.power, b))
      graph.loss(MeanSquaredError(), on: "y", target: "t")
    }
    let session = try await session(of: model, batch: 1, trains: true) { _ in 0 }
    _ = try session.gradients(
      inputs: [.float32([0, 0, 0]), .float32([0, 1, 2])], targets: [.float32([3, 3, 3])], batch: 1)
    let gradients = session.withGradients { Array($0) }
    #expect(gradients[0] == 0 && gradients[1] < 0 && gradients[2] == 0)
    #expect(gradients[3...] == [0, 0, 0])
  }

  @Test("training leaves constants alone")
  func untrained() throws {
    let model = Model("kept") { graph in
      let x = graph.input("x", [4]).dense(3, name: "dense")
      graph.output("y", x.arithmetic(.multiply, constants: [3], name: "scale"))
      graph.loss(MeanSquaredError(), on: "y", target: "t")
    }
    let graph = try model.compile(BuildOptions(batch: 2)).graph
    let trained = graph.parameters.filter { $0.kind == .trainable }.map(\.name)
    #expect(trained == ["dense.weight", "dense.bias"])
    #expect(graph.parameters.map(\.name).contains("scale.value"))
  }

  @Test("one image that stands for several has no gradient")
  func images() throws {
    let layer = Arithmetic(.add)
    let (one, three) = (TensorType(shape: [1, 4]), TensorType(shape: [3, 4]))
    #expect(!layer.hasGradient(for: [one, three]) && layer.hasGradient(for: [three, three]))
  }

  @Test("inputs and constants that do not go together are refused")
  func errors() {
    let wayOut = "extents of one axis have to be equal, or one of them 1"
    #expect(message(of: Arithmetic(.add), on: [2, 3]) == "expects two inputs, got 1")
    #expect(
      message(of: Arithmetic(.add, constants: [3]), on: [2, 3], [2, 3])
        == "expects one input, got 2")
    #expect(
      message(of: Arithmetic(.add), on: [2, 4, 2], [2, 4, 3])
        == "expects equal shapes, got 2x4x2 and 2x4x3; \(wayOut)")
    #expect(
      message(of: Arithmetic(.add), on: [2, 4], [2, 4, 1])
        == "expects equal shapes, got 2x4 and 2x4x1; \(wayOut)")
    #expect(
      message(of: Arithmetic(.add, constants: [3, 0]), on: [2, 3, 4])
        == "constants [3, 0] are none; every extent has to be at least 1")
    #expect(
      message(of: Arithmetic(.add, constants: [3]), on: [2, 3, 4])
        == "constants [3] do not have the 2 axes of an image of 2x3x4; extents of 1 stand for all")
    #expect(
      message(of: Arithmetic(.add), on: [2, 3, 4, 5, 6], [2, 3, 4, 5, 6])
        == "expects an input of rank 2 to 4, got 2x3x4x5x6; reshape joins axes that belong together"
    )
  }

  /// Compares what an unbatched network infers with the reference.
  private func expectInference(_ name: String, _ build: (ModelBuilder) -> Void) async throws {
    try await expectAgreement(name, batch: 1, isUnbatched: true, trains: false, build)
  }
}
