import Convc
import ConvcTestSupport
import Testing

@Suite("Group, instance and layer norm, MVN")
struct GroupNormTests {
  static let groups = [
    LayerCase("groupnorm", GroupNorm(groups: 2), inputs: [3, 6, 5, 7]),
    LayerCase("groupnorm_lanes", GroupNorm(groups: 4), inputs: [2, 16, 3, 3], maximumBatch: 5),
    LayerCase("groupnorm_blocks", GroupNorm(groups: 2), inputs: [2, 48, 3, 5]),
    LayerCase(
      "groupnorm_wide", GroupNorm(groups: 1, hasParameters: false), inputs: [1, 32, 4, 3]),
    LayerCase("groupnorm_features", GroupNorm(groups: 3), inputs: [17, 12]),
    LayerCase(
      "groupnorm_sequence", GroupNorm(groups: 2, hasParameters: false), inputs: [3, 4, 19]),
  ]

  static let instances = [
    LayerCase("instancenorm", InstanceNorm(), inputs: [3, 2, 5, 7]),
    LayerCase("instancenorm_vectors", InstanceNorm(), inputs: [2, 2, 2, 64]),
    LayerCase(
      "instancenorm_blocks", InstanceNorm(hasParameters: true), inputs: [1, 32, 3, 5],
      maximumBatch: 3),
    LayerCase("instancenorm_sequence", InstanceNorm(hasParameters: true), inputs: [2, 3, 33]),
  ]

  static let images = [
    LayerCase("layernorm", LayerNorm(), inputs: [3, 5, 3, 7]),
    LayerCase("layernorm_features", LayerNorm(), inputs: [1, 19], maximumBatch: 3),
    LayerCase("layernorm_blocks", LayerNorm(hasParameters: false), inputs: [2, 32, 3, 3]),
  ]

  static let meanVariance = [
    LayerCase("mvn", MeanVarianceNorm(), inputs: [3, 2, 5, 7]),
    LayerCase("mvn_across", MeanVarianceNorm(acrossChannels: true), inputs: [2, 16, 3, 5]),
    LayerCase("mvn_features", MeanVarianceNorm(acrossChannels: true), inputs: [17, 9]),
    LayerCase("mvn_mean", MeanVarianceNorm(normalizesVariance: false), inputs: [2, 3, 4, 5]),
    LayerCase(
      "mvn_mean_blocks", MeanVarianceNorm(acrossChannels: true, normalizesVariance: false),
      inputs: [3, 16, 3, 3], maximumBatch: 5),
  ]

  @Test(
    "keeps the contract of all layers", arguments: groups + instances + images + meanVariance)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("a large mean costs no digits of the variance")
  func conditioning() async throws {
    // Values of 4096 and its neighbours: squares of them have no digits left for their differences.
    let values = (0..<48).map { 4096 + Float($0 % 3) }
    for layer in [InstanceNorm(), GroupNorm(groups: 1, hasParameters: false)] as [any Layer] {
      let session = try await oneLayerSession(layer, [3, 4, 4])
      let result = try session.forward(inputs: [.float32(values)], batch: 1)[0].floats
      let variance = result.reduce(0) { $0 + $1 * $1 } / Float(result.count)
      #expect(abs(variance - 1) < 1e-3, "\(layer.summary)")
    }
  }

  @Test("equal values become 0, and NaN stays in its group")
  func edges() async throws {
    let session = try await oneLayerSession(InstanceNorm(), [2, 2, 2])
    let values: [Float] = [3, 3, 3, 3, 1, .nan, 2, 0]
    let result = try session.forward(inputs: [.float32(values)], batch: 1)[0].floats
    #expect(result[..<4].allSatisfy { $0 == 0 })
    #expect(result[4...].allSatisfy { $0.isNaN })
  }

  @Test("other images of the batch change nothing")
  func otherImages() async throws {
    let model = Model("norm", input: [2, 3, 3]) { MeanVarianceNorm() }
    let compilation = try model.compile(BuildOptions(batch: 2, trains: false))
    let session = try Session(await compilation.load(toolchain: Toolchain.find()))
    let image = (0..<18).map { Float($0 * $0 % 7) }
    let alone = try session.forward(inputs: [.float32(image)], batch: 1)[0].floats
    let other = image.map { 100 * $0 + 5 }
    let both = try session.forward(inputs: [.float32(image + other)], batch: 2)[0].floats
    #expect(Array(both[..<18]) == alone)
  }

  @Test("refuses groups that do not divide the channels")
  func division() {
    let input = TensorType(shape: [1, 6, 4, 4])
    #expect(
      refusal { _ = try GroupNorm(groups: 4).output(for: [input]) }
        == "4 groups do not divide 6 channels; choose one of 1, 2, 3, 6")
    #expect(
      refusal { _ = try GroupNorm(groups: 0).output(for: [input]) }
        == "0 groups do not divide 6 channels; choose one of 1, 2, 3, 6")
  }

  @Test("refuses groups of one value, other ranks, and an epsilon of 0")
  func errors() {
    #expect(
      refusal { _ = try InstanceNorm().output(for: [TensorType(shape: [2, 5])]) }
        == "the groups of 2x5 have one value each, which normalised is 0; "
        + "give them more channels or places")
    #expect(
      refusal { _ = try LayerNorm().output(for: [TensorType(shape: [1, 2, 3, 4, 5])]) }
        == "expects an input of rank 4, got 1x2x3x4x5; "
        + "[N, C], [N, C, L] and [N, C, H, W] work")
    #expect(
      refusal { _ = try MeanVarianceNorm(epsilon: 0).output(for: [TensorType(shape: [1, 9, 2])]) }
        == "epsilon 0.0 has to be above 0 and finite")
  }
}
