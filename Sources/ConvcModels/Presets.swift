import ConvcIR
import ConvcLayers

/// A network that is built in.
public struct Preset: Sendable {
  /// Name on the command line: `lenet5`.
  public let name: String
  /// What it is, in one line.
  public let summary: String
  /// Extents of an image that it is built for where nothing else is said: `[C, H, W]`, `[C, L]` or `[F]`.
  public let input: [Int]
  /// Classes, or outputs, where nothing else is said.
  public let classes: Int
  private let build: @Sendable (_ input: [Int], _ classes: Int) -> Model

  /// A network of features, sequences or images.
  private init(
    _ name: String, _ summary: String, anyInput: [Int], classes: Int,
    build: @escaping @Sendable (_ input: [Int], _ classes: Int) -> Model
  ) {
    self.name = name
    self.summary = summary
    input = anyInput
    self.classes = classes
    self.build = build
  }

  /// A network of images.
  private init(
    _ name: String, _ summary: String, input: [Int], classes: Int = 10,
    build: @escaping @Sendable (_ channels: Int, _ size: Size2D, _ classes: Int) -> Model
  ) {
    self.init(name, summary, anyInput: input, classes: classes) { extents, classes in
      // Missing extents become 1: the layers say what they expect.
      let image = extents + [1, 1, 1]
      return build(image[0], Size2D(height: image[1], width: image[2]), classes)
    }
  }

  /// Makes the network for inputs `[C, H, W]`, or as ``input`` has it, and a number of classes; nil: its own.
  public func make(_ input: [Int]? = nil, _ classes: Int? = nil) -> Model {
    build(input ?? self.input, classes ?? self.classes)
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
    Preset(
      "keypoints-net1", "facial keypoints: one hidden layer of 100 units", anyInput: [1, 96, 96],
      classes: 30
    ) { KeypointsNet1.model(input: $0, coordinates: $1) },
    Preset(
      "alexnet", "AlexNet: five convolutions, local response normalisation, three dense layers",
      input: [3, 227, 227], classes: 1000
    ) { AlexNet.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "cifar-lrn", "three 5x5 convolutions with overlapping pooling and response normalisation",
      input: [3, 32, 32]
    ) { CIFARLRN.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "two-path", "two paths of small and large windows, for 33x33 patches of brain images",
      input: [4, 33, 33], classes: 5
    ) { TwoPath.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "resnet20-cifar", "ResNet-20 for 32x32 images: shortcuts without parameters",
      input: [3, 32, 32]
    ) { ResNet.cifar20(channels: $0, size: $1, classes: $2) },
    Preset(
      "fcn15", "fifteen convolutions with mean-variance normalisation: a class for each pixel",
      input: [1, 128, 128], classes: 2
    ) { FCN15.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "fcn-alexnet", "AlexNet's layers as convolutions: a class for each pixel",
      input: [3, 224, 224], classes: 2
    ) { FCNAlexNet.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "segnet", "encoder and decoder with pooling switches: a class for each pixel",
      input: [1, 128, 128], classes: 2
    ) { SegNet.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "two-stage-cnn", "two convolutions with pooling and a dense layer; one class: a sigmoid",
      input: [1, 28, 28]
    ) { TwoStageCNN.model(channels: $0, size: $1, classes: $2) },
    Preset(
      "sequence", "one convolution of a sequence; --classes says how many filters",
      anyInput: [1, 5], classes: 1
    ) { Sequence.model(input: $0, filters: $1) },
    Preset(
      "logistic", "one dense layer with a sigmoid: logistic regression", anyInput: [2], classes: 1
    ) { Logistic.model(input: $0, outputs: $1) },
    Preset(
      "linear", "one dense layer: linear regression, or with --classes a linear classifier",
      anyInput: [3, 24, 24], classes: 1
    ) { Linear.model(input: $0, outputs: $1) },
    Preset(
      "two-layer", "dense layers of 3, 4 and 2 units with sigmoids", anyInput: [3], classes: 2
    ) { DenseNets.twoLayers(input: $0, outputs: $1) },
    Preset(
      "three-layer", "dense layers of 3, 4, 4 and 1 units with sigmoids", anyInput: [3],
      classes: 1
    ) { DenseNets.threeLayers(input: $0, outputs: $1) },
  ]

  /// The preset of a name; nil where there is none.
  public static func named(_ name: String) -> Preset? { all.first { $0.name == name } }
}
