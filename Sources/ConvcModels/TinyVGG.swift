import ConvcIR
import ConvcLayers

/// A small VGG for 32x32 colour images: three stages of two 3x3 convolutions with batch norm.
///
/// - Source: Simonyan and Zisserman 2015, shortened, with batch norm (Ioffe and Szegedy 2015).
public enum TinyVGG {
  public static func model(channels: Int = 3, size: Size2D = 32, classes: Int = 10) -> Model {
    Model(
      "tinyvgg", input: [channels, size.height, size.width], loss: SoftmaxCrossEntropy()
    ) {
      for maps in [64, 128, 256] {
        for _ in 0..<2 {
          Conv2D(outputChannels: maps, kernelSize: 3, padding: 1, bias: false)
          BatchNorm2D()
          ReLU()
        }
        MaxPool2D(kernelSize: 2)
      }
      Flatten()
      Dense(outputs: 512)
      ReLU()
      Dropout(rate: 0.5)
      Dense(outputs: classes)
    }
  }
}
