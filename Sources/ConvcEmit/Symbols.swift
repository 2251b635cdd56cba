/// Hands out C names, each once.
struct Symbols {
  private var taken: Set<String>

  init(reserved: Set<String> = []) {
    self.taken = reserved
  }

  /// The name itself, or with the first number that makes it new.
  mutating func name(_ wanted: String) -> String {
    var name = wanted
    var number = 2
    while !taken.insert(name).inserted {
      name = "\(wanted)_\(number)"
      number += 1
    }
    return name
  }
}

/// Named constants for places in a block of memory.
struct OffsetTable {
  /// What the offsets are, for the comment above them.
  let comment: String
  private let entries: [(name: String, offset: Int)]

  /// - Parameter entries: texts that the names are made from, and offsets.
  init(comment: String, prefix: String, entries: [(text: String, offset: Int)]) {
    var symbols = Symbols()
    self.comment = comment
    self.entries = entries.map { entry in
      let word = entry.text.utf8.map { byte in
        CText.isWord(byte) ? Character(UnicodeScalar(byte)) : "_"
      }
      return (symbols.name(prefix + String(word).uppercased()), entry.offset)
    }
  }

  subscript(index: Int) -> String { entries[index].name }

  /// The definitions of the constants that stand in `used`.
  ///
  /// An `enum` of C99 holds no more than an `int`: larger blocks have macros.
  func lines(used: Set<String>) -> [String] {
    let wanted = entries.filter { used.contains($0.name) }
    guard !wanted.isEmpty else { return [] }
    let isLarge = wanted.contains { $0.offset > Int(Int32.max) }
    let definitions =
      isLarge
      ? wanted.map { "#define \($0.name) \($0.offset)" }
      : CText.list("enum { ", wanted.map { "\($0.name) = \($0.offset)" }, " };")
    return ["// \(comment)"] + definitions + [""]
  }
}
