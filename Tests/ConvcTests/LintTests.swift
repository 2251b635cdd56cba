import Convc
import Testing

/// What is allowed but seldom meant is told, with the way out.
@Suite("Lints")
struct LintTests {
  /// The findings for a list of layers, without the lines of this file.
  private func findings(
    _ input: [Int], batch: Int = 8, trains: Bool = true,
    loss: any Loss = SoftmaxCrossEntropy(), @LayerListBuilder _ layers: () -> [LayerEntry]
  ) throws -> [String] {
    try findings(
      Model("net", input: input, loss: loss, layers: layers), batch: batch, trains: trains)
  }

  private func findings(
    _ model: Model, batch: Int = 8, trains: Bool = true
  ) throws -> [String] {
    try model.lint(BuildOptions(batch: batch, trains: trains, target: .generic))
      .map { "\($0.layer): \($0.message)" }
  }

  @Test("an ordinary network gets none")
  func ordinary() throws {
    let found = try findings([3, 9, 9]) {
      Conv2D(outputChannels: 4, kernelSize: 3, padding: .same, bias: false)
      BatchNorm2D()
      ReLU()
      MaxPool2D(kernelSize: 2)
      Flatten()
      Dense(outputs: 8)
      Tanh()
      Dropout(rate: 0.5)
      Dense(outputs: 3)
    }
    #expect(found == [])
  }

  @Test(
    "no preset gets one, but for sigmoids that the lectures draw, and a dense layer of 6x6 maps as a convolution",
    arguments: Preset.all.map(\.name))
  func presets(name: String) throws {
    let preset = try #require(Preset.named(name))
    let found = try findings(preset.make(preset.input, preset.classes))
      .filter { name != "fcn-alexnet" || !$0.hasPrefix("conv6: has a window of 6x6") }
    let sigmoids = found.filter { $0.contains("stands between layers") }
    #expect(found == sigmoids)
    #expect(sigmoids.isEmpty != ["two-layer", "three-layer"].contains(name))
  }

