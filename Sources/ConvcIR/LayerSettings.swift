/// A setting's value as a model file writes it.
public enum SettingValue: Sendable, Hashable {
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case word(String)
  case list([SettingValue])

  /// The shortest number that reads back as the same `Float`.
  public init(_ value: Float) { self = .number(Double("\(value)") ?? Double(value)) }

  /// Whole numbers, one after another.
  public init(_ values: [Int]) { self = .list(values.map { .integer($0) }) }

  /// Two extents: one number where they are equal.
  public init(height: Int, width: Int) {
    self = height == width ? .integer(height) : .list([.integer(height), .integer(width)])
  }

  /// As text: `3`, `[1, 2]`, `floor`.
  public var text: String {
    switch self {
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .word(let word): word
    case .list(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    }
  }
}

/// A setting of a layer or loss: what model files call it, what it may be, what it is where nothing is said.
public struct SettingSpec: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case boolean
    /// `true`, `false`, or one of the words.
    case booleanOr([String])
    case integer
    case number
    /// A list of whole numbers.
    case integers
    /// A list of numbers.
    case numbers
    /// `3`, or `[height, width]`.
    case size
    /// `1`, `[top, bottom, left, right]`, or one of the words.
    case padding(words: [String])
    /// `1`, `[left, right]`, or one of the words.
    case sides(words: [String])
    /// One of the words.
    case word([String])
    /// Any text, which the layer reads itself.
    case text
  }

  public let name: String
  public let kind: Kind
  /// nil: the setting has to be given.
  public let standard: SettingValue?
  /// What it is for, in a few words.
  public let meaning: String

  public init(_ name: String, _ kind: Kind, default standard: SettingValue?, _ meaning: String) {
    self.name = name
    self.kind = kind
    self.standard = standard
    self.meaning = meaning
  }
}

/// What model files describe by settings: a layer or a loss of the registry, whose name there is the type's.
public protocol Configurable: Sendable {
  /// What model files say of it, in the order of the documentation.
  static var settings: [SettingSpec] { get }

  /// What settings describe.
  ///
  /// - Throws: a setting that is missing or of another kind. Values out of range are left to the inference of shapes.
  init(settings: Settings) throws(SettingError)

  /// The values of ``settings``.
  var settingValues: [String: SettingValue] { get }

  /// Settings in words, for listings.
  var summary: String { get }
}

extension Configurable {
  public static var settings: [SettingSpec] { [] }
  public var settingValues: [String: SettingValue] { [:] }

  /// Name in model files and documentation.
  public static var registeredName: String { "\(Self.self)" }

  /// Settings that are not the usual ones, in the order of the documentation.
  public var givenSettings: [(name: String, value: SettingValue)] {
    let values = settingValues
    return Self.settings.compactMap { spec in
      values[spec.name].flatMap { $0 == spec.standard ? nil : (spec.name, $0) }
    }
  }
}

/// Why settings make no layer.
public enum SettingError: Error, Sendable, Hashable, CustomStringConvertible {
  case missing(String, expected: String)
  case wrongKind(String, got: String, expected: String)
  case invalid(String)

  public var description: String {
    switch self {
    case .missing(let name, let expected): "lacks the setting \(name): \(expected) is expected"
    case .wrongKind(let name, let got, let expected):
      "has \(name): \(got); \(expected) is expected"
    case .invalid(let text): text
    }
  }
}

/// The settings of a layer as a model file gives them, with defaults for what it leaves out.
public struct Settings: Sendable {
  private let specs: [SettingSpec]
  private let values: [String: SettingValue]

  /// - Parameter values: by name; the reader of the file has refused names that no spec has.
  public init(_ values: [String: SettingValue], specs: [SettingSpec]) {
    self.specs = specs
    self.values = values
  }

  private func value(_ name: String) throws(SettingError) -> (SettingValue, SettingSpec) {
    guard let spec = specs.first(where: { $0.name == name }) else {
      preconditionFailure("internal error: no setting is called \(name)")
    }
    guard let value = values[name] ?? spec.standard else {
      throw .missing(name, expected: spec.kind.text)
    }
    return (value, spec)
  }

  private func mismatch(_ value: SettingValue, _ spec: SettingSpec) -> SettingError {
    .wrongKind(spec.name, got: value.text, expected: spec.kind.text)
  }

  /// Whether the file says anything of the setting.
  public func has(_ name: String) -> Bool { values[name] != nil }

  public func boolean(_ name: String) throws(SettingError) -> Bool {
    let (value, spec) = try value(name)
    guard case .boolean(let result) = value else { throw mismatch(value, spec) }
    return result
  }

