import ConvcIR
import ConvcLayers

extension MaxPool2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    var decisions = Decisions()
    forEachWinner(call) { output, winner, distance in
      y.address[output] = call.input.address[winner]
      decisions.note(winner, distance: distance)
    }
    return LayerResult(
      output: y, decisions: decisions.hash, margin: decisions.margin(in: call.input))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let inputGradient = DoubleTensor(shape: call.input.shape)
    forEachWinner(call) { output, winner, _ in
      inputGradient.address[winner] += outputGradient.address[output]
    }
    return LayerGradients(inputs: [inputGradient])
  }

  /// Calls `body` with each output's index, its winner's index, and how far the next smaller cell lies below.
  ///
  /// The first of equal cells wins; NaN wins. Equal cells are no kink: whatever makes them equal (a ReLU's zero, mostly)
  /// keeps them so.
  private func forEachWinner(_ call: LayerCall, _ body: (Int, Int, Double) -> Void) {
    let x = call.input.address
    window.forEachWindow(of: call) { output, region in
      var best = -Double.infinity
      var winner = -1
      var next = -Double.infinity
      region.forEachCell { index in
        let cell = x[index]
        if winner < 0 || cell > best || cell.isNaN {
          next = winner < 0 ? next : best
          best = cell
          winner = index
        } else if cell > next, cell < best {
          next = cell
        }
      }
      body(output, winner, best - next)
    }
  }
}

extension AveragePool2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input.address
    let y = DoubleTensor(shape: call.outputShape)
    window.forEachWindow(of: call) { output, region in
      var sum = 0.0
      region.forEachCell { sum += x[$0] }
      y.address[output] = sum / divisor(region)
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let inputGradient = DoubleTensor(shape: call.input.shape)
    window.forEachWindow(of: call) { output, region in
      let share = outputGradient.address[output] / divisor(region)
      region.forEachCell { inputGradient.address[$0] += share }
    }
    return LayerGradients(inputs: [inputGradient])
  }

  private func divisor(_ region: WindowRegion) -> Double {
    Double(countsPadding ? region.paddedCells : region.rows.count * region.columns.count)
  }
}

extension GlobalAveragePool: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let maps = call.input.maps
    let y = DoubleTensor(shape: call.outputShape)
    for n in 0..<maps.n {
      for c in 0..<maps.c {
        y.address[n * maps.c + c] = sum(call.input.map(n, c)) / Double(maps.pixels)
      }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let maps = call.input.maps
    let inputGradient = DoubleTensor(shape: call.input.shape)
    for n in 0..<maps.n {
      for c in 0..<maps.c {
        inputGradient.map(n, c).address.update(
          repeating: outputGradient.address[n * maps.c + c] / Double(maps.pixels),
          count: maps.pixels)
      }
    }
    return LayerGradients(inputs: [inputGradient])
  }
}

/// The part of a window that lies in the map.
private struct WindowRegion {
  /// Index of the map's first cell in the tensor.
  let map: Int
  let width: Int
  let rows: Range<Int>
  let columns: Range<Int>
  /// Cells in the map or its padding: a last window under `ceil` hangs over both.
  let paddedCells: Int

  /// Calls `body` with the index of each cell, row by row.
  func forEachCell(_ body: (Int) -> Void) {
    var row = rows.lowerBound
    while row < rows.upperBound {
      var index = map + row * width + columns.lowerBound
      let end = map + row * width + columns.upperBound
      while index < end {
        body(index)
        index &+= 1
      }
      row &+= 1
    }
  }
}

extension Window2D {
  /// Calls `body` with the index and the window of each output of a pooling layer.
  fileprivate func forEachWindow(of call: LayerCall, _ body: (Int, WindowRegion) -> Void) {
    let input = call.input.maps
    let output = TensorType(shape: call.outputShape).maps
    var index = 0
    for map in 0..<input.n * input.c {
      for oh in 0..<output.h {
        let top = oh * stride.height - padding.top
        let rows = max(0, top)..<min(input.h, top + kernelSize.height)
        let height = min(top + kernelSize.height, input.h + padding.bottom) - top
        for ow in 0..<output.w {
          let left = ow * stride.width - padding.left
          let columns = max(0, left)..<min(input.w, left + kernelSize.width)
          let width = min(left + kernelSize.width, input.w + padding.right) - left
          body(
            index,
            WindowRegion(
              map: map * input.pixels, width: input.w, rows: rows, columns: columns,
              paddedCells: height * width))
          index += 1
        }
      }
    }
  }
}
