import ConvcIR

/// The kernels of a local response normalisation.
///
/// Across channels the places of a row are taken many at a time, and of narrow windows two channels at a time. Within space
/// a row is taken at a time: first each column's squares in the window's rows, then as many columns as a window has.
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

  /// What the formula is in C, of floats or of whole vectors.
  func texts(_ dialect: Dialect = .scalar) -> [String: String] {
    let power = power(dialect)
    let guarded =
      dialect == .vector
      ? "pick(s < \(Self.least), (lanes){0}, \(power))" : "s < \(Self.least) ? 0.0f : \(power)"
    return [
      "kappa": cFloat(layer.kappa), "factor": cFloat(Float(layer.factor(on: type))),
      "power": layer.kappa > 0 ? power : guarded,
    ]
  }

  /// The smallest normal float: below it the powers are not accurate.
  private static let least = "1.17549435e-38f"

  /// s^−β in C.
  private func power(_ dialect: Dialect) -> String {
    let suffix = dialect == .vector ? "lanes" : "float"
    return switch layer.beta {
    case 0.5: "inverse_sqrt_\(suffix)(s)"
    case 0.75: "inverse_power_\(suffix)(s)"
    case 1: "1.0f / s"
    default: "exp_\(suffix)(\(cFloat(-layer.beta)) * log_\(suffix)(s))"
    }
  }

  func support(_ dialect: Dialect = .scalar) -> [String] {
    let suffix = dialect == .vector ? "vector" : "scalar"
    return switch layer.beta {
    case 0.5: ["support_inverse_sqrt_\(suffix)"]
    case 0.75: ["support_inverse_power_\(suffix)"]
    case 1: []
    default: ["support_exp_\(suffix)", "support_log_\(suffix)"]
    }
  }

  func backwardTexts(_ dialect: Dialect = .scalar) -> [String: String] {
    texts(dialect).merging([
      "coefficient": cFloat(Float(2 * layer.factor(on: type) * Double(layer.beta))),
      "inverse": inverse(dialect),
    ]) { $1 }
  }

  /// 1 / s in C, where `power` is s^−β: of the usual powers it is a product, and a division takes as long as ten.
  private func inverse(_ dialect: Dialect) -> String {
    let guarded =
      dialect == .vector
      ? "pick(s < \(Self.least), (lanes){0} + \(Self.least), s)" : "MAX(s, \(Self.least))"
    return switch layer.beta {
    case 0.5: "power * power"
    case 0.75: "(s * power * power) * (s * power * power)"
    default: "1.0f / \(layer.kappa > 0 ? "s" : guarded)"
    }
  }

  // MARK: Across channels

  private func lines(_ placement: Placement, isBackward: Bool) -> LinePieces {
    LinePieces(placement, .channels, cells: cells(placement, isBackward: isBackward))
  }

  /// Floats of a channel that are taken at a time: those of the window's channels stay in the first-level cache.
  private func cells(_ placement: Placement, isBackward: Bool) -> Int {
    // Where the window has all channels, sums of a piece stay in registers.
    guard let half else { return isBackward || placement.layout == .blocked ? 128 : 256 }
    return isBackward ? min(256, 5120 / (2 * half + 1)) : 512
  }

  /// Whether two channels are taken at a time, with the sums of their windows written out.
  private var takesPairs: Bool { half.map { (1...4).contains($0) } ?? false }

  private func flags(
    _ lines: LinePieces, _ x: Placement, isBackward: Bool, streams: Bool, _ target: Target
  ) -> [String: Bool] {
    var flags = lines.flags
    flags["maps"] = nil
    if half == nil || isBackward { flags["streams"] = streams }
    guard half != nil else {
      // Short pieces read twice leave memory idle meanwhile. Those of a forward kernel are longer: there only what is read
      // soon is asked for.
      let isLate = lines.isInPieces && x.comesLate(target)
      let isShort = isBackward || x.layout == .blocked
      flags["ahead"] = isLate && isShort
      if !isBackward { flags["lines"] = isLate && !isShort && lines.hasWholeLines }
      return flags
    }
    flags["joins"] = nil
    flags["narrow"] = takesPairs
    flags["lines"] = takesPairs && lines.isInPieces && x.comesFromMemory(target)
    return flags
  }

  /// Whether results pass the caches. Blocks of channels are four streams or so, which are faster without.
  private func streams(_ lines: LinePieces, _ passesCaches: Bool) -> Bool {
    passesCaches && lines.hasWholeLines && (half == nil ? !lines.joins : takesPairs)
  }

  /// The cells of the inner loop: a piece, or a line of memory while the same line of channels that come soon is asked for.
  /// Asked for all at once, the lines of a piece would wait for each other.
  private func loop(_ flags: [String: Bool], _ x: Placement) -> [String: String] {
    guard half != nil else { return [:] }
    guard flags["lines"] == true else { return ["first": "0", "end": "cells"] }
    let isWhole = x.maps.w * (x.isVector ? x.lanes : 1) % 16 == 0
    return ["first": "line", "end": isWhole ? "line + 16" : "MIN(cells, line + 16)"]
  }

  /// Channels of a window, and with its gradient those that are kept.
  private func channels(isBackward: Bool) -> [ConstantRow] {
    guard let half else { return [] }
    let kept = takesPairs ? Constant("PAIRS", half + 1) : Constant("SIZE", 2 * half + 1)
    return [
      ConstantRow(
        [Constant("HALF", half)] + (isBackward ? [kept] : []),
        comment: "channels to either side of a window's middle")
    ]
  }

  var window: [ConstantRow] {
    guard let half else { return [] }
    return [
      ConstantRow(
        [Constant("HALF", half), Constant("SIZE", 2 * half + 1)],
        comment: "cells of a window")
    ]
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    let tensors = [context.inputs[0], context.output].joiningRows
    let (x, y) = (tensors[0], tensors[1])
    let lines = lines(y, isBackward: false)
    let target = context.context.target
    let flags = flags(
      lines, x, isBackward: false, streams: streams(lines, y.passesCaches(target)), target)
    var texts = texts().merging(lines.texts(["x", "y"])) { $1 }.merging(loop(flags, x)) { $1 }
    if half != nil {
      for name in ["x_line", "y_line", "extent"] { texts[name] = nil }
      for (name, tensor, place) in [
        ("neighbour", "x", "j"), ("x_middle", "x", "m"), ("y_middle", "y", "m"),
        ("y_pair", "y", "k + e"), ("x_soon", "x", "a % C"), ("y_soon", "y", "b % C"),
      ] { texts[name] = lines.address(of: tensor, place: place) }
    } else {
      texts["x_soon"] = lines.address(of: "x", place: "(k + 3) % C")
    }
    return KernelCall(
      template: half == nil ? "lrn_all_forward" : "lrn_channels_forward",
      name: "\(context.context.group.name)_forward", title: groupSummary(context.context),
      layers: layerNames(context.context),
      constants: lines.constants + channels(isBackward: false), flags: flags, texts: texts,
      support: support() + (half == nil ? lines.joinsSums : [])
        + (flags["streams"] == true ? ["support_stream_line"] : []), scalars: [y.outerScalar],
      arguments: [
        x.argument("x", .read, .scalar, meaning: x.lanesText), y.argument("y", .write, .scalar),
      ], work: streamingWork(x, y, flopsPerValue: 20))
  }

  private func backward(_ context: BackwardContext, to gradient: GradientPlacement) -> KernelCall {
    let tensors = [context.forward.inputs[0], context.outputGradient, gradient.placement]
      .joiningRows
    let (x, after, before) = (tensors[0], tensors[1], tensors[2])
    let lines = lines(before, isBackward: true)
    let target = context.context.target
    let streams = streams(lines, gradient.passesCaches(target))
    let flags = flags(lines, x, isBackward: true, streams: streams, target)
    var texts = backwardTexts().merging(lines.texts(["x", "d_y", "d_x"])) { $1 }
      .merging(loop(flags, x)) { $1 }
    texts["store"] = gradient.accumulates ? "+=" : "="
    if half != nil {
      texts["first_result"] = streams ? "results[0][i - line]" : "d_before[0][i]"
      texts["second_result"] = streams ? "results[1][i - line]" : "d_before[1][i]"
      for name in ["d_x_line", "extent"] { texts[name] = nil }
      for (name, tensor, place) in [
        ("neighbour", "x", "j"), ("x_middle", "x", "m"), ("d_x_middle", "d_x", "m"),
        ("d_y_pair", "d_y", "k + e"), ("x_soon", "x", "a % C"), ("d_y_soon", "d_y", "b % C"),
        ("d_x_soon", "d_x", "c % C"),
      ] { texts[name] = lines.address(of: tensor, place: place) }
    }
    return KernelCall(
      template: half == nil ? "lrn_all_backward" : "lrn_channels_backward",
      name: "\(context.context.group.name)_backward", title: "gradient of the input",
      layers: layerNames(context.context),
      constants: lines.constants + channels(isBackward: true), flags: flags, texts: texts,
      support: support() + (half == nil ? lines.joinsSums : [])
        + (streams ? ["support_stream_line"] : []), scalars: [before.outerScalar],
      arguments: [
        x.argument("x", .read, .scalar, meaning: x.lanesText),
        after.argument("d_y", .read, .scalar),
        before.argument("d_x", gradient.accumulates ? .update : .write, .scalar),
      ], work: streamingWork(x, after, before, flopsPerValue: 30))
  }
}
