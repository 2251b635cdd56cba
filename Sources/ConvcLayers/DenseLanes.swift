import ConvcIR

extension Dense {
  /// Register tiles of vectors with images in lanes. nil: too many features for its buffers.
  func lanesCandidate(for group: GroupContext) -> Candidate? {
    let lanes = group.target.lanes
    let features = group.inputTypes[0].maps.c
    let batch = group.inputTypes[0].maps.n
    let groups = LanesTiles.ceil(batch, lanes)
    guard features <= 1024 || group.target.level2 >= features * outputs * 4 else { return nil }
    let tiles = LanesTiles(target: group.target).dense(
      features: features, outputs: outputs, groups: groups)
    let filled = Double(groups * lanes) / Double(batch)
    let flops = 2 * Double(multiplyAdds(for: group.inputTypes)) * filled
    return Candidate(
      family: "lanes", inputs: [.lanes], halos: [.none], output: .lanes,
      microseconds: group.passes * flops / (group.target.peak * 0.6 * 1e3),
      forward: { [lanesForward($0, tiles)] }, backward: { lanesBackward($0, tiles) })
  }

  private var lanesNames: (c: String, h: String, w: String) { ("K", "", "") }

  private func lanesInput(_ context: ForwardContext) -> Argument {
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
      ], flags: ["bias": hasBias], fragments: ["epilogue": pieces.fragments],
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
      calls.append(
        KernelCall(
          template: "dense_lanes_backward_weight", name: "\(group.name)_backward_weight",
          title: "gradient by weight" + (hasBias ? " and bias" : ""),
          notes: ["A block of features is turned into rows, so that features stand in lanes."],
          layers: layerNames(context.context),
          constants: denseConstants(forward) + [
            ConstantRow(
              [
                Constant("TN", tiles.weightGroups), Constant("TF", tiles.weightBlocks),
                Constant("TK", tiles.weightOutputs), Constant("KB", tiles.weightPart),
              ],
              comment:
                "images in the buffer; register tile: blocks of features x outputs; outputs of a part"
            )
          ], flags: ["bias": hasBias], fragments: ["prologue": pieces.fragments],
          support: ["support_transpose"] + (hasBias ? ["support_lane_sums"] : []) + pieces.support,
          scalars: [.groups, .accumulate],
          arguments: [lanesInput(forward)] + gradient + gradientArguments(context),
          work: denseWork(context.context, 0.6)))
    }
    if let input = context.inputGradients[0] {
      calls.append(
        KernelCall(
          template: "dense_lanes_backward_data", name: "\(group.name)_backward_data",
          title: "gradient by data", layers: layerNames(context.context),
          constants: denseConstants(forward) + [
            ConstantRow(
              [
                Constant("TG", tiles.groups), Constant("TF", tiles.features),
                Constant("FB", tiles.part), Constant("TK", tiles.dataOutputs),
              ],
              comment:
                "register tile: vectors of images x features; features of a part; outputs in the buffer"
            )
          ], flags: ["adds": input.accumulates], fragments: ["prologue": pieces.fragments],
          support: pieces.support, scalars: [.groups],
          arguments: [weightArgument(forward)] + gradient + [
            input.placement.argument(
              "d_x", input.accumulates ? .update : .write, .vector, names: ("F", "", ""))
          ], work: denseWork(context.context, 0.6)))
    }
    return calls + operandGradients(context)
  }
}
