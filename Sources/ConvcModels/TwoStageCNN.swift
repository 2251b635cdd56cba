import ConvcIR
import ConvcLayers

/// Two convolutions with pooling and a dense layer: the first convolutional network that the lectures draw.
///
/// With one output it tells two classes apart by a sigmoid, with more it gives scores of classes.
public enum TwoStageCNN {
  public static func model(channels: Int = 1, size: Size2D = 28, classes: Int = 10) -> Model {
    let isSmall = min(size.height, size.width) < 16
    let kernel: Size2D = isSmall ? 3 : 5
    let padding = Padding(isSmall ? 1 : 0)
    return Model("two_stage_cnn") { graph in
      let maps = graph.input("image", [channels, size.height, size.width])
        .conv2d(8, kernelSize: kernel, padding: padding).relu().maxPool(2)
        .conv2d(16, kernelSize: kernel, padding: padding).relu().maxPool(2)
      let scores = maps.flatten().dense(classes)
      guard classes == 1 else {
        graph.output("output", scores)
        graph.loss(SoftmaxCrossEntropy(), on: "output", target: "target")
        return
      }
      graph.output("output", scores.sigmoid())
      graph.loss(
        BinaryCrossEntropy(form: .probabilities), on: "output", target: "target")
    }
  }
}
