import ConvcIR

/// The kernels of a local response normalisation.
///
/// Across channels the places of a row are taken many at a time, and their channels one after another. Within space a row
/// is taken at a time: first each column's squares in the window's rows, then as many columns as a window has.
struct LocalResponseKernels {
  private let layer: LocalResponseNorm
  private let type: TensorType
  /// Channels or columns to either side of a window's middle; nil: all channels.
  private let half: Int?
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
      forward: { [isInSpace ? space($0, of: nil) : forward($0)] },
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

  private var support: [String] {
    switch layer.beta {
    case 0.5: ["support_inverse_sqrt_scalar"]
    case 0.75: ["support_inverse_power_scalar"]
    case 1: []
    default: ["support_exp_scalar", "support_log_scalar"]
    }
  }

  private var backwardTexts: [String: String] {
    texts.merging([
      "coefficient": cFloat(Float(2 * layer.factor(on: type) * Double(layer.beta))),
      "divisor": layer.kappa > 0 ? "s" : "MAX(s, 1.17549435e-38f)",
    ]) { $1 }
  }

  // MARK: Across channels

  private func lines(_ placement: Placement, buffers: Int) -> LinePieces {
    LinePieces(placement, .channels, cells: min(512, 5120 / buffers))
  }

  private func flags(_ lines: LinePieces) -> [String: Bool] {
    var flags = lines.flags
    flags["maps"] = nil
    guard let half else { return flags }
    flags["joins"] = nil
    flags["narrow"] = half <= 4
    return flags
  }

  /// Floats from one channel to the next.
  private func channel(_ x: Placement) -> [ConstantRow] {
    guard let half, half <= 4 else { return [] }
    let floats = (x.isMaps ? x.rows * x.columns : 1) * (x.isVector ? x.lanes : 1)
    return [
      ConstantRow([Constant("CHANNEL", floats)], comment: "floats from one channel to the next")
    ]
  }

  private var window: [ConstantRow] {
    guard let half else { return [] }
    return [
      ConstantRow(
        [Constant("HALF", half), Constant("SIZE", 2 * half + 1)],
        comment: isInSpace ? "cells of a window" : "channels of a window")
    ]
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    let (x, y) = (context.inputs[0], context.output)
    let lines = lines(y, buffers: 1)
    return KernelCall(
      template: half == nil ? "lrn_all_forward" : "lrn_channels_forward",
      name: "\(context.context.group.name)_forward", title: groupSummary(context.context),
      layers: layerNames(context.context), constants: lines.constants + window + channel(x),
      flags: flags(lines),
      texts: texts.merging(lines.texts(["x", "y"])) { $1 }.merging(
        half == nil ? [:] : ["neighbour": lines.address(of: "x", place: "j")]
      ) { $1 },
      support: support, scalars: [y.outerScalar],
      arguments: [
        x.argument("x", .read, .scalar, meaning: x.lanesText), y.argument("y", .write, .scalar),
      ], work: streamingWork(x, y, flopsPerValue: 20))
  }

  private func backward(_ context: BackwardContext, to gradient: GradientPlacement) -> KernelCall {
    let (x, after, before) = (
      context.forward.inputs[0], context.outputGradient, gradient.placement
    )
    let lines = lines(before, buffers: half.map { 2 * $0 + 1 } ?? 1)
    var texts = backwardTexts.merging(lines.texts(["x", "d_y", "d_x"])) { $1 }
    texts["store"] = gradient.accumulates ? "+=" : "="
    if half != nil {
      texts["neighbour"] = lines.address(of: "x", place: "j")
      for name in ["x", "d_y", "d_x"] {
        texts["\(name)_middle"] = lines.address(of: name, place: "j")
      }
      texts["d_x_line"] = nil
    }
    return KernelCall(
      template: half == nil ? "lrn_all_backward" : "lrn_channels_backward",
      name: "\(context.context.group.name)_backward", title: "gradient of the input",
      layers: layerNames(context.context), constants: lines.constants + window + channel(x),
      flags: flags(lines), texts: texts,
      support: support, scalars: [before.outerScalar],
      arguments: [
        x.argument("x", .read, .scalar, meaning: x.lanesText),
        after.argument("d_y", .read, .scalar),
        before.argument("d_x", gradient.accumulates ? .update : .write, .scalar),
      ], work: streamingWork(x, after, before, flopsPerValue: 30))
  }

