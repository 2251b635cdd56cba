import ConvcEmit
import ConvcIR

/// y = relu(x · weight + bias + 0.5): a module made by hand, with templates of its own.
///
/// Training has the mean square of y − wanted as its loss, and a second target with labels that only the
/// checks read.
struct ScaleModule {
  static let channels = 5
  static let batch = 4
  let target: Target
  var name = "scale"
  var graphName = "scale"

  static let library = TemplateLibrary.embedded.adding([
    "test_scale": """
    {{% CONTENT_TYPE:TEXT}}
    {{> head}}
        {{> constants}}
        {{> views}}

        {{#parallel}}
        OMP(omp for schedule(static) nowait)
        {{/parallel}}
        for (int n = 0; n < batch; n++) {
            for (int c = 0; c < C; c++) {
                float v = x[n][c] * weight[c] + bias[c];
                {{> epilogue}}
                y[n][c] = v;
            }
        }
    }
    """,
    "test_shift_scalar": """
    {{% CONTENT_TYPE:TEXT}}
    v += {{amount}};
    """,
    "test_relu": """
    {{% CONTENT_TYPE:TEXT}}
    {{> head}}
        {{> constants}}

        {{#parallel}}
        OMP(omp for schedule(static) nowait)
        {{/parallel}}
        {{#vector}}
        for (int i = 0; i < COUNT; i++) {
            UNROLL for (int j = i; j < i + 1; j++) y[j] = pick(y[j] < 0.0f, (lanes){0}, y[j]);
        }
        {{/vector}}
        {{^vector}}
        for (int i = 0; i < COUNT; i++) y[i] = y[i] < 0 ? 0 : y[i];
        {{/vector}}
    }
    """,
    "test_copy": """
    {{% CONTENT_TYPE:TEXT}}
    {{> head}}
        {{> constants}}

        {{#parallel}}
        OMP(omp for schedule(static) nowait)
        {{/parallel}}
        for (int i = 0; i < {{count}}; i++) y[i] = x[i];
    }
    """,
    "test_loss": """
    {{% CONTENT_TYPE:TEXT}}
    {{> head}}
        {{> constants}}

        float sum = 0;
        for (int i = 0; i < batch * C; i++) {
            const float d = square_root_of_one() * (y[i] - wanted[i]);
            sum += d * d;
            d_y[i] = y[i] > 0 ? 2 * d / (float)(batch * C) : 0;
        }
        losses[0] = sum / (float)(batch * C);
    }
    """,
    "test_helper": """
    {{% CONTENT_TYPE:TEXT}}
    // 1.
    static float square_root_of_one(void) {
        return sqrtf(1.0f);
    }
    """,
    "test_scale_backward": """
    {{% CONTENT_TYPE:TEXT}}
    {{> head}}
        {{> constants}}
        {{> views}}

        {{#parallel}}
        OMP(omp for schedule(static) nowait)
        {{/parallel}}
        for (int c = 0; c < C; c++) {
            float w = accumulate ? d_weight[c] : 0, b = accumulate ? d_bias[c] : 0;
            for (int n = 0; n < batch; n++) {
                w += d_y[n][c] * x[n][c];
                b += d_y[n][c];
            }
            d_weight[c] = w;
            d_bias[c] = b;
        }
    }
    """,
  ])

  // MARK: Graph

  struct Scale: Layer {
    static let kind = "scale"
    var summary: String { "per channel */ \\" }
    func output(for inputs: [TensorType]) -> TensorType { inputs[0] }
    func role(in mode: Mode, frozen: Bool) -> FusionRole { .view }
  }

  struct Square: Loss {
    static let kind = "square"
    func targets(for prediction: TensorType) -> [LossTarget] { [LossTarget(type: prediction)] }
    func sum(over batch: JudgedBatch) -> Double { 0 }
    func calls(for context: LossContext) -> [KernelCall] { [] }
  }

