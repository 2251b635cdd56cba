import ConvcIR
import ConvcReference

/// Enlarges maps by whole factors, with copies of each cell or with straight lines between cells.
///
/// - Input: `[N, C, H, W]`, or sequences `[N, C, L]`, which have a factor for the width alone.
/// - Output: `[N, C, FH·H, FW·W]`.
/// - Formula: nearest: `y[h, w] = x[h / FH, w / FW]`, rounded down. Bilinear: row h of the output lies at `(h + 0.5)/FH − 0.5` of the
///   input (half-pixel centres), or with `alignsCorners` at `h·(H − 1)/(FH·H − 1)`; its values are weighted means of the two
///   rows around it, and the same for columns.
/// - Gradient: exactly the transposed: each output's gradient goes to the cells that it was computed from, with their
///   weights.
/// - Edges: positions before the first and behind the last cell take that cell's value.
/// - Fusion: none.
/// - Errors: input not of rank 3 or 4; factors out of 1 to 256; a factor for the height of sequences; `alignsCorners` with
///   nearest.
/// - Source: ONNX `Resize`, opset 13: mode nearest with asymmetric coordinates, rounded down; mode linear with
///   half_pixel or align_corners. PyTorch `Upsample`, mode nearest or bilinear, with the same `align_corners`.
public struct Upsample: Layer {
  /// How values between cells are made.
  public enum Interpolation: String, Sendable, Hashable, CaseIterable {
    /// The value of the cell in which the place lies.
    case nearest
    /// Weighted mean of the four cells around the place.
    case bilinear
  }

  public static let kind = "upsample"

  public let factor: Size2D
  public let interpolation: Interpolation
  public let alignsCorners: Bool

  /// - Parameter alignsCorners: bilinear alone: whether the centres of the corners stay where they are.
  public init(
    factor: Size2D, interpolation: Interpolation = .nearest, alignsCorners: Bool = false
  ) {
    self.factor = factor
    self.interpolation = interpolation
    self.alignsCorners = alignsCorners
  }

  public var summary: String {
    "Upsample \(factor.text), \(interpolation.rawValue)"
      + (alignsCorners ? ", corners aligned" : "")
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard (3...4).contains(input.shape.count) else {
      throw .rank(
        expected: 4, got: input.shape,
        wayOut:
          "upsampling works on maps [N, C, H, W] or sequences [N, C, L]; put it before flatten")
    }
    guard (1...256).contains(factor.height), (1...256).contains(factor.width) else {
      throw .setting("factors \(factor.text) are out of range; whole numbers from 1 to 256 work")
    }
    guard input.shape.count == 4 || factor.height == 1 else {
      throw .setting(
        "a factor of \(factor.height) for the height does not fit sequences \(input.shapeText); "
          + "they have a width alone: give Size2D(height: 1, width: \(factor.width))")
    }
    guard !alignsCorners || interpolation == .bilinear else {
      throw .setting(
        "alignsCorners means nothing to nearest, which copies cells; leave it out, or take bilinear"
      )
    }
    var shape = input.shape
    shape[shape.count - 1] *= factor.width
    if shape.count == 4 { shape[2] *= factor.height }
    return input.with(shape: shape)
  }

  public func reach(for inputs: [TensorType]) -> Reach {
    let cells = interpolation == .nearest ? 1 : 2
    return .upsampling(
      height: cells, width: cells, verticalStride: factor.height, horizontalStride: factor.width)
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(for: group, needsFullBlocks: true, forward: forward, backward: backward)
  }
}

extension Upsample {
  private func constants(_ x: Placement, _ y: Placement) -> [ConstantRow] {
    let factors = [Constant("FACTOR_H", factor.height), Constant("FACTOR_W", factor.width)]
    return [
      ConstantRow(
        x.extents() + [Constant("OH", y.maps.h), Constant("OW", y.maps.w)]), ConstantRow(factors),
    ]
  }

  /// Where a row or column of the output lies in the input, in parts of a cell, and how many parts a cell has.
  private func position(_ variable: String, _ axis: String) -> (at: String, parts: String) {
    guard alignsCorners else {
      return ("MAX(0, 2 * \(variable) + 1 - FACTOR_\(axis))", "2 * FACTOR_\(axis)")
    }
    return ("\(variable) * (\(axis) - 1)", "MAX(1, O\(axis) - 1)")
  }

  /// Whether whole rows are interpolated, with tables of the columns. Vectors have no need of it.
  private func takesRows(_ y: Placement) -> Bool { !y.isVector && y.maps.w <= 2048 }

  private func texts(_ x: Placement) -> [String: String] {
    var texts = ["outer": x.outerScalar.rawValue]
    guard interpolation == .bilinear else { return texts }
    let (rows, columns) = (position("h", "H"), position("w", "W"))
    texts["rowAt"] = rows.at
    texts["rowParts"] = rows.parts
    texts["columnAt"] = columns.at
    texts["columnParts"] = columns.parts
    return texts
  }

