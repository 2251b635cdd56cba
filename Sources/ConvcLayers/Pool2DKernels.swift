import ConvcIR

/// Kernels of the pooling layers, in any layout.
struct Pool2DKernels: Sendable {
  enum Kind: Sendable {
    case maximum
    /// Divides by the cells of the window inside the padded map.
    case average
    /// Divides by the cells of the window inside the map.
    case averageInside
  }

  let window: Window2D
  let kind: Kind

  func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(for: group, forward: { [forward($0)] }, backward: backward)
  }

  /// Type of a position in a window.
  private var positionType: ElementType {
    window.kernelSize.height * window.kernelSize.width <= 256 ? .uint8 : .uint16
  }

  private func constants(_ input: Placement, _ output: Placement) -> [ConstantRow] {
    [
      ConstantRow([
        Constant("C", input.blocks), Constant("H", input.maps.h), Constant("W", input.maps.w),
        Constant("OH", output.maps.h), Constant("OW", output.maps.w),
      ]),
      ConstantRow([
        Constant("R", window.kernelSize.height), Constant("S", window.kernelSize.width),
        Constant("STRIDE_H", window.stride.height), Constant("STRIDE_W", window.stride.width),
        Constant("PAD_TOP", window.padding.top), Constant("PAD_LEFT", window.padding.left),
      ]),
    ] + divisorConstants
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

  private func flags(_ placement: Placement) -> [String: Bool] {
    var flags = ["vector": placement.isVector]
    if kind != .maximum { flags["inside"] = kind == .averageInside }
    return flags
  }

  private func texts(_ placement: Placement) -> [String: String] {
    ["outer": placement.outerScalar.rawValue, "lane": placement.isVector ? "[l]" : ""]
  }

  private func position(
    _ context: ForwardContext, _ access: Access, _ dialect: Dialect = .scalar
  ) -> Argument {
    let bytes = context.output.bytes / 4 * positionType.size
    let isFloats = dialect == .scalar && context.output.isVector
    return Argument(
      "winner", element: dialect == .vector ? "bytes" : positionType.cName, access: access,
      buffer: context.buffers.saved("winners", bytes: bytes),
      dimensions: ["C", "OH", "OW"] + (isFloats ? ["LANES"] : []),
      text: "\(context.output.text)  position of each maximum in its window; the first wins a tie")
  }

  /// The maximum of each window, a vector at a time.
  private func vectorMaximum(_ context: ForwardContext) -> KernelCall {
    let group = context.context.group
    let saves = context.context.savesForBackward
    return KernelCall(
      template: "maxpool2d_vector_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: constants(context.inputs[0], context.output), flags: ["winners": saves],
      texts: ["outer": context.output.outerScalar.rawValue],
      scalars: [context.output.outerScalar],
      arguments: [
        context.inputs[0].argument("x", .read, .vector, meaning: context.inputs[0].lanesText),
        context.output.argument("y", .write, .vector, names: ("C", "OH", "OW")),
      ] + (saves ? [position(context, .write, .vector)] : []), work: work(context))
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    if kind == .maximum, context.output.isVector, positionType == .uint8 {
      return vectorMaximum(context)
    }
    let group = context.context.group
    let isMaximum = kind == .maximum
    let saves = isMaximum && context.context.savesForBackward
    var arguments = [
      context.inputs[0].argument("x", .read, .scalar, meaning: context.inputs[0].lanesText),
      context.output.argument("y", .write, .scalar, names: ("C", "OH", "OW")),
    ]
    if saves { arguments.append(position(context, .write)) }
    var flags = flags(context.output)
    if isMaximum { flags["winners"] = saves }
    var texts = texts(context.output)
    if isMaximum { texts["position"] = positionType.cName }
    return KernelCall(
      template: isMaximum ? "maxpool2d_forward" : "averagepool2d_forward",
      name: "\(group.name)_forward", title: groupSummary(context.context),
      layers: layerNames(context.context), constants: constants(context.inputs[0], context.output),
      flags: flags, texts: texts, scalars: [context.output.outerScalar], arguments: arguments,
      work: work(context))
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
    let output = context.outputGradient
    var arguments = [
      output.argument("d_y", .read, .scalar, names: ("C", "OH", "OW"), meaning: output.lanesText)
    ]
    if isMaximum { arguments.append(position(context.forward, .read)) }
    arguments.append(
      gradient.placement.argument("d_x", gradient.accumulates ? .update : .write, .scalar))
    var flags = flags(output)
    flags["adds"] = gradient.accumulates
    return [
      KernelCall(
        template: isMaximum ? "maxpool2d_backward" : "averagepool2d_backward",
        name: "\(context.context.group.name)_backward", title: "gradient of the input",
        notes: [
          "One thread has a whole map: windows that overlap never make two threads add to one cell."
        ],
        layers: layerNames(context.context), constants: constants(gradient.placement, output),
        flags: flags, texts: texts(output), scalars: [output.outerScalar], arguments: arguments,
        work: work(context.forward))
    ]
  }
}