  var graph: Graph {
    let type = TensorType(shape: [Self.batch, Self.channels])
    func parameter(_ name: String, _ index: Int, decays: Bool) -> Parameter {
      let spec = ParameterSpec(
        name, shape: [Self.channels], initializer: .constant(1), decays: decays)
      return Parameter(
        name: "scale1.\(name)", spec: spec, kind: .trainable, offset: index * Self.channels)
    }
    return Graph(
      name: graphName, batch: Self.batch,
      tensors: [
        Tensor(id: Tensor.ID(0), name: "x", type: type, producer: nil),
        Tensor(id: Tensor.ID(1), name: "scale1", type: type, producer: Node.ID(0)),
      ],
      inputs: [Tensor.ID(0)],
      nodes: [
        Node(
          id: Node.ID(0), name: "scale1", layer: Scale(), inputs: [Tensor.ID(0)],
          output: Tensor.ID(1), parameters: [0, 1], isFrozen: false, location: nil)
      ],
      outputs: [(name: "y", tensor: Tensor.ID(1))],
      losses: [
        LossNode(
          name: "square", loss: Square(), prediction: Tensor.ID(1), output: 0, target: 0,
          weight: 1)
      ],
      targets: [
        TargetTensor(name: "wanted", type: type),
        TargetTensor(
          name: "label", type: TensorType(shape: [Self.batch], element: .int32),
          labels: LabelRange(classes: 3)),
      ],
      parameters: [parameter("weight", 0, decays: true), parameter("bias", 1, decays: false)],
      preprocessing: InputPreprocessing(scale: 1 / 255, mean: [0.5], deviation: [0.25]),
      classNames: ["cat", "\"dog\"??/\n", "café"])
  }

  // MARK: Kernels

  private static let noWork = Work(flops: 1, bytes: 1, efficiency: 1)
  private static let channelRow = ConstantRow([Constant("C", channels)], comment: "channels")
  private static let maps = "[batch, \(channels)]"
  private static let arenaBytes = 128

  private func argument(
    _ name: String, _ access: Access, _ buffer: Int, dimensions: [String] = [],
    element: String = "float", text: String = maps
  ) -> Argument {
    Argument(
      name, element: element, access: access, buffer: Buffer.ID(buffer), dimensions: dimensions,
      text: text)
  }

  private func scale(x: Int, weight: Int, bias: Int, y: Int) -> KernelCall {
    KernelCall(
      template: "test_scale", name: "scale1_forward", title: "scale1 + shift1, forward.",
      notes: ["A note."], layers: ["scale1", "shift1"], constants: [Self.channelRow],
      fragments: [
        "epilogue": [
          Fragment(
            template: "test_shift_scalar", values: ["amount": "0.25f"], layer: "shift1"),
          Fragment(
            template: "test_shift_scalar", values: ["amount": "0.25f"], layer: "shift1"),
        ]
      ],
      scalars: [.batch],
      arguments: [
        argument("x", .read, x, dimensions: ["C"]),
        argument("weight", .read, weight, text: "[\(Self.channels)]"),
        argument("bias", .read, bias, text: "[\(Self.channels)] added"),
        argument("y", .write, y, dimensions: ["C"]),
      ], work: Self.noWork)
  }

  private func relu(y: Int) -> KernelCall {
    KernelCall(
      template: "test_relu", name: "relu1_forward", title: "relu1, forward.", layers: ["relu1"],
      constants: [ConstantRow([Constant("COUNT", Self.arenaBytes / 4 / target.lanes)])],
      flags: ["vector": target.hasVectors], scalars: [],
      arguments: [
        argument("y", .update, y, element: target.hasVectors ? "lanes" : "float")
      ], work: Self.noWork)
  }

  private func copy(_ name: String, x: Int, y: Int, count: String) -> KernelCall {
    KernelCall(
      template: "test_copy", name: "\(name)_copy", title: "\(name), copied.", layers: [name],
      constants: [Self.channelRow], texts: ["count": count],
      scalars: count.hasPrefix("batch") ? [.batch] : [],
      arguments: [argument("x", .read, x), argument("y", .write, y)], work: Self.noWork)
  }

  private var loss: KernelCall {
    KernelCall(
      template: "test_loss", name: "square_loss", title: "square, loss and gradient.",
      layers: ["square"], constants: [Self.channelRow], support: ["test_helper"],
      scalars: [.batch],
      arguments: [
        argument("y", .read, 4), argument("wanted", .read, 5), argument("losses", .write, 6),
        argument("d_y", .write, 7),
      ], isParallel: false, work: Self.noWork)
  }

  private var backward: KernelCall {
    KernelCall(
      template: "test_scale_backward", name: "scale1_backward",
      title: "scale1, backward by weight and bias.", layers: ["scale1"],
      constants: [Self.channelRow], scalars: [.batch, .accumulate],
      arguments: [
        argument("x", .read, 0, dimensions: ["C"]), argument("d_y", .read, 7, dimensions: ["C"]),
        argument("d_weight", .update, 8), argument("d_bias", .update, 9),
      ], work: Self.noWork)
  }

  // MARK: Module

