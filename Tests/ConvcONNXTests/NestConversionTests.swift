import Convc
import ConvcTestSupport
import Testing

@testable import ConvcONNX

/// Operators without a layer of their own: what compiled programs compute, of every element type.
@Suite("Operators as loop nests")
struct NestConversionTests {
  private typealias Values = Program.Values

  /// What a compiled model gives for inputs of any type.
  private func run(
    _ nodes: [Onnx_NodeProto], _ inputs: [(name: String, dims: [Int], values: Values)],
    _ initializers: [Onnx_TensorProto] = [], outputs: [String] = ["y"], opset: Int64 = 18
  ) async throws -> [Values] {
    let types: [Program.Element: Int32] = [.float32: 1, .int32: 6, .int64: 7, .bool: 9]
    var model = Build.model(
      Build.graph(
        nodes,
        inputs: inputs.map {
          Build.value($0.name, $0.dims.map(String.init), type: types[$0.values.element] ?? 1)
        }, outputs: outputs.map { Build.value($0, []) }, initializers: initializers),
      opset: opset)
    for domain in Set(nodes.map(\.domain)) where !domain.isEmpty {
      var set = Onnx_OperatorSetIdProto()
      set.domain = domain
      set.version = 1
      model.opsetImport.append(set)
    }
    let imported = try ConvertOperators().run(try read(model)).model
    let session = try await session(of: imported, batch: imported.usualBatch ?? 1) { _ in 0 }
    let graph = try imported.compile(BuildOptions(trains: false)).graph
    try session.setParameterBlock(try Initialization(seed: 0).parameters(of: graph))
    return try session.forward(
      inputs: inputs.map(\.values), batch: session.program.batches.upperBound)
  }

  @Test("comparisons give truths, choices go by them")
  func truths() async throws {
    let results = try await run(
      [
        Build.node("Less", ["a", "b"], ["y"]), Build.node("Not", ["y"], ["n"]),
        Build.node("Where", ["n", "a", "b"], ["z"]),
      ],
      [("a", [1, 3], .float32([1, 5, 3])), ("b", [1, 3], .float32([2, 4, 3]))],
      outputs: ["y", "z"])
    #expect(results == [.bool([true, false, false]), .float32([2, 5, 3])])
  }

  @Test("places of the largest values, and cells by numbers of run time")
  func places() async throws {
    let x: [Float] = [1, 7, 7, 0, -1, -2]
    let results = try await run(
      [
        Build.node("ArgMax", ["x"], ["first"], ["axis": .int(1), "keepdims": .int(0)]),
        Build.node(
          "ArgMax", ["x"], ["last"],
          ["axis": .int(1), "keepdims": .int(0), "select_last_index": .int(1)]),
        Build.node("Gather", ["table", "last"], ["y"]),
      ], [("x", [2, 3], .float32(x))],
      [Build.tensor("table", [3], [10, 20, 30] as [Float])], outputs: ["first", "last", "y"])
    #expect(results == [.int64([1, 0]), .int64([2, 0]), .float32([30, 10])])
  }

  @Test("numbers of cells that are none give NaN, and negative ones count from the end")
  func outOfRange() async throws {
    let results = try await run(
      [Build.node("Gather", ["x", "i"], ["y"])],
      [("x", [3], .float32([1, 2, 3])), ("i", [4], .int64([-1, 3, 1 << 40, 0]))])
    let values = results[0].floats
    #expect(values[0] == 3 && values[1].isNaN && values[2].isNaN && values[3] == 1)
  }

  @Test("shapes and other constants are outputs, also of rank 0 and without elements")
  func constants() async throws {
    let results = try await run(
      [
        Build.node("Shape", ["x"], ["shape"]), Build.node("Size", ["x"], ["size"]),
        Build.node("Slice", ["shape", "one", "one"], ["none"]),
      ], [("x", [2, 3], .float32([0, 0, 0, 0, 0, 0]))],
      [Build.tensor("one", [1], [1] as [Int64])], outputs: ["shape", "size", "none"])
    #expect(results == [.int64([2, 3]), .int64([6]), .int64([])])
  }

