import Testing

@testable import ConvcIR

@Suite("Philox")
struct PhiloxTests {
  /// Known answers of the authors' library Random123 (`kat_vectors`).
  private typealias Words = SIMD4<UInt32>

  @Test(
    "gives the words of the known answers",
    arguments: [
      (
        0 as UInt64, 0 as UInt64, 0 as UInt64,
        Words(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
      ),
      (.max, .max, .max, Words(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)),
      (
        0x85a3_08d3_243f_6a88, 0x0370_7344_1319_8a2e, 0x299f_31d0_a409_3822,
        Words(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
      ),
    ])
  func knownAnswers(
    _ block: UInt64, _ stream: UInt64, _ key: UInt64, _ words: SIMD4<UInt32>
  ) {
    #expect(Philox(key: key, stream: stream).words(block) == words)
  }
}
