import Convc
import ConvcReference
import ConvcTestSupport
import Testing

@testable import ConvcONNX

/// What each pass finds and what it leaves: operators before and after it, which compute the same.
@Suite("Clean-up of imported graphs")
struct CleanUpTests {
  private typealias Nodes = [Onnx_NodeProto]

  /// Runs a pass and returns the operators that are left, in order.
  ///
  /// - Parameters:
  ///   - pass: nil: all of them.
  ///   - input: extents of the input `x`; the output is `y`.
  private func operators(
    after pass: (any GraphPass)? = nil, _ nodes: [Onnx_NodeProto], input: [Int] = [2, 3, 4, 5],
    _ initializers: [Onnx_TensorProto] = []
  ) throws -> [String] {
    let model = Build.model(
      Build.graph(
        nodes, inputs: [Build.value("x", input.map(String.init))],
        outputs: [Build.value("y", [])], initializers: initializers), opset: 20)
    let before = try read(model)
    let after = try pass.map { try $0.run(before) } ?? CleanUp().run(before)
    let (expected, found) = (try outputs(of: before, input), try outputs(of: after, input))
    #expect(expected.count == found.count)
    let largest = expected.reduce(1e-30) { max($0, abs($1)) }
    for (a, b) in zip(expected, found) { #expect(abs(a - b) <= 1e-6 * largest) }
    return after.nodes.map(\.title)
  }

  /// What a graph computes as it stands, in double precision.
  private func outputs(of graph: ONNXGraph, _ input: [Int]) throws -> [Double] {
    var random = RandomValues(seed: 3)
    let values = random.uniform(input.reduce(1, *), in: -4...4)
    for isUnbatched in [false, true] {
      guard let conversion = Conversion(graph, isUnbatched: isUnbatched) else { continue }
      switch conversion.run() {
      case .success(let model):
        return try ExportedLayer.outputs(of: model, [values], batch: input[0])
      case .failure(.problem(let error)): throw error
      case .failure(.needsAxis0(let error)): if isUnbatched { throw error }
      }
    }
    return []
  }

  private func scalar(_ name: String, _ value: Float) -> Onnx_TensorProto {
    Build.tensor(name, [], [value])
  }

  private func numbers(_ name: String, _ dims: [Int64]) -> Onnx_TensorProto {
    var random = RandomValues(seed: UInt64(name.utf8.count + dims.count))
    return Build.tensor(
      name, dims, random.uniform(Int(dims.reduce(1, *)), in: -1...1))
  }

  // MARK: Identities

  @Test("values that are handed on are read where they come from")
  func identities() throws {
    let nodes = [
      Build.node("Identity", ["x"], ["a"]), Build.node("Relu", ["a"], ["b"]),
      Build.node("Dropout", ["b"], ["c"]), Build.node("Concat", ["c"], ["d"], ["axis": .int(1)]),
      Build.node("Sum", ["d"], ["e"]), Build.node("Tanh", ["e"], ["y"]),
    ]
    #expect(try operators(after: RemoveIdentities(), nodes) == ["Relu", "Tanh"])
  }

  @Test("an output keeps its name, and a mask that is read its dropout")
  func keptIdentities() throws {
    let nodes = [Build.node("Relu", ["x"], ["a"]), Build.node("Identity", ["a"], ["y"])]
    #expect(try operators(after: RemoveIdentities(), nodes) == ["Relu", "Identity"])
    let masked = Build.model(
      Build.graph(
        [Build.node("Dropout", ["x"], ["y", "mask"]), Build.node("Cast", ["mask"], ["z"])],
        inputs: [Build.value("x", ["2"])],
        outputs: [Build.value("y", ["2"]), Build.value("z", ["2"])]))
    #expect(try RemoveIdentities().run(try read(masked)).nodes.map(\.op) == ["Dropout", "Cast"])
  }

  // MARK: Activations

  @Test("x · sigmoid(x) is Swish")
  func swish() throws {
    let nodes = [
      Build.node("Sigmoid", ["x"], ["s"]), Build.node("Mul", ["s", "x"], ["y"]),
    ]
    #expect(try operators(after: FuseActivations(), nodes) == ["Swish"])
  }

  @Test("another value's sigmoid is a gate and stays")
  func gate() throws {
    let nodes = [
      Build.node("Relu", ["x"], ["r"]), Build.node("Sigmoid", ["r"], ["s"]),
      Build.node("Mul", ["s", "x"], ["y"]),
    ]
    #expect(
      try operators(after: FuseActivations(), nodes) == ["Relu", "Sigmoid", "Mul"])
  }

