import ConvcIR
import ConvcLayers

/// Finds fifteen facial keypoints with one hidden layer: 9216–100–30 units, mean squared error.
///
/// - Input: grey images, 96x96 in the published form: 924,730 parameters.
/// - Output: two coordinates for each point.
public enum KeypointsNet1 {
  /// - Parameter input: extents of an image, `[C, H, W]`.
  public static func model(input: [Int] = [1, 96, 96], coordinates: Int = 30) -> Model {
    Model("keypoints_net1", input: input, loss: MeanSquaredError()) {
      if input.count > 1 { Flatten() }
      Dense(outputs: 100)
      ReLU()
      Dense(outputs: coordinates)
    }
  }
}
