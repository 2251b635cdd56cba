import Convc
import ConvcTestSupport
import Testing

/// Networks without a batch: axis 0 is an extent like the others.
@Suite("Unbatched networks")
struct ReshapeAllTests {
  static let cases = [
    LayerCase("reshapeall", ReshapeAll([6, 4, 5]), inputs: [2, 3, 4, 5]),
    LayerCase("reshapeall_blocks", ReshapeAll([3, 32, 5]), inputs: [5, 16, 2, 3]),
    LayerCase("reshapeall_features", ReshapeAll([1, 3, 5, 7]), inputs: [7, 15]),
    LayerCase("reshapeall_sequence", ReshapeAll([21, 2]), inputs: [1, 3, 14]),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  /// Convolves five images, then has their channels averaged over them, and rows stand in the place of images.
  private func build(_ builder: ModelBuilder) {
    let x = builder.input("x", [5, 3, 6, 7])
    let maps = x.conv2d(4, kernelSize: 3, padding: 1, name: "conv").relu()
    let joined = maps.reshapeAll([1, 5, 4, 42]).reduceMean(axes: [1], keepsDimensions: false)
    let rows = joined.reshapeAll([8, 21]).dense(3, name: "dense").tanh()
    builder.output("rows", rows)
    builder.output("maps", maps)
    builder.loss(MeanSquaredError(), on: "rows", target: "t")
  }

  private var model: Model {
    let builder = ModelBuilder(name: "unbatched", isUnbatched: true)
    build(builder)
    return builder.model
  }

  @Test("values and gradients are the reference's, for tensors of any extent of axis 0")
  func values() async throws {
    try await expectAgreement("unbatched", batch: 1, isUnbatched: true, build)
  }

  @Test("a padded convolution reads a view, which has no room for a halo")
  func paddedView() async throws {
    try await expectAgreement("padded_view", batch: 3) { builder in
      let x = builder.input("x", [16, 36]).apply(Conv1D(outputChannels: 16, kernelSize: 1))
      let maps = x.reshape([16, 6, 6]).conv2d(16, kernelSize: 3, padding: 1, name: "conv")
      builder.output("y", maps)
      builder.loss(MeanSquaredError(), on: "y", target: "t")
    }
  }

  @Test("a call is one run, whatever the extents of axis 0")
  func interface() throws {
    let compilation = try model.compile(BuildOptions())
    #expect(compilation.graph.batch == 1 && compilation.graph.isUnbatched)
    #expect(throws: CompileError.self) { try model.compile(BuildOptions(batch: 2)) }
  }

  @Test("axis 0 of a network with a batch cannot be reshaped")
  func batched() {
    let builder = ModelBuilder(name: "batched")
    builder.output("y", builder.input("x", [4]).reshapeAll([1, 4], name: "all"))
    let error = #expect(throws: CompileError.self) { try builder.model.compile(BuildOptions()) }
    #expect(
      error?.description.contains(
        "works on axis 0, which is the batch here; make the network an unbatched one") == true)
  }

  @Test("values have to be as many")
  func count() {
    let builder = ModelBuilder(name: "count", isUnbatched: true)
    builder.output("y", builder.input("x", [4, 2]).reshapeAll([3, 3], name: "all"))
    let error = #expect(throws: CompileError.self) {
      try builder.model.compile(BuildOptions(trains: false))
    }
    #expect(
      error?.description.contains(
        "[3, 3] does not hold the 8 values of 4x2; the extents have to multiply to them") == true)
  }
}
