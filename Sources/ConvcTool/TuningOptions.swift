import ArgumentParser
import Convc

/// What is changed in a network before it is trained; for all verbs, so that what was trained so can be used.
struct TuningOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Replace the last layer by one of so many outputs, with initial weights from the seed.",
      valueName: "OUTPUTS"))
  var head: Int?

  @Option(
    help: ArgumentHelp(
      "Layers that training leaves alone: none, all-but-head, until:NAME (it and all before it), or names, * for any letters.",
      valueName: "LAYERS"))
  var freeze = FreezingChoice.none

  @Option(
    help: ArgumentHelp(
      "The loss of training, in place of the network's own. A model file can say more of it.",
      valueName: "LOSS"))
  var loss: LossChoice?

  func validate() throws {
    guard head.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--head is \(head ?? 0), expected at least 1")
    }
  }

  /// The network with another last layer, another loss, and frozen layers.
  func apply(to network: Model) throws -> Model {
    var network = try head.map { try network.replacingHead(outputs: $0) } ?? network
    if let loss { network = try network.judging(by: loss.loss) }
    return try network.freezing(freeze.freezing)
  }

  /// The options again, for a command that goes on.
  var words: String {
    (head.map { " --head \($0)" } ?? "")
      + (freeze.freezing == .none ? "" : " --freeze '\(freeze.text)'")
      + (loss.map { " --loss \($0.name)" } ?? "")
  }
}

/// A loss on the command line, with its usual settings: `multi-class-hinge`.
struct LossChoice: ExpressibleByArgument {
  /// All that need no settings.
  private static let known: [(name: String, loss: any Loss)] = LayerRegistry.losses.compactMap {
    type in (try? type.init(settings: Settings([:], specs: type.settings))).map { (type.kind, $0) }
  }
  static var allValueStrings: [String] { known.map(\.name) }

  let name: String
  let loss: any Loss

  init?(argument: String) {
    guard let choice = Self.known.first(where: { $0.name == argument }) else { return nil }
    (name, loss) = choice
  }
}

/// Layers on the command line: `all-but-head`, `until:conv3`, `conv1,block2*`.
struct FreezingChoice: ExpressibleByArgument {
  static let none = FreezingChoice(text: "none", freezing: .none)

  let text: String
  let freezing: Freezing

  private init(text: String, freezing: Freezing) {
    (self.text, self.freezing) = (text, freezing)
  }

  init?(argument: String) {
    let name = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch argument {
    case "none": self = .none
    case "all-but-head": self.init(text: argument, freezing: .allButHead)
    case _ where name.count == 2 && name[0] == "until" && !name[1].isEmpty:
      self.init(text: argument, freezing: .until(String(name[1])))
    default:
      let names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard !names.contains(""), !argument.contains(where: { ":'".contains($0) }) else {
        return nil
      }
      self.init(text: argument, freezing: .layers(names))
    }
  }

  var defaultValueDescription: String { text }
}
