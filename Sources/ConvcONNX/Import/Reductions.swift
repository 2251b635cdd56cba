import ConvcIR
import ConvcLayers

/// Sums and means over axes.
let reductionOperators: [String: OperatorConverter] = [
  "ReduceMean": { (node) throws(ConversionError) in
    try node.reduction(of: try node.value(0), isMean: true)
  },
  "ReduceSum": { (node) throws(ConversionError) in try node.reduction(of: try node.value(0)) },
  "ReduceL1": { (node) throws(ConversionError) in
    try node.reduction(of: try node.elementary(.abs, try node.ranked(0)))
  },
  "ReduceL2": { (node) throws(ConversionError) in
    try node.reduction(of: try node.squares()) { (sum) throws(ConversionError) in
      try node.elementary(.sqrt, sum)
    }
  },
  "ReduceSumSquare": { (node) throws(ConversionError) in
    try node.reduction(of: try node.squares())
  },
  "ReduceLogSum": { (node) throws(ConversionError) in
    try node.reduction(of: try node.value(0)) { (sum) throws(ConversionError) in
      try node.elementary(.log, sum)
    }
  },
]

extension NodeConversion {
  /// A function of each value.
  func elementary(
    _ function: Elementary.Function, _ x: ConvertedValue
  ) throws(ConversionError) -> ConvertedValue {
    try apply(Elementary(function), to: x, shape: x.shape)
  }

  fileprivate func squares() throws(ConversionError) -> ConvertedValue {
    let x = try ranked(0)
    return try apply(Multiply(), to: x, x, shape: x.shape)
  }

  /// Sums a value over the axes that the node names, or takes the mean.
  ///
  /// - Parameter finish: what is done with the result.
  fileprivate func reduction(
    of x: ConvertedValue, isMean: Bool = false,
    finish: (ConvertedValue) throws(ConversionError) -> ConvertedValue = {
      (sum) throws(ConversionError) in sum
    }
  ) throws(ConversionError) {
    let rank = x.shape.count
    var axes = Set<Int>()
    for axis in try integers(1, or: "axes") ?? [] { axes.insert(try self.axis(axis, of: rank)) }
    if axes.isEmpty {
      if try int("noop_with_empty_axes", 0) != 0 { return define(try finish(x), as: x.shape) }
      axes = Set(0..<rank)
    }
    let keeps = try int("keepdims", 1) != 0
    let shape = (0..<rank).compactMap { axes.contains($0) ? (keeps ? 1 : nil) : x.shape[$0] }
    if isMean, rank == 4, axes == [2, 3] {
      return define(try apply(GlobalAveragePool(), to: try reshape(x, to: x.shape)), as: shape)
    }
    // Neighbours that are both summed, or both kept, are one axis.
    var result = x
    var extents = x.shape
    var axis = rank - 1
    while axis >= 0 {
      guard axes.contains(axis) else {
        axis -= 1
        continue
      }
      var first = axis
      while first > 0, axes.contains(first - 1), first - 1 > 0 || axes.contains(0) { first -= 1 }
      let run = extents[first...axis].reduce(1, *)
      if run > 1 {
        let inner = extents.dropFirst(axis + 1).reduce(1, *)
        let outer =
          first == 0 ? [1, 1] : [extents[0], extents[1..<first].reduce(1, *)]
        let part = try reshape(result, to: outer + [run, inner])
        let layer: any Layer =
          isMean ? ReduceMean(axes: [2]) : ReduceSum(axes: [2])
        let reduced = try apply(layer, to: part)
        for place in first...axis { extents[place] = 1 }
        result = reduced.read(as: extents)
      }
      axis = first - 1
    }
    define(try finish(try ranked(result)), as: shape)
  }
}
