/// What is wrong with a template, or with what it was given.
public struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
  public let template: String
  /// Line of the template, from 1.
  public let line: Int
  public let problem: String

  public init(template: String, line: Int, problem: String) {
    self.template = template
    self.line = line
    self.problem = problem
  }

  public var description: String { "template \(template), line \(line): \(problem)" }
}

/// A tag of a template.
struct TemplateTag: Hashable {
  enum Kind: Hashable {
    /// `{{name}}`
    case hole
    /// `{{#name}}`, `{{^name}}`
    case section
    /// `{{/name}}`
    case end
    /// `{{> name}}`
    case partial
  }

  let kind: Kind
  let name: String
  let line: Int
}

/// Lists a template's tags from its text, those in sections that are off included.
///
/// Templates keep to a part of Mustache: holes, sections, partials on a line of their own, comments,
/// and as first line the content type; Mustache would make HTML without it.
struct TemplateScanner {
  static let firstLine = "{{% CONTENT_TYPE:TEXT}}"

  let template: String
  private(set) var tags: [TemplateTag] = []

  /// - Throws: a tag that templates do not use, a section that is not closed.
  init(template: String, text: String) throws(TemplateError) {
    self.template = template
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first.map(String.init) == Self.firstLine else {
      throw TemplateError(
        template: template, line: 1, problem: "the first line must be \(Self.firstLine)")
    }
    for (index, line) in lines.enumerated().dropFirst() {
      try scan(line, number: index + 1)
    }
    try checkSections()
  }

  private mutating func scan(_ line: Substring, number: Int) throws(TemplateError) {
    var rest = line
    while let start = rest.firstRange(of: "{{") {
      guard let end = rest[start.upperBound...].firstRange(of: "}}") else {
        throw TemplateError(template: template, line: number, problem: "}} is missing")
      }
      let body = rest[start.upperBound..<end.lowerBound]
      if let tag = try tag(body, number: number) {
        if tag.kind == .partial, line.trimmingSpaces() != "{{\(body)}}" {
          throw TemplateError(
            template: template, line: number,
            problem: "{{\(body)}} must stand on a line of its own")
        }
        tags.append(tag)
      }
      rest = rest[end.upperBound...]
    }
  }

  private func tag(_ body: Substring, number: Int) throws(TemplateError) -> TemplateTag? {
    let kind: TemplateTag.Kind
    switch body.first {
    case "!": return nil
    case "#", "^": kind = .section
    case "/": kind = .end
    case ">": kind = .partial
    default: kind = .hole
    }
    let name = (kind == .hole ? body : body.dropFirst()).trimmingSpaces()
    guard CText.isIdentifier(name) else {
      throw TemplateError(
        template: template, line: number,
        problem: "{{\(body)}} is not a tag that templates use: {{name}}, {{#flag}}, {{^flag}}, "
          + "{{/flag}}, {{> part}}, {{! comment}}")
    }
    return TemplateTag(kind: kind, name: name, line: number)
  }

  private func checkSections() throws(TemplateError) {
    var open: [TemplateTag] = []
    for tag in tags {
      if tag.kind == .section { open.append(tag) }
      guard tag.kind == .end else { continue }
      guard let last = open.popLast(), last.name == tag.name else {
        throw TemplateError(
          template: template, line: tag.line, problem: "{{/\(tag.name)}} closes no open section")
      }
    }
    if let tag = open.last {
      throw TemplateError(
        template: template, line: tag.line, problem: "{{#\(tag.name)}} is not closed")
    }
  }
}

extension Substring {
  /// The text without spaces and tabs at both ends.
  func trimmingSpaces() -> String {
    var text = self
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text.drop { $0 == " " || $0 == "\t" })
  }
}
