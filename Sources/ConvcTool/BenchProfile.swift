import Convc
import ConvcTraining

/// Where a step's time goes, as a table, a picture and JSON.
struct BenchProfile {
  /// A line of the table.
  struct Row {
    let name: String
    /// Whether all threads share the work; nil: nobody works.
    let isShared: Bool?
    /// Milliseconds of a step that it takes from all threads together.
    let milliseconds: Double
    let gflops: Double
    /// Share of what the threads at work can do.
    let ofPeak: Double
    /// Billions of bytes a second, each counted once for each kernel that reads or writes it.
    let gigabytes: Double
  }

  /// Mean milliseconds of a step with clocks.
  let step: Double
  /// Kernels, the longest first.
  let kernels: [Row]
  let barriers: Row
  /// The barrier that takes longest, a part of ``barriers``.
  let longestBarrier: Row?
  /// What lies outside of the clocks: the region's start and end, and the checks before.
  let rest: Row

  /// - Parameters:
  ///   - step: mean milliseconds of a step with clocks.
  ///   - peak: billions of operations a second of all threads.
  init(profile: StepProfile, step: Double, peak: Double) {
    let threads = Double(profile.threads)
    func idle(_ name: String, _ milliseconds: Double) -> Row {
      Row(
        name: name, isShared: nil, milliseconds: milliseconds, gflops: 0, ofPeak: 0, gigabytes: 0)
    }
    let waits = profile.pieces.filter { $0.kind == .barrier }
    let waiting = waits.reduce(0) { $0 + $1.threadSeconds } / threads * 1e3
    kernels = profile.pieces.filter { $0.kind != .barrier }.map { piece in
      let workers = piece.kind == .shared ? threads : 1
      let seconds = piece.threadSeconds / workers
      let gflops = piece.flops / seconds / 1e9
      return Row(
        name: piece.name, isShared: piece.kind == .shared,
        milliseconds: piece.threadSeconds / threads * 1e3, gflops: gflops,
        ofPeak: gflops / (peak * workers / threads), gigabytes: piece.bytes / seconds / 1e9)
    }.sorted { $0.milliseconds > $1.milliseconds }
    longestBarrier = waits.max { $0.threadSeconds < $1.threadSeconds }.map {
      idle("  longest: \($0.name)", $0.threadSeconds / threads * 1e3)
    }
    barriers = idle("waiting at \(waits.count) barriers", waiting)
    let known = kernels.reduce(waiting) { $0 + $1.milliseconds }
    rest = idle("entry and exit", max(0, step - known))
    self.step = step
  }

  private func share(_ row: Row) -> Double { 100 * row.milliseconds / step }

  /// The kernels, the longest first, then what is no kernel, then the sum.
  var table: String {
    var table = TextTable([
      ("kernel", .left), ("threads", .left), ("ms", .right), ("of step", .right),
      ("GFLOP/s", .right), ("of peak", .right), ("GB/s", .right),
    ])
    for row in kernels + [barriers, longestBarrier, rest].compactMap({ $0 }) {
      var cells = [
        row.name, row.isShared.map { $0 ? "all" : "one" } ?? "",
        NumberText.fixed(row.milliseconds, 4), "\(NumberText.fixed(share(row), 1)) %",
      ]
      if row.isShared != nil {
        cells += [
          NumberText.fixed(row.gflops, 1), "\(NumberText.fixed(100 * row.ofPeak, 1)) %",
          NumberText.fixed(row.gigabytes, 1),
        ]
      }
      table.add(cells)
    }
    table.add(["step with clocks", "", NumberText.fixed(step, 4), "100.0 %"])
    return table.text
  }

  /// An object on one line. Names of kernels are identifiers that need no escapes.
  var json: String {
    let rows = kernels.map { row in
      "{\"name\": \"\(row.name)\", \"threads\": \"\(row.isShared == true ? "all" : "one")\", "
        + "\"ms\": \(NumberText.fixed(row.milliseconds, 5)), "
        + "\"percent_of_step\": \(NumberText.fixed(share(row), 2)), "
        + "\"gflops\": \(NumberText.fixed(row.gflops, 1)), "
        + "\"percent_of_peak\": \(NumberText.fixed(100 * row.ofPeak, 1)), "
        + "\"gb_per_s\": \(NumberText.fixed(row.gigabytes, 1))}"
    }
    return "{\"step_ms\": \(NumberText.fixed(step, 4)), "
      + "\"barriers_ms\": \(NumberText.fixed(barriers.milliseconds, 4)), "
      + "\"rest_ms\": \(NumberText.fixed(rest.milliseconds, 4)), "
      + "\"kernels\": [\(rows.joined(separator: ", "))]}"
  }
}

