import ConvcIR

/// Kernels with images in lanes for weights that crowd the second-level cache: they read them in blocks, once for all
/// images, as they stand in the parameter block.
extension Dense {
  func largeForward(_ context: ForwardContext, _ tiles: DenseLargeTiles) -> KernelCall {
    let group = context.context.group
    let pieces = PieceMaker(forward: context, dialect: .vector, names: lanesNames)
      .epilogues(group.epilogues)
    return KernelCall(
      template: "dense_large_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: denseConstants(context) + [
        ConstantRow(
          [
            Constant("TG", tiles.groups), Constant("TK", tiles.outputs),
            Constant("FB", tiles.block),
          ], comment: "register tile: vectors of images x outputs; features of a block")
      ], flags: ["bias": hasBias], fragments: ["epilogue": pieces.fragments],
      support: pieces.support, scalars: [.groups] + pieces.scalars,
      arguments: [lanesInput(context), weightArgument(context)]
        + (hasBias ? [biasArgument(context)] : [])
        + [context.output.argument("y", .write, .vector, names: lanesNames)] + pieces.arguments,
      work: denseWork(context.context, 0.8))
  }

  func largeBackward(_ context: BackwardContext, _ tiles: DenseLargeTiles) -> [KernelCall] {
    let (calls, placement) = gradientBeforeMembers(context)
    let gradient = placement.argument("d_y", .read, .vector, names: lanesNames)
    var all = calls
    if context.wanted.parameters { all.append(largeWeightGradient(context, tiles, gradient)) }
    if let input = context.inputGradients[0] {
      all.append(largeDataGradient(context, tiles, gradient, input))
    }
    return all + operandGradients(context)
  }

  /// The gradient of the weighted sums: a buffer of its own where members stand between them and the output.
  private func gradientBeforeMembers(_ context: BackwardContext) -> ([KernelCall], Placement) {
    let group = context.context.group
    let pieces = PieceMaker(forward: context.forward, dialect: .vector, names: ("C", "", ""))
      .reversed(group.epilogues)
    let output = context.outputGradient
    guard !pieces.fragments.isEmpty, context.wanted.parameters || context.wanted.inputs[0] else {
      return ([], output)
    }
    let buffer = context.buffers.arena("d_\(group.name)_sums", bytes: output.bytes)
    let sums = Placement(
      buffer: buffer, type: output.type, layout: output.layout, lanes: output.lanes)
    let call = elementwiseCall(
      name: "\(group.name)_backward_sums", title: "gradient of the weighted sums",
      layers: layerNames(context.context), from: output, to: sums, names: ("d_y", "d_sums"),
      accumulates: false, pieces: pieces, dialect: .vector)
    return ([call], sums)
  }

  private func largeWeightGradient(
    _ context: BackwardContext, _ tiles: DenseLargeTiles, _ gradient: Argument
  ) -> KernelCall {
    KernelCall(
      template: "dense_large_backward_weight",
      name: "\(context.context.group.name)_backward_weight",
      title: hasBias ? "gradients of weight and bias" : "gradient of the weight",
      layers: layerNames(context.context),
      constants: denseConstants(context.forward) + [
        ConstantRow(
          [
            Constant("TN", tiles.weightGroups), Constant("TF", tiles.weightBlocks),
            Constant("TK", tiles.weightOutputs),
          ],
          comment: "vectors of images in the buffer; register tile: blocks of features x outputs")
      ], flags: ["bias": hasBias],
      support: ["support_transpose", "support_features", "support_store_floats"]
        + (hasBias ? ["support_lane_sums"] : []), scalars: [.groups, .accumulate],
      arguments: [lanesInput(context.forward), gradient] + gradientArguments(context),
      work: denseWork(context.context, 0.75))
  }

  private func largeDataGradient(
    _ context: BackwardContext, _ tiles: DenseLargeTiles, _ gradient: Argument,
    _ input: GradientPlacement
  ) -> KernelCall {
    KernelCall(
      template: "dense_large_backward_data", name: "\(context.context.group.name)_backward_data",
      title: "gradient of the input", layers: layerNames(context.context),
      constants: denseConstants(context.forward) + [
        ConstantRow(
          [
            Constant("TG", tiles.groups), Constant("TF", tiles.features),
            Constant("FB", tiles.strip), Constant("KB", tiles.dataOutputs),
          ],
          comment: "register tile: vectors of images x features; features and outputs in the buffer"
        )
      ], flags: ["adds": input.accumulates], support: input.accumulates ? [] : ["support_store"],
      scalars: [.groups],
      arguments: [weightArgument(context.forward), gradient] + [
        input.placement.argument(
          "d_x", input.accumulates ? .update : .write, .vector, names: ("F", "", ""))
      ], work: denseWork(context.context, 0.7))
  }
}

/// Tiles of the dense kernels for large weights.
struct DenseLargeTiles: Sendable, Hashable {
  /// Vectors of images of a tile, and outputs of a forward tile.
  let groups: Int
  let outputs: Int
  /// Features that a forward tile sums at a time.
  let block: Int
  /// Features of a data tile and of the buffer; outputs in the buffer.
  let features: Int
  let strip: Int
  let dataOutputs: Int
  /// Vectors of images in the buffer, blocks of features and outputs of a weight tile.
  let weightGroups: Int
  let weightBlocks: Int
  let weightOutputs: Int

  /// nil: the weights stay in the cache, or there are too few features for whole vectors.
  init?(target: Target, features count: Int, outputs: Int, groups: Int) {
    let lanes = target.lanes
    let vector = 4 * lanes
    guard count * outputs * 4 > target.level2 / 8, count >= 6 * lanes, outputs > 1 else {
      return nil
    }
    let parts = LanesTiles.ceil(groups, target.hasFewRegisters ? 2 : 4)
    self.groups = LanesTiles.ceil(groups, parts)
    // Eight rows of weights at most: each is a stream of its own.
    self.outputs = Self.side(min(outputs, 8), of: outputs, beside: self.groups, target)
    let room = target.level2 / 16 / (self.groups * vector) / lanes * lanes
    block = max(lanes, min(room, LanesTiles.ceil(count, lanes) * lanes))

    // Tiles divide the strip, which is whole vectors of a row; strip and stack frame are bounded.
    strip = (count < 2048 ? 3 : 6) * lanes
    let widths = (1...strip).filter { [strip] in strip % $0 == 0 }
    features = widths.last { [tile = self.groups] in Self.fits($0, beside: tile, target) } ?? 1
    let most = (56 << 10) / (4 * strip)
    dataOutputs = LanesTiles.ceil(outputs, LanesTiles.ceil(outputs, most))

    weightGroups = min(groups, max(1, 512 / vector))
    weightBlocks = target.hasFewRegisters ? 2 : 4
    weightOutputs = Self.side(outputs, of: outputs, beside: weightBlocks, target)
  }

  /// Whether a tile stays in registers with its vectors of images, or blocks of features, and one factor of them.
  private static func fits(_ length: Int, beside vectors: Int, _ target: Target) -> Bool {
    length * vectors + vectors + target.spareRegisters <= target.registers
  }

  /// The longest side of a tile that wastes least of a whole extent.
  private static func side(_ most: Int, of whole: Int, beside other: Int, _ target: Target) -> Int {
    let lengths = (1...most).filter { fits($0, beside: other, target) }
    let cost = { (length: Int) in
      Double(LanesTiles.ceil(whole, length)) * (max(Double(length * other) / 2, 4) + 0.6)
    }
    return lengths.reversed().min { cost($0) < cost($1) * 0.999 } ?? 1
  }
}
