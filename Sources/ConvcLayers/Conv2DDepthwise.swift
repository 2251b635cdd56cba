import ConvcIR

extension Conv2D {
  /// Whether each map has a channel of its own.
  func isDepthwise(on input: MapShape) -> Bool {
    groups > 1 && groups == input.c && groups == outputChannels
  }

  /// A depthwise convolution with channels in lanes: any kernel, stride, padding and dilation. It is bound by memory, so
  /// its tiles are a few neighbouring pixels. nil: channels fill no vectors, or a row is too wide for the buffers.
  func depthwiseCandidate(for group: GroupContext) -> Candidate? {
    let maps = group.inputTypes[0].maps
    guard isDepthwise(on: maps), group.fillsBlocks(group.outputType), group.group.pooling == nil
    else { return nil }
    let shape = DepthwiseShape(self, group)
    guard group.backward?.inputs.first != true || shape.strip > 0 else { return nil }
    let types = group.inputTypes + [group.outputType]
    let bytes = Double(types.reduce(0) { $0 + $1.bytes })
    let steps = Double(multiplyAdds(for: group.inputTypes)) * 2
    let padding = window.padding
    var over: (@Sendable (ForwardContext, ForwardContext) -> [KernelCall])?
    if shape.fitsRing { over = { [DepthwiseKernels(self, $0).forward(over: $1)] } }
    return Candidate(
      family: "blocked", inputs: [.blocked],
      halos: [
        Halo(top: padding.top, bottom: padding.bottom, left: padding.left, right: padding.right)
      ], output: .blocked,
      microseconds: group.passes * max(bytes / 20e3, steps / (group.target.peak * 0.5 * 1e3)),
      forwardOver: over,
      forward: { [DepthwiseKernels(self, $0).forward()] },
      backward: { DepthwiseKernels(self, $0.forward).backward($0) })
  }
}

/// Sizes of a depthwise convolution, and the tiles of its kernels.
struct DepthwiseShape: Sendable, Hashable {
  /// Blocks of channels.
  let c: Int
  let window: Window2D
  let h: Int, w: Int, oh: Int, ow: Int
  let batch: Int
  let lanes: Int
  let registers: Int

  init(_ layer: Conv2D, _ group: GroupContext) {
    let input = group.inputTypes[0].maps
    let output = group.outputType.maps
    lanes = group.target.lanes
    registers = group.target.registers
    c = (input.c + lanes - 1) / lanes
    window = layer.window
    (h, w, oh, ow, batch) = (input.h, input.w, output.h, output.w, input.n)
  }

  var taps: Int { window.kernelSize.height * window.kernelSize.width }

  /// Pixels of a register tile: as equal as they can be, and as many as leave registers for a row of taps.
  func columns(of width: Int) -> Int {
    let most = max(1, min(registers / 2, width))
    let tiles = (width + most - 1) / most
    return (width + tiles - 1) / tiles
  }

  /// Whether one image is cut in two, so that a thread finds what it wrote itself; few rows, between convolutions whose many
  /// weights threads share by maps, are shared by channels.
  var isHalved: Bool { batch == 1 && oh >= 8 }

  /// Rows of the output that a part computes.
  var partRows: Int { isHalved ? (oh + 1) / 2 : oh }

  /// Whether the taps of a row are unrolled: with short vectors, and few taps.
  var unrollsRows: Bool { lanes <= 8 && window.kernelSize.width <= 3 }

  /// Rows of taps that the weight gradient sums in registers at a time.
  var tapRows: Int {
    taps <= registers - 4 ? window.kernelSize.height : 1
  }

  /// Chunks of images, each with its own sums.
  var chunks: Int {
    var chunks = 1
    while c * chunks < 32, chunks * 2 <= min(batch, 16) { chunks *= 2 }
    return chunks
  }

  // MARK: Gradient by data

  /// Zero columns on the left of a buffered row of the output's gradient.
  var left: Int {
    let axis = window.horizontal
    return max(0, (axis.span - 1 - axis.before + axis.stride - 1) / axis.stride)
  }

  /// Columns of the buffer: as far as the last tile's taps reach.
  var bufferColumns: Int {
    let stride = window.stride.width
    let columns = self.columns(of: (w + stride - 1) / stride)
    let tiles = ((w + stride - 1) / stride + columns - 1) / columns
    let last = tiles * columns - 1 + (stride - 1 + window.padding.left) / stride
    return left + max(ow, last + 1)
  }

  /// Rows of the output whose windows lie over so many rows of the input.
  func bufferRows(_ strip: Int) -> Int {
    (strip + window.vertical.span - 2) / window.stride.height + 1
  }

