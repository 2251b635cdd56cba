import ConvcIR
import FoundationEssentials

/// What a file of weights says of itself beside its tensors.
///
/// In the file's metadata, all optional: `convc.model`, `convc.model_hash`, `convc.data`,
/// `convc.epoch`, `convc.step`, `convc.validation_loss`, `convc.validation_accuracy`, and as JSON
/// `convc.preprocessing` (`scale`, `mean`, `deviation`) and `convc.classes` (a list of names).
public struct CheckpointInfo: Sendable, Hashable {
  public var model: String?
  public var modelHash: String?
  /// Name of the data set.
  public var data: String?
  /// Epochs that were complete.
  public var epoch: Int?
  /// Steps made.
  public var step: Int?
  public var validation: Metrics?
  /// How raw pixels become the first input.
  public var preprocessing: InputPreprocessing?
  public var classNames: [String]

  public init(
    model: String? = nil, modelHash: String? = nil, data: String? = nil, epoch: Int? = nil,
    step: Int? = nil, validation: Metrics? = nil, preprocessing: InputPreprocessing? = nil,
    classNames: [String] = []
  ) {
    self.model = model
    self.modelHash = modelHash
    self.data = data
    self.epoch = epoch
    self.step = step
    self.validation = validation
    self.preprocessing = preprocessing
    self.classNames = classNames
  }

  /// What a layout knows.
  public init(layout: ModelLayout) {
    self.init(
      model: layout.model, modelHash: layout.modelHash, preprocessing: layout.preprocessing,
      classNames: layout.classNames)
  }

  /// - Throws: a preprocessing that cannot be used.
  init(
    metadata: [String: String], path: String, channels: Int? = nil
  ) throws(CheckpointError) {
    func decoded<Value: Decodable>(_ type: Value.Type, _ key: String) -> Value? {
      metadata[key].flatMap { try? JSONDecoder().decode(type, from: Data($0.utf8)) }
    }
    let preprocessing = decoded(InputPreprocessing.self, "convc.preprocessing")
    if metadata["convc.preprocessing"] != nil {
      guard let preprocessing else {
        throw .preprocessing(
          path: path, reason: "is not JSON of scale, mean and deviation as finite numbers")
      }
      if let fault = preprocessing.fault(channels: channels) {
        throw .preprocessing(path: path, reason: fault)
      }
    }
    self.init(
      model: metadata["convc.model"], modelHash: metadata["convc.model_hash"],
      data: metadata["convc.data"], epoch: metadata["convc.epoch"].flatMap { Int($0) },
      step: metadata["convc.step"].flatMap { Int($0) },
      validation: metadata["convc.validation_loss"].flatMap(Double.init).map { loss in
        Metrics(loss: loss, accuracy: metadata["convc.validation_accuracy"].flatMap(Double.init))
      },
      preprocessing: preprocessing, classNames: decoded([String].self, "convc.classes") ?? [])
  }

  /// The file's metadata. `format` says to other readers that nothing is transposed.
  var metadata: [String: String] {
    var metadata = ["format": "pt"]
    func json(_ value: some Encodable) -> String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      guard let data = try? encoder.encode(value), let text = String(data: data, encoding: .utf8)
      else { preconditionFailure("internal error: metadata that is no JSON") }
      return text
    }
    metadata["convc.model"] = model
    metadata["convc.model_hash"] = modelHash
    metadata["convc.data"] = data
    metadata["convc.epoch"] = epoch.map { "\($0)" }
    metadata["convc.step"] = step.map { "\($0)" }
    metadata["convc.validation_loss"] = validation.map { "\($0.loss)" }
    metadata["convc.validation_accuracy"] = validation?.accuracy.map { "\($0)" }
    metadata["convc.preprocessing"] = preprocessing.map { json($0) }
    if !classNames.isEmpty { metadata["convc.classes"] = json(classNames) }
    return metadata
  }
}

