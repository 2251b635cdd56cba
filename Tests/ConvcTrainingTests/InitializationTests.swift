import Convc
import ConvcIR
import Testing

@testable import ConvcTraining

@Suite("Initialization")
struct InitializationTests {
  private func values(_ initializer: Initializer, seed: UInt64 = 1, name: String = "conv1.weight")
    -> [Float]
  {
    let spec = ParameterSpec(
      "weight", shape: [40, 50], initializer: initializer, fanIn: 50, fanOut: 100)
    var values = [Float](repeating: -1, count: spec.count)
    values.withUnsafeMutableBufferPointer {
      Initialization(seed: seed).fill($0, of: spec, name: name)
    }
    return values
  }

  @Test("He values have variance 2 / fan-in and end at two deviations of the normal that is cut")
  func heNormal() {
    let values = values(.heNormal)
    let mean = values.reduce(0) { $0 + Double($1) } / 2000
    let variance = values.reduce(0) { $0 + Double($1) * Double($1) } / 2000
    #expect(abs(mean) < 0.01)
    #expect(abs(variance - 0.04) < 0.003)
    let bound = 2 * 0.2 / Distribution.truncatedDeviation
    #expect(values.allSatisfy { abs(Double($0)) < 1.000001 * bound })
    #expect(values.contains { abs(Double($0)) > 0.95 * bound })
  }

  @Test("Glorot values fill ±√(6 / (fan-in + fan-out)) evenly")
  func glorotUniform() {
    let values = values(.glorotUniform)
    let variance = values.reduce(0) { $0 + Double($1) * Double($1) } / 2000
    #expect(values.allSatisfy { abs($0) <= 0.2 })
    #expect(abs(variance - 0.04 / 3) < 0.001)
  }

  /// Mean and deviation of the 2000 values, in shares of the deviation that is meant.
  private func moments(_ initializer: Initializer) -> (mean: Double, deviation: Double) {
    let values = values(initializer).map(Double.init)
    let meant = initializer.deviation(fanIn: 50, fanOut: 100)
    let mean = values.reduce(0, +) / 2000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2000
    return (mean / meant, variance.squareRoot() / meant)
  }

  @Test(
    "every distribution has mean 0 and the deviation that its name says",
    arguments: [
      (.standardNormal, 1), (.normal(deviation: 0.3), 0.3),
      (.uniform(bound: 0.3), 0.1 * 3.0.squareRoot()),
      (.lecunNormal, (1 / 50.0).squareRoot()), (.glorotNormal, (2 / 150.0).squareRoot()),
      (.glorotUniform, (2 / 150.0).squareRoot()), (.heNormal, 0.2), (.heUniform, 0.2),
    ] as [(Initializer, Double)])
  func deviations(initializer: Initializer, deviation: Double) {
    #expect(abs(initializer.deviation(fanIn: 50, fanOut: 100) - deviation) < 1e-7)
    // Three standard errors of 2000 values.
    let moments = moments(initializer)
    #expect(abs(moments.mean) < 3 / 2000.0.squareRoot())
    #expect(abs(moments.deviation - 1) < 3 / 4000.0.squareRoot())
  }

  @Test("normal values are not cut off, Glorot and He normal ones are at two deviations")
  func truncation() {
    #expect(values(.standardNormal).contains { abs($0) > 3 })
    #expect(values(.lecunNormal).contains { abs($0) > 3 / Float(50).squareRoot() })
    for initializer: Initializer in [.heNormal, .glorotNormal] {
      let cut = 2 * initializer.deviation(fanIn: 50, fanOut: 100) / Distribution.truncatedDeviation
      #expect(values(initializer).allSatisfy { abs(Double($0)) < 1.000001 * cut })
      #expect(values(initializer).contains { abs(Double($0)) > 0.95 * cut })
    }
  }

  @Test("uniform values keep to their bound")
  func bounds() {
    for (initializer, bound) in [
      (.uniform(bound: 0.3), 0.3), (.heUniform, (6 / Float(50)).squareRoot()),
      (.glorotUniform, 0.2),
    ] as [(Initializer, Float)] {
      #expect(values(initializer).allSatisfy { abs($0) < bound })
      #expect(values(initializer).contains { abs($0) > 0.98 * bound })
    }
  }

  @Test("LeCun values are N(0, 1) over the root of fan-in")
  func lecun() {
    let scale = Float((1 / 50.0).squareRoot())
    #expect(values(.lecunNormal) == values(.standardNormal).map { scale * $0 })
  }

  @Test(
    "settings out of range are refused",
    arguments: [
      (.constant(.infinity), "initial value inf is not finite; choose a number"),
      (
        .uniform(bound: 0),
        "bound 0.0 of uniform initial values is out of range; a finite one above 0 is expected, or .constant(0)"
      ),
      (
        .normal(deviation: -1),
        "deviation -1.0 of normal initial values is out of range; a finite one above 0 is expected, or .constant(0)"
      ),
    ] as [(Initializer, String)])
  func refused(initializer: Initializer, message: String) {
    #expect(initializer.problem == message)
  }

