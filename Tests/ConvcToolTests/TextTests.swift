import ConvcIR
import Testing

@testable import ConvcTool

@Suite("Text of the command")
struct TextTests {
  @Test("numbers are grouped, rounded and shortened")
  func numbers() {
    #expect(
      [0, 999, 1000, -1_234_567].map(NumberText.grouped) == ["0", "999", "1,000", "-1,234,567"])
    #expect(NumberText.fixed(2.345, 1) == "2.3")
    #expect(NumberText.fixed(-0.04, 1) == "0.0")
    #expect(NumberText.fixed(0.999, 2) == "1.00")
    #expect(NumberText.fixed(7, 0) == "7")
    #expect(NumberText.fixed(.infinity, 2) == "inf")
    #expect(NumberText.percent(0.8861) == "88.61 %")
    #expect([12, 2048, 3 << 20].map(NumberText.bytes) == ["12 B", "2.0 KiB", "3.0 MiB"])
    #expect(
      [0, 0.0001234, -12.34, 123.4, 98765].map(NumberText.short)
        == ["0", "1.23e-04", "-12.3", "123", "9.88e+04"])
  }

  @Test("columns are as wide as their widest entry, lines have no blanks at their ends")
  func table() {
    var table = TextTable([("name", .left), ("size", .right), ("", .left)])
    table.add(["a", "1", ""])
    table.add(["longer", "1,000", "x"])
    #expect(table.text == "name     size\na           1\nlonger  1,000  x")
  }

  @Test("the nearest word is found, and none where nothing is near")
  func spelling() {
    let known = ["lenet5", "resnet8-digits"]
    #expect(Spelling.nearest(to: "LeNet-5", among: known) == "lenet5")
    #expect(Spelling.nearest(to: "resnet8", among: known) == "resnet8-digits")
    #expect(Spelling.nearest(to: "x", among: known) == nil)
    #expect(Spelling.distance("kitten", "sitting") == 3)
  }

  @Test("a line has no line ends and no control characters")
  func line() {
    #expect(Console.line("a\nb\r\nc\u{7}") == "a b c?")
  }
}
