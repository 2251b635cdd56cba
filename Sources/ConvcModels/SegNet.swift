import ConvcIR
import ConvcLayers

/// An encoder and a decoder for segmentation: pooling hands its switches to the unpooling of the same level.
///
/// Levels of 2, 2, 3, 3 and 3 convolutions with batch norm, 64 to 512 maps, down and up again.
/// - Input: height and width are multiples of 32.
/// - Output: scores `[N, classes, H, W]`; the target is a label for each pixel.
/// - Source: Badrinarayanan et al. 2017, as Liu et al. 2018 took it for tissue in magnetic resonance images.
public enum SegNet {
  public static func model(channels: Int = 1, size: Size2D = 128, classes: Int = 2) -> Model {
    let levels = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
    return Model("segnet") { graph in
      var x = graph.input("image", [channels, size.height, size.width])
      var pooled: [Value] = []
      for (maps, depth) in levels {
        for _ in 0..<depth { x = block(x, maps) }
        x = x.maxPool(2)
        pooled.append(x)
      }
      for (level, (maps, depth)) in levels.enumerated().reversed() {
        x = x.unpool(like: pooled[level])
        for _ in 1..<depth { x = block(x, maps) }
        if level > 0 { x = block(x, levels[level - 1].0) }
      }
      graph.output("output", x.conv2d(classes, kernelSize: 3, padding: 1))
      graph.loss(SoftmaxCrossEntropy(), on: "output", target: "target")
    }
  }

  private static func block(_ x: Value, _ maps: Int) -> Value {
    x.conv2d(maps, kernelSize: 3, padding: 1, bias: false).batchNorm().relu()
  }
}
