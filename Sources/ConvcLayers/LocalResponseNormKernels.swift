import ConvcIR

/// The kernels of a local response normalisation.
///
/// Across channels the places of a row are taken many at a time, and their channels one after another. Within space a row
/// is taken at a time: first each column's squares in the window's rows, then as many columns as a window has.
struct LocalResponseKernels {
  let layer: LocalResponseNorm
  private let type: TensorType
  /// Channels or columns to either side of a window's middle; nil: all channels.
  let half: Int?
  private let isInSpace: Bool

  init(_ layer: LocalResponseNorm, on type: TensorType) {
    self.layer = layer
    self.type = type
    switch layer.across {
    case .channels(let size):
      isInSpace = false
      half = size.map { $0 / 2 }.flatMap { $0 >= type.maps.c - 1 ? nil : $0 }
    case .space(let size):
      isInSpace = true
      half = size / 2
    }
  }

  func candidates(for group: GroupContext) -> [Candidate] {
    let candidates = anyLayoutCandidates(
      for: group, needsFullBlocks: true,
      forward: { [isInSpace ? space($0) : forward($0)] },
      backward: { context in
        guard let gradient = context.inputGradients[0] else { return [] }
        return isInSpace ? spaceBackward(context, to: gradient) : [backward(context, to: gradient)]
      })
    // A window over some of the channels would reach from one block into the next.
    return isInSpace || half == nil ? candidates : candidates.filter { $0.output != .blocked }
  }

  // MARK: Formula

  private var texts: [String: String] {
    [
      "kappa": cFloat(layer.kappa), "factor": cFloat(Float(layer.factor(on: type))),
      "power": layer.kappa > 0 ? power : "s < 1.17549435e-38f ? 0.0f : \(power)",
    ]
  }

  /// s^−β in C.
  private var power: String {
    switch layer.beta {
    case 0.5: "inverse_sqrt_float(s)"
    case 0.75: "inverse_power_float(s)"
    case 1: "1.0f / s"
    default: "exp_float(\(cFloat(-layer.beta)) * log_float(s))"
    }
  }

  var support: [String] {
    switch layer.beta {
    case 0.5: ["support_inverse_sqrt_scalar"]
    case 0.75: ["support_inverse_power_scalar"]
    case 1: []
    default: ["support_exp_scalar", "support_log_scalar"]
    }
  }

  var backwardTexts: [String: String] {
    texts.merging([
      "coefficient": cFloat(Float(2 * layer.factor(on: type) * Double(layer.beta))),
      "inverse": inverse,
    ]) { $1 }
  }

  /// 1 / s in C, where `power` is s^−β: of the usual powers it is a product, and a division takes as long as ten.
  private var inverse: String {
    switch layer.beta {
    case 0.5: "power * power"
    case 0.75: "(s * power * power) * (s * power * power)"
    default: layer.kappa > 0 ? "1.0f / s" : "1.0f / MAX(s, 1.17549435e-38f)"
    }
  }

  // MARK: Across channels

  /// Lines of which so many floats of the window's channels stay in the first-level cache.
  private func lines(_ placement: Placement, isBackward: Bool, _ target: Target) -> LinePieces {
    let most = half == nil ? 512 : isBackward ? 128 : 256
    return LinePieces(
      placement, .channels,
      cells: (isBackward ? min(most, 5120 / (2 * (half ?? 0) + 1)) : most)
        * (asksByLine(placement, target) ? 2 : 1))
  }

  /// Whether a piece of a channel is asked for line by line, beside the one at hand. Asked for all at once its lines wait for
  /// each other, and pieces have to be half as long; but others are no whole lines.
  private func asksByLine(_ placement: Placement, _ target: Target) -> Bool {
    guard let half, half <= 4, placement.isMaps else { return false }
    return placement.comesFromMemory(target)
      && placement.maps.w * (placement.isVector ? placement.lanes : 1) % 16 == 0
  }

  private func flags(_ lines: LinePieces, _ x: Placement, _ target: Target) -> [String: Bool] {
    var flags = lines.flags
    flags["maps"] = nil
    let asksAhead =
      lines.isInPieces && (half == nil ? x.comesLate(target) : x.comesFromMemory(target))
    let asksByLine = asksByLine(x, target)
    flags["ahead"] = asksAhead && !asksByLine
    guard let half else { return flags }
    flags["joins"] = nil
    flags["narrow"] = half <= 4
    flags["lines"] = asksByLine
    return flags
  }

