import Glibc

/// Elements of a constant while it is computed with, in double precision or as 64-bit integers.
enum Numbers {
  case reals([Double])
  case integers([Int64])
}

extension Evaluation {
  /// Operators that compute each element from those at its place.
  static let elementwise: [String: Evaluator] = [
    "Add": { (node) throws(ONNXError) in [try node.binary(reals: +, integers: &+)] },
    "Sub": { (node) throws(ONNXError) in [try node.binary(reals: -, integers: &-)] },
    "Mul": { (node) throws(ONNXError) in [try node.binary(reals: *, integers: &*)] },
    "Div": { (node) throws(ONNXError) in
      try node.refuseZeros()
      return [
        try node.binary(
          reals: /, integers: { $0.dividedReportingOverflow(by: $1).partialValue })
      ]
    },
    "Mod": { (node) throws(ONNXError) in [try node.modulo()] },
    "Pow": { (node) throws(ONNXError) in [try node.power()] },
    "Min": { (node) throws(ONNXError) in
      [try node.chain(reals: { $0 < $1 || $0.isNaN ? $0 : $1 }, integers: { min($0, $1) })]
    },
    "Max": { (node) throws(ONNXError) in
      [try node.chain(reals: { $0 > $1 || $0.isNaN ? $0 : $1 }, integers: { max($0, $1) })]
    },
    "Mean": { (node) throws(ONNXError) in [try node.mean()] },
    "Clip": { (node) throws(ONNXError) in [try node.clip()] },
    "Sum": { (node) throws(ONNXError) in [try node.chain(reals: +, integers: &+)] },
    "Equal": { (node) throws(ONNXError) in [try node.comparison(==, ==)] },
    "Less": { (node) throws(ONNXError) in [try node.comparison(<, <)] },
    "LessOrEqual": { (node) throws(ONNXError) in [try node.comparison(<=, <=)] },
    "Greater": { (node) throws(ONNXError) in [try node.comparison(>, >)] },
    "GreaterOrEqual": { (node) throws(ONNXError) in [try node.comparison(>=, >=)] },
    "And": { (node) throws(ONNXError) in [try node.comparison({ $0 * $1 != 0 }, { $0 & $1 != 0 })]
    },
    "Or": { (node) throws(ONNXError) in
      [try node.comparison({ $0 != 0 || $1 != 0 }, { $0 | $1 != 0 })]
    },
    "Xor": { (node) throws(ONNXError) in [try node.comparison(!=, !=)] },
    "Where": { (node) throws(ONNXError) in [try node.choice()] },
    "Not": unary({ $0 == 0 ? 1 : 0 }, { $0 == 0 ? 1 : 0 }),
    "Neg": unary({ -$0 }, { 0 &- $0 }),
    "Abs": unary({ abs($0) }, { $0 < 0 ? 0 &- $0 : $0 }),
    "Sign": unary({ $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }, { $0.signum() }),
    "Floor": unary({ $0.rounded(.down) }, { $0 }),
    "Ceil": unary({ $0.rounded(.up) }, { $0 }),
    "Round": unary({ $0.rounded(.toNearestOrEven) }, { $0 }),
    "Sqrt": unary({ $0.squareRoot() }),
    "Reciprocal": unary({ 1 / $0 }),
    "Exp": unary({ exp($0) }),
    "Log": unary({ log($0) }),
    "Sin": unary({ sin($0) }),
    "Cos": unary({ cos($0) }),
    "Tanh": unary({ tanh($0) }),
    "Erf": unary({ erf($0) }),
    "Sigmoid": unary({ 1 / (1 + exp(-$0)) }),
    "Relu": unary({ $0 < 0 ? 0 : $0 }, { max(0, $0) }),
  ]

  private static func unary(
    _ reals: @escaping @Sendable (Double) -> Double,
    _ integers: (@Sendable (Int64) -> Int64)? = nil
  ) -> Evaluator {
    { (node) throws(ONNXError) in
      let tensor = try node.input(0)
      if let integers, tensor.type.kind != .floating {
        return [
          try node.elementwise([tensor], type: tensor.type) { inputs in
            guard case .integers(let values) = inputs[0] else { return inputs[0] }
            return .integers(values.map(integers))
          }
        ]
      }
      guard tensor.type.kind == .floating else { throw node.wrongType(tensor) }
      return [
        try node.elementwise([tensor], type: tensor.type) { inputs in
          guard case .reals(let values) = inputs[0] else { return inputs[0] }
          return .reals(values.map(reals))
        }
      ]
    }
  }

