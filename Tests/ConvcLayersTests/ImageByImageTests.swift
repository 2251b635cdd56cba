import Convc
import ConvcReference
import ConvcTestSupport
import Testing

/// What holds for networks of pooling, resampling, merging and reshaping layers.
@Suite("Pooling, resampling, merging and reshaping")
struct ImageByImageTests {
  @Test("a batch of 4 gives the bits of 4 single runs")
  func oneByOne() async throws {
    try await expectSameBitsOneByOne(
      Model("parts") { graph in
        let x = graph.input("image", [3, 12, 12]).conv2d(32, kernelSize: 3, padding: 1).relu()
        let pooled = x.maxPool(3, stride: 2, padding: 1)
        let gates = pooled.globalMaxPool().conv2d(32, kernelSize: 1).sigmoid()
        let scaled = pooled.multiply(gates)
        let parts = scaled.split([16, 16], axis: 1)
        let large = parts[0].depthToSpace(2).upsample(2, .bilinear)
        let small = parts[1].pad(1, .reflect).averagePool(2).sumPool(2, stride: 1)
        graph.output("large", large)
        graph.output("small", small.transpose([2, 3, 1]).reduceMean(axes: [1]))
        graph.output("unpooled", scaled.unpool(like: pooled).spaceToDepth(2))
      }, batch: 4)
  }

  @Test("flatten keeps the order channel, row, column: 128x8x8 gives 8192 features")
  func flattenOrder() throws {
    #expect(outputShape(of: Flatten(), on: [1, 128, 8, 8]) == [1, 8192])
    let values = (0..<24).map(Double.init)
    let maps = DoubleTensor(shape: [1, 2, 3, 4], values)
    let call = try LayerCall.example(Flatten(), on: maps)
    #expect(Flatten().forward(call).output.values == values)
  }

  @Test("flatten keeps that order whichever layout the maps had", arguments: CompileVariant.all)
  func compiledOrder(_ variant: CompileVariant) async throws {
    let model = Model("order") { graph in
      // Sums over windows of one pixel keep the values, and let the layout be chosen.
      graph.output("y", graph.input("x", [16, 3, 2]).sumPool(1).flatten())
    }
    let options = variant.options(batch: 2, trains: false, name: "order_\(variant.name)")
    let library = try await Toolchain.find().load(
      sources: try model.compile(options).sources(),
      options: LibraryOptions(architecture: .native, openMP: true, extraFlags: ["-O1"]))
    let session = try Session(Program(library: library, prefix: "order_\(variant.name)"))
    let values = (0..<192).map(Float.init)
    #expect(try session.forward(inputs: [.float32(values)], batch: 2)[0].floats == values)
  }
}
