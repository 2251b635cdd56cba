/// A tensor of whole shape in double precision, for the evaluation that imported networks are compared with.
package struct PlainTensor: Sendable, Equatable {
  package let shape: [Int]
  /// Row-major.
  package var values: [Double]

  package init(_ shape: [Int], _ values: [Double]) {
    precondition(
      values.count == shape.reduce(1, *), "internal error: \(values.count) values for \(shape)")
    self.shape = shape
    self.values = values
  }

  /// The same value everywhere.
  init(_ shape: [Int], filledWith value: Double) {
    self.init(shape, [Double](repeating: value, count: shape.reduce(1, *)))
  }

  /// Computes each value from its place.
  init(_ shape: [Int], _ value: ([Int]) -> Double) {
    var values: [Double] = []
    var index = [Int](repeating: 0, count: shape.count)
    let count = shape.reduce(1, *)
    values.reserveCapacity(count)
    for _ in 0..<count {
      values.append(value(index))
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
        axis -= 1
      }
    }
    self.init(shape, values)
  }

  subscript(index: [Int]) -> Double {
    get { values[offset(index)] }
    set { values[offset(index)] = newValue }
  }

  private func offset(_ index: [Int]) -> Int {
    var offset = 0
    for (axis, place) in index.enumerated() { offset = offset * shape[axis] + place }
    return offset
  }

  /// The same values under another shape.
  func reshaped(_ shape: [Int]) -> PlainTensor { PlainTensor(shape, values) }

  func map(_ function: (Double) -> Double) -> PlainTensor {
    PlainTensor(shape, values.map(function))
  }

  /// Two tensors whose extents stand for each other, as ONNX's broadcasting has it.
  func combined(with other: PlainTensor, _ function: (Double, Double) -> Double) -> PlainTensor {
    let rank = max(shape.count, other.shape.count)
    func lifted(_ tensor: PlainTensor) -> PlainTensor {
      tensor.reshaped([Int](repeating: 1, count: rank - tensor.shape.count) + tensor.shape)
    }
    let (a, b) = (lifted(self), lifted(other))
    return PlainTensor(zip(a.shape, b.shape).map { $0 == 1 ? $1 : $0 }) { index in
      let first = a[zip(index, a.shape).map { $1 == 1 ? 0 : $0 }]
      let second = b[zip(index, b.shape).map { $1 == 1 ? 0 : $0 }]
      return function(first, second)
    }
  }

  /// Takes together what differs in some axes alone; those keep the extent 1.
  func reduced(
    over axes: [Int], from start: Double, _ step: (Double, Double) -> Double
  ) -> PlainTensor {
    var result = PlainTensor(
      shape.enumerated().map { axes.contains($0) ? 1 : $1 }, filledWith: start)
    _ = PlainTensor(shape) { index in
      let place = index.enumerated().map { axes.contains($0) ? 0 : $1 }
      result[place] = step(result[place], self[index])
      return 0
    }
    return result
  }
}
