import ConvcIR
import ConvcLayers

/// Logistic regression σ(θᵀx + b): one dense layer with a sigmoid, the probability of the second of two classes.
///
/// - Input: points of the plane in the lectures' form; any features or images.
public enum Logistic {
  /// - Parameter input: extents of features or of an image.
  public static func model(input: [Int] = [2], outputs: Int = 1) -> Model {
    Model("logistic", input: input, loss: BinaryCrossEntropy(form: .probabilities)) {
      if input.count > 1 { Flatten() }
      Dense(outputs: outputs, initializer: .glorotUniform)
      Sigmoid()
    }
  }
}
