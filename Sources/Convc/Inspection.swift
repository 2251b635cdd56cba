import ConvcIR
import ConvcPasses

/// What a network is made of and what it costs, layer by layer: the data behind `convc inspect`.
public struct Inspection: Sendable, Codable {
  /// A tensor at the network's border.
  public struct Port: Sendable, Codable, Hashable {
    public let name: String
    /// Extents of one image's part.
    public let shape: [Int]
    /// What they are called.
    public var axes: [String] { shape.axisNames }
  }

  /// A layer.
  public struct Layer: Sendable, Codable, Hashable {
    public let name: String
    /// Kind and settings: `Conv2D 5x5, padding 2`.
    public let settings: String
    public let family: LayerFamily
    /// Layers and inputs that it reads.
    public let inputs: [String]
    /// Extents of its output for one image.
    public let shape: [Int]
    /// What the extents are called: `C`, `H`, `W`; `C`, `L` of a sequence; `C` of features.
    public let axes: [String]
    /// How the size of the output is computed, a line for each axis of a window.
    public let sizeFormula: [String]
    /// Values of its parameters, running statistics included: the sum of the next three.
    public let parameters: Int
    /// Weights, to which weight decay applies.
    public let weights: Int
    /// Biases; scales and shifts of a normalisation.
    public let biases: Int
    /// Running means and variances.
    public let statistics: Int
    /// The same as products: `5·5·6·16 + 16`.
    public let parameterFormula: String
    public let frozen: Bool
    /// Multiply-adds of the forward pass for one image.
    public let multiplyAdds: Int
    /// Bytes of its output for one image, were it stored.
    public let outputBytes: Int
    /// Layers with weights on the longest way from an input, this one included.
    public let depth: Int
    /// Channels, or features, of its output.
    public var width: Int { shape.first ?? 1 }
    public let receptiveField: ReceptiveField
    /// Rows and columns at the end of the padded input that no window reads.
    public let lostPixels: [Int]
    /// Group whose kernel computes it when inferring; nil: it is a view and costs nothing.
    public let group: String?
    /// The same when training; nil also where the network does not train.
    public let trainingGroup: String?

    enum CodingKeys: String, CodingKey {
      case name, settings, family, inputs, shape, axes, parameters, weights, biases, statistics
      case frozen, depth, group
      case sizeFormula = "size_formula"
      case parameterFormula = "parameter_formula"
      case multiplyAdds = "multiply_adds"
      case outputBytes = "output_bytes"
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
  /// Layers with weights on the longest way, and the most channels or features of a layer.
  public let depth: Int
  public let width: Int
  /// Bytes of all outputs of layers for one image, were each stored.
  public let outputBytes: Int
  /// Inference first, then training where the network has a loss.
  public let memory: [Memory]
  public let fusion: [Fusion]

  enum CodingKeys: String, CodingKey {
    case model, batch, target, inputs, outputs, layers, parameters, trainable, memory, fusion
    case depth, width
    case multiplyAdds = "multiply_adds"
    case outputBytes = "output_bytes"
  }

  /// Looks at a compiled network.
  public init(_ compilation: Compilation) {
    let graph = compilation.graph
    let programs = compilation.stages.programs
    let module = compilation.stages.module
    model = graph.name
    batch = graph.batch
    target = module.target.name
    inputs = graph.inputs.map { Port(name: graph[$0].name, shape: graph[$0].type.image) }
    outputs = graph.outputs.map { Port(name: $0.name, shape: graph[$0.tensor].type.image) }
    layers = Layer.all(in: graph, groups: programs.map { Self.groups(of: $0.fused) })
    parameters = graph.parameterCount
    trainable = graph.trainableCount
    multiplyAdds = layers.reduce(0) { $0 + $1.multiplyAdds }
    depth = layers.map(\.depth).max() ?? 0
    width = layers.map(\.width).max() ?? 0
    outputBytes = layers.reduce(0) { $0 + $1.outputBytes }
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

extension Inspection.Layer {
  /// The layers of a graph.
  ///
  /// - Parameter groups: for inference, and maybe training: the kernel that computes each node.
  static func all(in graph: Graph, groups: [[Node.ID: String]]) -> [Self] {
    let fields = ReceptiveField.all(in: graph)
    var depths = [Int](repeating: 0, count: graph.tensors.count)
    return graph.nodes.map { node in
      let specs = node.parameters.map { graph.parameters[$0].spec }
      depths[node.output.index] =
        (node.inputs.map { depths[$0.index] }.max() ?? 0)
        + (specs.contains(where: \.decays) ? 1 : 0)
      return Self(
        node, in: graph, specs, field: fields[node.output.index], depth: depths[node.output.index],
        groups: groups.map { $0[node.id] })
    }
  }

  private init(
    _ node: Node, in graph: Graph, _ specs: [ParameterSpec], field: ReceptiveField, depth: Int,
    groups: [String?]
  ) {
    let types = graph.inputTypes(of: node)
    let type = graph[node.output].type
    let lost = node.layer.lostPixels(for: types)
    func count(_ isCounted: (ParameterSpec) -> Bool) -> Int {
      specs.filter(isCounted).reduce(0) { $0 + $1.count }
    }
    name = node.name
    settings = node.layer.summary
    family = node.layer.family(for: types)
    inputs = node.inputs.map { graph[$0].name }
    shape = type.image
    axes = shape.axisNames
    sizeFormula = node.layer.sizeFormula(for: types)
    parameters = count { _ in true }
    weights = count { $0.decays }
    statistics = count { $0.isStatistic }
    biases = parameters - weights - statistics
    parameterFormula = specs.map(\.productText).joined(separator: " + ")
    frozen = node.isFrozen
    multiplyAdds = node.layer.multiplyAdds(for: types) / graph.batch
    outputBytes = type.bytes / graph.batch
    self.depth = depth
    receptiveField = field
    lostPixels = [lost.rows, lost.columns]
    group = groups.first ?? nil
    trainingGroup = groups.count > 1 ? groups[1] : nil
  }
}

extension [Int] {
  /// The names of the extents of one image's part of a tensor.
  var axisNames: [String] {
    switch count {
    case 1: ["C"]
    case 2: ["C", "L"]
    case 3: ["C", "H", "W"]
    default: indices.map { "D\($0 + 1)" }
    }
  }
}

extension ParameterSpec {
  /// `5·5·6·16`: extents of the kernel, inputs, outputs.
  fileprivate var productText: String {
    (shape.dropFirst(2) + shape.prefix(2).reversed()).map(String.init).joined(separator: "·")
  }
}

extension TensorType {
  /// Extents of one image's part.
  fileprivate var image: [Int] { Array(shape.dropFirst()) }
}
