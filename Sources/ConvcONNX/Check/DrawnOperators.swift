/// One operator after another, each drawn with settings that fit its input.
extension NetworkDrawing {
  // MARK: Windows

  /// Windows of one size, stride and padding for each axis in space.
  private mutating func settings(
    _ space: [Int], largest: Int, dilates: Bool, automatic: Bool, pools: Bool = false
  ) -> (kernel: [Int], attributes: [String: PlainNode.Attribute], dilations: [Int])? {
    let dilations = space.map { _ in dilates && once(in: 4) ? 2 : 1 }
    let kernel = space.indices.map { axis in
      int(1...min(largest, (space[axis] - 1) / dilations[axis] + 1))
    }
    let strides = space.map { _ in pick([1, 1, 1, 2, 2, 3]) }
    var attributes: [String: PlainNode.Attribute] = [:]
    if strides.contains(where: { $0 > 1 }) || once(in: 3) { attributes["strides"] = .ints(strides) }
    if dilations.contains(2) { attributes["dilations"] = .ints(dilations) }
    // onnxruntime has no automatic padding around dilated windows, nor where strides skip cells.
    let canBeAutomatic =
      automatic && !dilations.contains(2) && space.indices.allSatisfy { kernel[$0] >= strides[$0] }
    switch canBeAutomatic ? int(0...5) : 5 {
    case 0: attributes["auto_pad"] = .text("SAME_UPPER")
    case 1: attributes["auto_pad"] = .text("SAME_LOWER")
    case 2: attributes["auto_pad"] = .text("VALID")
    default:
      // onnxruntime wants less padding than a pool's kernel has cells, dilated or not.
      let reach = kernel.indices.map { (kernel[$0] - 1) * (pools ? 1 : dilations[$0]) + 1 }
      let pads = (reach + reach).map { int(0...min(2, $0 - 1)) }
      if pads.contains(where: { $0 > 0 }) { attributes["pads"] = .ints(pads) }
    }
    return (kernel, attributes, dilations)
  }

  mutating func window(_ x: String) -> String? {
    let shape = shape(x)
    let space = Array(shape.dropFirst(2))
    let channels = shape[1]
    guard channels <= 24, space.count <= 2 else { return nil }
    if once(in: 5) { return transposed(x, channels, space) }
    guard
      let (kernel, window, _) = settings(
        space, largest: pick([1, 3, 3, 5]), dilates: true, automatic: true)
    else { return nil }
    var attributes = window
    let groups = once(in: 3) ? pick((1...channels).filter { channels % $0 == 0 }) : 1
    let maps = groups * int(1...max(1, 10 / groups))
    if groups > 1 || once(in: 4) { attributes["group"] = .int(groups) }
    if once(in: 2) { attributes["kernel_shape"] = .ints(kernel) }
    let fanIn = channels / groups * kernel.reduce(1, *)
    var inputs = [x, weights([maps, channels / groups] + kernel, fanIn: fanIn)]
    if !once(in: 3) { inputs.append(weights([maps], -0.5, 0.5)) }
    return add("Conv", inputs, attributes)
  }

  private mutating func transposed(_ x: String, _ channels: Int, _ space: [Int]) -> String? {
    guard space.allSatisfy({ $0 < 12 }) else { return nil }
    let kernel = space.map { _ in int(1...4) }
    let strides = space.map { _ in int(1...3) }
    let dilations = space.map { _ in once(in: 6) ? 2 : 1 }
    let groups = once(in: 3) ? pick((1...channels).filter { channels % $0 == 0 }) : 1
    let maps = int(1...max(1, 6 / groups))
    var attributes: [String: PlainNode.Attribute] = ["strides": .ints(strides)]
    if dilations.contains(2) { attributes["dilations"] = .ints(dilations) }
    if groups > 1 { attributes["group"] = .int(groups) }
    let extra = strides.map { int(0...($0 - 1)) }
    if once(in: 3), extra.contains(where: { $0 > 0 }) {
      attributes["output_padding"] = .ints(extra)
    }
    let pads = (kernel + kernel).map { int(0...min(1, $0 - 1)) }
    if pads.contains(1) { attributes["pads"] = .ints(pads) }
    let plain = space.indices.map { axis -> Int in
      let reach = (kernel[axis] - 1) * dilations[axis] + 1
      return strides[axis] * (space[axis] - 1) + reach - pads[axis] - pads[space.count + axis]
    }
    guard plain.allSatisfy({ $0 > 0 }) else { return nil }
    let fanIn = channels / groups * max(1, kernel.reduce(1, *) / strides.reduce(1, *))
    var inputs = [x, weights([channels, maps] + kernel, fanIn: fanIn)]
    if once(in: 2) { inputs.append(weights([maps * groups], -0.5, 0.5)) }
    return add("ConvTranspose", inputs, attributes)
  }

