import Convc
import ConvcTestSupport
import Foundation
import Testing

/// Every shape and count that the founding lectures print, with the row of their list.
@Suite("Numbers of the lectures")
struct LectureTests {
  /// The graph of a network for one image.
  private func graph(_ model: Model) throws -> Graph {
    try InferShapes(batch: 1, memoryLimit: 16 << 30).run(model)
  }

  /// Heights of the maps after each layer that changes them.
  private func heights(_ model: Model) throws -> [Int] {
    let graph = try graph(model)
    var heights = [graph[graph.inputs[0]].type.maps.h]
    for node in graph.nodes where graph[node.output].type.shape.count == 4 {
      let height = graph[node.output].type.maps.h
      if height != heights.last { heights.append(height) }
    }
    return heights
  }

  private func compiled(_ model: Model, _ parameters: [Float], _ inputs: [Float], batch: Int)
    async throws -> [Float]
  {
    let session = try Session(
      try await model.compile(BuildOptions(batch: batch, trains: false)).load())
    try session.setParameterBlock(parameters)
    return try session.forward(inputs: [.float32(inputs)], batch: batch)[0].floats
  }

  // MARK: Parameters

  @Test(
    "F3, N1, N3: a dense layer has inputs times outputs weights, and a bias for each output",
    arguments: [
      ([1, 28, 28], 10, 7_850), ([1, 256, 256], 10, 655_370), ([3, 24, 24], 1, 1_729),
      ([3, 32, 32], 10, 30_730), ([1, 2, 2], 3, 15),
    ])
  func linear(input: [Int], outputs: Int, parameters: Int) throws {
    #expect(try graph(Linear.model(input: input, outputs: outputs)).parameterCount == parameters)
  }

  @Test("F4, N4: networks of sigmoids of 3-4-2 and 3-4-4-1 units have 26 and 41 parameters")
  func denseNets() throws {
    #expect(try graph(DenseNets.twoLayers()).parameterCount == 26)
    #expect(try graph(DenseNets.threeLayers()).parameterCount == 41)
  }

  @Test("N20: keypoints-net1 has 9216 inputs, 100 hidden units, 30 outputs: 924,730 parameters")
  func keypointsNet1() throws {
    let graph = try graph(KeypointsNet1.model())
    #expect(graph[graph.inputs[0]].type.count == 9216)
    #expect(graph.parameterCount == 924_730)
  }

  @Test("G14, F9: two 3x3 kernels have 18 weights, one 5x5 has 25, and all see 5x5 pixels")
  func receptiveField() throws {
    let two = Model("two", input: [1, 9, 9]) {
      Conv2D(outputChannels: 1, kernelSize: 3, bias: false)
      Conv2D(outputChannels: 1, kernelSize: 3, bias: false)
    }
    let one = Model("one", input: [1, 9, 9]) {
      Conv2D(outputChannels: 1, kernelSize: 5, bias: false)
    }
    #expect(try graph(two).parameterCount == 18)
    #expect(try graph(one).parameterCount == 25)
    #expect(try heights(two).last == 5)
    #expect(try heights(one).last == 5)
  }

  // MARK: Shapes

