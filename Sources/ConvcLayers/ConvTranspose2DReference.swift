import ConvcIR
import ConvcReference

extension ConvTranspose2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let plan = TransposedPlan(self, call)
    let y = DoubleTensor(shape: call.outputShape)
    let weight = call.parameters[0]
    for n in 0..<plan.input.n {
      if hasBias {
        for k in 0..<plan.output.c {
          (y.address + plan.outputMap(n, k)).update(
            repeating: call.parameters[1].address[k], count: plan.output.pixels)
        }
      }
      for c in 0..<plan.input.c {
        plan.forEachTap(of: c) { k, w, tap in
          addScaled(
            weight.address[w], tap.output(call.input.address + plan.inputMap(n, c)),
            to: tap.input(y.address + plan.outputMap(n, k)))
        }
      }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let plan = TransposedPlan(self, call)
    let weight = call.parameters[0]
    let inputGradient = DoubleTensor(shape: call.input.shape)
    let weightGradient = DoubleTensor(shape: weight.shape)
    let biasGradient = DoubleTensor(shape: [plan.output.c])
    for n in 0..<plan.input.n {
      for k in 0..<plan.output.c { biasGradient.address[k] += sum(outputGradient.map(n, k)) }
      for c in 0..<plan.input.c {
        let map = plan.inputMap(n, c)
        plan.forEachTap(of: c) { k, w, tap in
          let gradient = tap.input(outputGradient.address + plan.outputMap(n, k))
          addScaled(weight.address[w], gradient, to: tap.output(inputGradient.address + map))
          weightGradient.address[w] += dot(gradient, tap.output(call.input.address + map))
        }
      }
    }
    return LayerGradients(
      inputs: [inputGradient],
      parameters: hasBias ? [weightGradient, biasGradient] : [weightGradient])
  }
}

/// The extents of a transposed convolution, and its taps as those of the convolution from its output to its input.
private struct TransposedPlan {
  let input: MapShape
  let output: MapShape
  let inputsPerGroup: Int
  let outputsPerGroup: Int
  /// Row by row, as in the weight tensor.
  let taps: [Tap]

  init(_ layer: ConvTranspose2D, _ call: LayerCall) {
    let input = call.input.maps
    let output = TensorType(shape: call.outputShape).maps
    self.input = input
    self.output = output
    inputsPerGroup = input.c / layer.groups
    outputsPerGroup = output.c / layer.groups
    taps = (0..<layer.kernelSize.height * layer.kernelSize.width).map { index in
      let (r, s) = index.quotientAndRemainder(dividingBy: layer.kernelSize.width)
      let rows = AxisTap(
        shift: r * layer.dilation.height - layer.padding.top, stride: layer.stride.height,
        size: output.h,
        outputs: input.h)
      let columns = AxisTap(
        shift: s * layer.dilation.width - layer.padding.left, stride: layer.stride.width,
        size: output.w,
        outputs: input.w)
      return Tap(rows, columns, inputWidth: output.w, outputWidth: input.w)
    }
  }

  func inputMap(_ n: Int, _ c: Int) -> Int { (n * input.c + c) * input.pixels }
  func outputMap(_ n: Int, _ k: Int) -> Int { (n * output.c + k) * output.pixels }

  /// Calls `body` with output map, index of the weight, and place, for all that input map `c` adds to.
  func forEachTap(of c: Int, _ body: (_ k: Int, _ weight: Int, Tap) -> Void) {
    let first = c / inputsPerGroup * outputsPerGroup
    var weight = c * outputsPerGroup * taps.count
    for k in first..<first + outputsPerGroup {
      var index = 0
      while index < taps.count {
        body(k, weight, taps[index])
        weight &+= 1
        index &+= 1
      }
    }
  }
}
