/// Why a model file makes no network.
public enum ModelFileError: Error, Sendable, Hashable, CustomStringConvertible {
  case cannotRead(path: String, reason: String)
  /// What is wrong in a line, counted from 1.
  case line(path: String, line: Int, problem: String)
  case cannotWrite(layer: String, problem: String)

  /// One line: what is wrong, where, what was expected.
  public var description: String {
    switch self {
    case .cannotRead(let path, let reason): "\(path): \(reason)"
    case .line(let path, let line, let problem): "\(path):\(line): \(problem)"
    case .cannotWrite(let layer, let problem): "\(layer): \(problem)"
    }
  }
}
