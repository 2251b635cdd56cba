import ConvcIR

extension Dense {
  /// Register tiles of vectors with features in lanes: inputs and outputs stand as rows, as the caller has
  /// them. nil: fewer features than a vector holds, which the gradients' loads need.
  func rowsCandidate(for group: GroupContext) -> Candidate? {
    let features = group.inputTypes[0].maps.c
    guard group.backward == nil || features >= group.target.lanes else { return nil }
    let batch = group.inputTypes[0].maps.n
    let tiles = DenseRowTiles(
      target: group.target, features: features, outputs: outputs, batch: batch)
    let flops = 2 * Double(multiplyAdds(for: group.inputTypes))
    let bytes = Double(features * outputs * 4)
    let isCached = features * outputs * 4 <= group.target.level2 / 2
    let passes =
      group.passes
      * (flops / (group.target.peak * tiles.efficiency * 1e3) + bytes / (isCached ? 80e3 : 20e3))
    return Candidate(
      family: "blocked", inputs: [.nchw], halos: [.none], output: .nchw,
      microseconds: passes,
      forward: { [rowsForward($0, tiles)] }, backward: { rowsBackward($0, tiles) })
  }

  private var rowNames: (c: String, h: String, w: String) { ("K", "", "") }

  private func rowsInput(_ context: ForwardContext) -> Argument {
    context.inputs[0].argument("x", .read, .scalar, names: ("F", "", ""))
  }

  private func rowsForward(_ context: ForwardContext, _ tiles: DenseRowTiles) -> KernelCall {
    let group = context.context.group
    let pieces = PieceMaker(forward: context, dialect: .scalar, names: rowNames)
      .epilogues(group.epilogues)
    let lanes = context.context.target.lanes
    let sums = tiles.forward.rows * tiles.forward.vectors
    return KernelCall(
      template: "dense_rows_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: denseConstants(context) + [
        ConstantRow(
          [Constant("TN", tiles.forward.rows), Constant("TK", tiles.forward.vectors)],
          comment: "register tile: images x outputs, with features in lanes"),
        ConstantRow(
          [Constant("SUMS", (sums + lanes - 1) / lanes * lanes)],
          comment: "vectors of the tile, to be summed a vector's lanes at a time"),
      ], flags: ["bias": hasBias, "features_tail": context.inputs[0].maps.c % lanes != 0],
      fragments: ["epilogue": pieces.fragments],
      support: ["support_lane_sums"] + pieces.support, scalars: [.batch] + pieces.scalars,
      arguments: [rowsInput(context), weightArgument(context)]
        + (hasBias ? [biasArgument(context)] : [])
        + [context.output.argument("y", .write, .scalar, names: rowNames)] + pieces.arguments,
      work: denseWork(context.context, 0.6))
  }

  private func rowsBackward(_ context: BackwardContext, _ tiles: DenseRowTiles) -> [KernelCall] {
    let pieces = PieceMaker(forward: context.forward, dialect: .scalar, names: rowNames)
      .reversed(context.context.group.epilogues)
    let gradient =
      [context.outputGradient.argument("d_y", .read, .scalar, names: rowNames)] + pieces.arguments
    var calls: [KernelCall] = []
    if context.wanted.parameters {
      calls.append(rowsWeightGradient(context, tiles, pieces, gradient))
    }
    if let input = context.inputGradients[0] {
      calls.append(rowsDataGradient(context, tiles, pieces, gradient, input))
    }
    return calls + operandGradients(context)
  }

  private func rowsWeightGradient(
    _ context: BackwardContext, _ tiles: DenseRowTiles, _ pieces: Pieces, _ gradient: [Argument]
  ) -> KernelCall {
    KernelCall(
      template: "dense_rows_backward_weight",
      name: "\(context.context.group.name)_backward_weight",
      title: hasBias ? "gradients of weight and bias" : "gradient of the weight",
      layers: layerNames(context.context),
      constants: denseConstants(context.forward) + [
        ConstantRow(
          [Constant("TK", tiles.weight.rows), Constant("TF", tiles.weight.vectors)],
          comment: "register tile: outputs x vectors of features"),
        ConstantRow(
          [
            Constant("FB", tiles.weightFeatures), Constant("KB", tiles.weightOutputs),
            Constant("ROWS", tiles.weightRows),
          ], comment: "features and outputs of a part; images in the buffer"),
      ], flags: ["bias": hasBias], fragments: ["prologue": pieces.fragments],
      support: pieces.support, scalars: [.batch, .accumulate] + pieces.scalars,
      arguments: [rowsInput(context.forward)] + gradient + gradientArguments(context),
      work: denseWork(context.context, 0.6))
  }

  private func rowsDataGradient(
    _ context: BackwardContext, _ tiles: DenseRowTiles, _ pieces: Pieces, _ gradient: [Argument],
    _ input: GradientPlacement
  ) -> KernelCall {
    KernelCall(
      template: "dense_rows_backward_data", name: "\(context.context.group.name)_backward_data",
      title: "gradient of the input", layers: layerNames(context.context),
      constants: denseConstants(context.forward) + [
        ConstantRow(
          [Constant("TN", tiles.data.rows), Constant("TF", tiles.data.vectors)],
          comment: "register tile: images x vectors of features"),
        ConstantRow(
          [
            Constant("FB", tiles.dataFeatures), Constant("ROWS", tiles.dataRows),
            Constant("KB", tiles.dataOutputs),
          ], comment: "features and images of a part; outputs in the buffer"),
      ], flags: ["adds": input.accumulates], fragments: ["prologue": pieces.fragments],
      support: pieces.support, scalars: [.batch] + pieces.scalars,
      arguments: [weightArgument(context.forward)] + gradient + [
        input.placement.argument(
          "d_x", input.accumulates ? .update : .write, .scalar, names: ("F", "", ""))
      ], work: denseWork(context.context, 0.6))
  }
}

