import Testing

@testable import ConvcRuntime

@Suite("SHA256")
struct SHA256Tests {
  /// Hashes `text` given in pieces of `step` bytes.
  private func hash(_ text: String, step: Int) -> String {
    var hash = SHA256()
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: step) {
      bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { hash.update($0) }
    }
    return hash.finish()
  }

  @Test("agrees with the standard's examples", arguments: [1, 7, 64, 1000])
  func examples(step: Int) {
    #expect(
      hash("", step: step) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      hash("abc", step: step) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", step: step)
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  @Test("does not mix fields up")
  func fields() {
    func hash(_ fields: String...) -> String {
      var hash = SHA256()
      for field in fields { hash.update(field: field) }
      return hash.finish()
    }
    #expect(hash("ab", "c") != hash("a", "bc"))
    #expect(hash("ab", "c") == hash("ab", "c"))
  }
}
