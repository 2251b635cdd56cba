import ConvcIR
import Testing

@testable import ConvcEmit

@Suite("Pointers")
struct PointersTests {
  private static let module = ScaleModule(target: .generic).module()

  private static func gradients(functions: [String] = []) throws -> (Pointers, Set<Place>) {
    let program = try #require(module.training)
    let pointers = Pointers(program, entry: .gradients, module: module, functions: functions)
    let kernels = program.schedule.plan.kernels
    let places = kernels.calls.flatMap(\.arguments).compactMap {
      kernels.place(of: kernels[$0.buffer])
    }
    return (pointers, Set(places))
  }

  @Test("declares the parts of each block in the order in which they lie there")
  func declarations() throws {
    let (pointers, places) = try Self.gradients()
    #expect(
      pointers.declarations(places) == [
        "",
        "    const float *const scale1_weight = parameters, *const scale1_bias = parameters + 5;",
        "",
        "    float *const d_scale1_weight = gradients, *const d_scale1_bias = gradients + 5;",
        "",
        "    // Buffers of the workspace; those that are never in use together share memory.",
        "    void *const scale1 = arena;",
        "    void *const d_scale1 = arena + 128;",
      ])
    #expect(pointers.declarations([]) == [])
  }

  @Test("hides no function, and nothing else that the region names")
  func clashes() throws {
    let (pointers, places) = try Self.gradients(functions: ["scale1", "arena_scale1"])
    let names = places.map(pointers.name)
    #expect(names.contains("scale1_2"))
    #expect(names.contains("d_scale1"))
  }

  @Test("prepare writes the entries of the packed block, forward reads them")
  func packed() throws {
    let place = Place.packed("scale1.bias")
    let prepare = Pointers(prepare: Self.module, functions: [])
    #expect(
      prepare.declarations([place]) == [
        "", "    void *const scale1_bias = (char *)packed + 64;",
      ])
    let forward = Pointers(
      Self.module.inference, entry: .forward, module: Self.module, functions: [])
    #expect(
      forward.declarations([place]) == ["", "    const void *const scale1_bias = packed + 64;"])
  }
}
