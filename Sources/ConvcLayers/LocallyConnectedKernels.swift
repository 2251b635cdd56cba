import ConvcIR

/// Kernels of ``LocallyConnected2D``: rows of places, in planes or with images in lanes, from the same templates.
///
/// Each weight meets one value of each image: with images in lanes it is read once for a vector of them.
struct LocallyConnectedKernels: Sendable {
  let layer: LocallyConnected2D

  private var window: Window2D { layer.window }

  func candidates(for group: GroupContext) -> [Candidate] {
    let flops = 2 * Double(layer.multiplyAdds(for: group.inputTypes))
    var layouts: [(Layout, Double)] = [(.nchw, flops / (0.4 * Target.generic.peak * 1e3))]
    if group.target.hasVectors {
      let (batch, lanes) = (group.inputTypes[0].maps.n, group.target.lanes)
      let filled = Double((batch + lanes - 1) / lanes * lanes) / Double(batch)
      layouts.append((.lanes, filled * flops / (0.2 * group.target.peak * 1e3)))
    }
    return layouts.map { layout, microseconds in
      Candidate(
        family: layout == .nchw ? "generic" : layout.rawValue, inputs: [layout], halos: [.none],
        output: layout, microseconds: group.passes * microseconds, forward: { [forward($0)] },
        backward: backward)
    }
  }

  private func constants(_ context: ForwardContext) -> [ConstantRow] {
    let (input, output) = (context.inputs[0].maps, context.output.maps)
    return [
      ConstantRow(
        [
          Constant("C", input.c), Constant("H", input.h), Constant("W", input.w),
          Constant("K", output.c), Constant("R", window.kernelSize.height),
          Constant("S", window.kernelSize.width), Constant("OH", output.h),
          Constant("OW", output.w),
        ], comment: "C x H x W to K x OH x OW"),
      ConstantRow([
        Constant("STRIDE_H", window.stride.height), Constant("STRIDE_W", window.stride.width),
        Constant("PAD_TOP", window.padding.top), Constant("PAD_LEFT", window.padding.left),
        Constant("DILATION_H", window.dilation.height),
        Constant("DILATION_W", window.dilation.width),
      ]),
    ]
  }

  private func flags(_ context: ForwardContext) -> [String: Bool] {
    ["vector": context.output.isVector]
  }

  private func texts(_ context: ForwardContext) -> [String: String] {
    [
      "outer": context.output.outerScalar.rawValue,
      "lane": context.output.isVector ? "[l]" : "",
    ]
  }

  private func weight(
    _ name: String, _ access: Access, _ buffer: Buffer.ID, _ context: ForwardContext
  ) -> Argument {
    let extents = context.weightSpec.shape.map(String.init).joined(separator: ", ")
    return Argument(
      name, element: "float", access: access, buffer: buffer,
      dimensions: ["C", "R", "S", "OH", "OW"], text: "[\(extents)]")
  }

  private func work(_ context: ForwardContext) -> Work {
    let maps = context.inputs[0].bytes + context.output.bytes
    return Work(
      flops: 2 * Double(layer.multiplyAdds(for: context.context.inputTypes)),
      bytes: Double(maps + context.weightSpec.count * 4), efficiency: 0.2)
  }

  private func forward(_ context: ForwardContext) -> KernelCall {
    let node = context.anchorNode
    let (x, y) = (context.inputs[0], context.output)
    var arguments = [
      x.argument("x", .read, .scalar, meaning: x.lanesText),
      weight("weight", .read, context.buffers.parameter(node.parameters[0]), context),
    ]
    if layer.hasBias {
      arguments.append(
        Argument(
          "bias", element: "float", access: .read,
          buffer: context.buffers.parameter(node.parameters[1]), dimensions: ["OH", "OW"],
          text: "[\(y.maps.c), \(y.maps.h), \(y.maps.w)]"))
    }
    return KernelCall(
      template: "locallyconnected_forward", name: "\(context.context.group.name)_forward",
      title: groupSummary(context.context), layers: layerNames(context.context),
      constants: constants(context), flags: flags(context).merging(["bias": layer.hasBias]) { $1 },
      texts: texts(context), scalars: [y.outerScalar],
      arguments: arguments + [y.argument("y", .write, .scalar, names: ("K", "OH", "OW"))],
      work: work(context))
  }

  private func backward(_ context: BackwardContext) -> [KernelCall] {
    var calls: [KernelCall] = []
    if context.wanted.parameters {
      calls.append(weightGradient(context))
      if layer.hasBias {
        calls.append(PositionBiasKernels(context: context.forward).backward(context))
      }
    }
    if let input = context.inputGradients[0] { calls.append(dataGradient(context, input)) }
    return calls
  }

  private func weightGradient(_ context: BackwardContext) -> KernelCall {
    let (x, gradient) = (context.forward.inputs[0], context.outputGradient)
    let dialect: Dialect = x.isVector ? .vector : .scalar
    let node = context.forward.anchorNode
    return KernelCall(
      template: "locallyconnected_backward_weight",
      name: "\(context.context.group.name)_backward_weight",
      title: "gradient of the weight: the sum over the images",
      layers: layerNames(context.context), constants: constants(context.forward),
      flags: flags(context.forward), texts: ["outer": x.outerScalar.rawValue],
      scalars: [x.outerScalar, .accumulate],
      arguments: [
        x.argument("x", .read, dialect, meaning: x.lanesText),
        gradient.argument("d_y", .read, dialect, names: ("K", "OH", "OW")),
        weight(
          "d_weight", .update, context.buffers.gradient(node.parameters[0]), context.forward),
      ], work: work(context.forward))
  }

  private func dataGradient(
    _ context: BackwardContext, _ input: GradientPlacement
  ) -> KernelCall {
    let node = context.forward.anchorNode
    return KernelCall(
      template: "locallyconnected_backward_data",
      name: "\(context.context.group.name)_backward_data", title: "gradient of the input",
      layers: layerNames(context.context), constants: constants(context.forward),
      flags: flags(context.forward).merging(["adds": input.accumulates]) { $1 },
      texts: texts(context.forward), scalars: [input.placement.outerScalar],
      arguments: [
        weight(
          "weight", .read, context.buffers.parameter(node.parameters[0]), context.forward),
        context.outputGradient.argument(
          "d_y", .read, .scalar, names: ("K", "OH", "OW"),
          meaning: context.outputGradient.lanesText),
        input.placement.argument("d_x", input.accumulates ? .update : .write, .scalar),
      ], work: work(context.forward))
  }
}
