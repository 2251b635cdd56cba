import ConvcIR

/// A batch norm with fixed statistics: one multiply-add per value, whose factors `prepare` computes.
extension BatchNorm2D {
  public func channelValues(
    of node: Node, in graph: Graph, buffers: any BufferSource, lanes: Int
  ) -> [Buffer.ID] {
    let (scale, shift) = scaleAndShift(of: node, in: graph, buffers: buffers, lanes: lanes)
    return [scale, shift]
  }

  /// The factor of each channel, and what is added, padded to whole vectors.
  ///
  /// - Parameter before: a bias that was added before; it becomes part of what is added after.
  func scaleAndShift(
    of node: Node, in graph: Graph, buffers: any BufferSource, lanes: Int, before: Int? = nil
  ) -> (scale: Buffer.ID, shift: Buffer.ID) {
    let channels = graph.parameters[node.parameters[0]].spec.count
    let padded = (channels + lanes - 1) / lanes * lanes
    let sources = node.parameters.map { index in
      (graph.parameters[index].spec.name, buffers.masterParameter(index))
    }
    let biasBefore = before.map {
      Argument(
        "before", element: "float", access: .read, buffer: buffers.masterParameter($0),
        text: "[\(channels)]  bias of the layer before")
    }
    let key = "\(node.name).scale_and_shift" + (before == nil ? "" : ".with_bias")
    let parts = buffers.packedParts(key, floats: [padded, padded]) { packed in
      KernelCall(
        template: "batchnorm_prepare", name: "\(node.name)_prepare",
        title: "BatchNorm2D as one multiply-add: y = x * scale + shift", layers: [node.name],
        constants: [ConstantRow([Constant("C", channels), Constant("PADDED", padded)])],
        flags: ["before": before != nil],
        texts: ["epsilon": cFloat(epsilon)], scalars: [],
        arguments: sources.map { name, buffer in
          Argument(name, element: "float", access: .read, buffer: buffer, text: "[\(channels)]")
        } + [biasBefore].compactMap { $0 } + [
          Argument(
            "y", element: "float", access: .write, buffer: packed, dimensions: ["PADDED"],
            text: "[2, \(padded)]  scale, then shift")
        ], isParallel: false, work: Work(flops: Double(channels * 4), bytes: 0, efficiency: 0.1))
    }
    return (parts[0], parts[1])
  }
}
