import ConvcIR
import ConvcReference

/// A loss of ``LayerRegistry``: model files can name it, its documentation is made from it, random networks draw it.
public protocol RegisteredLoss: ReferenceLoss, Configurable {
  /// Small uses of the loss, the usual one first: documentation shows its C, random networks draw from all.
  static var examples: [LossExample] { get }
}

extension RegisteredLoss {
  /// Settings that are not the usual ones, in the order of the documentation.
  public var summary: String {
    givenSettings.map { "\($0.name) \($0.value.text)" }.joined(separator: ", ")
  }
}

/// A loss on a prediction of given extents.
public struct LossExample: Sendable {
  public let loss: any RegisteredLoss
  /// Extents of the prediction with the batch first, `[N, K]` or `[N, K, H, W]`.
  public let prediction: [Int]

  public init(_ loss: any RegisteredLoss, prediction: [Int]) {
    self.loss = loss
    self.prediction = prediction
  }
}
