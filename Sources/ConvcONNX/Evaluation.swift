/// A node and the constants that it reads.
struct Evaluation {
  typealias Evaluator = @Sendable (Evaluation) throws(ONNXError) -> [ONNXTensor]

  let node: ONNXNode
  /// Nil where an optional input is left out.
  let inputs: [ONNXTensor?]
  /// Bytes that may be computed.
  let room: Int

  /// Operators by name.
  static let evaluators: [String: Evaluator] =
    making.merging(moving) { $1 }.merging(elementwise) { $1 }.merging(reducing) { $1 }

  /// Operators that ask for dimensions and read no element.
  static let needsShapesOnly: Set<String> = ["Shape", "Size"]

  /// Operators that give constants on as they are.
  static let readsNoElements: Set<String> = [
    "Shape", "Size", "Constant", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
  ]

  /// What messages call a result until it has its name.
  var place: String { node.place }

  func input(_ index: Int) throws(ONNXError) -> ONNXTensor {
    guard let tensor = optional(index) else {
      throw node.error("has no input \(index); \(ONNXError.exportAgain)")
    }
    return tensor
  }

  func optional(_ index: Int) -> ONNXTensor? { index < inputs.count ? inputs[index] : nil }

  /// Numbers that stand in an input in newer versions of an operator, and in an attribute in older ones.
  ///
  /// - Returns: nil where they are left out.
  func ints(input index: Int, attribute: String) throws(ONNXError) -> [Int]? {
    if let tensor = optional(index) { return try tensor.ints() }
    return try node.ints(attribute)
  }

  /// Makes sure that a result may be computed.
  ///
  /// - Returns: its number of elements.
  @discardableResult
  func reserve(_ dims: [Int]) throws(ONNXError) -> Int {
    // An extent of 0 must not hide others that loops would go through.
    let count = try ONNXTensor.count(of: dims.map { max(1, $0) }, place: place)
    guard count <= room / 8 else {
      throw node.error(
        "makes a constant of \(ONNXError.text(dims)) elements, more than the model's weights "
          + "explain; \(ONNXError.exportAgain)")
    }
    return dims.contains(0) ? 0 : count
  }

  /// An axis of a tensor of `rank` axes; negative ones count from the end.
  func axis(_ axis: Int, rank: Int) throws(ONNXError) -> Int {
    guard axis >= -rank, axis < rank else {
      throw node.error(
        "has axis \(axis), expected \(-rank) to \(rank - 1); \(ONNXError.exportAgain)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Axes that stand in an input since opset 11 or 13, and in an attribute before.
  ///
  /// - Returns: the axes, each once and in order; nil where none are given.
  func axes(input index: Int, rank: Int) throws(ONNXError) -> [Int]? {
    guard let given = try ints(input: index, attribute: "axes") else { return nil }
    var result: [Int] = []
    for value in given {
      let axis = try axis(value, rank: rank)
      guard !result.contains(axis) else {
        throw node.error("names axis \(axis) twice; \(ONNXError.exportAgain)")
      }
      result.append(axis)
    }
    return result.sorted()
  }

  /// Elements of a tensor in another order: result `i` is element `offsets[i]`.
  func moved(
    _ tensor: ONNXTensor, to dims: [Int], _ offsets: [Int]
  ) throws(ONNXError) -> ONNXTensor {
    let size = tensor.type.size ?? 0
    if tensor.isRepeated { return ONNXTensor(tensor, dims: dims) }
    let bytes = try tensor.bytes()
    let result = [UInt8](unsafeUninitializedCapacity: offsets.count * size) { buffer, count in
      bytes.withUnsafeBytes { source in
        for (index, offset) in offsets.enumerated() {
          for byte in 0..<size { buffer[index * size + byte] = source[offset * size + byte] }
        }
      }
      count = offsets.count * size
    }
    return try ONNXTensor(place: place, type: tensor.type, dims: dims, storage: .bytes(result))
  }
}

/// Positions of elements in row-major order.
enum Places {
  /// How far apart neighbors along each axis lie.
  static func strides(_ dims: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: dims.count)
    for axis in dims.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] &* dims[axis + 1]
    }
    return strides
  }

  /// The places `start + Σ index · step` over all indices of `dims`, in row-major order.
  static func all(_ dims: [Int], steps: [Int], start: Int = 0) -> [Int] {
    let count = dims.reduce(1, &*)
    guard count > 0 else { return [] }
    var index = [Int](repeating: 0, count: dims.count)
    var place = start
    var result: [Int] = []
    result.reserveCapacity(count)
    for _ in 0..<count {
      result.append(place)
      var axis = dims.count - 1
      while axis >= 0 {
        index[axis] += 1
        place += steps[axis]
        if index[axis] < dims[axis] { break }
        place -= steps[axis] * dims[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  /// The dimensions that several tensors are spread to; nil where they do not fit.
  static func broadcast(_ all: [[Int]]) -> [Int]? {
    let rank = all.map(\.count).max() ?? 0
    var result = [Int](repeating: 1, count: rank)
    for dims in all {
      for (axis, dim) in zip((rank - dims.count)..<rank, dims) where dim != 1 {
        guard result[axis] == 1 || result[axis] == dim else { return nil }
        result[axis] = dim
      }
    }
    return result
  }

  /// Where each element of `target` comes from in a tensor of `dims` that is spread to it.
  static func spread(_ dims: [Int], to target: [Int]) -> [Int] {
    let missing = target.count - dims.count
    let own = strides(dims)
    let steps = target.indices.map { axis in
      axis < missing || dims[axis - missing] == 1 ? 0 : own[axis - missing]
    }
    return all(target, steps: steps)
  }
}
