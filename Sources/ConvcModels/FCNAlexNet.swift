import ConvcIR
import ConvcLayers

/// A classifier turned into a segmentation network: its dense layers become convolutions over the coarse map.
///
/// Maps 96, 256, 384, 384, 256, 4096, 4096, classes; the scores of every 32nd pixel are brought to all by bilinear upsampling.
/// - Input: height and width are multiples of 32.
/// - Output: scores `[N, classes, H, W]`; the target is a label for each pixel.
/// - Source: Long et al. 2015 (FCN-32s on AlexNet), with paddings that keep sizes in the place of cropping.
public enum FCNAlexNet {
  public static func model(channels: Int = 3, size: Size2D = 224, classes: Int = 2) -> Model {
    let pool = Padding(top: 0, bottom: 1, left: 0, right: 1)
    return Model(
      "fcn_alexnet", input: [channels, size.height, size.width], loss: SoftmaxCrossEntropy()
    ) {
      Conv2D(
        outputChannels: 96, kernelSize: 11, stride: 4,
        padding: Padding(top: 3, bottom: 4, left: 3, right: 4))
      ReLU()
      MaxPool2D(kernelSize: 3, stride: 2, padding: pool)
      Conv2D(outputChannels: 256, kernelSize: 5, padding: 2)
      ReLU()
      MaxPool2D(kernelSize: 3, stride: 2, padding: pool)
      for maps in [384, 384, 256] {
        Conv2D(outputChannels: maps, kernelSize: 3, padding: 1)
        ReLU()
      }
      MaxPool2D(kernelSize: 3, stride: 2, padding: pool)
      Conv2D(
        outputChannels: 4096, kernelSize: 6,
        padding: Padding(top: 2, bottom: 3, left: 2, right: 3))
      ReLU()
      Dropout(rate: 0.5)
      Conv2D(outputChannels: 4096, kernelSize: 1)
      ReLU()
      Dropout(rate: 0.5)
      Conv2D(outputChannels: classes, kernelSize: 1)
      Upsample(factor: 32, interpolation: .bilinear)
    }
  }
}
