import Testing

@testable import ConvcReference

@Suite("Philox")
struct PhiloxTests {
  /// Known answers of the authors' library Random123 (`kat_vectors`).
  @Test(
    "gives the words of the known answers",
    arguments: [
      (
        0 as UInt64, 0 as UInt64, 0 as UInt32, 0 as UInt32,
        [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8] as [UInt32]
      ),
      (.max, .max, .max, .max, [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]),
      (
        0x85A3_08D3_243F_6A88, 0x0370_7344_1319_8A2E, 0xA409_3822, 0x299F_31D0,
        [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]
      ),
    ])
  func knownAnswers(
    _ block: UInt64, _ step: UInt64, _ key0: UInt32, _ key1: UInt32, _ words: [UInt32]
  ) {
    #expect(Philox(key: (key0, key1), step: step).words(block) == words)
  }

  @Test("draws other words for another layer, seed and step")
  func independence() {
    let words = Philox(seed: 1, name: "dropout1", step: 0).words(0)
    #expect(Philox(seed: 1, name: "dropout2", step: 0).words(0) != words)
    #expect(Philox(seed: 2, name: "dropout1", step: 0).words(0) != words)
    #expect(Philox(seed: 1 << 40, name: "dropout1", step: 0).words(0) != words)
    #expect(Philox(seed: 1, name: "dropout1", step: 1).words(0) != words)
  }
}
