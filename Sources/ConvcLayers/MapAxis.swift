import ConvcIR

/// An axis of a tensor within one image, as kernels see it: maps `[C, H, W]`.
enum MapAxis: Sendable, Hashable {
  case channels, rows, columns

  /// The axis that a user counts.
  ///
  /// - Parameter index: from 0, or from −1 at the end; the batch is axis 0.
  /// - Throws: an axis that the tensor does not have, and the batch.
  init(_ index: Int, of type: TensorType) throws(LayerError) {
    let rank = type.shape.count
    let axis = index < 0 ? index + rank : index
    guard axis >= 1, axis < rank else {
      let wayOut = axis == 0 ? "the batch's axis cannot be taken" : "it has \(rank) axes"
      throw .setting(
        "axis \(index) is not one of an image in \(type); \(wayOut): "
          + "choose one of \((1..<rank).map(String.init).joined(separator: ", "))")
    }
    self = axis == 1 ? .channels : axis == rank - 1 ? .columns : .rows
  }

  /// Its extent's name in kernels.
  var constant: String {
    switch self {
    case .channels: "C"
    case .rows: "H"
    case .columns: "W"
    }
  }
}

/// The places of a row-major tensor along one axis.
struct AxisLines {
  /// Lines before and after one another.
  let outer: Int
  /// Places on a line.
  let count: Int
  /// Distance of neighbours on a line.
  let stride: Int

  /// - Parameter axis: counted as ``MapAxis`` does.
  init(_ axis: Int, of shape: [Int]) {
    let axis = axis < 0 ? axis + shape.count : axis
    outer = shape[..<axis].reduce(1, *)
    count = shape[axis]
    stride = shape[(axis + 1)...].reduce(1, *)
  }

  /// Calls with the first place of every line.
  func forEachLine(_ body: (Int) -> Void) {
    for line in 0..<outer {
      for inner in 0..<stride { body(line * count * stride + inner) }
    }
  }
}
