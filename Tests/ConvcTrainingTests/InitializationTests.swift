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
  func block() {
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
    let block = Initialization(seed: 5).parameters(of: graph)
    #expect(block.count == 9)
    #expect(block.prefix(6).allSatisfy { $0 != 0 })
    #expect(block.suffix(3) == [1, 1, 1])
  }
}
