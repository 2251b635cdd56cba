import ConvcIR
import ConvcLayers

/// A fully convolutional network of fifteen convolutions with mean-variance normalisation, for the heart in short-axis slices.
///
/// Stages of 2, 4, 4 and 4 convolutions 3x3 with 32, 64, 128 and 256 maps, a 1x1 convolution to scores, and bilinear
/// upsampling to all pixels.
/// - Input: height and width are multiples of 8; images read from DICOM files elsewhere.
/// - Output: scores `[N, classes, H, W]`; the target is a label for each pixel.
/// - Source: after Tran 2016, with fewer maps and without its crops.
public enum FCN15 {
  public static func model(channels: Int = 1, size: Size2D = 128, classes: Int = 2) -> Model {
    Model("fcn15", input: [channels, size.height, size.width], loss: SoftmaxCrossEntropy()) {
      for (stage, (maps, depth)) in [(32, 2), (64, 4), (128, 4), (256, 4)].enumerated() {
        if stage > 0 { MaxPool2D(kernelSize: 2) }
        for _ in 0..<depth {
          Conv2D(outputChannels: maps, kernelSize: 3, padding: 1)
          ReLU()
          MeanVarianceNorm()
        }
      }
      Conv2D(outputChannels: classes, kernelSize: 1)
      Upsample(factor: 8, interpolation: .bilinear)
    }
  }
}