/// The profile as bars, to be read on a slide.
extension BenchProfile {
  /// Kernels that get a bar of their own; the others share one.
  private static let bars = 20

  private struct Bar {
    let label: String
    let milliseconds: Double
    let note: String
    let color: String
  }

  private var bars: [Bar] {
    let shown = kernels.count <= Self.bars + 1 ? kernels.count : Self.bars
    var bars = kernels.prefix(shown).map { row in
      Bar(
        label: row.name, milliseconds: row.milliseconds,
        note: "\(time(row.milliseconds)), \(speed(row))",
        color: Self.color(row.ofPeak))
    }
    let others = kernels.dropFirst(shown)
    if !others.isEmpty {
      let sum = others.reduce(0) { $0 + $1.milliseconds }
      bars.append(
        Bar(
          label: "\(others.count) others", milliseconds: sum, note: time(sum), color: "#ced4da"))
    }
    for row in [barriers, rest] {
      bars.append(
        Bar(
          label: row.name, milliseconds: row.milliseconds, note: time(row.milliseconds),
          color: "#868e96"))
    }
    return bars
  }

  /// Share of the peak, or what a kernel moves that hardly computes.
  private func speed(_ row: Row) -> String {
    row.ofPeak < 0.25
      ? "\(NumberText.fixed(row.gigabytes, 0)) GB/s"
      : "\(NumberText.fixed(100 * row.ofPeak, 0)) % of peak"
  }

  private func time(_ milliseconds: Double) -> String {
    let digits = milliseconds < 1 ? 3 : milliseconds < 100 ? 2 : 0
    let share = 100 * milliseconds / step
    return "\(NumberText.fixed(milliseconds, digits)) ms, \(NumberText.fixed(share, 0)) % of step"
  }

  /// The darker, the nearer to the peak.
  private static func color(_ ofPeak: Double) -> String {
    switch ofPeak {
    case 0.7...: "#1864ab"
    case 0.5..<0.7: "#339af0"
    case 0.25..<0.5: "#74c0fc"
    default: "#ffa94d"
    }
  }

  /// An SVG document that needs nothing else.
  func svg(title: String) -> String {
    let bars = bars
    let (labels, room, notes, height) = (400.0, 480.0, 320.0, 30.0)
    let longest = bars.map(\.milliseconds).max() ?? 1
    let width = labels + room + notes
    let total = 90 + Double(bars.count) * height
    var lines = [
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(total))\" "
        + "width=\"\(Int(width))\" height=\"\(Int(total))\" font-family=\"system-ui, sans-serif\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
      "<text x=\"20\" y=\"34\" font-size=\"22\" font-weight=\"600\">\(HTML.escaped(title))</text>",
      "<text x=\"20\" y=\"58\" font-size=\"15\" fill=\"#495057\">"
        + "\(NumberText.fixed(step, step < 10 ? 3 : 1)) ms with clocks; orange: under a quarter of the peak</text>",
    ]
    for (index, bar) in bars.enumerated() {
      let top = 76 + Double(index) * height
      let length = max(1, room * bar.milliseconds / longest)
      let end = NumberText.fixed(labels + length + 8, 1)
      let base = NumberText.fixed(top + 16, 1)
      let label = bar.label.count > 44 ? bar.label.prefix(43) + "…" : bar.label
      lines += [
        "<text x=\"\(Int(labels) - 10)\" y=\"\(base)\" font-size=\"16\" text-anchor=\"end\">"
          + "\(HTML.escaped(label))</text>",
        "<rect x=\"\(Int(labels))\" y=\"\(NumberText.fixed(top, 1))\" "
          + "width=\"\(NumberText.fixed(length, 1))\" height=\"22\" fill=\"\(bar.color)\"/>",
        "<text x=\"\(end)\" y=\"\(base)\" font-size=\"15\" fill=\"#343a40\">\(bar.note)</text>",
      ]
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }
}