  @Test("maps that stand among zeros for a convolution are read as another shape without the zeros")
  func halo() async throws {
    let x = (0..<162).map { Float(($0 * 37) % 101) }
    let results = try await run(
      [
        Build.node("Relu", ["x"], ["r"]),
        Build.node("Conv", ["r", "w"], ["c"], ["pads": .ints([1, 1, 1, 1])]),
        Build.node("Reshape", ["r", "rows"], ["flat"]),
        Build.node("ReduceMax", ["flat", "last"], ["y"], ["keepdims": .int(0)]),
      ], [("x", [1, 2, 9, 9], .float32(x))],
      [
        Build.tensor("w", [2, 2, 3, 3], [Float](repeating: 1, count: 36)),
        Build.tensor("rows", [3], [1, 18, 9] as [Int64]), Build.tensor("last", [1], [2] as [Int64]),
      ], outputs: ["c", "y"])
    #expect(results[1].floats == (0..<18).map { x[$0 * 9..<$0 * 9 + 9].max() ?? 0 })
  }

  @Test("whole numbers keep all their digits in reductions", arguments: [[1], [2], [1, 2]])
  func wholes(axes: [Int64]) async throws {
    let large = (1 << 53) + 1
    let x = (0..<18).map { large - 3 * (($0 * 7) % 18) }
    // Extents of 9 make rows of the last axis.
    let groups: [[Int]] =
      switch axes {
      case [1]: (0..<9).map { [$0, $0 + 9] }
      case [2]: [Array(0..<9), Array(9..<18)]
      default: [Array(0..<18)]
      }
    let rows = groups.map { $0.map { x[$0] } }
    func reduced(_ op: String, _ values: Values) async throws -> Values {
      try await run(
        [Build.node(op, ["x", "axes"], ["y"], ["keepdims": .int(0)])], [("x", [1, 2, 9], values)],
        [Build.tensor("axes", [Int64(axes.count)], axes)])[0]
    }
    let wholes = Values.int64(x.map(Int64.init))
    func expected(_ body: ([Int]) -> Int) -> Values { .int64(rows.map { Int64(body($0)) }) }
    #expect(try await reduced("ReduceSum", wholes) == expected { $0.reduce(0, +) })
    #expect(try await reduced("ReduceMean", wholes) == expected { $0.reduce(0, +) / $0.count })
    #expect(try await reduced("ReduceMax", wholes) == expected { $0.max() ?? 0 })
    #expect(try await reduced("ReduceMin", wholes) == expected { $0.min() ?? 0 })
    let short = groups.map { $0.map { Int32(truncatingIfNeeded: x[$0]) } }
    let shortValues = Values.int32(x.map { Int32(truncatingIfNeeded: $0) })
    #expect(try await reduced("ReduceMax", shortValues) == .int32(short.map { $0.max() ?? 0 }))
    #expect(try await reduced("ReduceMin", shortValues) == .int32(short.map { $0.min() ?? 0 }))
    guard axes.count == 1 else { return }
    let places = try await run(
      [Build.node("ArgMax", ["x"], ["y"], ["axis": .int(axes[0]), "keepdims": .int(0)])],
      [("x", [1, 2, 9], wholes)])[0]
    #expect(places == expected { row in row.firstIndex(of: row.max() ?? 0) ?? 0 })
  }

  @Test("weights of run time, in groups, with strides and dilations")
  func convolution() async throws {
    let results = try await run(
      [
        Build.node(
          "Conv", ["x", "w"], ["y"],
          [
            "group": .int(2), "strides": .ints([2]), "dilations": .ints([2]),
            "pads": .ints([1, 1]),
          ])
      ],
      [
        ("x", [1, 2, 5], .float32([1, 2, 3, 4, 5, 10, 20, 30, 40, 50])),
        ("w", [2, 1, 2], .float32([1, 10, 1, -1])),
      ])
    // Places -1, 1, 3 and what lies two further: (0, 2), (2, 4), (4, 0) and the same tenfold.
    #expect(results == [.float32([20, 42, 4, -20, -20, 40])])
  }

