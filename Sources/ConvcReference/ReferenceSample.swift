import ConvcIR

/// A batch of inputs and targets, in the order of a graph's lists: dense, row-major, NCHW.
public struct ReferenceSample: Sendable {
  /// What a loss compares a prediction with.
  public enum Target: Sendable, Hashable {
    case labels([Int32])
    case values([Float])

    /// The class labels.
    package var labels: [Int32] {
      guard case .labels(let labels) = self else {
        preconditionFailure("internal error: the loss compares with labels")
      }
      return labels
    }

    /// The values.
    package var values: [Float] {
      guard case .values(let values) = self else {
        preconditionFailure("internal error: the loss compares with values")
      }
      return values
    }
  }

  /// Images in each input and target.
  public let batch: Int
  public let inputs: [[Float]]
  public let targets: [Target]

  public init(batch: Int, inputs: [[Float]], targets: [Target] = []) {
    self.batch = batch
    self.inputs = inputs
    self.targets = targets
  }
}

/// Why the reference cannot evaluate a network.
public enum ReferenceError: Error, Sendable, Hashable, CustomStringConvertible {
  case layer(name: String, kind: String)
  case loss(name: String, kind: String)

  public var description: String {
    switch self {
    case .layer(let name, let kind):
      return "\(name): the reference knows no layer '\(kind)'; make it conform to ReferenceLayer"
    case .loss(let name, let kind):
      return "\(name): the reference knows no loss '\(kind)'; make it conform to ReferenceLoss"
    }
  }
}
