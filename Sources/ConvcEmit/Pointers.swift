import ConvcIR

/// A part of a block of memory, which a region function names once as a pointer.
enum Place: Hashable {
  /// A buffer in the workspace.
  case arena(Buffer.ID)
  /// An entry of the packed block.
  case packed(String)
  /// A parameter's copy in an entry of the packed block.
  case copy(entry: String, parameter: Int)
  case parameter(Int)
  case gradient(Int)
  /// The whole parameter block.
  case parameters
  /// The whole gradient block.
  case gradients

  /// Whether it is a block as the caller passes it, which has a name already.
  var isWhole: Bool { self == .parameters || self == .gradients }

  /// Whether its declaration is a line of its own; others stand in a list, where one more may part a line in three.
  var hasOwnLine: Bool {
    switch self {
    case .arena, .packed: true
    case .copy, .parameter, .gradient, .parameters, .gradients: false
    }
  }

  /// What its pointer is made from.
  var root: Root {
    switch self {
    case .arena: .arena
    case .packed, .copy: .packed
    case .parameter, .parameters: .parameters
    case .gradient, .gradients: .gradients
    }
  }
}

/// The pointers that the functions of one parallel region declare.
struct Pointers {
  /// Names that region functions use beside those of memory and of kernels.
  private static let words: Set<String> = [
    "run", "lanes", "masks", "bytes", "loose", "uint8_t", "uint16_t", "int32_t", "int64_t",
    "uint64_t",
  ]

  private struct Entry {
    let name: String
    /// Distance from the start of its block: bytes, or floats for parameters and gradients.
    let offset: Int
    /// Position in declarations.
    let index: Int
    /// Whether a kernel writes it.
    let isWritten: Bool
  }

  private var entries: [Place: Entry] = [:]
  private var symbols: Symbols

  /// - Parameters:
  ///   - roots: what the region has at hand beside the pointers.
  ///   - functions: names of the functions that it calls.
  private init(roots: [Root], functions: [String]) {
    symbols = Symbols(
      reserved: Self.words.union(roots.map(\.rawValue)).union(functions))
  }

  /// Gives a place a name like the wanted one.
  private mutating func add(
    _ place: Place, like wanted: String, offset: Int, isWritten: Bool = false
  ) {
    let word = CText.identifier(wanted)
    // A name without small letters could be a macro's.
    let isMacro = !word.utf8.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
    let name = symbols.name(isMacro ? "\(word)_" : word, or: "\(place.root.rawValue)_\(word)")
    entries[place] = Entry(
      name: name, offset: offset, index: entries.count, isWritten: isWritten)
  }

  func name(_ place: Place) -> String {
    place.isWhole ? place.root.rawValue : entry(place).name
  }

  private func entry(_ place: Place) -> Entry {
    guard let entry = entries[place] else {
      preconditionFailure("internal error: \(place) has no name")
    }
    return entry
  }

  // MARK: Declarations

  private typealias Named = (place: Place, entry: Entry)

  /// Declarations of the places, as the body of a function has them: a group for each block.
  func declarations(_ places: Set<Place>) -> [String] {
    let sorted = places.filter { !$0.isWhole }.map { ($0, entry($0)) as Named }
      .sorted { $0.entry.index < $1.entry.index }
    let groups = [
      copies(sorted), packed(sorted), parameters(sorted), gradients(sorted), arena(sorted),
    ]
    return groups.filter { !$0.isEmpty }.flatMap { [""] + $0 }
  }

  private func copies(_ places: [Named]) -> [String] {
    var keys: [String] = []
    for case (.copy(let key, _), _) in places where !keys.contains(key) { keys.append(key) }
    return keys.flatMap { key -> [String] in
      let base = entry(.packed(key))
      let start = base.offset == 0 ? "packed" : "(packed + \(base.offset))"
      let copied = places.filter { if case .copy(key, _) = $0.place { true } else { false } }
      return [
        "    // The parameters as prepare copied them.",
        "    const float *const \(base.name) = (const float *)\(start);",
      ] + list("const float", copied, from: base.name)
    }
  }

  private func packed(_ places: [Named]) -> [String] {
    places.compactMap { place, entry in
      guard case .packed = place else { return nil }
      guard entry.isWritten else {
        return "    const void *const \(entry.name) = \(sum("packed", entry.offset));"
      }
      // prepare has the block as `void *`.
      let base = entry.offset == 0 ? "packed" : "(char *)packed"
      return "    void *const \(entry.name) = \(sum(base, entry.offset));"
    }
  }

  private func parameters(_ places: [Named]) -> [String] {
    let own = places.filter { if case .parameter = $0.place { true } else { false } }
    return list("const float", own.filter { !$0.entry.isWritten }, from: "parameters")
      + list("float", own.filter(\.entry.isWritten), from: "parameters")
  }

