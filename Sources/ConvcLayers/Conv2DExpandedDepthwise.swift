import ConvcIR

// An expanding 1x1 convolution and the depthwise one behind it as one kernel: the widest maps of an inverted residual
// (Sandler et al. 2018, "MobileNetV2") are never stored, and threads exchange none of their rows.

extension BlockedTiles {
  /// Whether the maps of a 1x1 convolution are better computed by their reader: they crowd the second-level cache.
  func givesRows(_ group: Group, _ shape: BlockedShape, _ tile: ForwardTile) -> Bool {
    let isPointwise =
      shape.r == 1 && shape.s == 1 && shape.stride == 1 && shape.padding == 0 && shape.cells == 1
    let isWhole =
      !shape.isPlanar && shape.c % shape.channelBlock == 0
      && shape.blocks % tile.maps == 0 && tile.channels == shape.channelBlocks && tile.part == nil
    return isPointwise && isWhole && group.members.allSatisfy(\.operands.isEmpty)
      && vector * shape.blocks * shape.oh * shape.ow >= target.level2 / 4
  }
}

extension DepthwiseShape {
  /// Rows of the ring that holds the maps: a power of two.
  var ring: Int {
    var rows = 1
    while rows < window.kernelSize.height { rows *= 2 }
    return rows
  }

  /// Columns of a row in the ring, with the zeros beside it.
  var ringColumns: Int { window.padding.left + w + window.padding.right }

  /// Whether four blocks of maps of the ring leave room in the second-level cache, taps lie side by side, and a ring has
  /// room for the rows of zeros above.
  var fitsRing: Bool {
    window.dilation == 1 && window.padding.top < window.kernelSize.height
      && 4 * ring * ringColumns * 4 * lanes <= 160 << 10
  }
}

extension DepthwiseKernels {
  /// The forward kernel that computes the maps that it reads.
  ///
  /// - Parameter producer: the 1x1 convolution that would have written them.
  func forward(over producer: ForwardContext) -> KernelCall {
    guard let pointwise = producer.context.anchor?.layer as? Conv2D else {
      preconditionFailure("internal error: \(producer.context.group.name) is no convolution")
    }
    let expansion = pointwise.blockedKernels(producer)
    let maps = expansion.shape
    let tile = expansion.tiles.forward(maps)
    let isUneven = maps.ow % tile.columns != 0
    let inner = PieceMaker(forward: producer, dialect: .vector, names: names)
      .epilogues(producer.context.group.epilogues)
    let after = PieceMaker(forward: context, dialect: .vector, names: names)
      .epilogues(group.epilogues)
    let addsInner = pointwise.addsBias(producer)
    let adds = layer.addsBias(context)
    let columns = shape.columns(of: shape.ow)
    return KernelCall(
      template: "conv2d_expanded_depthwise_forward",
      name: "\(producer.context.group.name)_\(group.name)_forward",
      title: groupSummary(producer.context) + "; " + groupSummary(context.context),
      notes: [
        "The maps between the two convolutions are computed a few rows at a time and never stored."
      ],
      layers: layerNames(producer.context) + layerNames(context.context),
      constants: sizes(of: maps)
        + [
          ConstantRow(
            [Constant("TK", tile.maps), Constant("TW", tile.columns)]
              + (isUneven ? [Constant("WIDE", BlockedTiles.wide(maps.ow, tile.columns))] : []),
            comment: "register tile of the maps: blocks x columns"
              + (isUneven ? "; columns of the widest tiles" : "")),
          ConstantRow(
            [Constant("TD", columns), Constant("TH", shape.partRows)],
            comment: "register tile of the output: columns; rows that all maps go through at a time"
          ),
          ConstantRow(
            [Constant("RING", shape.ring), Constant("COLUMNS", shape.ringColumns)],
            comment: "rows of maps at hand, and their columns with the zeros"),
        ],
      flags: [
        "inner_bias": addsInner, "bias": adds, "uneven": isUneven,
        "column_tail": shape.ow % columns != 0, "short_blocks": expansion.tiles.unrollsBlocks,
        "short_rows": shape.unrollsRows,
      ],
      texts: ["columns": isUneven ? "columns" : "TW"],
      fragments: ["inner": inner.fragments, "epilogue": after.fragments],
      support: inner.support + after.support, scalars: [.batch],
      arguments: [
        expansion.input, renamed(expansion.weight, "expansion", dimensions: ["C", "CI"]),
      ] + (addsInner ? [renamed(expansion.bias, "expansion_bias")] : []) + [weight] + bias
        + [context.output.argument("y", .write, .vector, names: ("K", "OH", "OW"))]
        + inner.arguments + after.arguments,
      work: work(with: pointwise.work(producer.context, 0.8)))
  }

  private func sizes(of maps: BlockedShape) -> [ConstantRow] {
    let window = layer.window
    return [
      ConstantRow(
        [
          Constant("C", maps.channelBlocks), Constant("CI", maps.channelBlock),
          Constant("K", maps.blocks), Constant("H", maps.h), Constant("W", maps.w),
        ], comment: "blocks of channels, and channels of one; blocks of maps"),
      ConstantRow([
        Constant("R", window.kernelSize.height), Constant("S", window.kernelSize.width),
        Constant("OH", shape.oh), Constant("OW", shape.ow),
      ]),
      ConstantRow([
        Constant("STRIDE_H", window.stride.height), Constant("STRIDE_W", window.stride.width),
        Constant("PAD_TOP", window.padding.top), Constant("PAD_LEFT", window.padding.left),
      ]),
    ]
  }

  private func renamed(_ argument: Argument, _ name: String, dimensions: [String]? = nil)
    -> Argument
  {
    Argument(
      name, element: argument.element, access: argument.access, buffer: argument.buffer,
      origin: argument.origin, dimensions: dimensions ?? argument.dimensions, text: argument.text)
  }

  /// The work of both: what lies between is not moved.
  private func work(with inner: Work) -> Work {
    let own = work
    let stored = Double(2 * shape.batch * shape.c * shape.lanes * shape.h * shape.w * 4)
    return Work(
      flops: own.flops + inner.flops, bytes: max(0, own.bytes + inner.bytes - stored),
      efficiency: 0.7)
  }
}
