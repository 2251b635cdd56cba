import ConvcIR
import ConvcLayers

/// A two-path network for brain tumours: small windows see detail, large ones the surroundings of the same pixel.
///
/// - Input: patches of 33x33 pixels in four sequences; of larger images it gives scores of all pixels with a full patch.
/// - Output: scores `[N, classes, H − 32, W − 32]`.
/// - Source: Havaei et al. 2017 (TwoPathCNN, and InputCascadeCNN), with ReLU in the place of maxout.
public enum TwoPath {
  /// - Parameter cascades: a second input `scores [classes, H, W]`, what another network gives for every pixel, stands
  ///   beside the image's channels.
  public static func model(
    channels: Int = 4, size: Size2D = 33, classes: Int = 5, cascades: Bool = false
  ) -> Model {
    Model(cascades ? "two_path_cascade" : "two_path") { graph in
      var image = graph.input("image", [channels, size.height, size.width])
      if cascades {
        image = image.concat(graph.input("scores", [classes, size.height, size.width]))
      }
      let local = image.conv2d(64, kernelSize: 7).relu().maxPool(4, stride: 1)
        .conv2d(64, kernelSize: 3).relu().maxPool(2, stride: 1)
      let surroundings = image.conv2d(160, kernelSize: 13).relu()
      graph.output("output", local.concat(surroundings).conv2d(classes, kernelSize: 21))
      graph.loss(SoftmaxCrossEntropy(), on: "output", target: "target")
    }
  }
}
