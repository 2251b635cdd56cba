import ConvcIR

/// Kernels of the pooling layers, in any layout: where a layout has vectors, a cell is a vector.
struct Pool2DKernels: Sendable {
  enum Kind: Sendable {
    case maximum
    /// Divides by the cells of the window inside the padded map.
    case average
    /// Divides by the cells of the window inside the map.
    case averageInside
    case sum
  }

  let window: Window2D
  let kind: Kind

  func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(for: group, forward: { [forward($0)] }, backward: backward)
  }

  private var family: String { kind == .maximum ? "maxpool2d" : "averagepool2d" }

  /// Whether positions in a window fit a byte.
  private var isSmall: Bool { window.kernelSize.height * window.kernelSize.width <= 256 }

  private func flags(_ placement: Placement, _ more: [String: Bool]) -> [String: Bool] {
    var flags = more
    if kind == .maximum {
      flags["vector"] = placement.isVector
    } else {
      flags["inside"] = kind == .averageInside
      flags["padded"] = kind == .average
    }
    return flags
  }

  private var divisorConstants: [ConstantRow] {
    guard kind == .average else { return [] }
    return [
      ConstantRow(
        [
          Constant("PAD_BOTTOM", window.padding.bottom),
          Constant("PAD_RIGHT", window.padding.right),
        ], comment: "padding counts in the divisor")
    ]
  }

  /// The winners' positions, which forward saves for backward.
  private func winners(_ context: ForwardContext, _ access: Access) -> Argument {
    let size = isSmall ? 1 : 4
    let output = context.output
    let element =
      output.isVector ? (isSmall ? "bytes" : "masks") : (isSmall ? "uint8_t" : "int32_t")
    return Argument(
      "winner", element: element, access: access,
      buffer: context.buffers.saved("winners", bytes: output.bytes / 4 * size),
      dimensions: ["C", "OH", "OW"],
      text: "\(output.text)  position of each maximum in its window; the first wins a tie")
  }

  /// Whether a window's row without vectors is summed in several parts.
  private func isWide(_ output: Placement) -> Bool {
    kind != .maximum && !output.isVector && window.kernelSize.width >= 16
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    let (x, y) = (context.inputs[0], context.output)
    let isMaximum = kind == .maximum
    let saves = isMaximum && context.context.savesForBackward
    var texts = ["outer": y.outerScalar.rawValue]
    if isMaximum {
      texts["position"] = position(y)
    } else {
      texts["type"] = y.cellType
      texts["none"] = y.isVector ? "{0}" : "0.0f"
      texts["share"] = kind == .sum ? "" : " * (1.0f / (float)count)"
    }
    return KernelCall(
      template: "\(family)_forward", name: "\(context.context.group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: window.poolingConstants(x, y) + divisorConstants
        + (isWide(y) ? [ConstantRow([Constant("STEP", 16)], comment: "columns at a time")] : []),
      flags: flags(y, isMaximum ? ["winners": saves] : ["wide": isWide(y)]), texts: texts,
      scalars: [y.outerScalar],
      arguments: [
        x.argument("x", .read, .vector, meaning: x.lanesText),
        y.argument("y", .write, .vector, names: ("C", "OH", "OW")),
      ] + (saves ? [winners(context, .write)] : []), work: work(context))
  }

  /// The winner's position `won` as it is saved.
  private func position(_ output: Placement) -> String {
    guard output.isVector else { return isSmall ? "(uint8_t)won" : "won" }
    return isSmall ? "__builtin_convertvector(won, bytes)" : "won"
  }

  private func work(_ context: ForwardContext) -> Work {
    let taps = window.kernelSize.height * window.kernelSize.width
    // Whole vectors take about four operations for each of a window's cells.
    return Work(
      flops: Double(context.output.bytes / 4 * taps), bytes: Double(context.inputs[0].bytes),
      efficiency: context.output.isVector ? 0.1 : 0.05)
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    guard let gradient = context.inputGradients[0] else { return [] }
    let isMaximum = kind == .maximum
    let (dX, dY) = (gradient.placement, context.outputGradient)
    var texts = ["outer": dY.outerScalar.rawValue, "zero": dY.cellValue(0)]
    if isMaximum {
      let winner = "winner[n][m][h][w]"
      texts["position"] =
        dY.isVector && isSmall ? "__builtin_convertvector(\(winner), masks)" : winner
    } else {
      texts["type"] = dY.cellType
      texts["share"] = kind == .sum ? "" : " * (1.0f / (float)count)"
    }
    let read = dY.argument("d_y", .read, .vector, names: ("C", "OH", "OW"), meaning: dY.lanesText)
    return [
      KernelCall(
        template: "\(family)_backward", name: "\(context.context.group.name)_backward",
        title: "gradient of the input",
        notes: [
          "One thread has a whole map: windows that overlap never make two threads add to one cell."
        ],
        layers: layerNames(context.context),
        constants: window.poolingConstants(dX, dY) + divisorConstants,
        flags: flags(dY, ["adds": gradient.accumulates]), texts: texts,
        scalars: [dY.outerScalar],
        arguments: [read] + (isMaximum ? [winners(context.forward, .read)] : [])
          + [dX.argument("d_x", gradient.accumulates ? .update : .write, .vector)],
        work: work(context.forward))
    ]
  }
}