  private func program(
    _ mode: Mode, buffers: [(String, Buffer.Kind)], calls: [KernelCall], packed: [PackedEntry],
    slots: [(buffer: Int, offset: Int, first: Int, last: Int)], steps: [ScheduleStep]
  ) -> CProgram {
    let buffers = buffers.enumerated().map {
      Buffer(id: Buffer.ID($0), name: $1.0, kind: $1.1)
    }
    let kernels = KernelGraph(
      graph: graph, mode: mode, target: target, selections: [], buffers: buffers, calls: calls,
      packed: packed)
    let plan = MemoryPlan(
      kernels: kernels,
      slots: slots.map {
        ArenaSlot(
          buffer: Buffer.ID($0.buffer), offset: $0.offset, bytes: Self.arenaBytes,
          first: $0.first, last: $0.last)
      }, bytes: Self.arenaBytes * slots.count, lowerBound: Self.arenaBytes)
    return CProgram(schedule: Schedule(plan: plan, steps: steps), functions: calls.map(\.name))
  }

  /// How forward copies its result.
  enum Copies {
    /// Once, or more often by one function.
    case shared(Int)
    /// By one function on one thread.
    case single(Int)
    /// Each time by a function of its own.
    case distinct(Int)
  }

  private func outputs(_ copies: Copies) -> (calls: [KernelCall], steps: [ScheduleStep]) {
    let output = copy("y", x: 3, y: 4, count: "batch * C")
    switch copies {
    case .shared(let count):
      return (
        Array(repeating: output, count: count), (0..<count).map { .shared(call: 2 + $0) }
      )
    case .single(let count):
      return (
        Array(
          repeating: copy("y_alone", x: 3, y: 4, count: "batch * C").serial(), count: count),
        [.single(calls: (0..<count).map { 2 + $0 })]
      )
    case .distinct(let count):
      return (
        (0..<count).map { copy("y\($0)", x: 3, y: 4, count: "batch * C") },
        (0..<count).map { .shared(call: 2 + $0) }
      )
    }
  }

  func module(training: Bool = true, copies: Copies = .shared(1)) -> CModule {
    let packed = ["weight", "bias"].enumerated().map { index, name in
      PackedEntry(
        key: "scale1.\(name)", bytes: 64,
        prepare: copy("scale1_\(name)", x: 5 + index, y: 1 + index, count: "C"))
    }
    let outputs = outputs(copies)
    let forward = [scale(x: 0, weight: 1, bias: 2, y: 3), relu(y: 3)]
    let inference = program(
      .inference,
      buffers: [
        ("x", .input(0)), ("weight", .packed("scale1.weight")), ("bias", .packed("scale1.bias")),
        ("scale1", .arena(bytes: Self.arenaBytes)), ("y", .output(0)), ("weight", .parameter(0)),
        ("bias", .parameter(1)),
      ],
      calls: forward + outputs.calls, packed: packed,
      slots: [(3, 0, 0, 2)],
      steps: [
        .shared(call: 0), .barrier(reason: "relu1 reads scale1"), .shared(call: 1),
        .barrier(reason: "y reads relu1"),
      ] + outputs.steps)
    let step = program(
      .training,
      buffers: [
        ("x", .input(0)), ("weight", .parameter(0)), ("bias", .parameter(1)), ("y", .output(0)),
        ("scale1", .arena(bytes: Self.arenaBytes)), ("wanted", .target(0)), ("losses", .losses),
        ("d_scale1", .arena(bytes: Self.arenaBytes)), ("d_weight", .gradient(0)),
        ("d_bias", .gradient(1)),
      ],
      calls: [
        scale(x: 0, weight: 1, bias: 2, y: 4), relu(y: 4),
        copy("y", x: 4, y: 3, count: "batch * C"), loss, backward,
      ], packed: [], slots: [(4, 0, 0, 3), (7, Self.arenaBytes, 3, 4)],
      steps: [
        .shared(call: 0), .barrier(reason: "relu1 reads scale1"), .shared(call: 1),
        .barrier(reason: "y reads relu1"), .shared(call: 2), .single(calls: [3]),
        .barrier(reason: "scale1_backward reads d_scale1"), .shared(call: 4),
      ])
    let calls =
      inference.schedule.plan.kernels.calls
      + (training ? step.schedule.plan.kernels.calls : []) + packed.map(\.prepare)
    var known: Set<String> = []
    let functions = calls.filter { known.insert($0.name).inserted }
    return CModule(
      name: name, graph: graph, target: target,
      functions: functions.map { CFunction(name: $0.name, call: $0) },
      packed: packed.enumerated().map {
        PackedSlot(entry: $1, offset: 64 * $0, function: $1.prepare.name)
      }, packedBytes: 128, inference: inference, training: training ? step : nil,
      modelHash: "0123abcd")
  }
}
