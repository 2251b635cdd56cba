import Testing

@testable import ConvcONNX

@Suite("Order of nodes")
struct SortNodesTests {
  private static func model(
    _ nodes: [Onnx_NodeProto], outputs: [String] = ["y"]
  ) -> Onnx_ModelProto {
    Build.model(
      Build.graph(
        nodes, inputs: [Build.value("x", ["2"])], outputs: outputs.map { Build.value($0, ["2"]) }))
  }

  @Test("a file in order stays, another is put in order")
  func order() throws {
    let nodes = [
      Build.node("Relu", ["x"], ["a"], name: "first"),
      Build.node("Neg", ["x"], ["b"], name: "second"),
      Build.node("Add", ["a", "b"], ["y"], name: "third"),
    ]
    #expect(try read(Self.model(nodes)).nodes.map(\.name) == ["first", "second", "third"])
    #expect(
      try read(Self.model(nodes.reversed())).nodes.map(\.name) == ["first", "second", "third"])
  }

  @Test("a long chain in the wrong order takes no recursion")
  func chain() throws {
    let count = 20_000
    let nodes = (0..<count).map { Build.node("Relu", ["v\($0)"], ["v\($0 + 1)"]) }
    let model = Build.model(
      Build.graph(
        nodes.reversed(), inputs: [Build.value("v0", ["2"])],
        outputs: [Build.value("v\(count)", ["2"])]))
    #expect(try read(model).nodes.first?.inputs == ["v0"])
  }

  @Test("cycles, values from nowhere, and values defined twice")
  func contradictions() {
    #expect(
      message(
        of: Self.model([
          Build.node("Add", ["x", "b"], ["a"], name: "one"),
          Build.node("Relu", ["a"], ["b"], name: "two"), Build.node("Relu", ["b"], ["y"]),
        ]))
        == "node 'one' (Add): reads what is computed from its own output: 'two' to 'one' to 'two'; "
        + "export the model again")
    #expect(
      message(of: Self.model([Build.node("Relu", ["y"], ["y"], name: "self")]))
        == "node 'self' (Relu): reads what is computed from its own output: 'self' to 'self'; "
        + "export the model again")
    #expect(
      message(of: Self.model([Build.node("Add", ["x", "w"], ["y"])]))
        == "node 'Add_0' (Add): reads value 'w' (input 1), which no input, initializer or node "
        + "defines; export the model again")
    #expect(
      message(
        of: Self.model([Build.node("Relu", ["x"], ["y"]), Build.node("Neg", ["x"], ["y"])]))
        == "node 'Neg_1' (Neg): defines value 'y', which is defined elsewhere, too; "
        + "export the model again")
    #expect(
      message(of: Self.model([Build.node("Relu", ["x"], ["x"])]))
        == "node 'Relu_0' (Relu): defines value 'x', which is defined elsewhere, too; "
        + "export the model again")
    #expect(
      message(of: Self.model([Build.node("Relu", ["x"], ["y"])], outputs: ["z"]))
        == "output 'z': is computed by no node; export the model again")
    var model = Build.small
    model.graph.input.append(model.graph.input[0])
    #expect(message(of: model) == "input 'x': is defined twice; export the model again")
    model = Build.small
    model.graph.initializer.append(model.graph.initializer[0])
    #expect(message(of: model) == "initializer 'w': is defined twice; export the model again")
  }

  @Test("subgraphs see what is around them, and what is in them is not seen around")
  func subgraphs() throws {
    let branch = Build.graph(
      [Build.node("Relu", ["inner"], ["out"]), Build.node("Neg", ["a"], ["inner"])],
      outputs: [Build.value("out", ["2"])])
    let nodes = [
      Build.node(
        "If", ["c"], ["y"], ["then_branch": .graph(branch), "else_branch": .graph(branch)]),
      Build.node("Relu", ["x"], ["a"], name: "before"),
      Build.node("Greater", ["x", "x"], ["c"]),
    ]
    let graph = try read(Self.model(nodes))
    #expect(graph.nodes.map(\.op) == ["Greater", "Relu", "If"])
    #expect(try graph.nodes[2].graph("then_branch")?.nodes.map(\.op) == ["Neg", "Relu"])
    #expect(graph.nodes[2].reads == ["c", "a", "a"])
    #expect(
      message(of: Self.model(nodes + [Build.node("Relu", ["inner"], ["z"])]))
        == "node 'Relu_3' (Relu): reads value 'inner' (input 0), which no input, initializer or "
        + "node defines; export the model again")
    let empty = Build.graph([], outputs: [Build.value("nowhere", [])])
    #expect(
      message(of: Self.model([Build.node("If", ["x"], ["y"], ["then_branch": .graph(empty)])]))
        == "node 'If_0' (If): reads value 'nowhere' (a subgraph), which no input, initializer or "
        + "node defines; export the model again")
  }
}
