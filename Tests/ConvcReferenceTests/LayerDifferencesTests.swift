import ConvcIR
import ConvcLayers
import ConvcPasses
import ConvcTestSupport
import Testing

@testable import ConvcReference

@Suite("Gradient check by layers")
struct LayerDifferencesTests {
  /// A network, a batch, and a check that takes differences of layers alone.
  struct Fixture {
    let network: ReferenceNetwork
    let parameters: [Float]
    let sample: ReferenceSample
    var gradients: [Float]

    init(_ model: Model, batch: Int = 3) throws {
      let graph = try InferShapes(batch: batch, memoryLimit: 1 << 30).run(model)
      network = try ReferenceNetwork(graph)
      var random = RandomValues(seed: 7)
      parameters = random.parameters(of: graph)
      sample = random.sample(for: graph, batch: batch)
      gradients = network.train(parameters: parameters.map(Double.init), sample)
        .gradients.map(Float.init)
    }

    func report(budget: Double = 0) -> GradientReport {
      GradientCheck(budget: budget, threads: 2).run(
        network, parameters: parameters, sample, gradients: gradients)
    }

    /// The gradients with one element changed.
    func changed(_ parameter: String, at element: Int, by share: Float) throws -> Fixture {
      var fixture = self
      let table = network.graph.parameters
      let entry = try #require(table.first { $0.name == parameter })
      fixture.gradients[entry.offset + element] += share
      return fixture
    }
  }

  /// Layers whose parameters change one map each, of one axis or another, and some that change all.
  static func various() -> Model {
    Model("various", input: [3, 6, 5], loss: SoftmaxCrossEntropy()) {
      Conv2D(outputChannels: 4, kernelSize: 3, padding: 1)
      BatchNorm2D()
      PReLU()
      ConvTranspose2D(outputChannels: 4, kernelSize: 2, stride: 2)
      PReLU(isShared: true)
      MeanVarianceNorm()
      PositionBias()
      LocallyConnected2D(outputChannels: 2, kernelSize: 3)
      GroupNorm(groups: 1)
      Flatten()
      Dense(outputs: 5)
    }
  }

  @Test("right gradients agree, whichever way differences are taken")
  func right() throws {
    let fixture = try Fixture(Self.various())
    let (byLayer, whole) = (fixture.report(), fixture.report(budget: .infinity))
    #expect(byLayer.method == .byLayer && whole.method == .wholeNetwork)
    for report in [byLayer, whole] {
      #expect(report.agrees(within: 1e-5), "\(report)")
      #expect(report.tensors.allSatisfy { $0.checked > 0 })
    }
    #expect(byLayer.tensors.map(\.checked) == whole.tensors.map(\.checked))
  }

  @Test(
    "a wrong element is found and named, though others are moved with it",
    arguments: [
      ("conv1.weight", 29, [1, 0, 0, 2]), ("dense1.bias", 3, [3]), ("bn1.weight", 2, [2]),
      ("prelu1.slope", 1, [1]), ("convtranspose1.weight", 21, [1, 1, 0, 1]),
      ("prelu2.slope", 0, [0]),
    ])
  func wrong(parameter: String, element: Int, index: [Int]) throws {
    let fixture = try Fixture(Self.various())
    let entry = try #require(fixture.network.graph.parameters.first { $0.name == parameter })
    let own = fixture.gradients[entry.offset..<entry.offset + entry.spec.count]
    let largest = own.map(\.magnitude).max() ?? 0
    let report = try fixture.changed(parameter, at: element, by: largest / 50).report()
    #expect(!report.agrees())
    let worst = try #require(report.tensors.max { $0.difference < $1.difference })
    #expect(worst.name == parameter && worst.worst?.index == index, "\(report)")
    #expect(worst.difference > 1e-2)
  }

  @Test("a gradient that is wrong everywhere is found though only some elements are sampled")
  func everywhere() throws {
    var fixture = try Fixture(Self.various())
    let dense = try #require(
      fixture.network.graph.parameters.first { $0.name == "dense1.weight" })
    for place in dense.offset..<dense.offset + dense.spec.count { fixture.gradients[place] *= 1.01 }
    let report = fixture.report()
    #expect(report.tensors.first { $0.name == "dense1.weight" }?.checked == 64)
    #expect(report.worst(above: nil)?.name == "dense1.weight")
    #expect(!report.agrees())
  }

  @Test("gradients that are all too large are found along the direction, too")
  func reversePass() throws {
    // Differences by layer take the gradient behind a layer from the reverse pass; the direction does not.
    var fixture = try Fixture(Self.various())
    fixture.gradients = fixture.gradients.map { $0 * 1.01 }
    let direction = try #require(fixture.report().direction)
    #expect(direction.difference > 1e-4)
  }

  @Test("the penalty on weights is part of a layer's differences")
  func penalty() throws {
    let model = Model("penalty", input: [2, 4, 4], loss: SoftmaxCrossEntropy()) {
      Conv2D(outputChannels: 3, kernelSize: 3)
        .regularized(l1: 0.01, l2: 0.1)
      Flatten()
      Dense(outputs: 3)
    }
    let fixture = try Fixture(model)
    #expect(fixture.report().agrees(within: 1e-5), "\(fixture.report())")
    let weight = fixture.network.graph.parameters[0]
    let slope = try #require(weight.regularizer).slope(Double(fixture.parameters[weight.offset]))
    let without = try fixture.changed(weight.name, at: 0, by: -Float(slope)).report()
    #expect(without.worst(above: nil)?.worst?.index == [0, 0, 0, 0])
  }

  @Test("labels that the network finds least likely take the place of those drawn")
  func unlikelyLabels() throws {
    let fixture = try Fixture(Self.various())
    let sample = fixture.network.withUnlikelyLabels(fixture.sample, parameters: fixture.parameters)
    let scores = fixture.network.train(
      parameters: fixture.parameters.map(Double.init), fixture.sample
    ).outputs[0]
    for (image, label) in sample.targets[0].labels.enumerated() {
      let own = scores[image * 5..<image * 5 + 5]
      #expect(own[own.startIndex + Int(label)] == own.min())
    }
  }

  @Test("rounding moves a gradient that is a sum of large terms by their last bit")
  func rounding() throws {
    let model = Model("cancels", input: [2, 6, 6], loss: SoftmaxCrossEntropy()) {
      Conv2D(outputChannels: 3, kernelSize: 3)
      MeanVarianceNorm()
      Flatten()
      Dense(outputs: 4)
    }
    let fixture = try Fixture(model)
    let bias = fixture.network.graph.parameters[1]
    let range = bias.offset..<bias.offset + bias.spec.count
    let moved = fixture.network.rounding(
      parameters: fixture.parameters.map(Double.init), fixture.sample, options: PassOptions())
    let exact = fixture.network.train(
      parameters: fixture.parameters.map(Double.init), fixture.sample)
    // The normalisation takes the bias away: its exact gradient is nothing, and what is computed is noise.
    #expect(exact.gradients[range].allSatisfy { $0.magnitude < 1e-12 })
    #expect(moved.gradients[range].allSatisfy { $0 > 1e-11 && $0 < 1e-5 })
    #expect(moved.outputs[0].allSatisfy { $0 < 1e-5 })
  }
}
