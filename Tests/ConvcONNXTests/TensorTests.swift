import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcONNX

@Suite("Tensors")
struct TensorTests {
  /// What the only initializer of a model reads as.
  private static func initializer(
    _ change: (inout Onnx_TensorProto) -> Void, folder: String? = nil
  ) throws -> ONNXTensor {
    var tensor = Onnx_TensorProto()
    tensor.name = "w"
    tensor.dims = [2]
    change(&tensor)
    let model = Build.model(
      Build.graph(
        [Build.node("Relu", ["x"], ["y"])], inputs: [Build.value("x", ["2"])],
        outputs: [Build.value("y", ["2"])], initializers: [tensor]))
    return try #require(try read(model, folder: folder).initializers["w"])
  }

  private static func failure(
    folder: String? = nil, _ change: (inout Onnx_TensorProto) -> Void
  ) -> String? {
    message { _ = try initializer(change, folder: folder) }
  }

  @Test("numbers stand as raw bytes or in the list of their type")
  func typed() throws {
    let float = try Self.initializer {
      $0.dataType = 1
      $0.floatData = [1.5, -2]
    }
    #expect(try float.floats() == [1.5, -2])
    let double = try Self.initializer {
      $0.dataType = 11
      $0.doubleData = [0.1, -2]
    }
    #expect(try double.doubles() == [0.1, -2])
    #expect(try double.floats() == [0.1, -2])
    for (type, raw, values) in [
      (3, [0xff, 2], [-1, 2]), (2, [0xff, 2], [255, 2]), (9, [2, 0], [1, 0]),
      (5, [0xfe, 0xff, 1, 0], [-2, 1]), (4, [0xfe, 0xff, 1, 0], [65534, 1]),
      (6, [0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0], [-1, 1]),
    ] as [(Int32, [UInt8], [Int64])] {
      let fromRaw = try Self.initializer {
        $0.dataType = type
        $0.rawData = Data(raw)
      }
      #expect(try fromRaw.integers() == values)
      let fromList = try Self.initializer {
        $0.dataType = type
        $0.int32Data = values.map { Int32($0) }
      }
      #expect(try fromList.integers() == values)
    }
    let long = try Self.initializer {
      $0.dataType = 7
      $0.int64Data = [-1, 1 << 40]
    }
    #expect(try long.ints() == [-1, 1 << 40])
    let unsigned = try Self.initializer {
      $0.dataType = 12
      $0.uint64Data = [5, 0xffff_ffff]
    }
    #expect(try unsigned.integers() == [5, 0xffff_ffff])
  }

  @Test("half precision and brain floats")
  func half() throws {
    let half = try Self.initializer {
      $0.dataType = 10
      $0.int32Data = [0x3c00, 0xc100]
    }
    #expect(try half.floats() == [1, -2.5])
    let brain = try Self.initializer {
      $0.dataType = 16
      $0.rawData = Data([0x80, 0x3f, 0x20, 0xc0])
    }
    #expect(try brain.floats() == [1, -2.5])
    // Every half precision number goes to itself.
    for bits in UInt16.min...UInt16.max {
      let value = HalfPrecision.float(bits)
      if value.isNaN { continue }
      #expect(HalfPrecision.bits(Double(value)) == bits)
    }
    #expect(HalfPrecision.float(0x0001) == 0x1p-24)
    #expect(HalfPrecision.bits(65519) == 0x7bff)
    #expect(HalfPrecision.bits(65520) == 0x7c00)
    #expect(HalfPrecision.bits(1 + 0x1p-11) == 0x3c00)
    #expect(HalfPrecision.brainBits(1 + 0x1p-8) == 0x3f80)
    #expect(HalfPrecision.brainBits(1 + 0x1.8p-7) == 0x3f82)
  }

