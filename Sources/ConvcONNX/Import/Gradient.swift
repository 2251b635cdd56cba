import ConvcIR
import ConvcLayers

/// The operator `Gradient`, as further operators.
///
/// Goes back from `y` through the nodes that computed it, and adds for each the nodes of its gradient: they are converted
/// like the model's own.
extension NodeConversion {
  fileprivate static let differentiable = [
    "Add", "Sub", "Mul", "Div", "Neg", "Sum", "Identity", "Exp", "Log", "Sqrt", "Sigmoid", "Tanh",
    "Relu", "MatMul",
  ]

  func gradientOfOperators() throws(ConversionError) {
    let names = try read { (node) throws(ONNXError) in try node.strings("xs") } ?? []
    let result = try string("y", "")
    guard names.count == node.outputs.count, names.count <= node.inputs.count,
      let y = conversion.value(result)
    else { throw problem("has no y, or other xs than outputs; export the model again") }
    // The nodes between, in the order in which they run.
    var path: [ONNXNode] = []
    var depends = Set(names)
    for other in conversion.graph.nodes {
      if other.outputs.contains(node.outputs.first ?? "") { break }
      guard other.inputs.contains(where: depends.contains) else { continue }
      path.append(other)
      depends.formUnion(other.outputs)
    }
    var tape = GradientTape(node: node)
    try emit(try tape.ones(result, shape: y.shape))
    for step in path.reversed() {
      guard let output = step.output(0), let gradient = tape.gradients[output] else { continue }
      guard step.domain.isEmpty, Self.differentiable.contains(step.op) else {
        throw problem(
          "goes back through \(step.op), which this version cannot; train the model with convc train"
        )
      }
      let isBinary = ["Sub", "Mul", "Div", "MatMul"].contains(step.op)
      let isMatrix =
        step.op != "MatMul"
        || step.inputs.allSatisfy { conversion.value($0)?.shape.count ?? 2 == 2 }
      guard !isBinary || step.inputs.count == 2, isMatrix, !step.inputs.contains("") else {
        throw problem("goes back through \(step.op) of other inputs than two matrices or tensors")
      }
      for (index, term) in tape.terms(of: step, gradient: gradient).enumerated() {
        guard let input = step.input(index), depends.contains(input) else { continue }
        try emit(term.nodes)
        let summed = try summed(term.result, like: input, &tape)
        try emit(tape.collect(summed, for: input))
      }
    }
    for (index, name) in names.enumerated() {
      guard let output = node.output(index) else { continue }
      guard let gradient = tape.gradients[name] else {
        throw problem(
          "asks for the gradient by \(ONNXError.quoted(name)), on which y does not depend")
      }
      if let value = conversion.value(gradient) {
        conversion.define(output, value)
      } else if let tensor = conversion.folder.constant(gradient) {
        conversion.define(output, try constantValue(tensor))
      }
    }
  }

  private func emit(_ nodes: [ONNXNode]) throws(ConversionError) {
    for node in nodes { try conversion.convert(node) }
  }

  /// A gradient summed over the axes along which its value stood for several.
  private func summed(
    _ gradient: String, like input: String, _ tape: inout GradientTape
  ) throws(ConversionError) -> String {
    guard let own = conversion.value(input)?.shape, let full = conversion.value(gradient)?.shape,
      own != full
    else { return gradient }
    let missing = full.count - own.count
    let axes = full.indices.filter { $0 < missing || own[$0 - missing] == 1 && full[$0] != 1 }
    let (nodes, result) = tape.sum(gradient, axes: axes, shape: own)
    try emit(nodes)
    return result
  }
}

/// Gradients by the names of their values, and the nodes that make them.
private struct GradientTape {
  let node: ONNXNode
  private(set) var gradients: [String: String] = [:]
  private var count = 0

  init(node: ONNXNode) { self.node = node }

  private mutating func name() -> String {
    count += 1
    return "\(node.name)/gradient\(count)"
  }

