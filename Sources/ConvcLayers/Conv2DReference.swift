import ConvcIR
import ConvcReference

extension Conv2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let plan = ConvolutionPlan(self, call)
    let y = DoubleTensor(shape: call.outputShape)
    let weight = call.parameters[0]
    for n in 0..<plan.input.n {
      for k in 0..<plan.output.c {
        if hasBias {
          (y.address + plan.outputMap(n, k)).update(
            repeating: call.parameters[1].address[k], count: plan.output.pixels)
        }
        plan.forEachTap(of: k) { c, w, tap in
          addScaled(
            weight.address[w], tap.input(call.input.address + plan.inputMap(n, c)),
            to: tap.output(y.address + plan.outputMap(n, k)))
        }
      }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let plan = ConvolutionPlan(self, call)
    let weight = call.parameters[0]
    let inputGradient = DoubleTensor(shape: call.input.shape)
    let weightGradient = DoubleTensor(shape: weight.shape)
    let biasGradient = DoubleTensor(shape: [plan.output.c])
    for n in 0..<plan.input.n {
      for k in 0..<plan.output.c {
        let gradient = outputGradient.address + plan.outputMap(n, k)
        biasGradient.address[k] += sum(outputGradient.map(n, k))
        plan.forEachTap(of: k) { c, w, tap in
          let map = plan.inputMap(n, c)
          addScaled(
            weight.address[w], tap.output(gradient), to: tap.input(inputGradient.address + map))
          weightGradient.address[w] += dot(
            tap.input(call.input.address + map), tap.output(gradient))
        }
      }
    }
    return LayerGradients(
      inputs: [inputGradient],
      parameters: hasBias ? [weightGradient, biasGradient] : [weightGradient])
  }
}

/// The extents of a convolution, and where each of its taps lies.
private struct ConvolutionPlan {
  let input: MapShape
  let output: MapShape
  let inputsPerGroup: Int
  let outputsPerGroup: Int
  /// Row by row, as in the weight tensor.
  let taps: [Tap]

  init(_ layer: Conv2D, _ call: LayerCall) {
    let input = call.input.maps
    let output = TensorType(shape: call.outputShape).maps
    let window = layer.window
    self.input = input
    self.output = output
    inputsPerGroup = input.c / layer.groups
    outputsPerGroup = output.c / layer.groups
    taps = (0..<window.kernelSize.height * window.kernelSize.width).map { index in
      let (r, s) = index.quotientAndRemainder(dividingBy: window.kernelSize.width)
      let rows = AxisTap(
        shift: r * window.dilation.height - window.padding.top, stride: window.stride.height,
        size: input.h, outputs: output.h)
      let columns = AxisTap(
        shift: s * window.dilation.width - window.padding.left, stride: window.stride.width,
        size: input.w, outputs: output.w)
      return Tap(rows, columns, inputWidth: input.w, outputWidth: output.w)
    }
  }

  func inputMap(_ n: Int, _ c: Int) -> Int { (n * input.c + c) * input.pixels }
  func outputMap(_ n: Int, _ k: Int) -> Int { (n * output.c + k) * output.pixels }

  /// Calls `body` with input map, index of the weight, and place, for all that output map `k` adds up.
  func forEachTap(of k: Int, _ body: (_ c: Int, _ weight: Int, Tap) -> Void) {
    let first = k / outputsPerGroup * inputsPerGroup
    let count = taps.count
    var weight = k * inputsPerGroup * count
    for c in first..<first + inputsPerGroup {
      var index = 0
      while index < count {
        body(c, weight, taps[index])
        weight &+= 1
        index &+= 1
      }
    }
  }
}

/// The outputs of one axis for which a tap meets a cell of the map.
struct AxisTap {
  let first: Int
  let count: Int
  /// Cell that the first of them meets.
  let cell: Int
  let stride: Int

  init(shift: Int, stride: Int, size: Int, outputs: Int) {
    first = shift >= 0 ? 0 : (stride - 1 - shift) / stride
    let end = shift >= size ? 0 : min(outputs, (size - 1 - shift) / stride + 1)
    count = max(0, end - first)
    cell = first * stride + shift
    self.stride = stride
  }
}

/// The cells that one weight joins: of an input map and of an output map.
struct Tap {
  let rows: Int
  let columns: Int
  let inputPlace: Int
  let inputRowStep: Int
  let inputColumnStep: Int
  let outputPlace: Int
  let outputRowStep: Int

  init(_ rows: AxisTap, _ columns: AxisTap, inputWidth: Int, outputWidth: Int) {
    let isEmpty = rows.count == 0 || columns.count == 0
    self.rows = isEmpty ? 0 : rows.count
    self.columns = isEmpty ? 0 : columns.count
    inputPlace = isEmpty ? 0 : rows.cell * inputWidth + columns.cell
    inputRowStep = rows.stride * inputWidth
    inputColumnStep = columns.stride
    outputPlace = isEmpty ? 0 : rows.first * outputWidth + columns.first
    outputRowStep = outputWidth
  }

  func input(_ map: UnsafeMutablePointer<Double>) -> Patch {
    Patch(
      map + inputPlace, rows: rows, columns: columns, rowStep: inputRowStep,
      columnStep: inputColumnStep)
  }

  func output(_ map: UnsafeMutablePointer<Double>) -> Patch {
    Patch(map + outputPlace, rows: rows, columns: columns, rowStep: outputRowStep)
  }
}
