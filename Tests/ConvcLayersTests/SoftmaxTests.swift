import Convc
import ConvcTestSupport
import Testing

@Suite("Softmax and LogSoftmax")
struct SoftmaxTests {
  static let cases = [
    LayerCase("softmax", Softmax(), inputs: [3, 7]),
    LayerCase("softmax_maps", Softmax(), inputs: [2, 5, 3, 7]),
    LayerCase("softmax_blocks", Softmax(), inputs: [3, 32, 3, 5], maximumBatch: 5),
    LayerCase("softmax_rows", Softmax(axis: 2), inputs: [1, 3, 5, 4]),
    LayerCase("softmax_columns", Softmax(axis: -1), inputs: [2, 16, 3, 9]),
    LayerCase("softmax_sequence", Softmax(axis: 2), inputs: [17, 3, 11]),
    // More scores than are kept, in several pieces.
    LayerCase("softmax_pieces", Softmax(), inputs: [1, 140, 9]),
  ]

  static let logarithms = [
    LayerCase("logsoftmax", LogSoftmax(axis: -1), inputs: [1, 19], maximumBatch: 3),
    LayerCase("logsoftmax_maps", LogSoftmax(), inputs: [2, 16, 3, 5]),
    LayerCase("logsoftmax_rows", LogSoftmax(axis: -2), inputs: [3, 2, 7, 3]),
    LayerCase("logsoftmax_sequence", LogSoftmax(), inputs: [2, 5, 9]),
  ]

  @Test("keeps the contract of all layers", arguments: cases + logarithms)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("shares sum to 1, however large the scores; equal scores get equal shares")
  func sums() async throws {
    for layer in [Softmax(), Softmax(axis: 3)] {
      let session = try await oneLayerSession(layer, [2, 2, 2])
      let scores: [Float] = [1000, 1000, -1000, 0, 1000, 0, 1000, -500]
      let shares = try session.forward(inputs: [.float32(scores)], batch: 1)[0].floats
      #expect(shares[0] == 0.5)
      #expect(shares.allSatisfy { $0 >= 0 && $0 <= 1 })
      #expect(abs(shares.reduce(0, +) - 4) < 1e-6)
    }
  }

  @Test("the logarithm stays exact where a share would vanish")
  func logarithm() async throws {
    let session = try await oneLayerSession(LogSoftmax(), [3])
    let values = try session.forward(inputs: [.float32([0, -200, 300])], batch: 1)[0].floats
    #expect(values == [-300, -500, 0])
  }

  @Test(
    "refuses the batch and axes that the input does not have",
    arguments: [
      (0, "the batch's axis cannot be taken: choose one of 1, 2, 3"),
      (-4, "the batch's axis cannot be taken: choose one of 1, 2, 3"),
      (4, "it has 4 axes: choose one of 1, 2, 3"), (-5, "it has 4 axes: choose one of 1, 2, 3"),
    ])
  func axes(axis: Int, reason: String) {
    let input = TensorType(shape: [2, 3, 4, 5])
    let message = "axis \(axis) is not one of an image in 2x3x4x5; \(reason)"
    #expect(refusal { _ = try Softmax(axis: axis).output(for: [input]) } == message)
    #expect(refusal { _ = try LogSoftmax(axis: axis).output(for: [input]) } == message)
  }

  @Test("refuses tensors of more than four axes")
  func rank() {
    #expect(
      refusal { _ = try Softmax().output(for: [TensorType(shape: [1, 2, 3, 4, 5])]) }
        == "expects an input of rank 4, got 1x2x3x4x5; [N, F], [N, C, L] and [N, C, H, W] work")
  }
}
