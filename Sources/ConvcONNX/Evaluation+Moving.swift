extension Evaluation {
  /// Operators that move elements, or give them other dimensions.
  static let moving: [String: Evaluator] = [
    "Identity": { (node) throws(ONNXError) in [try node.input(0)] },
    "Reshape": { (node) throws(ONNXError) in [try node.reshape()] },
    "Flatten": { (node) throws(ONNXError) in [try node.flatten()] },
    "Squeeze": { (node) throws(ONNXError) in [try node.squeeze()] },
    "Unsqueeze": { (node) throws(ONNXError) in [try node.unsqueeze()] },
    "Transpose": { (node) throws(ONNXError) in [try node.transpose()] },
    "Expand": { (node) throws(ONNXError) in [try node.expand()] },
    "Tile": { (node) throws(ONNXError) in [try node.tile()] },
    "Concat": { (node) throws(ONNXError) in [try node.concat()] },
    "Split": { (node) throws(ONNXError) in try node.split() },
    "Slice": { (node) throws(ONNXError) in [try node.slice()] },
    "Gather": { (node) throws(ONNXError) in [try node.gather()] },
    "GatherElements": { (node) throws(ONNXError) in [try node.gatherElements()] },
  ]

  private func reshape() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    guard let wanted = try ints(input: 1, attribute: "shape") else {
      throw node.error("has no shape; \(ONNXError.exportAgain)")
    }
    let keepsZeros = try node.int("allowzero", default: 0) != 0
    return ONNXTensor(
      tensor,
      dims: try Reshaping.dims(tensor.dims, wanted, keepsZeros: keepsZeros, place: node.place))
  }

  private func flatten() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    let given = try node.int("axis", default: 1)
    let rank = tensor.dims.count
    let axis = given == rank ? rank : try self.axis(given, rank: rank)
    let rows = tensor.dims[..<axis].reduce(1, &*)
    return ONNXTensor(tensor, dims: [rows, tensor.dims[axis...].reduce(1, &*)])
  }

  private func squeeze() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    let rank = tensor.dims.count
    let given = try axes(input: 1, rank: rank)
    let axes = given ?? tensor.dims.indices.filter { tensor.dims[$0] == 1 }
    for axis in axes where tensor.dims[axis] != 1 {
      throw node.error(
        "squeezes axis \(axis) of \(ONNXError.text(tensor.dims)), expected an extent of 1; "
          + ONNXError.exportAgain)
    }
    return ONNXTensor(
      tensor, dims: tensor.dims.indices.filter { !axes.contains($0) }.map { tensor.dims[$0] })
  }

  private func unsqueeze() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    let count = try ints(input: 1, attribute: "axes")?.count ?? 0
    let rank = tensor.dims.count + count
    guard rank <= ONNXLimits().rank, let axes = try axes(input: 1, rank: rank) else {
      throw node.error("has no axes, or too many; \(ONNXError.exportAgain)")
    }
    var dims = tensor.dims
    for axis in axes { dims.insert(1, at: axis) }
    return ONNXTensor(tensor, dims: dims)
  }

  private func transpose() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    let rank = tensor.dims.count
    let order = try node.ints("perm") ?? Array((0..<rank).reversed())
    guard order.sorted() == Array(0..<rank) else {
      throw node.error(
        "permutes axes \(order), expected each of \(rank) once; \(ONNXError.exportAgain)")
    }
    let strides = Places.strides(tensor.dims)
    let dims = order.map { tensor.dims[$0] }
    if tensor.isRepeated { return ONNXTensor(tensor, dims: dims) }
    try reserve(dims)
    return try moved(tensor, to: dims, Places.all(dims, steps: order.map { strides[$0] }))
  }

  private func expand() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    return try spread(tensor, with: try input(1).ints())
  }

  private func spread(_ tensor: ONNXTensor, with shape: [Int]) throws(ONNXError) -> ONNXTensor {
    guard let dims = Places.broadcast([tensor.dims, shape]) else {
      throw node.error(
        "expands \(ONNXError.text(tensor.dims)) to \(ONNXError.text(shape)), which does not fit; "
          + ONNXError.exportAgain)
    }
    _ = try ONNXTensor.count(of: dims, place: place)
    if dims == tensor.dims || tensor.isRepeated { return ONNXTensor(tensor, dims: dims) }
    if tensor.count == 1 {
      return try ONNXTensor(
        place: place, type: tensor.type, dims: dims, storage: .repeated(try tensor.bytes()))
    }
    try reserve(dims)
    return try moved(tensor, to: dims, Places.spread(tensor.dims, to: dims))
  }

  private func tile() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    let repeats = try input(1).ints()
    guard repeats.count == tensor.dims.count, repeats.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
      throw node.error(
        "repeats \(repeats) times, expected a number for each of \(tensor.dims.count) axes; "
          + ONNXError.exportAgain)
    }
    var dims: [Int] = []
    for (dim, times) in zip(tensor.dims, repeats) {
      let (product, overflow) = dim.multipliedReportingOverflow(by: times)
      dims.append(overflow ? Int.max : product)
    }
    try reserve(dims)
    // Each axis becomes two: which copy, and where in it.
    let strides = Places.strides(tensor.dims)
    let places = Places.all(
      zip(repeats, tensor.dims).flatMap { [$0, $1] }, steps: strides.flatMap { [0, $0] })
    return try moved(tensor, to: dims, places)
  }

  private func gather() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    let indices = try input(1)
    let axis = try axis(node.int("axis", default: 0), rank: tensor.dims.count)
    let dims = Array(tensor.dims[..<axis] + indices.dims + tensor.dims[(axis + 1)...])
    try reserve(dims)
    let extent = tensor.dims[axis]
    let chosen = try bounded(try indices.integers(), extent)
    let inner = tensor.dims[(axis + 1)...].reduce(1, &*)
    let outer = tensor.dims[..<axis].reduce(1, &*)
    var places: [Int] = []
    for row in 0..<outer {
      for index in chosen {
        let start = (row * extent + index) * inner
        places += start..<start + inner
      }
    }
    return try moved(tensor, to: dims, places)
  }

  /// Indices as places on an axis; negative ones count from the end.
  private func bounded(_ indices: [Int64], _ extent: Int) throws(ONNXError) -> [Int] {
    var result: [Int] = []
    for index in indices {
      guard index >= -Int64(extent), index < extent else {
        throw node.error(
          "has index \(index), expected \(-extent) to \(extent - 1); \(ONNXError.exportAgain)")
      }
      result.append(index < 0 ? Int(index) + extent : Int(index))
    }
    return result
  }

  private func gatherElements() throws(ONNXError) -> ONNXTensor {
    let tensor = try input(0)
    let indices = try input(1)
    let rank = tensor.dims.count
    let axis = try axis(node.int("axis", default: 0), rank: rank)
    guard indices.dims.count == rank,
      (0..<rank).allSatisfy({ $0 == axis || indices.dims[$0] <= tensor.dims[$0] })
    else {
      throw node.error(
        "gathers \(ONNXError.text(indices.dims)) elements of \(ONNXError.text(tensor.dims)), "
          + "which does not fit; \(ONNXError.exportAgain)")
    }
    try reserve(indices.dims)
    let chosen = try bounded(try indices.integers(), tensor.dims[axis])
    let strides = Places.strides(tensor.dims)
    var steps = strides
    steps[axis] = 0
    let rows = Places.all(indices.dims, steps: steps)
    return try moved(
      tensor, to: indices.dims, zip(rows, chosen).map { $0 + $1 * strides[axis] })
  }
}

