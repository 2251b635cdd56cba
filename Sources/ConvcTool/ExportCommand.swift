import ArgumentParser
import Convc

/// Writes a network as an ONNX file.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a network with its weights as an ONNX file.",
    discussion: """
      The file infers: it has the network's layers as operators of ONNX (opset \(ConvertLayers.opset)), without losses; \
      dropout does nothing in it.

      Example: convc export lenet5 --weights runs/lenet5/best.safetensors -o lenet5.onnx
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var size: SizeOptions
  @OptionGroup var weights: WeightsOptions
  @OptionGroup var general: GeneralOptions

  @Option(
    help: ArgumentHelp(
      "Images of a batch: a number, or a name for any number; else any.", valueName: "N"))
  var batch: ExportedBatch?

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The file to write; its name ends in .onnx.", valueName: "FILE"))
  var file: String

  func validate() throws {
    guard file.lowercased().hasSuffix(".onnx") else {
      throw ValidationError(
        "-o \(file) does not end in .onnx, by which programs know such files; add it")
    }
  }

  func run() throws {
    var network = try model.network(input: size.size?.extents)
    if network.isUnbatched, batch != nil {
      throw Failure(
        .input, "\(model.model) has whole shapes, without an axis of images; leave out --batch")
    }
    let checkpoint = try weights.source.checkpoint(
      for: &network, memoryLimit: model.limitBytes)
    let exported = try network.onnx(
      weights: checkpoint, batch: batch?.dimension ?? .symbol("N"),
      memoryLimit: model.limitBytes)
    try exported.write(to: file)
    try Console.print(file)
  }
}

/// The extent of a model's axis 0 on the command line: `8`, or a name.
struct ExportedBatch: ExpressibleByArgument {
  let dimension: ONNXDimension

  init?(argument: String) {
    if let images = Int(argument) {
      guard (1...65_536).contains(images) else { return nil }
      dimension = .fixed(images)
    } else {
      guard argument.isCIdentifier else { return nil }
      dimension = .symbol(argument)
    }
  }
}
