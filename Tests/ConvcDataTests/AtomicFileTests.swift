import Foundation
import Testing

@testable import ConvcData

@Suite("AtomicFile")
struct AtomicFileTests {
  /// A folder of its own for each test.
  private static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "convc-atomic-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  private static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  private static func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test("replaces a file and leaves nothing else, piece after piece")
  func replaces() throws {
    try Self.withFolder { folder in
      let path = "\(folder)/weights"
      try AtomicFile.write(Array("old and longer".utf8), to: path)
      try "new".withCString { first in
        try " words".withCString { second in
          try AtomicFile.write(
            [
              UnsafeRawBufferPointer(start: first, count: 3),
              UnsafeRawBufferPointer(start: nil, count: 0),
              UnsafeRawBufferPointer(start: second, count: 6),
            ], to: path)
        }
      }
      #expect(try Self.text(path) == "new words")
      #expect(try Self.names(in: folder) == ["weights"])
    }
  }

  @Test("keeps a link and the permissions of the file that it leads to")
  func links() throws {
    try Self.withFolder { folder in
      let manager = FileManager.default
      try AtomicFile.write(Array("old".utf8), to: "\(folder)/real")
      try manager.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(folder)/real")
      try manager.createSymbolicLink(
        atPath: "\(folder)/link", withDestinationPath: "\(folder)/real")
      try AtomicFile.write(Array("new".utf8), to: "\(folder)/link")
      #expect(try manager.destinationOfSymbolicLink(atPath: "\(folder)/link") == "\(folder)/real")
      #expect(try Self.text("\(folder)/real") == "new")
      let attributes = try manager.attributesOfItem(atPath: "\(folder)/real")
      #expect(attributes[.posixPermissions] as? Int == 0o640)
    }
  }

  @Test("takes names of 255 bytes")
  func longName() throws {
    try Self.withFolder { folder in
      let name = String(repeating: "ü", count: 127) + "x"
      try AtomicFile.write([1], to: "\(folder)/\(name)")
      #expect(try Self.names(in: folder) == [name])
    }
  }

  @Test("an interrupted or partial write goes on")
  func partial() throws {
    try Self.withFolder { folder in
      var calls = 0
      let bytes = Array("abcdefg".utf8)
      try bytes.withUnsafeBytes { piece in
        try AtomicFile.write([piece], to: "\(folder)/file") { file, start, count in
          calls += 1
          if calls % 2 == 1 {
            errno = EINTR
            return -1
          }
          return write(file, start, min(count, 2))
        }
      }
      #expect(try Self.text("\(folder)/file") == "abcdefg")
    }
  }

  @Test("a full disk leaves the old file whole and nothing else")
  func fullDisk() throws {
    try Self.withFolder { folder in
      let path = "\(folder)/weights"
      try AtomicFile.write(Array("old".utf8), to: path)
      #expect(throws: AtomicFile.Failure(path: path, reason: "No space left on device")) {
        try Array("new words".utf8).withUnsafeBytes { piece in
          var room = 4
          try AtomicFile.write([piece], to: path) { file, start, count in
            guard room > 0 else {
              errno = ENOSPC
              return -1
            }
            room -= min(room, count)
            return write(file, start, min(4, count))
          }
        }
      }
      #expect(try Self.text(path) == "old")
      #expect(try Self.names(in: folder) == ["weights"])
    }
  }

  @Test("writes to a device directly and reports that it is full")
  func device() throws {
    try AtomicFile.write([1, 2, 3], to: "/dev/null")
    let failure = #expect(throws: AtomicFile.Failure.self) {
      try AtomicFile.write([1, 2, 3], to: "/dev/full")
    }
    #expect(
      failure?.description
        == "/dev/full cannot be written: No space left on device; "
        + "choose another place or make room")
  }

  @Test("refuses a folder, and a folder that is not there")
  func folders() throws {
    try Self.withFolder { folder in
      #expect(throws: AtomicFile.Failure(path: folder, reason: "Is a directory")) {
        try AtomicFile.write([1], to: folder)
      }
      let path = "\(folder)/none/file"
      #expect(throws: AtomicFile.Failure(path: path, reason: "No such file or directory")) {
        try AtomicFile.write([1], to: path)
      }
      let names = try Self.names(in: folder)
      #expect(names.isEmpty)
    }
  }
}
