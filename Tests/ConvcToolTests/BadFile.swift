import Testing

/// An ONNX file that has to be refused, and a part of the line that says why.
struct BadFile: CustomTestStringConvertible, Sendable {
  let what: String
  let bytes: Wire.Bytes
  let reason: String

  init(_ what: String, _ bytes: Wire.Bytes, _ reason: String) {
    self.what = what
    self.bytes = bytes
    self.reason = reason
  }

  var testDescription: String { what }
}

extension BadFile {
  static let damaged: [BadFile] = {
    let whole = Wire.convolution(Wire.weights)
    let declared =
      Wire.field(8, "w") + Wire.number(9 << 3 | 2) + Wire.number(1 << 40) + [1, 2, 3]
    return [
      BadFile("empty", [], "is no ONNX model: it has no graph"),
      BadFile("text", Array("not a model".utf8), "is no ONNX file or damaged"),
      BadFile("cut in a tag", Array(whole.prefix(1)), "ends within the field at byte"),
      BadFile("cut in the middle", Array(whole.prefix(90)), "ends within the field at byte"),
      BadFile("without its last byte", whole.dropLast(), "ends within the field at byte"),
      BadFile("more weights announced than there are", Wire.convolution(declared), "goes beyond"),
      BadFile("a name that is no text", replacing("x", by: [0xff, 0xfe]), "is no UTF-8 text"),
      BadFile(
        "an unknown type of elements", Wire.convolution(Wire.weights + Wire.field(2, 999)),
        "has element type number 999"),
    ]
  }()

  /// A ReLU whose input has a name of any bytes.
  private static func replacing(_ name: String, by bytes: Wire.Bytes) -> Wire.Bytes {
    let node = Wire.field(1, bytes) + Wire.field(2, "y") + Wire.field(4, "Relu")
    return Wire.network([node])
  }

  static let impossible: [BadFile] = {
    func weights(_ dims: [Int], _ count: Int = 144) -> Wire.Bytes {
      Wire.convolution(Wire.tensor("w", dims, raw: Wire.Bytes(repeating: 0, count: count)))
    }
    func window(_ name: String, _ values: [Int]) -> Wire.Bytes {
      Wire.convolution(Wire.weights, Wire.attribute(name, values))
    }
    return [
      BadFile(
        "a cycle",
        Wire.network([
          Wire.node("Add", ["x", "b"], ["a"]), Wire.node("Relu", ["a"], ["b"]),
          Wire.node("Relu", ["b"], ["y"]),
        ]), "reads what is computed from its own output: 'Relu_1' to 'Add_0' to 'Relu_1'"),
      BadFile(
        "a function that calls itself",
        Wire.network(
          [Wire.node("F", ["x"], ["y"], domain: "own")],
          functions: [Wire.function("F", Wire.node("F", ["a"], ["b"], domain: "own"))]),
        "calls itself through functions"),
      BadFile("too few weights", weights([2, 2, 3, 3], 140), "has 140 bytes, expected 144"),
      BadFile("half a weight", weights([2, 2, 3, 3], 143), "has 143 bytes, expected 144"),
      BadFile("no weights", weights([2, 2, 3, 3], 0), "has 0 bytes, expected 144"),
      BadFile("too many weights", weights([2, 2, 3, 3], 148), "has 148 bytes, expected 144"),
      BadFile("a negative dimension of weights", weights([-2, 2, 3, 3]), "negative dimension -2"),
      BadFile(
        "dimensions of weights that overflow", weights([1 << 62, 8, 1 << 62, 4]),
        "more than memory can hold"),
      BadFile("a negative dimension", Wire.network(x: [1, -5]), "negative dimension -5"),
      BadFile("dimensions that overflow", Wire.network(x: [1, 1 << 62, 1 << 62]), "memory limit"),
      BadFile("the largest dimension", Wire.network(x: [.max]), "memory limit"),
      BadFile("a dimension no int counts", Wire.network(x: [1, 1 << 31]), "loops in C end at"),
      BadFile(
        "forty axes", Wire.network(x: Array(repeating: 1, count: 40)), "one to eight extents"),
      BadFile(
        "a missing initializer", Wire.network([Wire.node("Conv", ["x", "w"], ["y"])]),
        "reads value 'w' (input 1), which no input, initializer or node defines"),
      BadFile(
        "an unknown operator", Wire.network([Wire.node("Sw\nirl", ["x"], ["y"])]),
        "has operators that convc does not know: Sw\\nirl (1)"),
      BadFile(
        "an unknown set of operators",
        Wire.network([Wire.node("Relu", ["x"], ["y"], domain: "no\none")]),
        "belongs to operator set 'no\\none', whose version the model does not say"),
      BadFile("pads that overflow", window("pads", [.max, .max, .max, .max]), "all below"),
      BadFile("pads far below 0", window("pads", [.min, .min, .min, .min]), "negative pads"),
      BadFile("strides of 0", window("strides", [0, 0]), "expected numbers from 1"),
      BadFile("dilations that overflow", window("dilations", [.max, .max]), "all below"),
      BadFile(
        "axes that are none", transposed([7, 7, 7, 7]), "expected each axis of [1, 2, 4, 4]"),
    ]
  }()

