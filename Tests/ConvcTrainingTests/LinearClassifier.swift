import ConvcIR
import ConvcLayers
import ConvcRuntime
import ConvcTraining
import Glibc

/// Softmax regression in plain Swift: a network without a compiler.
final class LinearClassifier: StepRunner {
  let layout: ModelLayout
  var parameterBlock: [Float]
  var optimizerBlock: [Float]
  /// The options of every step.
  private(set) var steps: [(options: StepOptions, batch: Int)] = []
  /// Called before a step, with its number.
  var beforeStep: (Int) -> Void = { _ in }
  /// Called before each inference.
  var beforeForward: () -> Void = {}
  private let features: Int
  private let classes: Int

  init(
    name: String = "linear", hash: String = "hash-1", features: Int = 2, classes: Int = 3,
    batches: ClosedRange<Int> = 1...16, classNames: [String] = [], usual: UsualRange? = nil,
    loss: any Loss = SoftmaxCrossEntropy()
  ) {
    self.features = features
    self.classes = classes
    let weight = ParameterSpec(
      "weight", shape: [classes, features], initializer: .heNormal, decays: true, fanIn: features,
      fanOut: classes, usual: usual)
    let bias = ParameterSpec("bias", shape: [classes], initializer: .constant(0))
    layout = ModelLayout(
      model: name, modelHash: hash, batches: batches,
      inputs: [ModelLayout.Tensor(name: "image", shape: [features])],
      outputs: [ModelLayout.Tensor(name: "output", shape: [classes])],
      targets: [ModelLayout.Tensor(name: "target", element: .int32, shape: [])],
      losses: [
        ModelLayout.Loss(
          name: "loss", loss: loss, labels: LabelRange(classes: classes),
          weight: 1, output: 0, target: 0)
      ],
      parameters: [
        Parameter(name: "dense1.weight", spec: weight, kind: .trainable, offset: 0),
        Parameter(
          name: "dense1.bias", spec: bias, kind: .trainable, offset: classes * features),
      ],
      optimizerCount: classes * (features + 1),
      preprocessing: InputPreprocessing(scale: 1, mean: [0.5], deviation: [0.25]),
      classNames: classNames)
    parameterBlock = [Float](repeating: 0, count: classes * (features + 1))
    optimizerBlock = parameterBlock
  }

  func setParameterBlock(_ values: [Float]) { parameterBlock = values }
  func setOptimizerBlock(_ values: [Float]) { optimizerBlock = values }

  func forward(
    inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer], batch: Int, threads: Int
  ) {
    beforeForward()
    precondition(layout.batches.contains(batch), "batch \(batch)")
    let x = inputs[0].assumingMemoryBound(to: Float.self)
    let y = outputs[0].assumingMemoryBound(to: Float.self)
    for n in 0..<batch {
      for k in 0..<classes {
        y[n * classes + k] = parameterBlock[classes * features + k]
        for f in 0..<features {
          y[n * classes + k] += parameterBlock[k * features + f] * x[n * features + f]
        }
      }
    }
  }

  func step(
    inputs: [UnsafeRawPointer], targets: [UnsafeRawPointer], batch: Int, options: StepOptions,
    outputs: [UnsafeMutableRawPointer]?
  ) -> [Float] {
    beforeStep(steps.count)
    steps.append((options, batch))
    let scores = UnsafeMutableRawPointer.allocate(byteCount: 4 * batch * classes, alignment: 4)
    defer { scores.deallocate() }
    forward(inputs: inputs, outputs: [scores], batch: batch, threads: 1)
    outputs?[0].copyMemory(from: scores, byteCount: 4 * batch * classes)
    let x = inputs[0].assumingMemoryBound(to: Float.self)
    let y = scores.assumingMemoryBound(to: Float.self)
    let labels = targets[0].assumingMemoryBound(to: Int32.self)
    var gradient = [Float](repeating: 0, count: parameterBlock.count)
    var loss: Float = 0
    for n in 0..<batch {
      let row = (0..<classes).map { y[n * classes + $0] }
      let sum = row.reduce(0) { $0 + exp($1) }
      loss += log(sum) - row[Int(labels[n])]
      for k in 0..<classes {
        let d = (exp(row[k]) / sum - (Int(labels[n]) == k ? 1 : 0)) / Float(batch)
        gradient[classes * features + k] += d
        for f in 0..<features { gradient[k * features + f] += d * x[n * features + f] }
      }
    }
    for index in gradient.indices {
      optimizerBlock[index] = options.momentum * optimizerBlock[index] + gradient[index]
      parameterBlock[index] -= options.rate * optimizerBlock[index]
    }
    return [loss / Float(batch)]
  }
}

/// Labelled points around three corners, `count` of them.
func points(_ count: Int, from first: Int = 0) -> ArrayExamples {
  var images: [Float] = []
  var labels: [Int32] = []
  for index in first..<(first + count) {
    let label = index % 3
    let angle = Float(index) * 2.4
    let radius = 0.9 * Float(index % 7) / 7
    images.append([Float(0), 2, 0][label] + radius * cos(angle))
    images.append([Float(0), 0, 2][label] + radius * sin(angle))
    labels.append(Int32(label))
  }
  return ArrayExamples(images: images, shape: [2], labels: labels)
}

extension TrainingData {
  static let corners = TrainingData(
    name: "corners", train: points(70), validation: points(20, from: 70), test: points(21, from: 90)
  )
}

extension Recipe {
  static let quick = Recipe(
    epochs: 3, batch: 16, rate: 0.5, momentum: 0.5, weightDecay: 0, warmUp: .steps(2), seed: 7,
    threads: 1)
}