  /// Rows of the input at a time; 0: not even one fits the buffer.
  var strip: Int {
    let row = bufferColumns * 4 * lanes
    let fitting = (1...max(1, h)).last { bufferRows($0) * row <= 32 << 10 } ?? 0
    guard fitting > 0 else { return bufferRows(1) * row <= 48 << 10 ? 1 : 0 }
    let strips = (h + fitting - 1) / fitting
    return (h + strips - 1) / strips
  }
}

/// The kernels of one depthwise convolution.
struct DepthwiseKernels {
  let layer: Conv2D
  let context: ForwardContext
  let shape: DepthwiseShape

  let names = ("C", "OH", "OW")

  init(_ layer: Conv2D, _ context: ForwardContext) {
    self.layer = layer
    self.context = context
    shape = DepthwiseShape(layer, context.context)
  }

  var group: Group { context.context.group }
  private var window: Window2D { shape.window }

  private func sizes(left: Bool = false) -> [ConstantRow] {
    var steps = [
      Constant("STRIDE_H", window.stride.height), Constant("STRIDE_W", window.stride.width),
      Constant("DILATION_H", window.dilation.height),
      Constant("DILATION_W", window.dilation.width),
    ]
    if left {
      steps += [Constant("PAD_TOP", window.padding.top), Constant("PAD_LEFT", window.padding.left)]
    }
    return [
      ConstantRow(
        [
          Constant("C", shape.c), Constant("H", shape.h), Constant("W", shape.w),
          Constant("R", window.kernelSize.height), Constant("S", window.kernelSize.width),
          Constant("OH", shape.oh), Constant("OW", shape.ow),
        ], comment: "blocks of channels"), ConstantRow(steps),
    ]
  }

  /// The input with the zero halo that this convolution reads.
  private var input: Argument {
    let placement = context.inputs[0]
    return placement.argument(
      "x", .read, .vector, top: window.padding.top, left: window.padding.left,
      meaning: placement.lanesText + (window.padding == 0 ? "" : ", zeros around the maps"))
  }