  private static func transposed(_ axes: [Int]) -> Wire.Bytes {
    Wire.network([Wire.node("Transpose", ["x"], ["y"], Wire.attribute("perm", axes))])
  }

  static let deep: [BadFile] = {
    /// Messages within messages, with no end.
    var nested = Wire.node("Neg", ["x"], ["b"])
    for _ in 0..<3000 {
      nested = Wire.node(
        "If", ["x"], ["b"], Wire.attribute("then_branch", graph: Wire.field(1, nested)))
    }
    func call(_ index: Int, _ input: String, _ output: String) -> Wire.Bytes {
      Wire.node("F\(index)", [input], [output], domain: "own")
    }
    let chained = (0..<100).map { Wire.function("F\($0)", call($0 + 1, "a", "b")) }
    let doubled = (0..<40).map {
      Wire.function("F\($0)", call($0 + 1, "a", "c"), call($0 + 1, "c", "b"))
    }
    let end = Wire.function("F40", Wire.node("Relu", ["a"], ["b"]))
    return [
      BadFile("subgraphs", Wire.network([nested]), "is nested more than 48 levels deep"),
      BadFile(
        "functions", Wire.network([call(0, "x", "y")], functions: chained),
        "calls functions more than 48 levels deep"),
      BadFile(
        "functions that double each time",
        Wire.network([call(0, "x", "y")], functions: doubled + [end]), "brings the model to more"),
      BadFile(
        "a chain of layers", Wire.network(Wire.chain("Neg", 6000)), "more than 4096 layers"),
      BadFile(
        "a chain of layers with one name",
        Wire.network(Wire.chain("Relu", 6000, name: "same")), "more than 4096 layers"),
    ]
  }()

  static let large: [BadFile] = {
    func computed(_ op: String, _ numbers: [Int]) -> Wire.Bytes {
      Wire.network([Wire.node(op, ["x", "s"], ["y"])], tensors: [Wire.tensor("s", numbers)])
    }
    let many = Wire.Bytes(
      repeatElement(Wire.field(1, Wire.node("Relu", ["x"], ["y"])), count: 100_001).joined())
    let values = (0..<3000).map { "v\($0)" }
    let filled = [
      Wire.node("ConstantOfShape", ["s"], ["c"]),
      Wire.node(
        "Concat", ["c", "c"], ["d"],
        Wire.attribute("axis", 0)), Wire.node("Add", ["x", "d"], ["y"]),
    ]
    return [
      BadFile("a hundred thousand nodes", Wire.model(many), "has more than 100000 nodes"),
      BadFile("an image", Wire.network(x: [1, 1 << 20, 1 << 20]), "memory limit of 16384 MiB"),
      BadFile(
        "an image of an open batch",
        Wire.model(
          Wire.graph(
            [Wire.node("Relu", ["x"], ["y"])],
            inputs: [Wire.value("x", [1 << 20, 1 << 20], symbol: "N")],
            outputs: [Wire.value("y", [])])), "memory limit of 16384 MiB"),
      BadFile("a batch", Wire.network(x: [1 << 40, 2]), "batch 1099511627776 is out of range"),
      BadFile(
        "weights",
        Wire.convolution(Wire.tensor("w", [1 << 30, 1 << 10], raw: [0, 0, 0, 0])),
        "more than 4096 MB"),
      BadFile("a shape", computed("Reshape", [1 << 32, 1 << 32]), "more than memory can hold"),
      BadFile("repeated cells", computed("Tile", [1 << 16, 1 << 16, 1 << 16, 8]), "cannot make"),
      BadFile("padding", computed("Pad", Array(repeating: 1 << 62, count: 8)), "has pads of"),
      BadFile(
        "constants", Wire.network(filled, tensors: [Wire.tensor("s", [1 << 20, 1 << 20])]),
        "more than"),
      BadFile(
        "inputs of a node",
        Wire.network([
          Wire.node("Concat", Array(repeating: "x", count: 3000), ["y"], Wire.attribute("axis", 1))
        ]),
        "has 3000 inputs, more than 1024"),
      BadFile(
        "inputs",
        Wire.model(
          Wire.graph(
            [Wire.node("Relu", ["v0"], ["y"])], inputs: values.map { Wire.value($0, [1, 2]) },
            outputs: [Wire.value("y", [])])), "has 3000 inputs, more than 1024"),
      BadFile(
        "outputs",
        Wire.model(
          Wire.graph(
            values.map { Wire.node("Relu", ["x"], [$0]) }, inputs: [Wire.value("x", [1, 2])],
            outputs: values.map { Wire.value($0, []) })), "has 3000 outputs, more than 1024"),
    ]
  }()
}
