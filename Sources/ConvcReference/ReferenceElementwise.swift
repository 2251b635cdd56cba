import ConvcIR
import ConvcLayers

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
