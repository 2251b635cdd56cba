import Convc
import Foundation

/// The environment variables that the command itself obeys: `TERM` and `NO_COLOR`.
enum ToolSwitches {
  /// What standard error is connected to.
  static var terminal: Terminal {
    .standardError(environment: ProcessInfo.processInfo.environment)
  }
}
