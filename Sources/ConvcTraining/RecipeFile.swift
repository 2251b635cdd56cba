extension Recipe {
  /// Settings that differ from another recipe's: those that are not nil.
  ///
  /// A file of them holds one `name: value` a line, `#` starting a comment; a JSON object of the
  /// same names is accepted as well, so the `recipe.json` of a run folder repeats the run.
  public struct Changes: Sendable, Hashable {
    public var epochs: Int?
    public var batch: Int?
    public var rate: Double?
    public var momentum: Double?
    public var weightDecay: Double?
    public var warmUp: WarmUp?
    public var endRate: Double?
    public var seed: UInt64?
    public var validationFraction: Double?
    public var threads: Int?

    /// No change.
    public init() {}

    /// Reads the text of a file.
    ///
    /// - Throws: the first line that cannot be read, with what was expected.
    public init(text: String) throws(RecipeError) {
      var seen: Set<String> = []
      for setting in try Self.settings(of: text) {
        guard seen.insert(setting.key).inserted else {
          throw .repeatedKey(setting.key, line: setting.line)
        }
        try set(setting)
      }
      if seen.isSuperset(of: ["warm_up_fraction", "warm_up_steps"]) { throw .twoWarmUps }
    }
  }

  /// This recipe with the given settings in the place of its own.
  public func applying(_ changes: Changes) -> Recipe {
    Recipe(
      epochs: changes.epochs ?? epochs, batch: changes.batch ?? batch, rate: changes.rate ?? rate,
      momentum: changes.momentum ?? momentum, weightDecay: changes.weightDecay ?? weightDecay,
      warmUp: changes.warmUp ?? warmUp, endRate: changes.endRate ?? endRate,
      seed: changes.seed ?? seed,
      validationFraction: changes.validationFraction ?? validationFraction,
      threads: changes.threads ?? threads)
  }

  /// Names and values of all settings, in the order of the documentation.
  public var settings: [(name: String, value: String)] {
    let warmUpSetting: (String, String) =
      switch warmUp {
      case .fraction(let share): ("warm_up_fraction", "\(share)")
      case .steps(let count): ("warm_up_steps", "\(count)")
      }
    return [
      ("epochs", "\(epochs)"), ("batch", "\(batch)"), ("rate", "\(rate)"),
      ("momentum", "\(momentum)"), ("weight_decay", "\(weightDecay)"), warmUpSetting,
      ("end_rate", "\(endRate)"), ("seed", "\(seed)"),
      ("validation_fraction", "\(validationFraction)"), ("threads", "\(threads)"),
    ]
  }

  /// The recipe as a JSON object, a setting a line: the contents of `recipe.json`.
  public var json: String {
    let lines = settings.map { "  \"\($0.name)\": \($0.value)" }
    return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }
}

extension Recipe.Changes {
  fileprivate struct Setting {
    let key: String
    let value: String
    let line: Int
  }

  fileprivate static let known = [
    "epochs", "batch", "rate", "momentum", "weight_decay", "warm_up_fraction", "warm_up_steps",
    "end_rate", "seed", "validation_fraction", "threads",
  ]

  /// The settings of a text, JSON or `name: value` lines.
  ///
  /// A JSON object of numbers that stands a setting a line differs from the other form by braces,
  /// quotes and commas alone, so both are read the same way.
  fileprivate static func settings(of text: String) throws(RecipeError) -> [Setting] {
    var settings: [Setting] = []
    let isJSON = text.first { !$0.isWhitespace } == "{"
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      var rest = line.prefix { $0 != "#" }
      if isJSON { rest.removeAll { "{}\"".contains($0) } }
      for part in isJSON ? rest.split(separator: ",") : [rest] {
        let words = part.filter { $0 != "\r" }
        guard words.contains(where: { !$0.isWhitespace }), words != "---" else { continue }
        let pair = words.split(separator: ":", maxSplits: 1).map { trimmed($0) }
        guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
          throw .syntax(line: index + 1, text: trimmed(words[...]))
        }
        settings.append(Setting(key: pair[0], value: pair[1], line: index + 1))
      }
    }
    return settings
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0.isWhitespace }
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(start[...last])
  }

  fileprivate mutating func set(_ setting: Setting) throws(RecipeError) {
    switch setting.key {
    case "epochs": epochs = try Self.number(setting, "a whole number")
    case "batch": batch = try Self.number(setting, "a whole number")
    case "rate": rate = try Self.number(setting, "a number")
    case "momentum": momentum = try Self.number(setting, "a number")
    case "weight_decay": weightDecay = try Self.number(setting, "a number")
    case "warm_up_fraction": warmUp = .fraction(try Self.number(setting, "a number"))
    case "warm_up_steps": warmUp = .steps(try Self.number(setting, "a whole number"))
    case "end_rate": endRate = try Self.number(setting, "a number")
    case "seed": seed = try Self.number(setting, "a whole number from 0 on")
    case "validation_fraction": validationFraction = try Self.number(setting, "a number")
    case "threads": threads = try Self.number(setting, "a whole number")
    default: throw .unknownKey(setting.key, line: setting.line, known: Self.known)
    }
  }

  private static func number<Number: LosslessStringConvertible>(
    _ setting: Setting, _ expected: String
  ) throws(RecipeError) -> Number {
    guard let value = Number(setting.value) else {
      throw .badValue(
        key: setting.key, value: setting.value, line: setting.line, expected: expected)
    }
    return value
  }
}
