import ConvcIR
import Foundation
import Testing

@testable import ConvcTraining

@Suite("Checkpoint")
struct CheckpointTests {
  private let layout = LinearClassifier(classNames: ["a \"quoted\" one", "ü", "c/d"]).layout
  private let block: [Float] = [1, 2, 3, 4, 5, 6, -0.5, 1e-30, 7]

  private func load(_ path: String, hash: String? = "hash-1") throws -> Checkpoint {
    try Checkpoint(
      path: path, layout: layout.parameters, model: "linear", modelHashes: hash.map { [$0] })
  }

  @Test("keeps parameters and what is known of them")
  func roundTrip() throws {
    try withFolder { folder in
      var info = CheckpointInfo(layout: layout)
      info.epoch = 3
      info.validation = Metrics(loss: 0.1 + 0.2, accuracy: 1.0 / 3)
      let path = folder + "/w.safetensors"
      try Checkpoint(parameters: block, info: info).write(to: path, layout: layout.parameters)
      let loaded = try load(path)
      #expect(loaded.parameters == block)
      #expect(loaded.info == info)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["w.safetensors"])
    }
  }

  @Test("the data section is the parameter block, and the same contents give the same bytes")
  func form() throws {
    try withFolder { folder in
      let path = folder + "/w.safetensors"
      let checkpoint = Checkpoint(parameters: block, info: CheckpointInfo(layout: layout))
      try checkpoint.write(to: path, layout: layout.parameters)
      let first = try bytes(path)
      #expect(first.suffix(36) == block.withUnsafeBytes { Data($0) })
      #expect((first.count - 36) % 64 == 0)
      try checkpoint.write(to: path, layout: layout.parameters)
      #expect(try bytes(path) == first)
    }
  }

  /// Writes tensors without convc's metadata.
  private func write(_ tensors: [(String, [Int], [Float])], to path: String) throws {
    try WeightsFile.write(
      tensors.map { WeightsFile.Tensor(name: $0.0, shape: $0.1, values: $0.2[...]) },
      metadata: [:], to: path)
  }

  @Test("tensors of another program are taken in any order when they fit")
  func foreign() throws {
    try withFolder { folder in
      let path = folder + "/w.safetensors"
      try write(
        [
          ("dense1.bias", [3], Array(block[6...])),
          ("dense1.weight", [3, 2], Array(block[..<6])),
        ], to: path)
      #expect(try load(path).parameters == block)
    }
  }

