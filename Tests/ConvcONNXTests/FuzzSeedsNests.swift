@testable import ConvcONNX

/// Seeds of operators that become loop nests.
extension FuzzSeedsTests {
  static var nests: [Seed] {
    [
      Seed(name: "choices", model: choices), Seed(name: "volumes", model: volumes),
      Seed(name: "training", model: training),
    ]
  }

  /// Truths, places, cells by numbers of run time; inputs of whole numbers and truths, outputs of rank 0.
  private static var choices: Onnx_ModelProto {
    let int64: Int32 = 7
    return Build.model(
      Build.graph(
        [
          Build.node("Less", ["x", "half"], ["low"]), Build.node("And", ["low", "mask"], ["both"]),
          Build.node("Where", ["both", "x", "half"], ["chosen"]),
          Build.node(
            "ArgMax", ["chosen"], ["place"], ["axis": .int(1), "keepdims": .int(0)]),
          Build.node("Gather", ["x", "i"], ["cells"], ["axis": .int(1)]),
          Build.node("ReduceMax", ["cells"], ["most"], ["keepdims": .int(0)]),
          Build.node("Add", ["i", "three"], ["sum"]),
        ],
        inputs: [
          Build.value("x", ["2", "4"]), Build.value("mask", ["2", "1"], type: 9),
          Build.value("i", ["3"], type: int64),
        ],
        outputs: [
          Build.value("place", ["2"], type: int64), Build.value("most", []),
          Build.value("sum", ["3"], type: int64),
        ],
        initializers: [
          Build.tensor("half", [], [0.5] as [Float]), Build.tensor("three", [1], [3] as [Int64]),
        ]))
  }

  /// Windows over three axes and what undoes them, cubic resampling, pooling by a norm.
  private static var volumes: Onnx_ModelProto {
    Build.model(
      Build.graph(
        [
          Build.node(
            "Conv", ["x", "w"], ["c"], ["pads": .ints([1, 0, 1, 1, 0, 1]), "group": .int(1)]),
          Build.node(
            "MaxPool", ["c"], ["m", "places"],
            ["kernel_shape": .ints([1, 2, 2]), "strides": .ints([1, 2, 2])]),
          Build.node(
            "MaxUnpool", ["m", "places"], ["u"],
            ["kernel_shape": .ints([1, 2, 2]), "strides": .ints([1, 2, 2])]),
          Build.node(
            "AveragePool", ["u"], ["a"],
            ["kernel_shape": .ints([2, 1, 1]), "pads": .ints([1, 0, 0, 0, 0, 0])]),
          Build.node("Squeeze", ["a", "two"], ["s"]),
          Build.node(
            "Resize", ["s", "", "scales"], ["r"],
            ["mode": .text("cubic"), "coordinate_transformation_mode": .text("align_corners")]),
          Build.node(
            "LpPool", ["r"], ["y"], ["kernel_shape": .ints([2, 2]), "p": .int(1)]),
        ],
        inputs: [Build.value("x", ["1", "1", "1", "6", "6"])], outputs: [Build.value("y", [])],
        initializers: [
          Build.tensor("w", [2, 1, 3, 3, 3], (0..<54).map { Float($0 % 5) - 2 }),
          Build.tensor("two", [1], [2] as [Int64]),
          Build.tensor("scales", [4], [1, 1, 1.5, 0.5] as [Float]),
        ]))
  }

  /// A loss, a gradient and a step of an optimiser, as a file for training holds them.
  private static var training: Onnx_ModelProto {
    let domain = "ai.onnx.preview.training"
    var model = Build.model(
      Build.graph(
        [
          Build.node("MatMul", ["x", "w"], ["scores"]), Build.node("Tanh", ["scores"], ["y"]),
          Build.node(
            "Gradient", ["w"], ["slope"], domain: domain,
            ["xs": .texts(["w"]), "y": .text("y")]),
          Build.node(
            "Adam", ["rate", "step", "w", "slope", "v", "h"], ["w2", "v2", "h2"], domain: domain,
            ["alpha": .float(0.9), "beta": .float(0.8), "norm_coefficient": .float(0.01)]),
          Build.node(
            "SoftmaxCrossEntropyLoss", ["scores", "labels"], ["loss"],
            ["reduction": .text("mean"), "ignore_index": .int(-1)]),
        ],
        inputs: [
          Build.value("x", ["2", "3"]), Build.value("w", ["3", "2"]),
          Build.value("v", ["3", "2"]), Build.value("h", ["3", "2"]), Build.value("rate", []),
          Build.value("step", [], type: 7), Build.value("labels", ["2"], type: 7),
        ], outputs: [Build.value("w2", []), Build.value("h2", []), Build.value("loss", [])]))
    var set = Onnx_OperatorSetIdProto()
    set.domain = domain
    set.version = 1
    model.opsetImport.append(set)
    return model
  }
}
