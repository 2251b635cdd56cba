import Convc
import Testing

@Suite struct DatasetExamplesTests {
  /// The first example of a part: its input and label.
  private func write(
    _ indices: ArraySlice<Int>, of examples: any ExampleSource
  ) throws -> (inputs: [Float], labels: [Int32]) {
    var inputs = [Float](repeating: 0, count: indices.count * examples.inputs[0].count)
    var labels = [Int32](repeating: -1, count: indices.count)
    try inputs.withUnsafeMutableBytes { inputs in
      try labels.withUnsafeMutableBytes { labels in
        try examples.write(
          indices, inputs: [#require(inputs.baseAddress)], targets: [#require(labels.baseAddress)])
      }
    }
    return (inputs, labels)
  }

  @Test func selectedImagesAreWrittenInOrder() throws {
    let images = try ImageSet(
      name: "images", shape: [1, 1, 2], pixels: Array(0..<8), labels: [5, 6, 7, 8])
    let examples = try DatasetExamples(
      images, indices: [3, 1, 0],
      preprocessing: InputPreprocessing(scale: 2, mean: [1], deviation: [1]))
    #expect(examples.count == 3)
    #expect(examples.inputs == [ModelLayout.Tensor(name: "image", shape: [1, 1, 2])])
    #expect(examples.targets == [ModelLayout.Tensor(name: "target", element: .int32, shape: [])])
    let written = try write([9, 2, 0][1...], of: examples)
    #expect(written.inputs == [-1, 1, 11, 13])
    #expect(written.labels == [5, 8])
  }

  @Test func datasetBecomesThreeParts() throws {
    let data = try TrainingData(
      dataset: DatasetCatalog().load("digits"), validationFraction: 0.1, seed: 0)
    #expect(data.name == "digits")
    #expect(data.train.count == 1293)
    #expect(data.validation?.count == 144)
    #expect(data.test?.count == 360)
    let test = try #require(data.test)
    #expect(try write([358, 359], of: test).labels == [9, 8])
  }

  @Test func withoutAShareThereIsNoValidation() throws {
    let data = try TrainingData(
      dataset: DatasetCatalog().load("digits"), validationFraction: 0, seed: 0)
    #expect(data.train.count == 1437)
    #expect(data.validation == nil)
  }

  @Test func preprocessingOfOtherImagesIsRefused() {
    #expect {
      let three = InputPreprocessing(scale: 1, mean: [0, 0, 0], deviation: [1, 1, 1])
      _ = try TrainingData(
        dataset: DatasetCatalog().load("digits"), validationFraction: 0.1, seed: 0,
        preprocessing: three)
    } throws: {
      "\($0)" == "the preprocessing is for images of 3 channels, these have 1; "
        + "use data like those that the model was trained on"
    }
  }
}
