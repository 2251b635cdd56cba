import ConvcIR
import ConvcModels
import ConvcReference
import Foundation

/// Twenty steps that PyTorch made with a preset on real images, and what it starts from.
public struct TrainingFixture: Sendable {
  /// Name of the preset.
  public let name: String
  public let model: Model
  /// Images of a step.
  public let batch: Int
  /// Learning rate of plain SGD with momentum; the momentum buffer starts at zero, nothing decays.
  public let rate: Float
  public let momentum: Float
  /// Mean loss of each step's batch, before its update.
  public let losses: [Double]
  /// Scores of the first batch before the first step, as inference gives them.
  public let inferenceLogits: [Float]
  /// Scores of the first batch in the first training step.
  public let trainingLogits: [Float]
  /// Scores of the first batch after the last step, as inference gives them.
  public let finalLogits: [Float]
  /// Initial parameters, by name.
  public let weights: [String: [Float]]
  /// Preprocessed images, all steps' batches behind one another.
  private let images: [Float]
  private let labels: [Int32]

  /// The presets that have a fixture.
  public static let names = ["lenet5", "resnet8-digits"]

  /// Where the initial parameters are, as a safetensors file.
  public var weightsPath: String { TestFiles.fixtures + "\(name).weights.safetensors" }

  private struct Settings: Decodable {
    struct Preprocessing: Decodable {
      let scale: Float
      let mean: [Float]
      let deviation: [Float]
    }

    let batch: Int
    let rate: Float
    let momentum: Float
    let preprocessing: Preprocessing
    let losses: [Double]
  }

  /// - Throws: a fixture that is missing or damaged.
  public init(_ name: String) throws {
    let path = TestFiles.fixtures + name
    let text = try Data(contentsOf: URL(filePath: path + ".json"))
    let settings = try JSONDecoder().decode(Settings.self, from: text)
    let data = try TensorFile(path: path + ".data.safetensors")
    guard let preset = Preset.named(name) else { throw TensorFile.MissingTensor(name: name) }
    let pixels = try data["images"]
    let input = settings.preprocessing
    self.name = name
    model = preset.make(Array(pixels.shape.dropFirst()), 10)
    batch = settings.batch
    rate = settings.rate
    momentum = settings.momentum
    losses = settings.losses
    images = pixels.values.map { ($0 * input.scale - input.mean[0]) / input.deviation[0] }
    labels = try data["labels"].values.map { Int32($0) }
    inferenceLogits = try data["logits_inference"].values
    trainingLogits = try data["logits_training"].values
    finalLogits = try data["logits_after"].values
    weights = try TensorFile(path: path + ".weights.safetensors").tensors.mapValues(\.values)
  }

  /// The initial parameter block.
  ///
  /// - Throws: a parameter of the graph that the fixture lacks.
  public func parameters(of graph: Graph) throws -> [Float] {
    try graph.parameters.flatMap { parameter in
      guard let values = weights[parameter.name], values.count == parameter.spec.count else {
        throw TensorFile.MissingTensor(name: parameter.name)
      }
      return values
    }
  }

  /// The batch of a step; batches repeat in order.
  public func sample(step: Int) -> ReferenceSample {
    let start = step * batch % labels.count
    let pixels = images.count / labels.count
    return ReferenceSample(
      batch: batch, inputs: [Array(images[start * pixels..<(start + batch) * pixels])],
      targets: [.labels(Array(labels[start..<start + batch]))])
  }

}
