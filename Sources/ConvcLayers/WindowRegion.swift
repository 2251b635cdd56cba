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