  private func arguments(
    _ x: Placement, _ y: Placement, _ names: (x: String, y: String), _ access: (Access, Access)
  ) -> [Argument] {
    let small = x.argument(names.x, access.0, .vector, meaning: x.lanesText)
    let large = y.argument(names.y, access.1, .vector, names: ("C", "OH", "OW"))
    return access.0 == .read ? [small, large] : [large, small]
  }

  private func forward(_ context: ForwardContext) -> [KernelCall] {
    let (x, y) = (context.inputs[0], context.output)
    return [
      KernelCall(
        template: "upsample_\(interpolation.rawValue)_forward",
        name: "\(context.context.group.name)_forward", title: groupSummary(context.context),
        layers: layerNames(context.context), constants: constants(x, y),
        flags: interpolation == .nearest ? [:] : ["rows": takesRows(y)], texts: texts(x),
        scalars: [x.outerScalar], arguments: arguments(x, y, ("x", "y"), (.read, .write)),
        work: streamingWork(x, y))
    ]
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    guard let gradient = context.inputGradients[0] else { return [] }
    let (dX, dY) = (gradient.placement, context.outputGradient)
    let isNearest = interpolation == .nearest
    var texts = texts(dX)
    texts["type"] = dX.cellType
    texts[isNearest ? "none" : "zero"] =
      isNearest ? (dX.isVector ? "{0}" : "0.0f") : dX.cellValue(0)
    if isNearest { texts["store"] = gradient.accumulates ? "+=" : "=" }
    return [
      KernelCall(
        template: "upsample_\(interpolation.rawValue)_backward",
        name: "\(context.context.group.name)_backward", title: "gradient of the input",
        layers: layerNames(context.context), constants: constants(dX, dY),
        flags: isNearest ? [:] : ["adds": gradient.accumulates, "rows": takesRows(dY)],
        texts: texts,
        scalars: [dX.outerScalar],
        arguments: arguments(
          dX, dY, ("d_x", "d_y"), (gradient.accumulates ? .update : .write, .read)),
        work: streamingWork(dX, dY))
    ]
  }
}

extension Value {
  /// Applies ``Upsample``.
  public func upsample(
    _ factor: Size2D, _ interpolation: Upsample.Interpolation = .nearest,
    alignsCorners: Bool = false, name: String? = nil, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      Upsample(factor: factor, interpolation: interpolation, alignsCorners: alignsCorners),
      name: name, file: file, line: line)
  }
}

extension Upsample: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    SettingSpec("factor", .size, default: nil, "cells of the output for each of the input"),
    SettingSpec(
      "interpolation", .word(Interpolation.allCases.map(\.rawValue)), default: .word("nearest"),
      "how values between cells are made"),
    SettingSpec(
      "alignsCorners", .boolean, default: .boolean(false),
      "bilinear alone: whether the centres of the corners stay where they are"),
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      factor: try settings.size2D("factor"), interpolation: try settings.choice("interpolation"),
      alignsCorners: try settings.boolean("alignsCorners"))
  }

  public var settingValues: [String: SettingValue] {
    [
      "factor": factor.setting, "interpolation": .word(interpolation.rawValue),
      "alignsCorners": .boolean(alignsCorners),
    ]
  }

  public static let examples = [
    LayerExample(Upsample(factor: 2), inputs: [2, 3, 4, 5]),
    LayerExample(Upsample(factor: 2, interpolation: .bilinear), inputs: [2, 3, 4, 5]),
  ]
}

extension Upsample: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    forEachShare(call) { input, output, weight in
      y.address[output] += weight * call.input.address[input]
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let inputGradient = DoubleTensor(shape: call.input.shape)
    forEachShare(call) { input, output, weight in
      inputGradient.address[input] += weight * outputGradient.address[output]
    }
    return LayerGradients(inputs: [inputGradient])
  }

  /// Calls `body` with the index of a cell of the input, of one of the output, and the first one's weight in the second.
  private func forEachShare(_ call: LayerCall, _ body: (Int, Int, Double) -> Void) {
    let (x, y) = (call.input.maps, TensorType(shape: call.outputShape).maps)
    for map in 0..<x.n * x.c {
      for h in 0..<y.h {
        for (row, rowWeight) in shares(h, of: x.h, outputs: y.h, factor: factor.height) {
          for w in 0..<y.w {
            for (column, weight) in shares(w, of: x.w, outputs: y.w, factor: factor.width) {
              body(
                map * x.pixels + row * x.w + column, map * y.pixels + h * y.w + w,
                rowWeight * weight)
            }
          }
        }
      }
    }
  }

  /// The cells of an axis that a place of the output is computed from, with their weights.
  private func shares(_ place: Int, of cells: Int, outputs: Int, factor: Int) -> [(Int, Double)] {
    guard interpolation == .bilinear else { return [(place / factor, 1)] }
    let at =
      alignsCorners
      ? (outputs == 1 ? 0 : Double(place) * Double(cells - 1) / Double(outputs - 1))
      : max(0, (Double(place) + 0.5) / Double(factor) - 0.5)
    let first = min(Int(at), cells - 1)
    let weight = at - Double(first)
    return [(first, 1 - weight), (min(first + 1, cells - 1), weight)]
  }
}
