import FoundationEssentials

@testable import ConvcRuntime

/// A folder for one test, removed with it, and an environment whose cache lies in it.
final class Sandbox {
  let folder: String

  init() throws {
    folder = try FileSystem.makeUniqueFolder("/tmp/convc-test-")
  }

  deinit {
    FileSystem.removeTree(folder)
  }

  var cache: String { folder + "/cache" }

  /// This process's `PATH`, a cache of its own, and nothing else but `changes`.
  func switches(_ changes: [String: String] = [:]) -> Switches {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return Switches(
      environment: ["PATH": path, "CONVC_CACHE": cache].merging(changes) { $1 })
  }

  func toolchain(_ changes: [String: String] = [:]) async throws -> Toolchain {
    try await Toolchain.find(switches: switches(changes))
  }

  /// Writes a program that `sh` runs, and returns its path.
  func script(_ name: String, _ text: String) throws -> String {
    let path = "\(folder)/\(name)"
    try FileSystem.write("#!/bin/sh\n\(text)\n", to: path)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  /// The files of compiled libraries in the cache.
  var libraries: [String] {
    FileSystem.names(in: cache + "/libraries").filter { $0.hasSuffix(".so") }
  }

  /// What was left behind while building.
  var leftovers: [String] { FileSystem.names(in: cache + "/work") }
}

extension Toolchain {
  /// Builds the tiny model, with macros that make a variant of it.
  func tiny(_ macros: String...) async throws -> Program {
    let options = LibraryOptions(
      architecture: .baseline, openMP: false, extraFlags: macros.map { "-D\($0)" })
    let library = try await load(sources: TinyModel.sources, options: options)
    return try Program(library: library, prefix: "tiny")
  }
}

/// The message of the error that `body` throws; nil when it throws none.
func message(_ body: () async throws -> Void) async -> String? {
  do {
    try await body()
    return nil
  } catch {
    return "\(error)"
  }
}
