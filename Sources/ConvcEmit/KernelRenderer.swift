import ConvcIR

/// How a generated function can be called.
enum Linkage {
  /// From its own file.
  case `static`
  /// From the other files of the model, but not from outside the library.
  case hidden
}

/// Renders kernel calls to C functions.
///
/// A template names the parts `head` (comment and signature), `constants`, `views`, and its
/// fragments; ``TemplateRenderer`` checks that it uses what it is given, and only that.
public struct KernelRenderer: Sendable {
  let renderer: TemplateRenderer
  /// Whether kernels are kept out of the step functions: inlined there, clang forgets what `restrict` says, so that gradients
  /// by weight take a quarter longer and loops over floats do not become vectors. Plain C has no word for it.
  let staysApart: Bool
  private let target: Target

  public init(renderer: TemplateRenderer, target: Target) {
    self.renderer = renderer
    self.target = target
    staysApart = target.hasVectors
  }

  /// The C function of a call, which its own file alone can call.
  ///
  /// - Parameters:
  ///   - name: The function's name.
  ///   - uses: For each use of the function the layers whose work it does; by default those of the call.
  /// - Throws: what ``TemplateRenderer/render(_:_:)`` refuses; a template without `{{> head}}`.
  public func function(
    _ call: KernelCall, name: String, uses: [[String]] = []
  ) throws(TemplateError) -> [String] {
    var parts = [
      "head": Self.comment(call, uses: uses.isEmpty ? [call.layers] : uses)
        + signature(call, name, .static, " {"),
      "constants": Self.constants(call),
      "views": Self.views(call),
    ]
    for key in call.fragments.keys.sorted() {
      parts[key] = try fragments(call.fragments[key] ?? [])
    }
    var flags = call.flags
    flags["parallel"] = call.isParallel
    let bindings = TemplateBindings(
      texts: call.texts.merging(["schedule": schedule(call)]) { $1 }, flags: flags, parts: parts,
      optional: ["constants", "views", "parallel", "schedule"])
    return Indentation.byBlocks(try renderer.render(call.template, bindings))
  }

  /// How threads share a loop. In long kernels the parts become smaller towards the end, so that all wait little for a
  /// thread that other work holds up; in short ones each thread gets the same part in every kernel and step, and finds in
  /// its cache what it wrote, which on a processor of several dies is worth more.
  private func schedule(_ call: KernelCall) -> String {
    call.work.microseconds(on: target) < 1000 ? "static" : "guided"
  }

  /// Helper functions that kernels name in `support`: C text without tags.
  public func support(_ template: String) throws(TemplateError) -> [String] {
    try renderer.render(template, TemplateBindings())
  }

  /// The declaration of a function that stands in another file.
  func declaration(_ call: KernelCall, name: String) -> [String] {
    signature(call, name, .hidden, ";")
  }

  private func fragments(_ fragments: [Fragment]) throws(TemplateError) -> [String] {
    var lines: [String] = []
    var layer: String?
    for fragment in fragments {
      if fragment.layer != layer, !fragment.layer.isEmpty {
        lines.append("// \(CText.comment(fragment.layer))")
      }
      layer = fragment.layer
      let bindings = TemplateBindings(texts: fragment.values)
      lines += try renderer.render(fragment.template, bindings)
    }
    return lines
  }

  // MARK: Head

  private static func comment(_ call: KernelCall, uses: [[String]]) -> [String] {
    let layers = uses.map { $0.joined(separator: " + ") }
    let own = layers.first ?? ""
    let title =
      own.isEmpty
      ? call.title.prefix(1).uppercased() + call.title.dropFirst()
      : call.title.hasPrefix(own) ? call.title : "\(own): \(call.title)"
    var lines = paragraph(title.hasSuffix(".") ? title : "\(title).")
    if layers.count > 1 {
      lines += paragraph("The same for \(layers.dropFirst().joined(separator: ", ")).")
    }
    if !call.arguments.isEmpty { lines += ["//"] + arguments(call) }
    if !call.notes.isEmpty { lines += ["//"] + paragraph(call.notes.joined(separator: " ")) }
    return lines
  }

  private static func paragraph(_ text: String) -> [String] {
    CText.wrap(CText.comment(text), first: "// ", following: "// ")
  }

  /// Name, shape and meaning of each argument in columns.
  private static func arguments(_ call: KernelCall) -> [String] {
    var table = TextTable()
    for argument in call.arguments {
      let text = CText.comment(argument.text)
      guard text.hasPrefix("["), let end = text.firstIndex(of: "]") else {
        table.add([argument.name, text])
        continue
      }
      let meaning = text[text.index(after: end)...].drop { $0 == " " }
      table.add([argument.name, String(text[...end])] + (meaning.isEmpty ? [] : [String(meaning)]))
    }
    return table.comment
  }

  /// The function's first lines, up to `{` or `;`.
  func signature(
    _ call: KernelCall, _ name: String, _ linkage: Linkage, _ tail: String
  ) -> [String] {
    let scalars = call.scalars.map { "\($0.cType) \($0.rawValue)" }
    let pointers = call.arguments.map { argument in
      "\(Self.type(argument)) *restrict \(argument.name)\(argument.dimensions.isEmpty ? "" : "_")"
    }
    let parameters = scalars + pointers
    let isStatic = linkage == .static
    let attributes = "visibility(\"hidden\")" + (staysApart ? ", noinline" : "")
    return (isStatic ? [] : ["__attribute__((\(attributes)))"])
      + CText.list(
        "\(!isStatic ? "" : staysApart ? "static NOINLINE " : "static ")void \(name)(",
        parameters.isEmpty ? ["void"] : parameters, ")\(tail)")
  }

  private static func type(_ argument: Argument) -> String {
    argument.access == .read ? "const \(argument.element)" : argument.element
  }

  // MARK: Parts

  private static func constants(_ call: KernelCall) -> [String] {
    let tables = call.tables.flatMap { table in
      CText.list(
        "static const \(table.element) \(table.name)[] = {", table.values, "};", indentation: 4)
    }
    return tables + call.constants.flatMap { constants($0, of: call) }
  }

  private static func constants(_ row: ConstantRow, of call: KernelCall) -> [String] {
    for constant in row.constants
    where Int(Int32(truncatingIfNeeded: constant.value)) != constant.value {
      preconditionFailure("internal error: \(call.name): \(constant.name) does not fit an int")
    }
    let comment = row.comment.isEmpty ? "" : "  // \(CText.comment(row.comment))"
    var lines = CText.list(
      "enum { ", row.constants.map { "\($0.name) = \($0.value)" }, " };", indentation: 4)
    if let last = lines.popLast() {
      if last.width + comment.width + 4 <= CText.columns {
        lines.append(last + comment)
      } else {
        lines.insert(String(comment.dropFirst(2)), at: 0)
        lines.append(last)
      }
    }
    return lines
  }

  private static func views(_ call: KernelCall) -> [String] {
    call.arguments.filter { !$0.dimensions.isEmpty }.flatMap { argument in
      let type = type(argument)
      let extents = argument.dimensions.map { "[\($0)]" }.joined()
      let declared = "\(type) (*\(argument.name))\(extents) ="
      let value = "(\(type) (*)\(extents))\(argument.name)_;"
      return declared.width + value.width + 5 <= CText.columns
        ? ["\(declared) \(value)"] : [declared, "    \(value)"]
    }
  }
}
