import ConvcData
import Testing

@Suite struct IDXFileTests {
  private func message(_ contents: [UInt8]) -> String {
    do {
      _ = try IDXFile(contents, name: "file")
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func everyElementTypeIsRead() throws {
    let cases: [(type: UInt8, bytes: [UInt8], values: [Double])] = [
      (0x08, [0, 255], [0, 255]),
      (0x09, [0x7f, 0x80], [127, -128]),
      (0x0B, [0x01, 0x02, 0xff, 0xfe], [258, -2]),
      (0x0C, [0x00, 0x01, 0x00, 0x02, 0xff, 0xff, 0xff, 0xff], [65538, -1]),
      (0x0D, [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], [1.5, -2]),
      (0x0E, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1.5, -2]),
    ]
    #expect(cases.map(\.type) == IDXFile.Element.allCases.map(\.rawValue))
    for test in cases {
      let file = try IDXFile(idx(type: test.type, shape: [2], test.bytes), name: "file")
      #expect(file.count == 2)
      #expect(file.doubles() == test.values)
      if test.type < 0x0D { #expect(try file.integers() == test.values.map { Int32($0) }) }
    }
  }

  @Test func anyRankIsRead() throws {
    let single = try IDXFile(idx(shape: [], [5]), name: "file")
    #expect(single.shape == [])
    #expect(try single.bytes() == [5])
    let deep = try IDXFile(idx(shape: [1, 2, 1, 3, 1], [1, 2, 3, 4, 5, 6]), name: "file")
    #expect(deep.shape == [1, 2, 1, 3, 1])
    #expect(try deep.bytes() == [1, 2, 3, 4, 5, 6])
    #expect(try IDXFile(idx(shape: [0, 28, 28], []), name: "file").count == 0)
  }

  @Test func elementsOfAnotherTypeAreRefused() throws {
    let file = try IDXFile(idx(type: 0x0D, shape: [1], [0, 0, 0, 0]), name: "file")
    #expect {
      _ = try file.bytes()
    } throws: {
      "\($0)"
        == "file holds float32 values, expected uint8; convert them or give another file"
    }
    #expect {
      _ = try file.integers()
    } throws: {
      "\($0)"
        == "file holds float32 values, expected integers; convert them or give another file"
    }
  }

  @Test(
    arguments: [
      ([], 0, "00 00", "the end"),
      ([0x89, 0x50, 0x4e, 0x47], 0, "00 00", "89 50"),
      ([0, 0], 2, "an element type (08, 09, 0B, 0C, 0D, 0E)", "the end"),
      ([0, 0, 0x0A, 1], 2, "an element type (08, 09, 0B, 0C, 0D, 0E)", "0A"),
      ([0, 0, 8], 3, "the number of extents", "the end"),
      ([0, 0, 8, 2, 0, 0, 0, 1, 0, 0], 8, "extent 2 of 2", "the end"),
    ] as [([UInt8], Int, String, String)])
  func headerIsChecked(contents: [UInt8], byte: Int, expected: String, found: String) {
    #expect(
      message(contents)
        == "file is no IDX file: expected \(expected) at byte \(byte), found \(found); "
        + "give a file in the format of MNIST")
  }

  @Test func lengthIsExact() {
    #expect(
      message(idx(shape: [2, 2], [1, 2, 3]))
        == "file has 15 bytes, expected 16 for extents 2x2; copy or download it again")
    #expect(
      message(idx(shape: [2, 2], [1, 2, 3, 4, 5]))
        == "file has 17 bytes, expected 16 for extents 2x2; copy or download it again")
  }

  @Test func compressedFileIsUnpackedNoFurtherThanItsHeaderSays() throws {
    let folder = try Folder()
    let zeros = [UInt8](repeating: 0, count: 3 << 20)
    let long = try folder.write(gzip(idx(shape: [10, 10], zeros)), to: "long.gz")
    // A limit that unpacking the whole file would break.
    #expect(
      folder.message { _ = try IDXFile(path: long, limit: 1 << 20) }
        == "FOLDER/long.gz has more bytes, expected 112 for extents 10x10; "
        + "copy or download it again")
    let other = try folder.write(gzip([1] + zeros), to: "other.gz")
    #expect(
      folder.message { _ = try IDXFile(path: other, limit: 1 << 20) }
        == "FOLDER/other.gz is no IDX file: expected 00 00 at byte 0, found 01 00; "
        + "give a file in the format of MNIST")
    let right = try folder.write(gzip(idx(shape: [3 << 20], zeros)), to: "right.gz")
    #expect(try IDXFile(path: right).count == 3 << 20)
  }

  @Test func extentsThatOverflowAreRefused() {
    let huge = 0xffff_ffff
    #expect(
      message(idx(shape: [huge, huge, huge], []))
        == "file claims extents 4294967295x4294967295x4294967295, more than memory can hold; "
        + "copy or download it again")
  }
}
