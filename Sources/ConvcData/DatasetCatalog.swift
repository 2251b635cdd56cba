import ConvcIR

/// The data sets that can be asked for by name.
public struct DatasetCatalog: Sendable {
  /// A line of the list.
  public struct Entry: Sendable, Hashable {
    public let name: String
    /// What it shows, in one line.
    public let summary: String
    /// Extents of an image, `[C, H, W]`.
    public let shape: [Int]
    public let classCount: Int
    public let trainCount: Int
    public let testCount: Int
    public let isInstalled: Bool
    /// The command that installs it; nil: it is built in.
    public let installation: String?
    public let license: String
  }

  /// Where the system's packages put data sets.
  public let folder: String

  public init(folder: String = "/usr/share/datasets") {
    self.folder = folder
  }

  /// All of them, by name.
  public var entries: [Entry] {
    [
      Entry(
        name: "digits", summary: "handwritten digits, built in", shape: [1, 8, 8], classCount: 10,
        trainCount: Digits.trainCount, testCount: Digits.testCount, isInstalled: true,
        installation: nil, license: "CC BY 4.0"),
      Entry(
        name: FashionMNIST.name, summary: "photographs of clothing", shape: [1, 28, 28],
        classCount: FashionMNIST.classNames.count, trainCount: 60_000, testCount: 10_000,
        isInstalled: FileReader.exists(fashionFolder, folder: true),
        installation: FashionMNIST.installation, license: "MIT"),
    ]
  }

  private var fashionFolder: String { "\(folder)/\(FashionMNIST.name)" }

  /// Reads a data set.
  ///
  /// - Parameter name: a name of the catalog, or the path of a folder with the four files of MNIST
  ///   (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same with `t10k`, plain or
  ///   `.gz`) and perhaps `classes.txt`, a name a line; or with files of CIFAR-10's binary version
  ///   (`data_batch*.bin` or `train*.bin`, `test*.bin`, plain or `.gz`, and `batches.meta.txt`). A folder
  ///   that is called like a data set is written with a slash: `./digits`.
  /// - Throws: an unknown name, a data set that is not installed, and files that are damaged or do
  ///   not belong together.
  public func load(_ name: String) throws(DataError) -> Dataset {
    switch name {
    case "digits":
      return try Digits.dataset()
    case FashionMNIST.name:
      guard FileReader.exists(fashionFolder, folder: true) else {
        throw .notInstalled(
          name: name, folder: fashionFolder, installation: FashionMNIST.installation)
      }
      return try IDXFolder(path: fashionFolder).dataset(
        name: name, attribution: FashionMNIST.attribution, classNames: FashionMNIST.classNames)
    default:
      guard FileReader.exists(name, folder: true) else { throw unknown(name) }
      var path = name[...]
      while path.count > 1 && path.last == "/" { path.removeLast() }
      let last = path.split(separator: "/").last.map(String.init) ?? name
      if CIFARFolder.isOne(String(path)) {
        return try CIFARFolder(path: String(path)).dataset(name: last)
      }
      return try IDXFolder(path: String(path)).dataset(name: last)
    }
  }

  private func unknown(_ name: String) -> DataError {
    guard !name.contains("/") else {
      return .cannotRead(path: name, reason: "no such folder")
    }
    let known = entries.map(\.name)
    let distances = known.map { (name: $0, distance: Spelling.changes(name.lowercased(), $0)) }
    let nearest = distances.min { $0.distance < $1.distance }
    // Half of the letters wrong is no misspelling.
    let isNear = nearest.map { 2 * $0.distance <= $0.name.count } ?? false
    return .unknown(name: name, nearest: isNear ? nearest?.name : nil, known: known)
  }
}

/// What is known of Fashion-MNIST beyond its files.
enum FashionMNIST {
  static let name = "fashion-mnist"
  static let installation = "apt-get install dataset-fashion-mnist"
  static let attribution =
    "Fashion-MNIST, H. Xiao, K. Rasul and R. Vollgraf 2017, arXiv 1708.07747, MIT"
  static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
  ]
}
