import Convc
import ConvcReference
import ConvcTestSupport
import Testing

@Suite("MaxPool2D")
struct MaxPool2DTests {
  static let cases = [
    LayerCase("maxpool2d", MaxPool2D(kernelSize: 2), inputs: [3, 2, 5, 7]),
    LayerCase(
      "maxpool2d_overlapping",
      MaxPool2D(kernelSize: 3, stride: 2, padding: Padding(top: 0, bottom: 1, left: 2, right: 0)),
      inputs: [2, 3, 6, 5]),
    LayerCase(
      "maxpool2d_blocks", MaxPool2D(kernelSize: 2, stride: 3, rounding: .ceil),
      inputs: [1, 16, 6, 7], maximumBatch: 2),
    LayerCase(
      "maxpool2d_large", MaxPool2D(kernelSize: Size2D(height: 17, width: 16), stride: 1),
      inputs: [2, 3, 18, 17]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  /// The lectures' block of 4x4.
  static let block: [Double] = [29, 15, 28, 184, 0, 100, 70, 38, 12, 12, 7, 2, 12, 12, 45, 6]

  @Test("the lectures' 4x4 block: maxima 100 184 12 45, means 36 80 12 15, sums four times those")
  func block() throws {
    let map = DoubleTensor(shape: [1, 1, 4, 4], Self.block)
    #expect(try output(of: MaxPool2D(kernelSize: 2), on: map) == [100, 184, 12, 45])
    #expect(try output(of: AveragePool2D(kernelSize: 2), on: map) == [36, 80, 12, 15])
    #expect(try output(of: SumPool2D(kernelSize: 2), on: map) == [144, 320, 48, 60])
  }

  @Test("the same block, compiled in every layout", arguments: CompileVariant.all)
  func compiledBlock(_ variant: CompileVariant) async throws {
    let model = Model("block") { graph in
      let x = graph.input("x", [1, 4, 4])
      graph.output("max", x.maxPool(2))
      graph.output("average", x.averagePool(2))
      graph.output("sum", x.sumPool(2))
    }
    let options = variant.options(batch: 2, trains: false, name: "block_\(variant.name)")
    let library = try await Toolchain.find().load(
      sources: try model.compile(options).sources(),
      options: LibraryOptions(architecture: .native, openMP: true, extraFlags: ["-O1"]))
    let session = try Session(Program(library: library, prefix: "block_\(variant.name)"))
    let outputs = try session.forward(inputs: [.float32(Self.block.map(Float.init))], batch: 1)
    #expect(
      outputs.map(\.floats) == [[100, 184, 12, 45], [36, 80, 12, 15], [144, 320, 48, 60]])
  }

  @Test(
    "CIFAR-10: pooling 3x3 with stride 2 takes 32 to 16 with a column and a row more, else to 15")
  func cifar() {
    let oneMore = Padding(top: 0, bottom: 1, left: 0, right: 1)
    func size(_ padding: Padding, _ rounding: Rounding) -> [Int]? {
      outputShape(
        of: MaxPool2D(kernelSize: 3, stride: 2, padding: padding, rounding: rounding),
        on: [1, 32, 32, 32])
    }
    #expect(size(oneMore, .floor) == [1, 32, 16, 16])
    #expect(size(oneMore, .exact) == [1, 32, 16, 16])
    #expect(size(0, .floor) == [1, 32, 15, 15])
    #expect(size(0, .ceil) == [1, 32, 16, 16])
    #expect(
      message(
        of: MaxPool2D(kernelSize: 3, stride: 2, rounding: .exact), on: [1, 32, 32, 32])
        == "height 1 + (32 - 3 + 0 + 0)/2 is not whole; inputs of 31 or 33, or rounding floor (loses 1) or ceil, work"
    )
    #expect(
      outputShape(
        of: Conv2D(outputChannels: 32, kernelSize: 5, padding: 2), on: [1, 3, 32, 32])
        == [1, 32, 32, 32])
  }

  @Test("224x224x64 pools to 112x112x64")
  func halved() {
    #expect(
      outputShape(of: MaxPool2D(kernelSize: 2), on: [1, 64, 224, 224]) == [1, 64, 112, 112])
  }

  @Test("the first of equal cells in row-major order gets the gradient")
  func ties() throws {
    let map = DoubleTensor(shape: [1, 1, 2, 2], [3, 7, 7, 7] as [Double])
    let one = DoubleTensor(shape: [1, 1, 1, 1], [1] as [Double])
    let layer = MaxPool2D(kernelSize: 2)
    let call = try LayerCall.example(layer, on: map)
    #expect(layer.backward(call, outputGradient: one).inputs[0].values == [0, 1, 0, 0])
  }

  @Test("padding never wins, not even over negative cells")
  func padding() throws {
    let map = DoubleTensor(shape: [1, 1, 1, 2], [-3, -2] as [Double])
    let layer = MaxPool2D(kernelSize: 3, stride: 2, padding: 1)
    #expect(try output(of: layer, on: map) == [-2])
  }

  @Test("windows that overlap add their gradients in the cell that won both")
  func overlap() throws {
    let map = DoubleTensor(shape: [1, 1, 1, 3], [1, 9, 2] as [Double])
    let gradient = DoubleTensor(shape: [1, 1, 1, 2], [10, 20] as [Double])
    let layer = MaxPool2D(kernelSize: Size2D(height: 1, width: 2), stride: 1)
    let call = try LayerCall.example(layer, on: map)
    #expect(layer.backward(call, outputGradient: gradient).inputs[0].values == [0, 30, 0])
  }

  private func output(of layer: some ReferenceLayer, on map: DoubleTensor) throws -> [Double] {
    layer.forward(try LayerCall.example(layer, on: map)).output.values
  }
}

extension LayerCall {
  /// A layer on one map.
  static func example(_ layer: any Layer, on map: DoubleTensor) throws -> LayerCall {
    let graph = try InferShapes(batch: map.shape[0], memoryLimit: 1 << 28).run(
      Model("example") { graph in
        graph.output("y", graph.input("x", Array(map.shape.dropFirst())).apply(layer))
      })
    return LayerCall(
      node: graph.nodes[0], inputs: [map], parameters: [],
      outputShape: graph[graph.nodes[0].output].type.shape, options: PassOptions())
  }
}
