import ConvcIR
import ConvcReference

/// A layer on sequences `[N, C, L]` that computes them as maps of one row with another layer's kernels.
///
/// Sequences lie in memory as maps `[N, C, 1, L]` do, and so do the parameters: all families of kernels serve both.
public protocol SequenceLayer: RegisteredLayer {
  associatedtype MapLayer: RegisteredLayer

  /// The same layer on maps of one row.
  var mapLayer: MapLayer { get }
  /// Refuses settings that do not fit a length, in the words of sequences.
  func check(length: Int) throws(LayerError)
}

extension SequenceLayer {
  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard input.shape.count == 3 else {
      throw .rank(
        expected: 3, got: input.shape,
        wayOut: "this layer works on sequences [N, C, L]; for maps there is \(MapLayer.self)")
    }
    try check(length: input.shape[2])
    let output = try mapLayer.output(for: [Self.maps(input)])
    return input.with(shape: Self.sequence(output.shape))
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    mapLayer.parameters(for: inputs.map(Self.maps)).map { spec in
      ParameterSpec(
        spec.name, shape: Self.sequence(spec.shape), initializer: spec.initializer,
        isStatistic: spec.isStatistic, decays: spec.decays, fanIn: spec.fanIn, fanOut: spec.fanOut)
    }
  }

  public var traits: LayerTraits { mapLayer.traits }

  public func lints(for inputs: [TensorType], in mode: Mode) -> [String] {
    mapLayer.lints(for: inputs.map(Self.maps), in: mode)
  }

  public func multiplyAdds(for inputs: [TensorType]) -> Int {
    mapLayer.multiplyAdds(for: inputs.map(Self.maps))
  }

  public func lostPixels(for inputs: [TensorType]) -> LostPixels {
    mapLayer.lostPixels(for: inputs.map(Self.maps))
  }

  public func reach(for inputs: [TensorType]) -> Reach { mapLayer.reach(for: inputs) }

  public func sizeFormula(for inputs: [TensorType]) -> [String] {
    let lines = mapLayer.sizeFormula(for: inputs.map(Self.maps))
    return lines.suffix(1).map { "length" + $0.dropFirst("width".count) }
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    mapLayer.role(in: mode, frozen: frozen)
  }

  public func candidates(for group: GroupContext) -> [Candidate] {
    mapLayer.candidates(for: group)
  }

  public func forward(_ call: LayerCall) -> LayerResult { mapLayer.forward(call) }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    mapLayer.backward(call, outputGradient: outputGradient)
  }

  /// A sequence as maps of one row.
  private static func maps(_ type: TensorType) -> TensorType {
    guard type.shape.count == 3 else { return type }
    return type.with(shape: [type.shape[0], type.shape[1], 1, type.shape[2]])
  }

  /// Extents without those of the one row: axes in space stand in pairs behind one or two others.
  private static func sequence(_ shape: [Int]) -> [Int] {
    let first = shape.count % 2 == 1 ? 1 : 2
    return shape.indices.filter { $0 < first || ($0 - first) % 2 == 1 }.map { shape[$0] }
  }
}

/// The cells that a sequence gets on its left and on its right.
public enum Padding1D: Sendable, Hashable, ExpressibleByIntegerLiteral {
  case cells(left: Int, right: Int)
  /// `(K − 1)·D` on the left alone: an output sees no input that comes after it.
  case causal
  /// `(K − 1)·D` in all, half on each side; an odd one more on the right. With stride 1 the length stays.
  case same

  public init(integerLiteral both: Int) { self = .cells(left: both, right: both) }

  /// Cells on the left and on the right of a window of `kernelSize` taps, `dilation` apart.
  public func cells(kernelSize: Int, dilation: Int) -> (left: Int, right: Int) {
    // Sizes out of range are refused with the window.
    let (span, overflows) = (kernelSize &- 1).multipliedReportingOverflow(by: dilation)
    let all = overflows ? 0 : max(0, span)
    return switch self {
    case .cells(let left, let right): (left, right)
    case .causal: (all, 0)
    case .same: (all / 2, all - all / 2)
    }
  }
}

/// A window that slides over a sequence.
public struct Window1D: Sendable, Hashable {
  public let kernelSize: Int
  public let stride: Int
  public let padding: Padding1D
  public let dilation: Int
  public let rounding: Rounding

