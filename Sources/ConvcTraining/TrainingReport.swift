import ConvcIR

/// A page about a training: curves, the table of epochs, the test, settings. It needs no other file.
public struct TrainingReport: Sendable {
  private let layout: ModelLayout
  private let recipe: Recipe
  private let dataName: String
  private let counts: [(part: String, images: Int)]
  private let rows: [LogRow]
  private let bestEpoch: Int
  private let test: Evaluation?

  /// - Parameters:
  ///   - rows: the lines of the log so far.
  ///   - test: the best checkpoint on the test part; nil: not measured yet, or there is none.
  public init(
    layout: ModelLayout, recipe: Recipe, data: TrainingData, rows: [LogRow], bestEpoch: Int,
    test: Evaluation?
  ) {
    self.layout = layout
    self.recipe = recipe
    dataName = data.name
    counts = [
      ("training", data.train.count), ("validation", data.validation?.count ?? 0),
      ("test", data.test?.count ?? 0),
    ]
    self.rows = rows
    self.bestEpoch = bestEpoch
    self.test = test
  }

  /// The page.
  public var html: String {
    let title = HTML.escaped("\(layout.model) on \(dataName)")
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title>
      <style>
      \(ReportStyle.css)
      </style>
      </head>
      <body>
      <main>
      <h1>\(title)</h1>
      <p class="soft">\(subtitle)</p>
      \(facts)
      <div class="columns">
      \(charts.map { "<div class=\"card\">\n\($0.svg)\n</div>" }.joined(separator: "\n"))
      </div>
      \(epochTable)
      \(testTable)
      <div class="columns">
      \(settingsTable)
      \(modelTable)
      </div>
      <footer>Training loss and accuracy are means over an epoch's steps, each measured before its
      update, so they lag behind validation. Epoch 0 is the untrained network; curves of
      many epochs leave it out. The best epoch is
      chosen by validation alone; the test part is measured once, with that epoch's parameters.
      </footer>
      </main>
      </body>
      </html>

      """
  }

  private var subtitle: String {
    let parts = counts.filter { $0.images > 0 }.map {
      "\(NumberText.grouped($0.images)) \($0.part)"
    }
    return parts.joined(separator: ", ") + " images · \(recipe.epochs) epochs of batches of "
      + "\(recipe.batch) · \(NumberText.grouped(layout.parameterCount)) parameters"
  }

  // MARK: Facts

  private var facts: String {
    var cards: [String] = []
    if let test {
      cards.append(fact(headline(test.metrics), "test", detail(test.metrics)))
    }
    if let best = rows.first(where: { $0.epoch == bestEpoch }) {
      let part = best.validation == nil ? "training" : "validation"
      cards.append(fact(headline(best.judged), "best \(part)", "epoch \(bestEpoch)"))
    }
    if let last = rows.last, last.epoch > 0 {
      cards.append(
        fact(
          NumberText.grouped(Int(last.imagesPerSecond)), "images per second", "in the last epoch"))
      let state = last.epoch < recipe.epochs ? "\(last.epoch) of \(recipe.epochs) epochs" : "in all"
      cards.append(fact(NumberText.duration(last.seconds), "time", state))
    }
    return "<div class=\"facts\">\n" + cards.joined(separator: "\n") + "\n</div>"
  }

  private func fact(_ value: String, _ name: String, _ note: String) -> String {
    "<div class=\"card\"><div class=\"name\">\(name)</div><div class=\"value\">\(value)</div>"
      + "<div class=\"note\">\(note)</div></div>"
  }

  private func headline(_ metrics: Metrics) -> String {
    metrics.accuracy.map { NumberText.percent($0) } ?? loss(metrics)
  }

  private func detail(_ metrics: Metrics) -> String {
    metrics.accuracy == nil ? "loss" : "accuracy, loss \(loss(metrics))"
  }

  private func loss(_ metrics: Metrics) -> String { NumberText.fixed(metrics.loss, 4) }

  // MARK: Curves

  private var charts: [LineChart] {
    var charts = [
      chart("Loss", limits: 0...Double.infinity, text: NumberText.fixed, value: { $0.loss })
    ]
    if rows.contains(where: { $0.train.accuracy != nil }) {
      let percent = { (share: Double, decimals: Int) in
        NumberText.fixed(100 * share, max(0, decimals - 2)) + " %"
      }
      charts.append(chart("Accuracy", limits: 0...1, text: percent, value: { $0.accuracy }))
    }
    return charts
  }

  private func chart(
    _ title: String, limits: ClosedRange<Double>, text: @escaping (Double, Int) -> String,
    value: (Metrics) -> Double?
  ) -> LineChart {
    // The untrained network would set the scale, and hide how the rest differs.
    let shown = rows.count > 4 ? rows[1...] : rows[...]
    func points(_ metrics: (LogRow) -> Metrics?) -> [(x: Double, y: Double)] {
      shown.compactMap { row in
        metrics(row).flatMap(value).map { (Double(row.epoch), $0) }
      }
    }
    var series = [
      LineChart.Series(name: "training", className: "train", points: points { $0.train })
    ]
    let validation = points { $0.validation }
    if !validation.isEmpty {
      series.append(
        LineChart.Series(name: "validation", className: "validation", points: validation))
    }
    return LineChart(
      title: title, xLabel: "epoch", series: series,
      mark: rows.count > 1 ? (Double(bestEpoch), "best") : nil, text: text, limits: limits)
  }

  // MARK: Tables

  private var epochTable: String {
    let classifies = rows.contains { $0.train.accuracy != nil }
    let validates = rows.contains { $0.validation != nil }
    func cells(_ metrics: Metrics?) -> [String] {
      var cells = [metrics.map(loss) ?? ""]
      if classifies { cells.append(metrics?.accuracy.map { NumberText.percent($0) } ?? "") }
      return cells
    }
    let penalizes = rows.contains { $0.train.regularization != nil }
    var heads = ["epoch", "steps", "training loss"]
    if classifies { heads.append("training accuracy") }
    if penalizes { heads.append("regularization") }
    if validates { heads.append("validation loss") }
    if validates, classifies { heads.append("validation accuracy") }
    heads += ["rate at its end", "images/s", "time"]
    let body = rows.map { row in
      let isBest = row.epoch == bestEpoch
      let name = "\(row.epoch)" + (isBest ? "<span class=\"tag\">best</span>" : "")
      let speed = row.epoch == 0 ? "" : NumberText.grouped(Int(row.imagesPerSecond))
      let rate = row.epoch == 0 ? "" : NumberText.significant(Double(row.rate), 4)
      let validation = validates ? cells(row.validation) : []
      let penalty = row.train.regularization.map { NumberText.fixed($0, 4) }
      return HTML.row(
        [name, NumberText.grouped(row.step)] + cells(row.train) + (penalizes ? [penalty ?? ""] : [])
          + validation
          + [rate, speed, NumberText.duration(row.seconds)],
        className: isBest ? "best" : "")
    }
    return "<section class=\"card\">\n<h2>Epochs</h2>\n<table>\n\(HTML.head(heads))<tbody>\n"
      + body.joined() + "</tbody>\n</table>\n</section>"
  }

  private var testTable: String {
    guard let test, let confusion = test.confusion else { return "" }
    let table = ConfusionTable(confusion: confusion, names: test.classNames)
    return "<section class=\"card\">\n<h2>Test part, by class</h2>\n\(table.html)</section>"
  }

  private var settingsTable: String {
    settings("Recipe", recipe.settings.map { ($0.name, $0.value) })
  }

  private var modelTable: String {
    func shape(_ tensor: ModelLayout.Tensor) -> String {
      let extents = tensor.shape.map(String.init).joined(separator: " × ")
      return "\(tensor.name) \(extents.isEmpty ? "one value" : extents)"
    }
    var pairs = [
      ("model", layout.model), ("model hash", layout.modelHash), ("data", dataName),
      ("inputs", layout.inputs.map(shape).joined(separator: ", ")),
      ("outputs", layout.outputs.map(shape).joined(separator: ", ")),
      (
        "losses",
        layout.losses.map { "\(type(of: $0.loss).kind) × \($0.weight)" }.joined(separator: ", ")
      ),
    ]
    if layout.isRegularized { pairs.append(("regularization", regularizers)) }
    if let preprocessing = layout.preprocessing {
      let mean = preprocessing.mean.map { "\($0)" }.joined(separator: ", ")
      let deviation = preprocessing.deviation.map { "\($0)" }.joined(separator: ", ")
      pairs.append(
        ("preprocessing", "(pixel × \(preprocessing.scale) − [\(mean)]) / [\(deviation)]"))
    }
    return settings("Model and data", pairs)
  }

  /// The penalties on weights, each with the parameters that have it.
  private var regularizers: String {
    var order: [Regularizer] = []
    var names: [Regularizer: [String]] = [:]
    for parameter in layout.parameters {
      guard let regularizer = parameter.regularizer else { continue }
      if names[regularizer] == nil { order.append(regularizer) }
      names[regularizer, default: []].append(parameter.name)
    }
    return order.map { "\($0): \((names[$0] ?? []).joined(separator: ", "))" }
      .joined(separator: "; ")
  }

  private func settings(_ title: String, _ pairs: [(String, String)]) -> String {
    let rows = pairs.map { HTML.row([HTML.escaped($0.0), HTML.escaped($0.1)]) }
    return "<section class=\"card\">\n<h2>\(title)</h2>\n<table class=\"settings\"><tbody>\n"
      + rows.joined() + "</tbody></table>\n</section>"
  }
}
