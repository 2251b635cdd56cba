import ConvcIR
import ConvcReference

/// A loss of ``LayerRegistry``: model files can name it, its documentation is made from it, random networks draw it.
///
/// Its name in model files is the type's: `SoftmaxCrossEntropy`.
public protocol RegisteredLoss: ReferenceLoss {
  /// What model files say of it, in the order of the documentation.
  static var settings: [SettingSpec] { get }

  /// The loss that settings describe.
  ///
  /// - Throws: a setting that is missing or of another kind. Values out of range are left to ``Loss/targets(for:)``.
  init(settings: Settings) throws(SettingError)

  /// The values of ``settings``.
  var settingValues: [String: SettingValue] { get }

  /// Small uses of the loss, the usual one first: documentation shows its C, random networks draw from all.
  static var examples: [LossExample] { get }
}

extension RegisteredLoss {
  public static var settings: [SettingSpec] { [] }
  public var settingValues: [String: SettingValue] { [:] }

  /// Name in model files and documentation.
  public static var registeredName: String { "\(Self.self)" }

  /// Settings that are not the usual ones, in the order of the documentation.
  public var summary: String {
    let values = settingValues
    return Self.settings.compactMap { spec in
      values[spec.name].flatMap { $0 == spec.standard ? nil : "\(spec.name) \($0.text)" }
    }.joined(separator: ", ")
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
