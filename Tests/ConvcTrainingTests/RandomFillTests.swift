import ConvcIR
import ConvcRandom
import Foundation
import Testing

@Suite("Random numbers in bulk")
struct RandomFillTests {
  private static let key: UInt64 = 0x0123_4567_89ab_cdef

  private func uniform(_ first: Int, _ count: Int, scale: Float = 1) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { values, initialized in
      convc_random_uniform(Self.key, scale, UInt64(first), UInt64(count), values.baseAddress)
      initialized = count
    }
  }

  private func normal(_ first: Int, _ count: Int, scale: Float = 1) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { values, initialized in
      convc_random_truncated_normal(
        Self.key, scale, UInt64(first), UInt64(count), values.baseAddress)
      initialized = count
    }
  }

  @Test(
    "C and Swift draw the same words", arguments: [0, 5, 1 << 32 - 3] as [UInt64],
    [0, 7 << 40] as [UInt64])
  func words(first: UInt64, stream: UInt64) {
    let blocks = 70
    let words = [UInt32](unsafeUninitializedCapacity: 4 * blocks) { words, count in
      convc_random_words(Self.key, stream, first, UInt64(blocks), words.baseAddress)
      count = 4 * blocks
    }
    let philox = Philox(key: Self.key, stream: stream)
    let expected = (0..<UInt64(blocks)).flatMap { block in
      let words = philox.words(first + block)
      return words.indices.map { words[$0] }
    }
    #expect(words == expected)
  }

  @Test("uniform numbers are odd multiples of 2⁻²⁴, from the upper bits of the words")
  func uniformNumbers() {
    let philox = Philox(key: Self.key)
    let expected = (0..<300).map { index -> Float in
      let word = philox.words(UInt64(index / 4))[index % 4]
      return Float(2 * Int(word >> 8) + 1 - 1 << 24) / Float(1 << 24)
    }
    #expect(uniform(0, 300) == expected)
    #expect(uniform(0, 300, scale: 0.3) == expected.map { 0.3 * $0 })
  }

  @Test("normal numbers invert the cut distribution function at the uniform ones")
  func normalNumbers() {
    let uniforms = uniform(0, 4000)
    let normals = normal(0, 4000)
    let width = erf(2.0.squareRoot())
    for (t, x) in zip(uniforms, normals) {
      // The derivative at x turns the difference in probability into one of x.
      let difference = erf(Double(x) * 0.5.squareRoot()) - width * Double(t)
      let density = (2 / Double.pi).squareRoot() * exp(-Double(x) * Double(x) / 2)
      #expect(abs(difference / density) < 4.5e-7 * abs(Double(x)))
    }
    #expect(normals.allSatisfy { abs($0) <= 2 })
    #expect(normal(0, 4000, scale: 0.7) == normals.map { 0.7 * $0 })
  }

  @Test("a part is the same as that part of the whole", arguments: [(0, 1), (4, 9), (128, 500)])
  func parts(first: Int, count: Int) {
    #expect(normal(first, count) == Array(normal(0, 700)[first..<(first + count)]))
    #expect(uniform(first, count) == Array(uniform(0, 700)[first..<(first + count)]))
  }

  @Test("nothing is written outside of the range")
  func bounds() {
    var values = [Float](repeating: 9, count: 140)
    values.withUnsafeMutableBufferPointer {
      convc_random_truncated_normal(Self.key, 1, 0, 131, $0.baseAddress)
    }
    #expect(values.prefix(131).allSatisfy { abs($0) <= 2 })
    #expect(values.suffix(9).allSatisfy { $0 == 9 })
  }
}
