import ConvcData
import Testing

@Suite struct FileReaderTests {
  let folder: Folder
  /// Neither small nor easy to pack: several chunks.
  let content = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }

  init() throws { folder = try Folder() }

  private func message(_ bytes: [UInt8], limit: Int = FileReader.defaultLimit) throws -> String {
    let path = try folder.write(bytes, to: "file.gz")
    return folder.message { _ = try FileReader.contents(of: path, limit: limit) }
  }

  @Test func plainFilesPassThrough() throws {
    #expect(try FileReader.contents(of: folder.write([1, 2, 3], to: "a")) == [1, 2, 3])
    #expect(try FileReader.contents(of: folder.write([], to: "b")) == [])
    #expect(try FileReader.contents(of: folder.write([0x1f], to: "c")) == [0x1f])
    #expect(try FileReader.contents(of: folder.write(content, to: "d")) == content)
  }

  @Test func gzipFilesAreUnpackedWhateverTheirName() throws {
    #expect(try FileReader.contents(of: folder.write(gzip(content), to: "a")) == content)
    #expect(try FileReader.contents(of: folder.write(gzip([]), to: "b")) == [])
  }

  @Test func severalStreamsAreOneFile() throws {
    let file = try folder.write(gzip([1, 2]) + gzip([]) + gzip([3]), to: "a.gz")
    #expect(try FileReader.contents(of: file) == [1, 2, 3])
  }

  @Test func truncatedGzipIsRefusedWhereverItEnds() throws {
    let file = gzip([1, 2, 3])
    for count in 2..<file.count {
      #expect(
        try message(Array(file.prefix(count)))
          == "FOLDER/file.gz ends at byte \(count) within its gzip data; copy or download it again")
    }
  }

  @Test func wrongChecksumIsRefused() throws {
    var file = gzip([1, 2, 3])
    file[file.count - 8] ^= 1
    #expect(
      try message(file)
        == "FOLDER/file.gz has damaged gzip data before byte 19 (incorrect data check); "
        + "copy or download it again")
  }

  @Test func wrongLengthIsRefused() throws {
    var file = gzip([1, 2, 3])
    file[file.count - 4] ^= 1
    #expect(
      try message(file)
        == "FOLDER/file.gz has damaged gzip data before byte 23 (incorrect length check); "
        + "copy or download it again")
  }

  @Test func damagedStreamIsRefused() throws {
    var file = gzip([1, 2, 3])
    file[10] = 0xff
    #expect(
      try message(file)
        == "FOLDER/file.gz has damaged gzip data before byte 11 (invalid block type); "
        + "copy or download it again")
  }

  @Test func bytesAfterTheStreamAreRefused() throws {
    #expect(
      try message(gzip([1, 2, 3]) + [7])
        == "FOLDER/file.gz has 1 byte after its gzip data, from byte 23 on; copy or download it again"
    )
    #expect(
      try message(gzip([1, 2, 3]) + [0, 0])
        == "FOLDER/file.gz has 2 bytes after its gzip data, from byte 23 on; "
        + "copy or download it again")
  }

  @Test func sizeIsLimitedBeforeAndAfterUnpacking() throws {
    let refusal =
      "FOLDER/file.gz holds more than 1000 bytes, the limit; split it or choose a smaller data set"
    let zeros = [UInt8](repeating: 0, count: 1001)
    #expect(try message(zeros, limit: 1000) == refusal)
    #expect(try message(gzip(zeros), limit: 1000) == refusal)
    #expect(try message(gzip(zeros), limit: 1001) == "no error")
  }

  @Test func missingFilesAndFoldersAreRefused() {
    #expect(
      folder.message { _ = try FileReader.contents(of: folder.path + "/none") }
        == "cannot read FOLDER/none: No such file or directory; check the path and its permissions")
    #expect(
      folder.message { _ = try FileReader.contents(of: folder.path) }
        == "cannot read FOLDER: Is a directory; check the path and its permissions")
  }
}
