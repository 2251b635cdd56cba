import ConvcIR
import ConvcReference

/// What a convolution multiplies with what.
public enum ConvolutionKernel: String, Sendable, Hashable, CaseIterable {
  /// Tap `[r, s]` meets the cell `[i + r, j + s]`: what networks call convolution.
  case correlation
  /// Tap `[r, s]` meets the cell `[i − r, j − s]` of the window's last one on: true convolution.
  case flipped
}

/// Weights with the taps of each kernel in reverse order.
struct FlippedKernel: WeightDerivation {
  let taps: Int

  private func constants(_ context: ForwardContext) -> [ConstantRow] {
    [
      ConstantRow(
        [Constant("KERNELS", context.weightSpec.count / taps), Constant("TAPS", taps)],
        comment: "kernels, and taps of one")
    ]
  }

  private func argument(
    _ name: String, _ access: Access, _ buffer: Buffer.ID, _ context: ForwardContext
  ) -> Argument {
    let extents = context.weightSpec.shape.map(String.init).joined(separator: ", ")
    return Argument(
      name, element: "float", access: access, buffer: buffer, dimensions: ["TAPS"],
      text: "[\(extents)]")
  }

  private func work(_ context: ForwardContext) -> Work {
    Work(flops: 0, bytes: Double(context.weightSpec.count * 8), efficiency: 0.1)
  }

  func weight(_ context: ForwardContext, part: String) -> (buffer: Buffer.ID, calls: [KernelCall]) {
    let node = context.anchorNode
    let source = context.buffers.masterParameter(node.parameters[0])
    let bytes = context.weightSpec.count * 4
    let buffer = context.buffers.packed("\(node.name).weight.flipped", bytes: bytes) { packed in
      KernelCall(
        template: "conv2d_flip", name: "\(node.name)_weight_flip",
        title: "kernels with their taps in reverse order", layers: [node.name],
        constants: constants(context), flags: ["adds": false], scalars: [],
        arguments: [
          argument("x", .read, source, context), argument("y", .write, packed, context),
        ], work: work(context))
    }
    return (buffer, [])
  }

  func gradient(_ context: BackwardContext, from derived: Buffer.ID) -> KernelCall {
    let node = context.forward.anchorNode
    return KernelCall(
      template: "conv2d_flip", name: "\(context.context.group.name)_backward_weight_flip",
      title: "gradient of the weight: that of the flipped kernels with their taps in reverse order",
      layers: layerNames(context.context), constants: constants(context.forward),
      flags: ["adds": true], scalars: [.accumulate],
      arguments: [
        argument("x", .read, derived, context.forward),
        argument("y", .update, context.buffers.gradient(node.parameters[0]), context.forward),
      ], work: work(context.forward))
  }

  /// The same for the reference; its own reverse.
  func flipped(_ weight: DoubleTensor) -> DoubleTensor {
    let result = DoubleTensor(shape: weight.shape)
    for i in 0..<weight.count {
      result.address[i] = weight.address[i / taps * taps + taps - 1 - i % taps]
    }
    return result
  }
}