  /// Computes on tensors that are spread to common dimensions.
  ///
  /// - Parameters:
  ///   - type: of the result.
  ///   - body: gets the elements of each tensor, as many of one as of another.
  func elementwise(
    _ tensors: [ONNXTensor], type: ONNXElementType, _ body: ([Numbers]) -> Numbers
  ) throws(ONNXError) -> ONNXTensor {
    guard let dims = Places.broadcast(tensors.map(\.dims)) else {
      let shapes = tensors.prefix(8).map { ONNXError.text($0.dims) }.joined(separator: " and ")
      throw node.error(
        "computes with \(shapes), which cannot be spread to each other; \(ONNXError.exportAgain)")
    }
    // One element for all, as of a filled tensor, is computed once.
    let isRepeated = tensors.allSatisfy { $0.isRepeated || $0.count == 1 }
    let computed = isRepeated ? [Int](repeating: 1, count: dims.count) : dims
    let count = try reserve(computed)
    var numbers: [Numbers] = []
    for tensor in tensors {
      let own = isRepeated ? ONNXTensor(tensor, dims: []) : tensor
      let places = own.dims == computed || count == 0 ? nil : Places.spread(own.dims, to: computed)
      if tensor.type.kind == .floating {
        let values = count == 0 ? [] : try own.doubles()
        numbers.append(.reals(places?.map { values[$0] } ?? values))
      } else {
        let values = count == 0 ? [] : try own.integers()
        numbers.append(.integers(places?.map { values[$0] } ?? values))
      }
    }
    let bytes = Self.bytes(body(numbers), type)
    return try ONNXTensor(
      place: place, type: type, dims: dims, storage: isRepeated ? .repeated(bytes) : .bytes(bytes))
  }

  /// The bytes of numbers in a type.
  static func bytes(_ numbers: Numbers, _ type: ONNXElementType) -> [UInt8] {
    switch (numbers, type.kind) {
    case (.reals(let values), .floating): ONNXTensor.bytes(values, type)
    case (.reals(let values), .boolean): values.map { $0 == 0 ? 0 : 1 }
    case (.reals(let values), _): ONNXTensor.bytes(values.map(truncated), type)
    case (.integers(let values), .floating): ONNXTensor.bytes(values.map(Double.init), type)
    case (.integers(let values), _): ONNXTensor.bytes(values, type)
    }
  }

  /// A number without its fraction; the nearest integer for those too large, 0 for NaN.
  private static func truncated(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    return Int64(exactly: value.rounded(.towardZero)) ?? (value < 0 ? Int64.min : Int64.max)
  }

  func wrongType(_ tensor: ONNXTensor) -> ONNXError {
    node.error(
      "computes with \(tensor.type.name), which convc does not; \(ONNXError.exportAgain)")
  }

  /// Two inputs of one type. Before opset 7 the second could begin at an axis of the first.
  private func pair() throws(ONNXError) -> (ONNXTensor, ONNXTensor) {
    let first = try input(0)
    var second = try input(1)
    guard first.type == second.type || (node.op == "Pow" && second.type.kind != nil) else {
      throw node.error(
        "computes with \(first.type.name) and \(second.type.name), expected one type; "
          + ONNXError.exportAgain)
    }
    guard first.type.kind != nil else { throw wrongType(first) }
    if node.opset < 7, let axis = try node.int("axis") {
      let trailing = first.dims.count - (try self.axis(axis, rank: first.dims.count))
      let ones = max(0, trailing - second.dims.count)
      second = ONNXTensor(second, dims: second.dims + [Int](repeating: 1, count: ones))
    }
    return (first, second)
  }

  private func binary(
    reals: (Double, Double) -> Double, integers: (Int64, Int64) -> Int64
  ) throws(ONNXError) -> ONNXTensor {
    let (first, second) = try pair()
    return try elementwise([first, second], type: first.type) {
      Self.combined($0[0], $0[1], reals, integers)
    }
  }

  private static func combined(
    _ first: Numbers, _ second: Numbers, _ reals: (Double, Double) -> Double,
    _ integers: (Int64, Int64) -> Int64
  ) -> Numbers {
    switch (first, second) {
    case (.reals(let a), .reals(let b)): .reals(zip(a, b).map(reals))
    case (.integers(let a), .integers(let b)): .integers(zip(a, b).map(integers))
    case (.reals(let a), .integers(let b)): .reals(zip(a, b).map { reals($0, Double($1)) })
    case (.integers(let a), .reals(let b)): .reals(zip(a, b).map { reals(Double($0), $1) })
    }
  }

  private func comparison(
    _ reals: (Double, Double) -> Bool, _ integers: (Int64, Int64) -> Bool
  ) throws(ONNXError) -> ONNXTensor {
    let (first, second) = try pair()
    return try elementwise([first, second], type: .bool) {
      Self.combined($0[0], $0[1], { reals($0, $1) ? 1 : 0 }, { integers($0, $1) ? 1 : 0 })
    }
  }