  /// The cells of the inner loop: a piece, or a line of memory while the same line of a channel that comes soon is asked for.
  private func loop(_ flags: [String: Bool]) -> [String: String] {
    guard flags["narrow"] == true else { return [:] }
    return flags["lines"] == true
      ? ["first": "line", "end": "line + 16"] : ["first": "0", "end": "cells"]
  }

  /// Floats from one channel to the next.
  private func channel(_ x: Placement) -> [ConstantRow] {
    guard let half, half <= 4 else { return [] }
    let floats = (x.isMaps ? x.rows * x.columns : 1) * (x.isVector ? x.lanes : 1)
    return [
      ConstantRow([Constant("CHANNEL", floats)], comment: "floats from one channel to the next")
    ]
  }

  var window: [ConstantRow] {
    guard let half else { return [] }
    return [
      ConstantRow(
        [Constant("HALF", half), Constant("SIZE", 2 * half + 1)],
        comment: isInSpace ? "cells of a window" : "channels of a window")
    ]
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    let tensors = [context.inputs[0], context.output].joiningRows
    let (x, y) = (tensors[0], tensors[1])
    let lines = lines(y, isBackward: false, context.context.target)
    let flags = flags(lines, x, context.context.target)
    return KernelCall(
      template: half == nil ? "lrn_all_forward" : "lrn_channels_forward",
      name: "\(context.context.group.name)_forward", title: groupSummary(context.context),
      layers: layerNames(context.context), constants: lines.constants + window + channel(x),
      flags: flags,
      texts: texts.merging(lines.texts(["x", "y"])) { $1 }.merging(loop(flags)) { $1 }.merging(
        half == nil
          ? [:]
          : [
            "neighbour": lines.address(of: "x", place: "j"),
            "x_soon": lines.address(of: "x", place: "MIN(C - 1, k + HALF + 2)"),
            "y_soon": lines.address(
              of: "y", place: "MIN(C - 1, k + \(flags["lines"] == true ? 1 : 2))"),
          ]
      ) { $1 },
      support: support, scalars: [y.outerScalar],
      arguments: [
        x.argument("x", .read, .scalar, meaning: x.lanesText), y.argument("y", .write, .scalar),
      ], work: streamingWork(x, y, flopsPerValue: 20))
  }

  private func backward(_ context: BackwardContext, to gradient: GradientPlacement) -> KernelCall {
    let tensors = [context.forward.inputs[0], context.outputGradient, gradient.placement]
      .joiningRows
    let (x, after, before) = (tensors[0], tensors[1], tensors[2])
    let lines = lines(before, isBackward: true, context.context.target)
    let flags = flags(lines, x, context.context.target)
    var texts = backwardTexts.merging(lines.texts(["x", "d_y", "d_x"])) { $1 }
      .merging(loop(flags)) { $1 }
    texts["store"] = gradient.accumulates ? "+=" : "="
    if half != nil {
      texts["neighbour"] = lines.address(of: "x", place: "j")
      for name in ["x", "d_y", "d_x"] {
        texts["\(name)_middle"] = lines.address(of: name, place: "j")
      }
      texts["d_x_line"] = nil
      texts["x_soon"] = lines.address(of: "x", place: "MIN(C - 1, k + HALF + 2)")
      texts["d_y_soon"] = lines.address(of: "d_y", place: "MIN(C - 1, k + 2)")
      texts["d_x_soon"] = lines.address(of: "d_x", place: "MIN(C - 1, k)")
    }
    return KernelCall(
      template: half == nil ? "lrn_all_backward" : "lrn_channels_backward",
      name: "\(context.context.group.name)_backward", title: "gradient of the input",
      layers: layerNames(context.context), constants: lines.constants + window + channel(x),
      flags: flags, texts: texts,
      support: support, scalars: [before.outerScalar],
      arguments: [
        x.argument("x", .read, .scalar, meaning: x.lanesText),
        after.argument("d_y", .read, .scalar),
        before.argument("d_x", gradient.accumulates ? .update : .write, .scalar),
      ], work: streamingWork(x, after, before, flopsPerValue: 30))
  }
}
