import ConvcIR
import ConvcLayers

/// Takes a network out of a YAML tree.
struct ModelFileReader {
  let root: YAMLNode
  private var model = Model(name: "", inputs: [], nodes: [], outputs: [])

  init(root: YAMLNode) { self.root = root }

  private static let keys = [
    "convc", "name", "unbatched", "inputs", "preprocessing", "classes", "regularizer", "layers",
    "outputs", "losses",
  ]

  mutating func read() throws(ModelFileError) -> Model {
    let entries = try root.entries("a model file")
    for (key, at, _) in entries where !Self.keys.contains(key) {
      throw at.error(unknown("key", key, of: "a model file", among: Self.keys))
    }
    func entry(_ key: String) -> YAMLNode? { entries.first { $0.key == key }?.value }
    func needed(_ key: String, _ example: String) throws(ModelFileError) -> YAMLNode {
      guard let node = entry(key) else {
        throw root.error("the file lacks '\(key)'; write for example '\(example)'")
      }
      return node
    }
    let version = try needed("convc", "convc: 1")
    guard try version.integer("the version") == ModelFile.version else {
      throw version.error(
        "version \(try version.text("the version")) of the form is not known; this convc reads \(ModelFile.version)"
      )
    }
    model.name = try needed("name", "name: lenet5").text("the name")
    if let node = entry("unbatched") { model.isUnbatched = try node.boolean("unbatched") }
    try readInputs(needed("inputs", "inputs: {image: [1, 28, 28]}"))
    try readLayers(needed("layers", "layers: {conv1: {layer: Conv2D, ...}}"))
    try readOutputs(needed("outputs", "outputs: {scores: dense3}"))
    if let losses = entry("losses") { try readLosses(losses) }
    if let node = entry("regularizer") {
      model.regularizer = try regularizer(node, of: "a model file")
    }
    if let node = entry("preprocessing") { try readPreprocessing(node) }
    if let classes = entry("classes") {
      for name in try classes.list("classes") {
        model.classNames.append(try name.text("a class"))
      }
    }
    return model
  }

  private func unknown(
    _ what: String, _ name: String, of owner: String, among known: [String]
  ) -> String {
    let guess = Spelling.hint(for: name, among: known)
    return "unknown \(what) '\(name.prefix(60))' of \(owner); \(guess)there are "
      + (known.isEmpty ? "none" : known.joined(separator: ", "))
  }

  private func location(_ node: YAMLNode) -> SourceLocation {
    SourceLocation(file: node.path, line: node.line)
  }

  private mutating func readInputs(_ node: YAMLNode) throws(ModelFileError) {
    for (name, at, value) in try node.entries("inputs") {
      var shape: [Int] = []
      for extent in try value.list("the shape of \(name)") {
        shape.append(try extent.integer("an extent of \(name)"))
      }
      model.inputs.append(Model.Input(name: name, shape: shape, location: location(at)))
    }
  }

  private mutating func readLayers(_ node: YAMLNode) throws(ModelFileError) {
    var previous = model.inputs.count == 1 ? model.inputs[0].name : nil
    for (name, at, value) in try node.entries("layers") {
      let entries = try value.entries("layer \(name)")
      let layer = try layer(name, value, entries)
      var inputs = previous.map { [$0] } ?? []
      var isFrozen = false
      var regularizer: Regularizer?
      for (key, _, value) in entries {
        switch key {
        case "reads": inputs = try names(value, "reads of \(name)")
        case "frozen": isFrozen = try value.boolean("frozen")
        case "regularizer": regularizer = try self.regularizer(value, of: name)
        default: break
        }
      }
      guard !inputs.isEmpty else {
        throw at.error(
          "\(name) is the first of several inputs' layers; say what it reads, 'reads: \(model.inputs.first?.name ?? "image")'"
        )
      }
      model.nodes.append(
        Model.Node(
          name: name, layer: layer, inputs: inputs, isFrozen: isFrozen, regularizer: regularizer,
          location: location(at)))
      previous = name
    }
  }

  /// The penalty on weights; factors out of range are left to the compiler.
  private func regularizer(
    _ node: YAMLNode, of owner: String
  ) throws(ModelFileError) -> Regularizer {
    var factors: [String: Float] = [:]
    var includesBiases = false
    for (key, at, value) in try node.entries("the regularizer of \(owner)") {
      switch key {
      case "l1", "l2": factors[key] = Float(try value.number(key))
      case "biases": includesBiases = try value.boolean(key)
      default:
        throw at.error(
          unknown("key", key, of: "the regularizer of \(owner)", among: ["l1", "l2", "biases"]))
      }
    }
    return Regularizer(
      l1: factors["l1"] ?? 0, l2: factors["l2"] ?? 0, includesBiases: includesBiases)
  }

