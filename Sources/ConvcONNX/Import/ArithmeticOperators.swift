import ConvcIR
import ConvcLayers

/// Operators of two or more values at each place, and products of matrices.
let arithmeticOperators: [String: OperatorConverter] = [
  "Add": { (node) throws(ConversionError) in try node.arithmetic(.add) },
  "Sub": { (node) throws(ConversionError) in try node.arithmetic(.subtract) },
  "Mul": { (node) throws(ConversionError) in try node.arithmetic(.multiply) },
  "Div": { (node) throws(ConversionError) in try node.arithmetic(.divide) },
  "Pow": { (node) throws(ConversionError) in try node.arithmetic(.power) },
  "Max": { (node) throws(ConversionError) in try node.arithmetic(.maximum) },
  "Min": { (node) throws(ConversionError) in try node.arithmetic(.minimum) },
  "Sum": { (node) throws(ConversionError) in try node.arithmetic(.add) },
  "Gemm": { (node) throws(ConversionError) in try node.gemm() },
  "MatMul": { (node) throws(ConversionError) in try node.matMul() },
]

/// An operand: computed at run time, or a constant.
private enum Operand {
  case value(ConvertedValue)
  case constant(ONNXTensor)

  var shape: [Int] {
    switch self {
    case .value(let value): value.shape
    case .constant(let tensor): tensor.dims
    }
  }
}

extension NodeConversion {
  private func operand(_ index: Int) throws(ConversionError) -> Operand {
    if let tensor = constant(index) { return .constant(tensor) }
    return .value(try value(index))
  }

  fileprivate func arithmetic(_ operation: Arithmetic.Operation) throws(ConversionError) {
    guard !node.inputs.isEmpty else { throw problem("has no input; export the model again") }
    var result = try operand(0)
    if node.inputs.count == 1, case .value(let value) = result { return define(value) }
    for index in 1..<node.inputs.count {
      result = .value(try compute(operation, result, try operand(index)))
    }
    guard case .value(let value) = result else { throw problem("computes constants alone") }
    define(value)
  }

  private func compute(
    _ operation: Arithmetic.Operation, _ a: Operand, _ b: Operand
  ) throws(ConversionError) -> ConvertedValue {
    if case .value(let a) = a, case .value(let b) = b, a.shape == b.shape,
      operation == .add || operation == .multiply
    {
      let first = try lifted(a)
      let second = try reshape(b, to: first.extents)
      let layer: any Layer = operation == .add ? Add() : Multiply()
      return try apply(layer, to: first, second, shape: a.shape)
    }
    let form = try broadcast(a.shape, b.shape)
    switch (a, b) {
    case (.value(let a), .value(let b)):
      let (x, y) = (try reshape(a, to: form.a), try reshape(b, to: form.b))
      return try apply(Arithmetic(operation), to: x, y, shape: form.shape)
    case (.value(let a), .constant(let b)):
      return try apply(operation, try reshape(a, to: form.a), b, form.b, .right, form.shape)
    case (.constant(let a), .value(let b)):
      return try apply(operation, try reshape(b, to: form.b), a, form.a, .left, form.shape)
    case (.constant, .constant):
      throw problem("computes constants alone")
    }
  }

  private func apply(
    _ operation: Arithmetic.Operation, _ x: ConvertedValue, _ constant: ONNXTensor,
    _ extents: [Int], _ side: Arithmetic.Side, _ shape: [Int]
  ) throws(ConversionError) -> ConvertedValue {
    guard extents[0] == 1 else {
      throw .needsAxis0(node.error("has a constant with a value for each image"))
    }
    return try apply(
      Arithmetic(operation, constants: Array(extents.dropFirst()), side: side), to: x,
      shape: shape, weights: ["value": weights(constant)])
  }

  /// A value with at least two axes in the network, its own ones where they are as many.
  private func lifted(_ x: ConvertedValue) throws(ConversionError) -> ConvertedValue {
    x.shape.count >= 2
      ? try reshape(x, to: x.shape) : try reshape(x, to: [1] + (x.shape.isEmpty ? [1] : x.shape))
  }

