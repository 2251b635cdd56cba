import ConvcTestSupport
import Foundation
import Testing

@Suite("Layer reference")
struct LayerReferenceTests {
  @Test("the committed pages are what the sources and the registry say")
  func current() throws {
    let pages = try LayerReference().pages()
    let records = ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1"
    for page in pages {
      let path = TestFiles.repository + "Docs/" + page.path
      let committed = try? String(contentsOfFile: path, encoding: .utf8)
      if records, committed != page.text {
        try FileManager.default.createDirectory(
          atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try page.text.write(toFile: path, atomically: true, encoding: .utf8)
      }
      #expect(
        committed == page.text,
        "Docs/\(page.path) is out of date; RECORD_GOLDENS=1 swift test --filter LayerReferenceTests records it"
      )
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
