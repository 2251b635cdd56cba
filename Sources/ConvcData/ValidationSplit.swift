import ConvcIR

/// Divides training images into those to train on and those to choose the best epoch by.
///
/// Every class has its share in both, to the nearest image. A seed gives the same split everywhere.
public struct ValidationSplit: Sendable, Hashable {
  /// Indices to train on, ascending.
  public let train: [Int]
  /// Indices for validation, ascending.
  public let validation: [Int]

  /// Keeps a share of the images for validation.
  ///
  /// - Parameter fraction: the share, 0..<1; rounded to whole images.
  /// - Throws: a share that leaves nothing to train on.
  public init(labels: [Int32], fraction: Double, seed: UInt64) throws(DataError) {
    let count = (fraction * Double(labels.count)).rounded()
    guard count >= 0 && count < Double(labels.count) else {
      throw .validation(kept: "a share of \(fraction)", images: labels.count)
    }
    try self.init(labels: labels, count: Int(count), seed: seed)
  }

  /// Keeps a number of images for validation.
  ///
  /// - Parameters:
  ///   - labels: the class of each image.
  ///   - count: how many, `0..<labels.count`.
  /// - Throws: a number that leaves nothing to train on.
  public init(labels: [Int32], count: Int, seed: UInt64) throws(DataError) {
    guard count >= 0 && count < labels.count else {
      throw .validation(kept: "\(count)", images: labels.count)
    }
    let groups = Dictionary(grouping: labels.indices) { labels[$0] }.sorted { $0.key < $1.key }
    let shares = Self.shares(of: count, sizes: groups.map(\.value.count))
    var isValidation = [Bool](repeating: false, count: labels.count)
    var generator = SplitMix64(seed: seed)
    for (group, share) in zip(groups, shares) {
      var indices = group.value
      generator.shuffle(&indices)
      for index in indices.prefix(share) { isValidation[index] = true }
    }
    train = labels.indices.filter { !isValidation[$0] }
    validation = labels.indices.filter { isValidation[$0] }
  }

  /// Divides `count` in proportion to `sizes`.
  ///
  /// Whole shares first; what is left goes to the largest remainders, of equal ones to the first.
  private static func shares(of count: Int, sizes: [Int]) -> [Int] {
    let total = sizes.reduce(0, +)
    var shares = sizes.map { count * $0 / total }
    let byRemainder = sizes.indices.sorted {
      let (first, second) = (count * sizes[$0] % total, count * sizes[$1] % total)
      return first == second ? $0 < $1 : first > second
    }
    for place in byRemainder.prefix(count - shares.reduce(0, +)) { shares[place] += 1 }
    return shares
  }
}
