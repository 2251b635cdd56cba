import ConvcIR
import ConvcLayers

/// A residual network for 8x8 digits: a stem and three blocks of 16, 32 and 64 channels.
///
/// The second and third block halve the map; a 1x1 convolution with stride 2 brings the shortcut to the same shape.
/// - Source: He et al. 2015, section 4.2, with one block a stage.
public enum ResNet8Digits {
  public static func model(channels: Int = 1, size: Size2D = 8, classes: Int = 10) -> Model {
    Model("resnet8_digits") { graph in
      let image = graph.input("image", [channels, size.height, size.width])
      var x = image.conv2d(16, kernelSize: 3, padding: 1, bias: false).batchNorm().relu()
      x = block(x, channels: 16, stride: 1, projects: false)
      x = block(x, channels: 32, stride: 2, projects: true)
      x = block(x, channels: 64, stride: 2, projects: true)
      graph.output("output", x.globalAveragePool().flatten().dense(classes))
      graph.loss(SoftmaxCrossEntropy(), on: "output", target: "target")
    }
  }

  private static func block(_ x: Value, channels: Int, stride: Int, projects: Bool) -> Value {
    let body = x.conv2d(
      channels, kernelSize: 3, stride: Size2D(stride), padding: 1, bias: false
    ).batchNorm().relu().conv2d(channels, kernelSize: 3, padding: 1, bias: false).batchNorm()
    let shortcut =
      projects
      ? x.conv2d(channels, kernelSize: 1, stride: Size2D(stride), bias: false).batchNorm() : x
    return body.add(shortcut).relu()
  }
}
