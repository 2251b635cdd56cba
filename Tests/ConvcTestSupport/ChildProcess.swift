import Foundation

/// What a process wrote, and how it ended.
public struct ChildProcess: Sendable {
  /// Its exit status, or the number of the signal that ended it; -1: it could not be started.
  public let status: Int32
  /// All that it wrote, errors included.
  public let text: String

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - words: a path or a name on `PATH`, then arguments.
  ///   - environment: variables besides those of this process.
  public static func run(
    _ words: [String], environment: [String: String] = [:]
  ) -> ChildProcess {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = environment.map { "\($0.key)=\($0.value)" }.sorted() + words
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    do {
      try process.run()
    } catch {
      return ChildProcess(status: -1, text: "\(error)")
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return ChildProcess(
      status: process.terminationStatus, text: String(decoding: data, as: UTF8.self))
  }
}
