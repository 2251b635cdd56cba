import ConvcData
import FoundationEssentials
import Glibc

/// The folder of a training.
public struct RunFolder: Sendable, Hashable {
  /// The files of a run folder.
  public enum File: String, Sendable, CaseIterable {
    /// The parameters of the best epoch.
    case best = "best.safetensors"
    /// The parameters of the last epoch, or of the step where a training was cancelled.
    case last = "last.safetensors"
    /// The same with the optimiser's state and all counters, for a resumed training: one file, so
    /// that what it holds always belongs together.
    case state = "last.state.safetensors"
    case log = "log.jsonl"
    case report = "report.html"
    /// The recipe as resolved.
    case recipe = "recipe.json"
  }

  /// The folder's path, without a slash at its end.
  public let path: String

  public init(_ path: String) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
  }

  /// The path of a file.
  public func path(_ file: File) -> String { "\(path)/\(file.rawValue)" }

  /// Makes the folder and those above it, where they are missing.
  func create() throws(TrainingError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .cannotWrite(path: path, reason: Self.reason(error))
    }
    guard access(path, W_OK) == 0 else {
      throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileWriteNoPermission?: "permission denied"
    case .fileWriteFileExists?: "a file of that name is in the way"
    case .fileWriteOutOfSpace?: "no space left"
    case .fileWriteVolumeReadOnly?: "the file system is read-only"
    default: "the folder cannot be made"
    }
  }

  // MARK: Checkpoints

  func save(_ file: File, runner: any StepRunner, info: CheckpointInfo) throws(CheckpointError) {
    let checkpoint = Checkpoint(parameters: runner.parameterBlock, info: info)
    try checkpoint.write(to: path(file), layout: runner.layout.parameters)
  }

  func load(_ file: File, layout: ModelLayout) throws(CheckpointError) -> Checkpoint {
    try Checkpoint(
      path: path(file), layout: layout.parameters, model: layout.model,
      modelHashes: [layout.modelHash], channels: layout.inputs.first?.channels)
  }

  /// Name of the tensor of the optimiser's state; no parameter's name begins so.
  private static let optimizerName = "convc.optimizer"
  /// Metadata of the counters.
  private static let stateKey = "convc.state"

  func saveState(
    _ state: TrainingState, parameters: [Float], runner: any StepRunner
  ) throws(CheckpointError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(state), let text = String(data: data, encoding: .utf8)
    else { preconditionFailure("internal error: a training state that is no JSON") }
    var metadata = CheckpointInfo(layout: runner.layout).metadata
    metadata[Self.stateKey] = text
    var tensors = Checkpoint.tensors(parameters, layout: runner.layout.parameters)
    let optimizer = runner.optimizerBlock
    if !optimizer.isEmpty {
      tensors.append(
        WeightsFile.Tensor(
          name: Self.optimizerName, shape: [optimizer.count], values: optimizer[...]))
    }
    try WeightsFile.write(tensors, metadata: metadata, to: path(.state))
  }

  func loadState(
    layout: ModelLayout
  ) throws -> (state: TrainingState, parameters: [Float], optimizer: [Float]) {
    let path = path(.state)
    guard access(path, F_OK) == 0 else { throw TrainingError.nothingToResume(path: path) }
    let file = try WeightsFile(path: path)
    let info = try CheckpointInfo(metadata: file.metadata, path: path)
    try Checkpoint.checkModel(
      info, path: path, model: layout.model, modelHashes: [layout.modelHash])
    if let saved = info.preprocessing, let now = layout.preprocessing, saved != now {
      throw TrainingError.otherPixels(path: path)
    }
    guard let text = file.metadata[Self.stateKey],
      let state = try? JSONDecoder().decode(TrainingState.self, from: Data(text.utf8)),
      state.epoch >= 1, state.stepInEpoch >= 0, state.step >= state.stepInEpoch
    else { throw TrainingError.badState(path: path, reason: "it does not say how far it is") }
    let parameters = try Checkpoint.block(of: file, layout: layout.parameters, path: path)
    var optimizer = [Float](repeating: 0, count: layout.optimizerCount)
    if !optimizer.isEmpty {
      guard file.shape(Self.optimizerName) == [optimizer.count] else {
        throw TrainingError.badState(path: path, reason: "its optimiser state has another size")
      }
      try file.copy(Self.optimizerName, to: &optimizer, at: 0)
    }
    return (state, parameters, optimizer)
  }

  // MARK: Texts

  /// Starts the log with the rows so far, in the place of an older one.
  func startLog(_ rows: [LogRow]) throws(TrainingError) {
    try write(rows.map(\.json).joined(), to: .log)
  }

  /// Adds a line to the log, in one write.
  func appendLog(_ row: LogRow) throws(TrainingError) {
    let path = path(.log)
    let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
    defer { close(file) }
    let line = Array(row.json.utf8)
    let count = line.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
    guard count == line.count else {
      let reason = count < 0 ? String(cString: strerror(errno)) : "no space left"
      throw .cannotWrite(path: path, reason: reason)
    }
  }

  func writeReport(_ report: TrainingReport) throws(TrainingError) {
    try write(report.html, to: .report)
  }
}

extension CheckpointInfo {
  /// What is known of a training's checkpoint.
  ///
  /// - Parameter row: the epoch that the parameters are from; nil: they are from within one.
  init(state: TrainingState, row: LogRow?, layout: ModelLayout) {
    self.init(layout: layout)
    data = state.data
    epoch = row?.epoch ?? state.epoch - 1
    step = state.step
    validation = row?.validation
  }
}

extension RunFolder {
  /// Writes a text, which appears as a whole or not at all.
  func write(_ text: String, to file: File) throws(TrainingError) {
    do {
      try AtomicFile.write(Array(text.utf8), to: path(file))
    } catch {
      throw .cannotWrite(path: path(file), reason: error.reason)
    }
  }
}
