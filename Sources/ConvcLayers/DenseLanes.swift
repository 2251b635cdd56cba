import ConvcIR

extension Dense {
  /// Register tiles of vectors with images in lanes.
  func lanesCandidate(for group: GroupContext) -> Candidate {
    let lanes = group.target.lanes
    let features = group.inputTypes[0].maps.c
    let batch = group.inputTypes[0].maps.n
    let groups = LanesTiles.ceil(batch, lanes)
    let filled = Double(groups * lanes) / Double(batch)
    let flops = 2 * Double(multiplyAdds(for: group.inputTypes)) * filled
    if let tiles = DenseLargeTiles(
      target: group.target, features: features, outputs: outputs, groups: groups)
    {
      let bytes = Double(features * outputs * 4)
      return Candidate(
        family: "lanes", inputs: [.lanes], halos: [.none], output: .lanes,
        microseconds: group.passes * (flops / (group.target.peak * 0.8 * 1e3) + bytes / 40e3),
        forward: { [largeForward($0, tiles)] }, backward: { largeBackward($0, tiles) })
    }
    let tiles = LanesTiles(target: group.target).dense(
      features: features, outputs: outputs, groups: groups)
    return Candidate(
      family: "lanes", inputs: [.lanes], halos: [.none], output: .lanes,
      microseconds: group.passes * flops / (group.target.peak * 0.6 * 1e3),
      forward: { [lanesForward($0, tiles)] }, backward: { lanesBackward($0, tiles) })
  }

  var lanesNames: (c: String, h: String, w: String) { ("K", "", "") }

  func lanesInput(_ context: ForwardContext) -> Argument {
    context.inputs[0].argument(
      "x", .read, .vector, names: ("F", "", ""), meaning: context.inputs[0].lanesText)
  }

