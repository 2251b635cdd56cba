import ConvcIR

/// A network's layers in columns and lanes, before anything has a size.
///
/// A box stands one column after the last of those that it reads. A lane holds chains: the longest way through the network
/// is lane 0, each branch beside it takes the first lane that is free as far as it reaches.
struct NetworkPlan {
  /// An input or a layer.
  struct Box {
    let title: String
    /// Settings in words.
    let settings: String
    let shape: [Int]
    /// nil: an input.
    let family: LayerFamily?
    /// Boxes that it reads, all before it.
    let reads: [Int]
    /// The kernel that computes it.
    let group: String?
    /// Its output has its input's shape: it is drawn as a plate.
    let isPlate: Bool
  }

  let boxes: [Box]
  let columns: [Int]
  let lanes: [Int]
  /// The box that continues a box's chain.
  let next: [Int?]
  /// The boxes that read a box.
  let readers: [[Int]]

  var columnCount: Int { (columns.max() ?? -1) + 1 }

  init(boxes: [Box]) {
    self.boxes = boxes
    var readers = [[Int]](repeating: [], count: boxes.count)
    for (index, box) in boxes.enumerated() {
      for read in Set(box.reads) { readers[read].append(index) }
    }
    self.readers = readers
    var columns: [Int] = []
    for box in boxes { columns.append((box.reads.map { columns[$0] + 1 }.max()) ?? 0) }
    for (index, box) in boxes.enumerated() where box.reads.isEmpty {
      // An input stands right before its first reader.
      columns[index] = max(0, (readers[index].map { columns[$0] }.min() ?? 1) - 1)
    }
    self.columns = columns
    next = Self.chains(boxes, columns, readers)
    lanes = Self.lanes(boxes, columns, readers, next)
  }

  /// Of each box the reader that goes on in its lane: the one from which the way to the end is longest.
  private static func chains(_ boxes: [Box], _ columns: [Int], _ readers: [[Int]]) -> [Int?] {
    var rest = [Int](repeating: 0, count: boxes.count)
    for index in boxes.indices.reversed() {
      rest[index] = (readers[index].map { rest[$0] + 1 }.max()) ?? 0
    }
    let main = boxes.map { box in
      box.reads.max { (columns[$0], rest[$0], -$0) < (columns[$1], rest[$1], -$1) }
    }
    return boxes.indices.map { index in
      readers[index].filter { main[$0] == index }.max { (rest[$0], -$0) < (rest[$1], -$1) }
    }
  }

  private static func lanes(
    _ boxes: [Box], _ columns: [Int], _ readers: [[Int]], _ next: [Int?]
  ) -> [Int] {
    let followers = Set(next.compactMap { $0 })
    let chains = boxes.indices.filter { !followers.contains($0) }.map { first in
      Array(sequence(first: first) { next[$0] })
    }
    // The longest first; of equal ones the one that begins first.
    let sorted = chains.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
    var taken: [[ClosedRange<Int>]] = []
    var lanes = [Int](repeating: 0, count: boxes.count)
    for chain in sorted {
      let last = chain[chain.count - 1]
      let end = readers[last].map { columns[$0] - 1 }.max() ?? columns[last]
      let range = columns[chain[0]]...max(end, columns[last])
      let lane = taken.firstIndex { $0.allSatisfy { !$0.overlaps(range) } } ?? taken.count
      if lane == taken.count { taken.append([]) }
      // Nothing else stands beside the main way: other inputs would be taken for a part of it.
      taken[lane].append(lane == 0 ? 0...Int.max - 1 : range)
      for box in chain { lanes[box] = lane }
    }
    return lanes
  }
}

extension NetworkPlan {
  init(_ inspection: Inspection) {
    var boxes: [Box] = []
    var index: [String: Int] = [:]
    for input in inspection.inputs {
      index[input.name] = boxes.count
      boxes.append(
        Box(
          title: input.name, settings: "input", shape: input.shape, family: nil, reads: [],
          group: nil, isPlate: false))
    }
    for layer in inspection.layers {
      let reads = layer.inputs.compactMap { index[$0] }
      index[layer.name] = boxes.count
      let keepsShape = reads.count == 1 && boxes[reads[0]].shape == layer.shape
      let isSmall = [.activation, .normalization, .regularization].contains(layer.family)
      boxes.append(
        Box(
          title: layer.name, settings: layer.settings + (layer.frozen ? ", frozen" : ""),
          shape: layer.shape, family: layer.family, reads: reads, group: layer.group,
          isPlate: keepsShape && isSmall))
    }
    self.init(boxes: boxes)
  }
}
