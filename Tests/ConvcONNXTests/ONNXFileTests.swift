import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcONNX

@Suite("ONNX files")
struct ONNXFileTests {
  @Test("a model becomes a graph")
  func small() throws {
    let graph = try read(Build.small)
    #expect(graph.irVersion == 8)
    #expect(graph.opsets == ["": 13])
    #expect(graph.inputs == [ONNXValue(name: "x", type: .float, dims: [.symbol("N"), .fixed(2)])])
    #expect(graph.outputs.map(\.name) == ["y"])
    #expect(graph.nodes.map(\.place) == ["node 'sum' (Add)", "node 'relu' (Relu)"])
    #expect(graph.nodes[0].inputs == ["x", "w"])
    #expect(try graph.initializers["w"]?.floats() == [1, 2])
    #expect(graph.operatorCounts.map(\.op) == ["Add", "Relu"])
  }

  @Test("a file is read from disk, and a missing one is not")
  func disk() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("m.onnx")
    try Build.small.serializedData().write(to: URL(filePath: path))
    #expect(try ONNXFile.read(path).initializers["w"]?.floats() == [1, 2])
    #expect(
      message { _ = try ONNXFile.read(folder.file("none.onnx")) }
        == "none.onnx: cannot be read: No such file or directory; check the path and its permissions"
    )
    #expect(
      message { _ = try ONNXFile.read(folder.path) }?.hasSuffix(
        ": is no file; give the path of an ONNX file") == true)
  }

  @Test("a file that shrinks after it was read is an error")
  func shrinks() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("m.onnx")
    let data = try Build.small.serializedData()
    try data.write(to: URL(filePath: path))
    let graph = try ONNXFile.read(path)
    truncate(path, 10)
    #expect(
      message { _ = try graph.initializers["w"]?.floats() }
        == "initializer 'w': m.onnx: became shorter while it was read; try again")
  }

  @Test("optional inputs, names of any kind, and made-up names of nodes")
  func names() throws {
    let odd = "a \"b\"\n*/ ../é"
    let graph = try read(
      Build.model(
        Build.graph(
          [Build.node("Clip", ["x", "", "high"], [odd])], inputs: [Build.value("x", ["2"])],
          outputs: [Build.value(odd, ["2"])],
          initializers: [Build.tensor("high", [], [6] as [Float])])))
    #expect(graph.nodes[0].input(1) == nil)
    #expect(graph.nodes[0].input(2) == "high")
    #expect(graph.nodes[0].output(0) == odd)
    #expect(graph.nodes[0].place == "node 'Clip_0' (Clip)")
    #expect(ONNXError.quoted(odd) == "'a \"b\"\\n*/ ../é'")
    #expect(ONNXError.quoted("\u{202e}\u{0}'") == "'\\u{202e}\\u{0}\\''")
    #expect(ONNXError.quoted(String(repeating: "a", count: 200)).count == 83)
  }

  @Test("initializers that are listed as inputs are constants")
  func oldStyle() throws {
    var model = Build.small
    model.irVersion = 3
    model.graph.input.append(Build.value("w", ["2"]))
    #expect(try read(model).inputs.map(\.name) == ["x"])
  }

  @Test("ai.onnx is the standard's domain")
  func domain() throws {
    var model = Build.small
    model.opsetImport[0].domain = "ai.onnx"
    model.graph.node[0].domain = "ai.onnx"
    #expect(try read(model).nodes.map(\.domain) == ["", ""])
  }

  @Test("a model beyond what is read says so")
  func versions() throws {
    var model = Build.small
    model.irVersion = 2
    #expect(
      message(of: model)
        == "model: has IR version 2, expected 3 or newer; export the model again with a newer exporter"
    )
    #expect(
      message(of: Build.model(Build.small.graph, opset: 29))
        == "model: has operator set 29, expected 1 to 28; convert it with onnx.version_converter")
    model = Build.small
    model.opsetImport = []
    #expect(
      message(of: model)
        == "node 'sum' (Add): belongs to operator set '', whose version the model does not say; "
        + "export the model again")
    model = Build.small
    model.opsetImport.append(model.opsetImport[0])
    model.opsetImport[1].version = 7
    #expect(
      message(of: model)
        == "model: names versions 13 and 7 of operator set ''; export the model again")
    model = Build.small
    model.graph.node[0].opType = ""
    #expect(
      message(of: model)
        == "node 'sum' (): is node 0 and has no operator; export the model again")
  }

  @Test("bytes that are no model")
  func noModel() {
    func fails(_ bytes: [UInt8]) -> String? { message { _ = try ONNXFile.read(bytes: bytes) } }
    #expect(
      fails([]) == "model: is no ONNX model: it has no graph; give the path of an ONNX file")
    #expect(
      fails(Array("not a model".utf8))
        == "model: is no ONNX file or damaged: no field of a message at byte 0; copy or export it again"
    )
    #expect(
      fails([0x3a, 0x05, 0x0a])
        == "model: ends within the field at byte 1; copy or download it again")
    #expect(
      fails([0x3a, 0x02, 0x0a, 0x05])
        == "model: ends within the field at byte 3; copy or download it again")
    #expect(
      fails([0x3a, 0x02, 0x0a, 0x05, 0x08, 0x08])
        == "model: is no ONNX file or damaged: a field that goes beyond byte 4, where its message "
        + "ends at byte 3; copy or export it again")
    #expect(
      fails([0x08] + [UInt8](repeating: 0xff, count: 11))
        == "model: is no ONNX file or damaged: a number of more than ten bytes at byte 1; "
        + "copy or export it again")
    #expect(
      fails([0x3a, 0x03, 0x12, 0x01, 0xff])
        == "model: is no ONNX file or damaged: a name is no UTF-8 text; copy or export it again")
  }

  @Test("inputs and outputs that are no tensors, or have no possible shape")
  func inputs() {
    func fails(_ change: (inout Onnx_ValueInfoProto) -> Void) -> String? {
      var model = Build.small
      change(&model.graph.input[0])
      return message(of: model)
    }
    #expect(
      fails { $0.type.sequenceType.elemType.tensorType.elemType = 1 }
        == "input 'x': is a sequence, expected a tensor; export the model again with tensors")
    #expect(
      fails { $0.type.tensorType.elemType = 99 }
        == "input 'x': has element type number 99, which ONNX does not know; export the model again"
    )
    #expect(
      fails { $0.type.tensorType.shape.dim[0].dimValue = -2 }
        == "input 'x': has the negative dimension -2; export the model again")
    #expect(fails { $0.clearName() } == "input '': has no name; export the model again")
    var model = Build.small
    model.graph.output = []
    #expect(message(of: model) == "model: has no outputs; export the model again")
  }

  @Test("attributes have a kind, stated or not")
  func attributes() throws {
    var model = Build.small
    model.graph.node[0].attribute = [
      Build.attribute("a", .int(-1)), Build.attribute("b", .ints([1, 2])),
      Build.attribute("c", .float(0.5)), Build.attribute("d", .text("SAME")),
    ]
    for index in 0..<4 { model.graph.node[0].attribute[index].clearType() }
    model.graph.node[0].attribute.append(Build.attribute("e", .ints([])))
    var node = try read(model).nodes[0]
    #expect(try node.int("a") == -1)
    #expect(try node.ints("b") == [1, 2])
    #expect(try node.float("c") == 0.5)
    #expect(try node.string("d") == "SAME")
    #expect(try node.ints("e") == [])
    #expect(try node.ints("f") == nil)
    #expect(try node.int("f", default: 3) == 3)
    #expect(
      message { _ = try node.ints("a") }
        == "node 'sum' (Add): attribute 'a' is an integer, expected integers; export the model again"
    )
    #expect(
      message { _ = try node.tensor("d") }
        == "node 'sum' (Add): attribute 'd' is text, expected a tensor; export the model again")
    model.graph.node[0].attribute.append(Build.attribute("a", .int(2)))
    #expect(
      message(of: model) == "node 'sum' (Add): has attribute 'a' twice; export the model again")
    model.graph.node[0].attribute = [Build.attribute("a", .reference("k"))]
    #expect(
      message(of: model)
        == "node 'sum' (Add): attribute 'a' refers to 'k' outside of a function; export the model again"
    )
    node.attributes = [:]
  }

  @Test("what would take too much memory or time is refused")
  func limits() {
    var limits = ONNXLimits()
    limits.nodes = 1
    #expect(
      message(of: Build.small, limits: limits)
        == "model: has more than 1 nodes; export the model again in parts")
    limits = ONNXLimits()
    limits.structureBytes = 1 << 12
    #expect(
      message(of: Build.small, limits: limits)
        == "model: takes more than 0 MB without its weights; store weights as raw_data or as "
        + "external data")
    limits = ONNXLimits()
    limits.fileBytes = 10
    #expect(
      message(of: Build.small, limits: limits)?.hasSuffix(
        "bytes, more than 10; store the weights as external data") == true)
    limits = ONNXLimits()
    limits.tensorBytes = 4
    #expect(
      message(of: Build.small, limits: limits)
        == "initializer 'w': brings the model's weights to more than 0 MB; "
        + "export the model again in parts")
    var graph = Build.small.graph
    for _ in 0..<40 {
      graph = Build.graph([Build.node("If", ["x"], ["y"], ["then_branch": .graph(graph)])])
    }
    #expect(
      message(of: Build.model(graph))?.contains("is nested more than 48 levels deep at byte")
        == true)
  }
}
