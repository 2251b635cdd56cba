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
      \(InspectionStyle.page)
      </style>
      </head>
      <body>
      <main>
      <div class="card picture">
      \(picture)</div>
      <div class="card panel" aria-live="polite">
      \(InspectionPanel(inspection: self).sections.joined(separator: "\n"))
      </div>
      <div class="card"><h2>Layers</h2>\(layerTable)</div>
      <div class="card"><h2>Memory for a batch of \(batch), target \(HTML.escaped(target))</h2>\(memoryTable)</div>
      <div class="card"><h2>Fusion</h2>\(fusionTable)</div>
      </main>
      <script>
      \(InspectionStyle.script)
      </script>
      </body>
      </html>

      """
  }

  private var layerTable: String {
    let count = Self.grouped
    let rows = layers.map { layer in
      [
        layer.name + (layer.frozen ? " (frozen)" : ""), layer.settings,
        "\(layer.shape.extents) (\(layer.axes.joined(separator: "x")))",
        count(layer.weights), count(layer.biases), count(layer.statistics),
        count(layer.multiplyAdds), count(layer.outputBytes),
        layer.receptiveField.sizeText(isSequence: isSequence),
        layer.receptiveField.jumpText(isSequence: isSequence),
        layer.receptiveField.startText(isSequence: isSequence), count(layer.depth),
        layer.lostPixels.map(String.init).joined(separator: ", "), layer.group ?? "",
      ]
    }
    let totals = [
      "total", "", "", count(layers.reduce(0) { $0 + $1.weights }),
      count(layers.reduce(0) { $0 + $1.biases }), count(layers.reduce(0) { $0 + $1.statistics }),
      count(multiplyAdds), count(outputBytes), "", "", "", count(depth), "", "",
    ]
    return Self.table(
      head: [
        "layer", "settings", "output", "weights", "biases", "statistics", "multiply-adds",
        "output bytes", "receptive field", "jump", "start", "depth", "lost rows, columns", "kernel",
      ],
      rows: rows + [totals])
  }

  private var memoryTable: String {
    Self.table(
      head: [
        "mode", "arena", "lower bound", "parameters", "packed", "gradients", "optimizer",
        "total bytes",
      ],
      rows: memory.map { memory in
        [
          memory.mode, Self.grouped(memory.arena), Self.grouped(memory.lowerBound),
          Self.grouped(memory.parameters), Self.grouped(memory.packed),
          Self.grouped(memory.gradients),
          Self.grouped(memory.optimizer), Self.grouped(memory.total),
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
        let isNumber = cell.allSatisfy { $0.isNumber || ",.-".contains($0) }
        return "<td\(isNumber ? " class=\"number\"" : "")>\(HTML.escaped(cell))</td>"
      }
      return "<tr><th scope=\"row\">\(HTML.escaped(row.first ?? ""))</th>\(cells.joined())</tr>"
    }
    return "<table><thead><tr>\(heading)</tr></thead>\n<tbody>\n"
      + body.joined(separator: "\n") + "\n</tbody></table>"
  }
}
