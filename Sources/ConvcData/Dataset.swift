/// Images with a class each.
public struct ImageSet: Sendable {
  /// Where they come from, for errors: the file of the labels.
  public let name: String
  /// Extents of an image, `[C, H, W]`.
  public let shape: [Int]
  /// `[count, C, H, W]`, row-major.
  public let pixels: [UInt8]
  /// The class of each image.
  public let labels: [Int32]

  /// Number of images.
  public var count: Int { labels.count }
  /// Pixels of an image, over all channels.
  public var imageSize: Int { shape.reduce(1, *) }

  /// - Parameters:
  ///   - name: where the labels come from, for errors.
  ///   - pixelsName: where the pixels come from, for errors; nil: the same.
  ///   - shape: extents of an image, `[C, H, W]`, all above 0.
  ///   - pixels: as many images as there are labels, row-major.
  /// - Throws: no images, or not as many as labels.
  public init(
    name: String, pixelsName: String? = nil, shape: [Int], pixels: [UInt8], labels: [Int32]
  ) throws(DataError) {
    let pixelsName = pixelsName ?? name
    guard shape.count == 3, shape.allSatisfy({ $0 > 0 }) else {
      throw .rank(path: pixelsName, expected: "channels, height and width above 0", shape: shape)
    }
    guard !pixels.isEmpty else { throw .noImages(path: pixelsName) }
    self.name = name
    self.shape = shape
    self.pixels = pixels
    self.labels = labels
    guard pixels.count == labels.count * imageSize else {
      throw .counts(
        images: pixels.count / imageSize, imagesPath: pixelsName, labels: labels.count,
        labelsPath: name)
    }
  }

  /// Reads a pair of IDX files: `uint8` images `[count, H, W]` or `[count, C, H, W]`, and labels
  /// of any integer type.
  init(images: String, labels: String) throws(DataError) {
    let pixels = try IDXFile(path: images)
    let expected = "images, height and width, with channels second where there are several"
    guard pixels.shape.count == 3 || pixels.shape.count == 4 else {
      throw .rank(path: images, expected: expected, shape: pixels.shape)
    }
    let classes = try IDXFile(path: labels)
    guard classes.shape.count == 1 else {
      throw .rank(path: labels, expected: "one, the number of labels", shape: classes.shape)
    }
    guard pixels.shape[0] > 0 else { throw .noImages(path: images) }
    guard pixels.shape[0] == classes.count else {
      throw .counts(
        images: pixels.shape[0], imagesPath: images, labels: classes.count, labelsPath: labels)
    }
    let size = Array(pixels.shape.dropFirst())
    try self.init(
      name: labels, pixelsName: images, shape: size.count == 2 ? [1] + size : size,
      pixels: pixels.bytes(), labels: classes.integers())
  }
}

/// Images of the same size in a part to train on and a part to judge by.
public struct Dataset: Sendable {
  public let name: String
  /// Who made it and under which licence, in one line; empty: unknown.
  public let attribution: String
  /// Extents of an image, `[C, H, W]`.
  public let shape: [Int]
  public let classNames: [String]
  /// The value of a white pixel: 255 in most.
  public let pixelMaximum: UInt8
  public let train: ImageSet
  public let test: ImageSet

  /// - Throws: parts whose images differ in size, or a label that is no class.
  public init(
    name: String, attribution: String = "", classNames: [String], pixelMaximum: UInt8 = 255,
    train: ImageSet, test: ImageSet
  ) throws(DataError) {
    guard train.shape == test.shape else {
      throw .sizes(train: train.shape, test: test.shape, dataset: name)
    }
    for part in [train, test] {
      let isClass = { (label: Int32) in label >= 0 && label < classNames.count }
      guard let image = part.labels.firstIndex(where: { !isClass($0) }) else { continue }
      throw .label(
        Int(part.labels[image]), image: image, path: part.name, classes: classNames.count)
    }
    self.name = name
    self.attribution = attribution
    shape = train.shape
    self.classNames = classNames
    self.pixelMaximum = pixelMaximum
    self.train = train
    self.test = test
  }
}
