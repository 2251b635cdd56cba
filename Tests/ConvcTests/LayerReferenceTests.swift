import ConvcTestSupport
import Foundation
import Testing

@Suite("Layer reference")
struct LayerReferenceTests {
  @Test("the committed pages are what the sources and the registry say")
  func current() throws {
    for page in try LayerReference().pages() {
      try expectRecorded(page.text, at: "Docs/\(page.path)")
    }
  }

  @Test("no page is left of what the registry no longer has")
  func leftovers() throws {
    let expected = Set(try LayerReference().pages().map(\.path))
    for folder in ["Layers", "Losses"] {
      let files = try? FileManager.default.contentsOfDirectory(
        atPath: TestFiles.repository + "Docs/" + folder)
      #expect((files ?? []).map { "\(folder)/\($0)" }.filter { !expected.contains($0) } == [])
    }
  }

  @Test("every page says shapes, gradient and source")
  func complete() throws {
    for page in try LayerReference().pages()
    where page.path.hasPrefix("Layers/") && page.path.hasSuffix(".md") {
      for word in ["nput", "utput", "radient", "Source:"] {
        #expect(page.text.contains(word), "\(page.path) does not mention \(word)")
      }
    }
  }
}
