import ConvcIR
import ConvcONNX
import ConvcRuntime
import ConvcTraining

/// Compares networks that seeds draw, written as ONNX files and read again, with what the operators' definitions give.
package struct DrawnComparison {
  /// Networks that share one library.
  package static let perLibrary = 10
  /// What may differ, as a share of an output's largest value.
  private static let tolerance = 1e-4
  /// Outputs whose largest value is smaller are measured by this.
  private static let floor = 0.1

  /// A network that disagrees, or that convc does not take.
  package struct Finding: Sendable {
    package let seed: UInt64
    /// One line.
    package let problem: String
    /// The network, a line for each operator.
    package let network: String
  }

  /// nil: the widest row of this machine and the generic one in turn.
  private let target: Target?
  private let openMP: Bool

  package init(target: Target? = nil, openMP: Bool = true) {
    (self.target, self.openMP) = (target, openMP)
  }

  /// - Returns: what disagrees, and the largest difference as a share of an output's largest value.
  /// - Throws: what keeps them all from being compiled.
  package func run(
    _ seeds: Range<UInt64>, toolchain: Toolchain
  ) async throws -> (findings: [Finding], largest: Double) {
    var findings: [Finding] = []
    var largest = 0.0
    var compiled: [(network: DrawnNetwork, compilation: Compilation)] = []
    for seed in seeds {
      let network = DrawnNetwork(seed: seed)
      do {
        let graph = try ONNXFile.read(bytes: try network.file(), name: "network \(seed)")
        let model = try ConvertOperators().run(graph).model
        let row = target ?? (seed % 2 == 0 ? .native : .generic)
        compiled.append(
          (
            network,
            try model.compile(BuildOptions(trains: false, target: row, name: "drawn_\(seed)"))
          ))
      } catch {
        findings.append(Self.finding(network, "is refused: \(error)"))
      }
    }
    guard !compiled.isEmpty else { return (findings, 0) }
    let library = try await toolchain.load(
      sources: compiled.flatMap { $0.compilation.sources() },
      // Correctness does not depend on the level; small functions compile three times faster so.
      options: LibraryOptions(architecture: .native, openMP: openMP, extraFlags: ["-O1"]))
    for (network, compilation) in compiled {
      let program = try Program(library: library, prefix: compilation.prefix)
      for (name, difference) in try Self.differences(of: program, compilation.graph, network) {
        largest = max(largest, difference)
        guard !(difference <= Self.tolerance) else { continue }
        findings.append(
          Self.finding(network, "output \(name) differs by \(difference) of its largest value"))
        break
      }
    }
    return (findings, largest)
  }

  private static func finding(_ network: DrawnNetwork, _ problem: String) -> Finding {
    Finding(
      seed: network.seed, problem: "network \(network.seed) \(problem)",
      network: network.description)
  }

  /// How far each output is from what is expected, as a share of its largest value.
  private static func differences(
    of program: Program, _ graph: Graph, _ network: DrawnNetwork
  ) throws -> [(name: String, difference: Double)] {
    let session = try Session(program)
    try session.withParameters { try Initialization(seed: 0).fill($0, of: graph) }
    let inputs = graph.inputLabels.compactMap { name in
      network.inputs.first { $0.name == name }.map {
        Program.Values.float32($0.tensor.values.map { Float($0) })
      }
    }
    let results = try session.forward(inputs: inputs, batch: program.batches.upperBound)
    return zip(zip(graph.outputLabels, program.outputs), results).map { output, result in
      let (name, tensor) = output
      guard let expected = network.outputs.first(where: { $0.name == name })?.tensor,
        expected.shape == tensor.shape, case .float32(let values) = result
      else { return (name, .infinity) }
      let largest = expected.values.reduce(floor) { max($0, $1.magnitude) }
      let gaps = zip(values, expected.values).map { (Double($0) - $1).magnitude / largest }
      return (name, gaps.contains { $0.isNaN } ? .infinity : gaps.max() ?? 0)
    }
  }
}
