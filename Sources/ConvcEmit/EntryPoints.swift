import ConvcIR

/// The functions of the interface: their parameters, and the names that belong to them.
enum EntryPoints {
  private static let parameters: [String: [String]] = [
    "prepare": ["const float *parameters", "void *packed"],
    "forward": [
      "const void *packed", "const void *const *inputs", "void *const *outputs", "int batch",
      "int threads", "void *workspace",
    ],
    "gradients": [
      "float *parameters", "const void *packed", "const void *const *inputs",
      "const void *const *targets", "int batch", "const convc_options *options",
      "float *gradients", "float *losses", "void *const *outputs", "void *workspace",
    ],
    "update": [
      "float *parameters", "const float *gradients", "float *optimizer",
      "const convc_options *options",
    ],
    "train_step": [
      "float *parameters", "void *packed", "const void *const *inputs",
      "const void *const *targets", "int batch", "const convc_options *options",
      "float *gradients", "float *optimizer", "float *losses", "void *const *outputs",
      "void *workspace",
    ],
  ]

  /// The function's first lines, up to `{` or `;`.
  static func signature(_ entry: String, prefix: String, tail: String) -> [String] {
    let own = (parameters[entry] ?? []).map { parameter in
      parameter.hasPrefix("const convc_options")
        ? "const \(prefix)_options *options" : parameter
    }
    return CText.list("int \(prefix)_\(entry)(", own, ")\(tail)")
  }

  /// Names that no kernel may have.
  static func reserved(_ prefix: String) -> Set<String> {
    let own = ["options", "model", "packed", "unpacked", "weights"] + parameters.keys
    let parts = ["prepare", "forward", "gradients", "update", "train_step"].map { "run_\($0)" }
    return Set(own.map { "\(prefix)_\($0)" } + parts)
      .union(["labels_in_range", "labels_in_range_or", "check_gradients"])
      .union(["pick", "lanes", "masks", "bytes", "OMP", "UNROLL", "LANES"])
      .union(ModelTables.names)
  }
}

/// The entry points of a module.
struct EntryText {
  private let module: CModule
  private let renderer: TemplateRenderer
  private let prefix: String
  private let macro: String
  private let profile: Profile?

  init(_ module: CModule, renderer: TemplateRenderer, profile: Profile?) {
    self.module = module
    self.renderer = renderer
    self.profile = profile
    prefix = CText.prefix(module.name)
    macro = prefix.uppercased()
  }

  func prepare(steps: [String]) throws(TemplateError) -> [String] {
    try renderer.render(
      "file_prepare",
      TemplateBindings(parts: [
        "steps": steps, "signature": signature("prepare"),
        "null_check": nullCheck(parameterBlock("parameters") + packedBlock("packed")),
        "alignment_check": alignmentCheck(packedBlock("packed")),
      ]))
  }

  func forward(steps: [String]) throws(TemplateError) -> [String] {
    let plan = module.inference.schedule.plan
    let workspace = plan.bytes > 0 ? ["workspace"] : []
    let slice = plan.kernels.graph.batch
    let isSliced = slice < module.graph.batch
    return try renderer.render(
      "file_forward",
      TemplateBindings(
        texts: ["name": prefix, "macro": macro, "slice": "\(slice)"], flags: ["sliced": isSliced],
        parts: [
          "slice_pointers": isSliced ? slicePointers : [],
          "steps": steps, "signature": signature("forward"),
          "null_check": nullCheck(
            packedBlock("packed") + array("inputs", module.graph.inputs.count)
              + array("outputs", module.graph.outputs.count) + workspace),
          "alignment_check": alignmentCheck(packedBlock("packed") + workspace),
        ]))
  }

  /// Where the images of a slice begin in each input and output.
  private var slicePointers: [String] {
    let graph = module.graph
    func array(_ declaration: String, _ cast: String, _ name: String, _ types: [TensorType])
      -> [String]
    {
      let places = types.enumerated().map { index, type in
        "(\(cast) *)\(name)[\(index)] + (size_t)first * \(type.bytes / type.shape[0])"
      }
      return CText.list("\(declaration) = {", places, "};")
    }
    return array(
      "const void *const slice_inputs[]", "const char", "inputs",
      graph.inputs.map { graph[$0].type }
    )
      + array(
        "void *const slice_outputs[]", "char", "outputs",
        graph.outputs.map { graph[$0.tensor].type })
  }

  /// `gradients`, `update` and `train_step`.
  func training(steps: [String]) throws(TemplateError) -> [String] {
    try gradients(steps: steps) + [""] + update() + [""] + trainStep()
  }