  func forward() -> KernelCall {
    let tile = shape.columns(of: shape.ow)
    let after = PieceMaker(forward: context, dialect: .vector, names: names)
      .epilogues(group.epilogues)
    return KernelCall(
      template: "conv2d_depthwise_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: sizes() + [
        ConstantRow([Constant("TW", tile)], comment: "register tile: columns")
      ]
        + (shape.isHalved
          ? [
            ConstantRow(
              [Constant("TH", shape.partRows)],
              comment: "rows that all channels go through at a time")
          ] : []),
      flags: [
        "bias": layer.addsBias(context), "column_tail": shape.ow % tile != 0,
        "strips": shape.isHalved, "short_rows": shape.unrollsRows,
      ],
      fragments: ["epilogue": after.fragments], support: after.support,
      scalars: [.batch] + after.scalars,
      arguments: [input, weight] + bias
        + [context.output.argument("y", .write, .vector, names: names)] + after.arguments,
      work: work)
  }

  // MARK: Backward

  func backward(_ backward: BackwardContext) -> [KernelCall] {
    let pieces = PieceMaker(forward: context, dialect: .vector, names: names)
      .reversed(group.epilogues)
    let gradient =
      [backward.outputGradient.argument("d_y", .read, .vector, names: names)] + pieces.arguments
    var calls: [KernelCall] = []
    if backward.wanted.parameters { calls += weightGradient(backward, pieces, gradient) }
    if let input = backward.inputGradients[0] {
      calls.append(dataGradient(pieces, gradient, input))
    }
    return calls + operandGradients(backward)
  }

  private func dataGradient(
    _ pieces: Pieces, _ gradient: [Argument], _ input: GradientPlacement
  ) -> KernelCall {
    let stride = window.stride.width
    return KernelCall(
      template: "conv2d_depthwise_backward_data", name: "\(group.name)_backward_data",
      title: "gradient of the input", layers: layerNames(context.context),
      constants: sizes(left: true) + [
        ConstantRow(
          [
            Constant("TW", shape.columns(of: (shape.w + stride - 1) / stride)),
            Constant("TH", shape.strip),
          ], comment: "register tile: columns of one phase; rows of a strip"),
        ConstantRow(
          [
            Constant("ROWS", shape.bufferRows(shape.strip)),
            Constant("COLUMNS", shape.bufferColumns), Constant("LEFT", shape.left),
          ], comment: "rows and columns of the buffer; zero columns on its left"),
      ], flags: ["adds": input.accumulates], fragments: ["prologue": pieces.fragments],
      support: pieces.support, scalars: [.batch] + pieces.scalars,
      arguments: [weight] + gradient + [
        input.placement.argument("d_x", input.accumulates ? .update : .write, .vector)
      ], work: work)
  }

  private func weightGradient(
    _ backward: BackwardContext, _ pieces: Pieces, _ gradient: [Argument]
  ) -> [KernelCall] {
    [
      KernelCall(
        template: "conv2d_depthwise_backward_weight", name: "\(group.name)_backward_weight",
        title: (layer.hasBias ? "gradients of weight and bias" : "gradient of the weight")
          + ", in parts",
        notes: ["The images are cut into chunks, whatever the number of threads."],
        layers: layerNames(context.context),
        constants: sizes() + [
          ConstantRow(
            [Constant("TR", shape.tapRows), Constant("CHUNKS", shape.chunks)],
            comment: "rows of taps at a time; chunks of images")
        ], flags: ["bias": layer.hasBias], fragments: ["prologue": pieces.fragments],
        support: pieces.support, scalars: [.batch] + pieces.scalars,
        arguments: [input] + gradient + [parts(.write)], work: work),
      weightSum(backward),
    ]
  }

  /// Sums of the chunks: taps, then bias.
  private func parts(_ access: Access) -> Argument {
    let bytes = shape.chunks * shape.c * (shape.taps + 1) * shape.lanes * 4
    return Argument(
      "parts", element: "lanes", access: access,
      buffer: context.buffers.saved("parts", bytes: bytes), dimensions: ["C", "R * S + 1"],
      text: "[\(shape.chunks), \(shape.c), \(shape.taps) + 1, \(shape.lanes)]  taps, then bias")
  }

  private func weightSum(_ backward: BackwardContext) -> KernelCall {
    let bytes = Double(shape.chunks * shape.c * (shape.taps + 1) * shape.lanes * 4)
    let gradients = layer.gradientArguments(backward).map { argument in
      argument.name == "d_weight"
        ? Argument(
          "d_weight", element: "float", access: .update, buffer: argument.buffer,
          dimensions: ["R * S"], text: argument.text) : argument
    }
    return KernelCall(
      template: "conv2d_depthwise_weight_sum", name: "\(group.name)_backward_weight_sum",
      title: "adds the parts of the weight gradient in the order of the chunks",
      layers: layerNames(context.context),
      constants: [
        ConstantRow(
          [
            Constant("C", shape.c), Constant("CHANNELS", layer.outputChannels),
            Constant("R", window.kernelSize.height), Constant("S", window.kernelSize.width),
            Constant("CHUNKS", shape.chunks),
          ], comment: "C in blocks")
      ], flags: ["bias": layer.hasBias], scalars: [.batch, .accumulate],
      arguments: [parts(.read)] + gradients,
      work: Work(flops: bytes / 4, bytes: bytes, efficiency: 0.1))
  }

  var work: Work { layer.work(context.context, 0.5) }

  // MARK: Packed weights

  private var node: Node {
    guard let node = context.context.anchor else {
      preconditionFailure("internal error: a convolution's group without its anchor")
    }
    return node
  }

  var bias: [Argument] {
    guard layer.addsBias(context) else { return [] }
    if let folding = Folding(context) {
      return [
        Argument(
          "bias", element: "lanes", access: .read, buffer: folding.shift,
          text: "[\(shape.c), \(shape.lanes)]  with \(folding.name)")
      ]
    }
    return [context.packedBias(of: node, count: layer.outputChannels, lanes: shape.lanes)]
  }

  /// The weights with channels in lanes.
  var weight: Argument {
    let text =
      "[\(shape.c), \(window.kernelSize.height), \(window.kernelSize.width), \(shape.lanes)]"
    let bytes = shape.c * shape.taps * shape.lanes * 4
    let folding = Folding(context)
    let source = folding?.weight ?? context.buffers.masterParameter(node.parameters[0])
    let key = "\(node.name).weight.depthwise" + (folding == nil ? "" : ".folded")
    let buffer = context.buffers.packed(key, bytes: bytes) { packed in
      KernelCall(
        template: "conv2d_depthwise_pack", name: "\(node.name)_weight_prepare",
        title: "weights with channels in lanes", layers: [node.name],
        constants: [
          ConstantRow(
            [
              Constant("C", shape.c), Constant("CHANNELS", layer.outputChannels),
              Constant("R", window.kernelSize.height), Constant("S", window.kernelSize.width),
            ], comment: "C in blocks")
        ], scalars: [],
        arguments: [
          Argument(
            "weight", element: "float", access: .read, buffer: source, dimensions: ["R * S"],
            text:
              "[\(layer.outputChannels), 1, \(window.kernelSize.height), \(window.kernelSize.width)]"
          ),
          Argument(
            "y", element: "float", access: .write, buffer: packed,
            dimensions: ["R * S", "LANES"], text: text),
        ], work: Work(flops: 0, bytes: Double(2 * bytes), efficiency: 0.1))
    }
    return Argument(
      "weight", element: "lanes", access: .read, buffer: buffer, dimensions: ["R", "S"],
      text: "\(text)  channels in lanes")
  }
}
