/// Memory for the tensors of one batch, at addresses that stay.
final class BatchBuffers {
  let inputs: [UnsafeMutableRawPointer]
  let targets: [UnsafeMutableRawPointer]
  let outputs: [UnsafeMutableRawPointer]

  /// Room for `batch` images of every tensor of a layout.
  init(_ layout: ModelLayout, batch: Int) {
    func allocate(_ tensor: ModelLayout.Tensor) -> UnsafeMutableRawPointer {
      let bytes = max(64, tensor.element.size * tensor.count * batch)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
      return memory
    }
    inputs = layout.inputs.map(allocate)
    targets = layout.targets.map(allocate)
    outputs = layout.outputs.map(allocate)
  }

  /// Calls `body` with each label of the first images but the one that is left out, and with the class that is predicted
  /// there.
  func forEachLabel(
    of loss: ModelLayout.Loss, _ layout: ModelLayout, images count: Int,
    _ body: (_ actual: Int, _ predicted: Int) -> Void
  ) {
    guard let range = loss.labels else { return }
    let scored = layout.outputs[loss.output].classes
    let pixels = layout.targets[loss.target].count
    let scores = outputs[loss.output].assumingMemoryBound(to: Float.self)
    let labels = targets[loss.target].assumingMemoryBound(to: Int32.self)
    for place in 0..<count * pixels where labels[place] != range.ignored {
      let row = scores + place / pixels * scored * pixels + place % pixels
      switch range.decision {
      case .highest:
        body(Int(labels[place]), Self.winner(row, classes: scored, stride: pixels))
      case .above(let bound): body(Int(labels[place]), row[0] > bound ? 1 : 0)
      }
    }
  }

  /// The index of the highest of `classes` scores that lie `stride` apart; the first of equal ones.
  static func winner(_ scores: UnsafePointer<Float>, classes: Int, stride: Int = 1) -> Int {
    var winner = 0
    for index in 1..<classes where scores[index * stride] > scores[winner * stride] {
      winner = index
    }
    return winner
  }

  deinit {
    for memory in inputs + targets + outputs { memory.deallocate() }
  }

  var readInputs: [UnsafeRawPointer] { inputs.map { UnsafeRawPointer($0) } }
  var readTargets: [UnsafeRawPointer] { targets.map { UnsafeRawPointer($0) } }
}
