import ConvcIR
import Testing

@testable import ConvcTraining

@Suite("Log, progress and report")
struct ReportingTests {
  private let row = LogRow(
    epoch: 1, step: 938, train: Metrics(loss: 0.5, accuracy: 0.875),
    validation: Metrics(loss: 0.25, accuracy: 0.9), rate: 0.05, imagesPerSecond: 43210.5,
    seconds: 2.5)

  @Test("a row is a JSON object on a line, with sorted keys")
  func json() throws {
    #expect(
      row.json == #"{"epoch":1,"images_per_s":43210.5,"rate":0.05,"seconds":2.5,"step":938,"#
        + #""train":{"accuracy":0.875,"loss":0.5},"validation":{"accuracy":0.9,"loss":0.25}}"#
        + "\n")
    #expect(try LogRow.rows(of: row.json + row.json) == [row, row])
  }

  @Test("metrics without an accuracy leave it out")
  func regression() {
    let row = LogRow(
      epoch: 0, step: 0, train: Metrics(loss: 2, accuracy: nil), rate: 0, imagesPerSecond: 0,
      seconds: 0)
    #expect(
      row.json
        == #"{"epoch":0,"images_per_s":0,"rate":0,"seconds":0,"step":0,"train":{"loss":2}}"# + "\n")
  }

  // MARK: Progress

  private final class Screen {
    var text = ""
    var time = 0.0
  }

  private func bar(_ screen: Screen, interactive: Bool, color: Bool = false, width: Int = 80)
    -> ProgressBar
  {
    ProgressBar(
      terminal: Terminal(isInteractive: interactive, hasColor: color, width: width),
      width: { width }, now: { screen.time }, write: { screen.text += $0 })
  }

  private func progress(_ step: Int) -> TrainingProgress {
    TrainingProgress(
      epoch: 1, epochs: 2, step: step, stepsPerEpoch: 100, loss: 0.51234, imagesPerSecond: 43210.7,
      secondsLeft: 83)
  }

  @Test("the penalty on weights stands beside the loss")
  func regularization() {
    let row = LogRow(
      epoch: 1, step: 10, train: Metrics(loss: 0.5, accuracy: 0.875, regularization: 0.03),
      validation: Metrics(loss: 0.25, accuracy: 0.9), rate: 0.05, imagesPerSecond: 0, seconds: 2.5)
    #expect(row.json.contains(#""train":{"accuracy":0.875,"loss":0.5,"regularization":0.03}"#))
    #expect(
      ProgressBar.summary(row, epochs: 2) == "epoch 1/2  train 0.5000 87.50 %  "
        + "regularization 0.0300  validation 0.2500 90.00 %  2.5 s")
    let screen = Screen()
    bar(screen, interactive: true).advanced(
      to: TrainingProgress(
        epoch: 1, epochs: 2, step: 50, stepsPerEpoch: 100, loss: 0.5, regularization: 0.03,
        imagesPerSecond: 1000, secondsLeft: 83))
    #expect(screen.text.contains("  loss 0.5000 + 0.0300  "))
  }

  @Test("a terminal shows one line that is drawn over at most ten times a second")
  func terminal() {
    let screen = Screen()
    let bar = bar(screen, interactive: true)
    for step in 1...100 {
      screen.time += 0.01
      bar.advanced(to: progress(step))
    }
    let lines = screen.text.split(separator: "\r")
    #expect((9...11).contains(lines.count))
    #expect(!screen.text.contains("\n"))
    #expect(
      lines[5] == "epoch 1/2 ━━━━━━━━━━━───────────"
        + "  loss 0.5123  43,210 images/s  1 min 23 s left\u{1B}[K")
  }

  @Test(
    "no line is wider than the terminal", arguments: [1, 5, 12, 20, 33, 40, 60, 79, 80, 200])
  func width(columns: Int) {
    let screen = Screen()
    bar(screen, interactive: true, width: columns).advanced(to: progress(50))
    let visible = screen.text.dropFirst().dropLast(3)
    #expect(visible.count < columns)
  }

  @Test("a parameter that leaves its usual range is told of, once")
  func ranges() throws {
    let runner = LinearClassifier(
      usual: UsualRange(-0.001...0.001, consequence: "it is another function"))
    let data = TrainingData(name: "points", train: points(70), validation: nil, test: nil)
    let screen = Screen()
    _ = try Trainer(
      runner: runner, recipe: .quick, data: data, observer: bar(screen, interactive: false)
    ).run()
    let warnings = screen.text.split(separator: "\n").filter { $0.hasPrefix("warning: ") }
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix("warning: dense1.weight has a value of ") == true)
    #expect(
      warnings.first?.hasSuffix(
        "after epoch 1, which is outside of -0.001...0.001: it is another function") == true)
  }

  @Test("colour appears only where it is wanted")
  func color() {
    let screen = Screen()
    bar(screen, interactive: true, color: true).advanced(to: progress(50))
    #expect(screen.text.contains("\u{1B}[32m"))
    #expect(!Terminal.standardError(environment: ["TERM": "xterm", "NO_COLOR": "1"]).hasColor)
    #expect(!Terminal.standardError(environment: ["TERM": "dumb"]).isInteractive)
  }

  @Test("elsewhere every epoch writes one line and steps write none")
  func lines() {
    let screen = Screen()
    let bar = bar(screen, interactive: false)
    bar.began("initial validation")
    bar.advanced(to: progress(50))
    bar.finished(row, epochs: 2)
    bar.ended()
    #expect(
      screen.text == "epoch 1/2  train 0.5000 87.50 %  validation 0.2500 90.00 %  "
        + "43,210 images/s  2.5 s\n")
  }

  // MARK: Report

  @Test("the report escapes every text and stands alone")
  func report() throws {
    let runner = LinearClassifier(
      name: "<script>", classNames: ["<b>", "\"q\" & 'p'", "plain"])
    let data = TrainingData(
      name: "a<i>", train: points(70), validation: points(20, from: 70), test: points(21, from: 90))
    try withFolder { folder in
      _ = try Trainer(
        runner: runner, recipe: .quick, data: data, folder: RunFolder(folder)
      ).run()
      let html = try text(folder + "/report.html")
      #expect(html.contains("<title>&lt;script&gt; on a&lt;i&gt;</title>"))
      #expect(html.contains("&lt;b&gt;"))
      #expect(html.contains("&quot;q&quot; &amp; &#39;p&#39;"))
      #expect(!html.contains("<script"))
      #expect(!html.contains("http"))
      #expect(html.contains("<th scope=\"row\">weight_decay</th><td>0.0</td>"))
      #expect(html.components(separatedBy: "<svg").count == 3)
      #expect(html.contains("Test part, by class"))
    }
  }

  @Test("many classes are shown by those that were found least")
  func manyClasses() {
    var confusion = ConfusionMatrix(classes: 40)
    for index in 0..<40 { confusion.count(actual: index, predicted: index == 7 ? 8 : index) }
    let html = ConfusionTable(confusion: confusion, names: []).html
    #expect(html.contains("The classes that were found least, of 40."))
    #expect(html.contains("<tbody>\n<tr><th scope=\"row\">7</th><td>1</td><td>0.0 %</td></tr>"))
  }

  @Test("axes end at round ticks and hold all values")
  func axes() throws {
    let loss = try #require(
      Axis([0.31, 2.31], wanted: 5, isWhole: false, limits: 0...Double.infinity))
    #expect(loss.ticks == [0, 0.5, 1, 1.5, 2, 2.5])
    #expect(loss.decimals == 1)
    let accuracy = try #require(Axis([0.1, 0.99], wanted: 5, isWhole: false, limits: 0...1))
    #expect((accuracy.low, accuracy.high) == (0, 1))
    let epochs = try #require(
      Axis([0, 1, 2], wanted: 8, isWhole: true, limits: 0...Double.infinity))
    #expect(epochs.ticks == [0, 1, 2])
    let flat = try #require(Axis([0.5, 0.5], wanted: 5, isWhole: false, limits: 0...1))
    #expect(flat.low < flat.high)
    #expect(Axis([], wanted: 5, isWhole: true, limits: 0...1) == nil)
  }

  @Test("numbers read the same everywhere")
  func numbers() {
    #expect(NumberText.fixed(0.98765, 2) == "0.99")
    #expect(NumberText.fixed(-0.001, 2) == "0.00")
    #expect(NumberText.fixed(-1.5, 1) == "-1.5")
    #expect(NumberText.fixed(.nan, 2) == "nan")
    #expect(NumberText.significant(0.045833334, 4) == "0.04583")
    #expect(NumberText.significant(0.05, 4) == "0.05")
    #expect(NumberText.significant(0, 4) == "0")
    #expect(NumberText.grouped(1_234_567) == "1,234,567")
    #expect(NumberText.duration(42) == "42 s")
    #expect(NumberText.duration(7810) == "2 h 10 min")
    #expect(NumberText.percent(0.98961) == "98.96 %")
  }
}
