/// Operators that move values, and those that take axes together.
extension NetworkDrawing {
  mutating func moved(_ x: String) -> String? {
    let shape = shape(x)
    let rank = shape.count
    switch int(0...9) {
    case 0: return add("Flatten", [x], once(in: 2) ? ["axis": .int(1)] : [:])
    case 1:
      var order = Array(1..<rank)
      generator.shuffle(&order)
      order = [0] + order
      // Now and then axis 0 is no batch.
      if once(in: 8) { generator.shuffle(&order) }
      return add("Transpose", [x], ["perm": .ints(order)])
    case 2: return reshaped(x, shape)
    case 3: return sliced(x, shape)
    case 4: return padded(x, shape)
    case 5: return split(x, shape)
    case 6 where rank == 4: return resized(x, shape)
    case 7 where rank == 4: return blocks(x, shape)
    case 8:
      let axis = int(1...(rank - 1))
      let cells = (0..<int(1...4)).map { _ in int(0...(shape[axis] - 1)) }
      return add("Gather", [x, integers(cells)], ["axis": .int(axis)])
    default: return rank > 2 ? matrix(x) : nil
    }
  }

  private mutating func reshaped(_ x: String, _ shape: [Int]) -> String? {
    switch shape.count {
    case 4:
      return once(in: 2)
        ? add("Reshape", [x, integers([shape[0], shape[1], -1])])
        : add("Reshape", [x, integers([0, -1])])
    case 3: return add("Reshape", [x, integers([0, shape[1], 1, shape[2]])])
    default:
      let factors = (2...4).filter { shape[1] % $0 == 0 }
      guard !factors.isEmpty else { return nil }
      return add("Reshape", [x, integers([shape[0], pick(factors), -1])])
    }
  }

  private mutating func sliced(_ x: String, _ shape: [Int]) -> String? {
    let axis = int(1...(shape.count - 1))
    let extent = shape[axis]
    guard extent > 2 else { return nil }
    let start = int(0...(extent / 2))
    let end = int((start + 1)...extent)
    let isEnd = once(in: 3)
    let from = once(in: 4) ? start - extent : start
    return add(
      "Slice",
      [
        x, integers([from]), integers([isEnd ? 1 << 40 : end]), integers([axis]),
        integers([pick([1, 1, 2])]),
      ])
  }

  private mutating func padded(_ x: String, _ shape: [Int]) -> String? {
    let rank = shape.count
    let mode = pick(["constant", "constant", "reflect", "edge"])
    var pads = [Int](repeating: 0, count: 2 * rank)
    for axis in max(1, rank - 2)..<rank {
      let most = min(2, shape[axis] - 1)
      pads[axis] = int(0...most)
      pads[rank + axis] = int(0...most)
    }
    guard rank > 2, pads.contains(where: { $0 > 0 }) else { return nil }
    var inputs = [x, integers(pads)]
    if mode == "constant", once(in: 2) { inputs.append(weights([], -1, 1)) }
    return add("Pad", inputs, mode == "constant" && once(in: 2) ? [:] : ["mode": .text(mode)])
  }

  private mutating func split(_ x: String, _ shape: [Int]) -> String? {
    let axis = int(1...(shape.count - 1))
    guard shape[axis] > 1 else { return nil }
    let first = int(1...(shape[axis] - 1))
    let sizes = [first, shape[axis] - first]
    let name = "v\(nodes.count)"
    if opset >= 13 {
      add("Split", [x, integers(sizes)], ["axis": .int(axis)], outputs: 2)
    } else {
      add("Split", [x], ["axis": .int(axis), "split": .ints(sizes)], outputs: 2)
    }
    return "\(name)_\(int(0...1))"
  }

  private mutating func resized(_ x: String, _ shape: [Int]) -> String? {
    guard shape[2] < 12, shape[3] < 12, shape[2] > 1, shape[3] > 1 else { return nil }
    // Before version 13 what is left out has to be an empty tensor.
    let none = opset < 13 ? weights([0], 0, 1) : ""
    if once(in: 3) {
      let sizes = integers(Array(shape.prefix(2)) + [int(2...17), int(2...17)])
      return add("Resize", [x, none, none, sizes], ["mode": .text("linear")])
    }
    let sizes = shape.prefix(2) + [shape[2] * int(1...3), shape[3] * int(1...3)]
    let forms: [[String: PlainNode.Attribute]] = [
      [
        "mode": .text("nearest"), "coordinate_transformation_mode": .text("asymmetric"),
        "nearest_mode": .text("floor"),
      ],
      ["mode": .text("nearest")],
      ["mode": .text("linear")],
      ["mode": .text("linear"), "coordinate_transformation_mode": .text("align_corners")],
    ]
    return add("Resize", [x, none, none, integers(Array(sizes))], pick(forms))
  }

  private mutating func blocks(_ x: String, _ shape: [Int]) -> String? {
    if shape[1] % 4 == 0, once(in: 2) {
      return add(
        "DepthToSpace", [x],
        once(in: 2)
          ? ["blocksize": .int(2)] : ["blocksize": .int(2), "mode": .text(pick(["DCR", "CRD"]))])
    }
    guard shape[2] % 2 == 0, shape[3] % 2 == 0, shape[1] < 8 else { return nil }
    return add("SpaceToDepth", [x], ["blocksize": .int(2)])
  }

  /// Axes are taken together, or the values of an axis become shares.
  mutating func reduced(_ x: String) -> String? {
    let rank = shape(x).count
    if once(in: 2) {
      // Before version 13 axes from the given one on were one; the last is the same in both.
      return add(
        pick(["Softmax", "LogSoftmax"]), [x],
        opset >= 13 && once(in: 2) ? ["axis": .int(int(1...(rank - 1)))] : ["axis": .int(rank - 1)])
    }
    let op = pick([
      "ReduceMean", "ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2",
      "ReduceMax", "ReduceMin",
    ])
    var axes = Array(1..<rank)
    if rank == 2 { axes = [1] } else { axes.remove(at: int(0...(axes.count - 1))) }
    let keeps = rank == 2 || !once(in: 4)
    let setting: [String: PlainNode.Attribute] = keeps ? [:] : ["keepdims": .int(0)]
    if opset >= (op == "ReduceSum" ? 13 : 18) { return add(op, [x, integers(axes)], setting) }
    return add(op, [x], setting.merging(["axes": .ints(axes)]) { first, _ in first })
  }
}
