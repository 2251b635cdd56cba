import ConvcTestSupport
import Foundation
import Testing

/// The page of examples, run as it stands.
@Suite("Examples", .serialized)
struct ExamplesTests {
  /// A program that a block needs beyond what a developer has: the word that tells, and a trial of it.
  static let needs = [
    ("python3", "python3 -c 'import numpy'"), ("c++", "command -v c++"),
    ("swiftc", "command -v swiftc"), ("pkg-config", "command -v pkg-config"),
  ]

  /// A folder with the examples, and files of the data folder by their own names.
  static func folder(with files: [String]) throws -> TemporaryFolder {
    let folder = try CommandBlocks.folder()
    for file in files {
      let path = try #require(TestFiles.data(file))
      try FileManager.default.createSymbolicLink(
        atPath: folder.file(URL(filePath: path).lastPathComponent), withDestinationPath: path)
    }
    return folder
  }

  @Test(
    "a trained network reads a digit from C, C++, Python and Swift",
    .enabled(
      if: TestFiles.data("onnx-models/mnist-8.onnx") != nil, Comment(rawValue: TestFiles.dataHint)))
  func digits() throws {
    let folder = try Self.folder(with: ["onnx-models/mnist-8.onnx"])
    var blocks = try CommandBlocks("Examples/README.md").of("sh")
      .filter { !$0.contains("DetectionExample") }
    #expect(blocks.count == 6)
    let build = try CommandBlocks.shell(blocks.removeFirst(), in: folder.path)
    #expect(build.status == 0, "\(build.text)")
    for block in blocks {
      if let need = Self.needs.first(where: { block.contains($0.0) }),
        try CommandBlocks.shell(need.1, in: folder.path).status != 0
      {
        print("skipped, \(need.1) fails: \(block)")
        continue
      }
      let result = try CommandBlocks.shell(block, in: folder.path)
      #expect(result.status == 0 && result.text.hasSuffix("digit 1\n"), "\(block)\(result.text)")
    }
  }

  @Test(
    "a face and a cat are found where they are, and framed",
    .enabled(
      if: TestFiles.data("onnx-models/nanodet_m.onnx") != nil
        && TestFiles.data("photos/chelsea.png") != nil, Comment(rawValue: TestFiles.dataHint)))
  func detection() throws {
    let folder = try Self.folder(with: [
      "onnx-models/version-RFB-320.onnx", "onnx-models/nanodet_m.onnx", "photos/astronaut.png",
      "photos/chelsea.png",
    ])
    let blocks = try CommandBlocks("Examples/README.md").of("sh")
      .filter { $0.contains("DetectionExample") }
    let block = try #require(blocks.first)
    let result = try CommandBlocks.shell(block, in: folder.path)
    #expect(result.status == 0, "\(result.text)")
    let lines = result.text.split(separator: "\n")
    try #require(lines.count == 2, "\(result.text)")
    // The face of the astronaut, and the cat's head, which fills most of the picture.
    try expect(lines[0], "face", contains: (225, 120), within: (140, 30, 320, 240))
    try expect(lines[1], "cat", contains: (210, 140), within: (-20, -20, 471, 320))
    for (found, original) in [("face.png", "astronaut.png"), ("cat.png", "chelsea.png")] {
      let bytes = try Data(contentsOf: URL(filePath: folder.file(found)))
      #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
      #expect(bytes != (try Data(contentsOf: URL(filePath: folder.file(original)))))
    }
  }

  /// Expects a line such as `face 99 %: 176,60 to 280,210`, with a box around a point and inside of another box.
  private func expect(
    _ line: Substring, _ name: String, contains point: (Int, Int),
    within outer: (Int, Int, Int, Int), sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(line.hasPrefix("\(name) "), "\(line)", sourceLocation: sourceLocation)
    let numbers = line.split { !$0.isNumber && $0 != "-" }.compactMap { Int($0) }
    try #require(numbers.count == 5, "\(line)")
    let (left, top, right, bottom) = (numbers[1], numbers[2], numbers[3], numbers[4])
    #expect(
      left <= point.0 && point.0 <= right && top <= point.1 && point.1 <= bottom, "\(line)",
      sourceLocation: sourceLocation)
    #expect(
      left >= outer.0 && top >= outer.1 && right <= outer.2 && bottom <= outer.3, "\(line)",
      sourceLocation: sourceLocation)
  }

  @Test("detection tells how it is called, and what cannot be read")
  func mistakes() throws {
    let folder = try CommandBlocks.folder()
    let usage = try CommandBlocks.shell("DetectionExample", in: folder.path)
    #expect(usage.status == 64 && usage.text.hasPrefix("usage: DetectionExample faces|things"))
    let missing = try CommandBlocks.shell(
      "DetectionExample faces a.onnx b.png c.png", in: folder.path)
    #expect(missing.status == 65 && missing.text.hasPrefix("error: a.onnx"))
  }
}
