import Convc
import Testing

@Suite("Losses, measured without training")
struct LossTests {
  private func sum<Target>(
    _ loss: any Loss, _ predictions: [Float], _ targets: [Target], extents: [Int]
  ) -> Double {
    predictions.withUnsafeBufferPointer { predictions in
      targets.withUnsafeBytes { targets in
        guard let start = predictions.baseAddress, let wanted = targets.baseAddress else {
          return .nan
        }
        return loss.sum(
          over: JudgedBatch(
            images: predictions.count / extents.reduce(1, *), extents: extents,
            predictions: start, targets: wanted))
      }
    }
  }

  @Test("cross-entropy is stable for large scores")
  func largeScores() {
    let labels: [Int32] = [0, 0]
    #expect(sum(SoftmaxCrossEntropy(), [1000, 0, 0, 1000], labels, extents: [2]) == 1000)
  }

  @Test("cross-entropy of maps is the mean over an image's pixels")
  func pixels() {
    let labels: [Int32] = [0, 0]
    #expect(sum(SoftmaxCrossEntropy(), [1000, 0, 0, 1000], labels, extents: [2, 1, 2]) == 500)
  }

  @Test("squared error is the mean over an image's values")
  func squaredError() {
    let targets: [Float] = [1, 0, 3, 2]
    #expect(sum(MeanSquaredError(), [1, 2, 3, 4], targets, extents: [2]) == 4)
  }
}