  mutating func pooling(_ x: String) -> String? {
    let space = Array(shape(x).dropFirst(2))
    guard space.count <= 2 else { return nil }
    if once(in: 5) { return add(pick(["GlobalAveragePool", "GlobalMaxPool"]), [x]) }
    let isMaximum = once(in: 2)
    guard
      let (kernel, window, dilations) = settings(
        space, largest: 3, dilates: isMaximum && once(in: 2), automatic: once(in: 3),
        pools: true)
    else { return nil }
    var attributes = window
    attributes["kernel_shape"] = .ints(kernel)
    let reach = kernel.indices.map { (kernel[$0] - 1) * dilations[$0] + 1 }
    if attributes["auto_pad"] == nil, once(in: 3),
      !Self.beginsInPadding(space, reach, attributes)
    {
      attributes["ceil_mode"] = .int(1)
    }
    if !isMaximum, once(in: 2) { attributes["count_include_pad"] = .int(1) }
    return add(isMaximum ? "MaxPool" : "AveragePool", [x], attributes)
  }

  /// Whether the last window would begin in the padding behind an axis if its number was rounded up: versions of the
  /// standard differ on whether there is such a window.
  private static func beginsInPadding(
    _ space: [Int], _ reach: [Int], _ attributes: [String: PlainNode.Attribute]
  ) -> Bool {
    let node = PlainNode(op: "", inputs: [], outputs: [], attributes: attributes, opset: 0)
    let strides = node.ints("strides") ?? space.map { _ in 1 }
    let pads = node.ints("pads") ?? space.flatMap { _ in [0, 0] }
    return space.indices.contains { axis in
      let before = pads[axis]
      let room = space[axis] + before + pads[space.count + axis] - reach[axis]
      let last = (room + strides[axis] - 1) / strides[axis] * strides[axis]
      return last >= space[axis] + before
    }
  }

  // MARK: Values

  mutating func normalization(_ x: String) -> String? {
    let shape = shape(x)
    let channels = shape[1]
    if shape.count == 4, once(in: 4) {
      return add(
        "LRN", [x],
        [
          "size": .int(pick([1, 3, 5])), "alpha": .float(Float(number(0.01, 0.5))),
          "beta": .float(0.75), "bias": .float(Float(number(1, 2))),
        ])
    }
    let scale = weights([channels], 0.5, 1.5)
    let shift = weights([channels], -0.5, 0.5)
    if shape.count > 2, shape.dropFirst(2).reduce(1, *) > 3, once(in: 3) {
      return add("InstanceNormalization", [x, scale, shift], ["epsilon": .float(0.01)])
    }
    return add(
      "BatchNormalization",
      [x, scale, shift, weights([channels], -0.5, 0.5), weights([channels], 0.5, 2)],
      once(in: 2) ? ["epsilon": .float(0.001)] : [:])
  }

