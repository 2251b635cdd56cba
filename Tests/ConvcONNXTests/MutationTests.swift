import ConvcIR
import Testing

@testable import ConvcONNX

@Suite("Damaged models")
struct MutationTests {
  /// Small models that between them use all that is read.
  static var models: [[UInt8]] {
    get throws {
      let branch = Build.graph(
        [Build.node("Neg", ["s"], ["b"])], outputs: [Build.value("b", ["2"])])
      let block = InlineFunctionsTests.function(
        "Block", ["a"], ["b"],
        [Build.node("Elu", ["a"], ["b"], ["alpha": .reference("alpha")])], attributes: ["alpha"])
      let rich = InlineFunctionsTests.model(
        [
          Build.node(
            "Constant", [], ["c"], ["value": .tensor(Build.tensor("", [1], [0] as [Int64]))]),
          Build.node("Shape", ["x"], ["d"]),
          Build.node("Gather", ["d", "c"], ["e"], ["axis": .int(0)]),
          Build.node("ConstantOfShape", ["e"], ["f"]),
          Build.node("Concat", ["d", "d"], ["g"], ["axis": .int(0)]),
          Build.node("Slice", ["g", "c", "e"], ["h"]),
          Build.node("Cast", ["h"], ["k"], ["to": .int(1)]),
          Build.node("Block", ["x"], ["s"], domain: "mine", ["alpha": .float(0.5)]),
          Build.node("Equal", ["c", "c"], ["t"]),
          Build.node(
            "If", ["t"], ["u"], ["then_branch": .graph(branch), "else_branch": .graph(branch)]),
          Build.node("Reshape", ["u", "d"], ["v"]), Build.node("Add", ["v", "f"], ["y"]),
        ], [block])
      let parts = Build.model(
        Build.graph(
          CleanUpTests.parts, inputs: [Build.value("x", ["1", "1", "3", "3"])],
          outputs: [Build.value("y", [])], initializers: CleanUpTests.partConstants), opset: 20)
      return try [Build.small, rich, parts].map { [UInt8](try $0.serializedData()) }
    }
  }

  /// Reads, folds and cleans up; any error is fine, a trap is not.
  static func survives(_ bytes: [UInt8]) {
    do {
      let (graph, _) = try BindDimensions(dims: [:]).run(ONNXFile.read(bytes: bytes))
      let folded = try FoldConstants().run(graph)
      for name in folded.initializerNames where (folded.initializers[name]?.count ?? 0) < 1 << 16 {
        _ = try folded.initializers[name]?.bytes()
      }
      _ = try CleanUp().run(folded)
    } catch {
      let text = "\(error)"
      #expect(!text.isEmpty && !text.contains("\n"))
    }
  }

  @Test("the models themselves read")
  func whole() throws {
    for bytes in try Self.models {
      let (graph, _) = try BindDimensions(dims: [:]).run(ONNXFile.read(bytes: bytes))
      _ = try CleanUp().run(try FoldConstants().run(graph))
    }
  }

  @Test("cut off at any byte")
  func truncated() throws {
    for bytes in try Self.models {
      for count in bytes.indices { Self.survives([UInt8](bytes[..<count])) }
    }
  }

  @Test("with any bit changed")
  func flipped() throws {
    for bytes in try Self.models {
      for index in bytes.indices {
        for bit in 0..<8 {
          var changed = bytes
          changed[index] ^= 1 << UInt8(bit)
          Self.survives(changed)
        }
      }
    }
  }

  @Test("with several bytes changed, moved or repeated", arguments: 0..<4)
  func mixed(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let models = try Self.models
    for _ in 0..<1500 {
      var bytes = models[Int.random(in: 0..<models.count, using: &random)]
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
        case 3: bytes[index] = [0, 1, 0x7f, 0x80, 0xff][Int.random(in: 0..<5, using: &random)]
        default:
          let end = min(bytes.count, index + Int.random(in: 1...32, using: &random))
          bytes.insert(contentsOf: bytes[index..<end], at: index)
        }
      }
      Self.survives(bytes)
    }
  }
}
