import ConvcIR

/// A layer that the reference can evaluate: plainly, in double precision, NCHW.
public protocol ReferenceLayer: Layer {
  /// The layer's output.
  func forward(_ call: LayerCall) -> LayerResult

  /// Gradients of the layer's inputs and parameters, from the gradient of its output.
  ///
  /// What forward decided (masks, winners, statistics) is decided again: nothing is saved.
  func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients
}

/// A loss that the reference can evaluate.
public protocol ReferenceLoss: Loss {
  /// The mean over the batch, and its gradient by the prediction, before weighting.
  ///
  /// - Parameter targets: in the order of ``Loss/targets(for:)``.
  func evaluate(_ prediction: DoubleTensor, _ targets: [ReferenceSample.Target]) -> LossResult
}

/// What surrounds a pass over the network.
public struct PassOptions: Sendable, Hashable {
  public let mode: Mode
  /// The seed of dropout, together with the step's number.
  public let seed: UInt64
  public let step: UInt64

  public init(mode: Mode = .training, seed: UInt64 = 0, step: UInt64 = 0) {
    self.mode = mode
    self.seed = seed
    self.step = step
  }
}

/// What a layer is evaluated on.
public struct LayerCall {
  public let node: Node
  public let inputs: [DoubleTensor]
  /// In the order of the layer's declaration.
  public let parameters: [DoubleTensor]
  public let outputShape: [Int]
  public let options: PassOptions

  public init(
    node: Node, inputs: [DoubleTensor], parameters: [DoubleTensor], outputShape: [Int],
    options: PassOptions
  ) {
    self.node = node
    self.inputs = inputs
    self.parameters = parameters
    self.outputShape = outputShape
    self.options = options
  }

  package var input: DoubleTensor { inputs[0] }
}

/// A layer's output, and what a check of gradients wants to know of it.
public struct LayerResult {
  public let output: DoubleTensor
  /// New values of the layer's running statistics, in the order of their declaration.
  public let statistics: [DoubleTensor]
  /// A hash of the sides that a piecewise layer took: equal hashes, the same smooth piece.
  public let decisions: UInt64
  /// Distance to the nearest kink, as a share of the input's largest value.
  public let margin: Double

  public init(
    output: DoubleTensor, statistics: [DoubleTensor] = [], decisions: UInt64 = 0,
    margin: Double = .infinity
  ) {
    self.output = output
    self.statistics = statistics
    self.decisions = decisions
    self.margin = margin
  }
}

/// Gradients by a layer's inputs and by its parameters that are not statistics, in order.
public struct LayerGradients {
  public let inputs: [DoubleTensor]
  public let parameters: [DoubleTensor]

  public init(inputs: [DoubleTensor], parameters: [DoubleTensor] = []) {
    self.inputs = inputs
    self.parameters = parameters
  }
}

/// A loss and its gradient by the prediction.
public struct LossResult {
  public let value: Double
  public let gradient: DoubleTensor

  public init(value: Double, gradient: DoubleTensor) {
    self.value = value
    self.gradient = gradient
  }
}

/// A hash of yes and no answers, and the nearest distance to another answer.
package struct Decisions {
  package private(set) var hash: UInt64 = 0
  package private(set) var nearest = Double.infinity

  /// Notes an answer, and how far the values were from another one.
  package init() {}

  package mutating func note(_ answer: Int, distance: Double) {
    hash = hash &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(truncatingIfNeeded: answer) &+ 1
    if distance < nearest { nearest = distance }
  }

  /// The nearest distance as a share of the largest value of `input`.
  package func margin(in input: DoubleTensor) -> Double {
    var largest = 0.0
    var i = 0
    while i < input.count {
      let size = input.address[i].magnitude
      if size > largest { largest = size }
      i &+= 1
    }
    return largest == 0 ? .infinity : nearest / largest
  }
}
