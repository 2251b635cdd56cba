import ConvcIR
import ConvcLayers

/// A U-Net that gives every pixel a class: three levels down to a bottom of 256 channels, and up again.
///
/// A level has two 3x3 convolutions with padding and batch norm; the way up doubles the maps by a transposed convolution
/// and reads the level's maps of the way down beside them.
/// - Input: height and width are multiples of 8.
/// - Output: scores `[N, classes, H, W]`; the target is a label for each pixel.
/// - Source: Ronneberger et al. 2015, smaller, with padding and batch norm.
public enum UNet {
  public static func model(channels: Int = 1, size: Size2D = 128, classes: Int = 2) -> Model {
    Model("unet") { graph in
      var x = graph.input("image", [channels, size.height, size.width])
      var skips: [Value] = []
      for maps in [32, 64, 128] {
        let level = double(x, maps)
        skips.append(level)
        x = level.maxPool(2)
      }
      x = double(x, 256)
      for (maps, skip) in zip([32, 64, 128], skips).reversed() {
        x = double(skip.concat(x.convTranspose2d(maps, kernelSize: 2, stride: 2)), maps)
      }
      graph.output("output", x.conv2d(classes, kernelSize: 1))
      graph.loss(SoftmaxCrossEntropy(), on: "output", target: "target")
    }
  }

  private static func double(_ x: Value, _ maps: Int) -> Value {
    x.conv2d(maps, kernelSize: 3, padding: 1, bias: false).batchNorm().relu()
      .conv2d(maps, kernelSize: 3, padding: 1, bias: false).batchNorm().relu()
  }
}
