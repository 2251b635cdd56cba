extension Evaluation {
  /// Operators that make constants of attributes, shapes and single numbers.
  static let making: [String: Evaluator] = [
    "Constant": { (node) throws(ONNXError) in [try node.constant()] },
    "ConstantOfShape": { (node) throws(ONNXError) in [try node.constantOfShape()] },
    "Shape": { (node) throws(ONNXError) in [try node.shape()] },
    "Size": { (node) throws(ONNXError) in
      let count = Int64(try node.input(0).count)
      return [try ONNXTensor([count], dims: [], place: node.place)]
    },
    "Range": { (node) throws(ONNXError) in [try node.range()] },
    "Cast": { (node) throws(ONNXError) in
      guard let number = try node.node.int("to") else {
        throw node.node.error("has no attribute 'to'; \(ONNXError.exportAgain)")
      }
      guard let type = ONNXElementType(rawValue: number) else {
        throw node.node.error(
          "casts to element type number \(number), which ONNX does not know; "
            + ONNXError.exportAgain)
      }
      return [try node.cast(to: type)]
    },
    "CastLike": { (node) throws(ONNXError) in [try node.cast(to: try node.input(1).type)] },
    "NonZero": { (node) throws(ONNXError) in [try node.nonZero()] },
  ]

  /// The attribute that holds the constant, whichever it is.
  private func constant() throws(ONNXError) -> ONNXTensor {
    let known = [
      "value", "value_int", "value_ints", "value_float", "value_floats", "value_string",
      "value_strings", "sparse_value",
    ]
    guard let name = known.first(where: { node.attributes[$0] != nil }),
      let attribute = node.attributes[name]
    else { throw node.error("has no value; \(ONNXError.exportAgain)") }
    switch attribute {
    case .tensor(let tensor): return tensor
    case .int(let value): return try ONNXTensor([value], dims: [], place: place)
    case .ints(let values): return try ONNXTensor(values, dims: [values.count], place: place)
    case .float(let value): return try ONNXTensor([Double(value)], dims: [], place: place)
    case .floats(let values):
      return try ONNXTensor(values.map(Double.init), dims: [values.count], place: place)
    case .string: return try text(dims: [])
    case .strings(let values): return try text(dims: [values.count])
    default:
      throw node.error(
        "has \(attribute.kind) as its value, which convc does not read; export a dense tensor")
    }
  }

  /// Text may stand in a model, as long as nobody reads it.
  private func text(dims: [Int]) throws(ONNXError) -> ONNXTensor {
    try ONNXTensor(place: place, type: .string, dims: dims, storage: .unreadable)
  }

  private func constantOfShape() throws(ONNXError) -> ONNXTensor {
    let dims = try input(0).ints()
    guard let value = try node.tensor("value") else {
      return try ONNXTensor(
        place: place, type: .float, dims: dims, storage: .repeated([0, 0, 0, 0]))
    }
    guard value.count == 1 else {
      throw node.error(
        "has a value of \(value.count) elements, expected one; \(ONNXError.exportAgain)")
    }
    return try ONNXTensor(
      place: place, type: value.type, dims: dims, storage: .repeated(try value.bytes()))
  }

  private func shape() throws(ONNXError) -> ONNXTensor {
    let dims = try input(0).dims
    func bounded(_ value: Int) -> Int {
      // Unlike an axis, a bound may lie beyond either end.
      min(max(value < 0 ? value + dims.count : value, 0), dims.count)
    }
    let start = bounded(max(try node.int("start", default: 0), -dims.count))
    let end = bounded(max(try node.int("end", default: dims.count), -dims.count - 1))
    let part = dims[start..<max(start, end)]
    return try ONNXTensor(part.map { Int64($0) }, dims: [part.count], place: place)
  }

  private func range() throws(ONNXError) -> ONNXTensor {
    let bounds = [try input(0), try input(1), try input(2)]
    guard bounds.allSatisfy({ $0.count == 1 }) else {
      throw node.error("has bounds that are no single numbers; \(ONNXError.exportAgain)")
    }
    let type = bounds[0].type
    if type.kind == .floating {
      var values: [Double] = []
      for bound in bounds { values += try bound.doubles() }
      let count = ((values[1] - values[0]) / values[2]).rounded(.up)
      guard count.isFinite, count < 0x1p40 else {
        throw node.error("has no end; \(ONNXError.exportAgain)")
      }
      let dims = [max(0, Int(count))]
      try reserve(dims)
      return try ONNXTensor(
        (0..<dims[0]).map { values[0] + Double($0) * values[2] }, type: type, dims: dims,
        place: place)
    }
    var values: [Int64] = []
    for bound in bounds { values += try bound.integers() }
    let (span, overflow) = values[1].subtractingReportingOverflow(values[0])
    guard values[2] != 0, !overflow, span != Int64.min else {
      throw node.error("has no end; \(ONNXError.exportAgain)")
    }
    let whole = span.quotientAndRemainder(dividingBy: values[2])
    let count = whole.quotient + (whole.remainder == 0 ? 0 : 1)
    let dims = [(span < 0) == (values[2] < 0) ? max(0, Int(count)) : 0]
    try reserve(dims)
    return try ONNXTensor(
      (0..<dims[0]).map { values[0] &+ Int64($0) &* values[2] }, type: type, dims: dims,
      place: place)
  }

  private func cast(to type: ONNXElementType) throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    guard type != tensor.type else { return tensor }
    guard type.kind != nil, tensor.type.kind != nil else {
      throw node.error(
        "casts \(tensor.type.name) to \(type.name), which convc does not compute; "
          + ONNXError.exportAgain)
    }
    return try elementwise([tensor], type: type) { $0[0] }
  }

  private func nonZero() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    try reserve(tensor.dims)
    let values = try tensor.doubles()
    let places = values.indices.filter { values[$0] != 0 }
    let dims = [tensor.dims.count, places.count]
    try reserve(dims)
    let strides = Places.strides(tensor.dims)
    var result: [Int64] = []
    for (stride, dim) in zip(strides, tensor.dims) {
      result += places.map { Int64($0 / stride % dim) }
    }
    return try ONNXTensor(result, dims: dims, place: place)
  }
}
