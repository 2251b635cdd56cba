import ConvcIR
import FoundationEssentials

/// Inputs of a network and the outputs that somebody else computed from them, as files.
public struct ReferencePair: Sendable {
  /// A tensor in a file, by its place among the network's inputs or outputs, or by its name.
  public struct File: Sendable {
    public enum Key: Sendable, Hashable {
      case place(Int)
      case name(String)
    }

    public let key: Key
    public let path: String
  }

  /// The folder's name, or the model's.
  public let name: String
  public let inputs: [File]
  public let outputs: [File]
}

extension ReferencePair {
  /// The pairs for a model: those of a folder, or those that stand beside the file.
  ///
  /// A folder holds them in one of these forms; `.npy` may also be `.npy.gz`:
  /// - subfolders `test_data_set_0` and so on, each with `input_0.pb` and `output_0.pb`, or the same as `.npy`, by
  ///   place: the layout of ONNX's own test data;
  /// - these files in the folder itself;
  /// - `MODEL.input0.npy` and `MODEL.output0.npy`, by place;
  /// - `NAME.npy` for the names of inputs and outputs.
  ///
  /// Beside the file they are looked for in its own folder, and in the subfolder `reference` there.
  ///
  /// - Parameters:
  ///   - model: the path of the ONNX file.
  ///   - folder: nil: beside the file.
  ///   - names: the network's inputs and outputs.
  public static func find(
    model: String, folder: String?, inputs: [String], outputs: [String]
  ) -> [ReferencePair] {
    let cut = model.lastIndex(of: "/")
    let beside = cut.map { String(model[..<$0]) } ?? "."
    let file = cut.map { model[model.index(after: $0)...] } ?? model[...]
    let stem = file.hasSuffix(".onnx") ? String(file.dropLast(5)) : String(file)
    for folder in folder.map({ [$0] }) ?? [beside, "\(beside)/reference"] {
      let search = Search(
        folder: folder, stem: stem, inputs: inputs, outputs: outputs)
      let found = search.pairs()
      if !found.isEmpty { return found }
    }
    return []
  }

  /// The search of one folder.
  private struct Search {
    let folder: String
    let stem: String
    let inputs: [String]
    let outputs: [String]

    func pairs() -> [ReferencePair] {
      let sets = names(of: folder).filter { $0.hasPrefix("test_data_set_") }.sorted {
        ($0.utf8.count, $0) < ($1.utf8.count, $1)
      }
      let found = sets.compactMap {
        numbered(name: $0, in: "\(folder)/\($0)", prefix: "", dash: "_")
      }
      if !found.isEmpty { return found }
      if let pair = numbered(name: stem, in: folder, prefix: "\(stem).", dash: "")
        ?? numbered(name: stem, in: folder, prefix: "", dash: "_")
      {
        return [pair]
      }
      return [named].compactMap { $0 }
    }

    /// Files that count inputs and outputs; nil: there are no outputs.
    private func numbered(
      name: String, in folder: String, prefix: String, dash: String
    ) -> ReferencePair? {
      let files = names(of: folder)
      func all(_ kind: String) -> [File] {
        var result: [File] = []
        for place in 0..<10_000 {
          let stem = "\(prefix)\(kind)\(dash)\(place)"
          guard let file = ending(of: stem, among: files) else { break }
          result.append(File(key: .place(place), path: "\(folder)/\(file)"))
        }
        return result
      }
      let outputs = all("output")
      return outputs.isEmpty
        ? nil : ReferencePair(name: name, inputs: all("input"), outputs: outputs)
    }

    /// Files with the names of inputs and outputs; nil: one of the inputs, or all outputs, are missing.
    private var named: ReferencePair? {
      let files = names(of: folder)
      func all(_ names: [String]) -> [File] {
        names.compactMap { name in
          ending(of: name, among: files).map {
            File(key: .name(name), path: "\(folder)/\($0)")
          }
        }
      }
      let (given, wanted) = (all(inputs), all(outputs))
      guard given.count == inputs.count, !wanted.isEmpty else { return nil }
      return ReferencePair(name: stem, inputs: given, outputs: wanted)
    }

    private func ending(of stem: String, among files: Set<String>) -> String? {
      [".pb", ".npy", ".npy.gz"].map { stem + $0 }.first(where: files.contains)
    }

    private func names(of folder: String) -> Set<String> {
      Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    }
  }
}

/// How far values are from those expected.
public struct Deviation: Sendable {
  /// The largest difference.
  public let absolute: Double
  /// The largest difference as a share of the expected value, where that is not 0.
  public let relative: Double
  /// The value that is farthest beyond the tolerance; nil: all are within.
  public let worst: Worst?

  /// A value, and where it is in row-major order.
  public struct Worst: Sendable {
    public let place: Int
    public let value: Double
    public let expected: Double
  }

  /// - Parameters:
  ///   - rtol: share of the expected value that is allowed.
  ///   - atol: what is allowed beside it.
  public init(_ values: [Double], from expected: [Double], rtol: Double, atol: Double) {
    var (absolute, relative, beyond) = (0.0, 0.0, 0.0)
    var worst: Int?
    for (place, (value, expected)) in zip(values, expected).enumerated() {
      if value == expected || value.isNaN && expected.isNaN { continue }
      let difference = (value - expected).magnitude
      let gap = difference.isNaN ? .infinity : difference
      absolute = max(absolute, gap)
      if expected != 0 { relative = max(relative, gap / expected.magnitude) }
      let allowed = atol + rtol * (expected.isFinite ? expected.magnitude : 0)
      if gap > allowed, gap / max(allowed, .leastNonzeroMagnitude) > beyond {
        beyond = gap / max(allowed, .leastNonzeroMagnitude)
        worst = place
      }
    }
    (self.absolute, self.relative) = (absolute, relative)
    self.worst = worst.map { Worst(place: $0, value: values[$0], expected: expected[$0]) }
  }
}
