import ConvcEmit
import Foundation

/// Compiles generated C in a folder of its own, and runs it.
struct CCompiler {
  /// What a process wrote, and how it ended.
  struct Result {
    let status: Int32
    let text: String
  }

  static let warnings = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]

  /// Compilers of this machine among those that generated C is written for.
  static let installed = ["clang", "gcc"].filter { run($0, ["--version"]).status == 0 }

  /// Builds the files with a driver, runs the program, and returns what it printed.
  static func build(
    _ files: [CSourceFile], driver: String, compiler: String, flags: [String]
  ) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("convc-emit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for file in files + [CSourceFile(name: "driver.c", text: driver)] {
      try file.text.write(
        to: folder.appendingPathComponent(file.name), atomically: true, encoding: .utf8)
    }
    let sources = files.map(\.name).filter { $0.hasSuffix(".c") } + ["driver.c"]
    let program = folder.appendingPathComponent("program").path
    let built = run(
      compiler,
      warnings + flags + ["-o", program, "-I", folder.path]
        + sources.map { folder.appendingPathComponent($0).path } + ["-lm"])
    return built.status == 0 ? run(program, []) : built
  }

  static func run(_ program: String, _ arguments: [String]) -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    do {
      try process.run()
    } catch {
      return Result(status: -1, text: "\(error)")
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, text: String(decoding: data, as: UTF8.self))
  }
}
