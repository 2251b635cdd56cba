import ConvcIR
import ConvcLayers

/// Tells two grades of glioma apart from four magnetic resonance sequences: three stages of two convolutions.
///
/// - Input: four channels, 96x96 in the published form.
public enum Glioma {
  public static func model(channels: Int = 4, size: Size2D = 96, classes: Int = 2) -> Model {
    Model(
      "glioma", input: [channels, size.height, size.width], loss: SoftmaxCrossEntropy()
    ) {
      for maps in [32, 64, 128] {
        Conv2D(outputChannels: maps, kernelSize: 3)
        ReLU()
        Conv2D(outputChannels: maps, kernelSize: 3)
        ReLU()
        MaxPool2D(kernelSize: 2)
      }
      Flatten()
      Dense(outputs: 550)
      ReLU()
      Dropout(rate: 0.5)
      Dense(outputs: 550)
      ReLU()
      Dropout(rate: 0.5)
      Dense(outputs: classes)
    }
  }
}
