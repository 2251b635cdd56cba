import Testing

@testable import ConvcONNX

@Suite("Dimensions by name")
struct BindDimensionsTests {
  private static func graph() throws -> ONNXGraph {
    try read(
      Build.model(
        Build.graph(
          [Build.node("Add", ["x", "z"], ["y"])],
          inputs: [Build.value("x", ["N", "3", ""]), Build.value("z", ["N", "1", "W"])],
          outputs: [Build.value("y", ["N", "3", "Q"])])))
  }

  @Test("what the caller says holds, the rest is 1, with a note for each")
  func bound() throws {
    let (graph, notes) = try BindDimensions(dims: ["W": 5]).run(Self.graph())
    #expect(graph.inputs.map(\.shape) == [[1, 3, 1], [1, 1, 5]])
    #expect(graph.outputs[0].dims == [.fixed(1), .fixed(3), .symbol("Q")])
    #expect(
      notes == [
        "dimension 'N' is taken as 1; choose another with --dim N=EXTENT",
        "axis 2 of input 'x' is taken as 1; choose another with --dim x.2=EXTENT",
      ])
    let all = try BindDimensions(dims: ["N": 4, "x.2": 7, "W": 7]).run(Self.graph())
    #expect(all.notes.isEmpty)
    #expect(all.graph.inputs.map(\.shape) == [[4, 3, 7], [4, 1, 7]])
  }

  @Test("minus one means unknown")
  func unknown() throws {
    var model = Build.small
    model.graph.input[0].type.tensorType.shape.dim[0].dimValue = -1
    #expect(try read(model).inputs[0].dims == [.unknown, .fixed(2)])
  }

  @Test("names that the model does not have, impossible extents, inputs without a shape")
  func wrong() throws {
    let graph = try Self.graph()
    #expect(
      message { _ = try BindDimensions(dims: ["M": 4]).run(graph) }
        == "model: has no dimension 'M' that could be chosen; it has 'N', 'W'")
    #expect(
      message { _ = try BindDimensions(dims: ["N": 0]).run(graph) }
        == "model: cannot have the extent N=0, expected 1 or more; correct --dim")
    var model = Build.small
    model.graph.input[0].type.tensorType.shape.dim[0].dimValue = 2
    #expect(
      message { _ = try BindDimensions(dims: ["N": 4]).run(try read(model)) }
        == "model: has no dimension 'N' that could be chosen; all extents of its inputs are fixed")
    model.graph.input[0].type.tensorType.clearShape()
    #expect(
      message { _ = try BindDimensions(dims: [:]).run(try read(model)) }
        == "input 'x': has no shape; export the model again with the shapes of its inputs")
  }
}
