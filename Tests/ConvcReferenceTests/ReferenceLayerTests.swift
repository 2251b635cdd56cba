import ConvcIR
import ConvcLayers
import ConvcPasses
import ConvcTestSupport
import Testing

@testable import ConvcReference

/// Results small enough to be worked out by hand.
@Suite("Reference layers")
struct ReferenceLayerTests {
  private func network(_ model: Model, batch: Int) throws -> ReferenceNetwork {
    try ReferenceNetwork(try InferShapes(batch: batch, memoryLimit: 1 << 30).run(model))
  }

  private func infer(
    _ input: [Int], _ values: [Float], parameters: [Double] = [], _ layer: any Layer
  ) throws -> [Double] {
    let batch = values.count / input.reduce(1, *)
    return try network(Model("one", input: input) { layer.named("it") }, batch: batch)
      .infer(parameters: parameters, ReferenceSample(batch: batch, inputs: [values]))[0]
  }

  @Test("a convolution does not flip its kernel")
  func convolution() throws {
    let y = try infer(
      [1, 2, 3], [1, 2, 3, 4, 5, 6], parameters: [1, 10, 0.5],
      Conv2D(outputChannels: 1, kernelSize: Size2D(height: 1, width: 2)))
    #expect(y == [21.5, 32.5, 54.5, 65.5])
  }

  @Test("ReLU lets NaN through")
  func relu() throws {
    let y = try infer([3], [-1, .nan, 2], ReLU())
    #expect(y[0] == 0 && y[1].isNaN && y[2] == 2)
  }

  @Test("the gradient of a tie goes to the first cell; that of a ReLU at zero is zero")
  func ties() throws {
    let model = Model("tie", input: [1, 2, 2], loss: MeanSquaredError()) {
      Conv2D(
        outputChannels: 1, kernelSize: 2, padding: Padding(top: 0, bottom: 1, left: 0, right: 1))
      MaxPool2D(kernelSize: 2)
      Flatten()
    }
    // Weight [1, 0, 0, 0] and bias 0 copy the map, whose first and last cell are the largest.
    let sample = ReferenceSample(
      batch: 1, inputs: [[3, 1, 2, 3]], targets: [.values([0])])
    let result = try network(model, batch: 1).train(parameters: [1, 0, 0, 0, 0], sample)
    #expect(result.gradients == [18, 6, 12, 18, 6])

    let flat = Model("zero", input: [1], loss: MeanSquaredError()) {
      Dense(outputs: 1)
      ReLU()
    }
    let zero = ReferenceSample(batch: 1, inputs: [[1]], targets: [.values([5])])
    #expect(try network(flat, batch: 1).train(parameters: [0, 0], zero).gradients == [0, 0])
  }

  @Test("padding never wins a maximum; NaN does")
  func maximum() throws {
    let layer = MaxPool2D(kernelSize: 2, stride: 1, padding: 1)
    let y = try infer([1, 1, 2], [-5, -3], layer)
    #expect(y == [-5, -3, -3, -5, -3, -3])
    #expect(try infer([1, 2, 2], [1, .nan, 2, 3], MaxPool2D(kernelSize: 2))[0].isNaN)
  }

  @Test("an average counts padding or not, and never what hangs over it")
  func average() throws {
    let values: [Float] = [6, 12, 18]
    let across = Size2D(height: 1, width: 2)
    let padding = Padding(top: 0, bottom: 0, left: 1, right: 0)
    func pooled(_ countsPadding: Bool) throws -> [Double] {
      try infer(
        [1, 1, 3], values,
        AveragePool2D(
          kernelSize: across, stride: 2, padding: padding, rounding: .ceil,
          countsPadding: countsPadding))
    }
    #expect(try pooled(true) == [3, 15])
    #expect(try pooled(false) == [6, 15])
    let hanging = AveragePool2D(kernelSize: across, stride: 2, rounding: .ceil)
    #expect(try infer([1, 1, 3], values, hanging) == [9, 18])
  }

