import ConvcIR
import ConvcReference

/// Puts cells around maps: a number, the mirrored map, or copies of its border.
///
/// - Input: `[N, C, H, W]`, or sequences `[N, C, L]`, which are padded left and right alone.
/// - Output: `[N, C, top + H + bottom, left + W + right]`.
/// - Formula: `y[h, w] = x[r(h − top), r(w − left)]`; r mirrors at the first and last cell, which are not doubled (reflect), or
///   takes the nearest cell (edge); constant: the number where there is no cell.
/// - Gradient: each cell of the map gets the gradients of all its copies.
/// - Fusion: none; zeros around a convolution's input are its own setting and cost nothing.
/// - Errors: input not of rank 3 or 4; negative paddings, or `.same`; rows around sequences; reflect with a padding that is not
///   smaller than the map; a number that is not finite.
/// - Source: ONNX `Pad`, opset 13, modes constant, reflect and edge; PyTorch `pad`, where edge is called replicate.
public struct Pad: Layer {
  /// What stands around the map.
  public enum Mode: String, Sendable, Hashable, CaseIterable {
    case constant, reflect, edge
  }

  public static let kind = "pad"

  public let padding: Padding
  public let mode: Mode
  /// The number around the map, where the mode is constant.
  public let value: Float

  public init(padding: Padding, mode: Mode = .constant, value: Float = 0) {
    self.padding = padding
    self.mode = mode
    self.value = value
  }

  public var summary: String {
    let p = padding
    let cells =
      p == Padding(p.top)
      ? "\(p.top)" : "top \(p.top) bottom \(p.bottom) left \(p.left) right \(p.right)"
    return "Pad \(cells), \(mode.rawValue)" + (value == 0 ? "" : " \(value)")
  }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.single()
    guard (3...4).contains(input.shape.count) else {
      throw .rank(
        expected: 4, got: input.shape,
        wayOut: "padding works on maps [N, C, H, W] or sequences [N, C, L]; put it before flatten")
    }
    let p = padding
    let all = [p.top, p.bottom, p.left, p.right]
    guard all.allSatisfy((0...1 << 16).contains) else {
      throw .setting(
        "paddings \(all) are out of range; whole numbers from 0 to \(1 << 16) work, and slice takes cells away"
      )
    }
    guard p != .same else {
      throw .setting(
        "same is a padding of windows, which this layer has not; give the cells of each side")
    }
    guard value.isFinite else {
      throw .setting("a padding of \(value) makes no finite values; give a finite number")
    }
    guard input.shape.count == 4 || (p.top == 0 && p.bottom == 0) else {
      throw .setting(
        "rows around sequences \(input.shapeText) make no sense; pad left and right alone")
    }
    let maps = input.maps
    guard mode != .reflect || (max(p.top, p.bottom) < maps.h && max(p.left, p.right) < maps.w)
    else {
      throw .setting(
        "reflect mirrors at the border, so paddings \(all) have to be smaller than the map, \(maps.h)x\(maps.w); "
          + "edge has no such limit")
    }
    var shape = input.shape
    shape[shape.count - 1] += p.left + p.right
    if shape.count == 4 { shape[2] += p.top + p.bottom }
    return input.with(shape: shape)
  }

  public func reach(for inputs: [TensorType]) -> Reach {
    .window(
      height: 1, width: 1, verticalStride: 1, horizontalStride: 1,
      padding: Border(
        top: padding.top, bottom: padding.bottom, left: padding.left, right: padding.right))
  }

  public func family(for inputs: [TensorType]) -> LayerFamily { .shape }

  public func role(in mode: ConvcIR.Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(for: group, needsFullBlocks: true, forward: forward, backward: backward)
  }
}

extension Pad {
  /// Where the map stands in what is padded.
  private func place(_ x: Placement) -> PartPlace {
    PartPlace(starts: [0] + (x.type.shape.count == 4 ? [padding.top] : []) + [padding.left])
  }

  private func constants(_ x: Placement, _ y: Placement) -> [ConstantRow] {
    [
      ConstantRow(x.extents() + [Constant("OH", y.maps.h), Constant("OW", y.maps.w)]),
      ConstantRow([Constant("TOP", padding.top), Constant("LEFT", padding.left)]),
    ]
  }

  private var texts: [String: String] {
    func source(_ variable: String, _ start: String, _ extent: String) -> String {
      let place = "\(variable) - \(start)"
      return mode == .edge
        ? "MIN(MAX(\(place), 0), \(extent) - 1)"
        : "\(extent) - 1 - __builtin_abs(\(extent) - 1 - __builtin_abs(\(place)))"
    }
    return ["row": source("h", "TOP", "H"), "column": source("w", "LEFT", "W")]
  }

