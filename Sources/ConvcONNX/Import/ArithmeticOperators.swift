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
  "Mean": { (node) throws(ConversionError) in try node.mean() },
  "Sum": { (node) throws(ConversionError) in try node.arithmetic(.add) },
]

extension NodeConversion {
  fileprivate func arithmetic(_ operation: Arithmetic.Operation) throws(ConversionError) {
    define(try combined(operation))
  }

  /// All inputs taken together, one after the other.
  private func combined(_ operation: Arithmetic.Operation) throws(ConversionError)
    -> ConvertedValue
  {
    guard !node.inputs.isEmpty else { throw problem("has no input; export the model again") }
    var result = try operand(0)
    for index in 1..<max(1, node.inputs.count) {
      result = operand(try compute(operation, result, try operand(index)))
    }
    guard case .value(let value) = result.source else { throw problem("computes constants alone") }
    return value
  }

  fileprivate func mean() throws(ConversionError) {
    let count = Double(node.inputs.count)
    let sum = operand(try combined(.add))
    define(try cells("Mean of \(node.inputs.count)", [sum]) { $0[0] / .real(count) })
  }

  /// Two operands taken together: by the layers for it where both are real and stand for each other in a simple way.
  func compute(
    _ operation: Arithmetic.Operation, _ a: NestOperand, _ b: NestOperand
  ) throws(ConversionError) -> ConvertedValue {
    guard a.isReal, b.isReal else { return try compute(operation, asCells: a, b) }
    if case .value(let a) = a.source, case .value(let b) = b.source, a.shape == b.shape,
      operation == .add || operation == .multiply
    {
      let first = try lifted(a)
      let second = try reshape(b, to: first.extents)
      let layer: any Layer = operation == .add ? Add() : Multiply()
      return try apply(layer, to: first, second, shape: a.shape)
    }
    if operation == .multiply, case .value(let a) = a.source, case .value(let b) = b.source,
      isGate(a, b)
    {
      return try gated(a, b)
    }
    guard let form = try broadcast(a.shape, b.shape) else {
      return try compute(operation, asCells: a, b)
    }
    switch (a.source, b.source) {
    case (.value(let a), .value(let b)):
      let (x, y) = (try reshape(a, to: form.a), try reshape(b, to: form.b))
      return try apply(Arithmetic(operation), to: x, y, shape: form.shape)
    case (.value(let x), .constant(let tensor)) where form.b[0] == 1:
      return try apply(operation, try reshape(x, to: form.a), tensor, form.b, .right, form.shape)
    case (.constant(let tensor), .value(let x)) where form.a[0] == 1:
      return try apply(operation, try reshape(x, to: form.b), tensor, form.a, .left, form.shape)
    default:
      return try compute(operation, asCells: a, b)
    }
  }

  private func compute(
    _ operation: Arithmetic.Operation, asCells a: NestOperand, _ b: NestOperand
  ) throws(ConversionError) -> ConvertedValue {
    let element = a.element == b.element ? a.element : ElementType.int64
    return try cells("\(node.op)", [a, b], element: element) { cells in
      let (a, b) = (cells[0], cells[1])
      switch operation {
      case .add: return .function(.add, [a, b])
      case .subtract: return a - b
      case .multiply: return .function(.multiply, [a, b])
      case .divide: return a / b
      case .maximum: return .function(.maximum, [a, b])
      case .minimum: return .function(.minimum, [a, b])
      case .power: return .function(.power, [a, b])
      }
    }
  }

  private func apply(
    _ operation: Arithmetic.Operation, _ x: ConvertedValue, _ constant: ONNXTensor,
    _ extents: [Int], _ side: Arithmetic.Side, _ shape: [Int]
  ) throws(ConversionError) -> ConvertedValue {
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
  ///
  /// - Returns: nil where more than four axes stay.
  private func broadcast(_ a: [Int], _ b: [Int]) throws(ConversionError) -> (
    a: [Int], b: [Int], shape: [Int]
  )? {
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
    return first.count <= 4 ? (first, second, shape) : nil
  }
}