  @Test("N8, F8, E2: the glioma chain, whose last pooling floors 8.5 to 8")
  func glioma() throws {
    #expect(
      try heights(Glioma.model()) == [96, 94, 92, 46, 44, 42, 21, 19, 17, 8])
    let graph = try graph(Glioma.model())
    let flat = try #require(graph.nodes.first { $0.name == "flatten1" })
    #expect(graph[flat.output].type.shape == [1, 8192])
    let pool = try #require(graph.nodes.first { $0.name == "pool3" })
    #expect(
      pool.layer.lostPixels(for: graph.inputTypes(of: pool)) == LostPixels(rows: 1, columns: 1))
  }

  @Test("N21: the maps of keypoints-net2")
  func keypointsNet2() throws {
    #expect(try heights(KeypointsNet2.model()) == [96, 94, 47, 46, 23, 22, 11])
  }

  @Test("N16: six 5x5 filters over 32x32x3 give 28x28x6")
  func stack() throws {
    let graph = try graph(
      Model("stack", input: [3, 32, 32]) {
        Conv2D(outputChannels: 6, kernelSize: 5)
        ReLU()
        Conv2D(outputChannels: 10, kernelSize: 5)
      })
    #expect(graph[graph.nodes[0].output].type.shape == [1, 6, 28, 28])
    #expect(graph[graph.nodes[2].output].type.shape == [1, 10, 24, 24])
  }

  @Test("N15: the CIFAR-10 example keeps 32, then 16 and 8 by a row and column at the end")
  func cifar() throws {
    #expect(try heights(CIFARLRN.model()) == [32, 16, 8, 4])
  }

  @Test("N13: the two paths of a 33x33 patch meet at 21x21, 224 maps")
  func twoPath() throws {
    let graph = try graph(TwoPath.model())
    let joined = try #require(graph.nodes.first { $0.name == "concat1" })
    #expect(graph[joined.output].type.shape == [1, 224, 21, 21])
    #expect(graph[graph.outputs[0].tensor].type.shape == [1, 5, 1, 1])
    let cascade = try self.graph(TwoPath.model(size: 40, cascades: true))
    #expect(cascade.inputs.map { cascade[$0].name } == ["image", "scores"])
    #expect(cascade[cascade.outputs[0].tensor].type.shape == [1, 5, 8, 8])
  }

  @Test("N18: AlexNet's maps, and 60,965,224 parameters")
  func alexNet() throws {
    #expect(try heights(AlexNet.model()) == [227, 55, 27, 13, 6])
    #expect(try graph(AlexNet.model()).parameterCount == 60_965_224)
  }

  @Test("N10: dense layers as convolutions: 96, 256, 384, 384, 256, 4096, 4096 and 2 maps")
  func fcnAlexNet() throws {
    let graph = try graph(FCNAlexNet.model())
    let maps = graph.nodes.filter { $0.name.hasPrefix("conv") }
      .map { graph[$0.output].type.maps.c }
    #expect(maps == [96, 256, 384, 384, 256, 4096, 4096, 2])
    #expect(graph[graph.outputs[0].tensor].type.shape == [1, 2, 224, 224])
  }

  @Test("N11: fifteen convolutions, and a class for each pixel")
  func fcn15() throws {
    let graph = try graph(FCN15.model())
    #expect(graph.nodes.filter { $0.name.hasPrefix("conv") }.count == 15)
    #expect(graph[graph.outputs[0].tensor].type.shape == [1, 2, 128, 128])
  }

  @Test("N12: the decoder unpools with the switches of the encoder's levels")
  func segNet() throws {
    #expect(try heights(SegNet.model()) == [128, 64, 32, 16, 8, 4, 8, 16, 32, 64, 128])
    let graph = try graph(SegNet.model())
    #expect(graph[graph.outputs[0].tensor].type.shape == [1, 2, 128, 128])
    #expect(graph.nodes.filter { $0.name.hasPrefix("conv") }.count == 26)
  }

  @Test("N2, N7: one output with a sigmoid for two classes, scores for more")
  func classes() throws {
    #expect(try graph(Logistic.model()).parameterCount == 3)
    let two = try graph(TwoStageCNN.model(classes: 1))
    #expect(two[two.outputs[0].tensor].type.shape == [1, 1])
    let many = try graph(TwoStageCNN.model(classes: 4))
    #expect(many[many.outputs[0].tensor].type.shape == [1, 4])
  }

  @Test(
    "N6, F5: 15 weights dense, 9 of each neuron's own, 3 shared, 6 in two sets; 450 or 3 of 150")
  func sequences() throws {
    let input = TensorType(shape: [1, 1, 5])
    func count(_ layer: any Layer, _ input: TensorType) -> Int {
      layer.parameters(for: [input]).reduce(0) { $0 + $1.count }
    }
    #expect(count(Dense(outputs: 3, bias: false), TensorType(shape: [1, 5])) == 15)
    #expect(count(Conv1D(outputChannels: 1, kernelSize: 3, bias: false), input) == 3)
    #expect(try graph(Sequence.model()).parameterCount == 3)
    #expect(try graph(Sequence.model(filters: 2)).parameterCount == 6)
    #expect(
      count(
        LocallyConnected1D(outputChannels: 1, kernelSize: 3, bias: false), input) == 9)
    let long = TensorType(shape: [1, 1, 152])
    #expect(
      count(LocallyConnected1D(outputChannels: 1, kernelSize: 3, bias: false), long) == 450)
  }

  @Test("ResNet-20's shortcuts have no parameters")
  func resNet20() throws {
    let graph = try graph(ResNet.cifar20())
    #expect(graph.trainableCount == 269_722)
    #expect(graph[graph.outputs[0].tensor].type.shape == [1, 10])
  }

  @Test("N25: pooling 224x224x64 gives 112x112x64")
  func pooling() throws {
    let output = try MaxPool2D(kernelSize: 2).output(
      for: [TensorType(shape: [1, 64, 224, 224])])
    #expect(output.shape == [1, 64, 112, 112])
  }

  @Test(
    "F10, G6, G7: 5x5 pixels with 3x3 and padding 1, 5x5 and padding 2, 3x3 without padding",
    arguments: [(3, 1, 5), (5, 2, 5), (3, 0, 3)])
  func padding(kernel: Int, padding: Int, size: Int) throws {
    let conv = Conv2D(
      outputChannels: 1, kernelSize: Size2D(kernel), padding: Padding(padding))
    let output = try conv.output(for: [TensorType(shape: [1, 1, 5, 5])])
    #expect(output.shape == [1, 1, size, size])
  }

  @Test("F7: 3x3 windows with stride 2 over 32 pixels: 15, or 16 with one row and column more")
  func asymmetricPooling() throws {
    let input = [TensorType(shape: [1, 32, 32, 32])]
    let plain = MaxPool2D(kernelSize: 3, stride: 2)
    #expect(try plain.output(for: input).shape == [1, 32, 15, 15])
    let padded = MaxPool2D(
      kernelSize: 3, stride: 2, padding: Padding(top: 0, bottom: 1, left: 0, right: 1))
    #expect(try padded.output(for: input).shape == [1, 32, 16, 16])
  }

  // MARK: Values

  @Test("F1, E1: a logistic neuron; the slide's second value left out the bias")
  func neuron() async throws {
    let model = Model("neuron", input: [2]) {
      Dense(outputs: 1)
      Sigmoid()
    }
    let y = try await compiled(model, [-3.6, 0.5, 2.0], [-2.1, 3.0, 0.4, -1.0], batch: 2)
    #expect(abs(y[0] - 0.99999) < 1e-4)
    #expect(abs(y[1] - 0.515) < 1e-3)
  }

  @Test("F2: maximum and average of 2x2 windows")
  func windows() async throws {
    let block: [Float] = [29, 15, 28, 184, 0, 100, 70, 38, 12, 12, 7, 2, 12, 12, 45, 6]
    let maximum = Model("maximum", input: [1, 4, 4]) { MaxPool2D(kernelSize: 2) }
    #expect(try await compiled(maximum, [], block, batch: 1) == [100, 184, 12, 45])
    let average = Model("average", input: [1, 4, 4]) { AveragePool2D(kernelSize: 2) }
    #expect(try await compiled(average, [], block, batch: 1) == [36, 80, 12, 15])
  }

  @Test("F11: four samples are one batch")
  func batch() async throws {
    let model = Model("batch", input: [1]) { Sigmoid() }
    let x = [0.89, 0.2, 0.125, 0.99].map { Float(log($0 / (1 - $0))) }
    let y = try await compiled(model, [], x, batch: 4)
    #expect(zip(y, [0.89, 0.2, 0.125, 0.99] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("F12: the chain rule on f = u², u = 2v, v = 1/x: f' = -8/x³")
  func chainRule() async throws {
    let model = Model("chain", input: [1], loss: try CustomLoss(formula: "pow(2 * (1 / p), 2) - t"))
    {
      PositionBias()
    }
    let session = try Session(try await model.compile(BuildOptions(batch: 1)).load())
    try session.setParameterBlock([0])
    for x: Float in [2, -1, 0.5] {
      let losses = try session.gradients(
        inputs: [.float32([x])], targets: [.float32([0])], batch: 1)
      let slope = session.withGradients { $0[0] }
      #expect(abs(losses[0] - 4 / (x * x)) < 1e-5 * losses[0])
      #expect(abs(slope + 8 / (x * x * x)) < 1e-5 * abs(slope))
    }
  }
}
