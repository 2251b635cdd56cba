/// Finds the known name that a mistyped one may mean.
package enum Spelling {
  /// The known word that begins so, else the one that takes the fewest changes; nil where it would take more than half
  /// of its letters.
  package static func nearest(to word: String, among known: [String]) -> String? {
    let start = word.lowercased()
    if start.count >= 3, let whole = known.first(where: { $0.lowercased().hasPrefix(start) }) {
      return whole
    }
    let ranked = known.map { (word: $0, distance: distance(word, $0)) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(word.count, best.word.count) / 2 ? best.word : nil
  }

  /// `did you mean 'lenet5'? ` where a known word is near, else nothing: stands in front of the list of what is known.
  package static func hint(for word: String, among known: [String]) -> String {
    nearest(to: word, among: known).map { "did you mean '\($0)'? " } ?? ""
  }

  /// The distance of two words, upper and lower case being equal.
  package static func distance(_ first: String, _ second: String) -> Int {
    changes(String(first.lowercased().prefix(64)), second.lowercased())
  }

  /// Letters to insert, remove or replace to come from one word to the other (Levenshtein 1966).
  package static func changes(_ first: String, _ second: String) -> Int {
    let second = Array(second)
    var row = Array(0...second.count)
    for (index, letter) in first.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for (place, other) in second.enumerated() {
        let replaced = diagonal + (letter == other ? 0 : 1)
        diagonal = row[place + 1]
        row[place + 1] = min(replaced, diagonal + 1, row[place] + 1)
      }
    }
    return row[second.count]
  }
}