  private func gradients(_ places: [Named]) -> [String] {
    let own = places.filter { if case .gradient = $0.place { true } else { false } }
    return list("float", own, from: "gradients")
  }

  private func arena(_ places: [Named]) -> [String] {
    let own = places.filter { if case .arena = $0.place { true } else { false } }
    let lines = own.map {
      "    void *const \($0.entry.name) = \(sum("arena", $0.entry.offset));"
    }
    let comment =
      "    // Buffers of the workspace; those that are never in use together share memory."
    return lines.count < 2 ? lines : [comment] + lines
  }

  private func list(_ type: String, _ places: [Named], from base: String) -> [String] {
    guard !places.isEmpty else { return [] }
    let items = places.map { "*const \($0.entry.name) = \(sum(base, $0.entry.offset))" }
    return CText.list("    \(type) ", items, ";")
  }

  private func sum(_ base: String, _ offset: Int) -> String {
    offset == 0 ? base : "\(base) + \(offset)"
  }
}

// MARK: The pointers of a region

extension Pointers {
  /// What the calls of a program read and write.
  ///
  /// - Parameter functions: names of all kernels.
  init(_ program: CProgram, entry: ProgramText.Entry, module: CModule, functions: [String]) {
    self.init(roots: entry.roots, functions: functions)
    let plan = program.schedule.plan
    for slot in plan.slots {
      add(.arena(slot.buffer), like: plan.kernels[slot.buffer].name, offset: slot.offset)
    }
    var used = Uses()
    used.collect(plan.kernels.calls, of: plan.kernels)
    add(used, in: module)
  }

  /// What the kernels of `prepare` read and write.
  init(prepare module: CModule, functions: [String]) {
    self.init(roots: [.parameters, .packed], functions: functions)
    var used = Uses()
    for slot in module.packed {
      used.collect([slot.entry.prepare], of: module.kernels(of: slot.entry))
    }
    add(used, in: module)
  }

  /// What calls reach outside of the arena.
  private struct Uses {
    /// Whether they write it.
    var written: [Place: Bool] = [:]
    /// Floats from the start of the copies.
    var copies: [Place: Int] = [:]

    mutating func collect(_ calls: [KernelCall], of kernels: KernelGraph) {
      for argument in calls.flatMap(\.arguments) {
        let buffer = kernels[argument.buffer]
        guard let place = kernels.place(of: buffer) else { continue }
        written[place] = written[place] == true || argument.access.writes
        guard case .copy(let key, _) = place else { continue }
        copies[place] = buffer.offset
        written[.packed(key)] = written[.packed(key)] ?? false
      }
    }
  }

  /// Adds places in the order in which they lie in memory.
  private mutating func add(_ used: Uses, in module: CModule) {
    for slot in module.packed {
      let place = Place.packed(slot.entry.key)
      guard let isWritten = used.written[place] else { continue }
      add(place, like: slot.entry.key, offset: slot.offset, isWritten: isWritten)
    }
    let keys = module.packed.map(\.entry.key)
    var copies: [Int: Set<String>] = [:]
    for case .copy(let key, let parameter) in used.copies.keys {
      copies[parameter, default: []].insert(key)
    }
    for (index, parameter) in module.graph.parameters.enumerated() {
      let own = copies[index].map { own in keys.filter(own.contains) } ?? []
      let places: [Place] =
        own.map { .copy(entry: $0, parameter: index) } + [.parameter(index), .gradient(index)]
      for place in places {
        guard let isWritten = used.written[place] else { continue }
        let name = place == .gradient(index) ? "d_\(parameter.name)" : parameter.name
        let offset = used.copies[place] ?? parameter.offset
        add(place, like: name, offset: offset, isWritten: isWritten)
      }
    }
  }
}

extension CModule {
  /// The graph whose buffers the entry's kernel names.
  func kernels(of entry: PackedEntry) -> KernelGraph {
    let graphs = [inference, training].compactMap { $0?.schedule.plan.kernels }
    guard let graph = graphs.first(where: { $0.packed.contains(entry) }) else {
      preconditionFailure("internal error: no program has the packed entry \(entry.key)")
    }
    return graph
  }
}

extension KernelGraph {
  /// The part of a block of memory that a buffer is; nil: it is a tensor or a number of the caller's.
  func place(of buffer: Buffer) -> Place? {
    switch buffer.kind {
    case .arena: return .arena(buffer.id)
    case .parameter(let index):
      return buffer.name == "parameters" ? .parameters : .parameter(index)
    case .gradient(let index): return .gradient(index)
    case .gradients: return .gradients
    case .packed(let key):
      let copied = graph.parameters.firstIndex { $0.name == buffer.name }
      return copied.map { .copy(entry: key, parameter: $0) } ?? .packed(key)
    case .input, .target, .output, .losses: return nil
    }
  }
}
