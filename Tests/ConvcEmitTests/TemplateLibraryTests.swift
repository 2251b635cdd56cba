import ConvcEmit
import Foundation
import Testing

@Suite("TemplateLibrary")
struct TemplateLibraryTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Templates/Kernels").path

  @Test("embeds exactly the folder's templates, sorted by name in embed.c")
  func embedsAll() throws {
    let suffix = ".c.mustache"
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
    #expect(files.filter { !$0.hasSuffix(suffix) } == [])
    #expect(TemplateLibrary.embedded.names == files.map { String($0.dropLast(suffix.count)) })
    for name in TemplateLibrary.embedded.names {
      let text = try String(contentsOfFile: "\(Self.folder)/\(name)\(suffix)", encoding: .utf8)
      #expect(TemplateLibrary.embedded[name] == text, "\(name) is another file in embed.c")
    }
    let list = try String(contentsOfFile: "\(Self.folder)/../embed.c", encoding: .utf8)
      .split(separator: "\n").filter { $0.hasPrefix("TEMPLATE(") }
    #expect(list == list.sorted())
  }

  // Between the loops of one kernel no thread waits, so what one loop wrote only its own thread may read in the next.
  @Test("hand out parts in turn only where a kernel has one shared loop")
  func sharedLoops() throws {
    for name in TemplateLibrary.embedded.names {
      let text = try #require(TemplateLibrary.embedded[name])
      let loops = text.split(separator: "\n").filter { $0.contains("OMP(omp for") }
      guard loops.contains(where: { $0.contains("{{schedule}}") }) else { continue }
      #expect(loops.count == 1, "\(name)")
      #expect(loops[0].hasPrefix("    OMP("), "\(name): the shared loop lies in another")
    }
  }

  @Test("prefers the texts of a folder")
  func overrides() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("convc-templates-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try "new".write(
      to: folder.appendingPathComponent("file_model.c.mustache"), atomically: true,
      encoding: .utf8)
    let library = try TemplateLibrary.embedded.overridden(byFolder: folder.path)
    #expect(library["file_model"] == "new")
    #expect(library["file_update"] == TemplateLibrary.embedded["file_update"])
    #expect(throws: (any Error).self) {
      try TemplateLibrary.embedded.overridden(byFolder: folder.path + "/none")
    }
  }
}
