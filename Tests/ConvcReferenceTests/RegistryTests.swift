import Convc
import Testing

@testable import ConvcTestSupport

@Suite("Layer registry")
struct RegistryTests {
  private func names<T>(_ types: [T]) -> [String] { types.map { "\($0)" } }

  @Test("examples are accepted, and described by settings that read back")
  func examples() throws {
    for type in LayerRegistry.layers {
      #expect(!type.examples.isEmpty, "\(type)")
      for example in type.examples {
        let layer = example.layer
        _ = try layer.output(for: example.inputs.map { TensorType(shape: $0) })
        expectSettings(layer)
      }
    }
  }

  @Test("examples of losses are accepted, and described by settings that read back")
  func lossExamples() throws {
    for type in LayerRegistry.losses {
      #expect(type.examples.count >= 3, "\(type)")
      for example in type.examples {
        _ = try example.loss.targets(for: TensorType(shape: example.prediction))
        let values = example.loss.settingValues
        let again = try type.init(settings: Settings(values, specs: type.settings))
        #expect(again.settingValues == values)
        #expect(again.summary == example.loss.summary)
      }
    }
  }

  @Test("names stand in alphabetic order, each once")
  func order() {
    for names in [names(LayerRegistry.layers), names(LayerRegistry.losses)] {
      #expect(names == names.sorted { $0.lowercased() < $1.lowercased() })
      #expect(Set(names).count == names.count)
    }
  }

  @Test("the random networks of the suite draw every layer and loss, and no other")
  func drawn() {
    var layers: Set<String> = []
    var losses: Set<String> = []
    for seed in UInt64(0)..<60 {
      var growth = NetworkGrowth(seed: seed)
      growth.grow()
      layers.formUnion(growth.builder.model.nodes.map { "\(type(of: $0.layer))" })
      losses.formUnion(growth.builder.model.losses.map { "\(type(of: $0.loss))" })
    }
    // Loop nests stand for operators, not in the registry.
    #expect(layers.sorted() == (names(LayerRegistry.layers) + ["LoopNest"]).sorted())
    #expect(losses.sorted() == names(LayerRegistry.losses).sorted())
  }
}
