import Testing

@testable import ConvcONNX

@Suite("Constant operators")
struct EvaluationTests {
  /// A constant for a test.
  enum Value {
    case ints([Int64], [Int], ONNXElementType = .int64)
    case floats([Double], [Int], ONNXElementType = .float)

    func tensor() throws -> ONNXTensor {
      switch self {
      case .ints(let values, let dims, let type):
        try ONNXTensor(values, type: type, dims: dims, place: "constant")
      case .floats(let values, let dims, let type):
        try ONNXTensor(values, type: type, dims: dims, place: "constant")
      }
    }
  }

  static func row(_ values: Int64...) -> Value { .ints(values, [values.count]) }
  static func reals(_ values: Double...) -> Value { .floats(values, [values.count]) }
  static let counted = Value.ints([0, 1, 2, 3, 4, 5], [2, 3])

  /// What a node makes of constants, as text: type, dimensions, elements.
  static func results(
    _ op: String, _ inputs: [Value?], _ attributes: [String: ONNXAttribute] = [:], opset: Int = 18,
    outputs: Int = 1, shape: (String) -> [Int]? = { _ in nil }
  ) throws -> [String] {
    var graph = try read(Build.small)
    for (index, input) in inputs.enumerated() {
      if let input { graph.initializers["i\(index)"] = try input.tensor() }
    }
    let node = ONNXNode(
      name: "n", op: op, opset: opset,
      inputs: inputs.enumerated().map { $1 == nil ? "" : "i\($0)" },
      outputs: (0..<outputs).map { "o\($0)" }, attributes: attributes)
    var folder = ConstantFolder(graph)
    guard case .folded = try folder.fold(node, shape: shape) else { return ["not folded"] }
    return try (0..<outputs).map { index in
      guard let result = folder.constant("o\(index)") else { return "nothing" }
      let elements: String
      if result.type.kind == .floating {
        elements = try result.doubles().map { "\(Float($0))" }.joined(separator: " ")
      } else {
        elements = try result.integers().map { "\($0)" }.joined(separator: " ")
      }
      return "\(result.type.name) \(result.dims) \(elements)"
    }
  }

  static func result(
    _ op: String, _ inputs: [Value?], _ attributes: [String: ONNXAttribute] = [:], opset: Int = 18
  ) throws -> String {
    try results(op, inputs, attributes, opset: opset)[0]
  }

  static func failure(
    _ op: String, _ inputs: [Value?], _ attributes: [String: ONNXAttribute] = [:], outputs: Int = 1
  ) -> String? {
    message { _ = try results(op, inputs, attributes, outputs: outputs) }
  }

