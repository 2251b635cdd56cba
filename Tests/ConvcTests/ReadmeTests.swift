import ConvcTestSupport
import Foundation
import Testing

/// The README's code, run as it stands. The two commands are run by `.ci/run`.
@Suite("README", .serialized)
struct ReadmeTests {
  /// Contents of the fenced blocks of a language.
  private func blocks(_ language: String) throws -> [String] {
    let text = try String(contentsOfFile: TestFiles.repository + "README.md", encoding: .utf8)
    return text.components(separatedBy: "```\(language)\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
  }

  /// The folder of the programs that were built beside the tests.
  private var products: String {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path()
  }

  private func shell(_ script: String, in folder: String) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-euc", script]
    process.currentDirectoryURL = URL(filePath: folder)
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = "\(folder):" + (environment["PATH"] ?? "/usr/bin:/bin")
    process.environment = environment
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  @Test("the shell blocks run in order")
  func shellBlocks() throws {
    let folder = try TemporaryFolder()
    let files = FileManager.default
    let product = products + "/ConvcTool"
    let tool = files.isExecutableFile(atPath: product) ? product : products + "/convc"
    try files.createSymbolicLink(atPath: folder.path + "/convc", withDestinationPath: tool)
    try files.createSymbolicLink(
      atPath: folder.path + "/Examples", withDestinationPath: TestFiles.repository + "Examples")
    let all = try blocks("sh")
    #expect(all.count == 3)
    for block in all {
      let result = try shell(block, in: folder.path)
      #expect(result.status == 0, "\(block)\(result.text)")
    }
  }

  @Test("the Swift block is the example, which trains")
  func swiftBlock() throws {
    let example = try String(
      contentsOfFile: TestFiles.repository + "Examples/Training/main.swift", encoding: .utf8)
    #expect(try blocks("swift") == [example])
    let result = try shell("\(products)/TrainingExample", in: NSTemporaryDirectory())
    let accuracy = result.text.split(separator: " ").last.flatMap {
      Double($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    #expect(result.status == 0 && (accuracy ?? 0) > 0.8, "\(result.text)")
  }
}
