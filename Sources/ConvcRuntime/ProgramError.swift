/// Why a model could not be used. The description is one line.
public enum ProgramError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The library lacks the model's symbol.
  case library(LibraryError)
  /// The library was made by another version of convc.
  case otherInterface(path: String, found: String, expected: String)
  /// What the library says of itself cannot be true.
  case damagedDescriptor(path: String, reason: String)
  /// `batch` is not in `allowed`.
  case batch(Int, allowed: ClosedRange<Int>, model: String)
  /// The label at `position` of `target` is no class of `loss`; nothing was changed.
  case label(Int, position: Int, target: String, loss: String, classes: Int)
  /// A label is no class of its loss, and which one is not known; nothing was changed.
  case unknownLabel(model: String)
  /// Another number of inputs, outputs or targets than the model has.
  case count(of: String, given: Int, expected: [String])
  /// Values of another number or type than a tensor, a parameter or a block has.
  case values(name: String, given: String, expected: String)
  case unknownParameter(String, known: [String])
  /// The parameter has no gradient.
  case frozenParameter(String)
  /// `call` needs a model that was built for training.
  case inferenceOnly(model: String, call: String)
  case outOfMemory(bytes: Int, block: String)
  /// The compiled function refused the call.
  case refused(function: String, reason: String)

  public var description: String {
    switch self {
    case .library(let error):
      error.description
    case .otherInterface(let path, let found, let expected):
      "\(path) speaks \(found) of convc's interface, this program \(expected); "
        + "build the library again with this convc"
    case .damagedDescriptor(let path, let reason):
      "\(path) describes its model wrongly: \(reason); build it again"
    case .batch(let batch, let allowed, let model):
      Self.batchMessage(batch, allowed, model)
    case .label(let label, let position, let target, let loss, let classes):
      "label \(label) at position \(position) of target '\(target)' is no class of loss '\(loss)': "
        + "expected 0...\(classes - 1); correct the label, nothing was changed"
    case .unknownLabel(let model):
      "a label given to model '\(model)' is no class of its loss; correct it, nothing was changed"
    case .count(let of, let given, let expected):
      "expected \(expected.count) \(of) (\(expected.joined(separator: ", "))), got \(given)"
    case .values(let name, let given, let expected):
      "'\(name)' takes \(expected), got \(given)"
    case .unknownParameter(let name, let known):
      "no parameter '\(name)'; the model has \(known.joined(separator: ", "))"
    case .frozenParameter(let name):
      "parameter '\(name)' has no gradient: it is frozen or a running statistic"
    case .inferenceOnly(let model, let call):
      "model '\(model)' was built for inference and has no \(call); build it for training"
    case .outOfMemory(let bytes, let block):
      "not enough memory for the \(block): \(bytes) bytes; take a smaller batch"
    case .refused(let function, let reason):
      "\(function) refused the call: \(reason)"
    }
  }

  private static func batchMessage(
    _ batch: Int, _ allowed: ClosedRange<Int>, _ model: String
  ) -> String {
    if allowed.count == 1 {
      return "batch \(batch) given to model '\(model)', which was built for exactly "
        + "\(allowed.lowerBound); give that many, or build it with another batch"
    }
    return "batch \(batch) given to model '\(model)' is outside "
      + "\(allowed.lowerBound)...\(allowed.upperBound); give fewer, or build it with a larger batch"
  }
}
