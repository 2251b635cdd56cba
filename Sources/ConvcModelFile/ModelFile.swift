import ConvcIR
import Foundation
import Yams

/// Networks as YAML files: layers and edges by name, shapes inferred.
///
/// ```yaml
/// convc: 1
/// name: lenet5
/// inputs:
///   image: [1, 28, 28]
/// layers:
///   conv1: {layer: Conv2D, outputChannels: 6, kernelSize: 5, padding: 2}
///   relu1: {layer: ReLU}
/// outputs:
///   scores: relu1
/// losses:
///   loss: {loss: MeanSquaredError, output: scores, target: target}
/// ```
///
/// A layer reads the one before it unless `reads` says otherwise. Keys that nothing knows are refused with the nearest
/// known one and the line. ``schema`` describes the form for editors.
public enum ModelFile {
  /// The version of the form, which a file states as `convc: 1`.
  public static let version = 1
  /// Bytes that a file may have.
  static let limit = 16 << 20
  /// Levels of nesting that a file may have; a network needs four.
  static let depth = 32

  /// Reads a file.
  ///
  /// - Throws: a file that cannot be read, that is not YAML, or that is not a network in this form.
  public static func read(_ path: String) throws(ModelFileError) -> Model {
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw .cannotRead(path: path, reason: "the file cannot be read; is the path right?")
    }
    guard bytes.count <= limit else {
      throw .cannotRead(
        path: path, reason: "has \(bytes.count) bytes; a model file has at most \(limit)")
    }
    guard let text = String(data: bytes, encoding: .utf8) else {
      throw .cannotRead(path: path, reason: "is not UTF-8 text; a model file is YAML")
    }
    return try read(text: text, path: path)
  }

  /// Reads the text of a file.
  ///
  /// - Parameter path: the file's name for messages and source locations.
  public static func read(text: String, path: String) throws(ModelFileError) -> Model {
    if let line = tooDeep(text) {
      throw .line(
        path: path, line: line, problem: "is nested too deep; a network needs four levels")
    }
    let root: Yams.Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw problem(error, path: path)
    }
    guard let root else {
      throw .cannotRead(path: path, reason: "is empty; a model file begins with 'convc: 1'")
    }
    var reader = ModelFileReader(root: YAMLNode(node: root, path: path))
    return try reader.read()
  }

  /// The first line beyond the nesting that is accepted: the parser would follow it into the stack's end.
  private static func tooDeep(_ text: String) -> Int? {
    var open = 0
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      var dashes = 0
      for character in line.utf8 {
        switch character {
        case UInt8(ascii: "["), UInt8(ascii: "{"): open += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): open = max(0, open - 1)
        case UInt8(ascii: "-"), UInt8(ascii: "?"): dashes += 1
        default: break
        }
        if open > depth || dashes > 256 { return number + 1 }
      }
      if line.prefix(while: { $0 == " " }).count > 16 * depth { return number + 1 }
    }
    return nil
  }

  private static func problem(_ error: any Error, path: String) -> ModelFileError {
    switch error {
    case YamlError.scanner(_, let problem, let mark, _),
      YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      return .line(path: path, line: mark.line, problem: "is not YAML: \(problem)")
    case YamlError.duplicatedKeysInMapping(let names, let context):
      return .line(
        path: path, line: context.mark.line,
        problem: "has two entries called \(names.joined(separator: ", ")); rename one")
    case YamlError.reader(let problem, _, _, _):
      return .cannotRead(path: path, reason: "is not YAML: \(problem)")
    default:
      return .cannotRead(path: path, reason: "is not YAML: it cannot be parsed")
    }
  }
}
