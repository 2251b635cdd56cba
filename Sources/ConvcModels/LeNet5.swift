import ConvcIR
import ConvcLayers

/// LeNet-5 as the lectures have it: two convolutions with pooling, three dense layers.
///
/// - Source: LeCun et al. 1998, with ReLU and maximum pooling in the place of sigmoids and sub-sampling.
public enum LeNet5 {
  /// - Parameters:
  ///   - channels: channels of an image.
  ///   - size: height and width of an image. The first layer pads images of 28 pixels to 32, as in the paper; images
  ///     under 16 pixels are too small for two 5x5 convolutions and get 3x3 ones with padding instead.
  ///   - classes: outputs.
  public static func model(channels: Int = 1, size: Size2D = 28, classes: Int = 10) -> Model {
    let isSmall = min(size.height, size.width) < 16
    let isLarge = min(size.height, size.width) >= 32
    let kernel: Size2D = isSmall ? 3 : 5
    return Model(
      "lenet5", input: [channels, size.height, size.width], loss: SoftmaxCrossEntropy()
    ) {
      Conv2D(outputChannels: 6, kernelSize: kernel, padding: isSmall ? 1 : isLarge ? 0 : 2)
      ReLU()
      MaxPool2D(kernelSize: 2)
      Conv2D(outputChannels: 16, kernelSize: kernel, padding: isSmall ? 1 : 0)
      ReLU()
      MaxPool2D(kernelSize: 2)
      Flatten()
      Dense(outputs: 120)
      ReLU()
      Dense(outputs: 84)
      ReLU()
      Dense(outputs: classes)
    }
  }
}
