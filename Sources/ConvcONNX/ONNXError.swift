/// Why an ONNX model cannot be read or used. The description is one line.
public struct ONNXError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Where: a file, a node, a value, an initializer.
  public let place: String
  /// What is wrong, what was expected, and the way out.
  public let message: String

  public init(_ place: String, _ message: String) {
    self.place = place
    self.message = message
  }

  public var description: String { "\(place): \(message)" }

  /// A name from a file, quoted for a message: on one line, without control characters, and short.
  public static func quoted(_ name: String) -> String {
    var text = "'"
    for (index, scalar) in name.unicodeScalars.enumerated() {
      if index == 80 {
        text += "…"
        break
      }
      switch scalar {
      case "'", "\\": text += "\\\(scalar)"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      default:
        let isPlain =
          scalar.isASCII
          ? scalar.value >= 32 && scalar.value != 127 : scalar.properties.isPrintable
        text += isPlain ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return text + "'"
  }

  /// The same without quotes, for words that are seldom anything but letters.
  public static func plain(_ name: String) -> String { String(quoted(name).dropFirst().dropLast()) }

  /// Dimensions in a message: `2x3`, or `of a single value`.
  static func text(_ dims: [Int]) -> String {
    dims.isEmpty ? "of a single value" : dims.map(String.init).joined(separator: "x")
  }

  static let exportAgain = "export the model again"
}

extension Unicode.Scalar.Properties {
  /// Whether a scalar shows as itself: no control, format or line character, no half of a pair.
  fileprivate var isPrintable: Bool {
    switch generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    default: true
    }
  }
}
