import ConvcIR
import Testing

@testable import ConvcReference

@Suite("Bits of dropout masks")
struct DropoutBitsTests {
  @Test("are others for another layer, seed and step")
  func independence() {
    let words = Philox(seed: 1, name: "dropout1", step: 0).words(0)
    #expect(Philox(seed: 1, name: "dropout2", step: 0).words(0) != words)
    #expect(Philox(seed: 2, name: "dropout1", step: 0).words(0) != words)
    #expect(Philox(seed: 1 << 40, name: "dropout1", step: 0).words(0) != words)
    #expect(Philox(seed: 1, name: "dropout1", step: 1).words(0) != words)
  }
}
