import Convc
import ConvcEmit
import Foundation

/// The reference of layers and losses, a page each: from the doc comments of the sources and the registry.
public struct LayerReference {
  /// A file of the reference.
  public struct Page: Sendable {
    /// Below `Docs/`: `Layers/Conv2D.md`.
    public let path: String
    public let text: String
  }

  private let comments: [String: [String]]

  /// - Throws: sources that cannot be read.
  public init() throws {
    comments = try Self.comments(in: TestFiles.repository + "Sources/ConvcLayers")
  }

  /// All pages, the index first.
  public func pages() throws -> [Page] {
    let layers = try LayerRegistry.layers.map { try page($0) }
    let losses = try LayerRegistry.losses.map { try page($0) }
    return [index()] + layers + losses + charts()
  }

  // MARK: Doc comments

  /// The doc comments of the structs in a folder's files, without their slashes.
  private static func comments(in folder: String) throws -> [String: [String]] {
    var comments: [String: [String]] = [:]
    for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    where file.hasSuffix(".swift") {
      var pending: [String] = []
      let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("///") {
          pending.append(String(line.dropFirst(line.hasPrefix("/// ") ? 4 : 3)))
        } else {
          if line.hasPrefix("public struct ") {
            let name = line.dropFirst(14).prefix { $0.isLetter || $0.isNumber }
            comments[String(name)] = pending
          }
          pending = []
        }
      }
    }
    return comments
  }

  /// The comment as Markdown: references to other types become links where they have a page.
  private func description(_ name: String) throws -> [String] {
    guard let comment = comments[name], !comment.isEmpty else {
      throw MissingComment(name: name)
    }
    return comment.map(linked)
  }

  /// A registered type without a doc comment.
  public struct MissingComment: Error {
    public let name: String
  }

  private func linked(_ line: String) -> String {
    let layers = Set(LayerRegistry.layers.map { $0.registeredName })
    let losses = Set(LayerRegistry.losses.map { $0.registeredName })
    return line.replacing(/``([A-Za-z0-9_\/():]+)``/) { match in
      let name = String(match.1)
      if layers.contains(name) { return "[\(name)](../Layers/\(name).md)" }
      if name == "Window2D/outputSize(height:width:)" {
        return "`OH = 1 + (H + P − D·(R − 1) − 1)/S`, `OW` likewise"
      }
      if losses.contains(name) { return "[\(name)](../Losses/\(name).md)" }
      return "`\(name)`"
    }
  }

  // MARK: Index

  private func index() -> Page {
    var lines = [
      "# Layers and losses", "",
      "One page each, made from the doc comments and the registry by the tests; what a page says is what the compiler does.",
      "", "## Layers", "", "| layer | what it does | in a group |", "|---|---|---|",
    ]
    for layer in LayerRegistry.layers {
      let name = layer.registeredName
      let part = layer.examples.first.map { self.role($0.layer) } ?? ""
      lines.append("| [\(name)](Layers/\(name).md) | \(summary(name)) | \(part) |")
    }
    lines += ["", "## Losses", "", "| loss | what it is |", "|---|---|"]
    for loss in LayerRegistry.losses {
      let name = loss.registeredName
      lines.append("| [\(name)](Losses/\(name).md) | \(summary(name)) |")
    }
    return Page(path: "Layers.md", text: lines.joined(separator: "\n") + "\n")
  }

  /// The first sentence of a comment, for a cell of a table.
  private func summary(_ name: String) -> String {
    let text = (comments[name] ?? []).prefix { !$0.isEmpty && !$0.hasPrefix("- ") }
      .joined(separator: " ")
    return text.replacing(/``([A-Za-z0-9_]+)``/) { "`\($0.1)`" }.replacing("|", with: "\\|")
  }

  private func role(_ layer: any Layer) -> String {
    switch layer.role(in: .training, frozen: false) {
    case .anchor(let accepts): accepts.isEmpty ? "stands alone" : "takes others in"
    case .elementwise: "joins the layer before"
    case .pooling: "joins a convolution"
    case .view: "costs nothing"
    }
  }

  // MARK: Pages

  /// The pictures of activations, beside their pages.
  private func charts() -> [Page] {
    ActivationChart.names.compactMap { name in
      ActivationChart(named: name).map { Page(path: "Layers/\(name).svg", text: $0.svg) }
    }
  }

  private func page(_ type: any RegisteredLayer.Type) throws -> Page {
    let name = type.registeredName
    var lines = ["# \(name)", ""] + (try description(name)) + [""]
    if ActivationChart.names.contains(name) {
      lines += ["![The function and its derivative](\(name).svg)", ""]
    }
    lines += settings(type.settings)
    guard let example = type.examples.first else { return Page(path: name, text: "") }
    let graph = ModelBuilder(name: "example", isUnbatched: example.isUnbatched)
    let inputs = example.inputs.enumerated().map { index, shape in
      graph.input("x\(index)", Array(shape.dropFirst(example.isUnbatched ? 0 : 1)))
        .apply(PositionBias(), name: "before\(index)")
    }
    graph.output("y", graph.apply(example.layer, to: inputs))
    graph.loss(MeanSquaredError(), on: "y", target: "target")
    return try page(name, example, lines, graph.model)
  }

  private func page(
    _ name: String, _ example: LayerExample, _ head: [String], _ model: Model
  ) throws -> Page {
    var lines = head
    let compilation = try model.compile(
      BuildOptions(
        batch: example.isUnbatched ? 1 : example.inputs[0][0], target: .generic, fuses: false))
    let graph = compilation.graph
    guard let node = graph.nodes.last else { return Page(path: name, text: "") }
    lines += ["## Example", "", "`\(example.layer.summary)`", "", "| | |", "|---|---|"]
    lines += graph.inputTypes(of: node).map { "| input | \($0) |" }
    lines.append("| output | \(graph[node.output].type) |")
    lines += node.parameters.map { index in
      let parameter = graph.parameters[index].spec
      let shape = parameter.shape.map(String.init).joined(separator: "x")
      return "| \(parameter.name) | \(shape) |"
    }
    lines += [
      "| alone or fused | \(role(example.layer)) |", "",
      "As a model file has it:", "", "```yaml", yaml(example.layer, node.name), "```", "",
      "Its C, forward and backward, for the target `generic`:", "", "```c",
      EmitC().kernels(of: [node.name], in: compilation.stages.module)
        .trimmingCharacters(in: .newlines), "```",
    ]
    return Page(path: "Layers/\(name).md", text: lines.joined(separator: "\n") + "\n")
  }

  private func page(_ type: any RegisteredLoss.Type) throws -> Page {
    let name = type.registeredName
    var lines = ["# \(name)", ""] + (try description(name)) + [""]
    lines += settings(type.settings)
    guard let example = type.examples.first else {
      return Page(path: "Losses/\(name).md", text: lines.joined(separator: "\n") + "\n")
    }
    let model = Model("example") { graph in
      let x = graph.input("x", Array(example.prediction.dropFirst()))
      let before = DeclaredOutput(PositionBias(), for: example.loss)
      graph.output("y", x.apply(before, name: "before"))
      graph.loss(example.loss, on: "y", target: "target", name: "loss")
    }
    let compilation = try model.compile(
      BuildOptions(batch: example.prediction[0], target: .generic))
    lines += ["## Example", "", "| | |", "|---|---|"]
    lines.append("| prediction | \(TensorType(shape: example.prediction)) |")
    lines += compilation.graph.targets.map { "| \($0.name) | \($0.type) |" }
    lines += [
      "", "Its C, value and gradient, for the target `generic`:", "", "```c",
      EmitC().kernels(of: ["loss"], in: compilation.stages.module)
        .trimmingCharacters(in: .newlines), "```",
    ]
    return Page(path: "Losses/\(name).md", text: lines.joined(separator: "\n") + "\n")
  }

  private func settings(_ specs: [SettingSpec]) -> [String] {
    guard !specs.isEmpty else { return [] }
    let rows = specs.map { spec in
      let standard =
        spec.standard.map { $0 == .list([]) ? "" : "`\($0.text)`" } ?? "has to be given"
      return "| `\(spec.name)` | \(spec.kind.text) | \(standard) | \(spec.meaning) |"
    }
    return ["## Settings", "", "| name | value | default | meaning |", "|---|---|---|---|"]
      + rows + [""]
  }

  private func yaml(_ layer: any RegisteredLayer, _ name: String) -> String {
    let given = layer.givenSettings.map { ", \($0.name): \($0.value.text)" }.joined()
    return "\(name): {layer: \(type(of: layer).registeredName)\(given)}"
  }
}
