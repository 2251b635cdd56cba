import ConvcIR
import Glibc

/// A function of each value alone, and its derivative.
package protocol ReferenceActivation: ReferenceLayer {
  func value(_ x: Double) -> Double
  func derivative(_ x: Double) -> Double
  /// Where the derivative jumps.
  var kinks: [Double] { get }
}

extension ReferenceActivation {
  package var kinks: [Double] { [] }

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

/// 1 / (1 + e^−x).
package func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
