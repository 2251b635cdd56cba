import CPNG

/// A colour picture: rows of red, green and blue.
struct Picture {
  let width: Int
  let height: Int
  private(set) var bytes: [UInt8]

  struct FileError: Error, CustomStringConvertible {
    let description: String
  }

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    bytes = [UInt8](repeating: 0, count: 3 * width * height)
  }

  /// Reads a PNG file of any kind.
  init(png path: String) throws {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    guard png_image_begin_read_from_file(&image, path) != 0 else {
      throw FileError(description: "\(path) cannot be read: \(Self.message(image))")
    }
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    self.init(width: Int(image.width), height: Int(image.height))
    guard png_image_finish_read(&image, nil, &bytes, 0, nil) != 0 else {
      throw FileError(description: "\(path) cannot be read: \(Self.message(image))")
    }
  }

  func write(png path: String) throws {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(width)
    image.height = png_uint_32(height)
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    guard png_image_write_to_file(&image, path, 0, bytes, 0, nil) != 0 else {
      throw FileError(description: "\(path) cannot be written: \(Self.message(image))")
    }
  }

  private static func message(_ image: png_image) -> String {
    withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  subscript(x: Int, y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
    get {
      let place = 3 * (y * width + x)
      return (bytes[place], bytes[place + 1], bytes[place + 2])
    }
    set {
      let place = 3 * (y * width + x)
      (bytes[place], bytes[place + 1], bytes[place + 2]) = (
        newValue.red, newValue.green, newValue.blue
      )
    }
  }

  /// What a network reads: `[3, height, width]`, the picture scaled by bilinear interpolation.
  ///
  /// - Parameters:
  ///   - order: which of red, green and blue is channel 0, 1 and 2.
  ///   - mean, deviation: of each channel: a value becomes `(value - mean) / deviation`.
  func planes(
    width: Int, height: Int, order: [Int] = [0, 1, 2], mean: [Float], deviation: [Float]
  ) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(3 * width * height)
    let columns = (0..<width).map { Self.sample($0, of: width, from: self.width) }
    for (channel, color) in order.enumerated() {
      for y in 0..<height {
        let row = Self.sample(y, of: height, from: self.height)
        for column in columns {
          func value(_ x: Int, _ y: Int) -> Float { Float(bytes[3 * (y * self.width + x) + color]) }
          let top =
            value(column.first, row.first) * (1 - column.share)
            + value(column.second, row.first) * column.share
          let bottom =
            value(column.first, row.second) * (1 - column.share)
            + value(column.second, row.second) * column.share
          let mixed = top * (1 - row.share) + bottom * row.share
          result.append((mixed - mean[channel]) / deviation[channel])
        }
      }
    }
    return result
  }

  /// The two cells that a cell of a scaled axis mixes, and the second one's share; centres of cells stand at halves.
  private static func sample(
    _ index: Int, of count: Int, from source: Int
  ) -> (first: Int, second: Int, share: Float) {
    let place = (Float(index) + 0.5) * Float(source) / Float(count) - 0.5
    let first = min(max(Int(place.rounded(.down)), 0), source - 1)
    return (first, min(first + 1, source - 1), min(max(place - Float(first), 0), 1))
  }

  /// Draws a frame along the inside of a box.
  mutating func draw(_ box: Box, red: UInt8, green: UInt8, blue: UInt8, thickness: Int = 3) {
    let left = min(max(Int(box.left), 0), width - 1)
    let right = min(max(Int(box.right), 0), width - 1)
    let top = min(max(Int(box.top), 0), height - 1)
    let bottom = min(max(Int(box.bottom), 0), height - 1)
    guard left <= right, top <= bottom else { return }
    for y in top...bottom {
      for x in left...right
      where min(x - left, right - x, y - top, bottom - y) < thickness {
        self[x, y] = (red, green, blue)
      }
    }
  }
}
