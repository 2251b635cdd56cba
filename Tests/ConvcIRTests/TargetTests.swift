import ConvcIR
import Testing

@Suite("The table of targets")
struct TargetTests {
  @Test("a processor gets the widest row it can run")
  func best() {
    let v2: Set = ["sse4_2", "popcnt"]
    let v3 = v2.union(["avx2", "fma", "bmi2"])
    let v4 = v3.union(["avx512f", "avx512bw", "avx512dq", "avx512vl"])
    #expect(Target.best(for: v4) == .x86v4)
    #expect(Target.best(for: v3) == .x86v3)
    #expect(Target.best(for: v3.subtracting(["fma"])) == .x86v2)
    #expect(Target.best(for: ["fp", "asimd"]) == .aarch64)
    #expect(Target.best(for: ["sse2"]) == .generic)
  }

  @Test("a row is found by its name", arguments: Target.all)
  func named(_ target: Target) {
    #expect(Target.named(target.name) == target)
    #expect(Target.named(target.name + " ") == nil)
  }
}
