import Subprocess

/// Runs a compiler command to its end.
enum CompilerProcess {
  /// How much output is kept; more than this is an error, not a truncated text.
  private static let outputLimit = 16 << 20

  /// Runs `command` in `folder` without a shell, and returns what it wrote.
  ///
  /// Messages are in English on every system: they are part of errors and cache keys.
  static func run(_ command: [String], in folder: String) async throws(CompilerError) -> String {
    guard let program = command.first else {
      preconditionFailure("internal error: empty compiler command")
    }
    do {
      let result = try await Subprocess.run(
        .path(.init(program)), arguments: Arguments(Array(command.dropFirst())),
        environment: .inherit.updating(["LC_ALL": "C"]), workingDirectory: .init(folder),
        output: .string(limit: outputLimit), error: .combinedWithOutput)
      switch result.terminationStatus {
      case .exited(0):
        return result.standardOutput
      case .exited(let code):
        throw CompilerError(
          command: command, status: .exited(Int(code)), output: result.standardOutput)
      case .signaled(let signal):
        throw CompilerError(
          command: command, status: .signaled(Int(signal)), output: result.standardOutput)
      }
    } catch let error as CompilerError {
      throw error
    } catch {
      throw CompilerError(
        command: command, status: .notRun("\(error)".firstLine), output: "")
    }
  }
}
