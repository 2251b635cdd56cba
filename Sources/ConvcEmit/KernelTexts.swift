import ConvcIR

/// The kernels of a module as C functions, in the order of their first use.
struct KernelTexts: Sendable {
  struct Kernel: Sendable {
    let function: CFunction
    /// The layers of each use of the function, each set of them once.
    let uses: [[String]]
    /// Name as a static function, and as one that other files call.
    let name: String
    let sharedName: String
    /// Its text as a static function.
    let lines: [String]
  }

  let prefix: String
  let all: [Kernel]
  private let renderer: KernelRenderer

  init(_ module: CModule, renderer: TemplateRenderer) throws(TemplateError) {
    let prefix = CText.prefix(module.name)
    let renderer = KernelRenderer(renderer: renderer, target: module.target)
    let uses = Self.uses(module)
    var order: [String] = []
    var layers: [String: [[String]]] = [:]
    for use in uses {
      if layers[use.function] == nil { order.append(use.function) }
      let known = layers[use.function] ?? []
      if !known.contains(use.layers) { layers[use.function] = known + [use.layers] }
    }
    let functions = Dictionary(grouping: module.functions, by: \.name)
    if let unused = module.functions.first(where: { layers[$0.name] == nil }) {
      preconditionFailure("internal error: nothing calls \(unused.name)")
    }
    var symbols = Symbols(reserved: EntryPoints.reserved(prefix))
    let kernels = order.map { name -> (function: CFunction, name: String, sharedName: String) in
      guard let same = functions[name], same.count == 1 else {
        preconditionFailure("internal error: \(functions[name]?.count ?? 0) functions are \(name)")
      }
      let symbol = symbols.name(CText.identifier(name))
      return (same[0], symbol, symbols.name("\(prefix)_\(symbol)"))
    }
    let allUses = layers
    all = try concurrently(kernels.count) { index throws(TemplateError) in
      let (function, name, sharedName) = kernels[index]
      let uses = allUses[function.name] ?? []
      return Kernel(
        function: function, uses: uses, name: name, sharedName: sharedName,
        lines: try renderer.function(function.call, name: name, uses: uses))
    }
    self.prefix = prefix
    self.renderer = renderer
  }

  /// All names that a kernel has in C.
  var names: [String] { all.flatMap { [$0.name, $0.sharedName] } }

  /// The text of a kernel that other files call: the same below another signature.
  func hidden(_ kernel: Kernel) -> [String] {
    let call = kernel.function.call
    let own = renderer.signature(call, kernel.name, .static, " {")
    guard let first = kernel.lines.firstIndex(of: own[0]),
      kernel.lines[first...].starts(with: own)
    else { preconditionFailure("internal error: \(kernel.name) has no signature") }
    return kernel.lines[..<first] + renderer.signature(call, kernel.sharedName, .hidden, " {")
      + kernel.lines[(first + own.count)...]
  }

  /// The declaration of a kernel that stands in another file.
  func declaration(_ kernel: Kernel) -> [String] {
    renderer.declaration(kernel.function.call, name: kernel.sharedName)
  }

  /// The helper functions of kernels, each once.
  func support(of kernels: ArraySlice<Kernel>) throws(TemplateError) -> [String] {
    var known: Set<String> = []
    var lines: [String] = []
    for template in kernels.flatMap(\.function.call.support)
    where known.insert(template).inserted {
      lines += try renderer.support(template) + [""]
    }
    return lines
  }

  /// Functions by the module's names, given the kernels that stand in the first file.
  func functions(inFirst first: Range<Int>) -> [String: KernelFunction] {
    var functions: [String: KernelFunction] = [:]
    for (index, kernel) in all.enumerated() {
      functions[kernel.function.name] = KernelFunction(
        function: kernel.function,
        symbol: first.contains(index) ? kernel.name : kernel.sharedName)
    }
    return functions
  }

  private static func uses(_ module: CModule) -> [(function: String, layers: [String])] {
    var uses: [(function: String, layers: [String])] = []
    for program in [module.inference, module.training].compactMap({ $0 }) {
      for (call, function) in zip(program.schedule.plan.kernels.calls, program.functions) {
        uses.append((function, call.layers))
      }
    }
    return uses + module.packed.map { ($0.function, $0.entry.prepare.layers) }
  }
}
