import ConvcIR

extension Window2D {
  /// Output of a pooling layer with this window.
  ///
  /// - Throws: input not of rank 4; a window that does not fit; a padding that leaves a window without a cell.
  func pooledType(of inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleMaps()
    let maps = input.maps
    let size = try outputSize(height: maps.h, width: maps.w)
    guard max(padding.top, padding.bottom) < kernelSize.height,
      max(padding.left, padding.right) < kernelSize.width
    else {
      throw .setting(
        "a padding of \(padding.top), \(padding.bottom), \(padding.left), \(padding.right) leaves windows of "
          + "\(kernelSize.text) without a cell; paddings have to be smaller than the window")
    }
    return input.with(shape: [maps.n, maps.c, size.height, size.width])
  }

  /// Settings in words, for pooling: a stride equal to the window is left out.
  var poolingText: String {
    guard stride == kernelSize else { return text }
    return Window2D(kernelSize: kernelSize, padding: padding, rounding: rounding).text
  }
}
