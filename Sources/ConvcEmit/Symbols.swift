/// Hands out C names, each once.
struct Symbols {
  private var taken: Set<String>

  init(reserved: Set<String> = []) {
    self.taken = reserved
  }

  /// The name itself, or the other one, or with the first number that makes it new.
  mutating func name(_ wanted: String, or other: String? = nil) -> String {
    var name = wanted
    if let other, taken.contains(name) { name = other }
    var number = 2
    while !taken.insert(name).inserted {
      name = "\(wanted)_\(number)"
      number += 1
    }
    return name
  }
}
