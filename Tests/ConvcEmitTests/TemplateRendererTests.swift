import ConvcEmit
import Testing

@Suite("TemplateRenderer")
struct TemplateRendererTests {
  private static func render(
    _ text: String, _ bindings: TemplateBindings, head: Bool = true
  ) throws -> [String] {
    let whole = head ? "{{% CONTENT_TYPE:TEXT}}\n" + text : text
    return try TemplateRenderer(library: TemplateLibrary(["t": whole])).render("t", bindings)
  }

  @Test("fills in texts, sections and parts, and keeps a part's indentation")
  func fills() throws {
    let lines = try Self.render(
      """
      int {{name}}(void) {
          {{> body}}
          {{#fast}}
          quick();
          {{/fast}}
          {{^fast}}
          slow<{{name}}>();
          {{/fast}}
          {{! not in the text }}
      }
      """,
      TemplateBindings(
        texts: ["name": "f"], flags: ["fast": false],
        parts: ["body": ["if (a)", "    b({{name}}, {{0}});"]]))
    #expect(
      lines == [
        "int f(void) {", "    if (a)", "        b({{name}}, {{0}});", "    slow<f>();", "}",
      ])
  }

  @Test("leaves no trace of an empty part, no doubled empty line, no spaces at ends")
  func tidies() throws {
    let lines = try Self.render(
      "f() {\n    {{> none}}\n\n    a;  \n\n\n    {{> none}}\n\n    b;\n\n}\n\n",
      TemplateBindings(parts: ["none": []]))
    #expect(lines == ["f() {", "    a;", "", "    b;", "}"])
  }

  @Test("wraps long comments at 120 columns and keeps their indentation")
  func wraps() throws {
    let long = Array(repeating: "word", count: 40).joined(separator: " ")
    let lines = try Self.render("    // {{text}}\n", TemplateBindings(texts: ["text": long]))
    #expect(lines.count == 2)
    #expect(lines.allSatisfy { $0.count <= 120 && $0.hasPrefix("    // word") })
    #expect(lines[0].count > 110)
  }

  @Test("ends a comment that a backslash would continue")
  func backslash() throws {
    let lines = try Self.render(
      "f();  // {{text}}\n", TemplateBindings(texts: ["text": "a\\"]))
    #expect(lines == ["f();  // a\\ ."])
  }

  /// A template, what it is given, and what is wrong with that.
  struct Fault: Sendable, CustomTestStringConvertible {
    let text: String
    var bindings = TemplateBindings()
    let message: String
    var testDescription: String { message }
  }

  static let faults = [
    Fault(text: "a\n{{b}}\n", message: "template t, line 3: there is no text named b"),
    Fault(
      text: "{{#b}}\nx\n{{/b}}\n", message: "template t, line 2: there is no flag named b"),
    Fault(text: "\n{{> b}}\n", message: "template t, line 3: there is no part named b"),
    Fault(
      text: "{{#off}}\n{{b}}\n{{/off}}\n", bindings: TemplateBindings(flags: ["off": false]),
      message: "template t, line 3: there is no text named b"),
    Fault(
      text: "{{b}}\n", bindings: TemplateBindings(flags: ["b": true]),
      message: "template t, line 2: there is no text named b"),
    Fault(
      text: "{{#b}}{{/b}}\n", bindings: TemplateBindings(texts: ["b": "x"]),
      message: "template t, line 2: there is no flag named b"),
    Fault(
      text: "x\n", bindings: TemplateBindings(texts: ["b": "x"]),
      message: "template t, line 1: the text named b is not used"),
    Fault(
      text: "x\n", bindings: TemplateBindings(flags: ["b": true]),
      message: "template t, line 1: the flag named b is not used"),
    Fault(
      text: "x\n", bindings: TemplateBindings(parts: ["b": []]),
      message: "template t, line 1: the part named b is not used"),
    Fault(
      text: "{{b}}{{#b}}{{/b}}\n", bindings: TemplateBindings(texts: ["b": ""], flags: ["b": true]),
      message: "template t, line 1: b is given as a text and as a flag"),
    Fault(
      text: "x {{> b}}\n", bindings: TemplateBindings(parts: ["b": []]),
      message: "template t, line 2: {{> b}} must stand on a line of its own"),
    Fault(text: "x\n{{#b}}\n", message: "template t, line 3: {{#b}} is not closed"),
    Fault(text: "{{/b}}\n", message: "template t, line 2: {{/b}} closes no open section"),
    Fault(
      text: "{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}\n",
      message: "template t, line 4: {{/a}} closes no open section"),
    Fault(text: "x {{b\n", message: "template t, line 2: }} is missing"),
    Fault(
      text: "int a[1][1] = {{0}};\n",
      message: "template t, line 2: {{0}} is not a tag that templates use: {{name}}, {{#flag}}, "
        + "{{^flag}}, {{/flag}}, {{> part}}, {{! comment}}"),
    Fault(
      text: "{{=<% %>=}}\n",
      message: "template t, line 2: {{=<% %>=}} is not a tag that templates use: {{name}}, "
        + "{{#flag}}, {{^flag}}, {{/flag}}, {{> part}}, {{! comment}}"),
  ]

  @Test("refuses what Mustache would pass over", arguments: faults)
  func refuses(_ fault: Fault) throws {
    let error = #expect(throws: TemplateError.self) {
      try Self.render(fault.text, fault.bindings)
    }
    #expect(error?.description == fault.message)
  }

  @Test("refuses a template without its content type, and one that is not there")
  func refusesTemplate() throws {
    let error = #expect(throws: TemplateError.self) {
      try Self.render("x\n", TemplateBindings(), head: false)
    }
    #expect(
      error?.description
        == "template t, line 1: the first line must be {{% CONTENT_TYPE:TEXT}}")
    let renderer = TemplateRenderer(library: TemplateLibrary([:]))
    let missing = #expect(throws: TemplateError.self) {
      try renderer.render("relu_scaler", TemplateBindings())
    }
    #expect(missing?.description == "template relu_scaler, line 1: there is no such template")
  }
}
