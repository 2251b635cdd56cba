import Foundation

/// Bytes of ONNX files, field by field: also those that no library would write.
///
/// Field numbers are those of `onnx.proto`. A message is the bytes of its fields one after the other.
enum Wire {
  typealias Bytes = [UInt8]

  // MARK: Fields

  static func number(_ value: Int) -> Bytes {
    var rest = UInt64(bitPattern: Int64(value))
    var bytes: Bytes = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  static func field(_ number: Int, _ value: Int) -> Bytes {
    Self.number(number << 3) + Self.number(value)
  }

  static func field(_ number: Int, _ bytes: Bytes) -> Bytes {
    Self.number(number << 3 | 2) + Self.number(bytes.count) + bytes
  }

  static func field(_ number: Int, _ text: String) -> Bytes { field(number, Bytes(text.utf8)) }

  // MARK: Messages

  static func node(
    _ op: String, _ inputs: [String], _ outputs: [String], name: String = "", domain: String = "",
    _ attributes: Bytes...
  ) -> Bytes {
    var bytes = inputs.flatMap { field(1, $0) } + outputs.flatMap { field(2, $0) }
    bytes += field(3, name) + field(4, op) + field(7, domain)
    return bytes + attributes.flatMap { field(5, $0) }
  }

  static func attribute(_ name: String, _ values: [Int]) -> Bytes {
    field(1, name) + field(20, 7) + values.flatMap { field(8, $0) }
  }

  static func attribute(_ name: String, _ value: Int) -> Bytes {
    field(1, name) + field(20, 2) + field(3, value)
  }

  static func attribute(_ name: String, graph: Bytes) -> Bytes {
    field(1, name) + field(20, 5) + field(6, graph)
  }

  /// A tensor of floats; its bytes are those that are given, as many as they may be.
  static func tensor(_ name: String, _ dims: [Int], raw: Bytes, _ more: Bytes = []) -> Bytes {
    dims.flatMap { field(1, $0) } + field(2, 1) + field(8, name) + field(9, raw) + more
  }

  /// A tensor of 64-bit whole numbers.
  static func tensor(_ name: String, _ values: [Int]) -> Bytes {
    field(1, values.count) + field(2, 7) + field(8, name) + values.flatMap { field(7, $0) }
  }

  /// A tensor of floats in a file beside the model.
  static func tensor(_ name: String, _ dims: [Int], at location: String) -> Bytes {
    dims.flatMap { field(1, $0) } + field(2, 1) + field(8, name)
      + field(13, field(1, "location") + field(2, location)) + field(14, 1)
  }

  /// - Parameter symbol: a first dimension that is only named.
  static func value(_ name: String, _ dims: [Int], symbol: String? = nil) -> Bytes {
    let named = symbol.map { field(1, field(2, $0)) } ?? []
    let shape = named + dims.flatMap { field(1, field(1, $0)) }
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))
  }

  static func graph(
    _ nodes: [Bytes], inputs: [Bytes] = [], outputs: [Bytes] = [], tensors: [Bytes] = [],
    name: String = "network"
  ) -> Bytes {
    var bytes = field(2, name)
    for (number, parts) in [(1, nodes), (5, tensors), (11, inputs), (12, outputs)] {
      for part in parts { bytes += field(number, part) }
    }
    return bytes
  }

  /// A function of the domain `own` that makes `b` of `a`.
  static func function(_ name: String, _ nodes: Bytes...) -> Bytes {
    field(1, name) + field(4, "a") + field(5, "b") + nodes.flatMap { field(7, $0) }
      + field(9, field(2, 13)) + field(10, "own")
  }

  static func model(_ graph: Bytes, functions: [Bytes] = []) -> Bytes {
    field(1, 8) + field(8, field(2, 13)) + field(8, field(1, "own") + field(2, 1))
      + field(7, graph) + functions.flatMap { field(25, $0) }
  }

  // MARK: Networks

  /// A network from `x` to `y`; where no nodes are given it is a ReLU.
  static func network(
    _ nodes: [Bytes]? = nil, tensors: [Bytes] = [], x: [Int] = [1, 2, 4, 4],
    name: String = "network",
    functions: [Bytes] = []
  ) -> Bytes {
    model(
      graph(
        nodes ?? [node("Relu", ["x"], ["y"])], inputs: [value("x", x)], outputs: [value("y", [])],
        tensors: tensors, name: name), functions: functions)
  }

  /// A convolution with a tensor `w`.
  static func convolution(_ weights: Bytes, _ attributes: Bytes...) -> Bytes {
    let conv = node("Conv", ["x", "w"], ["y"]) + attributes.flatMap { field(5, $0) }
    return network([conv], tensors: [weights])
  }

  /// Two maps of 3x3 weights for two channels.
  static let weights = tensor("w", [2, 2, 3, 3], raw: Bytes(repeating: 0, count: 144))

  /// Operators one after the other, from `x` to `y`.
  static func chain(_ op: String, _ count: Int, name: String = "") -> [Bytes] {
    (0..<count).map { index in
      node(
        op, [index == 0 ? "x" : "v\(index)"], [index == count - 1 ? "y" : "v\(index + 1)"],
        name: name)
    }
  }
}
