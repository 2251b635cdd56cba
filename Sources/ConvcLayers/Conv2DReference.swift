import ConvcIR
import ConvcReference

extension Conv2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let plan = ConvolutionPlan(self, call)
    let y = DoubleTensor(shape: call.outputShape)
    let weight = applied(call)
    let rows = plan.collectsWindows ? (0..<groups).map { plan.windows(of: $0, call.input) } : []
    for n in 0..<plan.input.n where bias != .none {
      for k in 0..<plan.output.c {
        let map = y.address + plan.outputMap(n, k)
        let values = call.parameters[1].address
        if bias == .perPosition {
          map.update(from: values + plan.outputMap(0, k), count: plan.output.pixels)
        } else {
          map.update(repeating: values[k], count: plan.output.pixels)
        }
      }
    }
    for (group, windows) in rows.enumerated() { plan.add(windows, weight, to: y, group) }
    for n in 0..<plan.input.n where rows.isEmpty {
      for k in 0..<plan.output.c {
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
    let weight = applied(call)
    let inputGradient = DoubleTensor(shape: call.input.shape)
    let weightGradient = DoubleTensor(shape: weight.shape)
    let biasGradient = DoubleTensor(shape: bias == .none ? [0] : call.parameters[1].shape)
    for n in 0..<plan.input.n {
      for k in 0..<plan.output.c {
        let gradient = outputGradient.address + plan.outputMap(n, k)
        if bias == .perPosition {
          addScaled(
            1, Patch(gradient, rows: 1, columns: plan.output.pixels),
            to: Patch(
              biasGradient.address + plan.outputMap(0, k), rows: 1, columns: plan.output.pixels))
        } else if hasBias {
          biasGradient.address[k] += sum(outputGradient.map(n, k))
        }
        plan.forEachTap(of: k) { c, w, tap in
          let map = plan.inputMap(n, c)
          addScaled(
            weight.address[w], tap.output(gradient), to: tap.input(inputGradient.address + map))
          weightGradient.address[w] += dot(
            tap.input(call.input.address + map), tap.output(gradient))
        }
      }
    }
    let masked = DropConnect(rate: dropConnect).masked(weightGradient, call)
    return LayerGradients(
      inputs: [inputGradient],
      parameters: [kernel == .flipped ? flip.flipped(masked) : masked]
        + (bias == .none ? [] : [biasGradient]))
  }

  /// The weights as the kernel is applied: flipped, and with connections dropped.
  private func applied(_ call: LayerCall) -> DoubleTensor {
    let weight = call.parameters[0]
    return DropConnect(rate: dropConnect).masked(
      kernel == .flipped ? flip.flipped(weight) : weight, call)
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

  /// Whether the cells that each weight meets fit in memory side by side, for all images: loops over small maps are then
  /// as long as the batch makes them.
  var collectsWindows: Bool {
    input.c * taps.count * output.n * output.pixels <= 1 << 24
  }

  /// For each weight of a map of the group a row: the cells that it meets, image by image; zeros for padding.
  func windows(of group: Int, _ x: DoubleTensor) -> DoubleTensor {
    let length = output.n * output.pixels
    let result = DoubleTensor(shape: [inputsPerGroup * taps.count, length])
    forEachTap(of: group * outputsPerGroup) { c, w, tap in
      let row = (w - group * outputsPerGroup * inputsPerGroup * taps.count) * length
      for n in 0..<output.n {
        addScaled(
          1, tap.input(x.address + inputMap(n, c)),
          to: tap.output(result.address + row + n * output.pixels))
      }
    }
    return result
  }

  /// Adds to the group's maps the products of their weights and the rows.
  ///
  /// A tile of columns goes through all maps before the next one: it stays in the cache.
  func add(_ windows: DoubleTensor, _ weight: DoubleTensor, to y: DoubleTensor, _ group: Int) {
    let length = windows.shape[1]
    let sums = DoubleTensor(shape: [outputsPerGroup, length])
    for first in stride(from: 0, to: length, by: 256) {
      let tile = first..<min(first + 256, length)
      for k in stride(from: 0, to: outputsPerGroup, by: 2) {
        add(windows, weight, to: sums, tile, k, group * outputsPerGroup)
      }
    }
    for k in 0..<outputsPerGroup {
      for n in 0..<output.n {
        addScaled(
          1,
          Patch(
            sums.address + k * length + n * output.pixels, rows: 1, columns: output.pixels),
          to: Patch(
            y.address + outputMap(n, group * outputsPerGroup + k), rows: 1,
            columns: output.pixels))
      }
    }
  }

  /// One tile of two maps, or of the last one twice: two rows at once.
  private func add(
    _ windows: DoubleTensor, _ weight: DoubleTensor, to sums: DoubleTensor, _ tile: Range<Int>,
    _ k: Int, _ firstMap: Int
  ) {
    let (count, length) = (windows.shape[0], windows.shape[1])
    let isPair = k + 1 < outputsPerGroup
    let v = weight.address + (firstMap + k) * count
    let w = isPair ? v + count : v
    let sum = sums.address + k * length + tile.lowerBound
    let scratch = DoubleTensor(shape: [tile.count])
    let other = isPair ? sum + length : scratch.address
    for j in stride(from: 0, to: count, by: 2) {
      let hasNext = j + 1 < count
      let x = windows.address + j * length + tile.lowerBound
      let next = hasNext ? x + length : x
      let (v0, v1) = (v[j], hasNext ? v[j + 1] : 0)
      let (w0, w1) = (w[j], hasNext ? w[j + 1] : 0)
      var i = 0
      while i < tile.count {
        let (x0, x1) = (x[i], next[i])
        sum[i] += v0 * x0 + v1 * x1
        other[i] += w0 * x0 + w1 * x1
        i &+= 1
      }
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
