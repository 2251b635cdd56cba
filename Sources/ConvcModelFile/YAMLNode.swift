import ConvcIR
import Yams

/// A node of a YAML text with the path of its file: what it should be is asked for, and an error names the line.
struct YAMLNode {
  let node: Yams.Node
  let path: String

  var line: Int { node.mark?.line ?? 1 }

  func error(_ problem: String) -> ModelFileError {
    .line(path: path, line: line, problem: problem)
  }

  /// What it is, in words.
  private var found: String {
    switch node {
    case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string.prefix(40))'"
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .alias: "an alias"
    }
  }

  /// The entries of a mapping, in order.
  func entries(_ what: String) throws(ModelFileError) -> [(
    key: String, at: YAMLNode, value: YAMLNode
  )] {
    guard case .mapping(let mapping) = node else {
      throw error("\(what) has to be a mapping of names, got \(found)")
    }
    var result: [(String, YAMLNode, YAMLNode)] = []
    for (key, value) in mapping {
      let at = YAMLNode(node: key, path: path)
      result.append((try at.text("a name of \(what)"), at, YAMLNode(node: value, path: path)))
    }
    return result
  }

  func list(_ what: String) throws(ModelFileError) -> [YAMLNode] {
    guard case .sequence(let sequence) = node else {
      throw error("\(what) has to be a list, got \(found)")
    }
    return sequence.map { YAMLNode(node: $0, path: path) }
  }

  func text(_ what: String) throws(ModelFileError) -> String {
    guard case .scalar(let scalar) = node else {
      throw error("\(what) has to be a text, got \(found)")
    }
    return scalar.string
  }

  func integer(_ what: String) throws(ModelFileError) -> Int {
    guard case .scalar(let scalar) = node, let value = Int(scalar.string) else {
      throw error("\(what) has to be a whole number, got \(found)")
    }
    return value
  }

  func number(_ what: String) throws(ModelFileError) -> Double {
    guard case .scalar(let scalar) = node, let value = Double(scalar.string) else {
      throw error("\(what) has to be a number, got \(found)")
    }
    return value
  }

  func boolean(_ what: String) throws(ModelFileError) -> Bool {
    switch try? text(what) {
    case "true": return true
    case "false": return false
    default: throw error("\(what) has to be true or false, got \(found)")
    }
  }

  /// The value of a setting; what the spec's kind is decides how a word is read.
  func setting(_ spec: SettingSpec) throws(ModelFileError) -> SettingValue {
    switch spec.kind {
    case .boolean: return .boolean(try boolean(spec.name))
    case .booleanOr(let words):
      let word = try text(spec.name)
      if words.contains(word) { return .word(word) }
      guard ["true", "false"].contains(word) else { throw mismatch(spec, word) }
      return .boolean(word == "true")
    case .integer: return .integer(try integer(spec.name))
    case .number: return .number(try number(spec.name))
    case .word(let words):
      let word = try text(spec.name)
      guard words.contains(word) else { throw mismatch(spec, word) }
      return .word(word)
    case .text: return .word(try text(spec.name))
    case .integers, .numbers: return try list(of: spec)
    case .size, .padding, .sides:
      if case .sequence = node { return try list(of: spec) }
      if let word = try? text(spec.name), spec.kind.words.contains(word) { return .word(word) }
      guard case .scalar(let scalar) = node, let value = Int(scalar.string) else {
        throw mismatch(spec, nil)
      }
      return .integer(value)
    }
  }

  private func list(of spec: SettingSpec) throws(ModelFileError) -> SettingValue {
    var values: [SettingValue] = []
    for entry in try list(spec.name) {
      if spec.kind == .numbers {
        values.append(.number(try entry.number("an entry of \(spec.name)")))
      } else {
        values.append(.integer(try entry.integer("an entry of \(spec.name)")))
      }
    }
    return .list(values)
  }

  private func mismatch(_ spec: SettingSpec, _ word: String?) -> ModelFileError {
    let guess = word.map { Spelling.hint(for: $0, among: spec.kind.words) } ?? ""
    return error("\(spec.name) is \(found); \(guess)\(spec.kind.text) is expected")
  }
}
