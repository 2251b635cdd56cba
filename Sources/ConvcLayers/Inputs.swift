import ConvcIR

extension [TensorType] {
  /// The only input.
  func single() throws(LayerError) -> TensorType {
    guard count == 1 else { throw .inputCount(expected: "one input", got: count) }
    return self[0]
  }

  /// The only input, which has to be a batch of maps.
  func singleMaps() throws(LayerError) -> TensorType {
    let input = try single()
    guard input.shape.count == 4 else {
      throw .rank(
        expected: 4, got: input.shape,
        wayOut: "this layer works on maps [N, C, H, W]; put it before flatten")
    }
    return input
  }
}
