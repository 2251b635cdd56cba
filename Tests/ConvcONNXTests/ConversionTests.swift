import Convc
import ConvcReference
import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcONNX

/// Operators become layers: what the network computes, in double precision.
@Suite("Conversion of operators")
struct ConversionTests {
  /// What a model computes from inputs, by the reference.
  private func outputs(
    _ nodes: [Onnx_NodeProto], inputs: [(name: String, dims: [Int], values: [Float])],
    initializers: [Onnx_TensorProto] = [], opset: Int64 = 13, isUnbatched: Bool? = nil
  ) throws -> [Double] {
    let model = Build.model(
      Build.graph(
        nodes, inputs: inputs.map { Build.value($0.name, $0.dims.map(String.init)) },
        outputs: [Build.value("y", [])], initializers: initializers), opset: opset)
    let imported = try ConvertOperators().run(try read(model)).model
    if let isUnbatched { #expect(imported.isUnbatched == isUnbatched) }
    let graph = try imported.compile(BuildOptions(trains: false, target: .generic)).graph
    let parameters = try Initialization(seed: 0).parameters(of: graph).map(Double.init)
    let sample = ReferenceSample(
      batch: graph.batch, inputs: inputs.map(\.values), targets: [])
    return try ReferenceNetwork(graph).infer(parameters: parameters, sample)[0]
  }

  private func numbers(_ count: Int) -> [Float] { (0..<count).map(Float.init) }

  @Test("a shuffle of pixels by six axes")
  func shuffle() throws {
    let values = try outputs(
      [
        Build.node("Reshape", ["x", "six"], ["a"]),
        Build.node("Transpose", ["a"], ["b"], ["perm": .ints([0, 1, 4, 2, 5, 3])]),
        Build.node("Reshape", ["b", "maps"], ["y"]),
      ], inputs: [("x", [1, 4, 2, 2], numbers(16))],
      initializers: [
        Build.tensor("six", [6], [1, 1, 2, 2, 2, 2] as [Int64]),
        Build.tensor("maps", [4], [1, 1, 4, 4] as [Int64]),
      ])
    #expect(values == [0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15])
  }

  @Test("where axis 0 is summed or moved it is no batch")
  func axis0() throws {
    let sums = try outputs(
      [Build.node("ReduceSum", ["x", "axes"], ["y"], ["keepdims": .int(0)])],
      inputs: [("x", [2, 3], [1, 2, 3, 4, 5, 6])],
      initializers: [Build.tensor("axes", [1], [0] as [Int64])], isUnbatched: true)
    #expect(sums == [5, 7, 9])
    let turned = try outputs(
      [Build.node("Transpose", ["x"], ["y"])], inputs: [("x", [2, 3], [1, 2, 3, 4, 5, 6])],
      isUnbatched: true)
    #expect(turned == [1, 4, 2, 5, 3, 6])
    let kept = try outputs(
      [Build.node("Relu", ["x"], ["y"])], inputs: [("x", [2, 2], [-1, 2, 3, -4])],
      isUnbatched: false)
    #expect(kept == [0, 2, 3, 0])
  }

  @Test("constants and tensors stand for each other's axes")
  func broadcasting() throws {
    let image = try outputs(
      [Build.node("Mul", ["x", "c"], ["y"])],
      inputs: [("x", [2, 2, 1, 2], numbers(8))],
      initializers: [Build.tensor("c", [2, 1, 1], [10, 100] as [Float])], isUnbatched: false)
    #expect(image == [0, 10, 200, 300, 40, 50, 600, 700])
    let left = try outputs(
      [Build.node("Sub", ["c", "x"], ["y"])], inputs: [("x", [2, 2], numbers(4))],
      initializers: [Build.tensor("c", [], [1] as [Float])])
    #expect(left == [1, 0, -1, -2])
    let both = try outputs(
      [Build.node("Div", ["a", "b"], ["y"])],
      inputs: [("a", [2, 1], [6, 12]), ("b", [1, 3], [1, 2, 3])], isUnbatched: true)
    #expect(both == [6, 3, 2, 12, 6, 4])
  }

  @Test("products with constant matrices, scaled and transposed")
  func matrices() throws {
    let matrix = Build.tensor("w", [2, 3], [1, 2, 3, 4, 5, 6] as [Float])
    let product = try outputs(
      [Build.node("MatMul", ["x", "w"], ["y"])], inputs: [("x", [2, 2], [1, 0, 1, 1])],
      initializers: [matrix], isUnbatched: false)
    #expect(product == [1, 2, 3, 5, 7, 9])
    let affine = try outputs(
      [
        Build.node(
          "Gemm", ["x", "w", "c"], ["y"],
          ["alpha": .float(2), "beta": .float(0.5), "transB": .int(1)])
      ], inputs: [("x", [1, 3], [1, 1, 1])],
      initializers: [matrix, Build.tensor("c", [2], [2, 4] as [Float])])
    #expect(affine == [13, 32])
  }

  @Test("slices, splits and padding of any axis")
  func moving() throws {
    let x: (String, [Int], [Float]) = ("x", [1, 2, 3], numbers(6))
    let slice = try outputs(
      [Build.node("Slice", ["x", "from", "to", "axis", "step"], ["y"])], inputs: [x],
      initializers: [
        Build.tensor("from", [1], [0] as [Int64]), Build.tensor("to", [1], [1 << 60] as [Int64]),
        Build.tensor("axis", [1], [-1] as [Int64]), Build.tensor("step", [1], [2] as [Int64]),
      ])
    #expect(slice == [0, 2, 3, 5])
    let last = try outputs(
      [Build.node("Split", ["x", "sizes"], ["first", "y"], ["axis": .int(2)])], inputs: [x],
      initializers: [Build.tensor("sizes", [2], [1, 2] as [Int64])])
    #expect(last == [1, 2, 4, 5])
    let padded = try outputs(
      [Build.node("Pad", ["x", "pads", "value"], ["y"])], inputs: [x],
      initializers: [
        Build.tensor("pads", [6], [0, 1, 0, 0, 0, 1] as [Int64]),
        Build.tensor("value", [], [9] as [Float]),
      ])
    #expect(padded == [9, 9, 9, 9, 0, 1, 2, 9, 3, 4, 5, 9])
    let chosen = try outputs(
      [Build.node("Gather", ["x", "cells"], ["y"], ["axis": .int(2)])], inputs: [x],
      initializers: [Build.tensor("cells", [2], [2, 0] as [Int64])])
    #expect(chosen == [2, 0, 5, 3])
  }

  @Test("norms and means over axes")
  func reductions() throws {
    let x: (String, [Int], [Float]) = ("x", [1, 2, 2], [3, 4, -6, 8])
    let length = try outputs(
      [Build.node("ReduceL2", ["x"], ["y"], ["axes": .ints([2]), "keepdims": .int(0)])],
      inputs: [x])
    #expect(length == [5, 10])
    let mean = try outputs([Build.node("ReduceMean", ["x"], ["y"])], inputs: [x])
    #expect(mean == [2.25])
  }

  @Test("every operator that is not known is named, with its number")
  func unknown() throws {
    let model = Build.model(
      Build.graph(
        [
          Build.node("Swirl", ["x"], ["a"]), Build.node("Relu", ["a"], ["b"]),
          Build.node("Swirl", ["b"], ["c"]), Build.node("Twist", ["c"], ["y"]),
        ], inputs: [Build.value("x", ["1", "2"])], outputs: [Build.value("y", ["1", "2"])]))
    let error = #expect(throws: ONNXError.self) { try ConvertOperators().run(try read(model)) }
    #expect(
      error?.description
        == "model: has operators that convc does not know: Swirl (2), Twist (1)")
  }

