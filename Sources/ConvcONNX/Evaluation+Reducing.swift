import Glibc

extension Evaluation {
  /// Operators that make one element of all along some axes.
  static let reducing: [String: Evaluator] = [
    "ReduceSum": reduction({ $0.reduce(0, +) }, { $0.reduce(0, &+) }),
    "ReduceMean": reduction(
      { $0.reduce(0, +) / Double($0.count) },
      { $0.isEmpty ? 0 : $0.reduce(0, &+) / Int64($0.count) }),
    "ReduceProd": reduction({ $0.reduce(1, *) }, { $0.reduce(1, &*) }),
    "ReduceMax": reduction(
      { $0.reduce(-.infinity) { $0 > $1 || $0.isNaN ? $0 : $1 } }, { $0.max() ?? Int64.min }),
    "ReduceMin": reduction(
      { $0.reduce(.infinity) { $0 < $1 || $0.isNaN ? $0 : $1 } }, { $0.min() ?? Int64.max }),
    "ReduceL1": reduction(
      { $0.reduce(0) { $0 + abs($1) } }, { $0.reduce(0) { $0 &+ ($1 < 0 ? 0 &- $1 : $1) } }),
    "ReduceL2": reduction({ $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }),
    "ReduceSumSquare": reduction(
      { $0.reduce(0) { $0 + $1 * $1 } }, { $0.reduce(0) { $0 &+ $1 &* $1 } }),
    "ReduceLogSum": reduction({ log($0.reduce(0, +)) }),
    "ReduceLogSumExp": reduction({ values in
      let largest = values.max() ?? -.infinity
      guard largest.isFinite else { return largest }
      return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
    }),
  ]

  private static func reduction(
    _ reals: @escaping @Sendable ([Double]) -> Double,
    _ integers: (@Sendable ([Int64]) -> Int64)? = nil
  ) -> Evaluator {
    { (node) throws(ONNXError) in
      let tensor = try node.input(0)
      guard let plan = try node.reductionPlan(tensor) else { return [tensor] }
      try node.reserve(tensor.dims)
      try node.reserve(plan.dims)
      if tensor.type.kind == .floating {
        let values = try tensor.doubles()
        return [
          try ONNXTensor(
            plan.starts.map { start in reals(plan.inner.map { values[start + $0] }) },
            type: tensor.type, dims: plan.dims, place: node.place)
        ]
      }
      guard let integers, tensor.type.kind != nil else { throw node.wrongType(tensor) }
      let values = try tensor.integers()
      // The largest of nothing is the smallest that the type holds.
      let range = plan.inner.isEmpty ? tensor.type.integerRange : Int64.min...Int64.max
      return [
        try ONNXTensor(
          plan.starts.map { start in
            min(
              max(integers(plan.inner.map { values[start + $0] }), range.lowerBound),
              range.upperBound)
          },
          type: tensor.type, dims: plan.dims, place: node.place)
      ]
    }
  }

  private struct ReductionPlan {
    /// The result's dimensions.
    let dims: [Int]
    /// Where the elements of each result begin, and where they lie from there.
    let starts: [Int]
    let inner: [Int]
  }

  /// Nil where nothing is to be reduced.
  private func reductionPlan(_ tensor: ONNXTensor) throws(ONNXError) -> ReductionPlan? {
    let rank = tensor.dims.count
    let keepsAxes = try node.int("keepdims", default: 1) != 0
    var axes = try axes(input: 1, rank: rank) ?? []
    if axes.isEmpty {
      if try node.int("noop_with_empty_axes", default: 0) != 0 { return nil }
      axes = Array(0..<rank)
    }
    try reserve(tensor.dims)
    let strides = Places.strides(tensor.dims)
    let kept = (0..<rank).filter { !axes.contains($0) }
    let dims =
      keepsAxes
      ? (0..<rank).map { axes.contains($0) ? 1 : tensor.dims[$0] } : kept.map { tensor.dims[$0] }
    return ReductionPlan(
      dims: dims,
      starts: Places.all(kept.map { tensor.dims[$0] }, steps: kept.map { strides[$0] }),
      inner: Places.all(axes.map { tensor.dims[$0] }, steps: axes.map { strides[$0] }))
  }
}