  public init(
    kernelSize: Int, stride: Int = 1, padding: Padding1D = 0, dilation: Int = 1,
    rounding: Rounding = .floor
  ) {
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.rounding = rounding
  }

  /// Cells on both sides.
  public var cells: (left: Int, right: Int) {
    padding.cells(kernelSize: kernelSize, dilation: dilation)
  }

  /// The window over maps of one row.
  var maps: Window2D {
    Window2D(
      kernelSize: Size2D(height: 1, width: kernelSize), stride: Size2D(height: 1, width: stride),
      padding: Padding(top: 0, bottom: 0, left: cells.left, right: cells.right),
      dilation: Size2D(height: 1, width: dilation), rounding: rounding)
  }

  var axis: Window2D.Axis {
    Window2D.Axis(
      name: "length", kernel: kernelSize, stride: stride, before: cells.left, after: cells.right,
      dilation: dilation, rounding: rounding)
  }

  /// Refuses a length that the window does not fit.
  func check(length: Int) throws(LayerError) { _ = try axis.output(length) }

  /// Settings in words; those at their default are left out.
  var text: String {
    var parts = ["\(kernelSize)"]
    if stride != 1 { parts.append("stride \(stride)") }
    switch padding {
    case .cells(0, 0): break
    case .cells(let left, let right):
      parts.append(left == right ? "padding \(left)" : "padding left \(left) right \(right)")
    case .causal: parts.append("padding causal")
    case .same: parts.append("padding same")
    }
    if dilation != 1 { parts.append("dilation \(dilation)") }
    if rounding != .floor { parts.append("rounding \(rounding.rawValue)") }
    return parts.joined(separator: ", ")
  }

  /// Settings in words, for pooling: a stride equal to the window is left out.
  var poolingText: String {
    guard stride == kernelSize else { return text }
    return Window1D(kernelSize: kernelSize, padding: padding, rounding: rounding).text
  }
}

// MARK: Settings

extension SettingSpec {
  static let kernelLength = SettingSpec("kernelSize", .integer, default: nil, "cells of a window")
  static let strideLength = SettingSpec(
    "stride", .integer, default: .integer(1), "cells from one window to the next")
  static let poolingStrideLength = SettingSpec(
    "stride", .integer, default: .list([]),
    "cells from one window to the next; nothing: the kernel size")
  static let sides = SettingSpec(
    "padding", .sides(words: ["same", "causal"]), default: .integer(0),
    "cells on the left and on the right")
  static let dilationLength = SettingSpec(
    "dilation", .integer, default: .integer(1), "distance of a window's cells")
}

extension Settings {
  func padding1D(_ name: String) throws(SettingError) -> Padding1D {
    guard let sides = try sides(name) else {
      return try word(name) == "causal" ? .causal : .same
    }
    return .cells(left: sides.left, right: sides.right)
  }

  func window1D() throws(SettingError) -> Window1D {
    Window1D(
      kernelSize: try integer("kernelSize"), stride: try integer("stride"),
      padding: try padding1D("padding"), dilation: try integer("dilation"),
      rounding: try choice("rounding"))
  }

  /// The window of a pooling layer.
  func poolingWindow1D() throws(SettingError) -> Window1D {
    let kernelSize = try integer("kernelSize")
    return Window1D(
      kernelSize: kernelSize, stride: has("stride") ? try integer("stride") : kernelSize,
      padding: try padding1D("padding"), rounding: try choice("rounding"))
  }
}

extension Padding1D {
  var setting: SettingValue {
    switch self {
    case .cells(let left, let right):
      left == right ? .integer(left) : SettingValue([left, right])
    case .causal: .word("causal")
    case .same: .word("same")
    }
  }
}

extension Window1D {
  /// The settings of a convolution's window.
  var settingValues: [String: SettingValue] {
    [
      "kernelSize": .integer(kernelSize), "stride": .integer(stride), "padding": padding.setting,
      "dilation": .integer(dilation), "rounding": .word(rounding.rawValue),
    ]
  }

  /// The settings of a pooling window: a stride equal to the window is left out.
  var poolingSettings: [String: SettingValue] {
    var values = settingValues
    values["dilation"] = nil
    if stride == kernelSize { values["stride"] = nil }
    return values
  }
}
