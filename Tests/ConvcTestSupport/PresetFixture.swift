import ConvcIR
import ConvcLayers
import ConvcModels
import ConvcReference
import Foundation

/// What PyTorch makes of a preset in one pass over a small batch (`Tests/Fixtures/make_preset_fixtures.py`).
public struct PresetFixture: Sendable, CustomStringConvertible {
  /// What is kept of a tensor.
  public struct Summary: Sendable, Hashable {
    public let norm: Double
    public let largest: Double
    /// Values at ``places(of:)``.
    public let elements: [Double]

    fileprivate init(_ values: [Float]) {
      norm = Double(values[0])
      largest = Double(values[1])
      elements = values.dropFirst(2).map(Double.init)
    }

    /// The summary of a tensor.
    public init(of values: UnsafeBufferPointer<Float>) {
      var (sum, largest, i) = (0.0, 0 as Float, 0)
      while i < values.count {
        sum += Double(values[i]) * Double(values[i])
        // A NaN stays.
        if !(values[i].magnitude <= largest) { largest = values[i].magnitude }
        i &+= 1
      }
      norm = sum.squareRoot()
      self.largest = Double(largest)
      elements = PresetFixture.places(of: values.count).map { Double(values[$0]) }
    }
  }

  private struct Entry: Decodable {
    let name: String
    let batch: Int
    let input: [Int]
    let classes: Int
    let shift: Double?
    let seed: Int?
  }

  private let entry: Entry
  private let folder: String

  /// Every preset's fixture; those of the folder `CONVC_PRESET_FIXTURES` where that is set.
  ///
  /// - Throws: a list of fixtures that is missing or damaged.
  public static func all() throws -> [PresetFixture] {
    let folder =
      ProcessInfo.processInfo.environment["CONVC_PRESET_FIXTURES"]
      ?? TestFiles.fixtures + "presets"
    let text = try Data(contentsOf: URL(filePath: "\(folder)/presets.json"))
    return try JSONDecoder().decode([Entry].self, from: text).map {
      PresetFixture(entry: $0, folder: folder)
    }
  }

  public var description: String { entry.name }
  public var batch: Int { entry.batch }

  /// The preset for the fixture's images, its dropout layers off.
  public func model() throws -> Model {
    guard let preset = Preset.named(entry.name) else {
      throw TensorFile.MissingTensor(name: entry.name)
    }
    var model = preset.make(entry.input, entry.classes)
    model.nodes = model.nodes.map { node in
      Model.Node(
        name: node.name, layer: node.layer is Dropout ? Dropout(rate: 0) : node.layer,
        inputs: node.inputs, isFrozen: node.isFrozen, location: node.location)
    }
    return model
  }

  /// What PyTorch gave, and what it started from where that is not made of names.
  public func tensors() throws -> TensorFile {
    try TensorFile(path: "\(folder)/\(entry.name).safetensors")
  }

  /// A summary in the fixture's file.
  ///
  /// - Throws: a name that the file lacks.
  public static func summary(_ name: String, in file: TensorFile) throws -> Summary {
    Summary(try file[name].values)
  }

  // MARK: Values

  /// What the names begin with that decide values.
  private var prefix: String { "\(entry.name).\(entry.seed ?? 0)" }
  private var shift: Double { entry.shift ?? 0 }
  /// What dense weights are divided by: values that a shift makes large would leave one class at the end.
  private var tameness: Double { (1 + shift) * (1 + shift) }

  /// The parameter block.
  public func parameters(of graph: Graph, _ file: TensorFile) throws -> [Float] {
    if entry.shift == nil {
      return try graph.parameters.flatMap { try file["start.\($0.name)"].values }
    }
    return [Float](unsafeUninitializedCapacity: graph.parameterCount) { block, count in
      for parameter in graph.parameters {
        let part = block[parameter.offset..<parameter.offset + parameter.spec.count]
        fill(UnsafeMutableBufferPointer(rebasing: part), parameter)
      }
      count = graph.parameterCount
    }
  }

  /// Weights after He et al.; what usually is 0 or 1 is spread around it, or around the fixture's shift.
  private func fill(_ values: UnsafeMutableBufferPointer<Float>, _ parameter: Parameter) {
    let name = parameter.name
    let (low, high): (Double, Double)
    if parameter.spec.shape.count > 1 {
      let fan = Double(parameter.spec.shape.dropFirst().reduce(1, *))
      let bound = (6 / fan).squareRoot() / (name.hasPrefix("dense") ? tameness : 1)
      (low, high) = (-bound, bound)
    } else if name.hasSuffix(".weight") || name.hasSuffix(".running_var") {
      (low, high) = (0.75, 1.25)
    } else {
      let shifts = name.hasPrefix("bn") && name.hasSuffix(".bias")
      let middle = shifts ? shift : 0
      (low, high) = (middle - 0.25, middle + 0.25)
    }
    Self.uniform(values, low, high, name: "\(prefix).\(name)")
  }

  /// Images and targets.
  public func sample(for graph: Graph, _ file: TensorFile) throws -> ReferenceSample {
    let target = graph.targets[0]
    guard entry.shift != nil else {
      let values = try file["start.target"].values
      return ReferenceSample(
        batch: batch, inputs: [try file["start.image"].values],
        targets: [target.classes == nil ? .values(values) : .labels(values.map { Int32($0) })])
    }
    func uniform(_ count: Int, _ bound: Double, _ name: String) -> [Float] {
      [Float](unsafeUninitializedCapacity: count) { values, initialized in
        let all = UnsafeMutableBufferPointer(rebasing: values[..<count])
        Self.uniform(all, -bound, bound, name: "\(prefix).\(name)")
        initialized = count
      }
    }
    let image = uniform(graph[graph.inputs[0]].type.count, 3.0.squareRoot(), "image")
    guard let classes = target.classes else {
      return ReferenceSample(
        batch: batch, inputs: [image], targets: [.values(uniform(target.type.count, 1, "target"))])
    }
    var generator = SplitMix64(seed: Self.hash("\(prefix).target"))
    let labels = (0..<target.type.count).map { _ in Int32(generator.next() % UInt64(classes)) }
    return ReferenceSample(batch: batch, inputs: [image], targets: [.labels(labels)])
  }

  /// Numbers that a name decides.
  private static func uniform(
    _ values: UnsafeMutableBufferPointer<Float>, _ low: Double, _ high: Double, name: String
  ) {
    var generator = SplitMix64(seed: hash(name))
    var i = 0
    while i < values.count {
      values[i] = Float(low + (high - low) * generator.uniform())
      i &+= 1
    }
  }

  /// FNV-1a, 64 bits.
  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// Which elements of a tensor a summary has.
  private static func places(of count: Int) -> [Int] {
    (0..<16).map { Int(UInt64($0) &* 0x9e37_79b9_7f4a_7c15 % UInt64(count)) }
  }
}
