import ConvcIR
import ConvcLayers
import ConvcPasses
import ConvcTestSupport
import Testing

@testable import ConvcReference

@Suite("Gradient check")
struct GradientCheckTests {
  /// A small network with its values and its true gradients.
  struct Fixture {
    let network: ReferenceNetwork
    let parameters: [Float]
    let sample: ReferenceSample
    var gradients: [Float]

    init(_ model: Model, batch: Int = 3, parameters: [Float]? = nil) throws {
      let graph = try InferShapes(batch: batch, memoryLimit: 1 << 30).run(model)
      network = try ReferenceNetwork(graph)
      var random = RandomValues(seed: 5)
      self.parameters = parameters ?? random.parameters(of: graph)
      sample = random.sample(for: graph, batch: batch)
      let result = network.train(parameters: self.parameters.map(Double.init), sample)
      gradients = result.gradients.map(Float.init)
    }

    func report() -> GradientReport {
      GradientCheck().run(network, parameters: parameters, sample, gradients: gradients)
    }
  }

  static func classifier() -> Model {
    Model("classifier", input: [2, 5, 5], loss: SoftmaxCrossEntropy()) {
      Conv2D(outputChannels: 3, kernelSize: 3)
      BatchNorm2D()
      ReLU()
      Flatten()
      Dense(outputs: 4)
    }
  }

  @Test("accepts right gradients: all of small tensors, 64 of larger ones, and a direction")
  func right() throws {
    let report = try Fixture(Self.classifier()).report()
    #expect(report.agrees(within: 1e-6), "\(report)")
    #expect(report.tensors.map(\.name).contains("conv1.weight"))
    #expect(report.tensors.map { $0.checked + $0.skipped } == [54, 3, 3, 3, 64, 4])
    #expect(report.direction != nil)
  }

  @Test("names the element that is wrong")
  func wrong() throws {
    var fixture = try Fixture(Self.classifier())
    let conv = fixture.network.graph.parameters[0]
    fixture.gradients[conv.offset + 2 * 18 + 9 + 5] += 0.01
    let report = fixture.report()
    #expect(!report.agrees())
    #expect(report.worst?.name == "conv1.weight")
    #expect(report.worst?.worst?.index == [2, 1, 1, 2])
    #expect("\(report)".contains("worst [2, 1, 1, 2] is "))
  }

  @Test("finds what samples miss along the random direction")
  func direction() throws {
    var fixture = try Fixture(Self.classifier())
    let dense = try #require(fixture.network.graph.parameters.first { $0.name == "dense1.weight" })
    for index in dense.offset..<dense.offset + dense.spec.count {
      fixture.gradients[index] *= 1.05
    }
    let direction = try #require(fixture.report().direction)
    #expect(direction.difference > 1e-3)
  }

  @Test("a gradient that is not a number never agrees")
  func notANumber() throws {
    var fixture = try Fixture(Self.classifier())
    fixture.gradients[1] = .nan
    let report = fixture.report()
    #expect(report.worst?.difference == .infinity)
    #expect(!report.agrees(within: 1e30))
  }

  @Test("compares every element with the reverse pass")
  func everyElement() throws {
    let fixture = try Fixture(Self.classifier())
    let graph = fixture.network.graph
    var expected = fixture.gradients.map(Double.init)
    let right = GradientReport.comparing(fixture.gradients, with: expected, of: graph)
    #expect(right.agrees(within: 0))
    #expect(right.tensors.map(\.checked) == right.tensors.map { $0.shape.reduce(1, *) })
    expected[graph.trainableCount - 1] += 1
    let wrong = GradientReport.comparing(fixture.gradients, with: expected, of: graph)
    #expect(wrong.worst?.worst?.index == [3])
  }

  @Test("skips and counts elements at a kink")
  func kinks() throws {
    // Weight and bias are zero: any step moves the ReLU's input off its kink.
    let model = Model("kink", input: [1], loss: MeanSquaredError()) {
      Dense(outputs: 1)
      ReLU()
    }
    let fixture = try Fixture(model, batch: 1, parameters: [0, 0])
    let report = fixture.report()
    #expect(report.tensors.map(\.skipped) == [1, 1])
    #expect(report.direction == nil)
    #expect(!report.agrees())
    #expect("\(report)".contains("0 of 1, 1 skipped at kinks"))
  }

  @Test("a shorter step stays on one side of a kink that is near")
  func shorterStep() throws {
    let model = Model("near", input: [1], loss: MeanSquaredError()) {
      Dense(outputs: 1)
      ReLU()
    }
    let fixture = try Fixture(model, batch: 1, parameters: [0, 5e-7])
    let bias = try #require(fixture.report().tensors.last)
    #expect(bias.skipped == 0)
    #expect(bias.difference < 1e-4)
  }

  @Test("a frozen layer's parameters are no part of the report")
  func frozen() throws {
    let model = Model("frozen", input: [1, 4, 4], loss: SoftmaxCrossEntropy()) {
      Conv2D(outputChannels: 2, kernelSize: 3).frozen()
      BatchNorm2D().frozen()
      Flatten()
      Dense(outputs: 2)
    }
    let report = try Fixture(model).report()
    #expect(report.tensors.map(\.name) == ["dense1.weight", "dense1.bias"])
    #expect(report.agrees(within: 1e-6), "\(report)")
  }
}
