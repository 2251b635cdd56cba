/// The network as a picture: layers from top to bottom, those of one kernel in one tint.
extension Inspection {
  /// An SVG document that needs nothing else; all names in it are escaped.
  public var svg: String { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + picture }

  /// The `svg` element.
  var picture: String {
    let layout = InspectionLayout(self)
    let margin = 20.0
    let width = layout.width + 2 * margin
    let height = Double(layout.rows) * InspectionLayout.rowHeight + 2 * margin
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" "
        + "width=\"\(number(width))\" height=\"\(number(height))\" role=\"img\" "
        + "font-family=\"system-ui, sans-serif\" text-anchor=\"middle\">",
      "<title>\(HTML.escaped(model))</title>",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
      "<g transform=\"translate(\(number(margin)) \(number(margin)))\">",
    ]
    lines += layout.edges.map(edge)
    let tints = tints(layout)
    for (box, center) in zip(layout.boxes, layout.centers) {
      lines += self.box(box, at: center, tint: box.group.flatMap { tints[$0] } ?? "#f1f3f5")
    }
    lines += ["</g>", "</svg>"]
    return lines.joined(separator: "\n") + "\n"
  }

  private static let palette = [
    "#d0ebff", "#d3f9d8", "#fff3bf", "#ffe3e3", "#e5dbff", "#c5f6fa", "#ffe8cc", "#ffdeeb",
  ]

  /// A tint for each group, in order; neighbours differ.
  private func tints(_ layout: InspectionLayout) -> [String: String] {
    var tints: [String: String] = [:]
    for group in layout.boxes.compactMap(\.group) where tints[group] == nil {
      tints[group] = Self.palette[tints.count % Self.palette.count]
    }
    return tints
  }

  private func top(_ row: Int) -> Double { Double(row) * InspectionLayout.rowHeight }

  /// A curve that leaves and meets every place upright.
  private func edge(_ points: [(x: Double, row: Int)]) -> String {
    var path = ""
    for (above, below) in zip(points, points.dropFirst()) {
      let start = top(above.row) + InspectionLayout.boxHeight
      let end = top(below.row)
      let middle = number((start + end) / 2)
      let (from, to) = (number(above.x), number(below.x))
      path += path.isEmpty ? "M\(from) \(number(start))" : "V\(number(start))"
      path += "C\(from) \(middle) \(to) \(middle) \(to) \(number(end))"
    }
    return "<path d=\"\(path)\" fill=\"none\" stroke=\"#868e96\" stroke-width=\"1.5\"/>"
  }

  private func box(
    _ box: InspectionLayout.Box, at center: (x: Double, row: Int), tint: String
  ) -> [String] {
    let left = number(center.x - InspectionLayout.boxWidth / 2)
    let y = top(center.row)
    var lines = [
      "<g><title>\(HTML.escaped(box.hint))</title>",
      "<rect x=\"\(left)\" y=\"\(number(y))\" width=\"\(number(InspectionLayout.boxWidth))\" "
        + "height=\"\(number(InspectionLayout.boxHeight))\" rx=\"8\" fill=\"\(tint)\" stroke=\"#495057\"/>",
      text(box.title, x: center.x, y: y + 18, size: 13, weight: "600", color: "#212529", limit: 32),
    ]
    for (index, line) in box.lines.enumerated() {
      lines.append(
        text(
          line, x: center.x, y: y + 34 + 15 * Double(index), size: 11, weight: "400",
          color: "#495057", limit: 42))
    }
    return lines + ["</g>"]
  }

  private func text(
    _ text: String, x: Double, y: Double, size: Int, weight: String, color: String, limit: Int
  ) -> String {
    let short = text.count > limit ? text.prefix(limit - 1) + "…" : text
    return
      "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" font-weight=\"\(weight)\" "
      + "fill=\"\(color)\">\(HTML.escaped(short))</text>"
  }

  private func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
  }
}
