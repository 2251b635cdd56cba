import Mustache
import Synchronization

/// What fills a template.
public struct TemplateBindings: Sendable {
  /// Texts for `{{name}}`.
  public var texts: [String: String]
  /// Switches for `{{#name}}` and `{{^name}}`.
  public var flags: [String: Bool]
  /// Lines for `{{> name}}`, which take the tag's indentation.
  public var parts: [String: [String]]
  /// Names that the template may leave unused.
  public var optional: Set<String>

  public init(
    texts: [String: String] = [:], flags: [String: Bool] = [:], parts: [String: [String]] = [:],
    optional: Set<String> = []
  ) {
    self.texts = texts
    self.flags = flags
    self.parts = parts
    self.optional = optional
  }
}

/// Renders templates, and refuses what Mustache would pass over in silence.
///
/// Mustache renders an unknown name as nothing, which in C is a silent mistake. So the tags of the
/// template's text are compared with the bindings, before rendering, in both directions.
///
/// Any number of threads may render at once; the templates that were parsed are kept.
public final class TemplateRenderer: Sendable {
  private struct Parsed {
    let template: MustacheTemplate
    let tags: [TemplateTag]
    /// A line in place of each part.
    let marks: MustacheLibrary
  }

  public let library: TemplateLibrary
  private let parsed = Mutex<[String: Parsed]>([:])

  public init(library: TemplateLibrary) {
    self.library = library
  }

  /// The lines of a template filled with bindings: no spaces at their ends, no doubled empty lines.
  ///
  /// - Throws: an unknown template; a tag that has no binding, or one of another kind; a binding
  ///   that no tag uses; a tag that templates do not use.
  public func render(
    _ name: String, _ bindings: TemplateBindings
  ) throws(TemplateError) -> [String] {
    let template = try parse(name)
    try check(template.tags, of: name, against: bindings)
    var values: [String: Any] = [:]
    for (key, text) in bindings.texts { values[key] = text }
    for (key, flag) in bindings.flags { values[key] = flag }
    let text = template.template.render(values, library: template.marks)
    return Self.tidy(Self.insert(bindings.parts, into: text))
  }

  private func parse(_ name: String) throws(TemplateError) -> Parsed {
    if let known = parsed.withLock({ $0[name] }) { return known }
    guard let text = library[name] else {
      throw TemplateError(template: name, line: 1, problem: "there is no such template")
    }
    let scanner = try TemplateScanner(template: name, text: text)
    let template = try Self.mustache(text, of: name)
    var marks = MustacheLibrary()
    for tag in scanner.tags where tag.kind == .partial {
      marks.register(try Self.mark(tag, of: name), named: tag.name)
    }
    let result = Parsed(template: template, tags: scanner.tags, marks: marks)
    parsed.withLock { $0[name] = result }
    return result
  }

  private static func mustache(
    _ text: String, of name: String
  ) throws(TemplateError) -> MustacheTemplate {
    do {
      return try MustacheTemplate(string: text)
    } catch let error as MustacheTemplate.ParserError {
      throw TemplateError(
        template: name, line: error.context.lineNumber, problem: "\(error.error)")
    } catch {
      throw TemplateError(template: name, line: 1, problem: "\(error)")
    }
  }

  /// Parts are inserted after rendering, so their text is never read as a template.
  private static func mark(
    _ tag: TemplateTag, of name: String
  ) throws(TemplateError) -> MustacheTemplate {
    try mustache("\u{1}\(tag.name)\n", of: name)
  }

  private static func insert(_ parts: [String: [String]], into text: String) -> [String] {
    var lines: [String] = []
    for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      guard let mark = line.firstIndex(of: 1) else {
        lines.append(String(Substring(line)))
        continue
      }
      let indentation = Substring(line[..<mark])
      let name = String(Substring(line[line.index(after: mark)...]))
      lines += (parts[name] ?? []).map { indentation + $0 }
    }
    return lines
  }

  private func check(
    _ tags: [TemplateTag], of name: String, against bindings: TemplateBindings
  ) throws(TemplateError) {
    var used: Set<String> = []
    for tag in tags {
      used.insert(tag.name)
      let isBound =
        switch tag.kind {
        case .hole: bindings.texts[tag.name] != nil
        case .section, .end: bindings.flags[tag.name] != nil
        case .partial: bindings.parts[tag.name] != nil
        }
      guard !isBound else { continue }
      let wanted = tag.kind == .hole ? "text" : tag.kind == .partial ? "part" : "flag"
      throw TemplateError(
        template: name, line: tag.line, problem: "there is no \(wanted) named \(tag.name)")
    }
    let bound = [Set(bindings.texts.keys), Set(bindings.flags.keys), Set(bindings.parts.keys)]
    for (kind, names) in zip(["text", "flag", "part"], bound) {
      if let unused = names.subtracting(used).subtracting(bindings.optional).min() {
        throw TemplateError(
          template: name, line: 1, problem: "the \(kind) named \(unused) is not used")
      }
    }
    if let both = bound[0].intersection(bound[1]).min() {
      throw TemplateError(
        template: name, line: 1, problem: "\(both) is given as a text and as a flag")
    }
  }

  /// Removes spaces at the ends of lines, and empty lines that are doubled or stand inside a brace;
  /// wraps comments that are too long.
  static func tidy(_ lines: [String]) -> [String] {
    var result: [String] = []
    result.reserveCapacity(lines.count)
    for line in CText.wrapComments(lines) {
      let text = line.trimmingTail()
      if text.isEmpty {
        guard let last = result.last?.utf8.last, last != UInt8(ascii: "{") else { continue }
      } else if text.utf8.first(where: { $0 != UInt8(ascii: " ") }) == UInt8(ascii: "}"),
        result.last?.isEmpty == true
      {
        result.removeLast()
      }
      result.append(CText.closed(text))
    }
    while result.last?.isEmpty == true { result.removeLast() }
    return result
  }
}

extension String {
  /// The text without spaces at its end.
  func trimmingTail() -> String {
    guard utf8.last == UInt8(ascii: " ") else { return self }
    var text = utf8[...]
    while text.last == UInt8(ascii: " ") { text.removeLast() }
    return String(Substring(text))
  }
}