/// What a `Reshape` asks for.
public enum Reshaping {
  /// The dimensions that `wanted` means: 0 keeps an extent, a single -1 takes what is left.
  ///
  /// - Parameter keepsZeros: 0 means an extent of 0.
  public static func dims(
    _ old: [Int], _ wanted: [Int], keepsZeros: Bool, place: String
  ) throws(ONNXError) -> [Int] {
    let misfit = ONNXError(
      place,
      "reshapes \(ONNXError.text(old)) to \(wanted), which has not as many elements; "
        + ONNXError.exportAgain)
    guard wanted.filter({ $0 == -1 }).count <= 1, wanted.allSatisfy({ $0 >= -1 }) else {
      throw misfit
    }
    var dims: [Int] = []
    for (axis, extent) in wanted.enumerated() {
      guard extent == 0, !keepsZeros else {
        dims.append(extent)
        continue
      }
      guard axis < old.count else { throw misfit }
      dims.append(old[axis])
    }
    let known = try ONNXTensor.count(of: dims.map { $0 == -1 ? 1 : $0 }, place: place)
    let count = try ONNXTensor.count(of: old, place: place)
    if let free = dims.firstIndex(of: -1) {
      guard known > 0 ? count % known == 0 : count == 0 else { throw misfit }
      dims[free] = known > 0 ? count / known : 0
    } else if known != count {
      throw misfit
    }
    return dims
  }
}