  @Test("constants are constants")
  func constant() {
    #expect(values(.constant(0.25)).allSatisfy { $0 == 0.25 })
  }

  @Test("a seed gives the same bits, another seed or name others")
  func streams() {
    let first = values(.heNormal)
    #expect(values(.heNormal) == first)
    #expect(values(.heNormal, seed: 2) != first)
    #expect(values(.heNormal, name: "conv2.weight") != first)
  }

  @Test("the bits never change")
  func recorded() {
    let bits = values(.heNormal).prefix(4).map(\.bitPattern)
    #expect(bits == [0xbde7_4f17, 0x3e70_7b46, 0xbe84_4ebe, 0xbec3_c75b])
  }

  @Test(
    "the first values of each distribution never change",
    arguments: [
      (.standardNormal, [0xbf58_0440, 0x3f8d_ac58, 0xbe8f_2e54, 0xbd7d_902b]),
      (.lecunNormal, [0xbdf4_6518, 0x3e20_48f3, 0xbd21_fda4, 0xbc0f_6fde]),
      (.uniform(bound: 1), [0xbecc_2bf6, 0x3f3b_4c0b, 0xbf47_9d6b, 0xbf73_5d0b]),
      (.glorotNormal, [0xbd85_8bd9, 0x3e0a_d793, 0xbe18_c691, 0xbe62_10d9]),
      (.glorotUniform, [0xbda3_565f, 0x3e15_d66f, 0xbe1f_b123, 0xbe42_b0d6]),
      (.heUniform, [0xbe0d_744e, 0x3e81_c361, 0xbe8a_4c1a, 0xbea8_9b6e]),
    ] as [(Initializer, [UInt32])])
  func recorded(initializer: Initializer, expected: [UInt32]) {
    #expect(values(initializer).prefix(4).map(\.bitPattern) == expected)
  }

  @Test("a layer more, in front, changes the values of no other layer")
  func independence() throws {
    func parameters(withStem: Bool) throws -> (Graph, [Float]) {
      let model = Model("net", input: [4, 6, 6], loss: SoftmaxCrossEntropy()) {
        if withStem { Conv2D(outputChannels: 4, kernelSize: 3, padding: 1).named("stem") }
        Conv2D(outputChannels: 5, kernelSize: 3, initializer: .lecunNormal).named("first")
        Flatten()
        Dense(outputs: 3, initializer: .glorotNormal).named("last")
      }
      let graph = try model.compile(BuildOptions(batch: 1, target: .generic)).graph
      return (graph, try Initialization(seed: 8).parameters(of: graph))
    }
    let (small, few) = try parameters(withStem: false)
    let (large, many) = try parameters(withStem: true)
    for name in ["first.weight", "last.weight"] {
      let parts = [(small, few), (large, many)].map { graph, block in
        graph.parameters.filter { $0.name == name }.map {
          Array(block[$0.offset..<$0.offset + $0.spec.count])
        }
      }
      #expect(parts[0] == parts[1])
    }
    #expect(many.count > few.count)
  }

  @Test("a parameter of many pieces is one sequence")
  func pieces() {
    let count = 2 * Initialization.pieceCount + 5
    let spec = ParameterSpec("weight", shape: [count], initializer: .glorotUniform, fanIn: 6)
    var values = [Float](repeating: 9, count: count)
    let initialization = Initialization(seed: 3)
    values.withUnsafeMutableBufferPointer { initialization.fill($0, of: spec, name: "fc.weight") }
    let philox = initialization.generator(name: "fc.weight")
    let bound = Float((6.0 / 7).squareRoot())
    for index in [0, 3, Initialization.pieceCount - 1, Initialization.pieceCount, count - 1] {
      let word = philox.words(UInt64(index / 4))[index % 4]
      #expect(values[index] == bound * (Float(2 * Int(word >> 8) + 1 - 1 << 24) * 0x1p-24))
    }
  }

  @Test("the whole block is filled, each parameter in its place")
  func block() throws {
    let specs = [
      ParameterSpec("weight", shape: [3, 2], initializer: .heNormal, fanIn: 2),
      ParameterSpec("running_var", shape: [3], initializer: .constant(1), isStatistic: true),
    ]
    let graph = Graph(
      name: "net", batch: 1, tensors: [], inputs: [], nodes: [], outputs: [], losses: [],
      targets: [],
      parameters: [
        Parameter(name: "a.weight", spec: specs[0], kind: .trainable, offset: 0),
        Parameter(name: "b.running_var", spec: specs[1], kind: .statistic, offset: 6),
      ], preprocessing: nil, classNames: [])
    let block = try Initialization(seed: 5).parameters(of: graph)
    #expect(block.count == 9)
    #expect(block.prefix(6).allSatisfy { $0 != 0 })
    #expect(block.suffix(3) == [1, 1, 1])
  }
}
