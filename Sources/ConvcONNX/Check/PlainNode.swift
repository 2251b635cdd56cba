/// A node of a drawn network, and what it computes.
package struct PlainNode: Sendable {
  package enum Attribute: Sendable {
    case int(Int)
    case ints([Int])
    case float(Float)
    case text(String)
  }

  package let op: String
  /// An empty name: the input is left out.
  package let inputs: [String]
  package let outputs: [String]
  package let attributes: [String: Attribute]
  package let opset: Int

  func int(_ name: String, _ standard: Int) -> Int {
    if case .int(let value)? = attributes[name] { value } else { standard }
  }

  func ints(_ name: String) -> [Int]? {
    if case .ints(let values)? = attributes[name] { values } else { nil }
  }

  func float(_ name: String, _ standard: Float) -> Double {
    if case .float(let value)? = attributes[name] { Double(value) } else { Double(standard) }
  }

  func text(_ name: String, _ standard: String) -> String {
    if case .text(let text)? = attributes[name] { text } else { standard }
  }

  /// The outputs, each written as the operator's definition in the ONNX standard says, without any thought of speed.
  ///
  /// - Returns: nil: the evaluation does not know the operator.
  package func evaluate(_ values: [PlainTensor?]) -> [PlainTensor]? {
    guard let x = values.first ?? nil else { return nil }
    if let function = PlainFunctions.unary(self) { return [x.map(function)] }
    if let function = PlainFunctions.binary[op] {
      let others = values.dropFirst().compactMap { $0 }
      return [others.reduce(x) { $0.combined(with: $1, function) }]
    }
    switch op {
    case "Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool":
      return PlainWindows(node: self).evaluate(x, values).map { [$0] }
    case "Split": return split(x, values)
    default: return single(x, values).map { [$0] }
    }
  }

  private func axis(_ axis: Int, _ rank: Int) -> Int { axis < 0 ? axis + rank : axis }

  /// Whole numbers of an input.
  private func list(_ values: [PlainTensor?], _ index: Int) -> [Int]? {
    guard index < values.count, let tensor = values[index] else { return nil }
    return tensor.values.map { Int($0) }
  }

  private func single(_ x: PlainTensor, _ values: [PlainTensor?]) -> PlainTensor? {
    let rank = x.shape.count
    let others = values.dropFirst().compactMap { $0 }
    switch op {
    case "Identity", "Dropout": return x
    case "Clip":
      func bound(_ index: Int, _ standard: Double) -> Double {
        index < values.count ? values[index]?.values[0] ?? standard : standard
      }
      let (low, high) = (bound(1, -.infinity), bound(2, .infinity))
      return x.map { min(max($0, low), high) }
    case "BatchNormalization": return batchNormalization(x, others)
    case "InstanceNormalization": return instanceNormalization(x, others)
    case "LRN": return localResponse(x)
    case "PRelu": return x.combined(with: others[0]) { $0 < 0 ? $0 * $1 : $0 }
    case "Softmax", "LogSoftmax": return softmax(x)
    case "Gemm": return gemm(x, others)
    case "MatMul": return product(x, others[0])
    case "Flatten":
      let cut = int("axis", 1)
      return x.reshaped([
        x.shape.prefix(cut).reduce(1, *), x.shape.dropFirst(cut).reduce(1, *),
      ])
    case "Reshape":
      return list(values, 1).map { shape in
        let filled = shape.enumerated().map { $1 == 0 ? x.shape[$0] : $1 }
        let known = filled.filter { $0 > 0 }.reduce(1, *)
        return x.reshaped(filled.map { $0 < 0 ? x.values.count / known : $0 })
      }
    case "Transpose":
      let order = ints("perm") ?? Array((0..<rank).reversed())
      return PlainTensor(order.map { x.shape[$0] }) { index in
        var place = index
        for (axis, source) in order.enumerated() { place[source] = index[axis] }
        return x[place]
      }
    case "Concat": return concatenation([x] + others)
    case "Slice": return slice(x, values)
    case "Pad": return pad(x, values)
    case "Gather":
      let axis = axis(int("axis", 0), rank)
      guard let cells = list(values, 1) else { return nil }
      var shape = x.shape
      shape[axis] = cells.count
      return PlainTensor(shape) { index in
        var place = index
        place[axis] = cells[index[axis]]
        return x[place]
      }
    case "DepthToSpace", "SpaceToDepth": return blocks(x)
    case "Resize": return resize(x, values)
    default: return op.hasPrefix("Reduce") ? reduction(x, values) : nil
    }
  }

  // MARK: Normalisation

  /// A value of each channel at every place.
  private func channel(_ tensor: PlainTensor, _ rank: Int) -> PlainTensor {
    tensor.reshaped([1, tensor.values.count] + [Int](repeating: 1, count: rank - 2))
  }

  private func batchNormalization(_ x: PlainTensor, _ others: [PlainTensor]) -> PlainTensor {
    let epsilon = float("epsilon", 1e-5)
    let parts = others.map { channel($0, x.shape.count) }
    let scale = parts[0].combined(with: parts[3]) { $0 / ($1 + epsilon).squareRoot() }
    return x.combined(with: parts[2], -).combined(with: scale, *).combined(with: parts[1], +)
  }

  private func instanceNormalization(_ x: PlainTensor, _ others: [PlainTensor]) -> PlainTensor {
    let axes = Array(2..<x.shape.count)
    let count = Double(axes.map { x.shape[$0] }.reduce(1, *))
    let mean = x.reduced(over: axes, from: 0, +).map { $0 / count }
    let centred = x.combined(with: mean, -)
    let variance = centred.map { $0 * $0 }.reduced(over: axes, from: 0, +).map { $0 / count }
    let epsilon = float("epsilon", 1e-5)
    return centred.combined(with: variance) { $0 / ($1 + epsilon).squareRoot() }
      .combined(with: channel(others[0], x.shape.count), *)
      .combined(with: channel(others[1], x.shape.count), +)
  }

  private func localResponse(_ x: PlainTensor) -> PlainTensor {
    let size = int("size", 1)
    let (alpha, beta, bias) = (float("alpha", 1e-4), float("beta", 0.75), float("bias", 1))
    return PlainTensor(x.shape) { index in
      let first = max(0, index[1] - (size - 1) / 2)
      let last = min(x.shape[1] - 1, index[1] + size / 2)
      var sum = 0.0
      for channel in first...last {
        var place = index
        place[1] = channel
        sum += x[place] * x[place]
      }
      return x[index] / PlainFunctions.power(bias + alpha / Double(size) * sum, beta)
    }
  }

  private func softmax(_ x: PlainTensor) -> PlainTensor {
    let rank = x.shape.count
    let axis = axis(int("axis", opset >= 13 ? -1 : 1), rank)
    let axes = opset >= 13 ? [axis] : Array(axis..<rank)
    let largest = x.reduced(over: axes, from: -.infinity, max)
    let shifted = x.combined(with: largest, -)
    let sum = shifted.map(PlainFunctions.exponential).reduced(over: axes, from: 0, +)
    return op == "Softmax"
      ? shifted.combined(with: sum) { PlainFunctions.exponential($0) / $1 }
      : shifted.combined(with: sum) { $0 - PlainFunctions.logarithm($1) }
  }

  // MARK: Matrices

  private func product(_ a: PlainTensor, _ b: PlainTensor) -> PlainTensor {
    let (inner, columns) = (a.shape[a.shape.count - 1], b.shape[b.shape.count - 1])
    return PlainTensor(a.shape.dropLast() + [columns]) { index in
      let column = index[index.count - 1]
      let matrix = b.shape.count == 2 ? [] : Array(index.dropLast(2))
      return (0..<inner).reduce(0) {
        $0 + a[index.dropLast() + [$1]] * b[matrix + [$1, column]]
      }
    }
  }

  private func gemm(_ x: PlainTensor, _ others: [PlainTensor]) -> PlainTensor {
    func turned(_ matrix: PlainTensor) -> PlainTensor {
      PlainTensor([matrix.shape[1], matrix.shape[0]]) { matrix[[$0[1], $0[0]]] }
    }
    let a = int("transA", 0) == 0 ? x : turned(x)
    let b = int("transB", 0) == 0 ? others[0] : turned(others[0])
    let (alpha, beta) = (float("alpha", 1), float("beta", 1))
    let result = product(a, b).map { alpha * $0 }
    guard others.count > 1 else { return result }
    return result.combined(with: others[1]) { $0 + beta * $1 }
  }

  private func reduction(_ x: PlainTensor, _ values: [PlainTensor?]) -> PlainTensor? {
    let rank = x.shape.count
    let axes = (list(values, 1) ?? ints("axes") ?? Array(0..<rank)).map { axis($0, rank) }
    let count = Double(axes.map { x.shape[$0] }.reduce(1, *))
    let result: PlainTensor
    switch op {
    case "ReduceSum": result = x.reduced(over: axes, from: 0, +)
    case "ReduceMean": result = x.reduced(over: axes, from: 0, +).map { $0 / count }
    case "ReduceMax": result = x.reduced(over: axes, from: -.infinity, max)
    case "ReduceMin": result = x.reduced(over: axes, from: .infinity, min)
    case "ReduceSumSquare": result = x.reduced(over: axes, from: 0) { $0 + $1 * $1 }
    case "ReduceL1": result = x.reduced(over: axes, from: 0) { $0 + $1.magnitude }
    case "ReduceL2":
      result = x.reduced(over: axes, from: 0) { $0 + $1 * $1 }.map { $0.squareRoot() }
    default: return nil
    }
    guard int("keepdims", 1) == 0 else { return result }
    return result.reshaped(
      result.shape.enumerated().filter { !axes.contains($0.offset) }.map(\.element))
  }

  // MARK: Moving

  private func concatenation(_ parts: [PlainTensor]) -> PlainTensor {
    let axis = axis(int("axis", 0), parts[0].shape.count)
    var shape = parts[0].shape
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    return PlainTensor(shape) { index in
      var place = index
      for part in parts {
        if place[axis] < part.shape[axis] { return part[place] }
        place[axis] -= part.shape[axis]
      }
      return .nan
    }
  }

  private func split(_ x: PlainTensor, _ values: [PlainTensor?]) -> [PlainTensor]? {
    let axis = axis(int("axis", 0), x.shape.count)
    let even = x.shape[axis] / outputs.count
    let sizes =
      list(values, 1) ?? ints("split") ?? [Int](repeating: even, count: outputs.count)
    var start = 0
    return sizes.map { size in
      defer { start += size }
      var shape = x.shape
      shape[axis] = size
      return PlainTensor(shape) { index in
        var place = index
        place[axis] += start
        return x[place]
      }
    }
  }

  private func slice(_ x: PlainTensor, _ values: [PlainTensor?]) -> PlainTensor? {
    guard let starts = list(values, 1), let ends = list(values, 2) else { return nil }
    let rank = x.shape.count
    let axes = (list(values, 3) ?? Array(0..<starts.count)).map { axis($0, rank) }
    let steps = list(values, 4) ?? starts.map { _ in 1 }
    var (shape, from, by) = (x.shape, x.shape.map { _ in 0 }, x.shape.map { _ in 1 })
    for (place, axis) in axes.enumerated() {
      let extent = x.shape[axis]
      let start = starts[place] < 0 ? starts[place] + extent : starts[place]
      let end = ends[place] < 0 ? ends[place] + extent : min(ends[place], extent)
      from[axis] = start
      by[axis] = steps[place]
      shape[axis] = (end - start + steps[place] - 1) / steps[place]
    }
    return PlainTensor(shape) { index in
      x[index.indices.map { from[$0] + by[$0] * index[$0] }]
    }
  }

  private func pad(_ x: PlainTensor, _ values: [PlainTensor?]) -> PlainTensor? {
    guard let pads = list(values, 1) else { return nil }
    let rank = x.shape.count
    let value = values.count > 2 ? values[2]?.values[0] ?? 0 : 0
    let shape = x.shape.indices.map { x.shape[$0] + pads[$0] + pads[rank + $0] }
    return PlainTensor(shape) { index in
      var place = index
      for axis in 0..<rank {
        place[axis] -= pads[axis]
        let last = x.shape[axis] - 1
        if (0...last).contains(place[axis]) { continue }
        switch text("mode", "constant") {
        case "edge": place[axis] = min(max(place[axis], 0), last)
        case "reflect": place[axis] = place[axis] < 0 ? -place[axis] : 2 * last - place[axis]
        default: return value
        }
      }
      return x[place]
    }
  }

  private func blocks(_ x: PlainTensor) -> PlainTensor {
    let block = int("blocksize", 1)
    let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    if op == "SpaceToDepth" {
      return PlainTensor([n, c * block * block, h / block, w / block]) { index in
        let (cell, channel) = (index[1] / c, index[1] % c)
        return x[[
          index[0], channel, index[2] * block + cell / block, index[3] * block + cell % block,
        ]]
      }
    }
    let maps = c / (block * block)
    return PlainTensor([n, maps, h * block, w * block]) { index in
      let cell = index[2] % block * block + index[3] % block
      let channel =
        text("mode", "DCR") == "CRD" ? index[1] * block * block + cell : cell * maps + index[1]
      return x[[index[0], channel, index[2] / block, index[3] / block]]
    }
  }

  private func resize(_ x: PlainTensor, _ values: [PlainTensor?]) -> PlainTensor? {
    guard let shape = list(values, 3) else { return nil }
    let place = text("coordinate_transformation_mode", "half_pixel")
    /// Where a cell of the output lies in the input.
    func source(_ index: Int, _ axis: Int) -> Double {
      let (from, to) = (Double(x.shape[axis]), Double(shape[axis]))
      switch place {
      case "asymmetric": return Double(index) * from / to
      case "align_corners": return to == 1 ? 0 : Double(index) * (from - 1) / (to - 1)
      default: return (Double(index) + 0.5) * from / to - 0.5
      }
    }
    func clamped(_ cell: Double, _ axis: Int) -> Int {
      min(max(Int(cell), 0), x.shape[axis] - 1)
    }
    if text("mode", "nearest") == "nearest" {
      return PlainTensor(shape) { index in
        x[
          index.enumerated().map { axis, cell in
            let at = source(cell, axis)
            let isFloor = text("nearest_mode", "round_prefer_floor") == "floor"
            return clamped(isFloor ? at.rounded(.down) : (at - 0.5).rounded(.up), axis)
          }]
      }
    }
    return PlainTensor(shape) { index in
      var sum = 0.0
      // Over the corners of the cell that the place lies in.
      for corner in 0..<(1 << shape.count) {
        var weight = 1.0
        let cells = index.enumerated().map { axis, cell in
          let at = source(cell, axis)
          let (low, isHigh) = (at.rounded(.down), corner >> axis & 1 == 1)
          weight *= isHigh ? at - low : 1 - (at - low)
          return clamped(isHigh ? low + 1 : low, axis)
        }
        if weight != 0 { sum += weight * x[cells] }
      }
      return sum
    }
  }
}
