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
  /// Classes, or outputs, where nothing else is said.
  public let classes: Int
  private let build: @Sendable (_ channels: Int, _ size: Size2D, _ classes: Int) -> Model

  private init(
    _ name: String, _ summary: String, input: [Int], classes: Int = 10,
    build: @escaping @Sendable (Int, Size2D, Int) -> Model
  ) {
    self.name = name
    self.summary = summary
    self.input = input
    self.classes = classes
    self.build = build
  }

  /// Makes the network for images `[C, H, W]` and a number of classes; nil: its own.
  public func make(_ input: [Int]? = nil, _ classes: Int? = nil) -> Model {
    let extents = input ?? self.input
    return build(
      extents[0], Size2D(height: extents[1], width: extents[2]), classes ?? self.classes)
  }

  /// All of them.
  public static let all: [Preset] = [
    Preset(
      "lenet5", "LeNet-5: two convolutions with pooling, three dense layers", input: [1, 28, 28]
    ) { LeNet5.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "resnet8-digits", "residual network of three blocks with batch norm, for 8x8 digits",
      input: [1, 8, 8]
    ) { ResNet8Digits.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "keypoints-net2", "facial keypoints: three convolutions with pooling, three dense layers",
      input: [1, 96, 96], classes: 30
    ) { KeypointsNet2.model(channels: $0, size: $1, coordinates: $2) },
    Preset(
      "glioma", "two grades of glioma: three stages of two convolutions, three dense layers",
      input: [4, 96, 96], classes: 2
    ) { Glioma.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "tinyvgg", "VGG with six convolutions and batch norm, for 32x32 images", input: [3, 32, 32]
    ) { TinyVGG.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "resnet18-cifar", "ResNet-18 for 32x32 images", input: [3, 32, 32]
    ) { ResNet.cifar18(channels: $0, size: $1, classes: $2) },
    Preset(
      "unet", "U-Net with batch norm: two classes for each pixel of 128x128 images",
      input: [1, 128, 128], classes: 2
    ) { UNet.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "resnet50", "ResNet-50 with bottlenecks, for 224x224 images", input: [3, 224, 224],
      classes: 1000
    ) { ResNet.resNet50(channels: $0, size: $1, classes: $2) },
    Preset(
      "vgg16", "VGG-16: thirteen convolutions, three dense layers", input: [3, 224, 224],
      classes: 1000
    ) { VGG16.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "mobilenetv2", "MobileNetV2: inverted residuals, depthwise convolutions; for 224x224 images",
      input: [3, 224, 224], classes: 1000
    ) { MobileNetV2.model(channels: $0, size: $1, classes: $2) },
  ]

  /// The preset of a name; nil where there is none.
  public static func named(_ name: String) -> Preset? { all.first { $0.name == name } }
}
