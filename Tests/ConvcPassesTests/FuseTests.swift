import Convc
import Testing

@Suite("Fuse")
struct FuseTests {
  private func fuse(_ mode: Mode = .training, _ build: (ModelBuilder) -> Void) throws -> FusedGraph
  {
    let graph = try InferShapes(batch: 2, memoryLimit: 1 << 30).run(
      Model("fuse", graph: build))
    return Fuse(mode: mode).run(graph)
  }

  private func groups(_ fused: FusedGraph) -> [String] { fused.groups.map(\.name) }

  @Test("conv, ReLU and pooling become one group; the report says why")
  func running() throws {
    let fused = try fuse { graph in
      let x = graph.input("x", [1, 8, 8])
      graph.output("y", x.conv2d(2, kernelSize: 3).relu().maxPool(2))
    }
    #expect(
      fused.description == """
        fused graph fuse, training
        conv1_relu1_pool1  x  2x2x3x3
        fused relu1 into conv1_relu1_pool1: runs inside conv1's loops
        fused pool1 into conv1_relu1_pool1: taken before relu1, which never decreases
        """)
    #expect(fused.verify().isEmpty)
  }

  @Test("with fusion off every layer is a group of its own")
  func off() throws {
    let graph = try InferShapes(batch: 2, memoryLimit: 1 << 30).run(
      LeNet5.model())
    let fused = Fuse(mode: .training, fuses: false).run(graph)
    #expect(fused.groups.allSatisfy { $0.nodes.count == 1 })
    #expect(fused.notes.allSatisfy { $0.joined == nil && $0.reason == "fusion is switched off" })
  }

  @Test("a map with a second reader, or returned to the caller, is kept")
  func otherReaders() throws {
    let fused = try fuse { graph in
      let x = graph.input("x", [1, 4, 4])
      let conv = x.conv2d(2, kernelSize: 3)
      graph.output("a", conv.relu())
      graph.output("b", conv)
    }
    #expect(groups(fused) == ["conv1", "relu1"])
    #expect(fused.notes.map(\.reason) == ["conv1 is an output"])
  }

  @Test("a residual addition joins the operand that is computed last")
  func residual() throws {
    let fused = try fuse { graph in
      let x = graph.input("x", [2, 4, 4])
      let a = x.conv2d(2, kernelSize: 1)
      let b = x.conv2d(2, kernelSize: 1)
      graph.output("y", a.add(b).relu())
    }
    #expect(groups(fused) == ["conv1", "conv2_add1_relu1"])
    #expect(fused.verify().isEmpty)
  }

  @Test("in training nothing follows a mask that would hide it")
  func masks() throws {
    let build = { (graph: ModelBuilder) in
      let x = graph.input("x", [2, 4, 4])
      graph.output("y", x.conv2d(2, kernelSize: 1).relu().add(x))
    }
    let training = try fuse(.training, build)
    #expect(groups(training) == ["conv1_relu1", "add1"])
    #expect(
      training.notes.last?.reason == "what relu1's gradient needs would not show in its output")
    #expect(groups(try fuse(.inference, build)) == ["conv1_relu1_add1"])
  }

  @Test(
    "a sign survives dropout, a value between bounds does not; both survive what changes no other value"
  )
  func traces() throws {
    func grouped(_ build: @escaping (Value) -> Value) throws -> [String] {
      groups(try fuse { graph in graph.output("y", build(graph.input("x", [2, 4, 4]))) })
    }
    #expect(try grouped { $0.relu().dropout(0.5) } == ["relu1_dropout1"])
    #expect(try grouped { $0.relu6().dropout(0.5) } == ["clip1", "dropout1"])
    #expect(try grouped { $0.relu().clip(maximum: 2).relu() } == ["relu1_clip1_relu2"])
    #expect(
      try grouped { $0.conv2d(2, kernelSize: 3).clip(minimum: -1).maxPool(2) }
        == ["conv1_clip1_pool1"])
  }

  @Test("batch norm is an epilogue of its convolution at inference, and an anchor in training")
  func batchNorm() throws {
    let build = { (graph: ModelBuilder) in
      let x = graph.input("x", [2, 4, 4])
      graph.output("y", x.conv2d(2, kernelSize: 1).batchNorm().relu().maxPool(2))
    }
    #expect(groups(try fuse(.inference, build)) == ["conv1_bn1_relu1_pool1"])
    #expect(groups(try fuse(.training, build)) == ["conv1", "bn1_relu1", "pool1"])
  }

  @Test("flatten, and dropout at inference, are views")
  func views() throws {
    let build = { (graph: ModelBuilder) in
      let x = graph.input("x", [2, 4, 4])
      graph.output("y", x.flatten().dropout(0.5).dense(3))
    }
    let inference = try fuse(.inference, build)
    #expect(groups(inference) == ["dense1"] && inference.views.count == 2)
    #expect(groups(try fuse(.training, build)) == ["dropout1", "dense1"])
  }
}
