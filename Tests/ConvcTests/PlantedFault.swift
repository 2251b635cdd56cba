import Convc
import ConvcTestSupport
import Foundation
import Testing

/// A change in a template's text: a mistake as a human makes it, which the random networks have to find.
struct PlantedFault: Sendable, CustomTestStringConvertible {
  /// The layer or loss of the registry whose networks are to find it; nil: any of the first networks.
  var planted: String?
  let template: String
  let text: String
  let replacement: String
  /// Name of the ``CompileVariant`` in which the template is used.
  let way: String

  /// - Parameter way: by default kernels for single numbers; for vectors where the template is of vectors.
  init(_ template: String, _ text: String, _ replacement: String, way: String? = nil) {
    self.template = template
    self.text = text
    self.replacement = replacement
    self.way = way ?? (template.hasSuffix("_vector") ? "lanes" : "fused")
  }

  var testDescription: String {
    let place = planted.map { "\($0), " } ?? ""
    return "\(place)\(template), \(way): '\(text)' became '\(replacement)'"
  }

  static let ofEverything: [PlantedFault] =
    ofTemplates
    + (ofLayers + ofLosses).flatMap { name, own in
      own.map { fault in
        var fault = fault
        fault.planted = name
        return fault
      }
    }

  /// All that this machine can run: without vectors there are no ways to compile for them.
  static let all: [PlantedFault] = {
    let ways = Set(CompileVariant.ofNetworks.map(\.name))
    return ofEverything.filter { ways.contains($0.way) }
  }()

  /// Those that every run of the suite plants: of each layer and loss one in each way to compile. `CONVC_ALL_FAULTS=1` plants
  /// all, which takes ten minutes.
  static let ofSuite: [PlantedFault] = {
    guard ProcessInfo.processInfo.environment["CONVC_ALL_FAULTS"] != "1" else { return all }
    var known: Set<String> = []
    return all.filter { known.insert("\($0.planted ?? $0.template) \($0.way)").inserted }
  }()

  /// Whether a kernel's text changes with the template's.
  func changes(_ call: KernelCall) -> Bool {
    call.template == template || call.support.contains(template)
      || call.fragments.values.contains { $0.contains { $0.template == template } }
  }

  /// Whether a module has a kernel that changes, one of the planted layer or loss.
  func changes(_ module: CModule) -> Bool {
    let graph = module.graph
    let nodes = graph.nodes.filter { "\(type(of: $0.layer))" == planted }.map(\.name)
    let losses = graph.losses.filter { "\(type(of: $0.loss))" == planted }.map(\.name)
    let names = Set(nodes + losses)
    let programs = [module.inference, module.training].compactMap(\.self)
    let calls =
      programs.flatMap(\.schedule.plan.kernels.calls) + module.packed.map(\.entry.prepare)
    return calls.contains {
      changes($0) && (planted == nil || !names.isDisjoint(with: $0.layers))
    }
  }
}
