import Glibc

/// Numbers as people read them, the same on every machine.
enum NumberText {
  /// A number with a fixed count of decimals: `0.512`.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    guard abs(value) * scale < 1e18 else { return "\(value)" }
    let scaled = Int((abs(value) * scale).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return sign + "\(scaled)" }
    let fraction = "\(scaled % Int(scale))"
    let zeros = String(repeating: "0", count: decimals - fraction.count)
    return sign + "\(scaled / Int(scale)).\(zeros)\(fraction)"
  }

  /// A number in its shortest form; NaN without the sign that it may have.
  static func plain(_ value: Double) -> String { value.isNaN ? "NaN" : "\(value)" }

  /// A number with a count of significant digits and no zeros at its end: `0.04583`.
  static func significant(_ value: Double, _ digits: Int) -> String {
    guard value != 0, value.isFinite else { return fixed(value, 0) }
    let decimals = digits - 1 - Int(log10(abs(value)).rounded(.down))
    guard decimals > 0 else { return fixed(value, 0) }
    guard decimals < 15 else { return "\(value)" }
    var text = fixed(value, decimals)
    while text.hasSuffix("0") { text.removeLast() }
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  /// A share as a percentage: `98.96 %`.
  static func percent(_ share: Double, _ decimals: Int = 2) -> String {
    fixed(100 * share, decimals) + " %"
  }

  /// A whole number in groups of three digits: `43,210`.
  static func grouped(_ value: Int) -> String {
    var digits = "\(value.magnitude)"
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// A duration in its two largest units: `42 s`, `3 min 5 s`, `2 h 10 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    if seconds < 9.95 { return fixed(seconds, 1) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
