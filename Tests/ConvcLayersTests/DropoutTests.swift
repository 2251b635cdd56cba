import Convc
import ConvcTestSupport
import Testing

@Suite("Dropout")
struct DropoutTests {
  static let cases = [
    LayerCase("dropout", Dropout(rate: 0.5), inputs: [3, 2, 5, 7]),
    LayerCase("dropout_blocks", Dropout(rate: 0.25), inputs: [2, 32, 3, 3], maximumBatch: 5),
    LayerCase("dropout_features", Dropout(rate: 0.75), inputs: [1, 19], maximumBatch: 17),
  ]

  @Test("keeps the contract of all layers", arguments: cases)
  func contract(_ layerCase: LayerCase) async throws {
    try await expectContract(layerCase)
  }

  @Test("a rate of 1 would leave nothing")
  func rate() {
    #expect {
      _ = try Dropout(rate: 1).output(for: [TensorType(shape: [1, 2])])
    } throws: {
      "\($0)" == "rate 1.0 is out of range; a probability in 0..<1 is expected"
    }
  }
}