  @Test("a type that no network has is refused at its input")
  func types() throws {
    let model = Build.model(
      Build.graph(
        [Build.node("Relu", ["x"], ["y"])],
        inputs: [Build.value("x", ["1", "3"], type: 11)], outputs: [Build.value("y", [])]))
    let error = #expect(throws: ONNXError.self) { try ConvertOperators().run(try read(model)) }
    #expect(
      error?.description
        == "input 'x': has elements of type double, expected float, int32, int64 or bool; cast it before the model"
    )
  }

  @Test("names of any kind reach the caller, and none of them C")
  func names() throws {
    let (input, output) = ("in\"*/\n", "out/../é")
    let model = Build.model(
      Build.graph(
        [Build.node("Relu", [input], [output], name: "int */ }")],
        inputs: [Build.value(input, ["1", "2"])], outputs: [Build.value(output, [])]))
    let compilation = try ConvertOperators().run(try read(model)).model
      .compile(BuildOptions(trains: false, target: .generic))
    #expect(compilation.graph.inputLabels == [input] && compilation.graph.outputLabels == [output])
    #expect(compilation.graph.nodes.map(\.name) == ["int_____"])
    let text = compilation.files().all.map(\.text).joined()
    #expect(!text.contains("in\"*/") && !text.contains("out/../é\n"))
  }

  @Test("a product with one value a map is a gate")
  func gates() throws {
    let model = Build.model(
      Build.graph(
        [
          Build.node("GlobalAveragePool", ["x"], ["m"]), Build.node("HardSigmoid", ["m"], ["g"]),
          Build.node("Mul", ["g", "x"], ["y"]),
        ], inputs: [Build.value("x", ["1", "3", "4", "4"])], outputs: [Build.value("y", [])]))
    let layers = try ConvertOperators().run(try read(model)).model.nodes.map(\.layer.summary)
    #expect(layers.last == Multiply().summary)
  }

  @Test("the operators that the documentation lists are those that are converted")
  func documentation() throws {
    let page = try String(contentsOfFile: TestFiles.repository + "Docs/ONNX.md", encoding: .utf8)
    for name in OperatorTable.converters.keys { #expect(page.contains("`\(name)`"), "\(name)") }
    for pass in CleanUp.passes {
      let name = type(of: pass).name
      #expect(page.contains("`\(name)`"), "\(name)")
    }
  }
}