  @Test("constants of attributes")
  func constants() throws {
    #expect(try Self.result("Constant", [], ["value_int": .int(7)]) == "int64 [] 7")
    #expect(try Self.result("Constant", [], ["value_ints": .ints([7, 8])]) == "int64 [2] 7 8")
    #expect(try Self.result("Constant", [], ["value_float": .float(0.5)]) == "float [] 0.5")
    #expect(try Self.result("Constant", [], ["value_floats": .floats([0.5])]) == "float [1] 0.5")
    let tensor = try Self.counted.tensor()
    #expect(
      try Self.result("Constant", [], ["value": .tensor(tensor)]) == "int64 [2, 3] 0 1 2 3 4 5")
    #expect(
      Self.failure("Constant", []) == "node 'n' (Constant): has no value; export the model again")
    #expect(
      Self.failure("Constant", [], ["sparse_value": .unreadable("a sparse tensor")])
        == "node 'n' (Constant): has a sparse tensor as its value, which convc does not read; "
        + "export a dense tensor")
  }

  @Test("shapes of constants, and of values of run time as the converter knows them")
  func shapes() throws {
    #expect(try Self.result("Shape", [Self.counted]) == "int64 [2] 2 3")
    #expect(
      try Self.result("Shape", [Self.counted], ["start": .int(-1)], opset: 15) == "int64 [1] 3")
    #expect(try Self.result("Shape", [Self.counted], ["end": .int(-1)]) == "int64 [1] 2")
    #expect(try Self.result("Shape", [Self.counted], ["end": .int(-9)]) == "int64 [0] ")
    #expect(
      try Self.result("Shape", [Self.counted], ["start": .int(2), "end": .int(1)]) == "int64 [0] ")
    #expect(try Self.result("Size", [Self.counted]) == "int64 [] 6")
    let graph = try read(Build.small)
    var folder = ConstantFolder(graph)
    let node = ONNXNode(name: "n", op: "Shape", opset: 13, inputs: ["x"], outputs: ["d"])
    guard case .runtime = try folder.fold(node, shape: { _ in nil }) else {
      Issue.record("folded without a shape")
      return
    }
    _ = try folder.fold(node, shape: { $0 == "x" ? [4, 2] : nil })
    #expect(try folder.constant("d")?.ints() == [4, 2])
  }

  @Test("filled tensors take the memory of one element")
  func filled() throws {
    #expect(try Self.result("ConstantOfShape", [Self.row(2, 1)]) == "float [2, 1] 0.0 0.0")
    let one = try Self.row(7).tensor()
    #expect(
      try Self.result("ConstantOfShape", [Self.row(3)], ["value": .tensor(one)])
        == "int64 [3] 7 7 7")
    var folder = ConstantFolder(try read(Build.small))
    for (name, values) in [("huge", [1 << 20, 1 << 20]), ("ones", [1, 1])] as [(String, [Int64])] {
      let shape = ONNXNode(
        name: "s", op: "Constant", opset: 13, inputs: [], outputs: ["\(name).shape"],
        attributes: ["value_ints": .ints(values)])
      let fill = ONNXNode(
        name: "f", op: "ConstantOfShape", opset: 13, inputs: ["\(name).shape"], outputs: [name])
      _ = try folder.fold(shape) { _ in nil }
      _ = try folder.fold(fill) { _ in nil }
    }
    for (op, inputs) in [("Add", ["huge", "ones"]), ("Exp", ["huge"]), ("Transpose", ["huge"])] {
      let node = ONNXNode(name: op, op: op, opset: 13, inputs: inputs, outputs: ["o.\(op)"])
      _ = try folder.fold(node) { _ in nil }
      #expect(folder.constant("o.\(op)")?.isRepeated == true)
      #expect(folder.constant("o.\(op)")?.count == 1 << 40)
    }
    #expect(
      message { _ = try folder.constant("huge")?.floats() }
        == "value 'huge': is filled with 1048576x1048576 equal elements, more than memory should "
        + "hold; export the model again")
    #expect(message { _ = try folder.constant("huge")?.doubles() }?.contains("filled") == true)
    let cast = ONNXNode(
      name: "c", op: "Cast", opset: 13, inputs: ["huge"], outputs: ["hugeInts"],
      attributes: ["to": .int(7)])
    _ = try folder.fold(cast) { _ in nil }
    let reshape = ONNXNode(
      name: "r", op: "Reshape", opset: 13, inputs: ["ones", "hugeInts"], outputs: ["o"])
    #expect(
      message { _ = try folder.fold(reshape) { _ in nil } }
        == "value 'hugeInts': has 1048576x1048576 elements, expected a list of numbers; "
        + "export the model again")
    let expand = ONNXNode(
      name: "e", op: "Concat", opset: 13, inputs: ["huge", "huge"], outputs: ["o"],
      attributes: ["axis": .int(0)])
    #expect(
      message { _ = try folder.fold(expand) { _ in nil } }
        == "node 'e' (Concat): makes a constant of 2097152x1048576 elements, more than the model's "
        + "weights explain; export the model again")
  }

  @Test("ranges")
  func ranges() throws {
    func range(_ a: Int64, _ b: Int64, _ c: Int64) throws -> String {
      try Self.result("Range", [.ints([a], []), .ints([b], []), .ints([c], [])])
    }
    #expect(try range(0, 3, 1) == "int64 [3] 0 1 2")
    #expect(try range(5, 0, -2) == "int64 [3] 5 3 1")
    #expect(try range(0, -1, 1) == "int64 [0] ")
    #expect(
      try Self.result("Range", [.floats([0], []), .floats([1], []), .floats([0.25], [])])
        == "float [4] 0.0 0.25 0.5 0.75")
    #expect(
      message { _ = try range(0, 5, 0) } == "node 'n' (Range): has no end; export the model again")
    #expect(
      message { _ = try range(0, Int64.max, 1) }?.contains("has dimensions") == true)
    #expect(message { _ = try range(Int64.min, Int64.max, 1) }?.contains("has no end") == true)
  }

  @Test("conversions cut fractions off, and integers wrap around")
  func casts() throws {
    #expect(
      try Self.result("Cast", [Self.reals(1.9, -1.9, .nan)], ["to": .int(7)]) == "int64 [3] 1 -1 0")
    #expect(try Self.result("Cast", [Self.row(300, -1)], ["to": .int(2)]) == "uint8 [2] 44 255")
    #expect(try Self.result("Cast", [Self.reals(0.5, 0)], ["to": .int(9)]) == "bool [2] 1 0")
    #expect(try Self.result("Cast", [Self.row(3)], ["to": .int(1)]) == "float [1] 3.0")
    #expect(
      try Self.result("Cast", [Self.reals(1e30)], ["to": .int(7)]) == "int64 [1] \(Int64.max)")
    #expect(try Self.result("CastLike", [Self.row(3), Self.reals(0)]) == "float [1] 3.0")
    #expect(
      Self.failure("Cast", [Self.row(3)], ["to": .int(8)])
        == "node 'n' (Cast): casts int64 to string, which convc does not compute; "
        + "export the model again")
    #expect(
      Self.failure("Cast", [Self.row(3)])
        == "node 'n' (Cast): has no attribute 'to'; export the model again")
  }

  @Test("dimensions change, elements stay")
  func reshaped() throws {
    #expect(
      try Self.result("Reshape", [Self.counted, Self.row(3, -1)]) == "int64 [3, 2] 0 1 2 3 4 5")
    #expect(
      try Self.result("Reshape", [Self.counted, Self.row(0, -1, 1)]).hasPrefix("int64 [2, 3, 1]"))
    #expect(
      try Self.result("Reshape", [Self.counted], ["shape": .ints([6])], opset: 4).hasPrefix(
        "int64 [6]"))
    #expect(try Self.result("Flatten", [Self.counted], ["axis": .int(0)]).hasPrefix("int64 [1, 6]"))
    #expect(try Self.result("Unsqueeze", [Self.row(1), Self.row(0, -1)]) == "int64 [1, 1, 1] 1")
    #expect(
      try Self.result("Unsqueeze", [Self.row(1, 2)], ["axes": .ints([1])], opset: 11)
        == "int64 [2, 1] 1 2")
    #expect(try Self.result("Squeeze", [.ints([5], [1, 1])]) == "int64 [] 5")
    #expect(
      try Self.result("Squeeze", [.ints([5, 6], [1, 2]), Self.row(-2)]) == "int64 [2] 5 6")
    #expect(
      Self.failure("Squeeze", [Self.counted, Self.row(0)])
        == "node 'n' (Squeeze): squeezes axis 0 of 2x3, expected an extent of 1; "
        + "export the model again")
    for shape in [
      Self.row(4, -1), Self.row(-1, -1), Self.row(7), Self.row(-2, 3), Self.row(1, 1, 0),
    ] {
      #expect(
        Self.failure("Reshape", [Self.counted, shape])?.contains(
          "which has not as many elements; export the model again") == true)
    }
    #expect(
      Self.failure("Unsqueeze", [Self.counted, Self.row(0, 0)])
        == "node 'n' (Unsqueeze): names axis 0 twice; export the model again")
    #expect(
      Self.failure("Flatten", [Self.counted], ["axis": .int(5)])
        == "node 'n' (Flatten): has axis 5, expected -2 to 1; export the model again")
  }

  @Test("elements move")
  func moved() throws {
    #expect(try Self.result("Transpose", [Self.counted]) == "int64 [3, 2] 0 3 1 4 2 5")
    #expect(
      try Self.result("Transpose", [.ints([1, 2], [2, 1, 1])], ["perm": .ints([1, 0, 2])])
        == "int64 [1, 2, 1] 1 2")
    #expect(
      try Self.result("Expand", [.ints([1, 2], [2, 1]), Self.row(3)]) == "int64 [2, 3] 1 1 1 2 2 2")
    #expect(
      try Self.result("Tile", [.ints([1, 2], [1, 2]), Self.row(2, 2)])
        == "int64 [2, 4] 1 2 1 2 1 2 1 2")
    #expect(
      try Self.result("Concat", [Self.counted, .ints([8, 9], [2, 1])], ["axis": .int(-1)])
        == "int64 [2, 4] 0 1 2 8 3 4 5 9")
    #expect(
      try Self.result("Gather", [Self.counted, .ints([-1, 0], [2])], ["axis": .int(1)])
        == "int64 [2, 2] 2 0 5 3")
    #expect(try Self.result("Gather", [Self.row(4, 5), .ints([1], [])]) == "int64 [] 5")
    #expect(
      try Self.result("GatherElements", [Self.counted, .ints([1, 0, 1], [1, 3])])
        == "int64 [1, 3] 3 1 5")
    #expect(
      try Self.results("Split", [Self.row(1, 2, 3), Self.row(1, 2)], outputs: 2)
        == ["int64 [1] 1", "int64 [2] 2 3"])
    #expect(
      try Self.results("Split", [Self.row(1, 2, 3)], outputs: 2)
        == ["int64 [2] 1 2", "int64 [1] 3"])
    #expect(
      try Self.result("NonZero", [.ints([1, 0, 0, 7], [2, 2])]) == "int64 [2, 2] 0 1 0 1")
  }

  @Test("slices go either way and end at the ends")
  func slices() throws {
    let ten = Value.ints(Array(0..<10), [10])
    func slice(_ start: Int64, _ end: Int64, _ step: Int64) throws -> String {
      try Self.result(
        "Slice", [ten, Self.row(start), Self.row(end), Self.row(0), Self.row(step)])
    }
    #expect(try slice(2, 5, 1) == "int64 [3] 2 3 4")
    #expect(try slice(-3, Int64.max, 2) == "int64 [2] 7 9")
    #expect(try slice(-1, Int64.min, -4) == "int64 [3] 9 5 1")
    #expect(try slice(Int64.max, 7, -1) == "int64 [2] 9 8")
    #expect(try slice(5, 2, 1) == "int64 [0] ")
    #expect(try slice(0, 10, Int64.max) == "int64 [1] 0")
    #expect(try slice(9, 0, Int64.min) == "int64 [1] 9")
    #expect(
      try Self.result(
        "Slice", [Self.counted], ["starts": .ints([1]), "ends": .ints([3]), "axes": .ints([1])],
        opset: 9)
        == "int64 [2, 2] 1 2 4 5")
    #expect(
      message { _ = try slice(0, 1, 0) }
        == "node 'n' (Slice): slices with a step of 0; export the model again")
    #expect(
      Self.failure("Slice", [ten, Self.row(0), Self.row(1, 2)])
        == "node 'n' (Slice): has 1 starts, 2 ends, 1 axes and 1 steps, expected as many of each; "
        + "export the model again")
  }

  @Test("arithmetic spreads its operands and stays in their type")
  func arithmetic() throws {
    #expect(
      try Self.result("Add", [Self.counted, Self.row(10, 20, 30)])
        == "int64 [2, 3] 10 21 32 13 24 35")
    #expect(try Self.result("Div", [Self.row(7, -7), Self.row(2)]) == "int64 [2] 3 -3")
    #expect(
      try Self.result("Div", [Self.row(Int64.min), Self.row(-1)]) == "int64 [1] \(Int64.min)")
    #expect(try Self.result("Mod", [Self.row(-7, 7), Self.row(3, -3)]) == "int64 [2] 2 -2")
    #expect(
      try Self.result("Mod", [Self.row(-7, 7), Self.row(3, -3)], ["fmod": .int(1)])
        == "int64 [2] -1 1")
    #expect(try Self.result("Pow", [Self.row(3, -2), Self.row(2, 3)]) == "int64 [2] 9 -8")
    #expect(try Self.result("Pow", [Self.reals(2), Self.row(-1)]) == "float [1] 0.5")
    #expect(
      try Self.result("Mul", [.ints([200], [1], .uint8), .ints([2], [1], .uint8)])
        == "uint8 [1] 144")
    #expect(
      try Self.result("Sub", [Self.reals(0.1), Self.reals(0.3)]) == "float [1] \(Float(0.1) - 0.3)")
    #expect(try Self.result("Max", [Self.row(1, 5), Self.row(3), Self.row(2)]) == "int64 [2] 3 5")
    #expect(try Self.result("Mean", [Self.reals(1, 5), Self.reals(2)]) == "float [2] 1.5 3.5")
    #expect(
      try Self.result("Clip", [Self.reals(-1, 0.5, 9), nil, .floats([6], [])])
        == "float [3] -1.0 0.5 6.0")
    #expect(
      try Self.result("Clip", [Self.reals(-1, 9)], ["min": .float(0), "max": .float(6)], opset: 6)
        == "float [2] 0.0 6.0")
    #expect(try Self.result("Min", [Self.reals(1, .nan), Self.reals(3)]) == "float [2] 1.0 nan")
    #expect(
      try Self.result(
        "Add", [Self.counted, Self.row(10, 20)], ["axis": .int(0), "broadcast": .int(1)], opset: 6)
        == "int64 [2, 3] 10 11 12 23 24 25")
    #expect(
      Self.failure("Add", [Self.counted, Self.row(1, 2)])
        == "node 'n' (Add): computes with 2x3 and 2, which cannot be spread to each other; "
        + "export the model again")
    #expect(
      Self.failure("Add", [Self.counted, Self.reals(1)])
        == "node 'n' (Add): computes with int64 and float, expected one type; export the model again"
    )
    #expect(
      Self.failure("Div", [Self.row(1), Self.row(0)])
        == "node 'n' (Div): divides an integer by 0; export the model again")
    #expect(
      Self.failure("Sqrt", [Self.row(1)])
        == "node 'n' (Sqrt): computes with int64, which convc does not; export the model again")
    #expect(
      Self.failure("Add", [Self.row(1)])
        == "node 'n' (Add): has no input 1; export the model again")
  }

  @Test("functions of one number, comparisons, choices")
  func pointwise() throws {
    #expect(try Self.result("Neg", [Self.row(1, Int64.min)]) == "int64 [2] -1 \(Int64.min)")
    #expect(try Self.result("Abs", [Self.reals(-1.5)]) == "float [1] 1.5")
    #expect(try Self.result("Round", [Self.reals(0.5, 1.5, -2.5)]) == "float [3] 0.0 2.0 -2.0")
    #expect(try Self.result("Floor", [Self.reals(-0.5)]) == "float [1] -1.0")
    #expect(try Self.result("Ceil", [Self.reals(-0.5)]) == "float [1] -0.0")
    #expect(try Self.result("Sqrt", [Self.reals(4)]) == "float [1] 2.0")
    #expect(try Self.result("Exp", [Self.reals(0)]) == "float [1] 1.0")
    #expect(try Self.result("Log", [Self.reals(1)]) == "float [1] 0.0")
    #expect(try Self.result("Equal", [Self.row(1, 2), Self.row(2)]) == "bool [2] 0 1")
    #expect(try Self.result("Less", [Self.reals(1, .nan), Self.reals(2)]) == "bool [2] 1 0")
    #expect(try Self.result("Greater", [Self.row(1, 3), Self.row(2)]) == "bool [2] 0 1")
    let bits = Value.ints([0, 1], [2], .bool)
    #expect(try Self.result("Not", [bits]) == "bool [2] 1 0")
    #expect(try Self.result("And", [bits, .ints([1], [], .bool)]) == "bool [2] 0 1")
    #expect(try Self.result("Or", [bits, .ints([0], [], .bool)]) == "bool [2] 0 1")
    #expect(
      try Self.result("Where", [bits, Self.row(5), Self.row(7, 8)]) == "int64 [2] 7 5")
    #expect(
      Self.failure("Where", [Self.row(1), Self.row(5), Self.row(7)])
        == "node 'n' (Where): chooses by int64 between int64 and int64, expected bool and one type; "
        + "export the model again")
  }

  @Test("reductions")
  func reductions() throws {
    #expect(try Self.result("ReduceSum", [Self.counted, Self.row(1)]) == "int64 [2, 1] 3 12")
    #expect(
      try Self.result("ReduceProd", [Self.row(3, 4)], ["keepdims": .int(0)]) == "int64 [] 12")
    #expect(
      try Self.result(
        "ReduceMax", [Self.counted], ["axes": .ints([0]), "keepdims": .int(0)], opset: 11)
        == "int64 [3] 3 4 5")
    #expect(try Self.result("ReduceMean", [Self.reals(1, 2)]) == "float [1] 1.5")
    #expect(try Self.result("ReduceL2", [Self.reals(3, 4)]) == "float [1] 5.0")
    #expect(
      try Self.result("ReduceMin", [.ints([], [0, 2], .int8), Self.row(0)]) == "int8 [1, 2] 127 127"
    )
    #expect(
      try Self.result("ReduceSum", [Self.row(1, 2)], ["noop_with_empty_axes": .int(1)])
        == "int64 [2] 1 2")
  }

  @Test("indices and axes beyond the ends")
  func bounds() {
    #expect(
      Self.failure("Gather", [Self.row(1, 2), Self.row(2)])
        == "node 'n' (Gather): has index 2, expected -2 to 1; export the model again")
    #expect(
      Self.failure("Transpose", [Self.counted], ["perm": .ints([0, 0])])
        == "node 'n' (Transpose): permutes axes [0, 0], expected each of 2 once; "
        + "export the model again")
    #expect(
      Self.failure("Split", [Self.row(1, 2, 3), Self.row(1, 1)], outputs: 2)
        == "node 'n' (Split): splits 3 into [1, 1] for 2 outputs; expected parts that add up; "
        + "export the model again")
    #expect(
      Self.failure("Tile", [Self.counted, Self.row(2)])
        == "node 'n' (Tile): repeats [2] times, expected a number for each of 2 axes; "
        + "export the model again")
    #expect(
      Self.failure("Tile", [Self.counted, Self.row(1 << 30, 1 << 30)])?.contains(
        "more than memory can hold") == true)
    #expect(
      Self.failure("Expand", [Self.counted, Self.row(4, 3)])
        == "node 'n' (Expand): expands 2x3 to 4x3, which does not fit; export the model again")
    #expect(
      Self.failure("Concat", [Self.counted, Self.row(1)], ["axis": .int(0)])
        == "node 'n' (Concat): concatenates 2x3 of int64, 1 of int64, which do not fit; "
        + "export the model again")
  }
}
