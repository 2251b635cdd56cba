import ConvcIR
import ConvcLayers

/// Finds fifteen facial keypoints: three convolutions with pooling, three dense layers, mean squared error.
///
/// - Input: grey images, 96x96 in the published form.
/// - Output: two coordinates for each point.
public enum KeypointsNet2 {
  public static func model(channels: Int = 1, size: Size2D = 96, coordinates: Int = 30) -> Model {
    Model(
      "keypoints_net2", input: [channels, size.height, size.width], loss: MeanSquaredError()
    ) {
      Conv2D(outputChannels: 32, kernelSize: 3)
      ReLU()
      MaxPool2D(kernelSize: 2)
      Conv2D(outputChannels: 64, kernelSize: 2)
      ReLU()
      MaxPool2D(kernelSize: 2)
      Conv2D(outputChannels: 128, kernelSize: 2)
      ReLU()
      MaxPool2D(kernelSize: 2)
      Flatten()
      Dense(outputs: 500)
      ReLU()
      Dense(outputs: 500)
      ReLU()
      Dense(outputs: coordinates)
    }
  }
}