  private func names(_ node: YAMLNode, _ what: String) throws(ModelFileError) -> [String] {
    if let one = try? node.text(what) { return [one] }
    var names: [String] = []
    for entry in try node.list(what) { names.append(try entry.text("an entry of \(what)")) }
    return names
  }

  private func layer(
    _ name: String, _ node: YAMLNode, _ entries: [(key: String, at: YAMLNode, value: YAMLNode)]
  ) throws(ModelFileError) -> any RegisteredLayer {
    guard let kind = entries.first(where: { $0.key == "layer" })?.value else {
      throw node.error("\(name) does not say what it is; write for example 'layer: ReLU'")
    }
    let word = try kind.text("layer")
    guard let type = LayerRegistry.layer(named: word) else {
      let known = LayerRegistry.layers.map { $0.registeredName }
      throw kind.error(unknown("layer", word, of: name, among: known))
    }
    let settings = try settings(
      type.settings, entries, beside: ["layer", "reads", "frozen", "regularizer"],
      owner: "\(word) (\(name))")
    do {
      return try type.init(settings: settings)
    } catch {
      throw node.error("\(name) \(error)")
    }
  }

  private func settings(
    _ specs: [SettingSpec], _ entries: [(key: String, at: YAMLNode, value: YAMLNode)],
    beside reserved: [String], owner: String
  ) throws(ModelFileError) -> Settings {
    var values: [String: SettingValue] = [:]
    for (key, at, value) in entries where !reserved.contains(key) {
      guard let spec = specs.first(where: { $0.name == key }) else {
        throw at.error(
          unknown("setting", key, of: owner, among: specs.map(\.name) + reserved))
      }
      values[key] = try value.setting(spec)
    }
    return Settings(values, specs: specs)
  }

  private mutating func readOutputs(_ node: YAMLNode) throws(ModelFileError) {
    for (name, _, value) in try node.entries("outputs") {
      model.outputs.append(
        Model.Output(name: name, node: try value.text("what output \(name) is of")))
    }
  }

  private mutating func readLosses(_ node: YAMLNode) throws(ModelFileError) {
    for (name, at, value) in try node.entries("losses") {
      let entries = try value.entries("loss \(name)")
      func text(_ key: String) throws(ModelFileError) -> String {
        guard let entry = entries.first(where: { $0.key == key })?.value else {
          throw value.error("loss \(name) lacks '\(key)'; write '\(key): ...'")
        }
        return try entry.text(key)
      }
      let kind = try text("loss")
      guard let type = LayerRegistry.loss(named: kind) else {
        let known = LayerRegistry.losses.map { $0.registeredName }
        throw value.error(unknown("loss", kind, of: name, among: known))
      }
      let settings = try settings(
        type.settings, entries, beside: ["loss", "output", "target", "weight"],
        owner: "\(kind) (\(name))")
      var weight = 1.0
      if let entry = entries.first(where: { $0.key == "weight" })?.value {
        weight = try entry.number("weight")
      }
      do {
        model.losses.append(
          Model.LossTerm(
            name: name, loss: try type.init(settings: settings), output: try text("output"),
            target: try text("target"), weight: Float(weight), location: location(at)))
      } catch let error as SettingError {
        throw value.error("\(name) \(error)")
      } catch let error as ModelFileError {
        throw error
      } catch {
        preconditionFailure("internal error: \(error)")
      }
    }
  }

  private mutating func readPreprocessing(_ node: YAMLNode) throws(ModelFileError) {
    var scale = 1.0
    var mean: [Float] = []
    var deviation: [Float] = []
    let keys = ["scale", "mean", "deviation"]
    for (key, at, value) in try node.entries("preprocessing") {
      switch key {
      case "scale": scale = try value.number("scale")
      case "mean": mean = try floats(value, "mean")
      case "deviation": deviation = try floats(value, "deviation")
      default: throw at.error(unknown("key", key, of: "preprocessing", among: keys))
      }
    }
    guard !mean.isEmpty, mean.count == deviation.count else {
      throw node.error("preprocessing needs 'mean' and 'deviation', a number for each channel")
    }
    model.preprocessing = InputPreprocessing(
      scale: Float(scale), mean: mean, deviation: deviation)
  }

  private func floats(_ node: YAMLNode, _ what: String) throws(ModelFileError) -> [Float] {
    var values: [Float] = []
    for entry in try node.list(what) {
      values.append(Float(try entry.number("an entry of \(what)")))
    }
    return values
  }
}
