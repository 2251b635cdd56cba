import Convc
import Foundation
import Testing

@Suite("Activations")
struct ActivationTests {
  /// An activation and the function that it computes.
  struct Case: Sendable, CustomTestStringConvertible {
    let layer: any Layer
    let function: @Sendable (Double) -> Double
    /// Units in the last place of the result that it may be off.
    var units = 6.0

    var testDescription: String { layer.summary }
  }

  static let cases = [
    Case(layer: Sigmoid()) { 1 / (1 + exp(-$0)) },
    Case(layer: Tanh()) { tanh($0) },
    Case(layer: LeakyReLU(slope: 0.25)) { $0 < 0 ? 0.25 * $0 : $0 },
    Case(layer: ELU(alpha: 0.5)) { $0 < 0 ? 0.5 * expm1($0) : $0 },
    Case(layer: SELU()) { 1.0507009873554805 * ($0 < 0 ? 1.6732632423543772 * expm1($0) : $0) },
    Case(layer: SiLU()) { $0 / (1 + exp(-$0)) },
    Case(layer: Softplus()) { max($0, 0) + log1p(exp(-abs($0))) },
    Case(layer: HardSigmoid(slope: 0.125, offset: 0.5)) { min(max($0 / 8 + 0.5, 0), 1) },
    Case(layer: HardSwish()) { $0 * min(max($0 / 6 + 0.5, 0), 1) },
  ]

  /// From one hundred-thousandth to thirty, on both sides.
  static let values: [Float] = (0..<512).flatMap { index -> [Float] in
    let size = Float(exp(-11.5 + 14.9 * Double(index) / 511))
    return [size, -size]
  }

  @Test("values are right to a few units in the last place", arguments: cases)
  func accuracy(_ test: Case) async throws {
    for target in [Target.generic, .native] {
      let results = try await run(test.layer, Self.values, target)
      for (x, y) in zip(Self.values, results) {
        let expected = test.function(Double(x))
        let unit = max(abs(expected), 1e-30) * 6e-8
        // Where a difference cancels, its operands' last place counts.
        let floor = test.layer is HardSwish || test.layer is HardSigmoid ? 6e-8 : 0
        #expect(
          abs(Double(y) - expected) <= test.units * max(unit, floor), "\(target) of \(x): \(y)")
      }
    }
  }

  @Test(
    "GELU is right to a share of its input, in both forms", arguments: [GELU(), GELU(.tanh)])
  func gelu(_ layer: GELU) async throws {
    for target in [Target.generic, .native] {
      for (x, y) in zip(Self.values, try await run(layer, Self.values, target)) {
        let v = Double(x)
        let share =
          layer.approximation == .none
          ? erfc(-v / 2.0.squareRoot()) / 2
          : (1 + tanh((2 / Double.pi).squareRoot() * (v + 0.044715 * v * v * v))) / 2
        #expect(abs(Double(y) - v * share) <= 2e-7 * abs(v), "\(target) of \(x): \(y)")
      }
    }
  }

  @Test("large values saturate, and NaN passes through", arguments: cases)
  func extremes(_ test: Case) async throws {
    let values: [Float] = [0, 88, -88, 1e4, -1e4, 3e38, -3e38, .nan]
    for target in [Target.generic, .native] {
      let results = try await run(test.layer, values, target)
      for (x, y) in zip(values, results) where !x.isNaN {
        let expected = test.function(Double(x))
        #expect(
          y.isFinite && abs(Double(y) - expected) <= 1e-6 * max(1, abs(expected)),
          "\(target) of \(x): \(y)")
      }
      #expect(results[7].isNaN, "\(target)")
    }
  }

  @Test("settings that make no function are refused")
  func settings() {
    #expect(
      message(LeakyReLU(slope: 0))
        == "slope 0.0 has to be above 0 and finite; without a slope use ReLU")
    #expect(message(ELU(alpha: .nan)) == "alpha nan has to be above 0 and finite, as 1 is")
    #expect(
      message(HardSigmoid(slope: -1, offset: 0))
        == "slope -1.0 and offset 0.0 have to be finite and the slope above 0, as 1/6 and 0.5")
  }

  @Test("names follow the kind")
  func names() {
    let model = Model("names", input: [2]) {
      Sigmoid()
      GELU(.tanh)
      HardSwish()
      Sigmoid()
    }
    #expect(model.nodes.map(\.name) == ["sigmoid1", "gelu1", "hardswish1", "sigmoid2"])
    #expect(model.nodes[1].layer.summary == "GELU tanh")
  }

  private func run(_ layer: any Layer, _ values: [Float], _ target: Target) async throws -> [Float]
  {
    let model = Model("activation") { graph in
      graph.output("y", graph.input("x", [values.count]).apply(layer))
    }
    let session = try Session(
      try await model.compile(BuildOptions(batch: 1, trains: false, target: target)).load())
    let outputs = try session.forward(inputs: [.float32(values)], batch: 1)
    guard case .float32(let results) = outputs[0] else { return [] }
    return results
  }

  private func message(_ layer: any Layer) -> String? {
    do {
      _ = try layer.output(for: [TensorType(shape: [1, 2])])
      return nil
    } catch { return "\(error)" }
  }
}
