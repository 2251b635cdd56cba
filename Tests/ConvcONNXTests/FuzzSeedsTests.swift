import ConvcTestSupport
import Foundation
import SwiftProtobuf
import Testing

@testable import ConvcONNX

/// The models that fuzzing starts from (`Tests/Fuzz`): small, and between them of all that the importer reads.
@Suite("Seeds of the fuzz target")
struct FuzzSeedsTests {
  struct Seed: CustomTestStringConvertible {
    let name: String
    let model: Onnx_ModelProto
    var testDescription: String { name }
  }

  @Test("are what is committed, and are read to C")
  func committed() throws {
    let folder = TestFiles.repository + "Tests/Fuzz/Corpus/"
    let isRecording = ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1"
    for seed in Self.all {
      let bytes: Data = try seed.model.serializedData(partial: true)
      let path = "\(folder)\(seed.name).onnx"
      let committed = FileManager.default.contents(atPath: path)
      if isRecording, committed != bytes { try bytes.write(to: URL(filePath: path)) }
      #expect(committed == bytes, "\(seed.name); RECORD_GOLDENS=1 swift test records it")
      #expect(throws: Never.self, "\(seed.name)") {
        let network = try ConvertOperators(dims: [:]).run(ONNXFile.read(bytes: [UInt8](bytes)))
        _ = network.model
      }
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(names == Self.all.map { "\($0.name).onnx" }.sorted())
  }

  private static let all: [Seed] =
    layers + operators.map { Seed(name: $0.0, model: chain($0.1, dims: ["1", "4", "6", "6"])) }
    + forms + nests

  // MARK: Operators

  private typealias Step = (op: String, constants: [Onnx_TensorProto], Attributes)
  private typealias Attributes = [String: Build.Attribute]

  /// Operators one after the other, each with the one before as its first input.
  private static func chain(_ steps: [Step], dims: [String], opset: Int64 = 13) -> Onnx_ModelProto {
    var nodes: [Onnx_NodeProto] = []
    for (index, step) in steps.enumerated() {
      nodes.append(
        Build.node(
          step.op, [index == 0 ? "x" : "v\(index - 1)"] + step.constants.map(\.name),
          [index == steps.count - 1 ? "y" : "v\(index)"], name: "n\(index)", step.2))
    }
    return Build.model(
      Build.graph(
        nodes, inputs: [Build.value("x", dims)], outputs: [Build.value("y", [])],
        initializers: steps.flatMap(\.constants)), opset: opset)
  }

  private static func weights(_ name: String, _ dims: Int...) -> Onnx_TensorProto {
    let count = dims.reduce(1, *)
    return Build.tensor(
      name, dims.map(Int64.init), (0..<count).map { Float($0 % 7) / 4 - 0.75 })
  }

  private static func numbers(_ name: String, _ values: Int64...) -> Onnx_TensorProto {
    Build.tensor(name, [Int64(values.count)], values)
  }

  private static let operators: [(String, [Step])] = [
    (
      "activations",
      [
        ("LeakyRelu", [], ["alpha": .float(0.1)]), ("Elu", [], [:]), ("HardSigmoid", [], [:]),
        ("PRelu", [weights("slope", 4, 1, 1)], [:]), ("Sigmoid", [], [:]), ("Tanh", [], [:]),
        ("Clip", [Build.tensor("low", [], [0] as [Float])], [:]), ("HardSwish", [], [:]),
        ("Softmax", [], ["axis": .int(1)]),
      ]
    ),
    (
      "arithmetic",
      [
        ("Mul", [weights("a", 4, 1, 1)], [:]), ("Sub", [weights("b", 6)], [:]),
        ("Div", [Build.tensor("c", [], [2] as [Float])], [:]), ("Exp", [], [:]),
        ("Abs", [], [:]), ("Sqrt", [], [:]), ("Neg", [], [:]),
        ("Pow", [Build.tensor("d", [], [2] as [Float])], [:]),
      ]
    ),
    (
      "moving",
      [
        ("Transpose", [], ["perm": .ints([0, 2, 3, 1])]),
        ("Pad", [numbers("pads", 0, 1, 0, 0, 0, 0, 1, 0)], [:]),
        (
          "Slice",
          [
            numbers("from", 1), numbers("to", 7), numbers("axes", 1), numbers("steps", 2),
          ], [:]
        ),
        ("Reshape", [numbers("shape", 1, -1, 4)], [:]), ("Unsqueeze", [numbers("at", 1)], [:]),
        ("Squeeze", [numbers("off", 1)], [:]), ("Flatten", [], ["axis": .int(1)]),
      ]
    ),
    (
      "resizing",
      [
        ("DepthToSpace", [], ["blocksize": .int(2)]),
        ("SpaceToDepth", [], ["blocksize": .int(2)]),
        (
          "Upsample",
          [Build.tensor("scales", [4], [1, 1, 2, 2] as [Float])], ["mode": .text("nearest")]
        ),
      ]
    ),
    (
      "reductions",
      [
        ("ReduceMean", [], ["axes": .ints([3])]), ("ReduceSum", [numbers("axes", 2)], [:]),
        ("ReduceL2", [], ["axes": .ints([1]), "keepdims": .int(0)]),
      ]
    ),
    (
      "normalization",
      [
        ("LRN", [], ["size": .int(3)]),
        ("InstanceNormalization", [weights("scale", 4), weights("bias", 4)], [:]),
        (
          "BatchNormalization",
          [
            weights("g", 4), weights("b", 4), weights("m", 4),
            Build.tensor("v", [4], [1, 2, 3, 4] as [Float]),
          ],
          [:]
        ),
      ]
    ),
  ]

