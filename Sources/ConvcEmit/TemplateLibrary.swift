import ConvcTemplates
import Foundation

/// The templates that C text is made from, by name.
public struct TemplateLibrary: Sendable {
  private let texts: [String: String]

  public init(_ texts: [String: String]) {
    self.texts = texts
  }

  /// The templates that are part of the program.
  public static let embedded: TemplateLibrary = {
    let entries = UnsafeBufferPointer(
      start: convc_templates(), count: Int(convc_templates_count()))
    var texts: [String: String] = [:]
    for entry in entries {
      texts[String(cString: entry.name)] = String(cString: entry.text)
    }
    return TemplateLibrary(texts)
  }()

  /// The shared part of the interface, `convc_abi.h`, which every generated header repeats.
  static let interface = String(cString: convc_interface_text())

  /// All names, sorted.
  public var names: [String] { texts.keys.sorted() }

  public subscript(name: String) -> String? { texts[name] }

  /// The same library with further templates, or other texts for its own.
  public func adding(_ more: [String: String]) -> TemplateLibrary {
    TemplateLibrary(texts.merging(more) { _, new in new })
  }

  /// The same library with the texts of a folder's files `NAME.c.mustache` before its own.
  ///
  /// - Throws: what the file system says where the folder or a file cannot be read.
  public func overridden(byFolder path: String) throws -> TemplateLibrary {
    let suffix = ".c.mustache"
    var more: [String: String] = [:]
    for file in try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    where file.hasSuffix(suffix) {
      let text = try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
      more[String(file.dropLast(suffix.count))] = text
    }
    return adding(more)
  }
}
