import Foundation

/// The size at which a tensor is drawn: a box as wide as it has channels, by their logarithm, and as high and deep as its
/// maps, by the root of their extents.
struct NetworkVolume {
  /// Width and height of the front.
  let width: Double
  let height: Double
  /// How far the back is shifted, right and up.
  let right: Double
  let up: Double

  var boundingWidth: Double { width + right }
  var boundingHeight: Double { height + up }

  /// - Parameters:
  ///   - shape: extents of one image's part: `[C, H, W]`, `[C, L]` or `[F]`.
  ///   - largest: the largest extent of a map in the network.
  init(_ shape: [Int], largest: Int, isPlate: Bool) {
    func extent(_ size: Int) -> Double {
      12 + 96 * (Double(size) / Double(max(1, largest))).squareRoot()
    }
    func logarithm(_ count: Int) -> Double { log2(Double(max(1, count))) }
    switch shape.count {
    case 3...:
      let channels = shape.dropLast(2).reduce(1, *)
      width = isPlate ? 5 : 7 + 5 * logarithm(channels)
      height = extent(shape[shape.count - 2])
      (right, up) = (extent(shape[shape.count - 1]) * 0.3, extent(shape[shape.count - 1]) * 0.22)
    case 2:
      width = isPlate ? 5 : 7 + 5 * logarithm(shape[0])
      height = extent(shape[1])
      (right, up) = (5, 4)
    default:
      width = isPlate ? 5 : 10
      height = min(112, 14 + 9 * logarithm(shape.first ?? 1))
      (right, up) = (5, 4)
    }
  }
}

/// A line of text in a picture, and the place that it takes.
struct NetworkText {
  enum Style: String {
    case title, fact, name, shape, settings, legend
    /// Pixels.
    var size: Double {
      switch self {
      case .title: 28
      case .fact: 15
      case .name: 13
      case .shape, .legend: 13
      case .settings: 11
      }
    }
    var isBold: Bool { self == .title || self == .name }
  }

  let text: String
  let style: Style
  /// Its left end, or its middle.
  let x: Double
  let baseline: Double
  let isCentered: Bool

  var width: Double { Self.width(of: text, style) }

  /// The rectangle that holds it.
  var box: (left: Double, top: Double, right: Double, bottom: Double) {
    let left = isCentered ? x - width / 2 : x
    return (left, baseline - 0.8 * style.size, left + width, baseline + 0.25 * style.size)
  }

  /// About the width that fonts without serifs give a text; rather more.
  static func width(of text: String, _ style: Style) -> Double {
    let units = text.unicodeScalars.reduce(0.0) { sum, scalar in
      switch scalar {
      case "i", "j", "l", "I", ".", ",", ":", ";", "'", "|", "!": sum + 0.3
      case "f", "t", "r", " ", "(", ")", "[", "]", "·", "-": sum + 0.4
      case "m", "w", "M", "W", "%", "@", "…": sum + 0.95
      case "A"..."Z": sum + 0.72
      case _ where scalar.value > 0x2E7F: sum + 1.1
      default: sum + 0.6
      }
    }
    return units * style.size * (style.isBold ? 1.06 : 1)
  }

  /// The text, or its beginning, as far as it fits.
  static func fitting(_ text: String, _ style: Style, in limit: Double) -> String {
    guard width(of: text, style) > limit else { return text }
    var short = text
    while !short.isEmpty, width(of: short + "…", style) > limit { short.removeLast() }
    return short + "…"
  }

  /// Settings in lines that fit, broken after commas, and between words where what stands between commas is too long;
  /// what does not fit into the last line is cut.
  static func lines(_ text: String, _ style: Style, in limit: Double, atMost count: Int) -> [String]
  {
    var lines: [String] = []
    let settings = text.split(separator: ", ")
    let parts = settings.enumerated().flatMap { index, setting in
      let part = index + 1 < settings.count ? setting + "," : String(setting)
      return width(of: part, style) <= limit ? [part] : part.split(separator: " ").map(String.init)
    }
    for part in parts {
      if let last = lines.last,
        width(of: last + " " + part, style) <= limit || lines.count == count
      {
        lines[lines.count - 1] = last + " " + part
      } else {
        lines.append(part)
      }
    }
    return lines.map { fitting($0, style, in: limit) }
  }
}
