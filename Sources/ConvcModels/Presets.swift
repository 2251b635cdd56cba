import ConvcIR
import ConvcLayers

/// A network that is built in.
public struct Preset: Sendable {
  /// Name on the command line: `lenet5`.
  public let name: String
  /// What it is, in one line.
  public let summary: String
  /// Extents of an image that it is built for where nothing else is said: `[C, H, W]`.
  public let input: [Int]
  /// Makes the network for images `[C, H, W]` and a number of classes.
  public let make: @Sendable (_ input: [Int], _ classes: Int) -> Model

  /// All of them, by name.
  public static let all: [Preset] = [
    Preset(
      name: "lenet5", summary: "LeNet-5: two convolutions with pooling, three dense layers",
      input: [1, 28, 28]
    ) { input, classes in
      LeNet5.model(
        channels: input[0], size: Size2D(height: input[1], width: input[2]), classes: classes)
    },
    Preset(
      name: "resnet8-digits",
      summary: "residual network of three blocks with batch norm, for 8x8 digits",
      input: [1, 8, 8]
    ) { input, classes in
      ResNet8Digits.model(
        channels: input[0], size: Size2D(height: input[1], width: input[2]), classes: classes)
    },
  ]

  /// The preset of a name; nil where there is none.
  public static func named(_ name: String) -> Preset? { all.first { $0.name == name } }
}
