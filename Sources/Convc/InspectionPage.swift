/// The inspection as a page that needs nothing else: picture and tables.
extension Inspection {
  /// An HTML document; all names in it are escaped.
  public var html: String {
    let name = HTML.escaped(model)
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(name)</title>
      <style>
      body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #212529; background: #fff; }
      .picture, .wide { overflow-x: auto; }
      table { border-collapse: collapse; margin: 1rem 0; }
      th, td { padding: .25rem .75rem; text-align: left; border-bottom: 1px solid #dee2e6; white-space: nowrap; }
      .number { text-align: right; }
      thead th { border-bottom: 2px solid #495057; }
      </style>
      </head>
      <body>
      <h1>\(name)</h1>
      <p>\(parameters.grouped) parameters (\(trainable.grouped) trainable), \(multiplyAdds.grouped) multiply-adds an image.</p>
      <div class="picture">
      \(picture)</div>
      <h2>Layers</h2>
      <div class="wide">\(layerTable)</div>
      <h2>Memory for a batch of \(batch), target \(HTML.escaped(target))</h2>
      <div class="wide">\(memoryTable)</div>
      <h2>Fusion</h2>
      <div class="wide">\(fusionTable)</div>
      </body>
      </html>

      """
  }

  private var layerTable: String {
    Self.table(
      head: [
        "layer", "settings", "output", "parameters", "multiply-adds", "receptive field",
        "lost rows, columns", "kernel",
      ],
      rows: layers.map { layer in
        [
          layer.name + (layer.frozen ? " (frozen)" : ""), layer.settings, layer.shape.extents,
          layer.parameters.grouped, layer.multiplyAdds.grouped, "\(layer.receptiveField)",
          layer.lostPixels.map(String.init).joined(separator: ", "), layer.group ?? "",
        ]
      })
  }

  private var memoryTable: String {
    Self.table(
      head: [
        "mode", "arena", "lower bound", "parameters", "packed", "gradients", "optimizer",
        "total bytes",
      ],
      rows: memory.map { memory in
        [
          memory.mode, memory.arena.grouped, memory.lowerBound.grouped,
          memory.parameters.grouped, memory.packed.grouped, memory.gradients.grouped,
          memory.optimizer.grouped, memory.total.grouped,
        ]
      })
  }

  private var fusionTable: String {
    Self.table(
      head: ["layer", "mode", "kernel", "why"],
      rows: fusion.map { [$0.layer, $0.mode, $0.joined ?? "apart", $0.reason] })
  }

  private static func table(head: [String], rows: [[String]]) -> String {
    let heading = head.map { "<th scope=\"col\">\(HTML.escaped($0))</th>" }.joined()
    let body = rows.map { row in
      let cells = row.dropFirst().map { cell in
        let isNumber = cell.allSatisfy { $0.isNumber || $0 == "\u{202F}" }
        return "<td\(isNumber ? " class=\"number\"" : "")>\(HTML.escaped(cell))</td>"
      }
      return "<tr><th scope=\"row\">\(HTML.escaped(row.first ?? ""))</th>\(cells.joined())</tr>"
    }
    return "<table><thead><tr>\(heading)</tr></thead>\n<tbody>\n"
      + body.joined(separator: "\n") + "\n</tbody></table>"
  }
}

extension Int {
  /// Digits in groups of three: `61 706`, with thin blanks.
  fileprivate var grouped: String {
    let digits = Array(String(magnitude))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "\u{202F}" }
      text.append(digit)
    }
    return self < 0 ? "-" + text : text
  }
}