/// Tiles of the three dense kernels that work on rows.
struct DenseRowTiles: Sendable, Hashable {
  /// A register tile: so many rows of scalars by so many vectors.
  struct Tile: Sendable, Hashable {
    var rows = 1
    var vectors = 1
    var cycles = Double.infinity
  }

  /// Expected share of the peak.
  let efficiency: Double
  let forward: Tile
  let data: Tile
  let dataFeatures: Int
  let dataRows: Int
  let dataOutputs: Int
  let weight: Tile
  let weightFeatures: Int
  let weightOutputs: Int
  let weightRows: Int

  init(target: Target, features: Int, outputs: Int, batch: Int) {
    let lanes = target.lanes
    // Large weights come from memory: they are read once for many images.
    let isLarge = features * outputs * 4 > target.level2 / 2
    // Both factors of the forward kernel are vectors; sums of more rows than these would wait for each other.
    forward = Self.tile(rows: batch, units: outputs, vectors: min(outputs, 8), target)
    efficiency = 0.62 * Double(batch * outputs) / 2 / forward.cycles

    let vectors = max(1, features / lanes)
    let units = Self.ceil(features, lanes)
    data = Self.tile(rows: batch, units: units, vectors: vectors, target)
    dataRows = isLarge ? Self.rounded(min(batch, 64), to: data.rows) : data.rows
    dataOutputs = min(outputs, (16 << 10) / (4 * dataRows))
    let dataParts = max(
      Self.ceil(8, Self.ceil(batch, dataRows)), isLarge ? Self.ceil(features, 512) : 1)
    dataFeatures = Self.part(features, unit: data.vectors * lanes, count: dataParts)

    weight = Self.tile(rows: outputs, units: units, vectors: vectors, target)
    weightRows = min(batch, 64)
    weightOutputs = Self.outputs(outputs, tile: weight.rows, most: (16 << 10) / (4 * weightRows))
    let weightParts = max(
      Self.ceil(8, Self.ceil(outputs, weightOutputs)), isLarge ? Self.ceil(features, 512) : 1)
    weightFeatures = Self.part(features, unit: weight.vectors * lanes, count: weightParts)
  }

  private static func ceil(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
  private static func rounded(_ a: Int, to unit: Int) -> Int { ceil(a, unit) * unit }

  /// A part of n that is whole tiles; about so many of them make n.
  private static func part(_ n: Int, unit: Int, count: Int) -> Int {
    let tiles = ceil(n, unit)
    return unit * max(1, tiles / max(1, min(count, tiles)))
  }

  /// Outputs of a part, so that the last part holds a whole tile.
  private static func outputs(_ outputs: Int, tile: Int, most: Int) -> Int {
    var part = min(outputs, max(tile, most / tile * tile))
    while part > tile, outputs % part != 0, outputs % part < tile { part -= 1 }
    return part
  }

  /// The tile of least cycles. Eight rows at most: each is a stream of its own in the first-level cache.
  private static func tile(rows: Int, units: Int, vectors: Int, _ target: Target) -> Tile {
    var best = Tile()
    for height in 1...min(rows, 8) {
      for width in 1...min(vectors, 16) {
        let sums = height * width
        let room = target.hasFewRegisters ? 2 : 4
        guard sums <= target.registers - room, sums + width < target.registers || sums == 1 else {
          break
        }
        let step = max(Double(sums) / 2, Double(height + width) / 2, 4) + 0.6
        let cycles = Double(ceil(rows, height) * ceil(units, width)) * step
        if cycles < best.cycles * 0.999 {
          best = Tile(rows: height, vectors: width, cycles: cycles)
        }
      }
    }
    return best
  }
}
