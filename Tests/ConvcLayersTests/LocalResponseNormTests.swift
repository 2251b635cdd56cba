import Convc
import ConvcPasses
import ConvcReference
import ConvcTestSupport
import Testing

@Suite("LocalResponseNorm")
struct LocalResponseNormTests {
  static let cases = [
    LayerCase("lrn", LocalResponseNorm(alpha: 0.5), inputs: [3, 7, 3, 5]),
    LayerCase(
      "lrn_sum", LocalResponseNorm(across: .channels(3), alpha: 0.1, kappa: 2, squares: .sum),
      inputs: [2, 16, 3, 3], maximumBatch: 5),
    LayerCase(
      "lrn_power", LocalResponseNorm(across: .channels(3), alpha: 0.7, beta: 0.6),
      inputs: [17, 5, 9]),
    LayerCase(
      "lrn_seven", LocalResponseNorm(across: .channels(7), alpha: 0.5), inputs: [2, 10, 3, 3]),
    LayerCase(
      "lrn_wide", LocalResponseNorm(across: .channels(11), alpha: 0.5), inputs: [2, 13, 2, 3]),
    LayerCase(
      "lrn_single", LocalResponseNorm(across: .channels(1), alpha: 0.5), inputs: [3, 4, 2, 3]),
    LayerCase("lrn_features", LocalResponseNorm(alpha: 0.5, beta: 1), inputs: [1, 19]),
    LayerCase(
      "lrn_length",
      LocalResponseNorm(across: .channels(nil), alpha: 1, beta: 0.5, kappa: 0, squares: .sum),
      inputs: [2, 32, 3, 5]),
    LayerCase(
      "lrn_all_features", LocalResponseNorm(across: .channels(nil), alpha: 0.5),
      inputs: [3, 7]),
    LayerCase(
      "lrn_space", LocalResponseNorm(across: .space(3), alpha: 0.5), inputs: [2, 3, 5, 7]),
    LayerCase(
      "lrn_space_blank",
      LocalResponseNorm(across: .space(5), alpha: 0.5, kappa: 0), inputs: [1, 16, 3, 4],
      maximumBatch: 3),
    LayerCase(
      "lrn_space_roots", LocalResponseNorm(across: .space(3), alpha: 0.5, beta: 0.5, kappa: 0),
      inputs: [3, 16, 4, 3]),
    LayerCase(
      "lrn_space_sequence", LocalResponseNorm(across: .space(3), alpha: 0.5, beta: 0.6),
      inputs: [3, 2, 9]),
    LayerCase("lrn_pieces", LocalResponseNorm(alpha: 0.5), inputs: [1, 4, 1, 517]),
    LayerCase(
      "lrn_space_rows", LocalResponseNorm(across: .space(5), alpha: 0.5), inputs: [2, 1, 19, 6]),
    LayerCase(
      "lrn_space_single", LocalResponseNorm(across: .space(1), alpha: 0.5), inputs: [2, 3, 4, 5]),
    LayerCase(
      "lrn_space_seven", LocalResponseNorm(across: .space(7), alpha: 0.5), inputs: [1, 1, 3, 70]),
    LayerCase(
      "lrn_space_pieces", LocalResponseNorm(across: .space(3), alpha: 0.5),
      inputs: [1, 1, 2, 1131]),
  ]

  // PyTorch has the mean across channels alone: lrn_sum has its n in alpha there, and a window as wide as needed stands for
  // all channels. Windows in space are pooled squares, as PyTorch's own layer does it for channels.
  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("a place of zeros gives 0 even where kappa is 0, and its neighbours are not disturbed")
  func blank() async throws {
    let layer = LocalResponseNorm(
      across: .channels(nil), alpha: 1, beta: 0.5, kappa: 0, squares: .sum)
    let session = try await oneLayerSession(layer, [2, 1, 3])
    let values: [Float] = [0, 3, 1e-30, 0, -4, 0]
    let result = try session.forward(inputs: [.float32(values)], batch: 1)[0].floats
    #expect(zip(result, [0, 0.6, 0, 0, -0.8, 0]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("a blank place has gradient 0 where kappa is 0")
  func blankGradient() throws {
    let layer = LocalResponseNorm(across: .space(3), alpha: 1, beta: 0.5, kappa: 0)
    for program in try blankPrograms(layer) { #expect(program.allSatisfy { $0 == 0 }) }
  }

  /// The reference's gradient of an image of zeros.
  private func blankPrograms(_ layer: LocalResponseNorm) throws -> [[Double]] {
    let model = Model("blank", input: [1, 4, 4]) { layer }
    let graph = try InferShapes(batch: 1, memoryLimit: 1 << 20).run(model)
    let zeros = DoubleTensor(shape: [1, 1, 4, 4])
    let ones = DoubleTensor(shape: [1, 1, 4, 4], Array(repeating: 1.0, count: 16))
    let call = LayerCall(
      node: graph.nodes[0], inputs: [zeros], parameters: [], outputShape: zeros.shape,
      options: PassOptions())
    return [
      layer.forward(call).output.values,
      layer.backward(call, outputGradient: ones).inputs[0].values,
    ]
  }

  @Test("a window that holds all channels is the sum over all")
  func wide() async throws {
    let values = (0..<12).map { Float($0) - 5.5 }
    var results: [[Float]] = []
    for size in [nil, 5, 301] as [Int?] {
      let layer = LocalResponseNorm(across: .channels(size), alpha: 0.3, squares: .sum)
      let session = try await oneLayerSession(layer, [3, 2, 2])
      results.append(try session.forward(inputs: [.float32(values)], batch: 1)[0].floats)
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  @Test(
    "refuses settings that make no formula",
    arguments: [
      (
        LocalResponseNorm(across: .channels(4)),
        "a window of 4 has no middle; its size has to be odd and above 0"
      ),
      (
        LocalResponseNorm(across: .space(-1)),
        "a window of -1 has no middle; its size has to be odd and above 0"
      ),
      (
        LocalResponseNorm(across: .channels(257)),
        "a window of 257 is too wide; at most 255 work, or all channels: size 0"
      ),
      (
        LocalResponseNorm(alpha: -1),
        "alpha -1.0, beta 0.75 and kappa 1.0 have to be finite and not negative"
      ),
    ])
  func settings(layer: LocalResponseNorm, message: String) {
    let input = TensorType(shape: [1, 200, 4, 4])
    #expect(refusal { _ = try layer.output(for: [input]) } == message)
  }

  @Test("a window in space needs a space")
  func features() {
    let layer = LocalResponseNorm(across: .space(3))
    #expect(
      refusal { _ = try layer.output(for: [TensorType(shape: [1, 2])]) }
        == "expects an input of rank 4, got 1x2; "
        + "a window in space works on [N, C, L] and [N, C, H, W]")
  }

  @Test("warns of a kappa of 0")
  func lints() {
    let input = TensorType(shape: [1, 2, 3, 3])
    #expect(LocalResponseNorm().lints(for: [input], in: .training) == [])
    #expect(
      LocalResponseNorm(kappa: 0).lints(for: [input], in: .inference) == [
        "divides by the squares alone, which are 0 where the map is blank; "
          + "a kappa above 0, 1 is usual, keeps the quotient small there"
      ])
  }
}
