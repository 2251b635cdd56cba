import ConvcABI

/// A compiled model: what it takes and gives, and its functions, which a ``Session`` calls.
///
/// A value of it holds no weights and never changes, so threads can share it, each with a session
/// of its own.
public final class Program: @unchecked Sendable {
  public let name: String
  /// The row of the target table that the C was written for.
  public let targetRow: String
  /// The hash of the model that the C was made from.
  public let modelHash: String
  /// The batches that every call takes: one value for a model of fixed batch.
  public let batches: ClosedRange<Int>
  public let inputs: [Tensor]
  public let outputs: [Tensor]
  public let targets: [Tensor]
  public let losses: [Loss]
  /// Whether a penalty on weights is minimised as well: its value follows those of the losses.
  public let isRegularized: Bool
  /// In the order of the parameter block.
  public let parameters: [Parameter]
  /// Names of the classes; empty without.
  public let classes: [String]
  /// Floats of the parameter block.
  public let parameterCount: Int
  /// Floats of the gradient block, which is the trainable part of the parameter block.
  public let gradientCount: Int
  /// Floats of the optimiser's state.
  public let optimizerCount: Int
  /// Bytes of the form of the parameters that kernels read.
  public let packedBytes: Int
  /// Bytes of working memory of `forward`.
  public let inferenceWorkspaceBytes: Int
  /// Bytes of working memory of a training step.
  public let trainingWorkspaceBytes: Int
  /// Whether a training step changes running statistics.
  let hasStatistics: Bool
  /// Whether it has gradients, update and training step.
  public let canTrain: Bool

  /// The largest batch.
  public var maxBatch: Int { batches.upperBound }

  /// The descriptor, for its entry points; the last three are NULL in an inference build.
  let model: convc_model
  private let library: LoadedLibrary
  private let parameterIndex: [String: Int]

  /// Finds the model `prefix` in a library and reads its description.
  ///
  /// - Parameters:
  ///   - library: kept open as long as the program lives.
  ///   - prefix: the name the C was written under: its descriptor is `<prefix>_model`.
  /// - Errors: no such symbol, another version of the interface, a description that cannot be true.
  public init(library: LoadedLibrary, prefix: String) throws(ProgramError) {
    let model = try Self.descriptor(of: library, prefix)
    let reader = DescriptorReader(path: library.path, model: model)
    name = try reader.text(model.name, "the model")
    targetRow = try reader.text(model.target, "the target")
    modelHash = try reader.text(model.model_hash, "the model's hash")
    guard model.max_batch >= 1, model.prepare != nil, model.forward != nil else {
      throw .damagedDescriptor(path: library.path, reason: "no batch, prepare or forward")
    }
    let largest = Int(model.max_batch)
    batches = (model.fixed_batch == 0 ? 1 : largest)...largest
    inputs = try reader.tensors(model.inputs, model.inputs_count, "inputs")
    outputs = try reader.tensors(model.outputs, model.outputs_count, "outputs")
    targets = try reader.tensors(model.targets, model.targets_count, "targets")
    (losses, isRegularized) = try reader.losses(outputs: outputs.count, targets: targets.count)
    parameterCount = try reader.size(model.parameters_floats, "the parameter block's size")
    gradientCount = try reader.size(model.gradients_floats, "the gradient block's size")
    optimizerCount = try reader.size(model.optimizer_floats, "the optimiser state's size")
    packedBytes = try reader.size(model.packed_bytes, "the packed size")
    inferenceWorkspaceBytes = try reader.size(
      model.inference_workspace_bytes, "the inference workspace's size")
    trainingWorkspaceBytes = try reader.size(
      model.training_workspace_bytes, "the training workspace's size")
    parameters = try reader.parameters(block: parameterCount, gradients: gradientCount)
    classes = try reader.classes()
    hasStatistics = parameters.contains { $0.kind == .statistic }
    canTrain = model.gradients != nil && model.update != nil && model.train_step != nil
    self.model = model
    parameterIndex = Dictionary(
      zip(parameters.map(\.name), 0...), uniquingKeysWith: { first, _ in first })
    self.library = library
  }

  /// Calls `<prefix>_model` and checks that both sides speak of the same structure.
  private static func descriptor(
    of library: LoadedLibrary, _ prefix: String
  ) throws(ProgramError) -> convc_model {
    typealias Function = @convention(c) () -> UnsafePointer<convc_model>?
    let address: UnsafeMutableRawPointer
    do {
      address = try library.symbol("\(prefix)_model")
    } catch {
      throw .library(error)
    }
    guard let pointer = unsafeBitCast(address, to: Function.self)() else {
      throw .damagedDescriptor(path: library.path, reason: "no descriptor")
    }
    // Only the first two fields are sure to be there before they are checked.
    let head = UnsafeRawPointer(pointer)
    let version = head.load(as: UInt32.self)
    let size = head.load(fromByteOffset: 4, as: UInt32.self)
    guard version == UInt32(CONVC_ABI_VERSION) else {
      throw .otherInterface(
        path: library.path, found: "version \(version)", expected: "version \(CONVC_ABI_VERSION)")
    }
    let expected = MemoryLayout<convc_model>.size
    guard size >= expected else {
      throw .otherInterface(
        path: library.path, found: "a form of \(size) bytes", expected: "one of \(expected) bytes")
    }
    return pointer.pointee
  }

  /// The parameter of this name.
  public func parameter(_ name: String) throws(ProgramError) -> Parameter {
    guard let index = parameterIndex[name] else {
      throw .unknownParameter(name, known: parameters.map(\.name))
    }
    return parameters[index]
  }

  /// Values that a training step writes: one for each loss, and the penalty where there is one.
  var lossEntries: Int { losses.count + (isRegularized ? 1 : 0) }

  /// The data loss: the sum of `losses`, each times its weight, without the penalty on weights.
  ///
  /// - Parameter losses: what ``Session`` returned, in the order of ``losses``.
  public func total(_ losses: [Float]) -> Float {
    zip(losses, self.losses).reduce(0) { $0 + $1.0 * $1.1.weight }
  }

  /// The penalty on weights, which is minimised beside the data loss; 0 where the model has none.
  ///
  /// - Parameter losses: what ``Session`` returned.
  public func regularization(_ losses: [Float]) -> Float {
    isRegularized && losses.count > self.losses.count ? losses[self.losses.count] : 0
  }
}
