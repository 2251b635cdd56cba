import ConvcIR

/// The network as a picture: layers as boxes to scale, from left to right in rows, those of one kernel in a frame.
extension Inspection {
  /// An SVG document that needs nothing else; all names in it are escaped.
  public var svg: String { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + picture }

  /// The `svg` element.
  var picture: String { NetworkPicture(self).text }

  /// The facts of the picture's head.
  var totals: String {
    [
      "\(Self.grouped(parameters)) parameters",
      "\(Self.grouped(multiplyAdds)) multiply-adds an image",
      "depth \(depth)", "width \(Self.grouped(width))",
    ].joined(separator: "  ·  ")
  }

  /// Digits in groups of three: `61,706`.
  static func grouped(_ value: Int) -> String {
    var text = ""
    let digits = Array(String(value.magnitude))
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return value < 0 ? "-" + text : text
  }
}

/// Writes a layout as SVG.
struct NetworkPicture {
  private let inspection: Inspection
  let layout: NetworkLayout
  /// Title, totals and legend.
  let head: [NetworkText]
  private let swatches: [(family: String, x: Double)]
  let width: Double

  init(_ inspection: Inspection) {
    self.inspection = inspection
    layout = NetworkLayout(NetworkPlan(inspection))
    let margin = NetworkLayout.margin
    var head = [
      NetworkText(
        text: NetworkText.fitting(inspection.model, .title, in: 900), style: .title, x: margin,
        baseline: 40, isCentered: false),
      NetworkText(
        text: inspection.totals, style: .fact, x: margin, baseline: 64, isCentered: false),
    ]
    var swatches: [(family: String, x: Double)] = []
    var x = margin
    let used = Set(inspection.layers.map(\.family))
    let families = ["input"] + LayerFamily.allCases.filter { used.contains($0) }.map(\.rawValue)
    for family in families + (layout.frames.isEmpty ? [] : ["one kernel"]) {
      swatches.append((family, x))
      let text = NetworkText(
        text: family, style: .legend, x: x + 18, baseline: 90, isCentered: false)
      head.append(text)
      x += 18 + text.width + 20
    }
    self.head = head
    self.swatches = swatches
    width = max(layout.width, head.map { $0.box.right + margin }.max() ?? 0, x + margin)
  }

  /// The `svg` element.
  var text: String {
    let size = "\(Self.number(width)) \(Self.number(layout.height))"
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"network\" viewBox=\"0 0 \(size)\" "
        + "width=\"\(Self.number(width))\" height=\"\(Self.number(layout.height))\" role=\"img\">",
      "<title>\(HTML.escaped(inspection.model))</title>",
      "<style>\(InspectionStyle.picture)</style>",
      "<rect class=\"page\" width=\"100%\" height=\"100%\"/>",
    ]
    lines += swatches.map(swatch)
    lines += head.map(Self.text)
    lines += layout.frames.map { frame in
      "<rect class=\"frame\" x=\"\(Self.number(frame.left))\" y=\"\(Self.number(frame.top))\" "
        + "width=\"\(Self.number(frame.right - frame.left))\" "
        + "height=\"\(Self.number(frame.bottom - frame.top))\" rx=\"9\"/>"
    }
    lines += layout.routes.map { edge($0.points) }
    for index in layout.plan.boxes.indices { lines += box(index) }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func swatch(_ family: String, _ x: Double) -> String {
    let isFrame = family == "one kernel"
    return "<rect class=\"\(isFrame ? "frame" : "f-\(family)")\" x=\"\(Self.number(x))\" y=\"79\" "
      + "width=\"12\" height=\"12\" rx=\"3\"/>"
  }

  /// A layer: its box, its labels, and what a pointer over it shows.
  private func box(_ index: Int) -> [String] {
    let box = layout.plan.boxes[index]
    let inputs = inspection.inputs.count
    let hint =
      index < inputs
      ? "input \(box.title)\n\(box.shape.extents)" : inspection.layers[index - inputs].hint
    let family = box.family?.rawValue ?? "input"
    return [
      "<g class=\"layer f-\(family)\" data-layer=\"\(index)\" tabindex=\"0\">",
      "<title>\(HTML.escaped(hint))</title>", volume(index),
    ] + layout.labels(of: index).map(Self.text) + ["</g>"]
  }

