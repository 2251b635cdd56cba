import ConvcIR

/// A network of ONNX operators that a seed draws, with inputs and what they lead to by ``PlainNode``.
///
/// Every seed always draws the same network. Operators stand in the forms that exporters write, of the operator set that
/// was drawn; values on the way stay near 1, so that outputs tell right from wrong.
package struct DrawnNetwork: Sendable {
  /// A constant of the file.
  package struct Constant: Sendable {
    package let tensor: PlainTensor
    package let isInteger: Bool
  }

  package let seed: UInt64
  package let opset: Int
  package fileprivate(set) var inputs: [(name: String, tensor: PlainTensor)] = []
  package fileprivate(set) var nodes: [PlainNode] = []
  package fileprivate(set) var constants: [(name: String, constant: Constant)] = []
  package fileprivate(set) var outputs: [(name: String, tensor: PlainTensor)] = []

  package init(seed: UInt64) {
    var generator = SplitMix64(seed: SplitMix64.seed(seed, name: "onnx network"))
    let opsets = [11, 12, 13, 15, 17, 18, 20]
    var draw = NetworkDrawing(
      generator: generator, opset: opsets[generator.next(below: opsets.count)])
    draw.run()
    self.seed = seed
    opset = draw.opset
    inputs = draw.inputs
    nodes = draw.nodes
    constants = draw.constants.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    let read = Set(nodes.flatMap(\.inputs))
    outputs = nodes.flatMap(\.outputs).filter { !read.contains($0) }.compactMap { name in
      draw.values[name].map { (name, $0) }
    }
  }

  /// The nodes, a line each.
  package var description: String {
    let shapes = Dictionary(
      constants.map { ($0.name, $0.constant.tensor.shape) }
        + inputs.map { ($0.name, $0.tensor.shape) },
      uniquingKeysWith: { first, _ in first })
    let lines = nodes.map { node in
      let settings = node.attributes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
      let reads = node.inputs.map { name in
        shapes[name].map { "\(name)\($0)" } ?? name
      }
      return
        "\(node.op)(\(reads.joined(separator: ", "))) -> \(node.outputs.joined(separator: ", "))  "
        + settings.joined(separator: ", ")
    }
    return "network \(seed), opset \(opset)\n" + lines.joined(separator: "\n")
  }
}

/// The state of a draw: what has a value so far.
struct NetworkDrawing {
  var generator: SplitMix64
  let opset: Int
  var inputs: [(name: String, tensor: PlainTensor)] = []
  var nodes: [PlainNode] = []
  var constants: [String: DrawnNetwork.Constant] = [:]
  var values: [String: PlainTensor] = [:]
  /// Names of the network's values, in the order in which they came.
  var names: [String] = []

  // MARK: Numbers

  mutating func int(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + generator.next(below: range.count)
  }

  /// True once in so many.
  mutating func once(in count: Int) -> Bool { generator.next(below: count) == 0 }

  mutating func pick<T>(_ list: [T]) -> T { list[generator.next(below: list.count)] }

  /// A number that float32 has as well.
  mutating func number(_ low: Double, _ high: Double) -> Double {
    Double(Float(low + (high - low) * generator.uniform()))
  }

  // MARK: Building

  func shape(_ name: String) -> [Int] { values[name]?.shape ?? [] }

  mutating func input(_ shape: [Int]) {
    let name = "x\(inputs.count)"
    var tensor = PlainTensor(shape, filledWith: 0)
    for index in tensor.values.indices { tensor.values[index] = number(-1.5, 1.5) }
    inputs.append((name, tensor))
    values[name] = tensor
    names.append(name)
  }

  /// Weights of the file.
  mutating func weights(_ shape: [Int], _ low: Double, _ high: Double) -> String {
    var tensor = PlainTensor(shape, filledWith: 0)
    for index in tensor.values.indices { tensor.values[index] = number(low, high) }
    return constant(tensor, isInteger: false)
  }

  /// Weights for sums of so many products, which keep values near 1.
  mutating func weights(_ shape: [Int], fanIn: Int) -> String {
    let bound = 1.7 / Double(max(1, fanIn)).squareRoot()
    return weights(shape, -bound, bound)
  }

  mutating func integers(_ list: [Int]) -> String {
    constant(PlainTensor([list.count], list.map(Double.init)), isInteger: true)
  }

  private mutating func constant(_ tensor: PlainTensor, isInteger: Bool) -> String {
    let name = "c\(constants.count)"
    constants[name] = DrawnNetwork.Constant(tensor: tensor, isInteger: isInteger)
    values[name] = tensor
    return name
  }

  /// Adds a node and computes it.
  @discardableResult
  mutating func add(
    _ op: String, _ inputs: [String], _ attributes: [String: PlainNode.Attribute] = [:],
    outputs count: Int = 1
  ) -> String {
    let outputs = (0..<count).map { "v\(nodes.count)" + (count == 1 ? "" : "_\($0)") }
    let node = PlainNode(
      op: op, inputs: inputs, outputs: outputs, attributes: attributes, opset: opset)
    guard let results = node.evaluate(inputs.map { values[$0] }) else {
      preconditionFailure("internal error: drew \(op), which the evaluation does not know")
    }
    nodes.append(node)
    for (name, result) in zip(outputs, results) {
      values[name] = result
      names.append(name)
    }
    return outputs[0]
  }

  // MARK: Growing

  mutating func run() {
    let batch = pick([1, 1, 2, 3])
    switch int(0...9) {
    case 0: input([batch, int(2...9)])
    case 1, 2: input([batch, int(1...6), int(6...17)])
    default: input([batch, int(1...8), int(5...12), int(5...12)])
    }
    let steps = int(3...9)
    var last = names[0]
    var tries = 0
    while nodes.count < steps, tries < 60 {
      tries += 1
      // Mostly on from the last value, now and then from an earlier one.
      let source = once(in: 6) ? pick(names) : last
      guard let next = grow(source) else { continue }
      if isUsable(next) { last = next } else { names.removeAll { $0 == next } }
    }
    if nodes.isEmpty { add("Relu", [last]) }
  }

  /// Values that grew large, vanished or are no numbers any more lead nowhere.
  private func isUsable(_ name: String) -> Bool {
    guard let values = values[name]?.values else { return false }
    let largest = values.reduce(0) { max($0, $1.magnitude) }
    return largest > 1e-2 && largest < 50 && values.count < 20_000
  }

  private mutating func grow(_ x: String) -> String? {
    let rank = shape(x).count
    guard values[x]?.values.isEmpty == false else { return nil }
    switch int(0...11) {
    case 0, 1, 2: return rank > 2 ? window(x) : matrix(x)
    case 3: return rank > 2 ? pooling(x) : matrix(x)
    case 4: return normalization(x)
    case 5, 6: return activation(x)
    case 7: return arithmetic(x)
    case 8, 9: return joined(x)
    case 10: return moved(x)
    default: return reduced(x)
    }
  }
}
