/// Names in use, and new ones beside them.
///
/// A file may ask for one name a hundred thousand times, so what was tried before is remembered.
struct UniqueNames {
  private var taken: Set<String> = []
  /// The next number to try by name.
  private var numbers: [String: Int] = [:]

  /// - Returns: whether the name was free.
  @discardableResult
  mutating func take(_ name: String) -> Bool { taken.insert(name).inserted }

  mutating func take(_ names: some Sequence<String>) { taken.formUnion(names) }

  /// The name itself where it is free, else with the first number from 2 on that is.
  mutating func unique(_ name: String) -> String {
    take(name) ? name : numbered(name, from: 2)
  }

  /// The name with the first number that is free.
  mutating func numbered(_ name: String, from first: Int) -> String {
    var number = numbers[name] ?? first
    while !take("\(name)_\(number)") { number += 1 }
    numbers[name] = number + 1
    return "\(name)_\(number)"
  }
}
