import ConvcTestSupport
import Foundation

/// The fenced blocks of a document, and a shell that runs them as a user would.
struct CommandBlocks {
  private let text: String

  /// - Parameter document: its path in the repository.
  init(_ document: String) throws {
    text = try String(contentsOfFile: TestFiles.repository + document, encoding: .utf8)
  }

  /// Contents of the blocks of a language.
  func of(_ language: String) -> [String] {
    text.components(separatedBy: "```\(language)\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
  }

  /// The folder of the programs that were built beside the tests.
  static var products: String {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path()
  }

  /// A folder with the examples and the command, which the shell finds there.
  static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let files = FileManager.default
    let product = products + "/ConvcTool"
    let tool = files.isExecutableFile(atPath: product) ? product : products + "/convc"
    try files.createSymbolicLink(atPath: folder.file("convc"), withDestinationPath: tool)
    try files.createSymbolicLink(
      atPath: folder.file("DetectionExample"), withDestinationPath: products + "/DetectionExample")
    try files.createSymbolicLink(
      atPath: folder.file("Examples"), withDestinationPath: TestFiles.repository + "Examples")
    return folder
  }

  static func shell(_ script: String, in folder: String) throws -> (status: Int32, text: String) {
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
}
