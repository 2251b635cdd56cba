import ConvcIR

/// Parts of the gradient by the weights of a convolution that max pooling follows, channels in lanes, and the kernel that
/// adds them.
///
/// Of the cells in a pooling window the winner alone has a gradient. Kernels with the channels of a pixel in lanes look up
/// where it lies and leave the other cells out; for windows of 2x2 that is three multiply-adds of four.
struct WinnerSums {
  let layer: Conv2D
  let context: ForwardContext
  /// Maps, channels, and taps of one channel.
  let maps: Int, channels: Int, taps: Int
  /// Parts that images are cut into.
  let chunks: Int
  /// How many images, or vectors of them, there are.
  let images: Scalar

  private let lanes: Int, blocks: Int
  private let parts: Buffer.ID
  private let biasParts: Buffer.ID

  init(
    layer: Conv2D, context: ForwardContext, maps: Int, channels: Int, taps: Int, chunks: Int,
    images: Scalar
  ) {
    self.layer = layer
    self.context = context
    self.maps = maps
    self.channels = channels
    self.taps = taps
    self.chunks = chunks
    self.images = images
    lanes = context.context.target.lanes
    blocks = (channels + lanes - 1) / lanes
    let name = context.context.group.name
    parts = context.buffers.arena(
      "\(name)_parts", bytes: chunks * maps * blocks * taps * 4 * lanes)
    biasParts = context.buffers.arena("\(name)_bias_parts", bytes: chunks * maps * 4)
  }

  /// What the kernel that makes them does.
  var title: String {
    (layer.hasBias ? "gradients of weight and bias" : "gradient of the weight") + ", in parts"
  }

  /// The parts as a kernel with constants of these names sees them.
  func arguments(_ access: Access, maps: String, blocks: String, taps: String) -> [Argument] {
    let weights = Argument(
      "parts", element: "lanes", access: access, buffer: parts,
      dimensions: [maps, blocks, taps],
      text: "[\(chunks), \(self.maps), \(self.blocks), \(self.taps), \(lanes)]  channels in lanes")
    let bias = Argument(
      "bias_parts", element: "float", access: access, buffer: biasParts, dimensions: [maps],
      text: "[\(chunks), \(self.maps)]")
    return layer.hasBias ? [weights, bias] : [weights]
  }

  /// Adds the parts in the order of the chunks.
  func sum(_ backward: BackwardContext) -> KernelCall {
    let gradients = layer.gradientArguments(backward).map { argument in
      argument.name == "d_weight"
        ? Argument(
          "d_weight", element: "float", access: .update, buffer: argument.buffer,
          dimensions: ["C", "TAPS"], text: argument.text) : argument
    }
    let bytes = Double(chunks * maps * blocks * lanes * taps * 4)
    return KernelCall(
      template: "conv2d_winners_weight_sum",
      name: "\(context.context.group.name)_backward_weight_sum",
      title: "adds the parts of the weight gradient in the order of the chunks",
      layers: layerNames(context.context),
      constants: [
        ConstantRow([
          Constant("K", maps), Constant("C", channels), Constant("BLOCKS", blocks),
          Constant("TAPS", taps), Constant("CHUNKS", chunks),
        ])
      ], flags: ["bias": layer.hasBias], texts: ["images": images.rawValue],
      scalars: [images, .accumulate],
      arguments: arguments(.read, maps: "K", blocks: "BLOCKS", taps: "TAPS") + gradients,
      work: Work(flops: bytes / 4, bytes: bytes, efficiency: 0.1))
  }
}