  /// Two shapes that stand for each other, with neighbouring axes joined where both keep them or one stands for all.
  private func broadcast(_ a: [Int], _ b: [Int]) throws(ConversionError) -> (
    a: [Int], b: [Int], shape: [Int]
  ) {
    let rank = max(a.count, b.count)
    let (a, b) = (
      [Int](repeating: 1, count: rank - a.count) + a, [Int](repeating: 1, count: rank - b.count) + b
    )
    guard zip(a, b).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else {
      throw problem("takes shapes \(a) and \(b), which do not stand for each other")
    }
    let shape = zip(a, b).map { $0 == 1 ? $1 : $0 }
    // Axis 0 is the batch where both have it, or the constant has one value for all images.
    let keepsAxis0 = rank >= 2 && (a[0] == b[0] || !conversion.isUnbatched)
    if keepsAxis0, rank <= 4 { return (a, b, shape) }
    let start = keepsAxis0 ? 1 : 0
    var (first, second) = keepsAxis0 ? ([a[0]], [b[0]]) : ([1], [1])
    var kind: (Bool, Bool)?
    for axis in start..<rank {
      let (m, n) = (a[axis], b[axis])
      if m == 1, n == 1 { continue }
      let own = (m > 1, n > 1)
      if let last = kind, last == own, first.count > 1 {
        first[first.count - 1] *= m
        second[second.count - 1] *= n
      } else {
        first.append(m)
        second.append(n)
        kind = own
      }
    }
    if first.count < 2 {
      first.append(1)
      second.append(1)
    }
    guard first.count <= 4 else {
      throw problem(
        "takes shapes \(a) and \(b), which stand for each other in more ways than this version knows"
      )
    }
    return (first, second, shape)
  }

  // MARK: Matrices

  fileprivate func gemm() throws(ConversionError) {
    var a = try plain(0)
    guard let b = constant(1), b.dims.count == 2, a.extents.count == 2 else {
      throw problem(
        "multiplies by a matrix that is computed at run time, which this version cannot")
    }
    if try int("transA", 0) != 0 {
      let (rows, columns) = (a.extents[0], a.extents[1])
      let turned = try apply(Transpose([2, 1]), to: try reshape(a, to: [1, rows, columns]))
      a = try reshape(turned, to: [columns, rows])
    }
    let isTransposed = try int("transB", 0) != 0
    let (outputs, inputs) = isTransposed ? (b.dims[0], b.dims[1]) : (b.dims[1], b.dims[0])
    guard inputs == a.extents[1] else {
      throw problem("multiplies \(a.extents) by \(b.dims); the inner extents have to be equal")
    }
    let alpha = try float("alpha", 1)
    let beta = try float("beta", 1)
    var values = [
      "weight": isTransposed
        ? (alpha == 1 ? weights(b) : scaled(b, by: alpha)) : transposed(b, scale: alpha)
    ]
    let shape = [a.extents[0], outputs]
    guard node.input(2) != nil else {
      return define(try apply(Dense(outputs: outputs, bias: false), to: a, weights: values))
    }
    if let c = constant(2), c.count == 1 || c.dims.last == c.count,
      c.count == 1 || c.count == outputs
    {
      values["bias"] = GivenValues(count: outputs) { target in
        let bias = try c.floats()
        for index in 0..<outputs { target[index] = beta * bias[bias.count == 1 ? 0 : index] }
      }
      return define(try apply(Dense(outputs: outputs), to: a, weights: values))
    }
    guard beta == 1 else {
      throw problem("scales a matrix that it adds, which this version cannot")
    }
    let product = try apply(Dense(outputs: outputs, bias: false), to: a, weights: values)
    define(try compute(.add, .value(product), try operand(2)), as: shape)
  }

  fileprivate func matMul() throws(ConversionError) {
    let a = try value(0)
    guard let b = constant(1), b.dims.count == 2, let inner = a.shape.last, inner == b.dims[0]
    else {
      throw problem(
        "multiplies by a matrix that is computed at run time or has other axes than two, which this version cannot"
      )
    }
    let rows = a.shape.dropLast().reduce(1, *)
    let matrix = try reshape(a, to: [rows, inner])
    let product = try apply(
      Dense(outputs: b.dims[1], bias: false), to: matrix, weights: ["weight": transposed(b)])
    define(product, as: a.shape.dropLast() + [b.dims[1]])
  }
}