  @Test("a tensor that is missing, too many, of another shape, or not finite is named")
  func tensors() throws {
    try withFolder { folder in
      let path = folder + "/w.safetensors"
      let weight = ("dense1.weight", [3, 2], Array(block[..<6]))
      try write([weight], to: path)
      #expect(
        message { _ = try load(path) }
          == "\(path) lacks tensor 'dense1.bias' of shape 3; "
          + "give weights of this very model, or train it anew")
      try write(
        [weight, ("dense1.bias", [3], [1, 2, 3]), ("dense2.bias", [1], [1])], to: path)
      #expect(
        message { _ = try load(path) }
          == "\(path) has tensor 'dense2.bias' of shape 1, which model 'linear' lacks; "
          + "give weights of this very model, or remove the tensor")
      try write([("dense1.weight", [2, 3], Array(block[..<6]))], to: path)
      #expect(
        message { _ = try load(path) }
          == "\(path): tensor 'dense1.weight' has shape 2x3, expected 3x2; "
          + "give weights of this very model, or train it anew")
      try write([weight, ("dense1.bias", [3], [1, .nan, 3])], to: path)
      #expect(
        message { _ = try load(path) }
          == "\(path): tensor 'dense1.bias' holds NaN at element 1, expected finite numbers; "
          + "take a checkpoint from before, such as best.safetensors")
    }
  }

  @Test("weights of another model, or of another form of this one, are refused")
  func models() throws {
    try withFolder { folder in
      let path = folder + "/w.safetensors"
      let other = CheckpointInfo(model: "cubic", modelHash: "hash-9")
      try Checkpoint(parameters: block, info: other).write(to: path, layout: layout.parameters)
      #expect(
        message { _ = try load(path) }
          == "\(path) holds weights of model 'cubic', expected those of 'linear'; "
          + "give a file that linear was trained to, or choose model cubic")
      let changed = CheckpointInfo(model: "linear", modelHash: "hash-2")
      try Checkpoint(parameters: block, info: changed).write(to: path, layout: layout.parameters)
      #expect(
        message { _ = try load(path) }
          == "\(path) holds weights of another 'linear', with other layers, sizes or settings; "
          + "give weights of this one, or train it anew")
      #expect(try load(path, hash: nil).parameters == block)
    }
  }

  @Test("a file that is missing, damaged or of another type is refused")
  func damaged() throws {
    try withFolder { folder in
      let path = folder + "/w.safetensors"
      #expect(message { _ = try load(path) } == "\(path): no such file; check the path")
      try Checkpoint(parameters: block, info: CheckpointInfo(layout: layout)).write(
        to: path, layout: layout.parameters)
      let whole = try bytes(path)
      try whole.dropLast(1).write(to: URL(fileURLWithPath: path))
      #expect(
        message { _ = try load(path) }
          == "\(path): truncated in tensor 'dense1.bias'; give a whole safetensors file")
      try whole.prefix(50).write(to: URL(fileURLWithPath: path))
      #expect(
        message { _ = try load(path) }
          == "\(path): truncated in its header; give a whole safetensors file")
      try Data("not weights at all".utf8).write(to: URL(fileURLWithPath: path))
      #expect(
        message { _ = try load(path) }
          == "\(path): no safetensors file: no header; give a whole safetensors file")
      let text = String(decoding: whole, as: UTF8.self)
      #expect(text.contains("\"F32\""))
      var halves = whole
      if let range = halves.range(of: Data("F32".utf8)) {
        halves.replaceSubrange(range, with: Data("I32".utf8))
      }
      try halves.write(to: URL(fileURLWithPath: path))
      #expect(
        message { _ = try load(path) }
          == "\(path): tensor 'dense1.weight' is of type I32, expected F32; convert it to float32")
    }
  }

  /// Writes a file from its header's text.
  private func write(header: String, dataCount: Int, to path: String) throws {
    var file = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    file.append(contentsOf: header.utf8)
    file.append(Data(count: dataCount))
    try file.write(to: URL(fileURLWithPath: path))
  }

  @Test(
    "tensors that do not fill the data one after another are refused",
    arguments: [
      ([("a", 0, 8), ("b", 4, 12)], 12, "tensor 'b' overlaps tensor 'a'"),
      ([("a", 0, 8), ("b", 0, 8)], 8, "tensor 'b' overlaps tensor 'a'"),
      ([("a", 0, 8), ("b", 12, 16)], 16, "4 bytes before tensor 'b' belong to no tensor"),
      ([("b", 1, 9)], 9, "1 byte before tensor 'b' belong to no tensor"),
      ([("b", 8, 12), ("a", 0, 8)], 15, "3 bytes after tensor 'b', the last, belong to no tensor"),
      ([], 2, "2 bytes after the header belong to no tensor"),
      ([("a", 0, 4), ("b", 4, 8), ("a", 0, 4)], 8, "two tensors are named 'a'"),
      ([("a", 0, 4), ("\\u0061", 0, 4)], 4, "two tensors are named 'a'"),
      ([("a\\\"{", 0, 4), ("__metadata__ ", 4, 4), ("b", 4, 8)], 8, nil),
    ] as [([(String, Int, Int)], Int, String?)])
  func places(tensors: [(String, Int, Int)], dataCount: Int, fault: String?) throws {
    try withFolder { folder in
      let path = folder + "/w.safetensors"
      let entries = tensors.map { name, start, end in
        "\"\(name)\":{\"dtype\":\"F32\",\"shape\":[\((end - start) / 4)],"
          + "\"data_offsets\":[\(start),\(end)]}"
      }
      try write(header: "{\(entries.joined(separator: ", "))}", dataCount: dataCount, to: path)
      #expect(
        message { _ = try WeightsFile(path: path) }
          == (fault.map { "\(path): \($0); give a whole safetensors file" } ?? "no error"))
    }
  }

  @Test(
    "a preprocessing that cannot make inputs is refused",
    arguments: [
      ("{\"scale\":1e999,\"mean\":[0],\"deviation\":[1]}", notNumbers),
      ("{\"scale\":1,\"mean\":[\"a\"],\"deviation\":[1]}", notNumbers),
      ("none", notNumbers),
      (
        "{\"scale\":1,\"mean\":[0],\"deviation\":[0]}",
        "has deviation 0.0, expected finite numbers above 0"
      ),
      (
        "{\"scale\":1,\"mean\":[0,0],\"deviation\":[1]}",
        "has 2 means and 1 deviations, expected 1 of each, one a channel"
      ),
      (
        "{\"scale\":1,\"mean\":[0,0],\"deviation\":[1,1]}",
        "has 2 means and 2 deviations, expected 1 of each, one a channel"
      ),
    ])
  func preprocessing(json: String, fault: String) throws {
    #expect(
      message {
        _ = try CheckpointInfo(
          metadata: ["convc.preprocessing": json], path: "w.safetensors", channels: 1)
      } == "w.safetensors: convc.preprocessing in its metadata \(fault); "
        + "give weights of this very model, or correct the entry")
  }

  private static let notNumbers =
    "is not JSON of scale, mean and deviation as finite numbers"

  @Test("numbers of a preprocessing have to be finite")
  func finitePreprocessing() {
    func fault(_ scale: Float, _ mean: Float, _ deviation: Float) -> String? {
      InputPreprocessing(scale: scale, mean: [mean], deviation: [deviation]).fault(channels: nil)
    }
    #expect(fault(1, 0, 1) == nil)
    #expect(fault(.nan, 0, 1) == "has scale nan, expected a finite number")
    #expect(fault(1, .infinity, 1) == "has mean inf, expected finite numbers")
    #expect(fault(1, 0, .nan) == "has deviation nan, expected finite numbers above 0")
  }

  @Test("what cannot be written leaves the old file as it was")
  func unwritable() throws {
    let checkpoint = Checkpoint(parameters: block, info: CheckpointInfo(layout: layout))
    #expect(
      message {
        try checkpoint.write(to: "/proc/none/w.safetensors", layout: layout.parameters)
      } == "cannot write /proc/none/w.safetensors: No such file or directory; "
        + "free space or choose another folder with -o")
  }
}
