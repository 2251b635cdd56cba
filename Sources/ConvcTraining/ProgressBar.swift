import Glibc

/// Shows a training on standard error.
///
/// On a terminal one line is drawn over, at most ten times a second: epoch, bar, loss (and the
/// penalty on weights behind a plus), images per second and time left. Every epoch leaves one line, on a terminal and elsewhere.
public final class ProgressBar: TrainingObserver {
  private let terminal: Terminal
  private let currentWidth: () -> Int
  private let now: () -> Double
  private let write: (String) -> Void
  private var lastDrawn = -Double.infinity
  private var isShown = false

  /// A bar on standard error.
  public convenience init(terminal: Terminal) {
    let clock = ContinuousClock()
    let start = clock.now
    self.init(
      terminal: terminal, width: { terminal.isInteractive ? Terminal.width() : terminal.width },
      now: { (clock.now - start) / .seconds(1) }, write: { Terminal.write($0) })
  }

  /// - Parameters:
  ///   - width: columns at the moment; a terminal may change its size.
  ///   - now: seconds since any fixed moment.
  init(
    terminal: Terminal, width: @escaping () -> Int, now: @escaping () -> Double,
    write: @escaping (String) -> Void
  ) {
    self.terminal = terminal
    currentWidth = width
    self.now = now
    self.write = write
  }

  public func began(_ phase: String) {
    guard terminal.isInteractive, phase != "training" else { return }
    show(dimmed(String("\(phase) ...".prefix(currentWidth() - 1))))
    lastDrawn = -Double.infinity
  }

  public func advanced(to progress: TrainingProgress) {
    guard terminal.isInteractive else { return }
    let time = now()
    guard time - lastDrawn >= 0.1 else { return }
    lastDrawn = time
    show(line(progress, width: currentWidth() - 1))
  }

  public func finished(_ row: LogRow, epochs: Int) {
    clear()
    write(Self.summary(row, epochs: epochs) + "\n")
  }

  public func warned(_ text: String) {
    clear()
    write("warning: \(text)\n")
  }

  public func ended() { clear() }

  private func show(_ line: String) {
    write("\r" + line + "\u{1B}[K")
    isShown = true
  }

  private func clear() {
    if isShown { write("\r\u{1B}[K") }
    isShown = false
  }

  private func dimmed(_ text: String) -> String {
    terminal.hasColor ? "\u{1B}[2m\(text)\u{1B}[0m" : text
  }

  /// The line at a width: the bar takes what the words leave, and the last words go first.
  private func line(_ progress: TrainingProgress, width: Int) -> String {
    let head = "epoch \(progress.epoch)/\(progress.epochs) "
    var words = [
      "loss \(NumberText.fixed(progress.loss, 4))"
        + (progress.regularization.map { " + \(NumberText.fixed($0, 4))" } ?? ""),
      "\(NumberText.grouped(Int(min(progress.imagesPerSecond, 1e12)))) images/s",
      "\(NumberText.duration(progress.secondsLeft)) left",
    ]
    func tail() -> String { words.map { "  " + $0 }.joined() }
    while !words.isEmpty, head.count + tail().count + 8 > width { words.removeLast() }
    let room = min(40, width - head.count - tail().count)
    guard room >= 4 else { return String(head.prefix(max(0, width))) }
    let share = Double(progress.step) / Double(max(1, progress.stepsPerEpoch))
    return head + bar(share, columns: room) + tail()
  }

  private func bar(_ share: Double, columns: Int) -> String {
    let full = Int((min(max(share, 0), 1) * Double(columns)).rounded(.down))
    let done = String(repeating: "━", count: full)
    let rest = String(repeating: terminal.hasColor ? "━" : "─", count: columns - full)
    return terminal.hasColor ? "\u{1B}[32m\(done)\u{1B}[90m\(rest)\u{1B}[0m" : done + rest
  }

  /// The line that an epoch leaves.
  static func summary(_ row: LogRow, epochs: Int) -> String {
    var parts = ["epoch \(row.epoch)/\(epochs)", "train \(text(row.train))"]
    if let penalty = row.train.regularization {
      parts.append("regularization \(NumberText.fixed(penalty, 4))")
    }
    if let validation = row.validation { parts.append("validation \(text(validation))") }
    if row.imagesPerSecond > 0 {
      parts.append("\(NumberText.grouped(Int(min(row.imagesPerSecond, 1e12)))) images/s")
    }
    parts.append(NumberText.duration(row.seconds))
    if let test = row.test { parts.append("test \(text(test))") }
    return parts.joined(separator: "  ")
  }

  private static func text(_ metrics: Metrics) -> String {
    let loss = NumberText.fixed(metrics.loss, 4)
    return metrics.accuracy.map { "\(loss) \(NumberText.percent($0))" } ?? loss
  }
}
