extension Evaluation {
  func concat() throws(ONNXError) -> ONNXTensor {
    let tensors = inputs.compactMap { $0 }
    guard let first = tensors.first else {
      throw node.error("has no inputs; \(ONNXError.exportAgain)")
    }
    // Before opset 4 the axis could be left out.
    let axis = try axis(node.int("axis", default: 1), rank: first.dims.count)
    var dims = first.dims
    dims[axis] = 0
    for tensor in tensors {
      var others = tensor.dims
      guard others.count == dims.count, tensor.type == first.type else { throw misfit(tensors) }
      let (sum, overflow) = dims[axis].addingReportingOverflow(others[axis])
      others[axis] = first.dims[axis]
      guard others == first.dims, !overflow else { throw misfit(tensors) }
      dims[axis] = sum
    }
    try reserve(dims)
    let size = first.type.size ?? 0
    let outer = dims[..<axis].reduce(1, &*)
    var pieces: [[UInt8]] = []
    for tensor in tensors { pieces.append(try tensor.bytes()) }
    var result: [UInt8] = []
    result.reserveCapacity(dims.reduce(size, &*))
    for row in 0..<outer {
      for (piece, tensor) in zip(pieces, tensors) {
        let count = tensor.dims[axis...].reduce(size, &*)
        result += piece[row * count..<(row + 1) * count]
      }
    }
    return try ONNXTensor(place: place, type: first.type, dims: dims, storage: .bytes(result))
  }

  private func misfit(_ tensors: [ONNXTensor]) -> ONNXError {
    let shapes = tensors.prefix(8).map { "\(ONNXError.text($0.dims)) of \($0.type.name)" }
    return node.error(
      "concatenates \(shapes.joined(separator: ", ")), which do not fit; \(ONNXError.exportAgain)")
  }

  func split() throws(ONNXError) -> [ONNXTensor] {
    let tensor = try input(0)
    let axis = try axis(node.int("axis", default: 0), rank: tensor.dims.count)
    let sizes = try Splitting.sizes(
      extent: tensor.dims[axis], given: try ints(input: 1, attribute: "split"),
      parts: node.outputs.count, place: node.place)
    let strides = Places.strides(tensor.dims)
    var start = 0
    var result: [ONNXTensor] = []
    for size in sizes {
      var dims = tensor.dims
      dims[axis] = size
      try reserve(dims)
      result.append(
        try moved(
          tensor, to: dims, Places.all(dims, steps: strides, start: start * strides[axis])))
      start += size
    }
    return result
  }

  func slice() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    let rank = tensor.dims.count
    guard let starts = try ints(input: 1, attribute: "starts"),
      let ends = try ints(input: 2, attribute: "ends")
    else { throw node.error("has no starts or no ends; \(ONNXError.exportAgain)") }
    let axes = try ints(input: 3, attribute: "axes") ?? Array(0..<starts.count)
    let steps = try ints(input: 4, attribute: "steps") ?? starts.map { _ in 1 }
    guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count
    else {
      throw node.error(
        "has \(starts.count) starts, \(ends.count) ends, \(axes.count) axes and \(steps.count) "
          + "steps, expected as many of each; \(ONNXError.exportAgain)")
    }
    var dims = tensor.dims
    var strides = Places.strides(tensor.dims)
    var place = 0
    for index in axes.indices {
      let axis = try axis(axes[index], rank: rank)
      let range = try Slicing(
        start: starts[index], end: ends[index], step: steps[index], extent: tensor.dims[axis],
        place: node.place)
      place += range.first * strides[axis]
      dims[axis] = range.count
      strides[axis] = strides[axis] &* range.step
    }
    try reserve(dims)
    return try moved(tensor, to: dims, Places.all(dims, steps: strides, start: place))
  }
}

/// What a `Slice` takes of one axis.
public struct Slicing: Sendable, Hashable {
  /// The first element taken.
  public let first: Int
  public let step: Int
  public let count: Int

  /// Reads bounds as ONNX has them: negative ones count from the end, those beyond an end mean the
  /// end.
  ///
  /// - Throws: a step of 0.
  public init(
    start: Int, end: Int, step: Int, extent: Int, place: String
  ) throws(ONNXError) {
    guard step != 0 else {
      throw ONNXError(place, "slices with a step of 0; \(ONNXError.exportAgain)")
    }
    func bounded(_ bound: Int, _ range: ClosedRange<Int>) -> Int {
      let place = bound < 0 ? bound.addingReportingOverflow(extent).partialValue : bound
      return min(max(place, range.lowerBound), range.upperBound)
    }
    let last = max(extent - 1, 0)
    if step > 0 {
      first = bounded(start, 0...extent)
      let span = bounded(end, 0...extent) - first
      count = span > 0 ? (span - 1) / step + 1 : 0
    } else {
      first = bounded(start, 0...last)
      // The end may lie before the first element.
      let span = first - bounded(end, -1...last)
      count = span > 0 && extent > 0 ? (span - 1) / (step == Int.min ? Int.max : -step) + 1 : 0
    }
    // A step that is never taken may be of any size.
    self.step = count > 1 ? step : 1
  }
}

/// What a `Split` makes of one axis.
public enum Splitting {
  /// - Parameters:
  ///   - given: the sizes as the model lists them; nil means equal parts, of which the last may be smaller.
  ///   - parts: number of outputs.
  /// - Throws: sizes that do not add up to the extent.
  public static func sizes(
    extent: Int, given: [Int]?, parts: Int, place: String
  ) throws(ONNXError) -> [Int] {
    guard let given else {
      guard parts > 0 else { throw ONNXError(place, "has no outputs; \(ONNXError.exportAgain)") }
      let size = (extent + parts - 1) / parts
      return (0..<parts).map { max(0, min(size, extent - $0 * size)) }
    }
    var left = extent
    for size in given { left = size < 0 || size > left ? -1 : left - size }
    guard left == 0, given.count == parts else {
      throw ONNXError(
        place,
        "splits \(extent) into \(given) for \(parts) outputs; expected parts that add up; "
          + ONNXError.exportAgain)
    }
    return given
  }
}
