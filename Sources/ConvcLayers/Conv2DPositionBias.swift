import ConvcIR

/// The bias of a convolution.
public enum ConvolutionBias: String, Sendable, Hashable, CaseIterable, ExpressibleByBooleanLiteral {
  /// One value for each map.
  case perFilter
  /// One value for each place of each map: `bias [K, OH, OW]`.
  case perPosition
  case none

  /// `true`: one value for each map.
  public init(_ isAdded: Bool) { self = isAdded ? .perFilter : .none }

  public init(booleanLiteral isAdded: Bool) { self.init(isAdded) }
}

extension Candidate {
  /// The convolution's kernels with a bias for each place: forward adds it where other layers join the loops, and one
  /// more kernel sums its gradient over the images.
  func addingPositionBias() -> Candidate {
    Candidate(
      family: family, inputs: inputs, halos: halos, output: output, microseconds: microseconds,
      givesSums: givesSums, readsSums: readsSums, readsDeferred: readsDeferred, deferred: deferred,
      forward: { context in
        forward(context).map { $0.adding(PositionBiasKernels(context: context)) }
      },
      backward: { context in
        let bias = PositionBiasKernels(context: context.forward)
        return (context.wanted.parameters ? [bias.backward(context)] : []) + backward(context)
      })
  }
}

extension KernelCall {
  /// The same call with the bias as the first work on each value.
  fileprivate func adding(_ bias: PositionBiasKernels) -> KernelCall {
    guard let epilogue = fragments["epilogue"] else { return self }
    let fragment = Fragment(
      template: "conv2d_positionbias", values: [:], layer: bias.node.name)
    return KernelCall(
      template: template, name: name, title: title, notes: notes, layers: layers,
      constants: constants, flags: flags, texts: texts,
      fragments: fragments.merging(["epilogue": [fragment] + epilogue]) { $1 }, support: support,
      scalars: scalars, arguments: arguments + [bias.argument], isParallel: isParallel, work: work)
  }
}

/// The kernels of a bias for each place of each map.
struct PositionBiasKernels {
  let context: ForwardContext

  var node: Node { context.anchorNode }
  private var maps: MapShape { context.output.maps }
  private var extents: String { "\(maps.c), \(maps.h), \(maps.w)" }

  /// The bias as the forward kernels read it: maps in lanes where they write maps in lanes.
  var argument: Argument {
    guard context.output.layout == .blocked else {
      return Argument(
        "bias", element: "float", access: .read,
        buffer: context.buffers.parameter(node.parameters[1]), dimensions: ["OH", "OW"],
        text: "[\(extents)]")
    }
    return Argument(
      "bias", element: "lanes", access: .read, buffer: packed, dimensions: ["OH", "OW"],
      text: blockedExtents + "  maps in lanes")
  }

  private var blockedExtents: String {
    "[\(context.output.blocks), \(maps.h), \(maps.w), \(context.output.lanes)]"
  }

  private var packed: Buffer.ID {
    let source = context.buffers.masterParameter(node.parameters[1])
    let bytes = context.output.blocks * maps.pixels * context.output.lanes * 4
    return context.buffers.packed("\(node.name).bias.blocked", bytes: bytes) { packed in
      KernelCall(
        template: "conv2d_depthwise_pack", name: "\(node.name)_bias_prepare",
        title: "bias of each place with maps in lanes", layers: [node.name],
        constants: [
          ConstantRow(
            [
              Constant("C", context.output.blocks), Constant("CHANNELS", maps.c),
              Constant("R", maps.h), Constant("S", maps.w),
            ], comment: "C in blocks")
        ], scalars: [],
        arguments: [
          Argument(
            "weight", element: "float", access: .read, buffer: source, dimensions: ["R * S"],
            text: "[\(extents)]"),
          Argument(
            "y", element: "float", access: .write, buffer: packed,
            dimensions: ["R * S", "LANES"], text: blockedExtents),
        ], work: Work(flops: 0, bytes: Double(2 * bytes), efficiency: 0.1))
    }
  }

  func backward(_ context: BackwardContext) -> KernelCall {
    let gradient = context.outputGradient
    let dialect: Dialect = gradient.isVector ? .vector : .scalar
    let pieces = context.prologue(
      context.context.group.epilogues, dialect, names: ("K", "OH", "OW"))
    return KernelCall(
      template: "conv2d_positionbias_backward",
      name: "\(context.context.group.name)_backward_bias",
      title: "gradient of the bias: the sum over the images",
      layers: layerNames(context.context),
      constants: [ConstantRow(gradient.extents(c: "K", h: "OH", w: "OW"))],
      flags: [
        "scalar": !gradient.isVector, "blocked": gradient.layout == .blocked,
        "images": gradient.layout == .lanes,
      ],
      texts: ["outer": gradient.outerScalar.rawValue],
      fragments: ["prologue": pieces.fragments], support: pieces.support,
      scalars: [gradient.outerScalar, .accumulate]
        + pieces.scalars.filter { $0 != gradient.outerScalar },
      arguments: [
        gradient.argument(
          "d_y", .read, dialect, names: ("K", "OH", "OW"), meaning: gradient.lanesText)
      ] + pieces.arguments + [
        Argument(
          "d_bias", element: "float", access: .update,
          buffer: context.buffers.gradient(node.parameters[1]), dimensions: ["OH", "OW"],
          text: "[\(extents)]")
      ], work: streamingWork(gradient))
  }
}

extension Conv2D {
  /// What is worth knowing of a bias that has more values than the kernels.
  func positionBiasLint(_ inputs: [TensorType]) -> [String] {
    let counts = parameters(for: inputs).map(\.count)
    guard bias == .perPosition, counts.count == 2, counts[1] > counts[0] else { return [] }
    return [
      "has \(counts[1]) biases, one for each place, but \(counts[0]) weights; "
        + "bias: .perFilter needs \(outputChannels)"
    ]
  }
}

// MARK: Settings

extension ConvolutionBias {
  var setting: SettingValue {
    switch self {
    case .perFilter: .boolean(true)
    case .perPosition: .word(rawValue)
    case .none: .boolean(false)
    }
  }
}

extension SettingSpec {
  static let convolutionBias = SettingSpec(
    "bias", .booleanOr([ConvolutionBias.perPosition.rawValue]), default: .boolean(true),
    "whether a learned value is added to each map, or to each place of it")
  static let convolutionKernel = SettingSpec(
    "kernel", .word(ConvolutionKernel.allCases.map(\.rawValue)), default: .word("correlation"),
    "whether kernels are applied as they are, or flipped")
}

extension Settings {
  func convolutionBias(_ name: String) throws(SettingError) -> ConvolutionBias {
    try booleanOrWord(name).map { ConvolutionBias($0) } ?? .perPosition
  }
}
