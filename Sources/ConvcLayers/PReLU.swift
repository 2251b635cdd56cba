import ConvcIR
import ConvcReference

/// Multiplies negative values by a learned slope, one of each channel or one of the whole layer; NaN passes through.
///
/// - Input and output: any shape.
/// - Parameters: `slope [C]`, or `[1]` where it is shared. No weight decay: it would pull towards ReLU.
/// - Formula: `y = x` above 0, `slope · x` elsewhere. That is `max(slope · x, x)` as long as the slope stays in 0...1; learning
///   may take it out of there, and then the larger of the two is another function, which this layer is not.
/// - Gradient: of the input, `d_y` above 0, `slope · d_y` elsewhere; of the slope, the sum of `x · d_y` over the places
///   where `x` is not above 0. Below zero gradients vanish only with the slope: a slope of 0 is a ReLU that can come back.
/// - Edges: at 0 the gradient takes the slope's side, as PyTorch has it.
/// - Fusion: in inference and frozen, an epilogue of the layer before. In training a group of its own: one kernel gives the
///   input's gradient and each image's part of the slope's.
/// - Errors: a start that is not a number or infinite.
/// - Source: He et al. 2015, whose start of 0.25 this is; ONNX `PRelu`, opset 16; PyTorch `nn.PReLU`.
public struct PReLU: Layer {
  public static let kind = "prelu"

  /// Whether all channels have one slope.
  public let isShared: Bool
  /// The slopes before training.
  public let start: Float

  public init(isShared: Bool = false, start: Float = 0.25) {
    self.isShared = isShared
    self.start = start
  }

  public var summary: String { "PReLU" + (isShared ? ", one slope" : "") }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    guard start.isFinite else {
      throw .setting("start \(start) is no slope; a finite number is expected, 0.25 is usual")
    }
    return try inputs.single()
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    [
      ParameterSpec(
        "slope", shape: [isShared ? 1 : inputs[0].maps.c], initializer: .constant(start),
        usual: UsualRange(
          0...1, consequence: "there max(a·x, x), as some write it, is another function"))
    ]
  }

  public func lints(for inputs: [TensorType], in mode: Mode) -> [String] {
    guard start < 0 || start > 1 else { return [] }
    return [
      "starts with a slope of \(start), outside 0...1: it is x above 0 and slope · x elsewhere, "
        + "which is not max(slope · x, x) then; 0.25 is usual"
    ]
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole {
    if mode == .training, !frozen { return .anchor(accepts: []) }
    // A slope below 0 would hide the input's sign: its gradient takes the input.
    return .elementwise(
      Epilogue(
        template: "prelu", backwardTemplate: "prelu_backward", hasVectorForm: true,
        gradientNeed: .input,
        gradientText: "multiplies gradients by the slope where it is not positive",
        channelValues: ["slope"], backwardChannelValues: ["slope"]))
  }

  public func channelValues(
    of node: Node, in graph: Graph, buffers: any BufferSource, lanes: Int
  ) -> [Buffer.ID] {
    let channels = graph[node.inputs[0]].type.maps.c
    let padded = (channels + lanes - 1) / lanes * lanes
    let slopes = isShared ? 1 : channels
    return buffers.packedParts("\(node.name).slopes", floats: [padded]) { packed in
      KernelCall(
        template: "prelu_prepare", name: "\(node.name)_prepare",
        title: "a slope of each channel, filled up to whole vectors", layers: [node.name],
        constants: [ConstantRow([Constant("C", channels), Constant("PADDED", padded)])],
        texts: ["index": isShared ? "0" : "c"], scalars: [],
        arguments: [
          Argument(
            "slope", element: "float", access: .read,
            buffer: buffers.masterParameter(node.parameters[0]), text: "[\(slopes)]"),
          Argument("y", element: "float", access: .write, buffer: packed, text: "[\(padded)]"),
        ], isParallel: false, work: Work(flops: Double(padded), bytes: 0, efficiency: 0.1))
    }
  }
}