  @Test("a loss of labels, one of which is ignored and one is no class")
  func loss() async throws {
    let scores: [Float] = [-1, -2, -3, -4, -5, -6, -7, -8]
    func losses(_ labels: [Int64], _ reduction: String) async throws -> [Float] {
      try await run(
        [
          Build.node(
            "NegativeLogLikelihoodLoss", ["x", "t", "w"], ["y"],
            ["ignore_index": .int(-1), "reduction": .text(reduction)])
        ], [("x", [4, 2], .float32(scores)), ("t", [4], .int64(labels))],
        [Build.tensor("w", [2], [1, 3] as [Float])])[0].floats
    }
    #expect(try await losses([0, 1, -1, 0], "none") == [1, 12, 0, 7])
    #expect(try await losses([0, 1, -1, 0], "sum") == [20])
    #expect(try await losses([0, 1, -1, 0], "mean") == [4])
    #expect(try await losses([0, 1, -1, 5], "none")[3].isNaN)
  }

  @Test("resizing by fractions, by cubic interpolation and without the cells outside")
  func resize() async throws {
    func resized(_ size: Int64, _ attributes: [String: Build.Attribute]) async throws -> [Float] {
      try await run(
        [Build.node("Resize", ["x", "", "", "sizes"], ["y"], attributes)],
        [("x", [1, 1, 1, 4], .float32([1, 2, 3, 4]))],
        [Build.tensor("sizes", [4], [1, 1, 1, size] as [Int64])])[0].floats
    }
    #expect(try await resized(3, ["mode": .text("nearest")]) == [1, 2, 4])
    let linear = try await resized(
      3, ["mode": .text("linear"), "coordinate_transformation_mode": .text("align_corners")])
    #expect(linear == [1, 2.5, 4])
    let cubic = try await resized(
      8, ["mode": .text("cubic"), "coordinate_transformation_mode": .text("asymmetric")])
    // Halfway between two cells Keys' kernel with a = -0.75 takes (-3, 19, 19, -3)/32.
    #expect(cubic[0] == 1 && cubic[2] == 2 && cubic[3] == 2.5)
    let excluded = try await resized(
      8,
      [
        "mode": .text("cubic"), "coordinate_transformation_mode": .text("asymmetric"),
        "exclude_outside": .int(1),
      ])
    #expect(abs(excluded[1] - (19 + 38 - 9) / 35) < 1e-6)
  }

  @Test("the gradient operator goes back through the nodes before it")
  func gradient() async throws {
    let node = Build.node(
      "Gradient", ["a", "b"], ["da", "db"], domain: "ai.onnx.preview.training",
      ["xs": .texts(["a", "b"]), "y": .text("y")])
    let results = try await run(
      [Build.node("Add", ["a", "b"], ["c"]), Build.node("Mul", ["c", "a"], ["y"]), node],
      [("a", [2], .float32([3, 5])), ("b", [1], .float32([4]))], outputs: ["y", "da", "db"])
    // y = (a + b) a: by a it is 2a + b, by the b that stands for both a₁ + a₂.
    #expect(results == [.float32([21, 45]), .float32([10, 14]), .float32([8])])
  }

  @Test("dropout is the identity with a mask of truths; random numbers of training are refused")
  func dropout() async throws {
    let results = try await run(
      [Build.node("Dropout", ["x"], ["y", "mask"])], [("x", [1, 2], .float32([3, 4]))],
      outputs: ["y", "mask"])
    #expect(results == [.float32([3, 4]), .bool([true, true])])
    await #expect(throws: ONNXError.self) {
      try await run(
        [Build.node("Dropout", ["x", "ratio", "training"], ["y"])],
        [("x", [1, 2], .float32([3, 4]))],
        [
          Build.tensor("ratio", [], [0.5] as [Float]),
          Build.tensor("training", [], [1] as [Int64]),
        ])
    }
  }
}
