import Convc
import Testing

/// Trained networks get another last layer, a loss and frozen layers.
@Suite("Fine-tuning")
struct FineTuningTests {
  /// Features, a dense layer whose bias is added behind it as ONNX files have it, and a softmax.
  private var imported: Model {
    let graph = ModelBuilder(name: "net")
    let image = graph.input("image", [2, 4, 4])
    let features = graph.apply(
      GlobalAveragePool(),
      to: [
        graph.apply(
          ReLU(), to: [graph.apply(Conv2D(outputChannels: 3, kernelSize: 3), to: [image])])
      ])
    let scores = graph.apply(
      Dense(outputs: 4, bias: false), to: [graph.apply(Flatten(), to: [features])], name: "fc")
    let sums = graph.apply(Arithmetic(.add, constants: [4]), to: [scores], name: "plus")
    graph.output("y", graph.apply(Softmax(axis: 1), to: [sums], name: "softmax"))
    var model = graph.model
    model.values = [
      "conv1.bias": GivenValues([1, 2, 3]), "fc.weight": GivenValues((0..<12).map(Float.init)),
      "plus.value": GivenValues([1, 2, 3, 4]),
    ]
    return model
  }

  private func graph(_ model: Model) throws -> Graph {
    try InferShapes(batch: 2, memoryLimit: 1 << 30).run(model)
  }

