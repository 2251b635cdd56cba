/// A place in the user's program, kept with every layer so that a message can name it.
public struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
  /// `Module/File.swift`.
  public let file: String
  /// Line number, from 1.
  public let line: Int

  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }

  public var description: String { "\(file):\(line)" }
}
