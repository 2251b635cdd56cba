import FoundationEssentials

/// The JSON header of a safetensors file.
struct WeightsHeader: Decodable {
  struct Entry: Decodable {
    let dtype: String
    let shape: [Int]
    /// First byte and end, counted from the end of the header.
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private(set) var metadata: [String: String] = [:]
  private(set) var entries: [String: Entry] = [:]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      if key.stringValue == "__metadata__" {
        metadata = try container.decode([String: String].self, forKey: key)
      } else {
        entries[key.stringValue] = try container.decode(Entry.self, forKey: key)
      }
    }
  }

  /// Why the tensors do not fill the data section, each byte once; nil: they do.
  ///
  /// - Parameter dataCount: bytes of the data section.
  func fault(dataCount: Int) -> String? {
    for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
      guard entry.offsets.count == 2, 0 <= entry.offsets[0], entry.offsets[0] <= entry.offsets[1]
      else { return "tensor '\(name)' has no place" }
      if entry.offsets[1] > dataCount { return "truncated in tensor '\(name)'" }
    }
    func bytes(_ count: Int) -> String { count == 1 ? "1 byte" : "\(count) bytes" }
    var last: (name: String, end: Int)?
    let inOrder = entries.sorted {
      ($0.value.offsets[0], $0.value.offsets[1], $0.key)
        < ($1.value.offsets[0], $1.value.offsets[1], $1.key)
    }
    for (name, entry) in inOrder {
      let end = last?.end ?? 0
      if entry.offsets[0] < end { return "tensor '\(name)' overlaps tensor '\(last?.name ?? "")'" }
      if entry.offsets[0] > end {
        return "\(bytes(entry.offsets[0] - end)) before tensor '\(name)' belong to no tensor"
      }
      last = (name, entry.offsets[1])
    }
    let rest = dataCount - (last?.end ?? 0)
    guard rest > 0 else { return nil }
    let place = last.map { "after tensor '\($0.name)', the last," } ?? "after the header"
    return "\(bytes(rest)) \(place) belong to no tensor"
  }

  /// The first name that a header gives twice, which decoding hides; nil: there is none.
  ///
  /// - Parameter header: JSON that is known to be valid.
  static func repeatedName(in header: Data) -> String? {
    var seen: Set<String> = []
    var depth = 0
    var index = header.startIndex
    while index < header.endIndex {
      switch header[index] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""):
        let start = index
        index += 1
        while header[index] != UInt8(ascii: "\"") {
          index += header[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        // The values of the outermost object are objects: its strings are names.
        guard depth == 1 else { break }
        let name = try? JSONDecoder().decode(String.self, from: Data(header[start...index]))
        if let name, !seen.insert(name).inserted { return name }
      default: break
      }
      index += 1
    }
    return nil
  }
}
