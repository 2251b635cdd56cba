/// Why training cannot go on, or cannot start. The description is one line.
public enum TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The loss is NaN or infinite; checkpoints are as they were.
  case lossNotFinite(loss: Double, phase: String, epoch: Int, step: Int, rate: Float, kept: String?)
  case emptyPart(String)
  /// Examples differ from what the network takes.
  case tensors(part: String, kind: String, data: String, model: String)
  case label(Int, position: Int, part: String, classes: Int)
  case batch(Int, allowed: ClosedRange<Int>, model: String)
  case tooFewImages(Int, batch: Int)
  case noLosses(model: String)
  /// The folder holds no training that could be resumed.
  case nothingToResume(path: String)
  /// A setting, the model or the data differ from those of the training that is to be resumed.
  case resumeDiffers(saved: String, given: String, path: String)
  case alreadyComplete(epochs: Int, folder: String)
  case badState(path: String, reason: String)
  /// Pixels become other inputs than in the training that is to go on.
  case otherPixels(path: String)
  case cannotWrite(path: String, reason: String)

  public var description: String {
    switch self {
    case .lossNotFinite(let loss, let phase, epoch: 0, step: _, rate: _, kept: _):
      "the \(phase) loss of the untrained network is \(NumberText.plain(loss)); "
        + "check its initial weights and the data's preprocessing"
    case .lossNotFinite(let loss, let phase, let epoch, let step, let rate, let kept):
      "the \(phase) loss is \(NumberText.plain(loss)) in epoch \(epoch) at step \(step) (rate \(rate)); "
        + "lower the rate or lengthen the warm-up"
        + (kept.map { ", the checkpoints in \($0) are from before" } ?? "")
    case .emptyPart(let part):
      "the \(part) part has no images; give more data or another validation_fraction"
    case .tensors(let part, let kind, let data, let model):
      "the \(part) part has \(kind) \(data), the model takes \(model); "
        + "choose data or a model that fit each other"
    case .label(let label, let position, let part, let classes):
      "label \(label) of example \(position) in the \(part) part is no class: "
        + "expected 0...\(classes - 1); correct the label or give the model more outputs"
    case .batch(let batch, let allowed, let model):
      "batch \(batch) is not what model '\(model)' was built for, \(Self.text(allowed)); "
        + "build it with batch \(batch) or train with a batch in that range"
    case .tooFewImages(let images, let batch):
      "\(images) training images do not fill a batch of \(batch), which the model is fixed to; "
        + "give more images or build it with a smaller batch"
    case .noLosses(let model):
      "model '\(model)' has no loss; give it one to train it"
    case .nothingToResume(let path):
      "no training to resume: \(path) is missing; leave out --resume to start one"
    case .resumeDiffers(let saved, let given, let path):
      "\(path) was saved by a training with \(saved), this one has \(given); "
        + "resume with the same, or start a new run with --init last.safetensors"
    case .alreadyComplete(let epochs, let folder):
      "the training in \(folder) is complete after \(epochs) epochs; "
        + "start a new run with --init \(folder)/best.safetensors to train on"
    case .badState(let path, let reason):
      "\(path): \(reason); start a new run with --init last.safetensors"
    case .otherPixels(let path):
      "\(path) was saved by a training with another scale, mean or deviation of pixels; give it the same options again"
    case .cannotWrite(let path, let reason):
      "cannot write \(path): \(reason); free space or choose another folder with -o"
    }
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)...\(range.upperBound)"
  }
}

extension ModelLayout {
  /// Checks that examples have the tensors that the network takes, and that there are any.
  func check(_ examples: any ExampleSource, part: String) throws(TrainingError) {
    guard !losses.isEmpty else { throw .noLosses(model: model) }
    guard examples.count > 0 else { throw .emptyPart(part) }
    try Self.compare(examples.inputs, inputs, part: part, kind: "inputs")
    try Self.compare(examples.targets, targets, part: part, kind: "targets")
  }

  /// Names may differ: data sets have names of their own.
  private static func compare(
    _ data: [Tensor], _ model: [Tensor], part: String, kind: String
  ) throws(TrainingError) {
    let fits =
      data.count == model.count
      && zip(data, model).allSatisfy { $0.element == $1.element && $0.shape == $1.shape }
    guard !fits else { return }
    throw .tensors(part: part, kind: kind, data: text(data), model: text(model))
  }

  private static func text(_ tensors: [Tensor]) -> String {
    let texts = tensors.map { tensor in
      let extents = tensor.shape.map(String.init).joined(separator: "x")
      let shape = tensor.shape.isEmpty ? "one value" : extents
      return tensor.element == .float32 ? shape : "\(shape) of \(tensor.element.rawValue)"
    }
    return texts.isEmpty ? "none" : texts.joined(separator: ", ")
  }
}
