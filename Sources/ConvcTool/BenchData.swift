import Convc
import Foundation

/// Random images and labels, and room for outputs, in memory of the caller's own.
final class BenchData {
  let inputs: [UnsafeRawPointer]
  let targets: [UnsafeRawPointer]
  let outputs: [UnsafeMutableRawPointer]
  private let blocks: [UnsafeMutableRawPointer]

  /// The largest batch of everything that a network takes and gives.
  init(graph: Graph) {
    var random = SmallRandom(state: 1)
    var blocks: [UnsafeMutableRawPointer] = []
    func block(_ type: TensorType) -> UnsafeMutableRawPointer {
      let block = UnsafeMutableRawPointer.allocate(byteCount: max(1, type.bytes), alignment: 64)
      blocks.append(block)
      return block
    }
    func floats(_ type: TensorType, _ range: ClosedRange<Float> = -1...1) -> UnsafeRawPointer {
      let address = block(type)
      let values = address.bindMemory(to: Float.self, capacity: type.count)
      for index in 0..<type.count {
        values[index] = random.uniform() * (range.upperBound - range.lowerBound) + range.lowerBound
      }
      return UnsafeRawPointer(address)
    }
    inputs = graph.inputs.map { floats(graph[$0].type) }
    targets = graph.targets.map { target in
      guard let classes = target.classes else {
        return floats(target.type, target.values == .any ? -1...1 : 0...1)
      }
      let address = block(target.type)
      let labels = address.bindMemory(to: Int32.self, capacity: target.type.count)
      for index in 0..<target.type.count {
        labels[index] = min(Int32(classes) - 1, Int32(random.uniform() * Float(classes)))
      }
      return UnsafeRawPointer(address)
    }
    outputs = graph.outputs.map { block(graph[$0.tensor].type) }
    self.blocks = blocks
  }

  deinit {
    for block in blocks { block.deallocate() }
  }

  /// The most memory that this process has had, in mebibytes.
  static var peakMemory: Double {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (Double(line.filter(\.isNumber)) ?? 0) / 1024
  }
}

/// Numbers that need be neither good nor secret.
///
/// - Source: Marsaglia 2003, "Xorshift RNGs".
struct SmallRandom {
  var state: UInt64

  /// A number in 0..<1.
  mutating func uniform() -> Float {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Float(state >> 40) / Float(1 << 24)
  }
}