  private func gradients(steps: [String]) throws(TemplateError) -> [String] {
    let bytes = module.training?.schedule.plan.bytes ?? 0
    let workspace = bytes > 0 ? ["run->arena"] : []
    let checks = labelChecks
    return try renderer.render(
      "file_gradients",
      TemplateBindings(
        texts: ["name": prefix, "macro": macro],
        flags: ["labels": checksLabels(ignoring: false), "ignored": checksLabels(ignoring: true)],
        parts: [
          "steps": steps, "signature": signature("gradients"),
          "null_check": nullCheck(
            parameterBlock("run->parameters") + packedBlock("run->packed")
              + array("run->inputs", module.graph.inputs.count)
              + array("run->targets", module.graph.targets.count) + ["run->options"]
              + gradientBlock("run->gradients") + ["run->losses"] + workspace),
          "alignment_check": alignmentCheck(packedBlock("run->packed") + workspace),
          "label_checks": checks,
        ]))
  }

  private func update() throws(TemplateError) -> [String] {
    try renderer.render(
      "file_update",
      TemplateBindings(parts: [
        "signature": signature("update"), "ranges": ranges,
        "null_check": nullCheck(
          gradientBlock("parameters") + gradientBlock("gradients") + gradientBlock("optimizer")
            + ["options"]),
      ]))
  }

  private func trainStep() throws(TemplateError) -> [String] {
    try renderer.render(
      "file_train_step",
      TemplateBindings(parts: [
        "signature": signature("train_step"),
        "null_check": nullCheck(gradientBlock("optimizer")),
        "clock": profile == nil ? [] : [Profile.start],
        "waited_for_gradients": clock(.barrier(.update, 0)), "updated": clock(.update),
        "waited_for_parameters": clock(.barrier(.update, 1)),
      ]))
  }

  /// The reading of the clock after something, in a profiled build.
  private func clock(_ place: Profile.Place) -> [String] {
    profile.map { [$0.mark(place)] } ?? []
  }

  private func signature(_ entry: String) -> [String] {
    EntryPoints.signature(entry, prefix: prefix, tail: " {")
  }

  // MARK: Checks

  // A block of no bytes may be NULL.
  private func parameterBlock(_ name: String) -> [String] {
    module.graph.parameterCount > 0 ? [name] : []
  }

  private func gradientBlock(_ name: String) -> [String] {
    module.graph.trainableCount > 0 ? [name] : []
  }

  private func packedBlock(_ name: String) -> [String] {
    module.packedBytes > 0 ? [name] : []
  }

  private func array(_ name: String, _ count: Int) -> [String] {
    count == 0 ? [] : [name] + (0..<count).map { "\(name)[\($0)]" }
  }

  private func nullCheck(_ pointers: [String]) -> [String] {
    guard !pointers.isEmpty else { return [] }
    return condition(pointers.map { "\($0) == NULL" }, returns: "CONVC_ERROR_NULL")
  }

  private func alignmentCheck(_ pointers: [String]) -> [String] {
    guard !pointers.isEmpty else { return [] }
    let addresses = pointers.map { "(uintptr_t)\($0) % CONVC_ALIGNMENT != 0" }
    return condition(addresses, returns: "CONVC_ERROR_ALIGNMENT")
  }

  /// A check at the beginning of an entry point, on one line where it fits.
  private func condition(_ items: [String], returns code: String) -> [String] {
    let lines = CText.anyOf("if (", items, ")", indentation: 4)
    let whole = "\(lines[0]) return \(code);"
    if lines.count == 1, whole.count + 4 <= CText.columns { return [whole] }
    return lines + ["    return \(code);"]
  }

  /// Whether there are labels to check, with one beside the classes or without.
  private func checksLabels(ignoring: Bool) -> Bool {
    module.graph.targets.contains { target in
      target.labels.map { ($0.ignored != nil) == ignoring } ?? false
    }
  }

  private var labelChecks: [String] {
    var lines: [String] = []
    for (index, target) in module.graph.targets.enumerated() {
      guard let classes = target.classes else { continue }
      let labels = target.type.shape.dropFirst().reduce(1, *)
      let count = "(size_t)run->batch" + (labels == 1 ? "" : " * \(labels)")
      let arguments = "run->targets[\(index)], \(count), \(classes)"
      let check =
        target.labels?.ignored.map { "!labels_in_range_or(\(arguments), \($0))" }
        ?? "!labels_in_range(\(arguments))"
      lines += condition([check], returns: "CONVC_ERROR_LABEL")
    }
    return lines
  }

  // MARK: Update

  /// Ranges of the trainable parameters that decay or do not, neighbours of one kind as one.
  private var ranges: [String] {
    var ranges: [(first: Int, end: Int, decays: Bool)] = []
    for parameter in module.graph.parameters where parameter.kind == .trainable {
      let end = parameter.offset + parameter.spec.count
      if let last = ranges.last, last.end == parameter.offset,
        last.decays == parameter.spec.decays
      {
        ranges[ranges.count - 1].end = end
      } else {
        ranges.append((parameter.offset, end, parameter.spec.decays))
      }
    }
    if ranges.isEmpty { ranges.append((0, 0, false)) }
    let items = ranges.map { "{\($0.first), \($0.end), \($0.decays ? 1 : 0)}" }
    // The list stands inside a function, 8 columns deep.
    return CText.list("", items, ",", indentation: 8)
  }
}
