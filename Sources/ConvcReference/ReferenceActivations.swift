import ConvcIR
import ConvcLayers
import Foundation

/// A function of each value alone, and its derivative.
protocol ReferenceActivation: ReferenceLayer {
  func value(_ x: Double) -> Double
  func derivative(_ x: Double) -> Double
  /// Where the derivative jumps.
  var kinks: [Double] { get }
}

extension ReferenceActivation {
  var kinks: [Double] { [] }

  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input
    let y = DoubleTensor(shape: x.shape)
    let kinks = kinks
    var decisions = Decisions()
    var i = 0
    while i < x.count {
      let value = x.address[i]
      y.address[i] = self.value(value)
      for kink in kinks {
        // A value on a kink comes from another layer that stops there, and stays.
        let distance = (value - kink).magnitude
        decisions.note(value > kink ? 1 : 0, distance: distance == 0 ? .infinity : distance)
      }
      i &+= 1
    }
    return LayerResult(output: y, decisions: decisions.hash, margin: decisions.margin(in: x))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let x = call.input
    let inputGradient = DoubleTensor(shape: x.shape)
    var i = 0
    while i < x.count {
      inputGradient.address[i] = outputGradient.address[i] * derivative(x.address[i])
      i &+= 1
    }
    return LayerGradients(inputs: [inputGradient])
  }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

extension Sigmoid: ReferenceActivation {
  func value(_ x: Double) -> Double { sigmoid(x) }
  func derivative(_ x: Double) -> Double { sigmoid(x) * sigmoid(-x) }
}

extension Tanh: ReferenceActivation {
  func value(_ x: Double) -> Double { tanh(x) }
  func derivative(_ x: Double) -> Double { 1 - tanh(x) * tanh(x) }
}

extension ReLU: ReferenceActivation {
  var kinks: [Double] { [0] }
  func value(_ x: Double) -> Double { x < 0 ? 0 : x }
  func derivative(_ x: Double) -> Double { x > 0 ? 1 : 0 }
}

extension Clip: ReferenceActivation {
  var kinks: [Double] { [Double(minimum), Double(maximum)] }
  func value(_ x: Double) -> Double {
    x < Double(minimum) ? Double(minimum) : x > Double(maximum) ? Double(maximum) : x
  }
  func derivative(_ x: Double) -> Double {
    x > Double(minimum) && x < Double(maximum) ? 1 : 0
  }
}

extension ReLU6: ReferenceActivation {
  var kinks: [Double] { clip.kinks }
  func value(_ x: Double) -> Double { clip.value(x) }
  func derivative(_ x: Double) -> Double { clip.derivative(x) }
}

extension LeakyReLU: ReferenceActivation {
  var kinks: [Double] { [0] }
  func value(_ x: Double) -> Double { x < 0 ? Double(slope) * x : x }
  func derivative(_ x: Double) -> Double { x > 0 ? 1 : Double(slope) }
}

extension ELU: ReferenceActivation {
  var kinks: [Double] { [0] }
  func value(_ x: Double) -> Double { x < 0 ? Double(alpha) * expm1(x) : x }
  func derivative(_ x: Double) -> Double { x > 0 ? 1 : Double(alpha) * exp(x) }
}

extension SELU: ReferenceActivation {
  private var scale: Double { 1.0507009873554805 }
  private var alpha: Double { 1.6732632423543772 }
  var kinks: [Double] { [0] }
  func value(_ x: Double) -> Double { scale * (x < 0 ? alpha * expm1(x) : x) }
  func derivative(_ x: Double) -> Double { scale * (x > 0 ? 1 : alpha * exp(x)) }
}

extension SiLU: ReferenceActivation {
  func value(_ x: Double) -> Double { x * sigmoid(x) }
  func derivative(_ x: Double) -> Double { sigmoid(x) * (1 + x * sigmoid(-x)) }
}

extension GELU: ReferenceActivation {
  func value(_ x: Double) -> Double { x * share(x) }

  func derivative(_ x: Double) -> Double {
    guard approximation == .tanh else {
      return share(x) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    }
    let tangent = 2 * share(x) - 1
    let inner = (2 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x)
    return share(x) + x / 2 * (1 - tangent * tangent) * inner
  }

  /// The normal distribution function, or its approximation.
  private func share(_ x: Double) -> Double {
    approximation == .none
      ? erfc(-x / 2.0.squareRoot()) / 2
      : (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) / 2
  }
}

extension Softplus: ReferenceActivation {
  func value(_ x: Double) -> Double { max(x, 0) + log1p(exp(-x.magnitude)) }
  func derivative(_ x: Double) -> Double { sigmoid(x) }
}

extension HardSigmoid: ReferenceActivation {
  var kinks: [Double] {
    let (slope, offset) = (Double(slope), Double(offset))
    return [-offset / slope, (1 - offset) / slope]
  }
  func value(_ x: Double) -> Double { min(max(Double(slope) * x + Double(offset), 0), 1) }
  func derivative(_ x: Double) -> Double { value(x) > 0 && value(x) < 1 ? Double(slope) : 0 }
}

extension HardSwish: ReferenceActivation {
  var kinks: [Double] { [-3, 3] }
  func value(_ x: Double) -> Double { x * min(max(x / 6 + 0.5, 0), 1) }
  func derivative(_ x: Double) -> Double { x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5 }
}