  /// nil: the value is one of the spec's words.
  public func booleanOrWord(_ name: String) throws(SettingError) -> Bool? {
    let (value, spec) = try value(name)
    switch (value, spec.kind) {
    case (.boolean(let result), _): return result
    case (.word(let word), .booleanOr(let words)) where words.contains(word): return nil
    default: throw mismatch(value, spec)
    }
  }

  public func integer(_ name: String) throws(SettingError) -> Int {
    let (value, spec) = try value(name)
    guard case .integer(let result) = value else { throw mismatch(value, spec) }
    return result
  }

  public func number(_ name: String) throws(SettingError) -> Double {
    let (value, spec) = try value(name)
    guard let result = value.asNumber else { throw mismatch(value, spec) }
    return result
  }

  public func float(_ name: String) throws(SettingError) -> Float { Float(try number(name)) }

  public func integers(_ name: String) throws(SettingError) -> [Int] {
    let (value, spec) = try value(name)
    guard let result = value.asIntegers else { throw mismatch(value, spec) }
    return result
  }

  public func numbers(_ name: String) throws(SettingError) -> [Double] {
    let (value, spec) = try value(name)
    guard case .list(let entries) = value else { throw mismatch(value, spec) }
    let result = entries.compactMap(\.asNumber)
    guard result.count == entries.count else { throw mismatch(value, spec) }
    return result
  }

  /// Height and width.
  public func size(_ name: String) throws(SettingError) -> (height: Int, width: Int) {
    let (value, spec) = try value(name)
    if case .integer(let both) = value { return (both, both) }
    guard let pair = value.asIntegers, pair.count == 2 else { throw mismatch(value, spec) }
    return (pair[0], pair[1])
  }

  /// Top, bottom, left and right; nil where the value is a word.
  public func padding(_ name: String) throws(SettingError) -> [Int]? {
    let (value, spec) = try value(name)
    switch value {
    case .integer(let all): return [all, all, all, all]
    case .word(let word):
      guard spec.kind.words.contains(word) else { break }
      return nil
    default:
      if let four = value.asIntegers, four.count == 4 { return four }
    }
    throw mismatch(value, spec)
  }

  /// Left and right; nil where the value is a word.
  public func sides(_ name: String) throws(SettingError) -> (left: Int, right: Int)? {
    let (value, spec) = try value(name)
    switch value {
    case .integer(let both): return (both, both)
    case .word(let word):
      guard spec.kind.words.contains(word) else { break }
      return nil
    default:
      if let two = value.asIntegers, two.count == 2 { return (two[0], two[1]) }
    }
    throw mismatch(value, spec)
  }

  /// One of the spec's words.
  public func word(_ name: String) throws(SettingError) -> String {
    let (value, spec) = try value(name)
    guard case .word(let word) = value,
      spec.kind == .text || spec.kind.words.contains(word)
    else { throw mismatch(value, spec) }
    return word
  }

  /// The case of an enumeration that the word names.
  public func choice<Choice: RawRepresentable>(_ name: String, _: Choice.Type = Choice.self)
    throws(SettingError) -> Choice where Choice.RawValue == String
  {
    let word = try word(name)
    guard let choice = Choice(rawValue: word) else {
      preconditionFailure("internal error: the spec of \(name) allows \(word)")
    }
    return choice
  }
}

extension SettingValue {
  /// A number, whole or not.
  var asNumber: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// A list of whole numbers.
  var asIntegers: [Int]? {
    guard case .list(let entries) = self else { return nil }
    let result = entries.compactMap { if case .integer(let value) = $0 { value } else { nil } }
    return result.count == entries.count ? result : nil
  }
}

extension SettingSpec.Kind {
  /// The words that a value can be.
  public var words: [String] {
    switch self {
    case .booleanOr(let words), .padding(let words), .sides(let words), .word(let words): words
    default: []
    }
  }

  /// What is expected, in words.
  public var text: String {
    switch self {
    case .boolean: "true or false"
    case .booleanOr(let words): (["true", "false"] + words).joined(separator: " or ")
    case .integer: "a whole number"
    case .number: "a number"
    case .integers: "a list of whole numbers"
    case .numbers: "a list of numbers"
    case .size: "a whole number, or [height, width]"
    case .padding(let words):
      (["a whole number", "[top, bottom, left, right]"] + words).joined(separator: " or ")
    case .sides(let words):
      (["a whole number", "[left, right]"] + words).joined(separator: " or ")
    case .word(let words): words.joined(separator: " or ")
    case .text: "a text"
    }
  }
}
