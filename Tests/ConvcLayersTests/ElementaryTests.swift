import Convc
import ConvcTestSupport
import Testing

@Suite("Elementary")
struct ElementaryTests {
  static let cases = [
    LayerCase("elementary_abs", Elementary(.abs), inputs: [3, 2, 5, 7]),
    LayerCase("elementary_sin", Elementary(.sin), inputs: [2, 32, 3, 5], maximumBatch: 18),
    LayerCase("elementary_cos", Elementary(.cos), inputs: [2, 3, 9]),
    LayerCase("elementary_erf", Elementary(.erf), inputs: [1, 19], maximumBatch: 4),
    LayerCase("elementary_negate", Elementary(.negate), inputs: [5, 3, 1, 4]),
    LayerCase("elementary_exp", Elementary(.exp), inputs: [2, 3, 4, 5], needsPositive: true),
    LayerCase("elementary_log", Elementary(.log), inputs: [3, 16, 3, 3], needsPositive: true),
    LayerCase(
      "elementary_sqrt", Elementary(.sqrt), inputs: [1, 3, 11], maximumBatch: 17,
      needsPositive: true),
    LayerCase(
      "elementary_reciprocal", Elementary(.reciprocal), inputs: [5, 19], needsPositive: true),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("all functions, those without a gradient too", arguments: Elementary.Function.allCases)
  func functions(function: Elementary.Function) async throws {
    try await expectAgreement(
      "function_\(function.rawValue)", batch: 1, isUnbatched: true, trains: false
    ) { builder in
      let x = builder.input("x", [2, 3, 4, 5])
      let isPositive = [.log, .sqrt, .reciprocal].contains(function)
      let domain = isPositive ? x.elementary(.exp) : x
      builder.output("y", domain.elementary(function))
    }
  }

  @Test("at zero, on whole and half numbers, infinities and NaN: what IEEE 754 and C say")
  func edges() async throws {
    let infinity = Float.infinity
    let values: [Float] = [0, -0.0, 0.5, 1.5, -0.5, -1.5, 2.5, infinity, -infinity, .nan]
    func results(_ function: Elementary.Function) async throws -> [Float] {
      let model = Model("edges_\(function.rawValue)") { graph in
        graph.output("y", graph.input("x", [values.count]).elementary(function))
      }
      let session = try await session(of: model, batch: 1) { _ in 0 }
      return try session.forward(inputs: [.float32(values)], batch: 1)[0].floats
    }
    func text(_ function: Elementary.Function) async throws -> String {
      try await results(function).map { "\($0)" }.joined(separator: " ")
    }
    #expect(try await text(.round) == "0.0 -0.0 0.0 2.0 -0.0 -2.0 2.0 inf -inf nan")
    #expect(try await text(.floor) == "0.0 -0.0 0.0 1.0 -1.0 -2.0 2.0 inf -inf nan")
    #expect(try await text(.ceil) == "0.0 -0.0 1.0 2.0 -0.0 -1.0 3.0 inf -inf nan")
    #expect(try await text(.sign) == "0.0 -0.0 1.0 1.0 -1.0 -1.0 1.0 1.0 -1.0 nan")
    #expect(try await text(.abs) == "0.0 0.0 0.5 1.5 0.5 1.5 2.5 inf inf nan")
    let reciprocal = try await results(.reciprocal)
    #expect(reciprocal.prefix(2) == [infinity, -infinity])
    let log = try await results(.log)
    #expect(log.prefix(2) == [-infinity, -infinity])
    let sqrt = try await results(.sqrt)
    #expect(sqrt[4].isNaN)
  }

  @Test("the gradient of |x| at 0 is 0")
  func kink() async throws {
    let model = Model("kink") { graph in
      let x = graph.input("x", [3]).positionBias(name: "bias")
      graph.output("y", x.elementary(.abs))
      graph.loss(MeanSquaredError(), on: "y", target: "t")
    }
    let session = try await session(of: model, batch: 1, trains: true) { _ in 0 }
    _ = try session.gradients(
      inputs: [.float32([0, 2, -2])], targets: [.float32([1, 0, 0])], batch: 1)
    let gradients = session.withGradients { Array($0) }
    #expect(gradients[0] == 0 && gradients[1] > 0 && gradients[2] == -gradients[1])
  }

  @Test("what comes before a function without a gradient cannot be trained")
  func refusal() {
    let builder = ModelBuilder(name: "refused")
    let x = builder.input("x", [4]).dense(3, name: "dense")
    builder.output("y", x.elementary(.floor, name: "steps"))
    builder.loss(MeanSquaredError(), on: "y", target: "t")
    let error = #expect(throws: CompileError.self) { try builder.model.compile() }
    #expect(
      error?.description
        == "steps: Elementary floor has no gradient, and layers before it are to be trained; freeze those (--freeze until:steps)"
    )
  }

  @Test("an input that has no axes of its own, or too many, is refused")
  func errors() {
    #expect(
      message(of: Elementary(.exp), on: [2, 3, 4, 5, 6])
        == "expects an input of rank 2 to 4, got 2x3x4x5x6; reshape joins axes that belong together"
    )
    #expect(message(of: Elementary(.exp), on: [2, 3], [2, 3]) == "expects one input, got 2")
  }

  @Test("a model file that names no function, or another one, is refused")
  func settings() {
    func problem(_ values: [String: SettingValue]) -> String? {
      do {
        _ = try Elementary(settings: Settings(values, specs: Elementary.settings))
        return nil
      } catch {
        return error.description
      }
    }
    let functions = Elementary.Function.allCases.map(\.rawValue).joined(separator: " or ")
    #expect(problem([:]) == "lacks the setting function: \(functions) is expected")
    #expect(
      problem(["function": .word("tan")]) == "has function: tan; \(functions) is expected")
  }
}
