import ConvcIR
import ConvcRuntime
import Testing

@testable import Convc

/// Inference of large batches, a few images at a time.
@Suite("Slices of a batch")
struct SliceTests {
  /// A network of two inputs and two outputs, of maps and of features.
  static func model() -> Model {
    Model("slices") { graph in
      let image = graph.input("image", [3, 9, 7])
      let extra = graph.input("extra", [5])
      let maps = image.conv2d(16, kernelSize: 3, padding: 1).batchNorm().relu()
      graph.output("maps", maps.maxPool(2))
      graph.output("scores", maps.flatten().concat(extra).dense(4))
    }
  }

  @Test("give the bits of the whole batch", arguments: [Target.generic, .native], [1, 8, 9, 20])
  func bits(target: Target, batch: Int) async throws {
    var options = BuildOptions(batch: 20, trains: false, target: target)
    let whole = try Self.model().compile(options)
    options.nearBytes = 1024
    let sliced = try Self.model().compile(options)
    let arenas = [whole, sliced].map { $0.stages.programs[0].memory.bytes }
    #expect(arenas[1] < arenas[0])
    #expect(sliced.files().sources[0].text.contains("SLICE = 8"))

    var outputs: [[Program.Values]] = []
    for compilation in [whole, sliced] {
      let session = try Session(try await compilation.load())
      let parameters = (0..<session.program.parameterCount).map { Float(($0 * 37) % 101) / 90 }
      try session.setParameterBlock(parameters)
      outputs.append(
        try session.forward(
          inputs: [values(batch * 3 * 9 * 7, 13), values(batch * 5, 29)], batch: batch, threads: 2))
    }
    #expect(outputs[0] == outputs[1])
  }

  @Test("stay whole where the weights are larger than what layers hand on")
  func weights() throws {
    let model = Model("dense", input: [900]) {
      Dense(outputs: 900)
      Dense(outputs: 900)
    }
    var options = BuildOptions(batch: 20, trains: false)
    options.nearBytes = 1024
    #expect(try model.compile(options).stages.programs[0].kernels.graph.batch == 20)
  }

  private func values(_ count: Int, _ step: Int) -> Program.Values {
    .float32((0..<count).map { Float(($0 * step) % 97) / 97 - 0.5 })
  }
}
