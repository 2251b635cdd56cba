/// A rectangle, in pixels from the picture's upper left corner.
struct Box {
  let left: Float
  let top: Float
  let right: Float
  let bottom: Float

  var area: Float { max(0, right - left) * max(0, bottom - top) }

  /// The area that two boxes share, divided by the area that they cover.
  func overlap(with other: Box) -> Float {
    let shared = Box(
      left: max(left, other.left), top: max(top, other.top), right: min(right, other.right),
      bottom: min(bottom, other.bottom)
    ).area
    return shared / (area + other.area - shared)
  }
}

/// Something that was found.
struct Finding: CustomStringConvertible {
  let name: String
  let score: Float
  let box: Box

  var description: String {
    "\(name) \(Int(score * 100)) %: \(Int(box.left)),\(Int(box.top)) to \(Int(box.right)),\(Int(box.bottom))"
  }

  /// Non-maximum suppression: of findings with the same name that overlap by half, the best alone stays.
  static func best(of findings: [Finding], overlap: Float = 0.5) -> [Finding] {
    var kept: [Finding] = []
    for finding in findings.sorted(by: { $0.score > $1.score })
    where !kept.contains(where: {
      $0.name == finding.name && $0.box.overlap(with: finding.box) > overlap
    }) {
      kept.append(finding)
    }
    return kept
  }
}
