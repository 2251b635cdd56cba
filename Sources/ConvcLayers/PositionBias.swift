import ConvcIR
import ConvcReference

/// Adds a learned value to each place of each map: a bias that is not shared over positions.
///
/// - Input and output: `[N, C, ...]` of any rank.
/// - Parameters: `bias`, extents of one image: as many as the image has values, not one a map.
/// - Gradient: of the input, the output's; of the bias, its sum over the images.
/// - Errors: none.
/// - Source: the untied bias of MatConvNet's convolution formula; ONNX `Add` with a constant, opset 13.
public struct PositionBias: Layer {
  public static let kind = "positionbias"

  public init() {}

  public var summary: String { "PositionBias" }

  public func output(for inputs: [TensorType]) throws(LayerError) -> TensorType {
    try inputs.single()
  }

  public func parameters(for inputs: [TensorType]) -> [ParameterSpec] {
    [
      ParameterSpec(
        "bias", shape: Array(inputs[0].shape.dropFirst()), initializer: .constant(0))
    ]
  }

  public func role(in mode: Mode, frozen: Bool) -> FusionRole { .anchor(accepts: []) }

  public func candidates(for group: GroupContext) -> [Candidate] {
    anyLayoutCandidates(for: group, needsFullBlocks: true, forward: forward, backward: backward)
  }

  private func forward(_ context: ForwardContext) -> [KernelCall] {
    guard let node = context.context.anchor else { return [] }
    let (x, y) = (context.inputs[0], context.output)
    let ahead = ReadAhead(y, context.context.target, isInOrder: !y.isVector)
    return [
      KernelCall(
        template: "positionbias_forward", name: "\(context.context.group.name)_forward",
        title: groupSummary(context.context), layers: layerNames(context.context),
        constants: [ConstantRow(y.extents())] + (isInBlocks(y) ? [patch(y)] : ahead.constants),
        flags: flags(y).merging(ahead.flags) { $1 }.merging([
          "streams": isInBlocks(y) && y.passesCaches(context.context.target)
        ]) { $1 },
        texts: texts(y).merging(ahead.texts(("x", "y"))) { $1 },
        support: support(y), scalars: [y.outerScalar],
        arguments: [
          x.argument("x", .read, .scalar, meaning: x.lanesText),
          bias("bias", .read, context.buffers.parameter(node.parameters[0]), y),
          y.argument("y", .write, .scalar),
        ], work: streamingWork(x, y))
    ]
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    guard let node = context.context.anchor else { return [] }
    var calls: [KernelCall] = []
    if context.wanted.parameters { calls.append(biasGradient(context, node)) }
    if let input = context.inputGradients[0] {
      calls.append(passOutputGradient(context, to: input))
    }
    return calls
  }

  private func biasGradient(_ context: BackwardContext, _ node: Node) -> KernelCall {
    let gradient = context.outputGradient
    let hasPieces = gradient.layout == .nchw && gradient.isMaps && gradient.maps.w > piece
    return KernelCall(
      template: "positionbias_backward", name: "\(context.context.group.name)_backward_bias",
      title: "gradient of the bias: the sum over the images",
      layers: layerNames(context.context),
      constants: [ConstantRow(gradient.extents())]
        + (isInBlocks(gradient) ? [patch(gradient)] : [])
        + (hasPieces
          ? [ConstantRow([Constant("PIECE", piece)], comment: "columns at a time")] : []),
      flags: flags(gradient).merging([
        "images": gradient.layout == .lanes, "pieces": hasPieces,
        "ahead": gradient.comesFromMemory(context.context.target),
      ]) { $1 },
      texts: texts(gradient).merging([
        "piece": hasPieces ? "PIECE" : "W", "first": hasPieces ? "w0" : "0",
        "end": hasPieces ? "end" : "W",
      ]) { $1 },
      support: support(gradient), scalars: [gradient.outerScalar, .accumulate],
      arguments: [
        gradient.argument("d_y", .read, .scalar, meaning: gradient.lanesText),
        bias("d_bias", .update, context.buffers.gradient(node.parameters[0]), gradient),
      ], work: streamingWork(gradient))
  }

  private func isInBlocks(_ placement: Placement) -> Bool {
    placement.isMaps && placement.layout == .blocked
  }

  /// Columns of a plain map whose sums stay in the first-level cache while all images are read.
  private var piece: Int { 2048 }

  /// A block's cells whose biases, or sums, are put side by side for all images: one map's lie far from the next one's. 16
  /// KiB of them, for which memory is read long enough before the next image's are, and a quarter of a map for the threads.
  private func patch(_ placement: Placement) -> ConstantRow {
    let size = patchSize(placement)
    return ConstantRow(
      [Constant("ROWS", size.rows), Constant("COLUMNS", size.columns)],
      comment: "what is added at a time")
  }

  private func patchSize(_ placement: Placement) -> (rows: Int, columns: Int) {
    let cells = 4096 / placement.lanes
    let (height, width) = (placement.maps.h, placement.maps.w)
    return (max(1, min(cells / width, height / 4)), min(cells, width))
  }

  /// What kernels in blocks call to put a block's biases side by side.
  private func support(_ placement: Placement) -> [String] {
    isInBlocks(placement) ? ["support_transpose"] : []
  }

  private func flags(_ placement: Placement) -> [String: Bool] {
    [
      "maps": placement.isMaps, "vector": placement.isVector, "blocks": isInBlocks(placement),
    ]
  }

  private func texts(_ placement: Placement) -> [String: String] {
    let cell =
      !placement.isMaps ? "" : isInBlocks(placement) ? "[h0 + r][w0 + w]" : "[h][w]"
    let (maps, size) = (placement.maps, patchSize(placement))
    return [
      "rows": maps.h % size.rows == 0 ? "ROWS" : "MIN(ROWS, H - h0)",
      "columns": maps.w % size.columns == 0 ? "COLUMNS" : "MIN(COLUMNS, W - w0)",
      "outer": placement.outerScalar.rawValue,
      "at": "[n][m]\(cell)" + (placement.isVector ? "[l]" : ""),
      "place": "[\(placement.channel)]\(cell)",
    ]
  }

  private func bias(
    _ name: String, _ access: Access, _ buffer: Buffer.ID, _ placement: Placement
  ) -> Argument {
    let extents = placement.type.shape.dropFirst().map(String.init).joined(separator: ", ")
    return Argument(
      name, element: "float", access: access, buffer: buffer,
      dimensions: placement.isMaps ? ["H", "W"] : [], text: "[\(extents)]")
  }
}

extension Value {
  /// Applies ``PositionBias``.
  public func positionBias(
    name: String? = nil, frozen: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Value {
    apply(PositionBias(), name: name, frozen: frozen, file: file, line: line)
  }
}

extension PositionBias: RegisteredLayer {
  public init(settings: Settings) throws(SettingError) { self.init() }

  public static let examples = [
    LayerExample(PositionBias(), inputs: [2, 3, 4, 5]),
    LayerExample(PositionBias(), inputs: [3, 5]),
  ]
}

extension PositionBias: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let y = DoubleTensor(shape: call.outputShape)
    let bias = call.parameters[0]
    for i in 0..<y.count {
      y.address[i] = call.input.address[i] + bias.address[i % bias.count]
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let bias = DoubleTensor(shape: call.parameters[0].shape)
    for i in 0..<outputGradient.count {
      bias.address[i % bias.count] += outputGradient.address[i]
    }
    return LayerGradients(inputs: [outputGradient], parameters: [bias])
  }
}
