import ConvcIR
import ConvcReference

/// The part of a window that lies in the map.
struct WindowRegion {
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
  func forEachWindow(of call: LayerCall, _ body: (Int, WindowRegion) -> Void) {
    forEachWindow(of: call.input.maps, outputs: TensorType(shape: call.outputShape).maps, body)
  }

  /// Calls `body` with each output's index, its winner's index, and how far the next smaller cell lies below.
  func forEachWinner(of call: LayerCall, _ body: (Int, Int, Double) -> Void) {
    forEachWinner(of: call.input, outputs: TensorType(shape: call.outputShape).maps, body)
  }

  /// Calls `body` with each output's index, its winner's index, and how far the next smaller cell lies below.
  ///
  /// The first of equal cells wins; NaN wins. Equal cells are no kink: whatever makes them equal (a ReLU's zero, mostly)
  /// keeps them so.
  func forEachWinner(
    of map: DoubleTensor, outputs: MapShape, _ body: (Int, Int, Double) -> Void
  ) {
    let x = map.address
    forEachWindow(of: map.maps, outputs: outputs) { output, region in
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

  private func forEachWindow(
    of input: MapShape, outputs output: MapShape, _ body: (Int, WindowRegion) -> Void
  ) {
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
