import ArgumentParser
import Convc
import Foundation

/// Settings of a training: options over a file over what suits network and data.
struct RecipeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A file of settings, a 'name: value' a line or JSON, such as a run's recipe.json.",
      valueName: "FILE"))
  var recipe: String?

  @Option(help: "How often every training image is seen.")
  var epochs: Int?

  @Option(help: "Images of a step.")
  var batch: Int?

  @Option(help: "The highest learning rate.")
  var rate: Double?

  @Option(help: "Momentum.")
  var momentum: Double?

  @Option(help: "Weight decay.")
  var weightDecay: Double?

  @Option(help: "Seed of initial weights, split, order and dropout.")
  var seed: UInt64?

  /// What the command's words say.
  private var words: Recipe.Changes {
    var changes = Recipe.Changes()
    changes.epochs = epochs
    changes.batch = batch
    changes.rate = rate
    changes.momentum = momentum
    changes.weightDecay = weightDecay
    changes.seed = seed
    return changes
  }

  /// Finds mistakes in the command's own words, whatever a file says.
  func validate() throws {
    do {
      try Recipe(endRate: 0).applying(words).validate()
    } catch RecipeError.outOfRange(let name, let value, let range) {
      let option = name.replacing("_", with: "-")
      throw ValidationError("--\(option) is \(value), expected \(range)")
    }
  }

  /// The settings of a training.
  ///
  /// - Parameters:
  ///   - standard: where nothing else is said.
  ///   - threads: the command's; 0: it says nothing.
  func resolved(_ standard: Recipe, threads: Int) throws -> Recipe {
    var resolved = standard
    if let recipe { resolved = resolved.applying(try Self.changes(in: recipe)) }
    resolved = resolved.applying(words)
    if threads > 0 { resolved.threads = threads }
    try resolved.validate()
    return resolved
  }

  /// The settings in a file.
  static func changes(in path: String) throws -> Recipe.Changes {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      let reason =
        isThere ? "cannot be read; check its permissions" : "no such file; check the path"
      throw Failure(.input, "\(path): \(reason)")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw Failure(.input, "\(path): no text; write a recipe as 'name: value' lines or JSON")
    }
    do {
      return try Recipe.Changes(text: text)
    } catch {
      throw Failure(.input, "\(path): \(error)")
    }
  }
}
