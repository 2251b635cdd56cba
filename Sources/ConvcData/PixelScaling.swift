import ConvcIR

/// Turns pixels into the numbers that a network takes.
///
/// `(pixel · scale − mean[c]) / deviation[c]` has 256 values a channel: they are computed once.
public struct PixelScaling: Sendable {
  public let preprocessing: InputPreprocessing
  /// `[C][256]`.
  private let table: [Float]

  /// - Parameter channels: channels of an image.
  /// - Throws: a preprocessing for another number of channels.
  public init(_ preprocessing: InputPreprocessing, channels: Int) throws(DataError) {
    guard preprocessing.mean.count == channels, preprocessing.deviation.count == channels else {
      throw .channels(preprocessing: preprocessing.mean.count, images: channels)
    }
    self.preprocessing = preprocessing
    table = zip(preprocessing.mean, preprocessing.deviation).flatMap { mean, deviation in
      (0..<256).map { (Float($0) * preprocessing.scale - mean) / deviation }
    }
  }

  /// Writes images one after another, `[indices.count, C, H, W]`.
  ///
  /// - Parameters:
  ///   - indices: which of the images.
  ///   - destination: room for all of them.
  public func write(
    _ indices: some Sequence<Int>, of images: ImageSet, to destination: UnsafeMutablePointer<Float>
  ) {
    let channels = preprocessing.mean.count
    precondition(images.shape[0] == channels, "internal error: other channels than prepared for")
    let mapSize = images.imageSize / channels
    images.pixels.withUnsafeBufferPointer { pixels in
      table.withUnsafeBufferPointer { table in
        guard let source = pixels.baseAddress, let values = table.baseAddress else { return }
        var output = destination
        for index in indices {
          precondition(index >= 0 && index < images.count, "internal error: no image \(index)")
          for channel in 0..<channels {
            let map = source + index * images.imageSize + channel * mapSize
            Self.look(up: map, count: mapSize, in: values + 256 * channel, to: output)
            output += mapSize
          }
        }
      }
    }
  }

  /// A loop over addresses: builds without optimisation run it too.
  private static func look(
    up pixels: UnsafePointer<UInt8>, count: Int, in table: UnsafePointer<Float>,
    to output: UnsafeMutablePointer<Float>
  ) {
    var index = 0
    while index < count {
      output[index] = table[Int(pixels[index])]
      index &+= 1
    }
  }
}

extension PixelScaling {
  /// The preprocessing after which every channel has mean 0 and deviation 1 over `images`.
  ///
  /// A channel of a single value has deviation 0 and is divided by 1 instead.
  /// - Parameter maximum: the value of a white pixel, which is scaled to 1.
  public static func fit(_ images: ImageSet, maximum: UInt8 = 255) -> InputPreprocessing {
    let scale = 1 / Float(maximum)
    let channels = images.shape[0]
    let mapSize = images.imageSize / channels
    var mean: [Float] = []
    var deviation: [Float] = []
    for channel in 0..<channels {
      let counts = histogram(of: images, channel: channel, mapSize: mapSize)
      let total = Double(images.count * mapSize)
      // Sums of whole numbers are exact; the order of the images does not matter.
      let sum = counts.enumerated().reduce(0) { $0 + $1.offset * $1.element }
      let center = Double(sum) / total
      let variance = counts.enumerated().reduce(0.0) {
        let distance = Double($1.offset) - center
        return $0 + distance * distance * Double($1.element)
      }
      let spread = (variance / total).squareRoot()
      mean.append(Float(center * Double(scale)))
      deviation.append(spread > 0 ? Float(spread * Double(scale)) : 1)
    }
    return InputPreprocessing(scale: scale, mean: mean, deviation: deviation)
  }

  /// How often each pixel value occurs in a channel.
  private static func histogram(of images: ImageSet, channel: Int, mapSize: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: 256)
    counts.withUnsafeMutableBufferPointer { counts in
      images.pixels.withUnsafeBufferPointer { pixels in
        guard let source = pixels.baseAddress, let counts = counts.baseAddress else { return }
        for image in 0..<images.count {
          let map = source + image * images.imageSize + channel * mapSize
          var index = 0
          while index < mapSize {
            counts[Int(map[index])] &+= 1
            index &+= 1
          }
        }
      }
    }
    return counts
  }
}

extension Dataset {
  /// The preprocessing that its training images ask for, see ``PixelScaling/fit(_:maximum:)``.
  ///
  /// Of all training images, so that it does not depend on which are kept for validation.
  public func fittedPreprocessing() -> InputPreprocessing {
    PixelScaling.fit(train, maximum: pixelMaximum)
  }
}
