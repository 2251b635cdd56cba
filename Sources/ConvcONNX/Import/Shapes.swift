import ConvcIR
import ConvcLayers

/// Operators that change the shape alone: nothing is computed.
let shapeOperators: [String: OperatorConverter] = [
  "Reshape": { (node) throws(ConversionError) in
    let x = try node.value(0)
    let wanted = try node.integers(1, or: "shape") ?? []
    let keeps = try node.int("allowzero", 0) != 0
    let shape = try node.read { (inner) throws(ONNXError) in
      try Reshaping.dims(x.shape, wanted, keepsZeros: keeps, place: inner.place)
    }
    node.define(x, as: shape)
  },
  "Flatten": { (node) throws(ConversionError) in
    let x = try node.value(0)
    let rank = x.shape.count
    let given = try node.int("axis", 1)
    let axis = given == rank ? rank : try node.axis(given, of: rank)
    node.define(
      x, as: [x.shape.prefix(axis).reduce(1, *), x.shape.dropFirst(axis).reduce(1, *)])
  },
  "Squeeze": { (node) throws(ConversionError) in
    let x = try node.value(0)
    var axes = Set<Int>()
    if let given = try node.integers(1, or: "axes") {
      for axis in given { axes.insert(try node.axis(axis, of: x.shape.count)) }
    } else {
      axes = Set(x.shape.indices.filter { x.shape[$0] == 1 })
    }
    guard axes.allSatisfy({ x.shape[$0] == 1 }) else {
      throw node.problem("squeezes axes of \(x.shape) whose extent is not 1")
    }
    node.define(x, as: x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
  },
  "Unsqueeze": { (node) throws(ConversionError) in
    let x = try node.value(0)
    let given = try node.integers(1, or: "axes") ?? []
    let rank = x.shape.count + given.count
    var axes = Set<Int>()
    for axis in given { axes.insert(try node.axis(axis, of: rank)) }
    guard axes.count == given.count else { throw node.problem("names an axis twice") }
    var rest = x.shape[...]
    node.define(x, as: (0..<rank).map { axes.contains($0) ? 1 : rest.popFirst() ?? 1 })
  },
]
