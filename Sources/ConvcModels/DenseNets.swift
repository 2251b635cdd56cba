import ConvcIR
import ConvcLayers

/// Networks of dense layers with sigmoids: σ(W₂ σ(W₁ x)).
///
/// Sizes of the lectures' figures: 3–4–2 units, 26 parameters, and 3–4–4–1 units, 41 parameters.
public enum DenseNets {
  /// One hidden layer of four units.
  ///
  /// - Parameter input: extents of features or of an image.
  public static func twoLayers(input: [Int] = [3], outputs: Int = 2) -> Model {
    model("two_layer", input: input, hidden: [4], outputs: outputs)
  }

  /// Two hidden layers of four units.
  public static func threeLayers(input: [Int] = [3], outputs: Int = 1) -> Model {
    model("three_layer", input: input, hidden: [4, 4], outputs: outputs)
  }

  private static func model(_ name: String, input: [Int], hidden: [Int], outputs: Int) -> Model {
    Model(name, input: input, loss: MeanSquaredError()) {
      if input.count > 1 { Flatten() }
      for units in hidden + [outputs] {
        Dense(outputs: units, initializer: .glorotUniform)
        Sigmoid()
      }
    }
  }
}