  @Test("the forms of HardSwish: products in any order, divisors as factors")
  func hardSwish() throws {
    let constants = [
      scalar("three", 3), scalar("zero", 0), scalar("six", 6), scalar("sixth", 1 / 6),
    ]
    let gate = [
      Build.node("Add", ["x", "three"], ["a"]),
      Build.node("Clip", ["a", "zero", "six"], ["c"]),
    ]
    let forms: [[Onnx_NodeProto]] = [
      [Build.node("Mul", ["x", "c"], ["m"]), Build.node("Div", ["m", "six"], ["y"])],
      [Build.node("Div", ["c", "six"], ["d"]), Build.node("Mul", ["d", "x"], ["y"])],
      [Build.node("Mul", ["sixth", "c"], ["d"]), Build.node("Mul", ["x", "d"], ["y"])],
    ]
    for form in forms {
      #expect(try operators(after: FuseActivations(), gate + form, constants) == ["HardSwish"])
    }
    let short = [
      Build.node("HardSigmoid", ["x"], ["g"], ["alpha": .float(1 / 6), "beta": .float(0.5)]),
      Build.node("Mul", ["x", "g"], ["y"]),
    ]
    #expect(try operators(after: FuseActivations(), short) == ["HardSwish"])
    let sigmoid = gate + [Build.node("Div", ["c", "six"], ["y"])]
    #expect(try operators(after: FuseActivations(), sigmoid, constants) == ["HardSigmoid"])
  }

