import ArgumentParser
import Convc
import Foundation

/// Shows what a network is made of and what it costs.
struct InspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows layers, shapes, parameters, work, memory and fusion of a network.",
    discussion: """
      Example: convc inspect lenet5 --batch 64
      Example: convc inspect resnet8-digits --svg network.svg --html network.html
      Example: convc inspect sigmoid --svg sigmoid.svg, an activation and its derivative
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var size: SizeOptions
  @OptionGroup var target: TargetOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var general: GeneralOptions

  @Flag(help: "Print everything as JSON.")
  var json = false

  @Option(help: ArgumentHelp("Draw the network to a file.", valueName: "FILE"))
  var svg: String?

  @Option(help: ArgumentHelp("Write picture and tables as a page.", valueName: "FILE"))
  var html: String?

  func validate() throws {
    if let svg, svg == html { throw ValidationError("--svg and --html name one file; name two") }
    for path in [svg, html] where path?.isEmpty == true {
      throw ValidationError("--svg and --html need a file's name")
    }
  }

  func run() async throws {
    if let chart = ActivationChart(named: model.model) { return try show(chart) }
    let survey = try model.survey()
    if let survey, !survey.problems.isEmpty { try refuse(survey) }
    let network = try model.network(input: size.size?.extents)
    let options = BuildOptions(
      batch: batch.batch, trains: !network.losses.isEmpty, target: target.target.target,
      memoryLimit: model.limitBytes)
    let compilation = try network.compile(options)
    general.warn(of: compilation)
    let inspection = Inspection(compilation)
    try OutputFiles.write(
      [(svg, inspection.svg), (html, inspection.html)].compactMap { path, text in
        path.map { ($0, Data(text.utf8)) }
      })
    let operators = survey.map { Self.text($0) + "\n\n" } ?? ""
    try Console.print(
      json ? try inspection.json : operators + InspectionText(inspection).text)
    for case let path? in [svg, html] { general.note("wrote \(path)") }
  }

  /// The operators of an ONNX file.
  private static func text(_ survey: ONNXSurvey) -> String {
    var table = TextTable([("operator", .left), ("nodes", .right)])
    for (op, count) in survey.operators {
      table.add([ONNXError.plain(op), NumberText.grouped(count)])
    }
    return table.text
  }

  /// Prints everything that cannot be converted, and ends.
  private func refuse(_ survey: ONNXSurvey) throws {
    let problems = survey.problems.map { "\($0)" }
    try Console.print(
      Self.text(survey) + "\n\ncannot be converted:\n" + problems.joined(separator: "\n"))
    let count = problems.count
    throw Failure(
      .input,
      "\(model.model) has \(count == 1 ? "one node" : "\(count) nodes") that cannot be converted: "
        + "\(problems[0])\(count == 1 ? "" : "; the others stand above")")
  }

  /// An activation's values and derivatives, and its picture.
  private func show(_ chart: ActivationChart) throws {
    guard !json, html == nil else {
      throw Failure(.usage, "\(model.model) is an activation: only --svg FILE draws it")
    }
    var table = TextTable([("x", .right), ("value", .right), ("derivative", .right)])
    for point in chart.points {
      table.add([point.x, point.value, point.derivative].map { NumberText.fixed($0, 4) })
    }
    if let svg { try OutputFiles.write([(svg, Data(chart.svg.utf8))]) }
    try Console.print("\(chart.title)\n\n\(table.text)")
    if let svg { general.note("wrote \(svg)") }
  }
}

extension Inspection {
  /// The whole inspection as a JSON object.
  fileprivate var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }
}

/// An inspection as tables of text.
struct InspectionText {
  private let inspection: Inspection

  init(_ inspection: Inspection) {
    self.inspection = inspection
  }

  var text: String {
    let head =
      "\(inspection.model), batch \(inspection.batch), target \(inspection.target): "
      + "\(NumberText.grouped(inspection.parameters)) parameters "
      + "(\(NumberText.grouped(inspection.trainable)) trainable), "
      + "\(NumberText.grouped(inspection.multiplyAdds)) multiply-adds an image, "
      + "depth \(inspection.depth), width \(NumberText.grouped(inspection.width))"
    return [head, layers, memory, fusion].joined(separator: "\n\n")
  }

  private var layers: String {
    var table = TextTable([
      ("layer", .left), ("", .left), ("reads", .left), ("output", .left),
      ("of N=\(inspection.batch)", .left),
      ("weights", .right), ("biases", .right), ("statistics", .right), ("multiply-adds", .right),
      ("bytes", .right), ("receptive field", .left), ("jump", .left), ("start", .left),
      ("depth", .right), ("lost", .left),
    ])
    for input in inspection.inputs {
      table.add([
        input.name, "input", "", NumberText.extents(input.shape), axes(Array(input.axes)),
      ])
    }
    for layer in inspection.layers { table.add(row(layer)) }
    let count = NumberText.grouped
    table.add([
      "total", "", "", "", "", count(inspection.layers.reduce(0) { $0 + $1.weights }),
      count(inspection.layers.reduce(0) { $0 + $1.biases }),
      count(inspection.layers.reduce(0) { $0 + $1.statistics }), count(inspection.multiplyAdds),
      count(inspection.outputBytes), "", "", "", count(inspection.depth),
    ])
    return table.text
      + "\n\nMultiply-adds and bytes are those of one image; fields count pixels of the input from 0."
  }

  private func axes(_ names: [String]) -> String { names.joined(separator: "x") }

  private func row(_ layer: Inspection.Layer) -> [String] {
    let lost = layer.lostPixels
    let field = layer.receptiveField
    let isSequence = inspection.isSequence
    let lostText =
      isSequence
      ? count(lost[1], "place") : "\(count(lost[0], "row")), \(count(lost[1], "column"))"
    return [
      layer.name, layer.settings + (layer.frozen ? " (frozen)" : ""),
      layer.inputs.joined(separator: ", "), NumberText.extents(layer.shape), axes(layer.axes),
      NumberText.grouped(layer.weights), NumberText.grouped(layer.biases),
      NumberText.grouped(layer.statistics), NumberText.grouped(layer.multiplyAdds),
      NumberText.grouped(layer.outputBytes), field.sizeText(isSequence: isSequence),
      field.jumpText(isSequence: isSequence), field.startText(isSequence: isSequence),
      "\(layer.depth)", lost == [0, 0] ? "" : lostText,
    ]
  }

  private func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  private var memory: String {
    var table = TextTable([
      ("memory", .left), ("arena", .right), ("lower bound", .right), ("parameters", .right),
      ("packed", .right), ("gradients", .right), ("optimizer", .right), ("total", .right),
    ])
    for memory in inspection.memory {
      let parts = [
        memory.arena, memory.lowerBound, memory.parameters, memory.packed, memory.gradients,
        memory.optimizer, memory.total,
      ]
      table.add([memory.mode] + parts.map(NumberText.bytes))
    }
    return table.text + "\n\n" + arenas
  }

  /// The arena to the byte, beside the largest set of buffers alive at once.
  private var arenas: String {
    var table = TextTable([
      ("arena", .left), ("bytes", .right), ("lower bound", .right), ("above it", .right),
    ])
    for memory in inspection.memory {
      let above = Double(memory.arena) / Double(max(1, memory.lowerBound)) - 1
      table.add([
        memory.mode, NumberText.grouped(memory.arena), NumberText.grouped(memory.lowerBound),
        NumberText.percent(max(0, above)),
      ])
    }
    return table.text
  }

  /// A line for each decision; one that holds in both modes stands once.
  private var fusion: String {
    var table = TextTable([
      ("fusion", .left), ("mode", .left), ("kernel", .left), ("why", .left),
    ])
    let modes = inspection.memory.map(\.mode)
    var told: Set<[String]> = []
    for note in inspection.fusion {
      let row = [note.layer, note.joined ?? "apart", note.reason]
      guard told.insert(row).inserted else { continue }
      let holds = modes.filter { mode in
        inspection.fusion.contains {
          $0.mode == mode && [$0.layer, $0.joined ?? "apart", $0.reason] == row
        }
      }
      let mode = holds.count == modes.count ? "all" : holds.joined(separator: ", ")
      table.add([row[0], mode, row[1], row[2]])
    }
    return told.isEmpty ? "no layer could join another's kernel" : table.text
  }
}