  /// Any number of inputs, one after the other.
  private func chain(
    reals: (Double, Double) -> Double, integers: (Int64, Int64) -> Int64
  ) throws(ONNXError) -> ONNXTensor {
    var result = try input(0)
    guard result.type.kind != nil else { throw wrongType(result) }
    for tensor in inputs.dropFirst().compactMap({ $0 }) {
      guard tensor.type == result.type else {
        throw node.error(
          "computes with \(result.type.name) and \(tensor.type.name), expected one type; "
            + ONNXError.exportAgain)
      }
      result = try elementwise([result, tensor], type: result.type) {
        Self.combined($0[0], $0[1], reals, integers)
      }
    }
    return result
  }

  private func mean() throws(ONNXError) -> ONNXTensor {
    let sum = try chain(reals: +, integers: &+)
    let count = Double(inputs.count)
    return try elementwise([sum], type: sum.type) { numbers in
      guard case .reals(let values) = numbers[0] else { return numbers[0] }
      return .reals(values.map { $0 / count })
    }
  }

  /// Bounds stand in inputs since opset 11, in attributes before. The upper one wins.
  private func clip() throws(ONNXError) -> ONNXTensor {
    var bounds: [ONNXTensor?] = [optional(1), optional(2)]
    for (index, name) in ["min", "max"].enumerated() where bounds[index] == nil {
      if let bound = try node.float(name) {
        bounds[index] = try ONNXTensor(
          [Double(bound)], type: try input(0).type, dims: [], place: place)
      }
    }
    var result = try input(0)
    guard result.type.kind != nil else { throw wrongType(result) }
    if let low = bounds[0] {
      result = try elementwise([result, low], type: result.type) {
        Self.combined($0[0], $0[1], { $0 < $1 ? $1 : $0 }, { max($0, $1) })
      }
    }
    if let high = bounds[1] {
      result = try elementwise([result, high], type: result.type) {
        Self.combined($0[0], $0[1], { $0 > $1 ? $1 : $0 }, { min($0, $1) })
      }
    }
    return result
  }

  private func refuseZeros() throws(ONNXError) {
    let second = try input(1)
    // One element of a filled tensor says what all are.
    let divisor =
      second.isRepeated && second.count > 0 ? ONNXTensor(second, dims: []) : second
    guard divisor.type.kind == .integer, try divisor.integers().contains(0) else { return }
    throw node.error("divides an integer by 0; \(ONNXError.exportAgain)")
  }

  /// The remainder, with the sign of the divisor, or with `fmod` that of the number.
  private func modulo() throws(ONNXError) -> ONNXTensor {
    try refuseZeros()
    let hasSignOfNumber = try node.int("fmod", default: 0) != 0
    func remainder(_ number: Int64, _ divisor: Int64) -> Int64 {
      guard divisor != 0, divisor != -1 else { return 0 }
      let rest = number % divisor
      return hasSignOfNumber || rest == 0 || (rest < 0) == (divisor < 0) ? rest : rest &+ divisor
    }
    func realRemainder(_ number: Double, _ divisor: Double) -> Double {
      let rest = fmod(number, divisor)
      return hasSignOfNumber || rest == 0 || (rest < 0) == (divisor < 0) ? rest : rest + divisor
    }
    return try binary(reals: realRemainder, integers: remainder)
  }

  private func power() throws(ONNXError) -> ONNXTensor {
    func power(_ base: Int64, _ exponent: Int64) -> Int64 {
      var (result, factor, left) = (Int64(1), base, exponent)
      if left < 0 { return base == 1 ? 1 : base == -1 ? (left % 2 == 0 ? 1 : -1) : 0 }
      while left > 0 {
        if left & 1 == 1 { result = result &* factor }
        factor = factor &* factor
        left >>= 1
      }
      return result
    }
    return try binary(reals: { pow($0, $1) }, integers: power)
  }

  private func choice() throws(ONNXError) -> ONNXTensor {
    let (condition, first, second) = (try input(0), try input(1), try input(2))
    guard condition.type == .bool, first.type == second.type else {
      throw node.error(
        "chooses by \(condition.type.name) between \(first.type.name) and \(second.type.name), "
          + "expected bool and one type; \(ONNXError.exportAgain)")
    }
    guard first.type.kind != nil else { throw wrongType(first) }
    return try elementwise([condition, first, second], type: first.type) { inputs in
      guard case .integers(let chosen) = inputs[0] else { return inputs[1] }
      switch (inputs[1], inputs[2]) {
      case (.reals(let a), .reals(let b)):
        return .reals(chosen.indices.map { chosen[$0] != 0 ? a[$0] : b[$0] })
      case (.integers(let a), .integers(let b)):
        return .integers(chosen.indices.map { chosen[$0] != 0 ? a[$0] : b[$0] })
      default: return inputs[1]
      }
    }
  }
}