  private func forward(_ context: ForwardContext) -> [KernelCall] {
    let (x, y) = (context.inputs[0], context.output)
    let title = groupSummary(context.context)
    if mode == .constant {
      return [
        placePartCall(
          context.context, name: "forward", title: title, of: (y, "y"), part: (x, "x"),
          at: place(x), around: value)
      ]
    }
    return [
      KernelCall(
        template: "pad_forward", name: "\(context.context.group.name)_forward", title: title,
        layers: layerNames(context.context), constants: constants(x, y),
        texts: texts.merging(["outer": x.outerScalar.rawValue]) { $1 }, scalars: [x.outerScalar],
        arguments: [
          x.argument("x", .read, .vector, meaning: x.lanesText),
          y.argument("y", .write, .vector, names: ("C", "OH", "OW")),
        ], work: streamingWork(x, y))
    ]
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    guard let gradient = context.inputGradients[0] else { return [] }
    let (dX, dY) = (gradient.placement, context.outputGradient)
    let access: Access = gradient.accumulates ? .update : .write
    if mode == .constant {
      let place = place(dX)
      return [
        cellsCall(
          context.context, name: "backward", title: "gradient of the input", over: dX,
          dX.cell("d_x"), accumulates: gradient.accumulates,
          from: dY.cell("d_y", place.indices(in: dY)), constants: place.constants(in: dY),
          arguments: [
            dY.cellArgument("d_y", .read, like: dX), dX.cellArgument("d_x", access, like: dX),
          ])
      ]
    }
    return [
      KernelCall(
        template: "pad_backward", name: "\(context.context.group.name)_backward",
        title: "gradient of the input: of all copies of a cell",
        layers: layerNames(context.context), constants: constants(dX, dY),
        flags: ["adds": gradient.accumulates],
        texts: texts.merging(["outer": dX.outerScalar.rawValue, "zero": dX.cellValue(0)]) { $1 },
        scalars: [dX.outerScalar],
        arguments: [
          dY.argument("d_y", .read, .vector, names: ("C", "OH", "OW"), meaning: dY.lanesText),
          dX.argument("d_x", access, .vector),
        ], work: streamingWork(dX, dY))
    ]
  }
}

extension Value {
  /// Applies ``Pad``.
  public func pad(
    _ padding: Padding, _ mode: Pad.Mode = .constant, value: Float = 0, name: String? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(Pad(padding: padding, mode: mode, value: value), name: name, file: file, line: line)
  }
}

extension Pad: RegisteredLayer {
  public static let settings: [SettingSpec] = [
    SettingSpec("padding", .padding(words: []), default: nil, "cells around the map"),
    SettingSpec(
      "mode", .word(Mode.allCases.map(\.rawValue)), default: .word("constant"),
      "what stands around the map"),
    SettingSpec("value", .number, default: .number(0), "the number of constant"),
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(
      padding: try settings.padding2D("padding"), mode: try settings.choice("mode"),
      value: try settings.float("value"))
  }

  public var settingValues: [String: SettingValue] {
    ["padding": padding.setting, "mode": .word(mode.rawValue), "value": SettingValue(value)]
  }

  public static let examples = [
    LayerExample(Pad(padding: 1, mode: .reflect), inputs: [2, 3, 4, 5]),
    LayerExample(
      Pad(padding: Padding(top: 0, bottom: 1, left: 2, right: 0)), inputs: [2, 3, 4, 5]),
  ]
}

extension Pad: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    y.address.update(repeating: mode == .constant ? Double(value) : 0, count: y.count)
    forEachCopy(call) { input, output in y.address[output] = call.input.address[input] }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let gradient = DoubleTensor(shape: call.input.shape)
    forEachCopy(call) { input, output in
      gradient.address[input] += outputGradient.address[output]
    }
    return LayerGradients(inputs: [gradient])
  }

  /// Calls `body` with the index of a cell of the input and that of each of its copies in the output.
  private func forEachCopy(_ call: LayerCall, _ body: (Int, Int) -> Void) {
    let (x, y) = (call.input.maps, TensorType(shape: call.outputShape).maps)
    for map in 0..<x.n * x.c {
      for h in 0..<y.h {
        guard let row = source(h - padding.top, x.h) else { continue }
        for w in 0..<y.w {
          guard let column = source(w - padding.left, x.w) else { continue }
          body(map * x.pixels + row * x.w + column, map * y.pixels + h * y.w + w)
        }
      }
    }
  }

  /// The cell that is seen at a place beside the map; nil: none.
  private func source(_ place: Int, _ extent: Int) -> Int? {
    guard !(0..<extent).contains(place) else { return place }
    switch mode {
    case .constant: return nil
    case .edge: return place < 0 ? 0 : extent - 1
    case .reflect: return place < 0 ? -place : 2 * (extent - 1) - place
    }
  }
}
