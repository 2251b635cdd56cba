import ArgumentParser
import Convc

/// Lists the networks that are built in.
struct ModelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "Lists the networks that are built in.",
    discussion: "Example: convc models")

  @OptionGroup var general: GeneralOptions

  func run() async throws {
    var table = TextTable([
      ("name", .left), ("images", .left), ("parameters", .right), ("multiply-adds", .right),
      ("", .left),
    ])
    for preset in Preset.all {
      let graph = try InferShapes(batch: 1, memoryLimit: 16 << 30).run(
        preset.make())
      let multiplyAdds = graph.nodes.reduce(0) {
        $0 + $1.layer.multiplyAdds(for: graph.inputTypes(of: $1))
      }
      table.add([
        preset.name, NumberText.extents(preset.input), NumberText.grouped(graph.parameterCount),
        NumberText.grouped(multiplyAdds), preset.summary,
      ])
    }
    try Console.print(table.text)
  }
}
