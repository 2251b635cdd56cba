import ConvcIR
import ConvcLayers
import ConvcReference

/// An activation and its derivative as a picture.
public struct ActivationChart: Sendable {
  /// Name of the layer.
  public let title: String
  private let activation: any ReferenceActivation

  /// The chart of a layer of the registry; nil: it is no function of single values.
  ///
  /// - Parameter layer: `Sigmoid()`, `ELU(alpha: 0.5)`.
  public init?(_ layer: any Layer) {
    guard let activation = layer as? any ReferenceActivation else { return nil }
    self.activation = activation
    title = "\(type(of: layer))"
  }

  /// Layers that have a chart, by the names of the registry.
  public static var names: [String] {
    LayerRegistry.layers.filter { $0 is any ReferenceActivation.Type }.map { $0.registeredName }
  }

  /// The usual example of the layer of a name, in upper or lower case; nil where there is none.
  public init?(named name: String) {
    let layer = LayerRegistry.layers.first {
      $0.registeredName.lowercased() == name.lowercased() && $0 is any ReferenceActivation.Type
    }
    guard let example = layer?.examples.first else { return nil }
    self.init(example.layer)
  }

  /// Values and derivatives at the whole numbers from −4 to 4.
  public var points: [(x: Double, value: Double, derivative: Double)] {
    (-4...4).map { (Double($0), activation.value(Double($0)), activation.derivative(Double($0))) }
  }

  private static let width = 560.0
  private static let height = 360.0
  private static let reach = 5.0

  /// An SVG document: the function and its derivative from −5 to 5.
  public var svg: String {
    let xs = (0...400).map { Self.reach * (Double($0) / 200 - 1) }
    let values = xs.map(activation.value)
    let slopes = xs.map(activation.derivative)
    let low = max(-5, min(-0.5, (values + slopes).min() ?? 0))
    let high = min(5, max(1.2, (values + slopes).max() ?? 1))
    let frame = Frame(low: low - 0.15 * (high - low) / 2, high: high + 0.15 * (high - low) / 2)
    var parts = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" "
        + "role=\"img\" aria-label=\"\(title) and its derivative\">",
      "<style>text{font:14px system-ui,sans-serif;fill:#333}.t{font-size:18px;font-weight:600}"
        + ".g{stroke:#ddd}.a{stroke:#888}.f,.d{fill:none;stroke-width:3;stroke-linejoin:round}"
        + ".f{stroke:#1f6feb}.d{stroke:#d1242f;stroke-dasharray:7 5}"
        + "@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}}</style>",
      "<text class=\"t\" x=\"46\" y=\"26\">\(title)</text>",
    ]
    parts += grid(frame)
    parts.append("<path class=\"d\" d=\"\(path(xs, slopes, frame))\"/>")
    parts.append("<path class=\"f\" d=\"\(path(xs, values, frame))\"/>")
    for (index, (name, style)) in [("value", "f"), ("derivative", "d")].enumerated() {
      let x = 330.0 + 100 * Double(index)
      parts.append("<path class=\"\(style)\" d=\"M\(x) 21h26\"/>")
      parts.append("<text x=\"\(x + 32)\" y=\"26\">\(name)</text>")
    }
    return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  /// Where values stand in the picture.
  private struct Frame {
    let low: Double
    let high: Double

    func x(_ value: Double) -> Double {
      46 + (value + ActivationChart.reach) / (2 * ActivationChart.reach) * 500
    }
    func y(_ value: Double) -> Double { 326 - (value - low) / (high - low) * 280 }
  }

  private func grid(_ frame: Frame) -> [String] {
    var parts: [String] = []
    for tick in stride(from: -4.0, through: 4, by: 2) {
      let x = number(frame.x(tick))
      parts.append("<path class=\"\(tick == 0 ? "a" : "g")\" d=\"M\(x) 46V326\"/>")
      parts.append("<text x=\"\(x)\" y=\"346\" text-anchor=\"middle\">\(Int(tick))</text>")
    }
    let step = frame.high - frame.low > 4 ? 2.0 : frame.high - frame.low > 2 ? 1.0 : 0.5
    var tick = (frame.low / step).rounded(.up) * step
    while tick <= frame.high {
      let y = frame.y(tick)
      let text = tick == tick.rounded() ? "\(Int(tick))" : "\(tick)"
      parts.append(
        "<path class=\"\(tick == 0 ? "a" : "g")\" d=\"M46 \(number(y))H546\"/>")
      parts.append(
        "<text x=\"38\" y=\"\(number(y + 5))\" text-anchor=\"end\">\(text)</text>")
      tick += step
    }
    return parts
  }

  /// A line that breaks where a derivative jumps, and where it leaves the picture.
  private func path(_ xs: [Double], _ ys: [Double], _ frame: Frame) -> String {
    var text = ""
    var isDown = false
    for (index, y) in ys.enumerated() {
      let isInside = frame.low <= y && y <= frame.high
      let jumps =
        index > 0 && (y - ys[index - 1]).magnitude > 0.05
        && activation.kinks.contains { xs[index - 1] <= $0 && $0 <= xs[index] }
      if isInside {
        text += isDown && !jumps ? "L" : "M"
        text += "\(number(frame.x(xs[index]))) \(number(frame.y(y)))"
      }
      isDown = isInside
    }
    return text
  }

  private func number(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
