import ConvcIR

/// Merges the schedules of a build into one C module: a function for each kernel, used by every call whose text would be
/// the same.
///
/// Before: schedules for inference and, in a train build, for training. After: functions in the order of their first
/// use, the packed block with the entries of both programs, and a hash that identifies the model. Needs serial kernels
/// to be known: a kernel that runs on one thread is another function.
public struct LowerToC: Pass {
  public static let name = "lower-to-c"

  /// Prefix of all symbols: a C identifier.
  public let prefix: String
  public let modelHash: String
  /// The network at the largest batch.
  public let graph: Graph

  public init(prefix: String, modelHash: String, graph: Graph) {
    self.prefix = prefix
    self.modelHash = modelHash
    self.graph = graph
  }

  public func run(_ schedules: (inference: Schedule, training: Schedule?)) -> CModule {
    var functions = FunctionTable()
    let inference = program(schedules.inference, &functions)
    let training = schedules.training.map { program($0, &functions) }
    var packed: [PackedSlot] = []
    var bytes = 0
    let entries =
      schedules.inference.plan.kernels.packed + (schedules.training?.plan.kernels.packed ?? [])
    for entry in entries where !packed.contains(where: { $0.entry.key == entry.key }) {
      packed.append(
        PackedSlot(entry: entry, offset: bytes, function: functions.name(of: entry.prepare)))
      bytes = (bytes + entry.bytes + 63) / 64 * 64
    }
    return CModule(
      name: prefix, graph: graph, target: schedules.inference.plan.kernels.target,
      functions: functions.all,
      packed: packed, packedBytes: bytes, inference: inference, training: training,
      modelHash: modelHash)
  }

  private func program(_ schedule: Schedule, _ functions: inout FunctionTable) -> CProgram {
    let calls = schedule.plan.kernels.calls
    var names = [String](repeating: "", count: calls.count)
    for step in schedule.steps {
      switch step {
      case .shared(let call):
        names[call] = functions.name(of: calls[call])
      case .single(let small):
        for call in small { names[call] = functions.name(of: calls[call].serial()) }
      case .barrier:
        break
      }
    }
    return CProgram(schedule: schedule, functions: names)
  }
}

/// Functions by their text.
private struct FunctionTable {
  private(set) var all: [CFunction] = []
  private var taken: Set<String> = []
  private var known: [KernelCall: Int] = [:]

  /// The function of a call; equal calls share the first one, which then lists the layers of all.
  mutating func name(of call: KernelCall) -> String {
    let text = call.textOnly()
    if let index = known[text] {
      let merged = all[index].call.adding(layers: call.layers)
      all[index] = CFunction(name: all[index].name, call: merged)
      return all[index].name
    }
    var name = call.name
    var number = 2
    while !taken.insert(name).inserted {
      name = "\(call.name)_\(number)"
      number += 1
    }
    known[text] = all.count
    all.append(CFunction(name: name, call: call))
    return name
  }
}

/// Puts numbers in the place of layers' names at the beginning of identifiers: `bn1_mean` becomes `0_mean`.
private struct LayerNames {
  private let prefixes: [(prefix: String, number: String)]

  init(_ layers: [String]) {
    prefixes = layers.enumerated().map { ("\($1)_", "\($0)_") }
      .sorted { ($1.prefix.utf8.count, $0.prefix) < ($0.prefix.utf8.count, $1.prefix) }
  }

  func numbered(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "_")) else { return text }
    var result = ""
    var rest = Substring(text)
    while !rest.isEmpty {
      let word = rest.prefix { $0 == "_" || $0.isLetter || $0.isNumber }
      rest = rest.dropFirst(word.count)
      if let layer = prefixes.first(where: { word.hasPrefix($0.prefix) }) {
        result += layer.number + word.dropFirst(layer.prefix.count)
      } else {
        result += word
      }
      if let other = rest.first, word.isEmpty {
        result.append(other)
        rest = rest.dropFirst()
      }
    }
    return result
  }
}

extension KernelCall {
  /// The call without what does not change the function's code: names, buffers, origins. Arguments that begin with a
  /// layer's name are called by the layer's number.
  fileprivate func textOnly() -> KernelCall {
    var layers = self.layers
    for key in fragments.keys.sorted() {
      for fragment in fragments[key] ?? [] where !layers.contains(fragment.layer) {
        layers.append(fragment.layer)
      }
    }
    let names = LayerNames(layers)
    return KernelCall(
      template: template, name: "", title: "", layers: [], constants: constants, flags: flags,
      texts: texts.mapValues(names.numbered),
      fragments: fragments.mapValues { list in
        list.map {
          Fragment(
            template: $0.template, values: $0.values.mapValues(names.numbered), layer: "")
        }
      }, tables: tables, support: support, scalars: scalars,
      arguments: arguments.map {
        Argument(
          names.numbered($0.name), element: $0.element, access: $0.access, buffer: Buffer.ID(0),
          dimensions: $0.dimensions, text: "")
      }, isParallel: isParallel, work: Work(flops: 0, bytes: 0, efficiency: 1))
  }

  fileprivate func adding(layers more: [String]) -> KernelCall {
    let new = more.filter { !layers.contains($0) }
    return KernelCall(
      template: template, name: name, title: title, notes: notes, layers: layers + new,
      constants: constants, flags: flags, texts: texts, fragments: fragments, tables: tables,
      support: support, scalars: scalars, arguments: arguments, isParallel: isParallel, work: work)
  }
}
