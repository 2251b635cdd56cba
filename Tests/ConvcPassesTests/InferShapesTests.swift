import Convc
import Testing

@Suite("InferShapes")
struct InferShapesTests {
  private func infer(_ model: Model, batch: Int = 2, limit: Int = 1 << 30) throws(CompileError)
    -> Graph
  {
    try InferShapes(batch: batch, memoryLimit: limit).run(model)
  }

  /// The whole message of a network that is refused.
  private func message(_ model: Model, batch: Int = 2, limit: Int = 1 << 30) -> String? {
    do {
      _ = try infer(model, batch: batch, limit: limit)
      return nil
    } catch {
      return error.diagnostics.map { "\($0.layer): \($0.message)" }.joined(separator: "\n")
    }
  }

  private func size(_ window: Window2D, _ height: Int, _ width: Int) throws -> [Int] {
    let size = try window.outputSize(height: height, width: width)
    return [size.height, size.width]
  }

  @Test("out = 1 + (W - K + P_left + P_right)/S, per axis")
  func formula() throws {
    #expect(try size(Window2D(kernelSize: 5, padding: 2), 32, 32) == [32, 32])
    #expect(try size(Window2D(kernelSize: 3), 5, 5) == [3, 3])
    #expect(
      try size(
        Window2D(
          kernelSize: Size2D(height: 3, width: 2), stride: Size2D(height: 2, width: 1),
          padding: Padding(top: 1, bottom: 0, left: 2, right: 1)), 6, 5) == [3, 7])
    #expect(try size(Window2D(kernelSize: 3, dilation: 2), 9, 9) == [5, 5])
  }

  @Test("the quotient is rounded as the layer says; lost pixels are counted")
  func rounding() throws {
    let floor = Window2D(kernelSize: 3, stride: 2)
    #expect(try size(floor, 32, 32) == [15, 15])
    #expect(floor.lostPixels(height: 32, width: 31) == LostPixels(rows: 1, columns: 0))
    let ceil = Window2D(kernelSize: 3, stride: 2, rounding: .ceil)
    #expect(try size(ceil, 32, 32) == [16, 16])
    let padded = Window2D(
      kernelSize: 3, stride: 2, padding: Padding(top: 0, bottom: 1, left: 0, right: 1))
    #expect(try size(padded, 32, 32) == [16, 16])
    #expect(
      throws: LayerError.window(
        "height 1 + (32 - 3 + 0 + 0)/2 is not whole; inputs of 31 or 33, or rounding floor (loses 1) or ceil, work"
      )
    ) { try size(Window2D(kernelSize: 3, stride: 2, rounding: .exact), 32, 32) }
  }

  @Test("an impossible shape is refused with the formula, its numbers and what works")
  func impossible() {
    let model = Model("small", input: [1, 4, 4]) {
      Conv2D(outputChannels: 2, kernelSize: 7, padding: 1)
    }
    #expect(
      message(model)
        == "conv1: height 1 + (4 - 7 + 1 + 1)/1 is below 1: the window spans 7 of 6 padded cells; "
        + "an input of at least 5, or a kernel of at most 6, works (reads image)")
  }

  @Test("every mistake is reported, with the layer's name")
  func allMistakes() {
    let model = Model("wrong") { graph in
      let x = graph.input("x", [3, 8, 8])
      let a = x.conv2d(4, kernelSize: 3, groups: 2, name: "grouped")
      let b = x.dense(5, name: "flat")
      graph.output("a", a)
      graph.output("b", b)
    }
    #expect(
      message(model)
        == "grouped: groups 2 does not divide 3 input channels and 4 output channels; use a common divisor of both "
        + "(reads x)\nflat: expects an input of rank 2, got 2x3x8x8; put Flatten() before it (reads x)"
    )
  }

  @Test("the message names the user's source line")
  func sourceLine() {
    let line = #line + 1
    let model = Model("line", input: [1, 4, 4]) { Dense(outputs: 2) }
    do {
      _ = try infer(model)
      Issue.record("the network was accepted")
    } catch {
      #expect("\(error)".hasPrefix("dense1 (ConvcPassesTests/InferShapesTests.swift:\(line)): "))
    }
  }

  @Test("sizes that overflow or pass the memory limit are refused, not attempted")
  func limits() {
    let large = Model("large", input: [64, 4096, 4096]) { ReLU() }
    #expect(
      message(large, batch: 1024)
        == "image: its output 1024x64x4096x4096 takes the network's tensors beyond the memory limit of 1024 MiB; "
        + "use a smaller batch or image, or raise the limit")
    let huge = Model("huge", input: [1 << 40, 1 << 40, 1 << 40]) { ReLU() }
    #expect(message(huge)?.hasPrefix("image: its output") == true)
    let wide = Model("wide", input: [1 << 20]) { Dense(outputs: 1 << 20) }
    #expect(message(wide, batch: 1)?.contains("its weight 1048576x1048576") == true)
    #expect(message(Model("none", input: [1]) { ReLU() }, batch: 0)?.contains("batch 0") == true)
  }

  @Test("a convolution with more columns than its kernels can keep is refused")
  func width() {
    let model = Model("wide", input: [1, 1, 70_000]) { Conv2D(outputChannels: 1, kernelSize: 1) }
    #expect(
      message(model, batch: 1)
        == "conv1: an output of 70000 columns is too wide; at most 65536 work: use a stride, "
        + "or cut the image into pieces (reads image)")
  }

  @Test("names: duplicates, C keywords, cycles, unknown and unused layers are refused")
  func names() {
    let twice = Model("twice", input: [2]) {
      ReLU().named("a")
      ReLU().named("a")
    }
    #expect(message(twice)?.contains("a: is the name of two layers; rename one") == true)
    let keyword = Model("keyword", input: [2]) { ReLU().named("static") }
    #expect(message(keyword)?.contains("static: is not a C identifier") == true)
    let unused = Model("unused") { graph in
      let x = graph.input("x", [2])
      _ = x.dense(3, name: "aside")
      graph.output("y", x.relu())
    }
    #expect(
      message(unused)
        == "aside: is computed, but no output needs it; make it an output or leave it out")
    let layer = ReLU()
    let nodes = [("a", "c"), ("b", "a"), ("c", "b")].map {
      Model.Node(name: $0, layer: layer, inputs: [$1], isFrozen: false, location: nil)
    }
    let cycle = Model(
      name: "cycle", inputs: [], nodes: nodes, outputs: [Model.Output(name: "y", node: "c")])
    #expect(message(cycle)?.contains("is part of a cycle: a -> b -> c -> a") == true)
    let unknown = Model(
      name: "unknown", inputs: [],
      nodes: [Model.Node(name: "a", layer: layer, inputs: ["z"], isFrozen: false, location: nil)],
      outputs: [Model.Output(name: "y", node: "a")])
    #expect(message(unknown)?.contains("a: reads z, which is neither a layer nor an input") == true)
  }

  @Test("parameters stand trainable first, then frozen, then running statistics")
  func parameterOrder() throws {
    let graph = try infer(
      Model("order") { graph in
        let x = graph.input("x", [1, 4, 4])
        let y = x.conv2d(2, kernelSize: 1, frozen: true).batchNorm().flatten().dense(3)
        graph.output("y", y)
      })
    #expect(
      graph.parameters.map { "\($0.name) \($0.kind) \($0.offset)" } == [
        "bn1.weight trainable 0", "bn1.bias trainable 2", "dense1.weight trainable 4",
        "dense1.bias trainable 100", "conv1.weight frozen 103", "conv1.bias frozen 105",
        "bn1.running_mean statistic 107", "bn1.running_var statistic 109",
      ])
    #expect(graph.trainableCount == 103 && graph.parameterCount == 111)
  }
}
