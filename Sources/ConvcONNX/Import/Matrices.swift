import ConvcIR
import ConvcLayers

/// Products of matrices.
let matrixOperators: [String: OperatorConverter] = [
  "Gemm": { (node) throws(ConversionError) in try node.gemm() },
  "MatMul": { (node) throws(ConversionError) in try node.matMul() },
]

extension NodeConversion {
  fileprivate func gemm() throws(ConversionError) {
    let a = try operand(0)
    guard case .value(let x) = a.source, let b = constant(1), b.dims.count == 2, a.shape.count == 2
    else { return try generalGemm() }
    var rows = try reshape(x, to: x.shape)
    if try int("transA", 0) != 0 {
      let (height, width) = (x.shape[0], x.shape[1])
      let turned = try apply(Transpose([2, 1]), to: try reshape(rows, to: [1, height, width]))
      rows = try reshape(turned, to: [width, height])
    }
    let isTransposed = try int("transB", 0) != 0
    let (outputs, inputs) = isTransposed ? (b.dims[0], b.dims[1]) : (b.dims[1], b.dims[0])
    guard inputs == rows.extents[1] else {
      throw problem("multiplies \(rows.extents) by \(b.dims); the inner extents have to be equal")
    }
    let alpha = try float("alpha", 1)
    let beta = try float("beta", 1)
    var values = [
      "weight": isTransposed
        ? (alpha == 1 ? weights(b) : scaled(b, by: alpha)) : transposed(b, scale: alpha)
    ]
    let shape = [rows.extents[0], outputs]
    guard node.input(2) != nil else {
      return define(try apply(Dense(outputs: outputs, bias: false), to: rows, weights: values))
    }
    if let c = constant(2), c.count == 1 || c.dims.last == c.count,
      c.count == 1 || c.count == outputs
    {
      values["bias"] = GivenValues(count: outputs) { target in
        let bias = try c.floats()
        for index in 0..<outputs { target[index] = beta * bias[bias.count == 1 ? 0 : index] }
      }
      return define(try apply(Dense(outputs: outputs), to: rows, weights: values))
    }
    let product = try apply(Dense(outputs: outputs, bias: false), to: rows, weights: values)
    let sum = operand(product.read(as: shape))
    let c = try operand(2)
    guard beta == 1 else {
      return define(
        try cells("Gemm, its third input times \(beta)", [sum, c]) {
          .function(.add, [$0[0], .real(Double(beta)) * $0[1]])
        })
    }
    define(try compute(.add, sum, c), as: shape)
  }

  /// The product by its definition, whatever is computed at run time.
  private func generalGemm() throws(ConversionError) {
    let third = try optionalOperand(2)
    let operands = numbered([try operand(0), try operand(1)] + (third.map { [$0] } ?? []))
    let (a, b) = (operands[0], operands[1])
    guard a.shape.count == 2, b.shape.count == 2 else {
      throw problem("multiplies \(a.shape) by \(b.shape), expected two axes each")
    }
    let (turnsA, turnsB) = (try int("transA", 0) != 0, try int("transB", 0) != 0)
    let (rows, inner) = turnsA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let (other, columns) = turnsB ? (b.shape[1], b.shape[0]) : (b.shape[0], b.shape[1])
    guard inner == other else {
      throw problem("multiplies \(a.shape) by \(b.shape); the inner extents have to be equal")
    }
    let (i, j, k) = (Cell.variable(0), Cell.variable(1), Cell.variable(2))
    let alpha = Double(try float("alpha", 1))
    let beta = Double(try float("beta", 1))
    var result: Cell = alpha == 1 ? .total : .real(alpha) * .total
    if operands.count > 2 {
      let c = operands[2]
      guard Places.broadcast([c.shape, [rows, columns]]) == [rows, columns] else {
        throw problem("adds \(c.shape) to \([rows, columns]), which does not fit")
      }
      let cell = c.broadcast(to: [rows, columns])
      result = .function(.add, [result, beta == 1 ? cell : .real(beta) * cell])
    }
    define(
      try nest(
        "Gemm \(a.shape) by \(b.shape)", operands, shape: [rows, columns], reduction: .sum,
        reduced: [inner],
        value: a.cell(turnsA ? [k, i] : [i, k]) * b.cell(turnsB ? [j, k] : [k, j]), result: result))
  }

  fileprivate func matMul() throws(ConversionError) {
    let a = try operand(0)
    if case .value(let x) = a.source, let b = constant(1), b.dims.count == 2,
      let inner = x.shape.last, inner == b.dims[0]
    {
      let rows = x.shape.dropLast().reduce(1, *)
      let matrix = try reshape(x, to: [rows, inner])
      let product = try apply(
        Dense(outputs: b.dims[1], bias: false), to: matrix, weights: ["weight": transposed(b)])
      return define(product, as: x.shape.dropLast() + [b.dims[1]])
    }
    try generalMatMul()
  }

  /// Products of matrices along the last two axes, with broadcasting over those before.
  private func generalMatMul() throws(ConversionError) {
    let operands = numbered([try operand(0), try operand(1)])
    let (a, b) = (operands[0], operands[1])
    guard let last = a.shape.last, !b.shape.isEmpty else {
      throw problem("multiplies single values; multiply them cell by cell")
    }
    // A vector on the left is a row, on the right a column; its axis is not in the result.
    let (isRow, isColumn) = (a.shape.count == 1, b.shape.count == 1)
    let inner = isColumn ? b.shape[0] : b.shape[b.shape.count - 2]
    guard last == inner,
      let lead = Places.broadcast([Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))])
    else { throw problem("multiplies \(a.shape) by \(b.shape), which do not fit") }
    let shape =
      lead + (isRow ? [] : [a.shape[a.shape.count - 2]]) + (isColumn ? [] : [b.shape.last ?? 1])
    let k = Cell.variable(max(0, shape.count))
    func leading(_ operand: NestOperand) -> [Cell] {
      let own = operand.shape.dropLast(2)
      return own.enumerated().map { axis, extent in
        let place = lead.count - own.count + axis
        return extent == 1 && lead[place] != 1 ? .whole(0) : .variable(place)
      }
    }
    let row: [Cell] = isRow ? [] : [.variable(lead.count)]
    let column: [Cell] = isColumn ? [] : [.variable(shape.count - 1)]
    define(
      try nest(
        "MatMul \(a.shape) by \(b.shape)", operands, shape: shape, reduction: .sum,
        reduced: [inner],
        value: a.cell(leading(a) + row + [k]) * b.cell(leading(b) + [k] + column)))
  }
}