extension InputPreprocessing {
  /// Why it cannot make inputs; nil: it can.
  ///
  /// - Parameter channels: channels of the input; nil: any number.
  func fault(channels: Int?) -> String? {
    guard scale.isFinite else { return "has scale \(scale), expected a finite number" }
    if let bad = mean.first(where: { !$0.isFinite }) {
      return "has mean \(bad), expected finite numbers"
    }
    if let bad = deviation.first(where: { !($0.isFinite && $0 > 0) }) {
      return "has deviation \(bad), expected finite numbers above 0"
    }
    let channels = channels ?? max(1, mean.count)
    guard mean.count == channels, deviation.count == channels else {
      return "has \(mean.count) means and \(deviation.count) deviations, "
        + "expected \(channels) of each, one a channel"
    }
    return nil
  }
}

/// Weights in a safetensors file: a tensor for each parameter under its name, so the file's data
/// section is the parameter block.
public struct Checkpoint: Sendable {
  /// The whole parameter block.
  public let parameters: [Float]
  public let info: CheckpointInfo

  public init(parameters: [Float], info: CheckpointInfo) {
    self.parameters = parameters
    self.info = info
  }

  /// Writes the file, which appears as a whole or not at all.
  ///
  /// - Parameter layout: the parameters' names and shapes, in the order of the block.
  /// - Throws: ``CheckpointError/cannotWrite(path:reason:)``; an older file is as it was then.
  public func write(to path: String, layout: [Parameter]) throws(CheckpointError) {
    try WeightsFile.write(
      Self.tensors(parameters, layout: layout), metadata: info.metadata, to: path)
  }

  /// Reads the file and checks that it fits a network.
  ///
  /// A file without convc's metadata is taken when its tensors fit.
  ///
  /// - Parameters:
  ///   - layout: the network's parameters, in the order of the block.
  ///   - model: the network's name; files of other networks are refused.
  ///   - modelHashes: hashes of the networks that are accepted; nil: all of that name with the same parameters are.
  ///   - channels: channels of the network's first input, which the file's preprocessing must be
  ///     for; nil: any number.
  /// - Throws: what does not fit, the first tensor of the block first.
  public init(
    path: String, layout: [Parameter], model: String, modelHashes: [String]? = nil,
    channels: Int? = nil
  ) throws(CheckpointError) {
    let file = try WeightsFile(path: path)
    info = try CheckpointInfo(metadata: file.metadata, path: path, channels: channels)
    try Self.checkModel(info, path: path, model: model, modelHashes: modelHashes)
    parameters = try Self.block(of: file, layout: layout, path: path)
    let known = Set(layout.map(\.name))
    if let extra = file.names.first(where: { !known.contains($0) }) {
      throw .extraTensor(extra, shape: file.shape(extra) ?? [], path: path, model: model)
    }
  }

  static func checkModel(
    _ info: CheckpointInfo, path: String, model: String, modelHashes: [String]?
  ) throws(CheckpointError) {
    if let saved = info.model, saved != model {
      throw .wrongModel(path: path, saved: saved, expected: model)
    }
    if let saved = info.modelHash, let modelHashes, !modelHashes.contains(saved) {
      throw .otherVersion(path: path, model: model)
    }
  }

  /// The tensors of a parameter block.
  static func tensors(_ block: [Float], layout: [Parameter]) -> [WeightsFile.Tensor] {
    layout.map { parameter in
      WeightsFile.Tensor(
        name: parameter.name, shape: parameter.spec.shape,
        values: block[parameter.offset..<(parameter.offset + parameter.spec.count)])
    }
  }

  /// The parameter block in a file, which may hold other tensors besides.
  static func block(
    of file: WeightsFile, layout: [Parameter], path: String
  ) throws(CheckpointError) -> [Float] {
    var block = [Float](repeating: 0, count: layout.reduce(0) { $0 + $1.spec.count })
    for parameter in layout {
      let name = parameter.name
      guard let shape = file.shape(name) else {
        throw .missingTensor(name, shape: parameter.spec.shape, path: path)
      }
      guard shape == parameter.spec.shape else {
        throw .wrongShape(name, expected: parameter.spec.shape, got: shape, path: path)
      }
      try file.copy(name, to: &block, at: parameter.offset)
    }
    return block
  }
}
