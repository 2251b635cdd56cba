import Testing

@testable import ConvcONNX

@Suite("Folding")
struct FoldConstantsTests {
  @Test("a chain that asks for a shape becomes the constant that it computes")
  func chain() throws {
    let model = Build.model(
      Build.graph(
        [
          Build.node("Shape", ["x"], ["d"]),
          Build.node(
            "Constant", [], ["zero"], ["value": .tensor(Build.tensor("", [], [0] as [Int64]))]),
          Build.node("Gather", ["d", "zero"], ["n"], ["axis": .int(0)]),
          Build.node("Unsqueeze", ["n"], ["n1"], ["axes": .ints([0])]),
          Build.node("Concat", ["n1", "rest"], ["shape"], ["axis": .int(0)]),
          Build.node("Reshape", ["x", "shape"], ["y"], name: "reshape"),
          Build.node("Relu", ["x"], ["unused"]),
        ],
        inputs: [Build.value("x", ["N", "2", "3"])], outputs: [Build.value("y", ["N", "6"])],
        initializers: [Build.tensor("rest", [1], [-1] as [Int64])]), opset: 11)
    let (graph, _) = try BindDimensions(dims: ["N": 4]).run(try read(model))
    let folded = try FoldConstants().run(graph)
    #expect(folded.nodes.map(\.name) == ["reshape"])
    #expect(folded.initializerNames == ["shape"])
    #expect(try folded.initializers["shape"]?.ints() == [4, -1])
  }

  @Test("a branch that a constant chooses replaces its If")
  func branch() throws {
    func branch(_ op: String) -> Onnx_GraphProto {
      Build.graph(
        [Build.node(op, ["x"], ["t"]), Build.node("Add", ["t", "k"], ["out"])],
        outputs: [Build.value("out", ["2"])],
        initializers: [Build.tensor("k", [2], [1, 2] as [Float])])
    }
    var model = Build.model(
      Build.graph(
        [
          Build.node("Equal", ["one", "one"], ["c"]),
          Build.node(
            "If", ["c"], ["m"], name: "if",
            ["then_branch": .graph(branch("Neg")), "else_branch": .graph(branch("Abs"))]),
          Build.node("Relu", ["m"], ["y"]),
        ], inputs: [Build.value("x", ["2"])], outputs: [Build.value("y", ["2"])],
        initializers: [Build.tensor("one", [1], [1] as [Int64])]))
    let graph = try FoldConstants().run(try read(model))
    #expect(graph.nodes.map(\.op) == ["Neg", "Add", "Identity", "Relu"])
    #expect(graph.nodes[1].inputs == ["if/t", "if/k"])
    #expect(try graph.initializers["if/k"]?.floats() == [1, 2])
    model.graph.initializer[0] = Build.tensor("one", [2], [1, 1] as [Int64])
    #expect(
      message { _ = try FoldConstants().run(try read(model)) }
        == "node 'if' (If): has a condition of 2 elements, expected one; export the model again")
  }

  @Test("many nodes that go through large constants are refused")
  func work() throws {
    var limits = ONNXLimits()
    limits.computedBytes = 1 << 10
    let sums = (0..<100).map { Build.node("ReduceSum", ["w"], ["s\($0)"], name: "r\($0)") }
    var model = Build.small
    model.graph.node += sums
    model.graph.initializer[0] = Build.tensor("w", [2, 32], [Float](repeating: 1, count: 64))
    #expect(
      message { _ = try FoldConstants().run(try read(model, limits: limits)) }
        == "node 'r31' (ReduceSum): takes computing with constants beyond what the model's weights "
        + "explain; export the model again")
  }

  @Test("what runs stays, and only what an output needs")
  func runtime() throws {
    let graph = try FoldConstants().run(try BindDimensions(dims: [:]).run(read(Build.small)).graph)
    #expect(graph.nodes.map(\.name) == ["sum", "relu"])
    #expect(graph.initializerNames == ["w"])
    var model = Build.small
    model.graph.node.append(Build.node("Neg", ["w"], ["dead"]))
    model.graph.initializer.append(Build.tensor("unread", [1], [1] as [Float]))
    let pruned = RemoveDeadNodes().run(try read(model))
    #expect(pruned.nodes.map(\.name) == ["sum", "relu"])
    #expect(pruned.initializerNames == ["w"])
  }
}
