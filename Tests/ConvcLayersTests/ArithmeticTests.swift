import Convc
import ConvcTestSupport
import Testing

@Suite("Arithmetic and elementary functions")
struct ArithmeticTests {
  @Test(
    "two tensors: extents of 1 stand for all",
    arguments: Arithmetic.Operation.allCases.filter { $0 != .power })
  func tensors(operation: Arithmetic.Operation) async throws {
    try await expectInference("tensors_\(operation.rawValue)") { builder in
      let a = builder.input("a", [2, 3, 4, 5])
      let b = builder.input("b", [2, 1, 4, 1])
      let c = builder.input("c", [1, 3, 1, 5])
      builder.output("ab", builder.apply(Arithmetic(operation), to: [a, b]))
      builder.output("bc", builder.apply(Arithmetic(operation), to: [b, c]))
    }
  }

  @Test("a tensor and constants, on either side", arguments: Arithmetic.Operation.allCases)
  func constants(operation: Arithmetic.Operation) async throws {
    try await expectInference("constants_\(operation.rawValue)") { builder in
      let x = builder.input("x", [3, 2, 3, 5]).apply(Elementary(.abs))
      for (side, extents) in [(Arithmetic.Side.right, [2, 1, 1]), (.left, [1, 3, 5])] {
        let layer = Arithmetic(operation, constants: extents, side: side)
        builder.output("\(side.rawValue)", x.apply(layer))
      }
    }
  }

  @Test("gradients of what constants are added to, subtracted from, multiplied and divided by")
  func gradients() async throws {
    try await expectAgreement("constant_gradients", batch: 3) { builder in
      let x = builder.input("x", [4, 3, 5]).conv2d(5, kernelSize: 1, name: "conv")
      let added = x.apply(Arithmetic(.add, constants: [5, 1, 1]))
      let turned = added.apply(Arithmetic(.subtract, constants: [1, 3, 5], side: .left))
      let scaled = turned.apply(Arithmetic(.multiply, constants: [5, 1, 5]))
      builder.output("y", scaled.apply(Arithmetic(.divide, constants: [1, 1, 1])))
      builder.loss(MeanSquaredError(), on: "y", target: "t")
    }
  }

  @Test("elementary functions", arguments: Elementary.Function.allCases)
  func functions(function: Elementary.Function) async throws {
    try await expectInference("function_\(function.rawValue)") { builder in
      let x = builder.input("x", [2, 3, 4, 5])
      let isPositive = [.log, .sqrt, .reciprocal].contains(function)
      let domain = isPositive ? x.apply(Elementary(.exp)) : x
      builder.output("y", domain.apply(Elementary(function)))
    }
  }

  @Test("what comes before an operation without a gradient cannot be trained")
  func refusal() {
    let builder = ModelBuilder(name: "refused")
    let x = builder.input("x", [4]).dense(3, name: "dense")
    builder.output("y", x.apply(Elementary(.floor), name: "steps"))
    builder.loss(MeanSquaredError(), on: "y", target: "t")
    let error = #expect(throws: CompileError.self) { try builder.model.compile() }
    #expect(
      error?.description
        == "steps: Elementary floor has no gradient, and layers before it are to be trained; freeze those (--freeze until:steps)"
    )
  }

  @Test("extents that do not fit are refused")
  func extents() {
    let builder = ModelBuilder(name: "misfit")
    let (a, b) = (builder.input("a", [4, 2]), builder.input("b", [4, 3]))
    builder.output("y", builder.apply(Arithmetic(.add), to: [a, b]))
    let error = #expect(throws: CompileError.self) {
      try builder.model.compile(BuildOptions(batch: 1, trains: false))
    }
    #expect(
      error?.description.contains("extents of one axis have to be equal, or one of them 1") == true)
  }

  /// Compares what an unbatched network infers with the reference.
  private func expectInference(_ name: String, _ build: (ModelBuilder) -> Void) async throws {
    try await expectAgreement(name, batch: 1, isUnbatched: true, trains: false, build)
  }
}
