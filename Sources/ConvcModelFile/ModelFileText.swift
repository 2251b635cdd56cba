import ConvcIR
import ConvcLayers

extension ModelFile {
  /// A network as the text of a model file, which ``read(text:path:)`` takes back to the same network.
  ///
  /// - Throws: a layer or loss that is not in ``LayerRegistry``.
  public static func text(of model: Model) throws(ModelFileError) -> String {
    var lines = ["convc: \(version)", "name: \(quoted(model.name))"]
    if model.isUnbatched { lines.append("unbatched: true") }
    lines.append("inputs:")
    for input in model.inputs {
      lines.append("  \(quoted(input.name)): \(SettingValue(input.shape).text)")
    }
    if let preprocessing = model.preprocessing {
      lines += [
        "preprocessing:", "  scale: \(preprocessing.scale)",
        "  mean: \(numbers(preprocessing.mean))",
        "  deviation: \(numbers(preprocessing.deviation))",
      ]
    }
    if !model.classNames.isEmpty {
      lines.append("classes: [\(model.classNames.map(quoted).joined(separator: ", "))]")
    }
    if let regularizer = model.regularizer {
      lines.append("regularizer: \(text(regularizer))")
    }
    lines.append("layers:")
    var previous = model.inputs.count == 1 ? model.inputs[0].name : nil
    for node in model.nodes {
      lines.append(
        "  \(quoted(node.name)): {\(try entries(node, previous).joined(separator: ", "))}")
      previous = node.name
    }
    lines.append("outputs:")
    lines += model.outputs.map { "  \(quoted($0.name)): \(quoted($0.node))" }
    if !model.losses.isEmpty { lines.append("losses:") }
    for term in model.losses { lines.append(try line(term)) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func entries(
    _ node: Model.Node, _ previous: String?
  ) throws(ModelFileError) -> [String] {
    guard let layer = node.layer as? any RegisteredLayer else {
      throw .cannotWrite(
        layer: node.name,
        problem: "\(type(of: node.layer)) is a layer of the program's own; "
          + "model files know those of the registry alone")
    }
    var entries = ["layer: \(type(of: layer).registeredName)"]
    if node.inputs != previous.map({ [$0] }) {
      entries.append(
        node.inputs.count == 1
          ? "reads: \(quoted(node.inputs[0]))"
          : "reads: [\(node.inputs.map(quoted).joined(separator: ", "))]")
    }
    entries += settings(of: layer)
    if node.isFrozen { entries.append("frozen: true") }
    if let regularizer = node.regularizer { entries.append("regularizer: \(text(regularizer))") }
    return entries
  }

  private static func text(_ regularizer: Regularizer) -> String {
    "{l1: \(regularizer.l1), l2: \(regularizer.l2)"
      + (regularizer.includesBiases ? ", biases: true}" : "}")
  }

  private static func line(_ term: Model.LossTerm) throws(ModelFileError) -> String {
    guard let loss = term.loss as? any RegisteredLoss else {
      throw .cannotWrite(
        layer: term.name,
        problem: "\(type(of: term.loss)) is a loss of the program's own; "
          + "model files know those of the registry alone")
    }
    let entries =
      [
        "loss: \(type(of: loss).registeredName)", "output: \(quoted(term.output))",
        "target: \(quoted(term.target))",
      ] + settings(of: loss)
      + (term.weight == 1 ? [] : ["weight: \(term.weight)"])
    return "  \(quoted(term.name)): {\(entries.joined(separator: ", "))}"
  }

  /// Settings that are not the usual ones, in the order of the documentation.
  private static func settings(of value: any Configurable) -> [String] {
    value.givenSettings.map { "\($0.name): \(text($0.value))" }
  }

  private static func text(_ value: SettingValue) -> String {
    if case .word(let word) = value { return quoted(word) }
    return value.text
  }

  private static func numbers(_ values: [Float]) -> String {
    "[" + values.map { "\($0)" }.joined(separator: ", ") + "]"
  }

  /// A text as YAML has it: as it stands where it can be nothing else, else in quotes.
  static func quoted(_ text: String) -> String {
    let plain = text.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
        || $0 == 45
    }
    let first = text.utf8.first ?? 48
    let isLetter = (65...90).contains(first) || (97...122).contains(first) || first == 95
    let words: Set = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
    if plain, isLetter, !words.contains(text.lowercased()) { return text }
    return "\"" + text.unicodeScalars.map(escaped).joined() + "\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": "\\\""
    case "\\": "\\\\"
    case "\n": "\\n"
    case "\t": "\\t"
    case _ where scalar.value < 32 || scalar.value == 127 || (0x80..<0xA0).contains(scalar.value):
      "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
    case "\u{2028}", "\u{2029}", "\u{FEFF}": "\\u" + String(scalar.value, radix: 16)
    default: String(scalar)
    }
  }
}
