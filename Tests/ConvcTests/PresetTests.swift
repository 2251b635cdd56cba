import Convc
import ConvcReference
import ConvcTestSupport
import Testing

@Suite("Presets")
struct PresetTests {
  /// What `models.py list` of the networks that convc is measured against says of them.
  static let sizes = [
    ("lenet5", 61_706, 416_520),
    ("keypoints-net2", 8_051_502, 43_747_752),
    ("glioma", 5_097_598, 262_935_536),
    ("tinyvgg", 3_249_098, 154_866_688),
    ("resnet18-cifar", 11_173_962, 555_422_720),
    ("unet", 1_926_466, 2_295_857_152),
    ("resnet50", 25_557_032, 4_089_184_256),
    ("vgg16", 138_357_544, 15_470_264_320),
    ("mobilenetv2", 3_504_872, 300_774_272),
  ]

  @Test("parameters and multiply-adds of an image", arguments: sizes)
  func counts(name: String, parameters: Int, multiplyAdds: Int) throws {
    let preset = try #require(Preset.named(name))
    let graph = try InferShapes(batch: 1, memoryLimit: 16 << 30).run(preset.make())
    #expect(graph.trainableCount == parameters)
    let work = graph.nodes.map { $0.layer.multiplyAdds(for: graph.inputTypes(of: $0)) }
    #expect(work.reduce(0, +) == multiplyAdds)
  }

  @Test("a U-Net refuses images whose halves do not fit together again")
  func odd() {
    let error = #expect(throws: CompileError.self) {
      try InferShapes(batch: 1, memoryLimit: 1 << 30).run(UNet.model(size: 20))
    }
    #expect(error.map { "\($0)" }?.contains("concat1") == true)
  }
}

/// One pass of each preset, compiled for this machine, against PyTorch in double precision.
@Suite("Agreement of presets with PyTorch", .serialized)
struct PresetAgreementTests {
  /// Share of the largest value by which values may differ.
  static let tolerance = 1e-4

  @Test("output, loss, gradients and running statistics", arguments: try PresetFixture.all())
  func agree(fixture: PresetFixture) async throws {
    let compilation = try fixture.model().compile(
      BuildOptions(batch: fixture.batch, target: .native))
    let graph = compilation.graph
    var options = compilation.libraryOptions
    options.extraFlags = ["-O1"]
    let session = try Session(try await compilation.load(options: options))
    let file = try fixture.tensors()
    try session.setParameterBlock(try fixture.parameters(of: graph, file))
    let sample = try fixture.sample(for: graph, file)
    let inputs = sample.inputs.map { Program.Values.float32($0) }

    let inferred = try session.forward(inputs: inputs, batch: fixture.batch)[0].floats
    let output = Comparison(inferred, try file["inferred"].values)
    #expect(output.isWithin(Self.tolerance), "inferred: \(output)")

    let targets = sample.targets.map { target -> Program.Values in
      switch target {
      case .labels(let labels): .int32(labels)
      case .values(let values): .float32(values)
      }
    }
    let losses = try session.gradients(inputs: inputs, targets: targets, batch: fixture.batch)
    let loss = Comparison(losses, try file["loss"].values)
    #expect(loss.isWithin(Self.tolerance), "loss: \(loss)")

    let results = try session.withGradients { gradients in
      try session.withParameters { parameters in
        try graph.parameters.map { parameter in
          let block = parameter.kind == .trainable ? gradients : parameters
          let part = block[parameter.offset..<parameter.offset + parameter.spec.count]
          return Result(
            parameter, PresetFixture.Summary(of: UnsafeBufferPointer(rebasing: part)),
            try PresetFixture.summary(parameter.name, in: file))
        }
      }
    }
    // A gradient that is zero but for rounding is measured by the others.
    let floor = 1e-3 * (results.filter(\.isGradient).map(\.expected.largest).max() ?? 0)
    let wrong = results.filter { !($0.difference(floor: floor) <= Self.tolerance) }
    for result in wrong.prefix(5) {
      Issue.record("\(result.name) differs by \(result.difference(floor: floor)): \(result)")
    }
    #expect(wrong.count <= 5, "\(wrong.count) of \(results.count) tensors differ")
  }

  /// What a pass gave for a parameter, beside what PyTorch gives.
  private struct Result: CustomStringConvertible {
    let name: String
    let isGradient: Bool
    let found: PresetFixture.Summary
    let expected: PresetFixture.Summary

    init(_ parameter: Parameter, _ found: PresetFixture.Summary, _ expected: PresetFixture.Summary)
    {
      name = parameter.name
      isGradient = parameter.kind == .trainable
      self.found = found
      self.expected = expected
    }

    var description: String { "\(found), expected \(expected)" }

    /// The largest difference, as a share of the largest element; that of the norms, of the norm.
    func difference(floor: Double) -> Double {
      let largest = max(expected.largest, isGradient ? floor : 0)
      var worst = (found.norm - expected.norm).magnitude / max(expected.norm, largest)
      let pairs = zip([found.largest] + found.elements, [expected.largest] + expected.elements)
      for (value, reference) in pairs {
        let gap = (value - reference).magnitude / largest
        // A NaN stays.
        if !(gap <= worst) { worst = gap }
      }
      return worst
    }
  }
}