  @Test("batch norm trains on the batch, moves its running statistics, and infers from those")
  func batchNorm() throws {
    let model = Model("norm", input: [1], loss: MeanSquaredError()) {
      BatchNorm2D(momentum: 0.5, epsilon: 1)
    }
    let network = try network(model, batch: 2)
    let sample = ReferenceSample(
      batch: 2, inputs: [[1, 5]], targets: [.values([0, 0])])
    // Mean 3, variance 4, unbiased 8; running mean 1 and variance 2 before.
    let result = network.train(parameters: [2, 1, 1, 2], sample)
    let spread = 4 / 5.0.squareRoot()
    #expect(Comparison(result.outputs[0], [1 - spread, 1 + spread]).isWithin(1e-15))
    #expect(result.untrained == [2, 5])
    let scale = 2 / 3.0.squareRoot()
    let inferred = network.infer(parameters: [2, 1, 1, 2], sample)
    #expect(Comparison(inferred[0], [1, 1 + 4 * scale]).isWithin(1e-15))
  }

  @Test("a frozen batch norm trains as it infers, and keeps its statistics")
  func frozenBatchNorm() throws {
    let model = Model("norm", input: [2], loss: MeanSquaredError()) {
      BatchNorm2D().frozen()
      Dense(outputs: 1)
    }
    let network = try network(model, batch: 2)
    let parameters: [Double] = [1, 1, 0, 2, 3, 1, -1, 4, 5, 6, 7]
    let sample = ReferenceSample(
      batch: 2, inputs: [[1, 5, -2, 0]], targets: [.values([0, 0])])
    let result = network.train(parameters: parameters, sample)
    #expect(result.outputs == network.infer(parameters: parameters, sample))
    #expect(result.untrained == Array(parameters[3...]))
  }

  @Test("dropout scales what it keeps, draws anew in each step, and is off at inference")
  func dropout() throws {
    let model = Model("drop", input: [1000], loss: MeanSquaredError()) { Dropout(rate: 0.25) }
    let network = try network(model, batch: 2)
    let ones = [Float](repeating: 1, count: 2000)
    let sample = ReferenceSample(batch: 2, inputs: [ones], targets: [.values(ones)])
    let first = network.train(parameters: [], sample, seed: 3, step: 0).outputs[0]
    #expect(Set(first) == [0, Double(4 / 3 as Float)])
    let share = Double(first.count { $0 == 0 }) / 2000
    #expect(abs(share - 0.25) < 0.04)
    #expect(network.train(parameters: [], sample, seed: 3, step: 0).outputs[0] == first)
    #expect(network.train(parameters: [], sample, seed: 3, step: 1).outputs[0] != first)
    #expect(network.infer(parameters: [], sample)[0] == ones.map(Double.init))
  }

  @Test("losses are means over the batch, weighted in the total alone")
  func losses() throws {
    let model = Model("two") { graph in
      let x = graph.input("x", [2])
      graph.output("y", x.apply(Flatten()))
      graph.loss(SoftmaxCrossEntropy(), on: "y", target: "label", weight: 2, name: "first")
      graph.loss(MeanSquaredError(), on: "y", target: "value", weight: 0.5, name: "second")
    }
    let sample = ReferenceSample(
      batch: 2, inputs: [[1000, 1000, 0, 0]],
      targets: [.labels([0, 1]), .values([1000, 998, 2, 4])])
    let result = try network(model, batch: 2).train(parameters: [], sample)
    #expect(Comparison(result.losses, [0.6931471805599453, 6]).isWithin(1e-15))
    #expect(abs(result.total - (2 * 0.6931471805599453 + 3)) < 1e-12)
  }

  @Test("a layer and a loss without a reference are named")
  func unknown() throws {
    struct Unknown: Layer {
      static let kind = "unknown"
      func output(for inputs: [TensorType]) throws(LayerError) -> TensorType { inputs[0] }
      func role(in mode: Mode, frozen: Bool) -> FusionRole { .view }
    }
    struct UnknownLoss: Loss {
      static let kind = "unknown-loss"
      func targets(for prediction: TensorType) -> [LossTarget] { [LossTarget(type: prediction)] }
      func sum(over batch: JudgedBatch) -> Double { 0 }
      func calls(for context: LossContext) -> [KernelCall] { [] }
    }
    let layer = Model("one", input: [2]) { Unknown() }
    let layerError = #expect(throws: ReferenceError.self) { try network(layer, batch: 1) }
    #expect(
      layerError?.description
        == "unknown1: the reference knows no layer 'unknown'; make it conform to ReferenceLayer")
    let loss = Model("one", input: [2], loss: UnknownLoss()) { ReLU() }
    let lossError = #expect(throws: ReferenceError.self) { try network(loss, batch: 1) }
    #expect(
      lossError?.description
        == "loss_output: the reference knows no loss 'unknown-loss'; make it conform to ReferenceLoss"
    )
  }
}
