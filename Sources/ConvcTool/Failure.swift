import Convc

/// The exit statuses of the command.
enum ExitStatus: Int32 {
  case done = 0
  /// The command's words are wrong.
  case usage = 64
  /// The input is wrong: model, data, weights.
  case input = 65
  /// Something needed is missing: a compiler, a data set.
  case missing = 69
  /// A bug in convc.
  case bug = 70
  /// An output cannot be written.
  case output = 73
  /// A training was stopped by Ctrl-C.
  case interrupted = 130
}

/// Why a command ends: a status and one line.
struct Failure: Error {
  let status: ExitStatus
  /// What is wrong, where, what was expected, and the way out.
  let message: String
  /// For a bug: lines that help to find it.
  let details: String

  init(_ status: ExitStatus, _ message: String, details: String = "") {
    self.status = status
    self.message = message
    self.details = details
  }

  /// Gives a library's error its status.
  init(describing error: any Error) {
    switch error {
    case let error as ToolchainError: self.init(error)
    case let error as ProgramError: self.init(error)
    case CheckpointError.cannotWrite, TrainingError.cannotWrite, is OutputError:
      self.init(.output, "\(error)")
    case DataError.notInstalled: self.init(.missing, "\(error)")
    case is CompileError, is ModelFileError, is ONNXError, is RecipeError, is DataError,
      is ArrayFileError,
      is CheckpointError,
      is TrainingError:
      self.init(.input, "\(error)")
    default: self.init(.bug, "unexpected: \(error); please report it with the command")
    }
  }

  private init(_ error: ToolchainError) {
    switch error {
    case .noCompiler, .compilerNotFound, .compilerDoesNotWork: self.init(.missing, "\(error)")
    case .cannotWrite: self.init(.output, "\(error)")
    case .compilation(let failed):
      self.init(
        .bug, "\(error)",
        details: "command: \(failed.commandLine)\nstatus: \(failed.status)\n\(failed.output)")
    case .library: self.init(.bug, "\(error)")
    }
  }

  private init(_ error: ProgramError) {
    switch error {
    case .batch, .label, .unknownLabel, .count, .values, .unknownParameter, .frozenParameter,
      .inferenceOnly, .outOfMemory:
      self.init(.input, "\(error)")
    case .library, .otherInterface, .damagedDescriptor, .refused:
      self.init(.bug, "\(error)")
    }
  }
}

/// A training was stopped by Ctrl-C; all has been said.
struct Interrupted: Error {}
