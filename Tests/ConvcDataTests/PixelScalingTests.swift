import ConvcData
import ConvcIR
import Testing

@Suite struct PixelScalingTests {
  /// Two images of two channels with two pixels each.
  private func images() throws -> ImageSet {
    try ImageSet(
      name: "images", shape: [2, 1, 2], pixels: [0, 255, 7, 7, 0, 255, 7, 7], labels: [0, 1])
  }

  @Test func fitGivesMeanAndDeviationOfEachChannel() throws {
    let fitted = try PixelScaling.fit(images())
    #expect(fitted.scale == Float(1) / 255)
    #expect(abs(fitted.mean[0] - 0.5) < 1e-6 && abs(fitted.deviation[0] - 0.5) < 1e-6)
    #expect(fitted.mean[1] == Float(7 * Double(1 / Float(255))))
    #expect(fitted.deviation[1] == 1, "a channel of a single value is not divided by 0")
  }

  @Test func digitsAreScaledBy16() throws {
    let digits = try DatasetCatalog().load("digits")
    let preprocessing = digits.fittedPreprocessing()
    #expect(preprocessing.scale == Float(1) / 16)
    var values = [Float](repeating: 0, count: digits.train.pixels.count)
    try PixelScaling(preprocessing, channels: 1).write(
      0..<digits.train.count, of: digits.train, to: &values)
    let sums = values.reduce((0.0, 0.0)) { ($0.0 + Double($1), $0.1 + Double($1) * Double($1)) }
    #expect(abs(sums.0 / Double(values.count)) < 1e-5)
    #expect(abs(sums.1 / Double(values.count) - 1) < 1e-5)
  }

  @Test func writeAppliesTheFormulaToTheChosenImages() throws {
    let preprocessing = InputPreprocessing(scale: 0.5, mean: [1, 2], deviation: [2, 4])
    let images = try ImageSet(
      name: "images", shape: [2, 1, 1], pixels: [0, 2, 4, 6, 8, 255], labels: [0, 0, 0])
    var values = [Float](repeating: 9, count: 5)
    try PixelScaling(preprocessing, channels: 2).write([2, 0], of: images, to: &values)
    #expect(values == [1.5, 31.375, -0.5, -0.25, 9])
  }

  @Test func otherChannelsAreRefused() {
    let preprocessing = InputPreprocessing(scale: 1, mean: [0], deviation: [1])
    #expect {
      _ = try PixelScaling(preprocessing, channels: 3)
    } throws: {
      "\($0)" == "the preprocessing is for images of 1 channel, these have 3; "
        + "use data like those that the model was trained on"
    }
  }
}
