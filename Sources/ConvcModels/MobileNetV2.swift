import ConvcIR
import ConvcLayers

/// MobileNetV2: seventeen inverted residuals of depthwise convolutions, with batch norm and ReLU6.
///
/// - Source: Sandler et al. 2018, table 2.
public enum MobileNetV2 {
  public static func model(channels: Int = 3, size: Size2D = 224, classes: Int = 1000) -> Model {
    Model("mobilenetv2") { graph in
      let image = graph.input("image", [channels, size.height, size.width])
      var x = image.conv2d(32, kernelSize: 3, stride: 2, padding: 1, bias: false).batchNorm()
        .relu6()
      var inputs = 32
      for stage in stages {
        for index in 0..<stage.depth {
          x = block(x, inputs, stage, stride: index == 0 ? stage.stride : 1)
          inputs = stage.maps
        }
      }
      let scores = x.conv2d(1280, kernelSize: 1, bias: false).batchNorm().relu6()
        .globalAveragePool().flatten().dense(classes)
      graph.output("output", scores)
      graph.loss(SoftmaxCrossEntropy(), on: "output", target: "target")
    }
  }

  /// Blocks of one width: the first has the stride.
  private struct Stage {
    let expansion: Int
    let maps: Int
    let depth: Int
    let stride: Int
  }

  private static let stages = [
    Stage(expansion: 1, maps: 16, depth: 1, stride: 1),
    Stage(expansion: 6, maps: 24, depth: 2, stride: 2),
    Stage(expansion: 6, maps: 32, depth: 3, stride: 2),
    Stage(expansion: 6, maps: 64, depth: 4, stride: 2),
    Stage(expansion: 6, maps: 96, depth: 3, stride: 1),
    Stage(expansion: 6, maps: 160, depth: 3, stride: 2),
    Stage(expansion: 6, maps: 320, depth: 1, stride: 1),
  ]

  /// Widens the maps, convolves each by itself, narrows them without an activation, and adds the input where it fits.
  private static func block(_ x: Value, _ inputs: Int, _ stage: Stage, stride: Int) -> Value {
    let width = inputs * stage.expansion
    let wide =
      stage.expansion == 1
      ? x : x.conv2d(width, kernelSize: 1, bias: false).batchNorm().relu6()
    let body = wide.conv2d(
      width, kernelSize: 3, stride: Size2D(stride), padding: 1, groups: width, bias: false
    ).batchNorm().relu6().conv2d(stage.maps, kernelSize: 1, bias: false).batchNorm()
    return stride == 1 && inputs == stage.maps ? body.add(x) : body
  }
}
