import Convc
import ConvcTestSupport
import Testing

@testable import ConvcIR

/// Kernels with maps in lanes against the generic kernels: the same network, values and batch.
@Suite("Blocked kernels")
struct BlockedKernelTests {
  /// A network, its batches, and what it is there for.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var shape = [16, 9, 11]
    /// Batch that is built for; fewer images are run as well.
    var batch = 3
    /// Kilobytes of second-level cache; nil: the target's.
    var level2: Int?
    /// The family that the generic one is compared with.
    var family = "blocked"
    let build: @Sendable (Value) -> Value

    var testDescription: String { name }

    func model() -> Model {
      Model("blocked") { graph in
        graph.output("y", build(graph.input("x", shape)))
        graph.loss(MeanSquaredError(), on: "y", target: "target")
      }
    }
  }

  static let cases = [
    Case(name: "planar input, odd sizes, bias, ReLU", shape: [3, 13, 10]) {
      $0.conv2d(32, kernelSize: 3, padding: 1).relu()
    },
    Case(name: "planar input, stride 2, 7x7", shape: [3, 23, 29]) {
      $0.conv2d(16, kernelSize: 7, stride: 2, padding: 3, bias: false).relu()
    },
    Case(name: "two convolutions, three blocks of maps") {
      $0.conv2d(48, kernelSize: 3, padding: 1).relu().conv2d(32, kernelSize: 3, padding: 1)
    },
    Case(name: "stride 2 in both directions") {
      $0.conv2d(32, kernelSize: 3, stride: 2, padding: 1).relu()
        .conv2d(16, kernelSize: 3, stride: 2, padding: 1)
    },
    Case(name: "stride 3 and 2, kernel 5x3, no padding", shape: [16, 17, 14]) {
      $0.conv2d(16, kernelSize: 1).conv2d(
        32, kernelSize: Size2D(height: 5, width: 3), stride: Size2D(height: 3, width: 2))
    },
    Case(name: "pooled, winners, a lost column", shape: [16, 10, 13], batch: 4) {
      $0.conv2d(32, kernelSize: 3, padding: 1).relu().maxPool(2)
        .conv2d(48, kernelSize: 3).maxPool(Size2D(height: 1, width: 2)).relu()
    },
    Case(name: "pooled rows one after the other, tiles of two widths", shape: [16, 13, 21]) {
      $0.conv2d(40, kernelSize: 3, padding: 1).maxPool(Size2D(height: 3, width: 2)).relu()
        .conv2d(24, kernelSize: 3, padding: 2).gelu().maxPool(2)
    },
    Case(
      name: "pooled rows one after the other, channels in parts", shape: [64, 10, 14], batch: 2,
      level2: 32
    ) {
      $0.conv2d(80, kernelSize: 3, padding: 1).relu().maxPool(2).batchNorm()
        .conv2d(32, kernelSize: 3)
    },
    Case(name: "winners, more taps than registers, a stride", shape: [32, 21, 17], batch: 19) {
      let x = $0.conv2d(32, kernelSize: 1)
      let y = x.conv2d(32, kernelSize: 5, stride: 2, padding: 2).relu().maxPool(2)
      return y.conv2d(16, kernelSize: 2, bias: false).maxPool(Size2D(height: 2, width: 1))
    },
    Case(
      name: "winners, images in lanes, blocks of channels", shape: [20, 13, 15], batch: 70,
      family: "lanes"
    ) {
      $0.conv2d(20, kernelSize: 1).conv2d(9, kernelSize: 5, padding: 1).relu().maxPool(2)
        .conv2d(10, kernelSize: 3, stride: 2, padding: 1, bias: false)
        .maxPool(Size2D(height: 1, width: 3)).relu()
    },
    Case(name: "tiles of two widths", shape: [16, 9, 14], batch: 2) {
      $0.conv2d(48, kernelSize: 3, padding: 1, bias: false).batchNorm().relu()
        .conv2d(64, kernelSize: 3, stride: 2, padding: 1).relu().conv2d(40, kernelSize: 3)
    },
    Case(name: "merged rows of 1x1, and stride 2 without taps between", shape: [32, 12, 7]) {
      let x = $0.conv2d(64, kernelSize: 1).relu().conv2d(32, kernelSize: 1, bias: false)
      return x.conv2d(32, kernelSize: 1, stride: 2)
    },
    Case(name: "a block with a shortcut: operands, halos, gradients that add", batch: 2) {
      let x = $0.conv2d(32, kernelSize: 3, padding: 1).relu()
      let body = x.conv2d(32, kernelSize: 3, padding: 1).relu().conv2d(
        32, kernelSize: 3, padding: 1)
      let sum = body.add(x).relu()
      return sum.conv2d(16, kernelSize: 3, padding: 1).add(sum.conv2d(16, kernelSize: 1))
    },
    Case(name: "batch norm", shape: [16, 6, 5], batch: 5) {
      $0.conv2d(32, kernelSize: 3, padding: 1, bias: false).batchNorm().relu()
        .conv2d(16, kernelSize: 3, padding: 1).batchNorm()
    },
    Case(name: "weights that owners sum", shape: [256, 4, 3], batch: 2) {
      $0.conv2d(256, kernelSize: 3, padding: 1).relu().conv2d(256, kernelSize: 1)
    },
    Case(name: "weights that crowd out a small cache", shape: [64, 5, 6], batch: 2, level2: 32) {
      $0.conv2d(96, kernelSize: 3, padding: 1).relu().conv2d(64, kernelSize: 3, padding: 1)
    },
    Case(
      name: "strips of rows that all maps go through", shape: [32, 19, 7], batch: 3, level2: 48
    ) {
      let x = $0.conv2d(64, kernelSize: 1).relu().conv2d(80, kernelSize: 1, stride: 2)
      return x.batchNorm().relu().conv2d(64, kernelSize: 3, padding: 1, bias: false).batchNorm()
    },
    Case(name: "parts of maps that all images go through", shape: [64, 7, 7], batch: 5, level2: 32)
    {
      $0.conv2d(192, kernelSize: 1).relu().conv2d(128, kernelSize: 1, stride: 2, bias: false)
        .batchNorm().relu()
    },
    Case(
      name: "1x1 on maps that the first-level cache does not hold: next rows, weights, a sum",
      shape: [48, 24, 19], batch: 2, level2: 32
    ) {
      let x = $0.conv2d(64, kernelSize: 1).relu()
      let sum = x.conv2d(64, kernelSize: 1, bias: false).add(x).relu()
      return sum.conv2d(80, kernelSize: 1, stride: 2).conv2d(48, kernelSize: 3, padding: 1)
    },
    Case(name: "one image in halves", shape: [16, 11, 9], batch: 1) {
      let x = $0.conv2d(64, kernelSize: 1).relu()
      return x.conv2d(64, kernelSize: 3, padding: 1, groups: 64).relu().conv2d(48, kernelSize: 1)
    },
    Case(name: "many planes, in parts of whole tiles", shape: [80, 3, 5]) {
      $0.conv2d(80, kernelSize: 1).conv2d(16, kernelSize: 1)
    },
    Case(name: "dense layers, odd sizes", shape: [37], batch: 11) {
      $0.dense(29).relu().dense(70).relu().dense(33)
    },
    Case(name: "dense layers in parts", shape: [600], batch: 70, level2: 64) {
      let x = $0.dense(150).relu()
      return x.dense(18).relu().add(x.dense(18).relu()).dense(10)
    },
    Case(
      name: "large dense layers, images in lanes", shape: [203], batch: 70, level2: 64,
      family: "lanes"
    ) {
      let x = $0.dense(150).relu()
      return x.dense(131).relu().add(x.dense(131).relu()).dense(97)
    },
    Case(
      name: "large dense layers, few images in lanes", shape: [6, 5, 7], batch: 19, level2: 32,
      family: "lanes"
    ) {
      $0.conv2d(16, kernelSize: 3).flatten().dense(18).relu().dense(200).relu().dense(2)
    },
    Case(name: "one image, few outputs", shape: [39], batch: 1) {
      $0.dense(3).relu().dense(21).dense(1)
    },
    Case(name: "an image of one group, then a dense layer", shape: [3, 8, 8], batch: 9) {
      $0.conv2d(16, kernelSize: 3, padding: 1).relu().maxPool(2).flatten().dense(10)
    },
  ]

  @Test("agree with the generic kernels", arguments: cases)
  func agree(_ test: Case) async throws {
    try await expectAgreement(test, target: .native)
  }

  @Test(
    "agree with the generic kernels on narrow vectors", arguments: cases,
    [Target.x86v2, .x86v3, .aarch64])
  func agreeNarrow(_ test: Case, target: Target) async throws {
    try await expectAgreement(test, target: target)
  }

  /// Runs a case with both families and compares outputs and gradients, at every batch and number of threads.
  func expectAgreement(_ test: Case, target: Target) async throws {
    guard Target.native.lanes >= target.lanes else { return }
    let model = test.model()
    let target = target.with(level2: test.level2.map { $0 << 10 } ?? target.level2)
    var sessions: [Session] = []
    for family in ["generic", test.family] {
      let options = BuildOptions(batch: test.batch, target: target, families: [family])
      let compilation = try model.compile(options)
      if family == test.family {
        let families = compilation.stages.programs.flatMap { $0.kernels.selections.map(\.family) }
        #expect(families.contains(test.family))
      }
      sessions.append(try Session(try await compilation.load()))
    }
    var random = Values(seed: 1)
    let parameters = random.take(sessions[0].program.parameterCount, scale: 0.3)
    for session in sessions { try session.setParameterBlock(parameters) }
    for batch in Set([1, test.batch]).sorted() {
      try compare(sessions[0], sessions[1], batch, &random, "\(test.name), batch \(batch)")
    }
  }

  private func compare(
    _ generic: Session, _ blocked: Session, _ batch: Int, _ random: inout Values, _ name: String
  ) throws {
    let program = generic.program
    let x = random.take(batch * program.inputs[0].elementsPerImage, scale: 1)
    let target = random.take(batch * program.outputs[0].elementsPerImage, scale: 1)
    let parameters = generic.parameterBlock
    let expected = try generic.forward(inputs: [.float32(x)], batch: batch)[0]
    let output = try blocked.forward(inputs: [.float32(x)], batch: batch)[0]
    guard case .float32(let want) = expected, case .float32(let got) = output else { return }
    let difference = Comparison(got, want)
    #expect(difference.isWithin(1e-5), "\(name): output \(difference)")
    for accumulate in [false, true] {
      var gradients: [[Float]] = []
      for (session, threads) in [(generic, 1), (blocked, 1), (blocked, 2), (blocked, 5)] {
        try session.setParameterBlock(parameters)
        session.withGradients { $0.update(repeating: 0.01) }
        _ = try session.gradients(
          inputs: [.float32(x)], targets: [.float32(target)], batch: batch,
          options: StepOptions(accumulate: accumulate, threads: threads))
        gradients.append(session.withGradients { Array($0) })
      }
      #expect(gradients[1] == gradients[2] && gradients[1] == gradients[3], "\(name): threads")
      for parameter in program.parameters {
        guard let start = parameter.gradientOffset else { continue }
        let range = start..<(start + parameter.count)
        let difference = Comparison(
          Array(gradients[1][range]), Array(gradients[0][range]), atLeast: 1e-4)
        #expect(difference.isWithin(1e-4), "\(name): \(parameter.name) \(difference)")
      }
    }
  }
}

/// Reproducible values in -scale...scale.
private struct Values {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func take(_ count: Int, scale: Float) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    for index in values.indices {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      values[index] = (Float(state >> 40) / Float(1 << 23) - 1) * scale
    }
    return values
  }
}
