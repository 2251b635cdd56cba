import Convc
import ConvcTestSupport
import Testing

@testable import ConvcIR

/// A 1x1 convolution inside the depthwise one behind it, against both with kernels of their own.
@Suite("Expanded depthwise convolutions")
struct ExpandedDepthwiseTests {
  /// Two convolutions with what stands between and behind them.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var shape = [16, 9, 11]
    var batch = 3
    var isExpanded = true
    let build: @Sendable (Value) -> Value

    var testDescription: String { name }

    func model() -> Model {
      Model("expanded") { graph in
        graph.output(
          "y", build(graph.input("x", shape).conv2d(shape[0], kernelSize: 3, padding: 1)))
      }
    }
  }

  static let cases = [
    Case(name: "odd sizes, batch norm, ReLU6") {
      $0.conv2d(48, kernelSize: 1, bias: false).batchNorm().relu6()
        .conv2d(48, kernelSize: 3, padding: 1, groups: 48, bias: false).batchNorm().relu6()
    },
    Case(
      name: "one image, stride 2, maps that are no multiple of the lanes", shape: [16, 17, 14],
      batch: 1
    ) {
      $0.conv2d(72, kernelSize: 1).relu()
        .conv2d(72, kernelSize: 3, stride: 2, padding: 1, groups: 72)
    },
    Case(name: "5x5, asymmetric padding, a slope for each map", shape: [16, 12, 13], batch: 2) {
      $0.conv2d(32, kernelSize: 1).prelu()
        .conv2d(
          32, kernelSize: 5, padding: Padding(top: 2, bottom: 1, left: 0, right: 3), groups: 32
        )
        .relu()
    },
    Case(name: "no padding, kernel 2x3, stride 2x1", shape: [16, 11, 10]) {
      $0.conv2d(64, kernelSize: 1).conv2d(
        64, kernelSize: Size2D(height: 2, width: 3), stride: Size2D(height: 2, width: 1),
        groups: 64)
    },
    Case(name: "two readers of the maps", isExpanded: false) {
      let maps = $0.conv2d(48, kernelSize: 1).relu()
      return maps.conv2d(48, kernelSize: 3, padding: 1, groups: 48).add(maps)
    },
    Case(name: "dilated taps", isExpanded: false) {
      $0.conv2d(48, kernelSize: 1).conv2d(
        48, kernelSize: 3, padding: 2, dilation: 2, groups: 48)
    },
  ]

  @Test(
    "give the values of the generic kernels, and equal bits on any number of threads",
    arguments: cases)
  func agree(_ test: Case) async throws {
    let target = Target.native.with(level2: 16 << 10)
    guard target.hasVectors else { return }
    var sessions: [Session] = []
    for family in ["generic", "blocked"] {
      let options = BuildOptions(
        batch: test.batch, trains: false, target: target, families: [family])
      let compilation = try test.model().compile(options)
      let templates = compilation.stages.programs.flatMap { $0.kernels.calls.map(\.template) }
      #expect(
        templates.contains("conv2d_expanded_depthwise_forward")
          == (family == "blocked" && test.isExpanded))
      sessions.append(try Session(try await compilation.load()))
    }
    // Above 0, as variances have to be, and small.
    let parameters = (0..<sessions[0].program.parameterCount).map {
      Float(($0 * 7919) % 601 + 100) / 7000
    }
    for session in sessions { try session.setParameterBlock(parameters) }
    for batch in Set([1, test.batch]).sorted() {
      let image = sessions[0].program.inputs[0].elementsPerImage
      let x = (0..<batch * image).map { Float(($0 * 104_729) % 2003 - 1001) / 1001 }
      func output(_ session: Session, threads: Int) throws -> [Float] {
        let tensors = try session.forward(inputs: [.float32(x)], batch: batch, threads: threads)
        guard case .float32(let values) = tensors[0] else { return [] }
        return values
      }
      let expected = try output(sessions[0], threads: 1)
      let found = try [1, 2, 5].map { try output(sessions[1], threads: $0) }
      let difference = Comparison(found[0], expected)
      #expect(difference.isWithin(1e-5), "\(test.name), batch \(batch): \(difference)")
      #expect(found[0] == found[1] && found[0] == found[2], "\(test.name): threads")
    }
  }
}