// MARK: Training

extension PReLU {
  public func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(for: group, needsFullBlocks: true, forward: forward, backward: backward)
  }

  private func slope(_ context: ForwardContext) -> (node: Node, argument: Argument) {
    guard let node = context.context.anchor else {
      preconditionFailure("internal error: a PReLU group without its anchor")
    }
    let slopes = isShared ? 1 : context.output.maps.c
    return (
      node,
      Argument(
        "slope", element: "float", access: .read,
        buffer: context.buffers.parameter(node.parameters[0]), text: "[\(slopes)]")
    )
  }

  private func forward(_ context: ForwardContext) -> [KernelCall] {
    let (x, y) = (context.inputs[0], context.output)
    let (node, slope) = slope(context)
    // A block's slopes are a vector, at any address.
    let isBlock = y.layout == .blocked && !isShared
    let pieces = Pieces(
      fragments: [
        Fragment(
          template: y.isVector ? "prelu_vector" : "prelu_scalar",
          values: [
            "slope": isBlock ? "(lanes)((const loose *)slope)" : "slope",
            "channel": isShared ? "0" : "m",
          ], layer: node.name)
      ], arguments: [slope])
    return [
      elementwiseCall(
        name: "\(context.context.group.name)_forward", title: groupSummary(context.context),
        layers: layerNames(context.context), from: x, to: y, names: ("x", "y"),
        accumulates: false, pieces: pieces, dialect: y.isVector ? .vector : .scalar)
    ]
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    let input = context.forward.inputs[0]
    guard context.wanted.parameters else {
      return context.inputGradients[0].map { [gradients(context, to: $0, parts: nil)] } ?? []
    }
    let channels = input.blocks * (input.layout == .blocked ? input.lanes : 1)
    let parts = Argument(
      "parts", element: "float", access: .write,
      buffer: context.buffers.arena(
        "\(context.context.group.name)_d_slopes", bytes: input.outer * channels * 4),
      dimensions: ["\(channels)"], text: "[\(input.outerScalar.rawValue), \(channels)]")
    return [
      gradients(context, to: context.inputGradients[0], parts: parts),
      slopeGradient(context, channels: channels, parts: parts),
    ]
  }

  /// The input's gradient, and of each image and channel the part of the slope's gradient.
  private func gradients(
    _ context: BackwardContext, to gradient: GradientPlacement?, parts: Argument?
  ) -> KernelCall {
    let (x, after) = (context.forward.inputs[0], context.outputGradient)
    let slope = slope(context.forward).argument
    let cells = (x.isMaps ? x.maps.w : 1) * (x.isVector ? x.lanes : 1)
    let step = x.isVector ? x.lanes : 16
    let row = x.isMaps ? "[h]" : ""
    let address = { (name: String) in
      x.isVector
        ? "\(name)[n][m]\(row)" + (x.isMaps ? "[0]" : "")
        : x.isMaps ? "\(name)[n][m][h]" : "&\(name)[n][m]"
    }
    let target = gradient.map { gradient in
      gradient.placement.argument("d_x", gradient.accumulates ? .update : .write, .scalar)
    }
    let title = [
      gradient.map { _ in "gradient of the input" }, parts.map { _ in "parts of the slope's" },
    ]
    .compactMap { $0 }.joined(separator: ", and ")
    return KernelCall(
      template: "prelu_gradients", name: "\(context.context.group.name)_backward", title: title,
      layers: layerNames(context.context),
      constants: [ConstantRow(x.extents())]
        + (parts == nil
          ? []
          : [
            ConstantRow(
              [Constant("CELLS", cells), Constant("STEP", step)],
              comment: "floats of a row, and how many at a time")
          ]),
      flags: [
        "maps": x.isMaps, "vector": x.isVector, "data": gradient != nil, "parts": parts != nil,
        "rest": cells % step != 0, "blocked": x.layout == .blocked,
      ],
      texts: [
        "outer": x.outerScalar.rawValue, "at": x.at(.scalar), "x_row": address("x"),
        "d_y_row": address("d_y"), "channel": isShared ? "0" : x.channel,
        "store": gradient?.accumulates == true ? "+=" : "=",
      ], scalars: [x.outerScalar],
      arguments: [
        x.argument("x", .read, .scalar, meaning: x.lanesText),
        after.argument("d_y", .read, .scalar),
      ] + [gradient == nil ? nil : slope, target, parts].compactMap { $0 },
      work: streamingWork(x, x, after))
  }

  private func slopeGradient(
    _ context: BackwardContext, channels: Int, parts: Argument
  ) -> KernelCall {
    let input = context.forward.inputs[0]
    let node = slope(context.forward).node
    let slopes = isShared ? 1 : channels
    return KernelCall(
      template: "prelu_slope", name: "\(context.context.group.name)_backward_slope",
      title: "gradient of the slope: the sum of its parts", layers: layerNames(context.context),
      constants: [ConstantRow([Constant("C", channels)])], flags: ["shared": isShared],
      texts: ["outer": input.outerScalar.rawValue], scalars: [input.outerScalar, .accumulate],
      arguments: [
        Argument(
          "parts", element: "float", access: .read, buffer: parts.buffer,
          dimensions: ["C"], text: parts.text),
        Argument(
          "d_slope", element: "float", access: .update,
          buffer: context.buffers.gradient(node.parameters[0]), text: "[\(slopes)]"),
      ], isParallel: false,
      work: Work(flops: Double(input.outer * channels), bytes: 0, efficiency: 0.05))
  }
}

