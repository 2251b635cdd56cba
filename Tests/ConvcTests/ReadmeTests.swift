import ConvcTestSupport
import Foundation
import Testing

/// The README's code, run as it stands. The two commands are run by `.ci/run`.
@Suite("README", .serialized)
struct ReadmeTests {
  let blocks: CommandBlocks

  init() throws { blocks = try CommandBlocks("README.md") }

  @Test("the shell blocks run in order")
  func shellBlocks() throws {
    let folder = try CommandBlocks.folder()
    let all = blocks.of("sh")
    #expect(all.count == 3)
    for block in all {
      let result = try CommandBlocks.shell(block, in: folder.path)
      #expect(result.status == 0, "\(block)\(result.text)")
    }
  }

  @Test("the Swift block is the example, which trains")
  func swiftBlock() throws {
    let example = try String(
      contentsOfFile: TestFiles.repository + "Examples/Training/main.swift", encoding: .utf8)
    #expect(blocks.of("swift") == [example])
    let result = try CommandBlocks.shell(
      "\(CommandBlocks.products)/TrainingExample", in: NSTemporaryDirectory())
    let accuracy = result.text.split(separator: " ").last.flatMap {
      Double($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    #expect(result.status == 0 && (accuracy ?? 0) > 0.8, "\(result.text)")
  }
}
