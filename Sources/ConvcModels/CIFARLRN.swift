import ConvcIR
import ConvcLayers

/// The CIFAR-10 example of the lectures: 5x5 convolution, ReLU, overlapping pooling, local response normalisation, twice more.
///
/// Pooling 3x3 with stride 2 does not fit 32 pixels: one row and one column of padding at the end give 16.
/// - Source: Krizhevsky's cuda-convnet, layers-18pct.
public enum CIFARLRN {
  public static func model(channels: Int = 3, size: Size2D = 32, classes: Int = 10) -> Model {
    let end = Padding(top: 0, bottom: 1, left: 0, right: 1)
    return Model(
      "cifar_lrn", input: [channels, size.height, size.width], loss: SoftmaxCrossEntropy()
    ) {
      Conv2D(outputChannels: 32, kernelSize: 5, padding: 2)
      ReLU()
      MaxPool2D(kernelSize: 3, stride: 2, padding: end)
      LocalResponseNorm(across: .channels(3), alpha: 5e-5)
      Conv2D(outputChannels: 32, kernelSize: 5, padding: 2)
      ReLU()
      AveragePool2D(kernelSize: 3, stride: 2, padding: end)
      LocalResponseNorm(across: .channels(3), alpha: 5e-5)
      Conv2D(outputChannels: 64, kernelSize: 5, padding: 2)
      ReLU()
      AveragePool2D(kernelSize: 3, stride: 2, padding: end)
      Flatten()
      Dense(outputs: classes)
    }
  }
}