  /// Front, top and side; the last two in another light.
  private func volume(_ index: Int) -> String {
    let (volume, center) = (layout.volumes[index], layout.centers[index])
    let left = center.x - volume.boundingWidth / 2
    let top = center.y - volume.boundingHeight / 2 + volume.up
    let (right, bottom) = (left + volume.width, top + volume.height)
    func polygon(_ points: [(Double, Double)], _ name: String) -> String {
      let text = points.map { "\(Self.number($0.0)),\(Self.number($0.1))" }.joined(separator: " ")
      return "<polygon class=\"\(name)\" points=\"\(text)\"/>"
    }
    let (x, y) = (volume.right, volume.up)
    let outline = [
      (left, top), (left + x, top - y), (right + x, top - y), (right + x, bottom - y),
      (right, bottom), (left, bottom),
    ]
    return polygon(outline, "body")
      + polygon([(left, top), (left + x, top - y), (right + x, top - y), (right, top)], "light")
      + polygon(
        [(right, top), (right + x, top - y), (right + x, bottom - y), (right, bottom)], "shade")
  }

  /// A line with round corners and an arrow.
  private func edge(_ points: [NetworkPoint]) -> String {
    guard let first = points.first, let last = points.last, points.count > 1 else { return "" }
    var path = "M\(Self.number(first.x)) \(Self.number(first.y))"
    for index in points.indices.dropFirst().dropLast() {
      let (a, b, c) = (points[index - 1], points[index], points[index + 1])
      let before = Self.toward(a, from: b)
      let after = Self.toward(c, from: b)
      path += "L\(Self.number(before.x)) \(Self.number(before.y))"
      path +=
        "Q\(Self.number(b.x)) \(Self.number(b.y)) \(Self.number(after.x)) \(Self.number(after.y))"
    }
    path += "L\(Self.number(last.x)) \(Self.number(last.y))"
    let isDown = points[points.count - 2].x == last.x
    let head =
      isDown
      ? [(-3.5, -6.0), (3.5, -6.0)] : [(-6.0, -3.5), (-6.0, 3.5)]
    let tip = ([(0.0, 0.0)] + head).map {
      "\(Self.number(last.x + $0.0)),\(Self.number(last.y + $0.1))"
    }.joined(separator: " ")
    return "<path class=\"edge\" d=\"\(path)\"/><polygon class=\"tip\" points=\"\(tip)\"/>"
  }

  /// The point at most six pixels away from a corner, toward another point.
  private static func toward(_ end: NetworkPoint, from corner: NetworkPoint) -> NetworkPoint {
    let (x, y) = (end.x - corner.x, end.y - corner.y)
    let length = (x * x + y * y).squareRoot()
    guard length > 0 else { return corner }
    let share = min(6, length / 2) / length
    return NetworkPoint(x: corner.x + x * share, y: corner.y + y * share)
  }

  private static func text(_ text: NetworkText) -> String {
    "<text class=\"\(text.style.rawValue)\(text.isCentered ? " middle" : "")\" "
      + "x=\"\(number(text.x))\" y=\"\(number(text.baseline))\">\(HTML.escaped(text.text))</text>"
  }

  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
  }
}

extension Inspection.Layer {
  /// What a pointer over the layer shows.
  fileprivate var hint: String {
    var lines = [
      "\(name): \(settings)",
      "output \(zip(axes, shape).map { "\($0) \($1)" }.joined(separator: ", "))",
    ]
    lines += sizeFormula
    if parameters > 0 { lines.append("\(parameterFormula) = \(parameters) parameters") }
    if multiplyAdds > 0 { lines.append("\(multiplyAdds) multiply-adds") }
    lines.append("receptive field \(receptiveField)")
    if let group { lines.append("kernel \(group)") }
    return lines.joined(separator: "\n")
  }
}
