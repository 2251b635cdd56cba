import ConvcEmit
import ConvcTestSupport
import Foundation

/// Compiles generated C in a folder of its own, and runs it.
struct CCompiler {
  static let warnings = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]

  /// Compilers of this machine among those that generated C is written for.
  static let installed = ["clang", "gcc"].filter { run($0, ["--version"]).status == 0 }

  /// Builds the files with a driver, runs the program, and returns what it printed.
  static func build(
    _ files: [CSourceFile], driver: String, compiler: String, flags: [String]
  ) throws -> ChildProcess {
    let sources = files.map(\.name).filter { $0.hasSuffix(".c") } + ["driver.c"]
    return try inFolder(files + [CSourceFile(name: "driver.c", text: driver)]) { folder in
      let built = run(
        compiler,
        warnings + flags + ["-o", "\(folder)/program", "-I", folder]
          + sources.map { "\(folder)/\($0)" } + ["-lm"])
      return built.status == 0 ? run("\(folder)/program", []) : built
    }
  }

  /// Compiles the first source among the files, without linking.
  static func check(
    _ files: [CSourceFile], compiler: String, flags: [String]
  ) throws -> ChildProcess {
    try inFolder(files) { folder in
      let source = files.map(\.name).first { $0.hasSuffix(".c") } ?? ""
      return run(
        compiler, warnings + flags + ["-c", "\(folder)/\(source)", "-o", "\(folder)/object.o"])
    }
  }

  /// Compiles a C++ text that includes the files' headers.
  static func checkCPlusPlus(
    _ files: [CSourceFile], text: String, compiler: String
  ) throws -> ChildProcess {
    try inFolder(files + [CSourceFile(name: "driver.cpp", text: text)]) { folder in
      run(
        compiler,
        ["-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "\(folder)/driver.cpp"])
    }
  }

  /// Symbols of the compiled sources: kind and name, as `nm` prints them.
  static func symbols(_ files: [CSourceFile], compiler: String) throws -> [String] {
    try inFolder(files) { folder in
      let sources = files.map(\.name).filter { $0.hasSuffix(".c") }
      return sources.flatMap { source -> [String] in
        let object = "\(folder)/\(source).o"
        let built = run(
          compiler, ["-O1", "-fno-pic", "-c", "\(folder)/\(source)", "-o", object])
        guard built.status == 0 else { return [built.text] }
        return run("nm", [object]).text.split(separator: "\n").map { line in
          line.split(separator: " ").suffix(2).joined(separator: " ")
        }
      }
    }
  }

  private static func inFolder<T>(
    _ files: [CSourceFile], _ body: (String) throws -> T
  ) throws -> T {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("convc-emit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for file in files {
      try file.text.write(
        to: folder.appendingPathComponent(file.name), atomically: true, encoding: .utf8)
    }
    return try body(folder.path)
  }

  static func run(_ program: String, _ arguments: [String]) -> ChildProcess {
    ChildProcess.run([program] + arguments)
  }
}

extension CSourceFile {
  /// Lines without the end of the last one.
  var lines: [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
  }

  /// Functions with their lines, from the signature to the brace that closes them.
  var functions: [(name: Substring, lines: Int)] {
    var functions: [(name: Substring, lines: Int)] = []
    var first = 0
    for (number, line) in lines.enumerated() {
      let isCode = line.first.map { $0.isLetter || $0 == "_" } ?? false
      if isCode { first = number }
      if line == "}" { functions.append((lines[first], number - first + 1)) }
    }
    return functions
  }
}
