import ConvcIR
import ConvcReference

/// A layer of ``LayerRegistry``: model files can name it, its documentation is made from it, random networks draw it.
public protocol RegisteredLayer: ReferenceLayer, Configurable {
  /// Small uses of the layer, the usual one first: documentation shows its C, random networks draw from all.
  static var examples: [LayerExample] { get }
}

/// A layer on inputs of given extents.
public struct LayerExample: Sendable {
  public let layer: any RegisteredLayer
  /// Extents with the batch first, `[N, C, H, W]`.
  public let inputs: [[Int]]
  /// Whether the layer gives numbers of usual size for positive inputs of usual size alone, as logarithms do.
  public let needsPositive: Bool
  /// Whether the layer is one of unbatched networks.
  public var isUnbatched: Bool { layer.traits.contains(.wholeShape) }

  public init(_ layer: any RegisteredLayer, inputs: [Int]..., needsPositive: Bool = false) {
    self.layer = layer
    self.inputs = inputs
    self.needsPositive = needsPositive
  }
}

// MARK: Settings that many layers have

extension Size2D {
  init(_ size: (height: Int, width: Int)) { self.init(height: size.height, width: size.width) }

  var setting: SettingValue { SettingValue(height: height, width: width) }
}

extension Padding {
  init(_ four: [Int]) { self.init(top: four[0], bottom: four[1], left: four[2], right: four[3]) }

  var setting: SettingValue {
    self == Padding(top) ? .integer(top) : SettingValue([top, bottom, left, right])
  }
}

extension Settings {
  func size2D(_ name: String) throws(SettingError) -> Size2D { Size2D(try size(name)) }

  func padding2D(_ name: String) throws(SettingError) -> Padding {
    try padding(name).map(Padding.init) ?? .same
  }

  /// The distribution that a text names, such as `he_normal` or `uniform 0.05`.
  func initializer(_ name: String) throws(SettingError) -> Initializer {
    let text = try word(name)
    guard let initializer = Initializer(text: text) else {
      throw .wrongKind(name, got: text, expected: Initializer.texts)
    }
    return initializer
  }
}

extension SettingSpec {
  static let kernelSize = SettingSpec("kernelSize", .size, default: nil, "cells of a window")
  static let stride = SettingSpec(
    "stride", .size, default: .integer(1), "cells from one window to the next")
  static let padding = SettingSpec(
    "padding", .padding(words: ["same"]), default: .integer(0),
    "cells around the map; same: as many as keep its size")
  static let dilation = SettingSpec(
    "dilation", .size, default: .integer(1), "distance of a window's cells")
  static let rounding = SettingSpec(
    "rounding", .word(Rounding.allCases.map(\.rawValue)), default: .word("floor"),
    "what happens to a part of a window at the end")
  static let outputChannels = SettingSpec(
    "outputChannels", .integer, default: nil, "maps of the output")
  static let groups = SettingSpec(
    "groups", .integer, default: .integer(1), "parts of the channels that do not see one another")
  static let initializer = SettingSpec(
    "initializer", .text, default: .word(Initializer.heNormal.text),
    "what the initial weights are drawn from: " + Initializer.texts)
  static let biasInitializer = SettingSpec(
    "biasInitializer", .text, default: .word(Initializer.zero.text),
    "what the initial bias is drawn from")
  static let bias = SettingSpec(
    "bias", .boolean, default: .boolean(true), "whether a learned value is added to each map")
}
