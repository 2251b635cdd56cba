import Convc
import ConvcTestSupport
import Testing

@testable import ConvcIR

/// Kernels of maps that come from memory ask for parts of them before they are needed, and walk another way to do so. The
/// same network for a large and for a small cache, with the same values.
@Suite("What a kernel asks for ahead changes no value")
struct AskingAheadTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let build: @Sendable (Value) -> Value

    init(_ name: String, _ build: @escaping @Sendable (Value) -> Value) {
      testDescription = name
      self.build = build
    }
  }

  static let cases = [
    Case("group norm") { $0.groupNorm(groups: 4) },
    Case("instance norm") { $0.instanceNorm() },
    Case("response normalisation, five channels") { $0.localResponseNorm(alpha: 0.5) },
    Case("response normalisation, all channels") {
      $0.localResponseNorm(across: .channels(nil), alpha: 0.5)
    },
    Case("response normalisation in space") {
      $0.localResponseNorm(across: .space(3), alpha: 0.5)
    },
    Case("softmax") { $0.softmax() },
    Case("dropout") { $0.dropout(0.5) },
    Case("GELU") { $0.gelu() },
  ]

  @Test("agree", arguments: cases)
  func agree(_ test: Case) async throws {
    // Whole lines of memory, and others; 3 images to have lanes without one.
    for shape in [[32, 12, 16], [16, 13, 45]] {
      let model = Model("asking") { graph in
        let x = graph.input("x", shape).positionBias()
        graph.output("y", test.build(x))
        graph.loss(MeanSquaredError(), on: "y", target: "target")
      }
      var runs: [(output: [Float], gradients: [Float])] = []
      var texts: [String] = []
      for level2 in [64 << 20, 32 << 10] {
        let target = Target.native.with(level2: level2)
        let compilation = try model.compile(BuildOptions(batch: 3, target: target))
        texts.append(compilation.files().all.map(\.text).joined())
        let session = try Session(try await compilation.load())
        let count = 3 * shape.reduce(1, *)
        let values = (0..<count).map { Float(($0 * 7919) % 997) / 500 - 1 }
        try session.setParameterBlock(
          (0..<session.program.parameterCount).map { Float(($0 * 4049) % 991) / 1000 - 0.5 })
        let output = try session.forward(inputs: [.float32(values)], batch: 3)[0]
        _ = try session.gradients(
          inputs: [.float32(values)], targets: [.float32(values.reversed())], batch: 3)
        guard case .float32(let y) = output else { continue }
        runs.append((y, session.withGradients { Array($0) }))
      }
      if Target.native.asksAhead { #expect(texts[0] != texts[1], "\(shape): nothing is asked for") }
      let output = Comparison(runs[1].output, runs[0].output)
      #expect(output.isWithin(1e-6), "\(shape): output \(output)")
      let gradients = Comparison(runs[1].gradients, runs[0].gradients)
      #expect(gradients.isWithin(1e-5), "\(shape): gradients \(gradients)")
    }
  }
}
