import ConvcTestSupport
import Foundation

/// Runs the built command as a user would, with a cache that all tests share.
struct Tool {
  /// What a command left.
  struct Result: Sendable, CustomStringConvertible {
    let status: Int32
    /// Whether it ended by itself, not by a trap or a signal.
    let exited: Bool
    let output: String
    let errors: String

    /// Lines of standard error.
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    var description: String { "status \(status)\noutput:\n\(output)\nerrors:\n\(errors)" }
  }

  /// The folder that the command runs in, removed with the value.
  let folder: TemporaryFolder
  var environment: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    environment = ProcessInfo.processInfo.environment
    environment["CONVC_CACHE"] = Self.cache
  }

  /// Runs the command with arguments that no shell touches.
  func callAsFunction(_ arguments: String...) async throws -> Result {
    try await start(arguments).result()
  }

  /// Starts the command.
  ///
  /// - Parameter output: a device or file for standard output; nil: it is collected.
  func start(_ arguments: [String], output: String? = nil) throws -> Running {
    try start(Self.executable, arguments, output: output)
  }

  /// Runs a line of shell in which `$CONVC` is the command.
  func shell(_ line: String) async throws -> Result {
    var tool = self
    tool.environment["CONVC"] = Self.executable
    return try await tool.start("/bin/sh", ["-c", line], output: nil).result()
  }

  private func start(_ program: String, _ arguments: [String], output: String?) throws -> Running {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.environment = environment
    process.currentDirectoryURL = URL(filePath: folder.path)
    process.standardInput = FileHandle.nullDevice
    let streams = try TemporaryFolder()
    for name in ["out", "err"] {
      try Data().write(to: URL(filePath: streams.file(name)))
    }
    let target = URL(filePath: output ?? streams.file("out"))
    process.standardOutput = try FileHandle(forWritingTo: target)
    process.standardError = try FileHandle(forWritingTo: URL(filePath: streams.file("err")))
    return try Running(process, streams: streams)
  }

  /// A command that runs.
  final class Running: Sendable {
    private let process: Process
    private nonisolated(unsafe) let streams: TemporaryFolder
    private let ended: AsyncStream<Void>

    fileprivate init(_ process: Process, streams: TemporaryFolder) throws {
      self.process = process
      self.streams = streams
      let (ended, signal) = AsyncStream<Void>.makeStream()
      self.ended = ended
      process.terminationHandler = { _ in signal.finish() }
      try process.run()
    }

    /// Sends the signal of Ctrl-C as soon as the command has come far enough.
    ///
    /// A thread of its own looks: a task would wait behind the other tests', and come too late.
    func interrupt(when reached: @escaping @Sendable () -> Bool) {
      Thread.detachNewThread { [self] in
        while process.isRunning {
          if reached() { return process.interrupt() }
          Thread.sleep(forTimeInterval: 0.002)
        }
      }
    }

    func result() async -> Result {
      for await _ in ended {}
      func text(_ name: String) -> String {
        (try? String(contentsOfFile: streams.file(name), encoding: .utf8)) ?? ""
      }
      return Result(
        status: process.terminationStatus, exited: process.terminationReason == .exit,
        output: text("out"), errors: text("err"))
    }
  }

  /// The command lies beside the test bundle.
  private static let executable: String = {
    let bundle =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(filePath: bundle).deletingLastPathComponent().appending(path: "convc")
      .path(percentEncoded: false)
  }()

  /// One folder for all tests, so that each network is compiled once; removed when the process ends.
  private static let cache: String = {
    atexit { try? FileManager.default.removeItem(atPath: Tool.cachePath) }
    return cachePath
  }()

  private static let cachePath =
    FileManager.default.temporaryDirectory.appending(
      path: "convc-tool-tests-\(ProcessInfo.processInfo.processIdentifier)"
    ).path(percentEncoded: false)

  // MARK: Files

  /// A file's path in the folder.
  func path(_ name: String) -> String { folder.file(name) }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  func write(_ text: String, to name: String) throws {
    try text.write(toFile: path(name), atomically: true, encoding: .utf8)
  }

  /// Makes an executable shell script.
  func script(_ text: String, at name: String) throws {
    try write("#!/bin/sh\n" + text + "\n", to: name)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path(name))
  }

  /// Names of the files in a folder below it.
  func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
}
