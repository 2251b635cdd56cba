/// Cells of a map at equal distances: what a convolution's tap reads or writes.
package struct Patch {
  package let address: UnsafeMutablePointer<Double>
  package let rows: Int
  package let columns: Int
  package let rowStep: Int
  package let columnStep: Int

  package init(
    _ address: UnsafeMutablePointer<Double>, rows: Int, columns: Int, rowStep: Int = 0,
    columnStep: Int = 1
  ) {
    self.address = address
    self.rows = rows
    self.columns = columns
    self.rowStep = rowStep
    self.columnStep = columnStep
  }
}

/// `y += a · x`, cell by cell.
package func addScaled(_ a: Double, _ x: Patch, to y: Patch) {
  var row = 0
  while row < y.rows {
    let from = x.address + row &* x.rowStep
    let to = y.address + row &* y.rowStep
    let fromStep = x.columnStep
    let toStep = y.columnStep
    var column = 0
    // Loops over neighbouring cells become vector code.
    while fromStep == 1, toStep == 1, column < y.columns {
      to[column] += a * from[column]
      column &+= 1
    }
    while column < y.columns {
      to[column &* toStep] += a * from[column &* fromStep]
      column &+= 1
    }
    row &+= 1
  }
}

/// The sum of the products of two patches' cells.
package func dot(_ x: Patch, _ y: Patch) -> Double {
  var sum = 0.0
  var row = 0
  while row < x.rows {
    let left = x.address + row &* x.rowStep
    let right = y.address + row &* y.rowStep
    let leftStep = x.columnStep
    let rightStep = y.columnStep
    var column = 0
    while column < x.columns {
      sum += left[column &* leftStep] * right[column &* rightStep]
      column &+= 1
    }
    row &+= 1
  }
  return sum
}

/// The sum of a patch's cells.
package func sum(_ x: Patch) -> Double {
  var one = 1.0
  return withUnsafeMutablePointer(to: &one) { one in
    dot(x, Patch(one, rows: x.rows, columns: x.columns, columnStep: 0))
  }
}

extension DoubleTensor {
  /// One map: all its cells in one row.
  package func map(_ n: Int, _ c: Int) -> Patch {
    let maps = self.maps
    return Patch(address + (n * maps.c + c) * maps.pixels, rows: 1, columns: maps.pixels)
  }
}
