import ConvcIR

/// Entries of the packed block that kernels with outputs in lanes read: weights in the order of their loops.
extension BlockedKernels {
  private var node: Node {
    guard let node = context.context.anchor else {
      preconditionFailure("internal error: a convolution's group without its anchor")
    }
    return node
  }

  private var channels: Int { shape.channelBlocks }

  private func master(_ index: Int, dimensions: [String] = [], text: String) -> Argument {
    Argument(
      index == 0 ? "weight" : "x", element: "float", access: .read,
      buffer: context.buffers.masterParameter(node.parameters[index]), dimensions: dimensions,
      text: text)
  }

  private var packedText: String {
    "[\(shape.blocks), \(channels), \(shape.r), \(shape.s), \(shape.channelBlock), \(shape.lanes)]"
  }

  /// The weights with maps in lanes, channels of a block one after the other.
  var weight: Argument {
    Argument(
      "weight", element: "lanes", access: .read, buffer: packedWeight,
      dimensions: ["C", "R", "S", "CI"], text: "\(packedText)  maps in lanes")
  }

  private var packedWeight: Buffer.ID {
    let kind = shape.isPlanar ? "planar" : "blocked"
    let folding = Folding(context)
    let scale = folding.map {
      Argument(
        "scale", element: "lanes", access: .read, buffer: $0.scale,
        text: "[\(shape.blocks), \(shape.lanes)]  \($0.name)'s factors")
    }
    let key = "\(node.name).weight.\(kind)" + (folding == nil ? "" : ".folded")
    return context.buffers.packed(key, bytes: shape.weightBytes) { packed in
      KernelCall(
        template: "conv2d_blocked_pack", name: "\(node.name)_weight_prepare",
        title: "weights with maps in lanes"
          + (folding.map { ", times the factors of \($0.name)" } ?? ""),
        layers: [node.name],
        constants: constants + [
          ConstantRow(
            [Constant("MAPS", shape.k), Constant("TAPS", shape.taps)],
            comment: "maps, and taps of one map")
        ], flags: ["partial": shape.k % shape.lanes != 0, "folded": folding != nil],
        support: ["support_transpose"], scalars: [],
        arguments: [
          master(
            0, dimensions: ["TAPS"],
            text: "[\(shape.k), \(shape.c), \(shape.r), \(shape.s)]")
        ] + [scale].compactMap { $0 } + [
          Argument(
            "y", element: "lanes", access: .write, buffer: packed,
            dimensions: ["C", "R * S", "CI"], text: packedText)
        ], work: work)
    }
  }

  /// The weights with channels in lanes, maps of a block one after the other. Channels fill their blocks.
  var transposedWeight: Argument {
    let blocks = shape.c / shape.lanes
    let text =
      "[\(blocks), \(shape.blocks), \(shape.r), \(shape.s), \(shape.lanes), \(shape.lanes)]"
    let buffer = context.buffers.packed(
      "\(node.name).weight.transposed", bytes: shape.weightBytes
    ) { packed in
      KernelCall(
        template: "conv2d_blocked_pack_transposed", name: "\(node.name)_weight_transpose",
        title: "weights with channels in lanes", layers: [node.name],
        constants: [
          ConstantRow(
            [
              Constant("K", shape.blocks), Constant("C", blocks), Constant("R", shape.r),
              Constant("S", shape.s),
            ], comment: "K and C in blocks")
        ], scalars: [],
        arguments: [
          master(
            0, dimensions: ["C * LANES * R * S"],
            text: "[\(shape.k), \(shape.c), \(shape.r), \(shape.s)]"),
          Argument(
            "y", element: "lanes", access: .write, buffer: packed,
            dimensions: ["K", "R * S", "LANES"], text: text),
        ], work: work)
    }
    return Argument(
      "weight", element: "lanes", access: .read, buffer: buffer,
      dimensions: ["K", "R", "S", "LANES"], text: "\(text)  channels in lanes")
  }

  var bias: Argument {
    guard let folding = Folding(context) else {
      return context.packedBias(of: node, count: shape.k, lanes: shape.lanes)
    }
    return Argument(
      "bias", element: "lanes", access: .read, buffer: folding.shift,
      text: "[\(shape.blocks), \(shape.lanes)]  with \(folding.name)")
  }

  private var constants: [ConstantRow] {
    [
      ConstantRow(
        [
          Constant("K", shape.blocks), Constant("C", channels), Constant("CI", shape.channelBlock),
          Constant("R", shape.r), Constant("S", shape.s),
        ], comment: "K and C in blocks")
    ]
  }

  private var work: Work {
    Work(
      flops: Double(shape.k * shape.taps), bytes: Double(2 * shape.weightBytes), efficiency: 0.1)
  }
}

extension ForwardContext {
  /// A bias as whole vectors, zeros after the last.
  func packedBias(of node: Node, count: Int, lanes: Int) -> Argument {
    let padded = (count + lanes - 1) / lanes * lanes
    let source = buffers.masterParameter(node.parameters[1])
    let buffer = buffers.packed("\(node.name).bias.blocked", bytes: padded * 4) { packed in
      KernelCall(
        template: "padded_copy", name: "\(node.name)_bias_prepare", title: "bias as whole vectors",
        layers: [node.name],
        constants: [ConstantRow([Constant("COUNT", count), Constant("PADDED", padded)])],
        scalars: [],
        arguments: [
          Argument("x", element: "float", access: .read, buffer: source, text: "[\(count)]"),
          Argument("y", element: "float", access: .write, buffer: packed, text: "[\(padded)]"),
        ], isParallel: false, work: Work(flops: 0, bytes: Double(padded * 8), efficiency: 0.1))
    }
    return Argument(
      "bias", element: "lanes", access: .read, buffer: buffer, text: "[\(padded / lanes), \(lanes)]"
    )
  }
}
