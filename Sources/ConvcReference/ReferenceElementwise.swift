import ConvcIR
import ConvcLayers

extension ReLU: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input
    let y = DoubleTensor(shape: x.shape)
    var decisions = Decisions()
    var i = 0
    while i < x.count {
      let value = x.address[i]
      y.address[i] = value < 0 ? 0 : value
      // Exact zeros come from another ReLU, from padding or from dropout, and stay.
      decisions.note(value > 0 ? 1 : 0, distance: value == 0 ? .infinity : value.magnitude)
      i &+= 1
    }
    return LayerResult(output: y, decisions: decisions.hash, margin: decisions.margin(in: x))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let x = call.input
    let inputGradient = DoubleTensor(shape: x.shape)
    var i = 0
    while i < x.count {
      if x.address[i] > 0 { inputGradient.address[i] = outputGradient.address[i] }
      i &+= 1
    }
    return LayerGradients(inputs: [inputGradient])
  }
}

extension Clip: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input
    let y = DoubleTensor(shape: x.shape)
    let (low, high) = (Double(minimum), Double(maximum))
    var decisions = Decisions()
    var i = 0
    while i < x.count {
      let value = x.address[i]
      y.address[i] = value < low ? low : value > high ? high : value
      // A value on a bound comes from another layer that stops there, and stays.
      let distance = min((value - low).magnitude, (value - high).magnitude)
      decisions.note(
        value <= low ? 0 : value >= high ? 2 : 1, distance: distance == 0 ? .infinity : distance)
      i &+= 1
    }
    return LayerResult(output: y, decisions: decisions.hash, margin: decisions.margin(in: x))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let x = call.input
    let inputGradient = DoubleTensor(shape: x.shape)
    let (low, high) = (Double(minimum), Double(maximum))
    var i = 0
    while i < x.count {
      if x.address[i] > low, x.address[i] < high {
        inputGradient.address[i] = outputGradient.address[i]
      }
      i &+= 1
    }
    return LayerGradients(inputs: [inputGradient])
  }
}

extension ReLU6: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult { clip.forward(call) }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    clip.backward(call, outputGradient: outputGradient)
  }
}

extension Dropout: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    LayerResult(output: masked(call.input, call))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(inputs: [masked(outputGradient, call)])
  }

  private func masked(_ x: DoubleTensor, _ call: LayerCall) -> DoubleTensor {
    guard call.options.mode == .training, rate > 0 else { return x }
    let y = DoubleTensor(shape: x.shape)
    let threshold = UInt32(min((rate * 4_294_967_296).rounded(), 4_294_967_295))
    let scale = Double(Float(1 / (1 - rate)))
    let philox = Philox(seed: call.options.seed, name: call.node.name, step: call.options.step)
    var i = 0
    while i < x.count {
      let words = philox.words(UInt64(i / 4))
      for word in 0..<min(4, x.count - i) where words[word] >= threshold {
        y.address[i + word] = x.address[i + word] * scale
      }
      i &+= 4
    }
    return y
  }
}

extension Flatten: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    LayerResult(output: call.input.reshaped(call.outputShape))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(inputs: [outputGradient.reshaped(call.input.shape)])
  }
}

extension Add: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    for input in call.inputs { y.add(input) }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    LayerGradients(inputs: call.inputs.map { _ in outputGradient })
  }
}

extension Concat: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    forEachPart(call) { input, from, to, count in
      (y.address + to).update(from: call.inputs[input].address + from, count: count)
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradients = call.inputs.map { DoubleTensor(shape: $0.shape) }
    forEachPart(call) { input, to, from, count in
      (gradients[input].address + to).update(from: outputGradient.address + from, count: count)
    }
    return LayerGradients(inputs: gradients)
  }

  /// Calls `body` with an input, a place in it, the place in the output, and the number of values between.
  private func forEachPart(_ call: LayerCall, _ body: (Int, Int, Int, Int) -> Void) {
    var place = 0
    for n in 0..<call.outputShape[0] {
      for (index, input) in call.inputs.enumerated() {
        let count = input.count / input.shape[0]
        body(index, n * count, place, count)
        place += count
      }
    }
  }
}

extension DoubleTensor {
  /// A copy with another shape of the same count.
  func reshaped(_ shape: [Int]) -> DoubleTensor {
    let result = DoubleTensor(shape: shape)
    result.address.update(from: address, count: count)
    return result
  }
}
