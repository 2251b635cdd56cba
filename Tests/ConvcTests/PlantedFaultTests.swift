import Convc
import ConvcEmit
import ConvcPasses
import ConvcTestSupport
import Testing

/// Mistakes planted into templates and stages: the random networks, or a stage's own check, have to find each.
@Suite("Planted faults", .serialized)
struct PlantedFaultTests {
  /// A change in a template's text.
  struct Fault: Sendable, CustomTestStringConvertible {
    let template: String
    let text: String
    let replacement: String
    var families: Set<String>?
    var testDescription: String { "\(template): \(replacement)" }
  }

  static let faults: [Fault] = {
    let generic = [
      Fault(template: "relu_backward_scalar", text: "> 0.0f ?", replacement: ">= 0.0f ?"),
      Fault(
        template: "conv2d_generic_forward", text: "s * DILATION_W - PAD_LEFT",
        replacement: "s * DILATION_W - PAD_TOP"),
      Fault(
        template: "conv2d_generic_backward_weight", text: "m / K_GROUP * C_GROUP",
        replacement: "m / K_GROUP"),
      Fault(template: "softmax_cross_entropy", text: "share - 1.0f", replacement: "share - 0.9f"),
      Fault(template: "huber_loss", text: "0.5f * slope", replacement: "0.4f * slope"),
      Fault(
        template: "cross_entropy_loss_slopes", text: "probability - share",
        replacement: "probability + share"),
      Fault(template: "loss_values", text: "total += ", replacement: "total -= "),
      Fault(
        template: "batchnorm_batch_backward_scalar", text: "+ {{offset}}",
        replacement: "- {{offset}}"),
      Fault(
        template: "batchnorm_statistics", text: "+ cells * distance * distance", replacement: ""),
      Fault(
        template: "convtranspose2d_generic_backward_weight", text: "PAD_TOP",
        replacement: "PAD_LEFT"),
      Fault(template: "support_penalize", text: "2.0f * l2", replacement: "l2"),
      Fault(template: "regularization", text: "ranges[range].part +", replacement: ""),
    ]
    guard Target.native.hasVectors else { return generic }
    return generic + [
      Fault(
        template: "conv2d_lanes_backward_data", text: "MIN(R - 1, h + PAD_TOP)",
        replacement: "MIN(R - 2, h + PAD_TOP)", families: ["lanes"]),
      Fault(
        template: "loss_values_lanes", text: "< batch ? step : 0.0f",
        replacement: ">= 0 ? step : 0.0f",
        families: ["lanes"]),
      Fault(
        template: "support_images", text: "lane < images", replacement: "lane <= images",
        families: ["lanes"]),
      Fault(
        template: "batchnorm_centred_vector", text: "- {{mean}}", replacement: "+ {{mean}}",
        families: ["blocked"]),
      Fault(template: "clear_halo", text: "= 0.0f", replacement: "= 0.5f", families: ["lanes"]),
    ]
  }()

  @Test("a changed template is found", arguments: faults)
  func templates(fault: Fault) async throws {
    let original = try #require(TemplateLibrary.embedded[fault.template])
    let changed = original.replacing(fault.text, with: fault.replacement)
    try #require(changed != original)
    let templates = TemplateLibrary.embedded.adding([fault.template: changed])
    #expect(
      try await problems { compilation in
        let module = compilation.stages.module
        let files = EmitC(EmitOptions(templates: templates)).run(module)
        return files == compilation.files() ? nil : files
      } options: { network, name in
        BuildOptions(
          batch: network.graph.batch, target: fault.families == nil ? .generic : .native,
          name: name, families: fault.families)
      })
  }

  @Test("a gradient that is stored where it should be added is found")
  func fanOut() async throws {
    #expect(
      try await problems { compilation in
        let stages = try #require(compilation.stages.programs.last)
        var changes = 0
        let calls = stages.kernels.calls.map { call in
          guard call.flags["adds"] == true else { return call }
          changes += 1
          return call.with(flag: "adds", false)
        }
        return changes == 0 ? nil : try emit(compilation, stages.kernels.with(calls: calls))
      } options: { network, name in
        BuildOptions(batch: network.graph.batch, target: .generic, name: name)
      })
  }

  @Test("two buffers in one place are found by the plan's own check")
  func overlap() throws {
    let stages = try #require(try LeNet5.model().compile().stages.programs.last)
    let plan = stages.memory
    let slots = plan.slots.enumerated().map { index, slot in
      ArenaSlot(
        buffer: slot.buffer, offset: index == 1 ? plan.slots[0].offset : slot.offset,
        bytes: slot.bytes, first: slot.first, last: slot.last)
    }
    let faulty = MemoryPlan(
      kernels: plan.kernels, slots: slots, bytes: plan.bytes, lowerBound: plan.lowerBound)
    #expect(!faulty.verify().isEmpty && plan.verify().isEmpty)
  }

  /// Whether a fault shows in one of the first networks whose C it changes.
  private func problems(
    changed: (Compilation) throws -> EmittedFiles?,
    options: (RandomNetwork, String) -> BuildOptions
  ) async throws -> Bool {
    let toolchain = try await Toolchain.find()
    var tried = 0
    for seed in UInt64(0)..<60 where tried < 5 {
      let network = try RandomNetwork(seed: seed)
      guard network.graph.trainableCount > 0 else { continue }
      let name = "faulty\(seed)"
      let compilation = try network.model.compile(options(network, name))
      guard let files = try changed(compilation) else { continue }
      tried += 1
      let library = try await toolchain.load(
        sources: files.all.map { CSource(name: $0.name, text: $0.text) },
        options: LibraryOptions(architecture: .native, openMP: true, extraFlags: ["-O1"]))
      let program = try Program(library: library, prefix: name)
      if try !differences(of: program, from: network).isEmpty { return true }
    }
    return false
  }

  /// C with another training program.
  private func emit(_ compilation: Compilation, _ kernels: KernelGraph) throws -> EmittedFiles {
    let memory = try PlanMemory(limit: 1 << 30).run(kernels)
    let schedule = PlanParallelism().run(memory)
    let lowering = LowerToC(
      prefix: compilation.prefix, modelHash: "faulty", graph: compilation.graph)
    let module = lowering.run((compilation.stages.programs[0].schedule, schedule))
    return EmitC(EmitOptions()).run(module)
  }
}

extension KernelCall {
  fileprivate func with(flag: String, _ value: Bool) -> KernelCall {
    var flags = flags
    flags[flag] = value
    return KernelCall(
      template: template, name: name, title: title, notes: notes, layers: layers,
      constants: constants, flags: flags, texts: texts, fragments: fragments, support: support,
      scalars: scalars, arguments: arguments, isParallel: isParallel, work: work)
  }
}

extension KernelGraph {
  fileprivate func with(calls: [KernelCall]) -> KernelGraph {
    KernelGraph(
      graph: graph, mode: mode, target: target, selections: selections, buffers: buffers,
      calls: calls, packed: packed)
  }
}
