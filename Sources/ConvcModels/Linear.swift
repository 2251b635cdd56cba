import ConvcIR
import ConvcLayers

/// One dense layer: linear regression, and the linear classifier that larger networks have to beat.
///
/// - Input: images or features. A 24x24 colour image has 1,728 features, whose weights can be looked at as an image.
/// - Output: one value with least squares, or scores of classes with cross-entropy where there are several.
public enum Linear {
  /// - Parameter input: extents of an image or of features.
  public static func model(input: [Int] = [3, 24, 24], outputs: Int = 1) -> Model {
    let loss: any Loss = outputs == 1 ? MeanSquaredError() : SoftmaxCrossEntropy()
    return Model("linear", input: input, loss: loss) {
      if input.count > 1 { Flatten() }
      Dense(outputs: outputs, initializer: .glorotUniform)
    }
  }
}
