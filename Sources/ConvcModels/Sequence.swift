import ConvcIR
import ConvcLayers

/// One 1-D convolution of the lectures' first figures: five inputs, three shared weights, three outputs for each filter.
public enum Sequence {
  /// - Parameter input: channels and length.
  public static func model(input: [Int] = [1, 5], filters: Int = 1) -> Model {
    Model("sequence", input: input, loss: MeanSquaredError()) {
      Conv1D(outputChannels: filters, kernelSize: 3, bias: false)
    }
  }
}
