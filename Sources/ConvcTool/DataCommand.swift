import ArgumentParser
import Convc

/// The data set of a verb.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A data set's name ('convc data' lists them), or a folder with the files of MNIST or CIFAR-10.",
      valueName: "DATA"))
  var data: String

  @Option(
    help: ArgumentHelp(
      "Images before and after each one that become channels beside it: the slices of a volume.",
      valueName: "N"))
  var neighbors = 0

  @Option(
    help: ArgumentHelp("Slices of a volume, for --neighbors; else all are one.", valueName: "N"))
  var depth: Int?

  func validate() throws {
    guard depth == nil || neighbors > 0 else {
      throw ValidationError("--depth is for --neighbors, which is missing")
    }
  }

  func load() throws -> Dataset {
    try DatasetCatalog().load(data).stacked(neighbors: neighbors, depth: depth)
  }
}

/// Lists the data sets that can be asked for by name.
struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Lists the data sets that are known by name.",
    discussion: """
      A folder with the four files of MNIST, or with those of CIFAR-10's binary version, plain or gzip, serves as well: --data FOLDER.

      Example: convc data
      """)

  @OptionGroup var general: GeneralOptions

  func run() async throws {
    var table = TextTable([
      ("name", .left), ("images", .left), ("classes", .right), ("training", .right),
      ("test", .right), ("licence", .left), ("", .left), ("", .left),
    ])
    for entry in DatasetCatalog().entries {
      let state = entry.isInstalled ? "installed" : "to install: \(entry.installation ?? "")"
      table.add([
        entry.name, NumberText.extents(entry.shape), "\(entry.classCount)",
        NumberText.grouped(entry.trainCount), NumberText.grouped(entry.testCount), entry.license,
        entry.installation == nil ? "built in" : state, entry.summary,
      ])
    }
    try Console.print(table.text)
  }
}
