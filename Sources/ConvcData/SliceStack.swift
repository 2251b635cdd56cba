extension ImageSet {
  /// The images with those before and after them as further channels: 2.5-D input from the slices of volumes.
  ///
  /// Channels stand in the order of the slices; where a volume ends, its last slice stands for those that are missing.
  ///
  /// - Parameters:
  ///   - neighbors: slices on each side; 1 makes images `[3 · C, H, W]`.
  ///   - depth: slices of a volume, which follow one another; nil: all images are one volume.
  /// - Throws: a depth that does not divide the number of images, or a number out of range.
  public func stacked(neighbors: Int, depth: Int? = nil) throws(DataError) -> ImageSet {
    let depth = depth ?? count
    guard neighbors >= 0, neighbors <= 64, depth > 0, count % depth == 0 else {
      throw .stack(path: name, images: count, neighbors: neighbors, depth: depth)
    }
    guard neighbors > 0 else { return self }
    var stacked: [UInt8] = []
    stacked.reserveCapacity(pixels.count * (2 * neighbors + 1))
    for image in 0..<count {
      let first = image / depth * depth
      for slice in image - neighbors...image + neighbors {
        let nearest = min(max(slice, first), first + depth - 1)
        stacked += pixels[nearest * imageSize..<(nearest + 1) * imageSize]
      }
    }
    return try ImageSet(
      name: name, shape: [(2 * neighbors + 1) * shape[0]] + shape.dropFirst(), pixels: stacked,
      labels: labels)
  }
}

extension Dataset {
  /// The data set with the images beside each one as further channels, see ``ImageSet/stacked(neighbors:depth:)``.
  public func stacked(neighbors: Int, depth: Int? = nil) throws(DataError) -> Dataset {
    guard neighbors != 0 else { return self }
    return try Dataset(
      name: name, attribution: attribution, classNames: classNames, pixelMaximum: pixelMaximum,
      train: train.stacked(neighbors: neighbors, depth: depth),
      test: test.stacked(neighbors: neighbors, depth: depth))
  }
}