  @Test("lists stand packed in one field, in several, or one field each")
  func unpacked() throws {
    // dims 3, type float; then float_data: packed {1, 2}, packed {3}; or three fields.
    func model(_ data: [UInt8]) -> [UInt8] {
      func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(bytes.count)] + bytes
      }
      let tensor = [0x08, 3, 0x10, 1] + field(8, [UInt8(ascii: "w")]) + data
      let node =
        field(1, [UInt8(ascii: "w")]) + field(2, [UInt8(ascii: "y")]) + field(4, Array("Relu".utf8))
      let graph = field(1, node) + field(5, tensor) + field(12, field(1, [UInt8(ascii: "y")]))
      return [0x08, 8] + field(7, graph) + field(8, [0x10, 13])
    }
    let numbers = [1, 2, 3].map { (value: Float) in value.bitPattern }
      .map { bits -> [UInt8] in (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) } }
    let packed = [0x22, 8] + numbers[0] + numbers[1] + [0x22, 4] + numbers[2]
    #expect(try ONNXFile.read(bytes: model(packed)).initializers["w"]?.floats() == [1, 2, 3])
    let single = numbers.flatMap { [UInt8(0x25)] + $0 }
    #expect(try ONNXFile.read(bytes: model(single)).initializers["w"]?.floats() == [1, 2, 3])
    let mixed = [0x22, 8] + numbers[0] + numbers[1] + [0x25] + numbers[2]
    #expect(
      message { _ = try ONNXFile.read(bytes: model(mixed)) }
        == "initializer 'w': lists its numbers in two ways; export the model again")
  }

  @Test("raw bytes are as many as dimensions and type say")
  func wrongLength() {
    #expect(
      Self.failure {
        $0.dataType = 1
        $0.rawData = Data([1, 2, 3])
      } == "initializer 'w': has 3 bytes, expected 8 for 2 of float; export the model again")
    #expect(
      Self.failure { $0.dataType = 1 }
        == "initializer 'w': has 0 bytes, expected 8 for 2 of float; export the model again")
    #expect(
      Self.failure {
        $0.dataType = 1
        $0.int64Data = [1, 2]
      } == "initializer 'w': has 0 bytes, expected 8 for 2 of float; export the model again")
    #expect(
      Self.failure {
        $0.dataType = 1
        $0.dims = [2, -1]
      } == "initializer 'w': has the negative dimension -1; export the model again")
    #expect(
      Self.failure {
        $0.dataType = 1
        $0.dims = [1 << 40, 1 << 40]
      }
        == "initializer 'w': has dimensions 1099511627776x1099511627776, more than memory can hold; "
        + "export the model again")
    #expect(
      Self.failure {
        $0.dataType = 1
        $0.dims = [1 << 40, 0, 1 << 40]
      }?.contains("more than memory can hold") == true)
    #expect(
      Self.failure {
        $0.dataType = 1
        $0.dims = [Int64](repeating: 1, count: 33)
      } == "initializer 'w': has 33 axes, expected up to 32; export the model again")
  }

  @Test("types and forms that are not read")
  func unreadable() throws {
    #expect(
      Self.failure { $0.dataType = 77 }
        == "initializer 'w': has element type number 77, which ONNX does not know; "
        + "export the model again")
    #expect(
      Self.failure {
        $0.dataType = 1
        $0.segment.begin = 0
      }
        == "initializer 'w': is stored in segments, which convc does not read; export the model again"
    )
    // Text may be there, as long as nobody reads it.
    let text = try Self.initializer {
      $0.dataType = 8
      $0.stringData = [Data(), Data()]
    }
    #expect(
      message { _ = try text.bytes() }
        == "initializer 'w': has elements of type string, which convc does not read; "
        + "convert the model to float")
    let float = try Self.initializer {
      $0.dataType = 1
      $0.floatData = [1, 2]
    }
    #expect(
      message { _ = try float.ints() }
        == "initializer 'w': has elements of type float, expected integers; export the model again")
    let unsigned = try Self.initializer {
      $0.dataType = 13
      $0.uint64Data = [1, UInt64.max]
    }
    #expect(
      message { _ = try unsigned.integers() }
        == "initializer 'w': has a number beyond 2⁶³ - 1; use int64")
    var model = Build.small
    model.graph.sparseInitializer = [Onnx_SparseTensorProto()]
    model.graph.sparseInitializer[0].values.name = "s"
    #expect(
      message(of: model)
        == "initializer 's': is sparse, which convc does not read; store it as a dense initializer")
  }

  @Test("external data are read from the model's folder")
  func external() throws {
    let folder = try TemporaryFolder()
    try Data([9, 0, 0, 128, 63, 0, 0, 0, 64, 9]).write(
      to: URL(filePath: folder.file("weights.bin")))
    func external(_ entries: [String: String]) -> (inout Onnx_TensorProto) -> Void {
      { tensor in
        tensor.dataType = 1
        tensor.dataLocation = .external
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
          var entry = Onnx_StringStringEntryProto()
          entry.key = key
          entry.value = value
          tensor.externalData.append(entry)
        }
      }
    }
    func fails(_ entries: [String: String]) -> String? {
      Self.failure(folder: folder.path, external(entries))
    }
    let good = ["location": "weights.bin", "offset": "1", "length": "8"]
    #expect(
      try Self.initializer(external(good), folder: folder.path).floats() == [1, 2])
    let short = ["location": "./weights.bin", "offset": "1"]
    #expect(try Self.initializer(external(short), folder: folder.path).floats() == [1, 2])

    #expect(
      fails(["location": "weights.bin", "offset": "3", "length": "8"])
        == "initializer 'w': lies beyond the 10 bytes of external data 'weights.bin'; copy the file "
        + "again or export the model again")
    #expect(
      fails(["location": "weights.bin", "offset": "\(Int.max)", "length": "\(Int.max)"])?.contains(
        "lies beyond") == true)
    #expect(
      fails(["location": "weights.bin", "length": "4"])
        == "initializer 'w': has 4 bytes, expected 8 for 2 of float; export the model again")
    #expect(
      fails(["location": "weights.bin", "offset": "-1"])
        == "initializer 'w': has external data with offset '-1', expected a number of bytes; "
        + "export the model again")
    #expect(
      fails([:])
        == "initializer 'w': has external data without a location; export the model again")
    #expect(
      fails(["location": "none.bin"])
        == "initializer 'w': has external data at 'none.bin', which cannot be read: No such file or "
        + "directory; put the file into the model's folder")
    #expect(
      message { _ = try Self.initializer(external(good)) }
        == "initializer 'w': has external data at 'weights.bin', but the model is no file; "
        + "read it from its folder")
  }

  @Test("external data outside of the model's folder are refused")
  func outside() throws {
    let outer = try TemporaryFolder()
    let folder = outer.file("model")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try Data(count: 8).write(to: URL(filePath: outer.file("secret")))
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/link", withDestinationPath: "../secret")
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/up", withDestinationPath: "..")
    func fails(_ location: String) -> String? {
      Self.failure(folder: folder) {
        $0.dataType = 1
        $0.dataLocation = .external
        var entry = Onnx_StringStringEntryProto()
        entry.key = "location"
        entry.value = location
        $0.externalData = [entry]
      }
    }
    for location in ["../secret", "/etc/passwd", "a/../../secret", "", "..\\secret", "a\0b"] {
      #expect(
        fails(location)
          == "initializer 'w': has external data at \(ONNXError.quoted(location)), expected a path "
          + "within the model's folder; store the model with its data in one folder")
    }
    for location in ["link", "up/secret"] {
      #expect(
        fails(location)
          == "initializer 'w': has external data at '\(location)', a link that leaves the model's "
          + "folder; put the file itself there")
    }
    #expect(
      fails("up")?.contains("a link that leaves the model's folder") == true)
  }
}
