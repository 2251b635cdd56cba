import ConvcIR
import ConvcLayers

/// VGG-16: thirteen 3x3 convolutions in five stages, three dense layers.
///
/// - Source: Simonyan and Zisserman 2015, configuration D.
public enum VGG16 {
  public static func model(channels: Int = 3, size: Size2D = 224, classes: Int = 1000) -> Model {
    Model("vgg16", input: [channels, size.height, size.width], loss: SoftmaxCrossEntropy()) {
      for (depth, maps) in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)] {
        for _ in 0..<depth {
          Conv2D(outputChannels: maps, kernelSize: 3, padding: 1)
          ReLU()
        }
        MaxPool2D(kernelSize: 2)
      }
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