  private func message(_ body: () throws -> Model) -> String? {
    do {
      _ = try body()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test("another last layer takes the place of the old one, its bias and its weights")
  func head() throws {
    let model = try imported.replacingHead(outputs: 5)
    let graph = try graph(model)
    #expect(model.nodes.map(\.name) == ["conv1", "relu1", "gap1", "flatten1", "fc", "softmax"])
    #expect(graph.outputs.map { graph[$0.tensor].type.shape } == [[2, 5]])
    #expect(
      graph.parameters.map { "\($0.name) \($0.spec.shape)" } == [
        "conv1.weight [3, 2, 3, 3]", "conv1.bias [3]", "fc.weight [5, 3]", "fc.bias [5]",
      ])
    #expect(model.values.keys.sorted() == ["conv1.bias"])
    let (first, again) = (
      try Initialization(seed: 1).parameters(of: graph),
      try Initialization(seed: 1).parameters(of: graph)
    )
    #expect(first == again)
    #expect(try Initialization(seed: 2).parameters(of: graph) != first)
  }

  @Test("a convolution is found behind pooling")
  func convolutionalHead() throws {
    let graph = ModelBuilder(name: "squeeze")
    let image = graph.input("image", [2, 4, 4])
    let maps = graph.apply(Conv2D(outputChannels: 7, kernelSize: 1), to: [image], name: "conv10")
    let mean = graph.apply(GlobalAveragePool(), to: [graph.apply(ReLU(), to: [maps])])
    let flat = graph.apply(Reshape([7]), to: [mean])
    graph.output("y", graph.apply(Softmax(axis: 1), to: [flat]))
    let model = try graph.model.replacingHead(outputs: 3).judgingClasses()
    let shapes = try self.graph(model)
    #expect(shapes.targets[0].labels?.classes == 3)
    #expect(model.nodes.map(\.name) == ["conv10", "relu1", "gap1", "reshape1"])
  }

  @Test("a softmax at the end is taken off for the loss, and scores of one pixel are flattened")
  func judged() throws {
    let model = try imported.judgingClasses()
    #expect(model.outputs[0].node == "plus")
    #expect(model.losses.map(\.target) == ["target"])
    #expect(try graph(model).targets[0].labels?.classes == 4)
    #expect(try model.judgingClasses().losses.count == 1)
    let builder = ModelBuilder(name: "maps")
    let image = builder.input("image", [2, 3, 3])
    builder.output("y", builder.apply(Conv2D(outputChannels: 2, kernelSize: 3), to: [image]))
    let flat = try builder.model.judgingClasses()
    #expect(try graph(flat).outputs.map { $0.tensor.index } == [2])
    #expect(flat.nodes.map(\.name) == ["conv1", "flatten1"])
  }

  @Test(
    "another loss takes the place of the only one, and keeps its name, output, target and weight")
  func otherLoss() throws {
    let model = try LeNet5.model().judging(by: MultiClassHinge(margin: 2))
    #expect(model.losses.map(\.name) == ["loss_output"])
    #expect(model.losses.map(\.target) == ["target"])
    #expect(model.losses.map(\.loss.summary) == ["margin 2.0"])
    let squared = try model.judging(by: MeanSquaredError())
    #expect(try graph(squared).targets.map(\.type.shape) == [[2, 10]])
  }

  @Test(
    "without a loss, one is put on the only output, behind the softmax that it asks for or before it"
  )
  func firstLoss() throws {
    let shares = try imported.judging(by: MeanSquaredError())
    #expect(shares.outputs.map(\.node) == imported.outputs.map(\.node))
    #expect(try imported.judging(by: MultiClassHinge()).outputs[0].node == "plus")
    #expect(
      try imported.judging(by: CategoricalCrossEntropy(form: .probabilities)).outputs[0].node
        == imported.outputs[0].node)
    let builder = ModelBuilder(name: "two")
    let image = builder.input("image", [2, 3, 3])
    let maps = builder.apply(Conv2D(outputChannels: 2, kernelSize: 3), to: [image])
    builder.output("y", maps)
    builder.output("z", image)
    #expect(
      message { try builder.model.judging(by: Huber()) }
        == "two: has the outputs y, z, expected one to judge; add the losses in a model file")
    for output in ["y", "z"] {
      builder.loss(MeanSquaredError(), on: output, target: "\(output)_target", name: "of_\(output)")
    }
    #expect(
      message { try builder.model.judging(by: Huber()) }
        == "two: has the losses of_y, of_z, of which one alone cannot be replaced; change them in its model file"
    )
  }

  @Test("layers are frozen by name, up to one, or all but the last")
  func frozen() throws {
    func trained(_ freezing: Freezing) throws -> [String] {
      try graph(imported.freezing(freezing)).parameters.filter { $0.kind == .trainable }.map(\.name)
    }
    #expect(try trained(.none) == ["conv1.weight", "conv1.bias", "fc.weight"])
    #expect(try trained(.allButHead) == ["fc.weight"])
    #expect(try trained(.until("relu1")) == ["fc.weight"])
    #expect(try trained(.layers(["f*"])) == ["conv1.weight", "conv1.bias"])
    #expect(try trained(.layers(["relu*", "*1"])) == ["fc.weight"])
  }

  @Test("what cannot be done is said in one line")
  func refused() throws {
    #expect(
      message { try imported.freezing(.until("conf1")) }
        == "net: has no layer 'conf1' to freeze; did you mean 'conv1'? 'convc inspect' lists its layers"
    )
    #expect(
      message { try imported.freezing(.layers(["conv1", "x*"])) }?.contains("no layer 'x*'") == true
    )
    #expect(
      message { try imported.replacingHead(outputs: 0) }
        == "net: cannot have a last layer of 0 outputs; 1 is the least")
    let builder = ModelBuilder(name: "sum")
    let image = builder.input("image", [2, 3, 3])
    let conv = builder.apply(Conv2D(outputChannels: 2, kernelSize: 1), to: [image])
    builder.output("y", builder.apply(Add(), to: [conv, image], name: "sum1"))
    let sum = builder.model
    #expect(
      message { try sum.replacingHead(outputs: 3) }
        == "sum1: stands where the last layer is looked for; a dense or convolutional one is expected, and behind it "
        + "layers without weights")
    builder.output("z", conv)
    #expect(
      message { try builder.model.judgingClasses() }
        == "sum: has the outputs y, z, expected one to judge; add the losses in a model file"
    )
    #expect(
      message { try imported.replacingHead(outputs: 1).judgingClasses() }
        == "fc: gives 1 an image, expected the scores of at least two classes; replace the last layer (--head)"
    )
  }

  @Test(
    "operators without a gradient are fine before all that is trained, and else refused by name")
  func withoutGradient() throws {
    let graph = ModelBuilder(name: "net")
    let image = graph.input("image", [2, 4, 4])
    let conv = graph.apply(Conv2D(outputChannels: 3, kernelSize: 3), to: [image], name: "first")
    let floor = graph.apply(Elementary(.floor), to: [conv], name: "steps")
    let flat = graph.apply(Flatten(), to: [floor])
    graph.output("y", graph.apply(Dense(outputs: 4), to: [flat], name: "fc"))
    let model = try graph.model.judgingClasses()
    let options = BuildOptions(batch: 2, target: .generic)
    #expect(
      message { try model.compile(options).stages.model }
        == "steps: Elementary floor has no gradient, and layers before it are to be trained; freeze those "
        + "(--freeze until:steps)")
    _ = try model.freezing(.until("steps")).compile(options)
    _ = try model.freezing(.allButHead).compile(options)
  }
}