  mutating func activation(_ x: String) -> String? {
    var plain = [
      "Relu", "Relu", "Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Selu", "Abs", "Neg",
      "Erf", "Sin", "Cos", "Identity",
    ]
    if opset >= 14 { plain.append("HardSwish") }
    if opset >= 18 { plain.append("Mish") }
    if opset >= 20 { plain.append("Gelu") }
    switch int(0...9) {
    case 0:
      return add("LeakyRelu", [x], ["alpha": .float(Float(number(0.01, 0.4)))])
    case 1: return add("Elu", [x], ["alpha": .float(Float(number(0.3, 1.5)))])
    case 2:
      return add(
        "HardSigmoid", [x],
        ["alpha": .float(Float(number(0.1, 0.5))), "beta": .float(Float(number(0.3, 0.7)))])
    case 3:
      let (low, high) = (weights([], -1, 0), weights([], 0.2, 6))
      return add("Clip", once(in: 3) ? [x, low] : [x, low, high])
    case 4 where shape(x).count > 2:
      let ones = [Int](repeating: 1, count: shape(x).count - 2)
      return add("PRelu", [x, weights([once(in: 3) ? 1 : shape(x)[1]] + ones, 0, 0.5)])
    case 5: return add("Mul", [x, add("Sigmoid", [x])])
    default: return add(pick(plain), [x])
    }
  }

  /// A constant, or another value of the network, at each place.
  mutating func arithmetic(_ x: String) -> String? {
    let shape = shape(x)
    let op = pick(["Add", "Sub", "Mul", "Div", "Max", "Min"])
    let low = op == "Div" ? 0.5 : -1.0
    let forms: [[Int]] = [
      [], [1], [shape[1]] + [Int](repeating: 1, count: shape.count - 2),
      [1] + shape.dropFirst(), [shape[shape.count - 1]],
    ]
    let constant = weights(pick(forms), low, 1.5)
    return once(in: 4) && op != "Div" ? add(op, [constant, x]) : add(op, [x, constant])
  }

  /// Several values of the network become one.
  mutating func joined(_ x: String) -> String? {
    let shape = shape(x)
    let equal = names.filter { values[$0]?.shape == shape && $0 != x }
    if !equal.isEmpty, !once(in: 3) {
      return add(pick(["Add", "Add", "Mul", "Sub", "Sum"]), [x, pick(equal)])
    }
    if shape.count == 4, once(in: 2) { return excited(x, shape[1]) }
    let axis = int(1...(shape.count - 1))
    let fitting = names.filter { name in
      guard let other = values[name]?.shape, other.count == shape.count else { return false }
      return other.indices.allSatisfy { $0 == axis || other[$0] == shape[$0] }
    }
    guard shape[axis] < 24 else { return nil }
    let parts = (0..<int(1...2)).map { _ in pick(fitting) }
    return add(
      "Concat", parts + [x], ["axis": .int(once(in: 2) ? axis : axis - shape.count)])
  }

  /// Squeeze and excite: a gate for each channel.
  private mutating func excited(_ x: String, _ channels: Int) -> String? {
    let mean = add("GlobalAveragePool", [x])
    let less = add("Conv", [mean, weights([2, channels, 1, 1], fanIn: channels)])
    let more = add("Conv", [add("Relu", [less]), weights([channels, 2, 1, 1], fanIn: 2)])
    return add("Mul", [x, add(pick(["Sigmoid", "HardSigmoid"]), [more])])
  }

  // MARK: Matrices

  mutating func matrix(_ x: String) -> String? {
    let shape = shape(x)
    let features = shape[shape.count - 1]
    guard features <= 200 else { return nil }
    if shape.count > 2, features < 16, once(in: 4) {
      // Rows by columns of the value itself.
      var order = Array(0..<shape.count)
      order.swapAt(shape.count - 1, shape.count - 2)
      return add("MatMul", [x, add("Transpose", [x], ["perm": .ints(order)])])
    }
    let outputs = int(2...8)
    if shape.count == 2, once(in: 2) {
      let isTransposed = once(in: 2)
      let matrix = weights(
        isTransposed ? [outputs, features] : [features, outputs], fanIn: features)
      var attributes: [String: PlainNode.Attribute] = isTransposed ? ["transB": .int(1)] : [:]
      if once(in: 3) { attributes["alpha"] = .float(Float(number(0.5, 1.5))) }
      return add("Gemm", [x, matrix, weights([outputs], -0.5, 0.5)], attributes)
    }
    let product = add("MatMul", [x, weights([features, outputs], fanIn: features)])
    return once(in: 2) ? add("Add", [product, weights([outputs], -0.5, 0.5)]) : product
  }
}
