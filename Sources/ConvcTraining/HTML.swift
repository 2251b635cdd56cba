/// Text for HTML and SVG.
package enum HTML {
  /// Text that can stand between tags and in quoted attributes.
  package static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      // Control characters are not allowed in HTML.
      case _ where scalar.value < 0x20 && scalar != "\n" && scalar != "\t": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A table's row: the first cell is its heading.
  static func row(_ cells: [String], className: String = "") -> String {
    let attribute = className.isEmpty ? "" : " class=\"\(className)\""
    let rest = cells.dropFirst().map { "<td>\($0)</td>" }.joined()
    return "<tr\(attribute)><th scope=\"row\">\(cells.first ?? "")</th>\(rest)</tr>\n"
  }

  /// A table's heading.
  static func head(_ cells: [String]) -> String {
    "<thead><tr>" + cells.map { "<th scope=\"col\">\($0)</th>" }.joined() + "</tr></thead>\n"
  }
}
