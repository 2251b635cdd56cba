import ConvcIR

/// A batch norm with fixed statistics that is part of a convolution's weights and bias: `prepare` multiplies the weights
/// of each map by its factor, and what is added becomes the bias.
struct Folding {
  let name: String
  /// One factor for each map, padded to whole vectors.
  let scale: Buffer.ID
  /// What is added to each map, padded to whole vectors.
  let shift: Buffer.ID
  private let context: ForwardContext
  private let anchor: Node

  /// nil: nothing is folded into the group's anchor.
  init?(_ context: ForwardContext) {
    guard let node = context.context.folded, let anchor = context.context.anchor,
      let layer = node.layer as? BatchNorm2D
    else { return nil }
    let graph = context.context.graph
    let lanes = context.output.lanes
    let before = anchor.parameters.count > 1 ? anchor.parameters[1] : nil
    (scale, shift) = layer.scaleAndShift(
      of: node, in: graph, buffers: context.buffers, lanes: lanes, before: before)
    name = node.name
    self.context = context
    self.anchor = anchor
  }

  /// The weights in their own order, times the factors.
  var weight: Buffer.ID {
    let spec = context.context.graph.parameters[anchor.parameters[0]].spec
    let maps = spec.shape[0]
    let source = context.buffers.masterParameter(anchor.parameters[0])
    return context.buffers.packed("\(anchor.name).weight.folded", bytes: spec.count * 4) { packed in
      KernelCall(
        template: "batchnorm_fold", name: "\(anchor.name)_weight_fold",
        title: "weights times the factors of \(name)", layers: [anchor.name],
        constants: [
          ConstantRow([Constant("K", maps), Constant("COUNT", spec.count / maps)])
        ], scalars: [],
        arguments: [
          Argument(
            "weight", element: "float", access: .read, buffer: source, dimensions: ["COUNT"],
            text: "[\(maps), \(spec.count / maps)]"),
          Argument("scale", element: "float", access: .read, buffer: scale, text: "[\(maps)]"),
          Argument(
            "y", element: "float", access: .write, buffer: packed, dimensions: ["COUNT"],
            text: "[\(maps), \(spec.count / maps)]"),
        ], work: Work(flops: Double(spec.count), bytes: Double(spec.count * 8), efficiency: 0.1))
    }
  }
}