  // MARK: Networks

  private static let layers: [Seed] = [
    Seed(
      name: "lenet",
      model: chain(
        [
          (
            "Conv", [weights("w1", 4, 1, 3, 3), weights("b1", 4)],
            ["auto_pad": .text("SAME_UPPER"), "strides": .ints([1, 1])]
          ), ("Relu", [], [:]),
          ("MaxPool", [], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])]),
          ("Reshape", [numbers("flat", 1, 64)], [:]), ("MatMul", [weights("w2", 64, 3)], [:]),
          ("Add", [weights("b2", 3)], [:]), ("LogSoftmax", [], [:]),
        ], dims: ["1", "1", "8", "8"])),
    Seed(
      name: "windows",
      model: chain(
        [
          (
            "Conv", [weights("w1", 4, 1, 3, 3)],
            ["group": .int(4), "dilations": .ints([2, 2]), "pads": .ints([2, 1, 2, 1])]
          ),
          (
            "AveragePool", [],
            [
              "kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1]), "ceil_mode": .int(1),
              "count_include_pad": .int(1),
            ]
          ),
          (
            "ConvTranspose", [weights("w2", 4, 2, 2, 2)],
            ["strides": .ints([2, 2]), "output_padding": .ints([1, 1])]
          ), ("GlobalAveragePool", [], [:]), ("Flatten", [], [:]),
          (
            "Gemm", [weights("w3", 3, 2), weights("b3", 3)],
            ["transB": .int(1), "alpha": .float(0.5)]
          ),
        ], dims: ["N", "4", "7", "9"])),
    Seed(
      name: "sequence",
      model: chain(
        [
          ("Conv", [weights("w", 3, 2, 3)], ["pads": .ints([1, 1])]), ("Relu", [], [:]),
          ("MaxPool", [], ["kernel_shape": .ints([2])]),
        ], dims: ["2", "2", "9"], opset: 11)),
  ]

  // MARK: Forms of files

  private static var forms: [Seed] {
    let branch = Build.graph([Build.node("Neg", ["s"], ["b"])], outputs: [Build.value("b", ["2"])])
    let block = InlineFunctionsTests.function(
      "Block", ["a"], ["b"],
      [Build.node("Elu", ["a"], ["b"], ["alpha": .reference("alpha")])], attributes: ["alpha"])
    let functions = InlineFunctionsTests.model(
      [
        Build.node("Block", ["x"], ["s"], domain: "mine", ["alpha": .float(0.5)]),
        Build.node(
          "Constant", [], ["c"], ["value": .tensor(Build.tensor("", [1], [0] as [Int64]))]),
        Build.node("Equal", ["c", "c"], ["t"]),
        Build.node(
          "If", ["t"], ["y"], ["then_branch": .graph(branch), "else_branch": .graph(branch)]),
      ], [block])
    let shapes = Build.model(
      Build.graph(
        [
          Build.node("Shape", ["x"], ["d"]),
          Build.node("Gather", ["d", "zero"], ["n"], ["axis": .int(0)]),
          Build.node("Concat", ["n", "rest"], ["s"], ["axis": .int(0)]),
          Build.node("Reshape", ["x", "s"], ["r"]),
          Build.node("Split", ["r"], ["p", "q"], ["axis": .int(1)]),
          Build.node("Concat", ["q", "p"], ["v"], ["axis": .int(1)]),
          Build.node("ConstantOfShape", ["s"], ["f"]), Build.node("Add", ["v", "f"], ["y"]),
        ], inputs: [Build.value("x", ["N", "2", "3"])], outputs: [Build.value("y", ["N", "6"])],
        initializers: [numbers("zero", 0), numbers("rest", 6)]))
    var typed = Build.tensor("w", [2], [] as [Float])
    typed.clearRawData()
    typed.floatData = [1, 2]
    var old = Build.small
    old.irVersion = 3
    old.graph.initializer = [typed]
    old.graph.input.append(Build.value("w", ["2"]))
    old.graph.name = "torch-jit-export"
    old.producerName = "seed"
    return [
      Seed(name: "functions", model: functions), Seed(name: "shapes", model: shapes),
      Seed(name: "old", model: old), Seed(name: "small", model: Build.small),
    ]
  }
}