extension Value {
  /// Applies ``PReLU``.
  public func prelu(
    isShared: Bool = false, start: Float = 0.25, name: String? = nil, frozen: Bool = false,
    file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(
      PReLU(isShared: isShared, start: start), name: name, frozen: frozen, file: file, line: line)
  }
}

extension PReLU: RegisteredLayer {
  public static let settings = [
    SettingSpec(
      "isShared", .boolean, default: .boolean(false), "whether all channels have one slope"),
    SettingSpec("start", .number, default: .number(0.25), "slope before training"),
  ]

  public init(settings: Settings) throws(SettingError) {
    self.init(isShared: try settings.boolean("isShared"), start: try settings.float("start"))
  }

  public var settingValues: [String: SettingValue] {
    ["isShared": .boolean(isShared), "start": SettingValue(start)]
  }

  public static let examples = [
    LayerExample(PReLU(), inputs: [2, 3, 4, 5]),
    LayerExample(PReLU(isShared: true, start: 0.1), inputs: [2, 5]),
  ]
}

extension PReLU: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input
    let y = DoubleTensor(shape: x.shape)
    var decisions = Decisions()
    forEachValue(of: call) { i, slope in
      let value = x.address[i]
      y.address[i] = value < 0 ? call.parameters[0].address[slope] * value : value
      // A value on the kink comes from another layer that stops there, and stays.
      decisions.note(value > 0 ? 1 : 0, distance: value == 0 ? .infinity : value.magnitude)
    }
    return LayerResult(output: y, decisions: decisions.hash, margin: decisions.margin(in: x))
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let x = call.input
    let inputGradient = DoubleTensor(shape: x.shape)
    let slopeGradient = DoubleTensor(shape: call.parameters[0].shape)
    forEachValue(of: call) { i, slope in
      let (value, gradient) = (x.address[i], outputGradient.address[i])
      inputGradient.address[i] = value > 0 ? gradient : call.parameters[0].address[slope] * gradient
      if value < 0 { slopeGradient.address[slope] += value * gradient }
    }
    return LayerGradients(inputs: [inputGradient], parameters: [slopeGradient])
  }

  /// Calls with the place of every value, and the index of its slope.
  private func forEachValue(of call: LayerCall, _ body: (Int, Int) -> Void) {
    let maps = call.input.maps
    for i in 0..<call.input.count { body(i, isShared ? 0 : i / maps.pixels % maps.c) }
  }
}