  private mutating func make(
    _ op: String, _ inputs: [String], _ attributes: [String: ONNXAttribute] = [:]
  ) -> (node: ONNXNode, result: String) {
    let result = name()
    let made = ONNXNode(
      name: result, op: op, opset: 11, inputs: inputs, outputs: [result], attributes: attributes)
    return (made, result)
  }

  /// The gradient of a value by itself.
  mutating func ones(_ value: String, shape: [Int]) throws(ConversionError) -> [ONNXNode] {
    let tensor: ONNXTensor
    do {
      tensor = try ONNXTensor(
        place: node.place, type: .float, dims: shape,
        storage: .repeated(Float(1).bitPattern.littleEndianBytes))
    } catch { throw .problem(error) }
    let made = make("Constant", [], ["value": .tensor(tensor)])
    gradients[value] = made.result
    return [made.node]
  }

  /// Adds to a value's gradient.
  mutating func collect(_ gradient: String, for value: String) -> [ONNXNode] {
    guard let old = gradients[value] else {
      gradients[value] = gradient
      return []
    }
    let sum = make("Add", [old, gradient])
    gradients[value] = sum.result
    return [sum.node]
  }

  mutating func sum(_ gradient: String, axes: [Int], shape: [Int]) -> ([ONNXNode], String) {
    let sum = make("ReduceSum", [gradient], ["axes": .ints(axes.map(Int64.init))])
    let numbers = ONNXAttribute.ints(shape.map(Int64.init))
    let plain = make("Reshape", [sum.result], ["shape": numbers])
    return ([sum.node, plain.node], plain.result)
  }

  /// What each input of a node contributes to, from the gradient of its output.
  mutating func terms(
    of step: ONNXNode, gradient g: String
  ) -> [(nodes: [ONNXNode], result: String)] {
    let y = step.outputs[0]
    func one(_ made: (node: ONNXNode, result: String)) -> (nodes: [ONNXNode], result: String) {
      ([made.node], made.result)
    }
    switch step.op {
    case "Sub":
      return [([], g), one(make("Neg", [g]))]
    case "Neg": return [one(make("Neg", [g]))]
    case "Mul":
      return [one(make("Mul", [g, step.inputs[1]])), one(make("Mul", [g, step.inputs[0]]))]
    case "Div":
      let share = make("Div", [g, step.inputs[1]])
      let product = make("Mul", [share.result, y])
      let other = make("Neg", [product.result])
      return [one(share), ([product.node, other.node], other.result)]
    case "Exp": return [one(make("Mul", [g, y]))]
    case "Log": return [one(make("Div", [g, step.inputs[0]]))]
    case "Sqrt":
      let twice = make("Add", [y, y])
      let share = make("Div", [g, twice.result])
      return [([twice.node, share.node], share.result)]
    case "Sigmoid":
      let square = make("Mul", [y, y])
      let slope = make("Sub", [y, square.result])
      let product = make("Mul", [g, slope.result])
      return [([square.node, slope.node, product.node], product.result)]
    case "Tanh":
      let square = make("Mul", [y, y])
      let part = make("Mul", [g, square.result])
      let rest = make("Sub", [g, part.result])
      return [([square.node, part.node, rest.node], rest.result)]
    case "Relu":
      let sign = make("Sign", [y])
      let product = make("Mul", [g, sign.result])
      return [([sign.node, product.node], product.result)]
    case "MatMul":
      let (a, b) = (make("Transpose", [step.inputs[0]]), make("Transpose", [step.inputs[1]]))
      let left = make("MatMul", [g, b.result])
      let right = make("MatMul", [a.result, g])
      return [([b.node, left.node], left.result), ([a.node, right.node], right.result)]
    default:
      // Sums and copies pass it on.
      return step.inputs.map { _ in ([], g) }
    }
  }
}

extension UInt32 {
  fileprivate var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
