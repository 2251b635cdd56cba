import ConvcTestSupport
import Foundation
import Testing

@testable import ConvcONNX

/// The evaluation that random networks are compared with, where a result can be written down by hand.
@Suite("Evaluation by the operators' definitions")
struct PlainNodeTests {
  private func result(
    _ op: String, _ inputs: [PlainTensor?], _ attributes: [String: PlainNode.Attribute] = [:],
    opset: Int = 13
  ) throws -> PlainTensor {
    let node = PlainNode(
      op: op, inputs: inputs.map { _ in "x" }, outputs: ["y"], attributes: attributes, opset: opset)
    let results = node.evaluate(inputs) ?? []
    return try #require(results.first)
  }

  private func tensor(_ shape: [Int], _ values: [Double]) -> PlainTensor {
    PlainTensor(shape, values)
  }

  /// 0, 1, 2 ... as a tensor.
  private func numbers(_ shape: [Int]) -> PlainTensor {
    tensor(shape, (0..<shape.reduce(1, *)).map(Double.init))
  }

  @Test("convolutions: padding, strides, groups, and their transposed form")
  func convolutions() throws {
    let same = try result(
      "Conv", [numbers([1, 1, 3, 3]), tensor([1, 1, 3, 3], [Double](repeating: 1, count: 9))],
      ["pads": .ints([1, 1, 1, 1])])
    #expect(same.values == [8, 15, 12, 21, 36, 27, 20, 33, 24])
    let grouped = try result(
      "Conv", [numbers([1, 2, 4]), tensor([2, 1, 2], [1, 0, 0, 1]), tensor([2], [10, 20])],
      ["group": .int(2), "strides": .ints([2])])
    #expect(grouped == tensor([1, 2, 2], [10, 12, 25, 27]))
    let spread = try result(
      "ConvTranspose", [tensor([1, 1, 2], [1, 2]), tensor([1, 1, 3], [1, 1, 1])],
      ["strides": .ints([2])])
    #expect(spread == tensor([1, 1, 5], [1, 1, 3, 2, 2]))
    let upper = try result(
      "Conv", [tensor([1, 1, 4], [1, 2, 3, 4]), tensor([1, 1, 2], [1, 10])],
      ["auto_pad": .text("SAME_UPPER")])
    #expect(upper.values == [21, 32, 43, 4])
  }

  @Test("pooling: rounded up, and with padding that counts or does not")
  func pooling() throws {
    let row = tensor([1, 1, 5], [1, 2, 3, 4, 5])
    let settings: [String: PlainNode.Attribute] = [
      "kernel_shape": .ints([2]), "strides": .ints([2]), "ceil_mode": .int(1),
    ]
    #expect(try result("MaxPool", [row], settings).values == [2, 4, 5])
    #expect(try result("AveragePool", [row], settings).values == [1.5, 3.5, 5])
    var padded: [String: PlainNode.Attribute] = [
      "kernel_shape": .ints([3]), "pads": .ints([1, 1]), "strides": .ints([2]),
    ]
    #expect(try result("AveragePool", [row], padded).values == [1.5, 3, 4.5])
    padded["count_include_pad"] = .int(1)
    #expect(try result("AveragePool", [row], padded).values == [1, 3, 3])
  }

  @Test("axes are moved, cut, padded, resized and taken together")
  func axes() throws {
    let x = numbers([1, 2, 3])
    #expect(try result("Transpose", [x], ["perm": .ints([2, 0, 1])]).values == [0, 3, 1, 4, 2, 5])
    #expect(
      try result(
        "Slice", [x, tensor([1], [-3]), tensor([1], [99]), tensor([1], [2]), tensor([1], [2])]
      )
      .values == [0, 2, 3, 5])
    let pads = tensor([6], [0, 0, 1, 0, 0, 1])
    #expect(
      try result("Pad", [x, pads], ["mode": .text("reflect")]).values
        == [1, 0, 1, 2, 1, 4, 3, 4, 5, 4])
    #expect(
      try result("ReduceMean", [x], ["axes": .ints([2]), "keepdims": .int(0)]).shape == [1, 2])
    #expect(
      try result("Concat", [x, x], ["axis": .int(-1)]).values == [
        0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5,
      ])
    let line = tensor([1, 1, 1, 2], [0, 4])
    let sizes = tensor([4], [1, 1, 1, 4])
    #expect(
      try result("Resize", [line, nil, nil, sizes], ["mode": .text("linear")]).values == [
        0, 1, 3, 4,
      ])
    #expect(
      try result(
        "DepthToSpace", [numbers([1, 4, 1, 1])], ["blocksize": .int(2), "mode": .text("CRD")]
      ).values == [0, 1, 2, 3])
  }

  @Test("normalisation and products")
  func values() throws {
    let shares = try result("Softmax", [tensor([1, 2], [0, log(3)])], ["axis": .int(1)])
    #expect(zip(shares.values, [0.25, 0.75]).allSatisfy { abs($0 - $1) < 1e-12 })
    let one = tensor([1], [1])
    let normal = try result(
      "BatchNormalization", [numbers([1, 1, 3]), tensor([1], [2]), one, one, tensor([1], [4])],
      ["epsilon": .float(0)])
    #expect(normal.values == [0, 1, 2])
    let product = try result(
      "Gemm", [tensor([1, 2], [1, 2]), tensor([3, 2], [1, 0, 0, 1, 1, 1]), one],
      ["transB": .int(1), "alpha": .float(2)])
    #expect(product.values == [3, 5, 7])
    #expect(
      try result("Sub", [tensor([2, 1], [5, 6]), tensor([2], [1, 2])]).values == [4, 3, 5, 4])
  }

  @Test("a tensor's file is read as it was written")
  func files() throws {
    let folder = try TemporaryFolder()
    let x = tensor([2, 2], [1, -2, 0.5, 3])
    try Data(try DrawnNetwork.file(of: x, name: "x")).write(to: URL(filePath: folder.file("x.pb")))
    let read = try TensorFile.read(folder.file("x.pb"))
    #expect(read.dims == [2, 2])
    #expect(try read.doubles() == x.values)
    try Data([1, 2, 3]).write(to: URL(filePath: folder.file("bad.pb")))
    #expect(message { _ = try TensorFile.read(folder.file("bad.pb")) }?.contains("bad.pb") == true)
    #expect(
      message { _ = try TensorFile.read(folder.file("none.pb")) }?
        .contains("cannot be read: No such file or directory") == true)
  }
}
