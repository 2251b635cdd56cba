import ConvcIR

/// Every stage of one compilation, for those who want to look at them.
public struct Stages: Sendable {
  public let model: Model
  public let graph: Graph
  /// Inference first, then training where it is built.
  public let programs: [ProgramStages]
  public let module: CModule
}

/// The stages of one program: inference, or training.
public struct ProgramStages: Sendable {
  public let fused: FusedGraph
  public let training: TrainingGraph
  public let kernels: KernelGraph
  public let memory: MemoryPlan
  public let schedule: Schedule
}

/// The order of the passes: the compiler's table of contents.
///
/// 1. ``InferShapes``: everything later needs shapes.
/// 2. ``Fuse``: before differentiation, so that only forward readers count.
/// 3. ``Differentiate``: groups give their fused backward kernels.
/// 4. ``SelectKernels``: layouts serve forward and backward alike.
/// 5. ``PlanMemory``: lifetimes are intervals in the final order of the calls.
/// 6. ``PlanParallelism``: memory that is used again is a dependence.
/// 7. ``SliceBatch``: inference is lowered again for fewer images where what layers hand on would leave the cache.
/// 8. ``LowerToC``: serial kernels are functions of their own.
public struct Pipeline: Sendable {
  public let options: CompileOptions
  /// Whether a training program is built beside the one for inference.
  public let trains: Bool
  public let library: any KernelLibrary
  /// Prefix of all symbols.
  public let prefix: String

  public init(
    options: CompileOptions, trains: Bool, library: any KernelLibrary, prefix: String
  ) {
    self.options = options
    self.trains = trains
    self.library = library
    self.prefix = prefix
  }

  /// Takes a network to a C module.
  ///
  /// - Throws: every mistake that was found, with layer and source line.
  public func run(_ model: Model) throws(CompileError) -> Stages {
    let graph = try InferShapes(batch: options.batch, memoryLimit: options.memoryLimit).run(model)
    Self.check(graph.verify(), after: InferShapes.name)
    if trains, graph.losses.isEmpty {
      throw CompileError(layer: model.name, "has no loss to train with; add one")
    }
    if trains, graph.trainableCount == 0 {
      throw CompileError(layer: model.name, "has no trainable parameter; freeze fewer layers")
    }
    if trains { try Self.checkGradients(of: graph) }
    let modes: [Mode] = trains ? [.inference, .training] : [.inference]
    let differentiated = modes.map { differentiate(graph, $0) }
    let saving = differentiated.flatMap { training in
      training.backward.flatMap { training.fused.groups[$0.group].nodes }
    }
    var programs: [ProgramStages] = []
    for training in differentiated {
      programs.append(try lower(training, saving: Set(saving)))
    }
    if let images = SliceBatch(near: options.nearBytes).slice(of: programs[0].memory) {
      let slice = try InferShapes(batch: images, memoryLimit: options.memoryLimit).run(model)
      programs[0] = try lower(differentiate(slice, .inference), saving: Set(saving))
    }
    let module = LowerToC(prefix: prefix, modelHash: modelHash(of: graph), graph: graph).run(
      (programs[0].schedule, programs.count > 1 ? programs[1].schedule : nil))
    return Stages(model: model, graph: graph, programs: programs, module: module)
  }

  /// - Throws: the first layer without a gradient between something that is trained and a loss.
  private static func checkGradients(of graph: Graph) throws(CompileError) {
    let judged = graph.nodes.sources(of: graph.losses.map(\.prediction))
    var trained: Set<Tensor.ID> = []
    for node in graph.nodes {
      let readsTrained = node.inputs.contains(where: trained.contains)
      if readsTrained, judged.contains(node.output),
        !node.layer.hasGradient(for: graph.inputTypes(of: node))
      {
        throw CompileError(
          layer: node.name,
          "\(node.layer.summary) has no gradient, and layers before it are to be trained; freeze those (--freeze until:\(node.name))"
        )
      }
      if readsTrained
        || node.parameters.contains(where: { graph.parameters[$0].kind == .trainable })
      {
        trained.insert(node.output)
      }
    }
  }

  private func differentiate(_ graph: Graph, _ mode: Mode) -> TrainingGraph {
    let fused = Fuse(mode: mode, fuses: options.fuses).run(graph)
    Self.check(fused.verify(), after: Fuse.name)
    return Differentiate().run(fused)
  }

  private func lower(
    _ training: TrainingGraph, saving: Set<Node.ID>
  ) throws(CompileError) -> ProgramStages {
    let kernels = SelectKernels(
      target: options.target, library: library, families: options.families, saving: saving,
      smallestSaving: options.smallestSaving
    ).run(training)
    Self.check(kernels.verify(), after: SelectKernels.name)
    try Self.checkConstants(of: kernels)
    let memory = try PlanMemory(limit: options.memoryLimit).run(kernels)
    Self.check(memory.verify(), after: PlanMemory.name)
    let schedule = PlanParallelism().run(memory)
    Self.check(schedule.verify(), after: PlanParallelism.name)
    return ProgramStages(
      fused: training.fused, training: training, kernels: kernels, memory: memory,
      schedule: schedule)
  }

  /// - Throws: the first kernel with a constant that an `int` of C, which counts in all kernels, does not hold.
  private static func checkConstants(of kernels: KernelGraph) throws(CompileError) {
    for call in kernels.calls {
      for constant in call.constants.flatMap(\.constants)
      where Int32(exactly: constant.value) == nil {
        throw CompileError(
          layer: call.layers.first ?? call.name,
          "counts to \(constant.value) (\(constant.name)), but loops in C end at \(Int32.max); "
            + "use a smaller image or window")
      }
    }
  }

  private static func check(_ problems: [String], after pass: String) {
    precondition(
      problems.isEmpty, "internal error: after \(pass): \(problems.joined(separator: "; "))")
  }
}

/// Identifies a network: layers, settings, edges and shapes of one image, not batch or target.
///
/// FNV-1a with 128 bits (Fowler, Noll and Vo, IETF draft-eastlake-fnv), in hexadecimal.
public func modelHash(of graph: Graph) -> String {
  func extents(_ tensor: Tensor.ID) -> ArraySlice<Int> {
    graph[tensor].type.shape.dropFirst(graph.isUnbatched ? 0 : 1)
  }
  var lines = graph.inputs.map { "\(graph[$0].name) \(extents($0))" }
  for node in graph.nodes {
    let reads = node.inputs.map { graph[$0].name }.joined(separator: ",")
    lines.append("\(node.name) \(node.layer.summary) \(reads) \(extents(node.output))")
  }
  lines += graph.outputs.map { "\($0.name) \(graph[$0.tensor].name)" }
  let prime: UInt128 = (1 << 88) + 0x13b
  let start: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
  let hash = lines.joined(separator: "\n").utf8.reduce(start) { ($0 ^ UInt128($1)) &* prime }
  let digits = String(hash, radix: 16)
  return String(repeating: "0", count: 32 - digits.count) + digits
}
