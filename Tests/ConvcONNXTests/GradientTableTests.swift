import Convc
import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcONNX

/// Docs/ONNX.md says which operators have a gradient: here each is put behind a layer that is trained.
@Suite("Operators with gradients")
struct GradientTableTests {
  /// An operator in its usual form.
  struct Usage: Sendable, CustomTestStringConvertible {
    let op: String
    /// Extents of what it reads.
    var shape = [1, 4, 4, 4]
    /// Inputs behind the first: constants, or `x` for what it reads once more.
    var others: [Other] = []
    var attributes: [String: Build.Attribute] = [:]
    var outputs = ["y"]
    var testDescription: String { op }

    enum Other: Sendable {
      case again
      case none
      case floats([Int64], Float)
      case integers([Int64])
    }
  }

  /// Operators that need more than one input of four axes.
  private static let usages: [String: Usage] = {
    let channels = Usage.Other.floats([4], 1)
    let list =
      [
        Usage(op: "Conv", others: [.floats([2, 4, 3, 3], 1)]),
        Usage(op: "ConvTranspose", others: [.floats([4, 2, 3, 3], 1)]),
        Usage(op: "MaxPool", attributes: ["kernel_shape": .ints([2, 2])]),
        Usage(op: "AveragePool", attributes: ["kernel_shape": .ints([2, 2])]),
        Usage(op: "BatchNormalization", others: [channels, channels, channels, channels]),
        Usage(op: "InstanceNormalization", others: [channels, channels]),
        Usage(op: "LRN", attributes: ["size": .int(3)]),
        Usage(op: "PRelu", others: [.floats([4, 1, 1], 0.5)]),
        Usage(op: "Clip", others: [.floats([], 0), .floats([], 1)]),
        Usage(op: "Gemm", shape: [2, 4], others: [.floats([4, 3], 1)]),
        Usage(op: "MatMul", shape: [2, 4], others: [.floats([4, 3], 1)]),
        Usage(op: "Sub", others: [channels]), Usage(op: "Div", others: [channels]),
        Usage(op: "Pow", others: [.floats([], 3)]),
        Usage(op: "Max", others: [.again]), Usage(op: "Min", others: [.again]),
        Usage(op: "Add", others: [.again]), Usage(op: "Mul", others: [.again]),
        Usage(op: "Sum", others: [.again]),
        Usage(op: "Concat", others: [.again], attributes: ["axis": .int(1)]),
        Usage(
          op: "Split", others: [.integers([1, 3])], attributes: ["axis": .int(1)],
          outputs: ["y", "z"]),
        Usage(op: "Slice", others: [.integers([1]), .integers([3]), .integers([2])]),
        Usage(op: "Gather", others: [.integers([0, 2])], attributes: ["axis": .int(1)]),
        Usage(op: "Pad", others: [.integers([0, 0, 1, 1, 0, 0, 1, 1])]),
        Usage(op: "Transpose", attributes: ["perm": .ints([0, 2, 3, 1])]),
        Usage(op: "Reshape", others: [.integers([1, 8, 8])]),
        Usage(op: "Unsqueeze", others: [.integers([1])]),
        Usage(op: "Squeeze", shape: [1, 4, 1, 4], others: [.integers([2])]),
        Usage(op: "DepthToSpace", attributes: ["blocksize": .int(2)]),
        Usage(op: "SpaceToDepth", attributes: ["blocksize": .int(2)]),
        Usage(
          op: "Resize", others: [.none, .none, .integers([1, 4, 8, 8])],
          attributes: ["mode": .text("linear")]),
        Usage(op: "Upsample", others: [.floats([4], 1)]),
        Usage(op: "Cast", attributes: ["to": .int(1)]), Usage(op: "CastLike", others: [.again]),
        Usage(op: "Expand", others: [.integers([2, 4, 4, 4])]),
        Usage(op: "Tile", others: [.integers([1, 1, 2, 1])]),
        Usage(
          op: "GroupNormalization", others: [channels, channels],
          attributes: ["num_groups": .int(2)]),
        Usage(op: "LayerNormalization", others: [channels, channels]),
        Usage(op: "RMSNormalization", others: [channels]),
        Usage(op: "LpPool", attributes: ["kernel_shape": .ints([2, 2])]),
      ]
      + ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"].map {
        Usage(op: $0, others: [.again])
      }
      + ["ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum"].map {
        Usage(op: $0, others: [.integers([1])])
      }
    return Dictionary(uniqueKeysWithValues: list.map { ($0.op, $0) })
  }()

  /// Operators on truths, labels and places, through which no gradient could go, and those with states of their own.
  private static let passNoGradient: Set = [
    "And", "Or", "Xor", "Not", "Where", "MaxUnpool", "SoftmaxCrossEntropyLoss",
    "NegativeLogLikelihoodLoss",
  ]

  /// The operators that stand in a paragraph of the documentation.
  private func documented(_ start: String, _ end: String) throws -> Set<String> {
    let text = try String(contentsOfFile: TestFiles.repository + "Docs/ONNX.md", encoding: .utf8)
    let tail = try #require(text.range(of: start)).upperBound
    let rest = text[tail...]
    let stop = try #require(rest.range(of: end)).lowerBound
    return Set(rest[..<stop].matches(of: /`([A-Za-z][A-Za-z0-9.]*)`/).map { String($0.1) })
  }

  /// Whether layers before an operator can be trained.
  private func hasGradient(_ usage: Usage) throws -> Bool {
    var inputs = ["p"]
    var constants = [Build.tensor("slope", [1], [0.5] as [Float])]
    for (index, other) in usage.others.enumerated() {
      let name = "c\(index)"
      switch other {
      case .again: inputs.append("p")
      case .none: inputs.append("")
      case .integers(let values):
        inputs.append(name)
        constants.append(Build.tensor(name, [Int64(values.count)], values))
      case .floats(let shape, let value):
        inputs.append(name)
        let count = Int(shape.reduce(1, *))
        constants.append(Build.tensor(name, shape, [Float](repeating: value, count: count)))
      }
    }
    let nodes = [
      Build.node("PRelu", ["x", "slope"], ["p"], name: "trained"),
      Build.node(
        usage.op, inputs, usage.outputs, name: "op", usage.attributes),
    ]
    let model = Build.model(
      Build.graph(
        nodes, inputs: [Build.value("x", usage.shape.map(String.init))],
        outputs: [Build.value("y", [])], initializers: constants),
      opset: usage.op == "Upsample" ? 9 : 21)
    let imported = try ConvertOperators().run(try read(model)).model
    let graph = try InferShapes(batch: imported.isUnbatched ? 1 : 2, memoryLimit: 1 << 30)
      .run(imported)
    return graph.nodes.allSatisfy { $0.layer.hasGradient(for: graph.inputTypes(of: $0)) }
  }

  @Test("the lists name every operator that is converted, each where it belongs")
  func table() throws {
    let with = try documented("With a gradient", "Without one")
    let without = try documented("Without one", "Beside these")
    // Operators of convc's own are what passes put in the place of others; no file holds them.
    for op in OperatorTable.converters.keys.sorted() where !op.hasPrefix("convc.") {
      let listed = with.contains(op)
      #expect(listed || without.contains(op), "\(op) stands in neither list of Docs/ONNX.md")
      guard !Self.passNoGradient.contains(op), !op.contains(".") else { continue }
      do {
        let usage = Self.usages[op] ?? Usage(op: op)
        #expect(try hasGradient(usage) == listed, "\(op) stands in the wrong list")
      } catch {
        Issue.record("\(op): \(error)")
      }
    }
    #expect(with.isDisjoint(with: without.union(Self.passNoGradient)))
    let titles = Set(OperatorTable.converters.keys)
    let known = titles.union(titles.map { String($0.split(separator: ".").last ?? "") })
    for op in with.union(without) where op != "ai.onnx.preview.training" {
      #expect(known.contains(op), "\(op) is in Docs/ONNX.md, but not converted")
    }
  }
}
