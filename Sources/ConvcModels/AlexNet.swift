import ConvcIR
import ConvcLayers

/// AlexNet: five convolutions, two of them in two groups after local response normalisation, three dense layers.
///
/// - Input: colour images, 227x227 in the published form: 60,965,224 parameters with 1000 classes.
/// - Source: Krizhevsky et al. 2012; the groups are its two processors, the input size that which its strides need.
public enum AlexNet {
  public static func model(channels: Int = 3, size: Size2D = 227, classes: Int = 1000) -> Model {
    Model(
      "alexnet", input: [channels, size.height, size.width], loss: SoftmaxCrossEntropy()
    ) {
      Conv2D(outputChannels: 96, kernelSize: 11, stride: 4)
      ReLU()
      LocalResponseNorm(across: .channels(5), alpha: 1e-4, beta: 0.75, kappa: 2, squares: .sum)
      MaxPool2D(kernelSize: 3, stride: 2)
      Conv2D(outputChannels: 256, kernelSize: 5, padding: 2, groups: 2)
      ReLU()
      LocalResponseNorm(across: .channels(5), alpha: 1e-4, beta: 0.75, kappa: 2, squares: .sum)
      MaxPool2D(kernelSize: 3, stride: 2)
      Conv2D(outputChannels: 384, kernelSize: 3, padding: 1)
      ReLU()
      Conv2D(outputChannels: 384, kernelSize: 3, padding: 1, groups: 2)
      ReLU()
      Conv2D(outputChannels: 256, kernelSize: 3, padding: 1, groups: 2)
      ReLU()
      MaxPool2D(kernelSize: 3, stride: 2)
      Flatten()
      for _ in 0..<2 {
        Dense(outputs: 4096)
        ReLU()
        Dropout(rate: 0.5)
      }
      Dense(outputs: classes)
    }
  }
}
