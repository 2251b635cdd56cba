import Glibc

/// A chart of lines as SVG. Colours come from the page's classes, so it follows light and dark.
struct LineChart {
  struct Series {
    let name: String
    /// `train` or `validation`.
    let className: String
    let points: [(x: Double, y: Double)]
  }

  let title: String
  let xLabel: String
  let series: [Series]
  /// A place on the x axis with a name.
  var mark: (x: Double, name: String)?
  /// Text of a value on the y axis, given the number of decimals that the axis needs.
  let text: (Double, Int) -> String
  /// Values beyond which the y axis does not go.
  var limits: ClosedRange<Double> = 0...Double.infinity

  private static let width = 520.0
  private static let height = 300.0
  private static let left = 58.0
  private static let right = 14.0
  private static let top = 44.0
  private static let bottom = 46.0

  /// The SVG element.
  var svg: String {
    let points = series.flatMap(\.points)
    guard let x = Axis(points.map(\.x), wanted: 8, isWhole: true, limits: 0...Double.infinity),
      let y = Axis(points.map(\.y), wanted: 5, isWhole: false, limits: limits)
    else { return "" }
    var parts = [
      "<svg class=\"chart\" viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" "
        + "aria-label=\"\(HTML.escaped(title))\">"
    ]
    parts.append("<text class=\"title\" x=\"0\" y=\"16\">\(HTML.escaped(title))</text>")
    parts += legend()
    parts += grid(x, y)
    if let mark, x.low <= mark.x, mark.x <= x.high { parts += marked(mark, x) }
    parts += series.flatMap { lines(of: $0, x, y) }
    parts.append("</svg>")
    return parts.joined(separator: "\n")
  }

  private func legend() -> [String] {
    guard series.count > 1 else { return [] }
    var parts: [String] = []
    var end = Self.width - Self.right
    for line in series.reversed() {
      let start = end - Double(line.name.count) * 6.6
      parts.append(
        "<text class=\"legend\" x=\"\(Self.number(end))\" y=\"16\">\(HTML.escaped(line.name))</text>"
      )
      parts.append(
        "<path class=\"line \(line.className)\" d=\"M\(Self.number(start - 26)) 12h18\"/>")
      end = start - 40
    }
    return parts
  }

  private func grid(_ x: Axis, _ y: Axis) -> [String] {
    let right = Self.number(Self.width - Self.right)
    var parts: [String] = []
    for tick in y.ticks {
      let place = Self.number(Self.place(y: tick, y))
      parts.append("<path class=\"grid\" d=\"M\(Self.number(Self.left)) \(place)H\(right)\"/>")
      parts.append(
        "<text class=\"tick y\" x=\"\(Self.number(Self.left - 8))\" y=\"\(place)\">"
          + "\(HTML.escaped(text(tick, y.decimals)))</text>")
    }
    let base = Self.height - Self.bottom
    parts.append(
      "<path class=\"axis\" d=\"M\(Self.number(Self.left)) \(Self.number(base))H\(right)\"/>")
    for tick in x.ticks {
      let place = Self.number(Self.place(x: tick, x))
      parts.append("<path class=\"axis\" d=\"M\(place) \(Self.number(base))v5\"/>")
      parts.append(
        "<text class=\"tick x\" x=\"\(place)\" y=\"\(Self.number(base + 19))\">"
          + "\(NumberText.grouped(Int(tick)))</text>")
    }
    let middle = Self.number((Self.left + Self.width - Self.right) / 2)
    parts.append(
      "<text class=\"label\" x=\"\(middle)\" y=\"\(Self.number(Self.height - 6))\">"
        + "\(HTML.escaped(xLabel))</text>")
    return parts
  }

  private func marked(_ mark: (x: Double, name: String), _ x: Axis) -> [String] {
    let place = Self.place(x: mark.x, x)
    let isLate = mark.x > (x.low + x.high) / 2
    return [
      "<path class=\"mark\" d=\"M\(Self.number(place)) \(Self.number(Self.top - 8))"
        + "V\(Self.number(Self.height - Self.bottom))\"/>",
      "<text class=\"tick mark\" x=\"\(Self.number(place + (isLate ? -5 : 5)))\" "
        + "y=\"\(Self.number(Self.top - 2))\" text-anchor=\"\(isLate ? "end" : "start")\">"
        + "\(HTML.escaped(mark.name))</text>",
    ]
  }

  private func lines(of line: Series, _ x: Axis, _ y: Axis) -> [String] {
    let places = line.points.map {
      (x: Self.number(Self.place(x: $0.x, x)), y: Self.number(Self.place(y: $0.y, y)))
    }
    guard let first = places.first else { return [] }
    let rest = places.dropFirst().map { "L\($0.x) \($0.y)" }.joined()
    var parts = [
      "<path class=\"line \(line.className)\" d=\"M\(first.x) \(first.y)\(rest)\"/>"
    ]
    // Dots on many points would hide the line.
    guard places.count <= 40 else { return parts }
    for (place, point) in zip(places, line.points) {
      let words = "\(xLabel) \(Int(point.x)), \(line.name): \(text(point.y, y.decimals + 2))"
      parts.append(
        "<circle class=\"dot \(line.className)\" cx=\"\(place.x)\" cy=\"\(place.y)\" r=\"3\">"
          + "<title>\(HTML.escaped(words))</title></circle>")
    }
    return parts
  }

  private static func place(x value: Double, _ axis: Axis) -> Double {
    left + (width - left - right) * axis.share(value)
  }

  private static func place(y value: Double, _ axis: Axis) -> Double {
    height - bottom - (height - top - bottom) * axis.share(value)
  }

  private static func number(_ value: Double) -> String {
    let text = NumberText.fixed(value, 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

/// An axis with round ticks.
struct Axis {
  let low: Double
  let high: Double
  let ticks: [Double]
  /// Decimals that tell neighbouring ticks apart.
  let decimals: Int

  /// An axis that holds all of `values`; nil without any.
  ///
  /// - Parameters:
  ///   - wanted: about how many ticks.
  ///   - isWhole: ticks are whole numbers, and the axis ends where the values do.
  ///   - limits: values beyond which the axis does not go.
  init?(_ values: [Double], wanted: Int, isWhole: Bool, limits: ClosedRange<Double>) {
    guard let least = values.min(), let most = values.max(), least.isFinite, most.isFinite else {
      return nil
    }
    let span = most > least ? most - least : max(abs(most), 1) * (isWhole ? 1 : 0.1)
    var step = Self.roundStep(span / Double(max(1, wanted)))
    if isWhole { step = max(1, step) }
    let first = isWhole ? least : max(limits.lowerBound, (least / step).rounded(.down) * step)
    let last =
      isWhole ? max(most, least + 1) : min(limits.upperBound, (most / step).rounded(.up) * step)
    (low, high) = (first, last > first ? last : first + step)
    // Multiples of the step by whole numbers: sums of it would drift.
    let range = Int((low / step - 1e-9).rounded(.up))...Int((high / step + 1e-9).rounded(.down))
    ticks = range.map { Double($0) * step }
    decimals = step >= 1 ? 0 : Int((-log10(step) - 1e-9).rounded(.up))
  }

  /// The least of 1, 2, 5 times a power of ten that is not below `step`.
  private static func roundStep(_ step: Double) -> Double {
    let power = pow(10, floor(log10(step)))
    let factors: [Double] = [1, 2, 5, 10]
    return power * (factors.first { $0 * power >= step * (1 - 1e-9) } ?? 10)
  }

  /// Where a value stands: 0 at the low end, 1 at the high end.
  func share(_ value: Double) -> Double { (value - low) / (high - low) }
}