  private func lanesForward(_ context: ForwardContext, _ tiles: LanesTiles.DenseTiles)
    -> KernelCall
  {
    let group = context.context.group
    let pieces = PieceMaker(forward: context, dialect: .vector, names: lanesNames)
      .epilogues(group.epilogues)
    return KernelCall(
      template: "dense_lanes_forward", name: "\(group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: denseConstants(context) + [
        ConstantRow(
          [Constant("TG", tiles.groups), Constant("TK", tiles.outputs)],
          comment: "register tile: vectors of images x outputs")
      ],
      flags: [
        "bias": hasBias, "outputs_loop": tiles.outputs < outputs,
        "tail": outputs % tiles.outputs != 0,
      ], texts: ["m0": tiles.outputs < outputs ? "m0 + " : ""],
      fragments: ["epilogue": pieces.fragments],
      support: pieces.support, scalars: [.groups],
      arguments: [lanesInput(context), weightArgument(context)]
        + (hasBias ? [biasArgument(context)] : [])
        + [context.output.argument("y", .write, .vector, names: lanesNames)] + pieces.arguments,
      work: denseWork(context.context, 0.6))
  }

  private func lanesBackward(_ context: BackwardContext, _ tiles: LanesTiles.DenseTiles)
    -> [KernelCall]
  {
    let forward = context.forward
    let group = context.context.group
    let pieces = PieceMaker(forward: forward, dialect: .vector, names: lanesNames)
      .reversed(group.epilogues)
    let gradient =
      [context.outputGradient.argument("d_y", .read, .vector, names: lanesNames)]
      + pieces.arguments
    var calls: [KernelCall] = []
    if context.wanted.parameters {
      calls.append(lanesBackwardWeight(context, pieces, gradient, tiles))
    }
    if let input = context.inputGradients[0] {
      calls.append(lanesBackwardData(context, pieces, gradient, input, tiles))
    }
    return calls + operandGradients(context)
  }

  private func lanesBackwardWeight(
    _ context: BackwardContext, _ pieces: Pieces, _ gradient: [Argument],
    _ tiles: LanesTiles.DenseTiles
  ) -> KernelCall {
    let forward = context.forward
    let part = tiles.weightPart
    let parts = LoopOver(outputs, step: part, size: "KB", whole: "K", rest: "maps")
    let isTiled = part % tiles.weightOutputs == 0 && outputs % part % tiles.weightOutputs == 0
    let loopsImages = tiles.allGroups > tiles.weightGroups
    let tile = [
      Constant("TN", tiles.weightGroups), Constant("TF", tiles.weightBlocks),
      Constant("TK", tiles.weightOutputs),
    ]
    return KernelCall(
      template: "dense_lanes_backward_weight",
      name: "\(context.context.group.name)_backward_weight",
      title: hasBias ? "gradients of weight and bias" : "gradient of the weight",
      layers: layerNames(context.context),
      constants: denseConstants(forward) + [
        ConstantRow(
          tile + (parts.isNeeded ? [Constant("KB", part)] : []),
          comment: "vectors of images in the buffers; register tile: blocks of features x outputs"
            + (parts.isNeeded ? "; outputs of a part" : ""))
      ],
      flags: [
        "bias": hasBias, "outputs_loop": parts.isNeeded, "outputs_tail": parts.hasRest,
        "images_loop": loopsImages, "tail": !isTiled,
      ],
      texts: [
        "m0": parts.isNeeded ? "m0 + " : "", "maps": parts.extent,
        "buffer": parts.isNeeded ? "KB" : "K", "first": loopsImages ? "n0" : "0",
        "end": loopsImages ? "end" : "groups", "index": loopsImages ? "n - n0" : "n",
        "image": loopsImages ? "(n - n0)" : "n", "adds": loopsImages ? "adds" : "accumulate",
      ], fragments: ["prologue": pieces.fragments],
      support: ["support_transpose", "support_features", "support_store_floats"]
        + (hasBias ? ["support_lane_sums"] : []) + pieces.support, scalars: [.groups, .accumulate],
      arguments: [lanesInput(forward)] + gradient + gradientArguments(context),
      work: denseWork(context.context, 0.6))
  }

  private func lanesBackwardData(
    _ context: BackwardContext, _ pieces: Pieces, _ gradient: [Argument],
    _ input: GradientPlacement, _ tiles: LanesTiles.DenseTiles
  ) -> KernelCall {
    let forward = context.forward
    let features = forward.inputs[0].maps.c
    let maps = LoopOver(outputs, step: tiles.dataOutputs, size: "TK", whole: "K", rest: "maps")
    let hasTail = features % tiles.features != 0
    let hasParts = tiles.part < features
    // A part of one tile needs no loop of its own.
    let hasTiles = !hasParts || tiles.part > tiles.features
    let tile = hasTail ? "tile" : "f0"
    let partEnd = features % tiles.part == 0 ? "part + FB" : "MIN(part + FB, F)"
    var sizes = [Constant("TG", tiles.groups), Constant("TF", tiles.features)]
    if hasParts, hasTiles { sizes.append(Constant("FB", tiles.part)) }
    sizes.append(Constant("TK", tiles.dataOutputs))
    return KernelCall(
      template: "dense_lanes_backward_data", name: "\(context.context.group.name)_backward_data",
      title: "gradient of the input", layers: layerNames(context.context),
      constants: denseConstants(forward) + [
        ConstantRow(
          sizes,
          comment: "register tile: vectors of images x features"
            + (hasParts && hasTiles ? "; features of a part" : "") + "; outputs in the buffer")
      ],
      flags: [
        "outputs_loop": maps.isNeeded, "outputs_tail": maps.hasRest, "tail": hasTail,
        "parts_loop": hasParts, "tiles_loop": hasTiles,
        "sums": maps.isNeeded && !input.accumulates,
      ],
      texts: [
        "m0": maps.isNeeded ? "m0 + " : "", "maps": maps.extent, "tile": tile,
        "part": hasTiles ? "part" : tile, "part_size": hasTiles ? "FB" : "TF",
        "part_begin": hasParts ? "part" : "0", "part_end": hasParts ? partEnd : "F",
        "store": input.accumulates ? "+=" : "=",
      ], fragments: ["prologue": pieces.fragments],
      support: (maps.isNeeded && !input.accumulates ? ["support_store"] : []) + pieces.support,
      scalars: [.groups],
      arguments: [weightArgument(forward)] + gradient + [
        input.placement.argument(
          "d_x", input.accumulates ? .update : .write, .vector, names: ("F", "", ""))
      ], work: denseWork(context.context, 0.6))
  }
}
