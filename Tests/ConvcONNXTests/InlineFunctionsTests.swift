import Testing

@testable import ConvcONNX

@Suite("Functions of a model")
struct InlineFunctionsTests {
  static func function(
    _ name: String, _ inputs: [String], _ outputs: [String], _ nodes: [Onnx_NodeProto],
    attributes: [String] = [], defaults: [Onnx_AttributeProto] = []
  ) -> Onnx_FunctionProto {
    var function = Onnx_FunctionProto()
    function.name = name
    function.domain = "mine"
    function.input = inputs
    function.output = outputs
    function.node = nodes
    function.attribute = attributes
    function.attributeProto = defaults
    return function
  }

  static func model(
    _ nodes: [Onnx_NodeProto], _ functions: [Onnx_FunctionProto]
  ) -> Onnx_ModelProto {
    var model = Build.model(
      Build.graph(nodes, inputs: [Build.value("x", ["2"])], outputs: [Build.value("y", ["2"])]))
    var set = Onnx_OperatorSetIdProto()
    set.domain = "mine"
    set.version = 1
    model.opsetImport.append(set)
    model.functions = functions
    return model
  }

  @Test("a call becomes the function's nodes, with names of their own")
  func inlined() throws {
    let block = Self.function(
      "Block", ["a"], ["b"],
      [Build.node("Relu", ["a"], ["t"], name: "r"), Build.node("Neg", ["t"], ["b"], name: "n")])
    let graph = try read(
      Self.model(
        [
          Build.node("Block", ["x"], ["m"], name: "one", domain: "mine"),
          Build.node("Block", ["m"], ["y"], name: "two", domain: "mine"),
        ], [block]))
    #expect(graph.nodes.map(\.name) == ["one/r", "one/n", "two/r", "two/n"])
    #expect(graph.nodes.flatMap(\.inputs) == ["x", "one/t", "m", "two/t"])
    #expect(graph.nodes.flatMap(\.outputs) == ["one/t", "m", "two/t", "y"])
    #expect(graph.nodes.map(\.opset) == [13, 13, 13, 13])
  }

  @Test("attributes come from the call, else from the function, else not at all")
  func attributes() throws {
    let block = Self.function(
      "Block", ["a"], ["b"],
      [
        Build.node(
          "Op", ["a"], ["b"],
          ["given": .reference("g"), "usual": .reference("u"), "none": .reference("n")])
      ],
      attributes: ["g", "n"], defaults: [Build.attribute("u", .int(7))])
    let graph = try read(
      Self.model([Build.node("Block", ["x"], ["y"], domain: "mine", ["g": .int(5)])], [block]))
    let node = graph.nodes[0]
    #expect(try node.int("given") == 5)
    #expect(try node.int("usual") == 7)
    #expect(node.attributes["none"] == nil)
  }

  @Test("functions call functions; outputs may be inputs; inputs may be left out")
  func nested() throws {
    let inner = Self.function("Inner", ["a", "b"], ["c"], [Build.node("Clip", ["a", "b"], ["c"])])
    let outer = Self.function(
      "Outer", ["p"], ["q", "p"], [Build.node("Inner", ["p"], ["q"], domain: "mine")])
    let graph = try read(
      Self.model(
        [
          Build.node("Outer", ["x"], ["m", "same"], name: "o", domain: "mine"),
          Build.node("Add", ["m", "same"], ["y"]),
        ], [inner, outer]))
    #expect(graph.nodes.map(\.op) == ["Clip", "Identity", "Add"])
    #expect(graph.nodes[0].inputs == ["x", ""])
    #expect(graph.nodes[1].inputs == ["x"])
  }

  @Test("functions that call themselves or unfold without end are refused")
  func endless() {
    let loop = Self.function(
      "Loop", ["a"], ["b"], [Build.node("Loop", ["a"], ["b"], name: "again", domain: "mine")])
    #expect(
      message(
        of: Self.model([Build.node("Loop", ["x"], ["y"], name: "l", domain: "mine")], [loop]))
        == "node 'l/again' (mine.Loop): calls itself through functions; export the model again")
    // Each calls the next twice: 2^40 nodes.
    var functions: [Onnx_FunctionProto] = []
    for level in 0..<40 {
      functions.append(
        Self.function(
          "F\(level)", ["a"], ["b"],
          [
            Build.node("F\(level + 1)", ["a"], ["t"], name: "l", domain: "mine"),
            Build.node("F\(level + 1)", ["t"], ["b"], name: "r", domain: "mine"),
          ]))
    }
    functions.append(Self.function("F40", ["a"], ["b"], [Build.node("Relu", ["a"], ["b"])]))
    let bomb = message(
      of: Self.model([Build.node("F0", ["x"], ["y"], name: "f", domain: "mine")], functions))
    #expect(bomb?.contains("nodes; export the model again in parts") == true)
  }

  @Test("a call has to fit its function")
  func misfit() {
    let block = Self.function("Block", ["a"], ["b"], [Build.node("Relu", ["a"], ["b"])])
    #expect(
      message(
        of: Self.model(
          [Build.node("Block", ["x", "x"], ["y"], name: "c", domain: "mine")], [block]))
        == "node 'c' (mine.Block): has 2 inputs and 1 outputs, its function up to 1 and 1; "
        + "export the model again")
    #expect(
      message(of: Self.model([Build.node("Relu", ["x"], ["y"])], [block, block]))
        == "function 'Block': is defined twice; export the model again")
  }
}