  @Test("other numbers are another function")
  func notHardSwish() throws {
    let nodes = [
      Build.node("Add", ["x", "three"], ["a"]), Build.node("Clip", ["a", "zero", "five"], ["c"]),
      Build.node("Mul", ["x", "c"], ["m"]), Build.node("Div", ["m", "five"], ["y"]),
    ]
    #expect(
      try operators(
        after: FuseActivations(), nodes,
        [scalar("three", 3), scalar("zero", 0), scalar("five", 5)]) == [
          "Add", "Clip", "Mul", "Div",
        ])
  }

  @Test("Gelu by the error function, with ½ anywhere")
  func gelu() throws {
    let constants = [scalar("root", 1.414_213_5), scalar("one", 1), scalar("half", 0.5)]
    let gate = [
      Build.node("Div", ["x", "root"], ["d"]), Build.node("Erf", ["d"], ["e"]),
      Build.node("Add", ["e", "one"], ["g"]),
    ]
    let forms: [[Onnx_NodeProto]] = [
      [Build.node("Mul", ["x", "g"], ["m"]), Build.node("Mul", ["m", "half"], ["y"])],
      [Build.node("Mul", ["g", "half"], ["m"]), Build.node("Mul", ["x", "m"], ["y"])],
      [Build.node("Mul", ["half", "x"], ["m"]), Build.node("Mul", ["m", "g"], ["y"])],
    ]
    for form in forms {
      #expect(try operators(after: FuseActivations(), gate + form, constants) == ["Gelu"])
    }
  }

  @Test("Gelu by the hyperbolic tangent")
  func tanhGelu() throws {
    let nodes = [
      Build.node("Pow", ["x", "three"], ["p"]), Build.node("Mul", ["p", "c"], ["q"]),
      Build.node("Add", ["x", "q"], ["a"]), Build.node("Mul", ["a", "k"], ["b"]),
      Build.node("Tanh", ["b"], ["t"]), Build.node("Add", ["t", "one"], ["g"]),
      Build.node("Mul", ["x", "half"], ["m"]), Build.node("Mul", ["m", "g"], ["y"]),
    ]
    let constants = [
      scalar("three", 3), scalar("c", 0.044715), scalar("k", 0.797_884_56), scalar("one", 1),
      scalar("half", 0.5),
    ]
    #expect(try operators(after: FuseActivations(), nodes, constants) == ["Gelu"])
  }

  @Test("bounds at zero alone are Relu")
  func rectifiers() throws {
    let clip = [Build.node("Clip", ["x", "zero"], ["y"])]
    #expect(try operators(after: FuseActivations(), clip, [scalar("zero", 0)]) == ["Relu"])
    let maximum = [Build.node("Max", ["zero", "x"], ["y"])]
    #expect(try operators(after: FuseActivations(), maximum, [scalar("zero", 0)]) == ["Relu"])
    let six = [Build.node("Clip", ["x", "zero", "six"], ["y"])]
    #expect(
      try operators(after: FuseActivations(), six, [scalar("zero", 0), scalar("six", 6)]) == [
        "Clip"
      ])
  }

  // MARK: Transposes

  @Test("transposes around operators of single values cancel")
  func transposes() throws {
    let nodes = [
      Build.node("Transpose", ["x"], ["a"], ["perm": .ints([0, 2, 3, 1])]),
      Build.node("Relu", ["a"], ["b"]), Build.node("Add", ["b", "two"], ["c"]),
      Build.node("Transpose", ["c"], ["d"], ["perm": .ints([0, 3, 1, 2])]),
      Build.node("Tanh", ["d"], ["y"]),
    ]
    #expect(
      try operators(after: CancelTransposes(), nodes, [scalar("two", 2)]) == [
        "Relu", "Add", "Tanh",
      ])
  }

  @Test("a sum of two values that are transposed alike is transposed behind it")
  func transposedSum() throws {
    let nodes = [
      Build.node("Tanh", ["x"], ["t"]),
      Build.node("Transpose", ["x"], ["a"], ["perm": .ints([0, 2, 3, 1])]),
      Build.node("Transpose", ["t"], ["b"], ["perm": .ints([0, 2, 3, 1])]),
      Build.node("Add", ["a", "b"], ["y"]),
    ]
    #expect(
      try operators(after: CancelTransposes(), nodes) == ["Tanh", "Add", "Transpose"])
  }

  @Test("two orders one after another are one order")
  func joinedTransposes() throws {
    let nodes = [
      Build.node("Transpose", ["x"], ["a"], ["perm": .ints([0, 2, 1, 3])]),
      Build.node("Transpose", ["a"], ["y"], ["perm": .ints([0, 1, 3, 2])]),
    ]
    #expect(try operators(after: CancelTransposes(), nodes) == ["Transpose"])
  }

  // MARK: Pads

  private let pads = Build.tensor("pads", [8], [0, 0, 1, 2, 0, 0, 0, 1] as [Int64])

  @Test("zeros around a convolution are its pads")
  func paddedConvolution() throws {
    let nodes = [
      Build.node("Pad", ["x", "pads"], ["p"]),
      Build.node("Conv", ["p", "weights"], ["y"], ["pads": .ints([0, 1, 0, 0])]),
    ]
    #expect(
      try operators(after: FoldPads(), nodes, [pads, numbers("weights", [2, 3, 3, 3])])
        == ["Conv"])
  }

  @Test("zeros before an average that counts them, or before a maximum of what is not negative")
  func paddedPools() throws {
    let kernel: Build.Attribute = .ints([3, 3])
    let average = [
      Build.node("Pad", ["x", "pads"], ["p"]),
      Build.node("AveragePool", ["p"], ["y"], ["kernel_shape": kernel]),
    ]
    #expect(try operators(after: FoldPads(), average, [pads]) == ["AveragePool"])
    let maximum = [
      Build.node("Relu", ["x"], ["r"]), Build.node("Pad", ["r", "pads"], ["p"]),
      Build.node("MaxPool", ["p"], ["y"], ["kernel_shape": kernel, "strides": .ints([2, 2])]),
    ]
    #expect(try operators(after: FoldPads(), maximum, [pads]) == ["Relu", "MaxPool"])
  }

  @Test("pads stay before a maximum of any value, with another number, and on other axes")
  func keptPads() throws {
    let pool = Build.node("MaxPool", ["p"], ["y"], ["kernel_shape": .ints([3, 3])])
    let any = [Build.node("Pad", ["x", "pads"], ["p"]), pool]
    #expect(try operators(after: FoldPads(), any, [pads]) == ["Pad", "MaxPool"])
    let ones = [
      Build.node("Pad", ["x", "pads", "one"], ["p"]),
      Build.node("Conv", ["p", "weights"], ["y"]),
    ]
    #expect(
      try operators(
        after: FoldPads(), ones, [pads, scalar("one", 1), numbers("weights", [2, 3, 3, 3])])
        == ["Pad", "Conv"])
    let channels = [
      Build.node("Pad", ["x", "channels"], ["p"]), Build.node("Conv", ["p", "weights"], ["y"]),
    ]
    let one = Build.tensor("channels", [8], [0, 1, 0, 0, 0, 0, 0, 0] as [Int64])
    #expect(
      try operators(after: FoldPads(), channels, [one, numbers("weights", [2, 4, 3, 3])])
        == ["Pad", "Conv"])
  }

  // MARK: Scales and shifts

  @Test("scales and shifts of channels become weights and bias")
  func affine() throws {
    let nodes = [
      Build.node("Conv", ["x", "w", "b"], ["c"], ["group": .int(3)]),
      Build.node("Mul", ["c", "scale"], ["s"]), Build.node("Add", ["shift", "s"], ["t"]),
      Build.node("Sub", ["one", "t"], ["u"]), Build.node("Div", ["u", "two"], ["y"]),
    ]
    let constants = [
      numbers("w", [6, 1, 3, 3]), numbers("b", [6]), numbers("scale", [1, 6, 1, 1]),
      numbers("shift", [6, 1, 1]), scalar("one", 1), scalar("two", 2),
    ]
    #expect(try operators(after: FoldAffine(), nodes, constants) == ["Conv"])
  }

  @Test("transposed convolutions in groups, products of matrices, batch norm behind a convolution")
  func otherAffine() throws {
    let transposed = [
      Build.node("ConvTranspose", ["x", "w"], ["c"], ["group": .int(2)]),
      Build.node("Mul", ["c", "scale"], ["y"]),
    ]
    #expect(
      try operators(
        after: FoldAffine(), transposed, input: [2, 4, 3, 3],
        [numbers("w", [4, 3, 2, 2]), numbers("scale", [6, 1, 1])]) == ["ConvTranspose"])
    for (flag, dims) in [(0, [3, 5]), (1, [5, 3])] as [(Int64, [Int64])] {
      let dense = [
        Build.node("Gemm", ["x", "w"], ["c"], ["transB": .int(flag)]),
        Build.node("Mul", ["c", "scale"], ["s"]), Build.node("Add", ["s", "scale"], ["y"]),
      ]
      #expect(
        try operators(
          after: FoldAffine(), dense, input: [2, 3], [numbers("w", dims), numbers("scale", [5])])
          == ["Gemm"])
    }
    let product = [
      Build.node("MatMul", ["x", "w"], ["c"]), Build.node("Add", ["shift", "c"], ["y"]),
    ]
    #expect(
      try operators(
        after: FoldAffine(), product, input: [2, 3], [numbers("w", [3, 5]), numbers("shift", [5])])
        == ["convc.MatMulAdd"])
    let rows = [
      Build.node("MatMul", ["x", "w"], ["c"]), Build.node("Add", ["c", "shift"], ["y"]),
    ]
    #expect(
      try operators(
        after: FoldAffine(), rows, input: [2, 4, 3], [numbers("w", [3, 5]), numbers("shift", [5])])
        == ["convc.MatMulAdd"])
    let normalized = [
      Build.node("Conv", ["x", "w"], ["c"]),
      Build.node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"]),
      Build.node("Mul", ["n", "scale"], ["y"]),
    ]
    #expect(
      try operators(
        after: FoldAffine(), normalized,
        [
          numbers("w", [2, 3, 1, 1]), numbers("g", [2]), numbers("b", [2]), numbers("m", [2]),
          Build.tensor("v", [2], [1, 2] as [Float]), numbers("scale", [1, 2, 1, 1]),
        ]) == ["Conv", "BatchNormalization"])
  }

  @Test("what is read twice, and constants of places, stay")
  func keptAffine() throws {
    let twice = [
      Build.node("Conv", ["x", "w"], ["c"]), Build.node("Mul", ["c", "two"], ["s"]),
      Build.node("Add", ["c", "s"], ["y"]),
    ]
    #expect(
      try operators(after: FoldAffine(), twice, [numbers("w", [2, 3, 1, 1]), scalar("two", 2)])
        == ["Conv", "Mul", "Add"])
    let places = [
      Build.node("Conv", ["x", "w"], ["c"]), Build.node("Mul", ["c", "row"], ["y"]),
    ]
    #expect(
      try operators(
        after: FoldAffine(), places, [numbers("w", [2, 3, 1, 1]), numbers("row", [5])])
        == ["Conv", "Mul"])
  }

  @Test(
    "a bias that a network exports behind its product, an activation in parts, and pads: all passes together"
  )
  func together() throws {
    let nodes = [
      Build.node("Identity", ["x"], ["i"]), Build.node("Pad", ["i", "pads"], ["p"]),
      Build.node("Conv", ["p", "w"], ["c"]), Build.node("Mul", ["c", "scale"], ["s"]),
      Build.node("Add", ["s", "scale"], ["t"]), Build.node("Sigmoid", ["t"], ["g"]),
      Build.node("Mul", ["t", "g"], ["y"]),
    ]
    #expect(
      try operators(
        nodes, [pads, numbers("w", [2, 3, 3, 3]), numbers("scale", [1, 2, 1, 1])])
        == ["Conv", "Swish"])
  }

  /// A model that each pass has something to do with, for damaged models.
  static let parts = [
    Build.node("Identity", ["x"], ["i"]), Build.node("Pad", ["i", "pads"], ["p"]),
    Build.node("Conv", ["p", "w"], ["c"]), Build.node("Mul", ["c", "w"], ["s"]),
    Build.node("Transpose", ["s"], ["t"], ["perm": .ints([0, 2, 3, 1])]),
    Build.node("Relu", ["t"], ["r"]),
    Build.node("Transpose", ["r"], ["u"], ["perm": .ints([0, 3, 1, 2])]),
    Build.node("Add", ["u", "three"], ["a"]), Build.node("Clip", ["a", "zero", "six"], ["g"]),
    Build.node("Mul", ["u", "g"], ["m"]), Build.node("Div", ["m", "six"], ["y"]),
  ]
  static let partConstants = [
    Build.tensor("w", [1, 1, 1, 1], [2] as [Float]),
    Build.tensor("pads", [8], [0, 0, 1, 0, 0, 0, 0, 1] as [Int64]),
    Build.tensor("zero", [], [0] as [Float]), Build.tensor("three", [], [3] as [Float]),
    Build.tensor("six", [], [6] as [Float]),
  ]

  @Test("a model for every pass")
  func everyPass() throws {
    #expect(
      try operators(Self.parts, input: [1, 1, 3, 3], Self.partConstants) == [
        "Conv", "Relu", "HardSwish",
      ])
  }

  @Test("long chains of products end soon")
  func chains() throws {
    var nodes = [Build.node("Conv", ["x", "w"], ["c0"])]
    for index in 0..<3000 {
      nodes.append(Build.node("Mul", ["c\(index)", "one"], ["c\(index + 1)"]))
    }
    nodes.append(Build.node("Relu", ["c3000"], ["y"]))
    let model = Build.model(
      Build.graph(
        nodes, inputs: [Build.value("x", ["1", "3", "4", "5"])], outputs: [Build.value("y", [])],
        initializers: [numbers("w", [2, 3, 1, 1]), scalar("one", 1.000_1)]), opset: 20)
    #expect(try CleanUp().run(try read(model)).nodes.map(\.op) == ["Conv", "Relu"])
  }
}
