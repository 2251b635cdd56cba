import ConvcIR

/// The descriptor that `NAME_model` returns.
struct ModelTables {
  /// Names of the tables in C.
  static let names: Set<String> = [
    "model_inputs", "model_outputs", "model_targets", "model_losses", "model_parameters",
    "model_classes", "model_preprocessing",
  ]

  private let module: CModule
  private let renderer: TemplateRenderer
  private let embedding: EmbeddedWeights?
  private var graph: Graph { module.graph }
  private var targets: [TargetTensor] { module.training == nil ? [] : graph.targets }
  private var losses: [LossNode] { module.training == nil ? [] : graph.losses }
  private var lossEntries: Int { module.training == nil ? 0 : graph.lossEntries }

  init(_ module: CModule, renderer: TemplateRenderer, embedding: EmbeddedWeights?) {
    self.module = module
    self.renderer = renderer
    self.embedding = embedding
  }

  func lines() throws(TemplateError) -> [String] {
    try renderer.render(
      "file_model",
      TemplateBindings(
        texts: [
          "name": CText.prefix(module.name),
          "accessor": embedding == .parameters ? "unpacked" : "packed",
          "weights_type": embedding == .parameters ? "float" : "char",
          "pointer_type": embedding == .parameters ? "float" : "void",
        ],
        flags: ["embedded": embedding != nil],
        parts: ["tables": tables, "fields": fields + embeddedFields]))
  }

  private var embeddedFields: [String] {
    let weights = WeightsAssembly.symbol(CText.prefix(module.name))
    switch embedding {
    case nil: return []
    case .packed: return [".embedded_packed = \(weights),"]
    case .parameters: return [".embedded_parameters = \(weights),"]
    }
  }

  private var fields: [String] {
    let prefix = CText.prefix(module.name)
    let isTraining = module.training != nil
    let trainable = isTraining ? graph.trainableCount : 0
    func entry(_ name: String) -> String { isTraining ? "\(prefix)_\(name)" : "NULL" }
    func table(_ name: String, _ count: Int) -> String {
      ".\(name) = \(count > 0 ? "model_\(name)" : "NULL"), .\(name)_count = \(count),"
    }
    return [
      ".abi_version = CONVC_ABI_VERSION, .struct_size = sizeof(convc_model),",
      ".name = \(CText.string(graph.name)),",
      ".target = \(CText.string(module.target.name)),",
      ".model_hash = \(CText.string(module.modelHash)),",
      ".max_batch = \(graph.batch), .fixed_batch = \(graph.isUnbatched ? 1 : 0),",
      table("inputs", graph.inputs.count), table("outputs", graph.outputs.count),
      table("targets", targets.count), table("losses", lossEntries),
      table("parameters", graph.parameters.count), table("classes", graph.classNames.count),
      ".parameters_floats = \(graph.parameterCount), .gradients_floats = \(trainable),"
        + " .optimizer_floats = \(trainable),",
      ".packed_bytes = \(module.packedBytes),",
      ".inference_workspace_bytes = \(module.inference.schedule.plan.bytes),",
      ".training_workspace_bytes = \(module.training?.schedule.plan.bytes ?? 0),",
      ".prepare = \(prefix)_prepare,", ".forward = \(prefix)_forward,",
      ".gradients = \(entry("gradients")),", ".update = \(entry("update")),",
      ".train_step = \(entry("train_step")),",
    ]
  }

  private var tables: [String] {
    let inputs = graph.inputs.indices.map { index in
      tensor(
        graph.inputLabels[index], graph.inputTypes[index],
        preprocessing: index == 0 && graph.preprocessing != nil ? "&model_preprocessing" : "NULL")
    }
    let outputs = zip(graph.outputLabels, graph.outputTypes).map { tensor($0, $1) }
    let targets = targets.map { tensor($0.name, $0.type) }
    var losses = losses.map { loss in
      "{\(CText.string(loss.name)), \(CText.float(loss.weight)), \(loss.output), \(loss.target)},"
    }
    // The penalty on weights judges no output.
    if losses.count < lossEntries {
      losses.append("{\(CText.string(Regularization.name)), \(CText.float(1)), -1, -1},")
    }
    return preprocessing
      + table("convc_tensor model_inputs", inputs)
      + table("convc_tensor model_outputs", outputs)
      + table("convc_tensor model_targets", targets)
      + table("convc_loss model_losses", losses)
      + table("convc_parameter model_parameters", graph.parameters.map(parameter))
      + table("char *const model_classes", graph.classNames.map { "\(CText.string($0))," })
  }

  private func table(_ declaration: String, _ rows: [String]) -> [String] {
    guard let first = rows.first else { return [] }
    let short = "static const \(declaration)[] = {\(first)"
    if rows.count == 1, short.count + 1 < CText.columns { return ["\(short.dropLast())};"] }
    return ["", "static const \(declaration)[] = {"] + rows.map { "    \($0)" } + ["};", ""]
  }

  private var preprocessing: [String] {
    guard let preprocessing = graph.preprocessing else { return [] }
    func values(_ values: [Float]) -> String {
      "(const float[]){\(values.map(CText.float).joined(separator: ", "))}"
    }
    return CText.list(
      "static const convc_preprocessing model_preprocessing = {",
      [
        CText.float(preprocessing.scale), "\(preprocessing.mean.count)",
        values(preprocessing.mean), values(preprocessing.deviation),
      ], "};") + [""]
  }

  private func tensor(
    _ name: String, _ type: TensorType, preprocessing: String = "NULL"
  ) -> String {
    let element: String
    switch type.element {
    case .float32: element = "CONVC_FLOAT32"
    case .int32: element = "CONVC_INT32"
    case .int64: element = "CONVC_INT64"
    case .bool: element = "CONVC_BOOL"
    case .uint8, .uint16:
      preconditionFailure("internal error: \(name) has elements that the interface lacks")
    }
    return "{\(CText.string(name)), \(element), \(shape(type.shape)), \(preprocessing)},"
  }

  private func parameter(_ parameter: Parameter) -> String {
    let kind =
      switch parameter.kind {
      case .trainable: "CONVC_TRAINABLE"
      case .frozen: "CONVC_FROZEN"
      case .statistic: "CONVC_STATISTIC"
      }
    let hasGradient = module.training != nil && parameter.kind == .trainable
    return "{\(CText.string(parameter.name)), \(kind), \(shape(parameter.spec.shape)),"
      + " \(parameter.offset), \(hasGradient ? parameter.offset : -1)},"
  }

  /// Rank and extents.
  private func shape(_ shape: [Int]) -> String {
    if shape.isEmpty { return "0, NULL" }
    let extents = shape.map(String.init).joined(separator: ", ")
    return "\(shape.count), (const int64_t[]){\(extents)}"
  }
}