  // MARK: Within space

  private func spaceConstants(_ placement: Placement) -> [ConstantRow] {
    let piece = min(placement.maps.w, max(1, 512 / (placement.isVector ? placement.lanes : 1)))
    return [
      ConstantRow(placement.extents()),
      ConstantRow([Constant("PIECE", piece)], comment: "columns at a time"),
    ] + window
  }

  private func spaceTexts(_ placement: Placement) -> [String: String] {
    let address = { (name: String, place: String) in
      (placement.isVector ? "" : "&") + name + place
    }
    var texts = [
      "outer": placement.outerScalar.rawValue, "lanes": placement.isVector ? " * LANES" : "",
      // A sequence is one row.
      "rows": placement.type.shape.count == 3 ? "0" : "HALF",
    ]
    for name in ["x", "d_y", "d_x", "y", "slopes"] {
      texts["\(name)_row"] = address(name, "[n][m][h][w0]")
      texts["\(name)_neighbour"] = address(name, "[n][m][r][first]")
    }
    return texts
  }

  /// The values, or with an output's gradient what every place adds to the gradients of its neighbours.
  private func space(
    _ context: ForwardContext, of gradient: (after: Placement, slopes: Placement)?
  ) -> KernelCall {
    let (x, y) = (context.inputs[0], gradient?.slopes ?? context.output)
    let name = context.context.group.name
    let all = spaceTexts(x)
    var texts = backwardTexts
    texts["coefficient"] = nil
    for key in ["outer", "lanes", "rows", "x_row", "d_y_row", "x_neighbour"] {
      texts[key] = all[key]
    }
    texts["result_row"] = gradient == nil ? all["y_row"] : all["slopes_row"]
    return KernelCall(
      template: "lrn_space_forward", name: gradient == nil ? "\(name)_forward" : "\(name)_slopes",
      title: gradient == nil
        ? groupSummary(context.context) : "what every place adds to the gradients around it",
      layers: layerNames(context.context), constants: spaceConstants(x),
      flags: ["slopes": gradient != nil], texts: texts, support: support,
      scalars: [x.outerScalar],
      arguments: [x.argument("x", .read, .scalar, meaning: x.lanesText)]
        + (gradient.map { [$0.after.argument("d_y", .read, .scalar)] } ?? [])
        + [y.argument(gradient == nil ? "y" : "slopes", .write, .scalar)],
      work: streamingWork(x, y, flopsPerValue: 30))
  }

  private func spaceBackward(
    _ context: BackwardContext, to gradient: GradientPlacement
  ) -> [KernelCall] {
    let (x, after, before) = (
      context.forward.inputs[0], context.outputGradient, gradient.placement
    )
    let name = context.context.group.name
    let dense = Placement(buffer: x.buffer, type: x.type, layout: x.layout, lanes: x.lanes)
    let slopes = Placement(
      buffer: context.buffers.arena("\(name)_slopes", bytes: dense.bytes), type: x.type,
      layout: x.layout, lanes: x.lanes)
    let all = spaceTexts(x)
    var texts = backwardTexts
    texts["divisor"] = nil
    for key in [
      "outer", "lanes", "rows", "x_row", "d_y_row", "d_x_row", "x_neighbour", "slopes_neighbour",
    ] { texts[key] = all[key] }
    texts["store"] = gradient.accumulates ? "+=" : "="
    return [
      space(context.forward, of: (after, slopes)),
      KernelCall(
        template: "lrn_space_backward", name: "\(name)_backward", title: "gradient of the input",
        layers: layerNames(context.context), constants: spaceConstants(x), texts: texts,
        support: support, scalars: [x.outerScalar],
        arguments: [
          x.argument("x", .read, .scalar, meaning: x.lanesText),
          after.argument("d_y", .read, .scalar), slopes.argument("slopes", .read, .scalar),
          before.argument("d_x", gradient.accumulates ? .update : .write, .scalar),
        ], work: streamingWork(x, after, slopes, before, flopsPerValue: 30)),
    ]
  }
}
