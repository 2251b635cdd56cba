import Foundation

/// Files that tests read: the repository's own, and data sets that a machine may lack.
public enum TestFiles {
  /// The repository's top folder.
  public static var repository: String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path(percentEncoded: false)
  }

  /// The folder of the fixtures.
  public static var fixtures: String { repository + "Tests/Fixtures/" }

  /// A folder of `CONVC_TEST_DATA`, such as `mnist`; nil where the variable or the folder is missing.
  ///
  /// Tests say `.enabled(if: TestFiles.data("mnist") != nil, TestFiles.dataHint)`.
  public static func data(_ name: String) -> String? {
    guard let root = ProcessInfo.processInfo.environment["CONVC_TEST_DATA"], !root.isEmpty else {
      return nil
    }
    let path = "\(root)/\(name)"
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// How to have the tests run that need data sets.
  public static let dataHint =
    "set CONVC_TEST_DATA to a folder with the data sets to run this test"
}