  @Test("a finding names layer, line and way out")
  func location() throws {
    let line = #line + 3
    let model = Model("net", input: [4], loss: SoftmaxCrossEntropy()) {
      Dense(outputs: 5)
      Dense(outputs: 3)
    }
    let found = try model.lint(BuildOptions(batch: 2))
    #expect(found.count == 1)
    #expect(
      found.first?.description
        == "dense2 (ConvcTests/LintTests.swift:\(line)): follows dense1 without an activation "
        + "between: together they are one linear map; put ReLU() between them, or leave dense1 out")
    #expect(try model.compile(BuildOptions(batch: 2, target: .generic)).warnings == found)
  }

  @Test("two linear layers in a row, reshaped or not")
  func linearPair() throws {
    let convolutions = try findings([2, 6, 6]) {
      Conv2D(outputChannels: 3, kernelSize: 3)
      Conv2D(outputChannels: 3, kernelSize: 3)
      Flatten()
      Dense(outputs: 3)
    }
    #expect(
      convolutions.map { $0.prefix(22) } == ["conv2: follows conv1 w", "dense1: follows conv2 "])
  }

  @Test("no pair: an activation, batch norm, another reader or groups between")
  func noPair() throws {
    let model = Model("net") { graph in
      let image = graph.input("image", [4, 6, 6])
      let shared = image.conv2d(4, kernelSize: 1)
      let depthwise = shared.conv2d(4, kernelSize: 3, groups: 4)
      let normal = depthwise.conv2d(4, kernelSize: 1, bias: false).batchNorm()
      graph.output("a", normal.conv2d(2, kernelSize: 1).flatten())
      graph.output("b", shared.flatten())
      graph.loss(MeanSquaredError(), on: "a", target: "a")
      graph.loss(MeanSquaredError(), on: "b", target: "b")
    }
    #expect(try findings(model) == [])
  }

  @Test("a stride beyond the window, unless another layer reads the pixels between")
  func skippedPixels() throws {
    let alone = try findings([1, 9, 9]) {
      Conv2D(outputChannels: 2, kernelSize: 2, stride: Size2D(height: 3, width: 2))
      ReLU()
      Flatten()
      Dense(outputs: 3)
    }
    #expect(
      alone == [
        "conv1: skips pixels: its windows of 2x2 cells move by 3x2, and what lies between them is "
          + "never read; use a stride of at most the window"
      ])
    let shortcut = Model("net") { graph in
      let image = graph.input("image", [2, 8, 8])
      let body = image.conv2d(4, kernelSize: 3, stride: 2, padding: 1).relu()
      let sum = body.add(image.conv2d(4, kernelSize: 1, stride: 2))
      graph.output("output", sum.relu().flatten().dense(3))
      graph.loss(SoftmaxCrossEntropy(), on: "output", target: "label")
    }
    #expect(try findings(shortcut) == [])
  }

  @Test("weights that all start equal, if they are trained")
  func equalWeights() throws {
    @LayerListBuilder func layers(frozen: Bool) -> [LayerEntry] {
      if frozen {
        Dense(outputs: 4, initializer: .zero).frozen()
      } else {
        Dense(outputs: 4, initializer: .zero)
      }
      ReLU()
      Dense(outputs: 3)
    }
    #expect(
      try findings([5]) { layers(frozen: false) } == [
        "dense1: starts with 0.0 in its whole weight: every unit computes the same and gets the "
          + "same update; use .heNormal or .glorotUniform, or load trained values"
      ])
    #expect(try findings([5]) { layers(frozen: true) } == [])
    #expect(try findings([5], trains: false) { layers(frozen: false) } == [])
  }

  @Test("equal weights stay equal: each hidden unit of such a network is trained alike")
  func symmetry() async throws {
    let model = Model("net", input: [4], loss: SoftmaxCrossEntropy()) {
      Dense(outputs: 3, initializer: .constant(0.1)).named("hidden")
      ReLU()
      Dense(outputs: 2, initializer: .constant(0.2)).named("last")
    }
    let training = try await Training(model, BuildOptions(batch: 8, target: .generic))
    let parameters = try training.parameters(afterSteps: 5, batch: 8, threads: 1)
    let start = try Initialization(seed: 1).parameters(of: training.graph)
    #expect(parameters.prefix(12) != start.prefix(12))
    #expect(parameters[0..<4] == parameters[4..<8] && parameters[4..<8] == parameters[8..<12])
  }

  @Test("weights so large that sigmoid and tanh are flat from the start")
  func saturation() throws {
    #expect(
      try findings([784]) {
        Dense(outputs: 10, initializer: .standardNormal)
        Tanh()
        Dense(outputs: 3)
      } == [
        "tanh1: saturates from the start: dense1 begins with normal, deviation 1.0, so sums of its "
          + "784 inputs have a deviation of about 28; use .glorotUniform"
      ])
    for initializer: Initializer in [.lecunNormal, .glorotNormal, .heUniform] {
      #expect(
        try findings([784]) {
          Dense(outputs: 10, initializer: initializer)
          Tanh()
          Dense(outputs: 3)
        } == [])
    }
  }

  @Test("a sigmoid between layers, not at an output")
  func middleSigmoid() throws {
    #expect(
      try findings([5], loss: MeanSquaredError()) {
        Dense(outputs: 4)
        Sigmoid()
        Dense(outputs: 1)
        Sigmoid()
      } == [
        "sigmoid1: stands between layers, where its slope of at most 1/4 makes gradients small; "
          + "use ReLU(), and a sigmoid at an output of two classes alone"
      ])
  }

  @Test("dropout right before the output")
  func lastNoise() throws {
    @LayerListBuilder func layers(_ rate: Double) -> [LayerEntry] {
      Dense(outputs: 3)
      Dropout(rate: rate)
    }
    #expect(
      try findings([5]) { layers(0.5) } == [
        "dropout1: is the last layer before the output output, whose values it makes random in "
          + "training; put it before the last layer with weights"
      ])
    #expect(try findings([5]) { layers(0) } == [])
  }

  @Test("a bias that batch norm takes away")
  func uselessBias() throws {
    let found = try findings([2, 5, 5]) {
      Conv2D(outputChannels: 3, kernelSize: 3)
      BatchNorm2D()
      ReLU()
      Flatten()
      Dense(outputs: 3)
    }
    #expect(
      found == [
        "bn1: takes the bias of conv1 away again, for it subtracts each channel's mean; "
          + "write bias: false there"
      ])
    let frozen = try findings([2, 5, 5]) {
      Conv2D(outputChannels: 3, kernelSize: 3)
      BatchNorm2D().frozen()
      ReLU()
      Flatten()
      Dense(outputs: 3)
    }
    #expect(frozen == [])
  }

  @Test("batch norm of single images, in training")
  func singleImage() throws {
    @LayerListBuilder var layers: [LayerEntry] {
      Conv2D(outputChannels: 3, kernelSize: 3, bias: false)
      BatchNorm2D()
      ReLU()
      Flatten()
      Dense(outputs: 3)
    }
    #expect(
      try findings([2, 5, 5], batch: 1) { layers } == [
        "bn1: takes mean and variance of a single image at a batch of 1; use a larger batch, or "
          + "freeze it"
      ])
    #expect(try findings([2, 5, 5], batch: 1, trains: false) { layers } == [])
  }

  @Test("a ReLU before a loss that takes any scores")
  func rectifiedScores() throws {
    for relu in [ReLU() as any Layer, ReLU6(), Softplus()] {
      let model = Model("net", input: [5], loss: SoftmaxCrossEntropy()) {
        Dense(outputs: 3)
        relu
      }
      let last = try #require(model.nodes.last).name
      #expect(
        try findings(model) == [
          "loss_output: judges scores that \(last) keeps from falling below 0; leave \(last) out"
        ])
    }
  }

  @Test("an even window with same padding, and where the extra cells go")
  func evenWindow() throws {
    let found = try findings([2, 6, 6]) {
      Conv2D(outputChannels: 3, kernelSize: 4, padding: .same)
      ReLU()
      MaxPool2D(kernelSize: Size2D(height: 3, width: 2), stride: 1, padding: .same)
      Flatten()
      Dense(outputs: 3)
    }
    let middle = "which has no middle: same padding puts one more"
    #expect(
      found == [
        "conv1: has a window of 4x4, \(middle) row at the bottom and column on the right; odd "
          + "sizes need none",
        "pool1: has a window of 3x2, \(middle) column on the right; odd sizes need none",
      ])
  }
}
