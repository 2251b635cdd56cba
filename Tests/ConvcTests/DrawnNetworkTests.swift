import Convc
import ConvcONNX
import Foundation
import Testing

/// Seeded random ONNX networks: drawn, written as files, read again, compiled, and compared with the operators' definitions.
///
/// `CONVC_RANDOM_ONNX` says how many (60 by default), `CONVC_RANDOM_SEED` from which seed on. What fails here
/// `convc verify --random 1 --seed SEED --write DIR` shows, and Tests/Fixtures/onnx/compare_drawn.py asks onnxruntime.
@Suite("Random ONNX networks", .serialized)
struct DrawnNetworkTests {
  static let batches: [Range<UInt64>] = {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["CONVC_RANDOM_ONNX"].flatMap(UInt64.init) ?? 60
    let first = environment["CONVC_RANDOM_SEED"].flatMap(UInt64.init) ?? 0
    let step = DrawnComparison.perLibrary
    return stride(from: first, to: first + count, by: step).map {
      $0..<min($0 + UInt64(step), first + count)
    }
  }()

  @Test("outputs are those of the operators' definitions", arguments: batches)
  func agree(seeds: Range<UInt64>) async throws {
    let result = try await DrawnComparison().run(seeds, toolchain: try await Toolchain.find())
    for finding in result.findings { Issue.record("\(finding.problem)\n\(finding.network)") }
  }

  @Test("a seed always draws the same network")
  func seeded() throws {
    let (first, again) = (DrawnNetwork(seed: 5), DrawnNetwork(seed: 5))
    #expect(try first.file() == again.file())
    #expect(first.outputs.map(\.tensor) == again.outputs.map(\.tensor))
    #expect(try DrawnNetwork(seed: 6).file() != first.file())
  }

  @Test(
    "sixty networks hold what exporters write: all kinds of windows, axes, versions and operators")
  func variety() {
    let networks = (0..<60).map { DrawnNetwork(seed: $0) }
    let nodes = networks.flatMap(\.nodes)
    let operators = Set(nodes.map(\.op))
    #expect(operators.count > 45, "\(operators.sorted())")
    let settings = Set(nodes.flatMap { $0.attributes.keys })
    for name in ["group", "dilations", "strides", "pads", "auto_pad", "ceil_mode", "axis", "perm"] {
      #expect(settings.contains(name), "\(name)")
    }
    #expect(Set(networks.map(\.opset)).count > 5)
    #expect(Set(networks.map { $0.inputs[0].tensor.shape.count }) == [2, 3, 4])
  }
}
