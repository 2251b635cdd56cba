import Testing

@testable import ConvcEmit

@Suite("CText")
struct CTextTests {
  @Test("makes identifiers of any text")
  func identifiers() {
    #expect(CText.identifier("conv1_relu1") == "conv1_relu1")
    #expect(CText.identifier("résnet 18/x") == "r_snet_18_x")
    #expect(CText.identifier("3d") == "m3d")
    #expect(CText.identifier("_x") == "m_x")
    #expect(CText.identifier("") == "m")
    #expect(CText.identifier("float") == "float_")
    #expect(CText.prefix("lenet5") == "lenet5")
    #expect(CText.prefix("Convc") == "m_Convc")
  }

  @Test("writes any text as a string literal")
  func strings() {
    #expect(CText.string("a b") == "\"a b\"")
    #expect(CText.string("\"\\?") == "\"\\\"\\\\\\?\"")
    #expect(CText.string("\n\u{0}1é") == "\"\\012\\0001\\303\\251\"")
  }

  @Test("keeps a comment on its line")
  func comments() {
    #expect(CText.comment("a\nb\tc\r\u{2028}") == "a b c  ")
    #expect(CText.comment("*/ /* ??/ ???") == "* / / * ? ?/ ? ? ?")
    #expect(CText.comment("*/*") == "* / *")
    #expect(CText.comment("é × \u{202E}") == "é × ?")
    #expect(CText.closed("x  // a\\") == "x  // a\\ .")
    #expect(CText.closed("#define A \\") == "#define A \\")
  }

  @Test("prints floats in their shortest exact form")
  func floats() {
    #expect(CText.float(0.1) == "0.1f")
    #expect(CText.float(1) == "1.0f")
    #expect(CText.float(1e-20) == "1e-20f")
    #expect(CText.float(-.infinity) == "-INFINITY")
    #expect(CText.float(.nan) == "NAN")
  }

  @Test("breaks lists at 120 columns, aligned where there is room")
  func lists() {
    let items = (0..<20).map { "argument_\($0)" }
    let aligned = CText.list("f(", items, ");")
    #expect(aligned.count == 3)
    #expect(aligned.allSatisfy { $0.count <= 120 })
    #expect(aligned[1].hasPrefix("  argument_"))
    let name = String(repeating: "long_", count: 20)
    let deep = CText.list("    \(name)(", items, ");")
    #expect(deep[0] == "    \(name)(argument_0,")
    #expect(deep[1].hasPrefix("            argument_1"))
    #expect(CText.list("f(", [], ");") == ["f();"])
    #expect(CText.list("f(", items, ");", indentation: 60).allSatisfy { $0.count <= 60 })
  }

  @Test("finds the words of code, not those of comments")
  func words() {
    #expect(CText.words(in: ["a = pick(b2);  // lanes"]) == ["a", "pick", "b2"])
  }

  @Test("fills the lines of a comment that is too long, and no other")
  func wrapping() {
    let long = "    // " + String(repeating: "word ", count: 30)
    let wrapped = CText.wrapComments([long, "    // end.", "    //", "    x = 1;  // \(long)"])
    #expect(wrapped.count == 4)
    #expect(wrapped[0].count <= 120)
    #expect(wrapped[1].hasSuffix("word end."))
    #expect(CText.wrapComments(["// short", "// lines"]) == ["// short", "// lines"])
  }

  @Test("hands out names once")
  func symbols() {
    var symbols = Symbols(reserved: ["parameters"])
    #expect(symbols.name("a") == "a")
    #expect(symbols.name("a") == "a_2")
    #expect(symbols.name("parameters", or: "packed_parameters") == "packed_parameters")
    #expect(symbols.name("parameters", or: "packed_parameters") == "parameters_2")
  }
}
