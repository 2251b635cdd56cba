import ConvcDigits

/// The data set that is built in: handwritten digits of 8x8 pixels.
enum Digits {
  static let size = 8
  static let trainCount = 1437
  static let testCount = 360
  static let pixelMaximum: UInt8 = 16
  static let attribution =
    "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak 1998, UCI, "
    + "doi 10.24432/C50P49, CC BY 4.0"

  /// The first images to train on, the last for the test.
  static func dataset() throws(DataError) -> Dataset {
    let (pixels, labels) = try images()
    let name = "the built-in digits"
    guard labels.count == trainCount + testCount else {
      preconditionFailure("internal error: \(labels.count) digits")
    }
    let border = trainCount * size * size
    let shape = [1, size, size]
    return try Dataset(
      name: "digits", attribution: attribution, classNames: (0..<10).map(String.init),
      pixelMaximum: pixelMaximum,
      train: ImageSet(
        name: name, shape: shape, pixels: Array(pixels[..<border]),
        labels: Array(labels[..<trainCount])),
      test: ImageSet(
        name: name, shape: shape, pixels: Array(pixels[border...]),
        labels: Array(labels[trainCount...])))
  }

  /// Reads the lines: 64 pixels and a digit, separated by commas.
  private static func images() throws(DataError) -> (pixels: [UInt8], labels: [Int32]) {
    let file = UnsafeBufferPointer(start: convc_digits_bytes(), count: convc_digits_count())
    let text = try GzipReader.unpacked(file, name: "the built-in digits")
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    pixels.reserveCapacity((trainCount + testCount) * size * size)
    text.withUnsafeBufferPointer { text in
      var value: UInt8 = 0
      for byte in text {
        switch byte {
        case UInt8(ascii: "\n"):
          labels.append(Int32(value))
          value = 0
        case UInt8(ascii: ","):
          pixels.append(value)
          value = 0
        default: value = 10 * value + (byte - UInt8(ascii: "0"))
        }
      }
    }
    return (pixels, labels)
  }
}
