import Convc
import ConvcTestSupport

@testable import ConvcEmit

/// The random networks of a few seeds, each compiled once for all mistakes that are planted into it.
actor FaultyNetworks {
  /// What a search came to.
  enum Finding: CustomStringConvertible {
    case found(seed: UInt64)
    /// The networks that ran with the mistake and gave what the reference gives.
    case missed([UInt64])

    var isFound: Bool { if case .found = self { true } else { false } }

    var description: String {
      switch self {
      case .found(let seed): "found by network \(seed)"
      case .missed([]): "no network has a kernel that it changes"
      case .missed(let seeds): "not found by networks \(seeds)"
      }
    }
  }

  private struct Key: Hashable {
    let seed: UInt64
    let way: String
  }

  /// The networks in question: a layer's turn comes in about forty of them.
  static let seeds = UInt64(0)..<2000
  /// Networks with a mistake that are run before it counts as missed.
  static let attempts = 16

  private var modules: [Key: Task<(module: CModule, files: EmittedFiles), any Error>] = [:]
  private var networks: [UInt64: Task<RandomNetwork, any Error>] = [:]
  private var toolchain: Task<Toolchain, any Error>?

  /// Runs networks that have the mistake until one shows it.
  func search(_ fault: PlantedFault) async throws -> Finding {
    var tried: [UInt64] = []
    for seed in NetworkDraw.seeds(planting: fault.planted, in: Self.seeds)
    where tried.count < Self.attempts {
      let (module, original) = try await module(Key(seed: seed, way: fault.way))
      guard fault.changes(module) else { continue }
      let files = try fault.files(of: module)
      guard files != original else { continue }
      tried.append(seed)
      if try await shows(files, prefix: module.name, seed: seed) { return .found(seed: seed) }
    }
    return .missed(tried)
  }

  private func module(_ key: Key) async throws -> (module: CModule, files: EmittedFiles) {
    let task =
      modules[key]
      ?? Task {
        guard let way = CompileVariant.ofNetworks.first(where: { $0.name == key.way }) else {
          preconditionFailure("no way to compile is called \(key.way)")
        }
        let draw = NetworkDraw(seed: key.seed)
        let options = way.options(
          batch: draw.maximumBatch, trains: true, name: "faulty\(key.seed)",
          place: Int(key.seed))
        let module = try draw.model.compile(options).stages.module
        return (module, EmitC().run(module))
      }
    modules[key] = task
    return try await task.value
  }

  private func network(_ seed: UInt64) async throws -> RandomNetwork {
    let task = networks[seed] ?? Task { try RandomNetwork(seed: seed) }
    networks[seed] = task
    return try await task.value
  }

  /// Whether C does not give what the network's reference does.
  private nonisolated func shows(
    _ files: EmittedFiles, prefix: String, seed: UInt64
  ) async throws -> Bool {
    let network = try await network(seed)
    let toolchain = try await tools()
    let library = try await toolchain.load(
      sources: files.all.map { CSource(name: $0.name, text: $0.text) },
      options: LibraryOptions(architecture: .native, openMP: true, extraFlags: ["-O0"]))
    return try !differences(of: Program(library: library, prefix: prefix), from: network).isEmpty
  }

  private func tools() async throws -> Toolchain {
    let task = toolchain ?? Task { try await Toolchain.find() }
    toolchain = task
    return try await task.value
  }
}

extension PlantedFault {
  /// A module's C with the mistake in its template.
  fileprivate func files(of module: CModule) throws -> EmittedFiles {
    let original = TemplateLibrary.embedded[template] ?? ""
    let changed = original.replacing(text, with: replacement)
    let templates = TemplateLibrary.embedded.adding([template: changed])
    return try EmitC(EmitOptions(templates: templates)).files(module)
  }
}
