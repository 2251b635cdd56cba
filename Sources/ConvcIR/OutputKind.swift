/// What the values of a layer's output are, as far as a loss has to know.
public enum OutputKind: String, Sendable, Hashable {
  /// Any numbers, as far as one can tell.
  case any
  /// At least 0: what ReLU and Softplus give.
  case nonNegative
  /// Each value in 0...1, by itself: what Sigmoid gives.
  case shares
  /// Values in 0...1 with the sum 1 over the classes: what Softmax gives.
  case probabilities
  /// The logarithms of such values: what LogSoftmax gives.
  case logProbabilities

  /// In words.
  var text: String {
    switch self {
    case .any: "scores of any size"
    case .nonNegative: "values of at least 0"
    case .shares: "values between 0 and 1"
    case .probabilities: "probabilities"
    case .logProbabilities: "log-probabilities"
    }
  }
}

/// What a loss has to find in the output that it judges, and what to do where it does not.
public struct ExpectedOutput: Sendable, Hashable {
  /// Kinds that the loss accepts.
  public let kinds: Set<OutputKind>
  /// In words: `scores (logits)`.
  public let text: String
  /// The layer to put behind scores: `Sigmoid()`; nil: scores are what is wanted.
  public let missingLayer: String?
  /// The loss to take instead, for each kind that is not accepted.
  public let instead: [OutputKind: String]

  public init(
    _ kinds: Set<OutputKind>, _ text: String, missingLayer: String? = nil,
    instead: [OutputKind: String] = [:]
  ) {
    self.kinds = kinds
    self.text = text
    self.missingLayer = missingLayer
    self.instead = instead
  }

  /// Any output will do.
  public static let any = ExpectedOutput(
    [.any, .nonNegative, .shares, .probabilities, .logProbabilities], "any output")

  /// Scores, before a sigmoid or softmax.
  public static func scores(instead: [OutputKind: String] = [:]) -> ExpectedOutput {
    ExpectedOutput([.any, .nonNegative], "scores (logits)", instead: instead)
  }

  /// Whether it wants scores, below 0 and above.
  public var takesScores: Bool { kinds.contains(.any) && !kinds.contains(.shares) }

  /// Why a layer's output does not fit, with the way out; nil: it does.
  public func mismatch(with kind: OutputKind, of layer: String) -> String? {
    guard !kinds.contains(kind) else { return nil }
    var ways: [String] = []
    if kind == .any || kind == .nonNegative, !kinds.contains(.any) {
      if let missingLayer { ways.append("put \(missingLayer) behind \(layer)") }
    } else if kinds.contains(.any) {
      ways.append("leave \(layer) out")
    } else if let missingLayer {
      ways.append("put \(missingLayer) in the place of \(layer)")
    }
    if let other = instead[kind == .nonNegative ? .any : kind] { ways.append("judge by \(other)") }
    return "expects \(text), but \(layer) gives \(kind.text); " + ways.joined(separator: ", or ")
  }
}
