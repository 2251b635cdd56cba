import ConvcIR
import Foundation
import Testing

@testable import ConvcTraining

@Suite("Checkpoint")
struct CheckpointTests {
  private let layout = LinearClassifier(classNames: ["a \"quoted\" one", "ü", "c/d"]).layout
  private let block: [Float] = [1, 2, 3, 4, 5, 6, -0.5, 1e-30, 7]

  private func load(_ path: String, hash: String? = "hash-1") throws -> Checkpoint {
    try Checkpoint(path: path, layout: layout.parameters, model: "linear", modelHash: hash)
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
