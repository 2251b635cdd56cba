import ConvcIR
import ConvcPasses

/// What a network is made of and what it costs, layer by layer: the data behind `convc inspect`.
public struct Inspection: Sendable, Codable {
  /// A tensor at the network's border.
  public struct Port: Sendable, Codable, Hashable {
    public let name: String
    /// Extents of one image's part.
    public let shape: [Int]
  }

  /// A layer.
  public struct Layer: Sendable, Codable, Hashable {
    public let name: String
    /// Kind and settings: `Conv2D 5x5, padding 2`.
    public let settings: String
    /// Layers and inputs that it reads.
    public let inputs: [String]
    /// Extents of its output for one image.
    public let shape: [Int]
    /// Values of its parameters, running statistics included.
    public let parameters: Int
    public let frozen: Bool
    /// Multiply-adds of the forward pass for one image.
    public let multiplyAdds: Int
    public let receptiveField: ReceptiveField
    /// Rows and columns at the end of the padded input that no window reads.
    public let lostPixels: [Int]
    /// Group whose kernel computes it when inferring; nil: it is a view and costs nothing.
    public let group: String?
    /// The same when training; nil also where the network does not train.
    public let trainingGroup: String?

    enum CodingKeys: String, CodingKey {
      case name, settings, inputs, shape, parameters, frozen, group
      case multiplyAdds = "multiply_adds"
      case receptiveField = "receptive_field"
      case lostPixels = "lost_pixels"
      case trainingGroup = "training_group"
    }
  }

  /// Bytes that one way of running needs beside inputs and outputs.
  public struct Memory: Sendable, Codable, Hashable {
    public let mode: String
    /// Working memory.
    public let arena: Int
    /// The largest sum of buffers alive at once: no arena can be smaller.
    public let lowerBound: Int
    public let parameters: Int
    /// The form of the parameters that kernels read.
    public let packed: Int
    public let gradients: Int
    public let optimizer: Int

    public var total: Int { arena + parameters + packed + gradients + optimizer }

    enum CodingKeys: String, CodingKey {
      case mode, arena, parameters, packed, gradients, optimizer
      case lowerBound = "lower_bound"
    }
  }

  /// Whether a layer joined another's kernel, and why.
  public struct Fusion: Sendable, Codable, Hashable {
    public let mode: String
    public let layer: String
    /// The group that it joined; nil: it stays apart.
    public let joined: String?
    public let reason: String
  }

  public let model: String
  /// The largest batch, which memory is given for.
  public let batch: Int
  public let target: String
  public let inputs: [Port]
  public let outputs: [Port]
  /// In the order in which they run.
  public let layers: [Layer]
  /// Values of all parameters, and of those that training changes.
  public let parameters: Int
  public let trainable: Int
  /// Multiply-adds of the forward pass for one image.
  public let multiplyAdds: Int
  /// Inference first, then training where the network has a loss.
  public let memory: [Memory]
  public let fusion: [Fusion]

  enum CodingKeys: String, CodingKey {
    case model, batch, target, inputs, outputs, layers, parameters, trainable, memory, fusion
    case multiplyAdds = "multiply_adds"
  }

  /// Looks at a compiled network.
  public init(_ compilation: Compilation) {
    let graph = compilation.graph
    let programs = compilation.stages.programs
    let module = compilation.stages.module
    let fields = ReceptiveField.all(in: graph)
    let groups = programs.map { Self.groups(of: $0.fused) }
    model = graph.name
    batch = graph.batch
    target = module.target.name
    inputs = graph.inputs.map { Port(name: graph[$0].name, shape: graph[$0].type.image) }
    outputs = graph.outputs.map { Port(name: $0.name, shape: graph[$0.tensor].type.image) }
    layers = graph.nodes.map { node in
      let types = graph.inputTypes(of: node)
      let lost = node.layer.lostPixels(for: types)
      return Layer(
        name: node.name, settings: node.layer.summary,
        inputs: node.inputs.map { graph[$0].name }, shape: graph[node.output].type.image,
        parameters: node.parameters.reduce(0) { $0 + graph.parameters[$1].spec.count },
        frozen: node.isFrozen, multiplyAdds: node.layer.multiplyAdds(for: types) / graph.batch,
        receptiveField: fields[node.output.index], lostPixels: [lost.rows, lost.columns],
        group: groups[0][node.id], trainingGroup: groups.count > 1 ? groups[1][node.id] : nil)
    }
    parameters = graph.parameterCount
    trainable = graph.trainableCount
    multiplyAdds = layers.reduce(0) { $0 + $1.multiplyAdds }
    memory = programs.map { program in
      let trains = program.fused.mode == .training
      let changing = trains ? 4 * graph.trainableCount : 0
      return Memory(
        mode: program.fused.mode.rawValue, arena: program.memory.bytes,
        lowerBound: program.memory.lowerBound, parameters: 4 * graph.parameterCount,
        packed: module.packedBytes, gradients: changing, optimizer: changing)
    }
    fusion = programs.flatMap { program in
      program.fused.notes.map {
        Fusion(
          mode: program.fused.mode.rawValue, layer: $0.layer, joined: $0.joined, reason: $0.reason)
      }
    }
  }

  private static func groups(of fused: FusedGraph) -> [Node.ID: String] {
    var names: [Node.ID: String] = [:]
    for group in fused.groups {
      for node in group.nodes { names[node] = group.name }
    }
    return names
  }
}

extension TensorType {
  /// Extents of one image's part.
  fileprivate var image: [Int] { Array(shape.dropFirst()) }
}
