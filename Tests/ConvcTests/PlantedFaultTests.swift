import Convc
import ConvcEmit
import ConvcPasses
import ConvcTestSupport
import Testing

/// Mistakes planted into templates and stages: the random networks, or a stage's own check, have to find each.
@Suite("Planted faults")
struct PlantedFaultTests {
  private static let networks = FaultyNetworks()

  @Test("a changed template is found", arguments: PlantedFault.ofSuite)
  func templates(fault: PlantedFault) async throws {
    let finding = try await Self.networks.search(fault)
    #expect(finding.isFound, "\(finding)")
  }

  @Test("the text that a mistake changes stands in its template")
  func texts() throws {
    for fault in PlantedFault.all {
      let template = try #require(TemplateLibrary.embedded[fault.template], "\(fault.template)")
      #expect(template.contains(fault.text), "\(fault.template): \(fault.text)")
    }
  }

  @Test("every layer and loss of the registry has a mistake, unless it has no kernel")
  func registry() {
    let planted = Set(PlantedFault.all.compactMap(\.planted))
    for type in LayerRegistry.layers where !planted.contains("\(type)") {
      let isView = type.examples.allSatisfy {
        if case .view = $0.layer.role(in: .training, frozen: false) { true } else { false }
      }
      #expect(isView, "\(type) has no line in PlantedFault.ofLayers")
    }
    for type in LayerRegistry.losses {
      #expect(planted.contains("\(type)"), "\(type) has no line in PlantedFault.ofLosses")
    }
  }

  @Test("every template of a kernel has a mistake")
  func everyTemplate() {
    // A line of a loop nest is one hole: there is nothing to mistake in it.
    let changed = Set(PlantedFault.ofEverything.map(\.template) + ["loop_nest_line"])
    let kernels = TemplateLibrary.embedded.names.filter { !$0.hasPrefix("file_") }
    #expect(kernels.filter { !changed.contains($0) } == [])
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
