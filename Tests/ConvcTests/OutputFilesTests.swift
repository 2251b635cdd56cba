import Convc
import ConvcTestSupport
import Foundation
import Testing

@Suite("Output files")
struct OutputFilesTests {
  @Test("a file that cannot be made leaves no other")
  func none() throws {
    let folder = try TemporaryFolder()
    #expect(throws: OutputError(path: folder.path, reason: "a folder of that name is there")) {
      try OutputFiles.write(
        [folder.file("new/first"), folder.path].map { (path: $0, data: Data([1])) })
    }
    #expect(folder.names.isEmpty)
  }

  @Test("when a rename fails, the error names the files that are there already")
  func rename() throws {
    let folder = try TemporaryFolder()
    // The last file makes a folder in the place of the second.
    let paths = ["first", "second", "second/third"].map(folder.file)
    #expect(
      throws: OutputError(
        path: paths[1], reason: "Is a directory (already written: \(paths[0]))")
    ) {
      try OutputFiles.write(paths.map { (path: $0, data: Data([1])) })
    }
    #expect(folder.names == ["first"])
  }
}
