import Convc
import Testing

/// Two inputs, two outputs, two losses, a frozen layer.
let twoOfEach = Model("two") { graph in
  let image = graph.input("image", [3, 8, 8])
  let extra = graph.input("extra", [5])
  let stem = image.conv2d(4, kernelSize: 3, padding: 1, name: "stem", frozen: true).relu()
  let maps = stem.conv2d(6, kernelSize: 3).relu().maxPool(2)
  let features = maps.flatten().concat(extra)
  graph.output("class", features.dense(3, name: "classes"))
  graph.output("value", features.dense(2, name: "values"))
  graph.loss(SoftmaxCrossEntropy(), on: "class", target: "label", weight: 0.7)
  graph.loss(MeanSquaredError(), on: "value", target: "expected", weight: 1.5)
}

@Suite("Differentiate")
struct DifferentiateTests {
  private func differentiate(_ model: Model) throws -> TrainingGraph {
    let graph = try InferShapes(batch: 2, memoryLimit: 1 << 30).run(model)
    return Differentiate().run(Fuse(mode: .training).run(graph))
  }

  @Test("frozen parts emit nothing, fan-out adds up, saved tensors are listed")
  func listing() throws {
    #expect(
      try differentiate(twoOfEach).description == """
        training graph two
        values             gradients of parameters, concat1  saved: concat1
        classes            gradients of parameters, concat1  saved: concat1
        concat1            gradients of flatten1
        conv1_relu2_pool1  gradients of parameters           saved: relu1, pool1 (for relu2), winners of pool1
        d_concat1 = values + classes
        """)
  }

  @Test("a network for inference has no backward pass")
  func inference() throws {
    let graph = try InferShapes(batch: 2, memoryLimit: 1 << 30).run(LeNet5.model())
    let training = Differentiate().run(Fuse(mode: .inference).run(graph))
    #expect(training.backward.isEmpty && training.contributions.isEmpty)
  }
}

@Suite("SelectKernels, PlanMemory and PlanParallelism")
struct PlanTests {
  private func stages(_ model: Model, _ options: BuildOptions) throws -> ProgramStages {
    try #require(try model.compile(options).stages.programs.last)
  }

  @Test("LeNet at batch 64 keeps images in lanes from end to end")
  func lanes() throws {
    let kernels = try stages(LeNet5.model(), BuildOptions(batch: 64, target: .x86v4)).kernels
    #expect(kernels.selections.allSatisfy { $0.family == "lanes" })
    #expect(kernels.calls.filter { $0.template == "reorder" }.map(\.name).count == 2)
  }

  @Test("the generic target takes generic kernels and no reorder but the copy of the output")
  func generic() throws {
    let kernels = try stages(LeNet5.model(), BuildOptions(batch: 64, target: .generic)).kernels
    #expect(kernels.selections.allSatisfy { $0.family == "generic" })
    #expect(kernels.calls.filter { $0.template == "reorder" }.map(\.name) == ["dense3_to_output"])
  }

  @Test(
    "the arena is no larger than what is alive at once, or a small one of a training step",
    arguments: Preset.all.map(\.name))
  func arena(preset: String) throws {
    let preset = try #require(Preset.named(preset))
    for program in try preset.make().compile(BuildOptions(batch: 8)).stages.programs {
      let memory = program.memory
      #expect(memory.verify().isEmpty)
      let isRoomy =
        program.kernels.mode == .training && memory.bytes <= PlanMemory.roomy
        && memory.bytes == bytesWithoutSharing(memory)
      #expect(isRoomy || Double(memory.bytes) <= 1.1 * Double(memory.lowerBound))
    }
  }

  @Test("buffers of a small training step with vectors share no memory; those of plain loops do")
  func ownMemory() throws {
    func training(_ target: Target) throws -> MemoryPlan {
      let options = BuildOptions(batch: 64, target: target)
      return try #require(LeNet5.model().compile(options).stages.programs.last).memory
    }
    let roomy = try training(.x86v3)
    #expect(roomy.bytes == bytesWithoutSharing(roomy))
    #expect(roomy.verify().isEmpty)
    let tight = try training(.generic)
    #expect(Double(tight.bytes) <= 1.1 * Double(tight.lowerBound))
  }

  /// Bytes of all buffers one after the other, with the stagger behind large ones.
  private func bytesWithoutSharing(_ memory: MemoryPlan) -> Int {
    memory.slots.reduce(0) {
      $0 + ($1.bytes + 63) / 64 * 64 + ($1.bytes >= PlanMemory.large ? PlanMemory.stagger : 0)
    }
  }

  @Test("with vectors, few large buffers that are alive together start at one place of a page")
  func stagger() throws {
    func shareAtOnePlace(_ target: Target) throws -> Double {
      let options = BuildOptions(batch: 8, target: target)
      let memory = try #require(UNet.model().compile(options).stages.programs.last).memory
      let large = memory.slots.filter { $0.bytes >= PlanMemory.large }
      let pairs = large.indices.flatMap { a in large[(a + 1)...].map { (large[a], $0) } }
        .filter { $0.first <= $1.last && $1.first <= $0.last }
      #expect(pairs.count > 100)
      return Double(pairs.count { ($0.offset - $1.offset) % 4096 == 0 }) / Double(pairs.count)
    }
    #expect(try shareAtOnePlace(.x86v4) < 0.1)
    #expect(try shareAtOnePlace(.generic) > 0.5)
  }

  @Test("an arena over the limit is refused, not attempted")
  func limit() {
    #expect(throws: CompileError.self) {
      try LeNet5.model().compile(BuildOptions(batch: 64, memoryLimit: 1 << 20))
    }
  }

  @Test("removing any barrier from a schedule is found by its check")
  func barriers() throws {
    let schedule = try stages(LeNet5.model(), BuildOptions(batch: 64, target: .x86v4)).schedule
    #expect(schedule.verify().isEmpty)
    var removed = 0
    for index in schedule.steps.indices {
      guard case .barrier = schedule.steps[index] else { continue }
      var steps = schedule.steps
      steps.remove(at: index)
      #expect(!Schedule(plan: schedule.plan, steps: steps).verify().isEmpty)
      removed += 1
    }
    #expect(removed > 8)
  }

  @Test("small kernels run one after the other on one thread, without barriers between them")
  func single() throws {
    let schedule = try stages(LeNet5.model(), BuildOptions(batch: 64, target: .x86v4)).schedule
    let longest = schedule.steps.compactMap { step -> [Int]? in
      if case .single(let calls) = step { calls } else { nil }
    }.max { $0.count < $1.count }
    let names = (longest ?? []).map { schedule.plan.kernels.calls[$0].name }
    #expect(names.first == "dense3_forward" && names.last == "dense3_backward_data")
  }

  @Test("a small kernel that stands alone is shared: what it works on stays with its thread")
  func alone() throws {
    let schedule = try stages(LeNet5.model(), BuildOptions(batch: 64, target: .x86v3)).schedule
    let names = schedule.steps.compactMap { step -> String? in
      if case .shared(let call) = step { schedule.plan.kernels.calls[call].name } else { nil }
    }
    #expect(names.contains("dense1_relu3_backward_sums"))
    #expect(schedule.verify().isEmpty)
  }

  @Test("compiling twice gives the same text, whatever the machine", arguments: Target.all)
  func deterministic(target: Target) throws {
    let options = BuildOptions(batch: 20, target: target)
    let first = try twoOfEach.compile(options).files()
    #expect(try twoOfEach.compile(options).files() == first)
  }
}
