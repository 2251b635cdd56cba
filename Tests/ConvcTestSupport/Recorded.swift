import Foundation
import Testing

/// Expects a text to be what a file of the repository holds.
///
/// With `RECORD_GOLDENS=1` the file is written; where it held something else the test still fails, so that recording cannot
/// be left on.
///
/// - Parameter path: below the repository, `Generated/Layers/add.generic.c`.
public func expectRecorded(
  _ text: String, at path: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  let file = TestFiles.repository + path
  let committed = try? String(contentsOfFile: file, encoding: .utf8)
  if ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1", committed != text {
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: file, atomically: true, encoding: .utf8)
  }
  #expect(
    committed == text,
    "\(path) is not what is written now; RECORD_GOLDENS=1 swift test records it",
    sourceLocation: sourceLocation)
}
