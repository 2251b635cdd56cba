import ConvcIR

/// What the page shows of one layer: the formulas with their numbers, and the field on the input.
struct InspectionPanel {
  let inspection: Inspection

  /// A section for each input and layer, in the order of the picture's boxes; all hidden.
  var sections: [String] {
    let inputs = inspection.inputs.enumerated().map { index, input in
      section(
        index, title: input.name, settings: "input",
        rows: [("output", output(input.shape.axisNames, input.shape))], field: "")
    }
    let layers = inspection.layers.enumerated().map { index, layer in
      section(
        index + inputs.count, title: layer.name, settings: layer.settings, rows: rows(layer),
        field: field(layer))
    }
    return inputs + layers
  }

  private func section(
    _ index: Int, title: String, settings: String, rows: [(String, String)], field: String
  ) -> String {
    let terms = rows.map {
      "<div><dt>\(HTML.escaped($0.0))</dt><dd>\(HTML.escaped($0.1))</dd></div>"
    }.joined()
    return "<section class=\"detail\" id=\"layer-\(index)\" hidden>"
      + "<div><h3>\(HTML.escaped(title)) <small>\(HTML.escaped(settings))</small></h3>"
      + "<dl>\(terms)</dl></div>\(field)</section>"
  }

  private func output(_ axes: [String], _ shape: [Int]) -> String {
    (["N"] + axes).joined(separator: " × ") + " = "
      + (["N"] + shape.map(Inspection.grouped)).joined(separator: " × ")
  }

  private func rows(_ layer: Inspection.Layer) -> [(String, String)] {
    let count = Inspection.grouped
    var rows = [("output", output(layer.axes, layer.shape))]
    rows += layer.sizeFormula.map { ("size", $0) }
    if layer.lostPixels.contains(where: { $0 > 0 }) {
      rows.append(("not read", "\(layer.lostPixels[0]) rows, \(layer.lostPixels[1]) columns"))
    }
    if layer.parameters > 0 {
      rows.append(("parameters", "\(layer.parameterFormula) = \(count(layer.parameters))"))
    }
    if layer.multiplyAdds > 0 {
      rows.append(("multiply-adds", "\(count(layer.multiplyAdds)) an image"))
    }
    rows.append(("bytes", "\(count(layer.outputBytes)) an image"))
    rows.append(("receptive field", fieldText(layer)))
    if let group = layer.group { rows.append(("kernel", group)) }
    rows += inspection.fusion.filter { $0.layer == layer.name && $0.mode == "inference" }
      .map { ($0.joined == nil ? "apart" : "fused", $0.reason) }
    return rows
  }

  private func fieldText(_ layer: Inspection.Layer) -> String {
    guard case .pixels = layer.receptiveField else { return "the whole input" }
    let field = layer.receptiveField
    let isSequence = inspection.isSequence
    return
      "\(field.sizeText(isSequence: isSequence)), jump \(field.jumpText(isSequence: isSequence)), "
      + "first centre \(field.startText(isSequence: isSequence))"
  }

  /// The input, and on it what the value in the middle of the layer's map sees, and its neighbour.
  private func field(_ layer: Inspection.Layer) -> String {
    guard let input = inspection.inputs.first, inspection.inputs.count == 1, input.shape.count > 1
    else { return "" }
    let height = input.shape.count > 2 ? input.shape[input.shape.count - 2] : 1
    let width = input.shape[input.shape.count - 1]
    let scale = 168 / Double(max(height, width, 1))
    let size = (width: Double(width) * scale, height: max(10, Double(height) * scale))
    let label: String
    var marks = ""
    switch layer.receptiveField {
    case .everything:
      marks = rectangle("seen", 0, 0, size.width, size.height)
      label = "every value of \(layer.name) sees the whole input"
    case .pixels(let vertical, let horizontal):
      let rows = layer.shape.count > 2 ? layer.shape[layer.shape.count - 2] : 1
      let columns = layer.shape.count > 1 ? layer.shape[layer.shape.count - 1] : 1
      let y = range(vertical, place: rows / 2, extent: height, size: size.height)
      for (name, place) in [("beside", columns / 2 + 1), ("seen", columns / 2)] {
        let x = range(horizontal, place: place, extent: width, size: size.width)
        guard name == "seen" || columns > columns / 2 + 1 else { continue }
        marks += rectangle(name, x.from, y.from, x.to - x.from, y.to - y.from)
      }
      label = "what the middle value of \(layer.name) sees, and (dashed) its right neighbour"
    }
    return "<figure><svg viewBox=\"-2 -2 \(number(size.width + 4)) \(number(size.height + 4))\" "
      + "width=\"\(number(size.width + 4))\" height=\"\(number(size.height + 4))\" class=\"field\">"
      + rectangle("sky", 0, 0, size.width, size.height) + grid(height, width, size)
      + "\(marks)</svg><figcaption>\(HTML.escaped(label))</figcaption></figure>"
  }

  /// The cells that a place sees, in pixels of the picture, cut at its border.
  private func range(
    _ axis: ReceptiveField.Axis, place: Int, extent: Int, size: Double
  ) -> (from: Double, to: Double) {
    let scale = size / Double(max(1, extent))
    func clipped(_ value: Double) -> Double { min(max(value, 0), Double(extent)) * scale }
    let from = clipped(axis.first + Double(place) * axis.jump)
    return (from, max(from + 1, clipped(axis.last + 1 + Double(place) * axis.jump)))
  }

  private func grid(_ height: Int, _ width: Int, _ size: (width: Double, height: Double)) -> String
  {
    let step = max(1, (max(height, width) + 31) / 32)
    var path = ""
    for x in stride(from: step, to: width, by: step) {
      path += "M\(number(Double(x) * size.width / Double(width))) 0V\(number(size.height))"
    }
    for y in stride(from: step, to: height, by: step) {
      path += "M0 \(number(Double(y) * size.height / Double(height)))H\(number(size.width))"
    }
    return "<path class=\"grid\" d=\"\(path)\"/>"
  }

  private func rectangle(
    _ name: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double
  ) -> String {
    "<rect class=\"\(name)\" x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" "
      + "height=\"\(number(height))\"/>"
  }

  private func number(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}

extension Inspection {
  /// Whether all inputs have one axis of places.
  public var isSequence: Bool { !inputs.isEmpty && inputs.allSatisfy { $0.shape.count == 2 } }
}
