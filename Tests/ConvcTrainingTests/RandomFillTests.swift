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

  private func standardNormal(_ first: Int, _ count: Int, scale: Float = 1) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { values, initialized in
      convc_random_normal(Self.key, scale, UInt64(first), UInt64(count), values.baseAddress)
      initialized = count
    }
  }

  /// The same number in Swift, operation by operation.
  private func standardNormal(_ word: UInt32) -> Float {
    let place = Int32(word & 0x7fff_ffff)
    let t = (Float(place) + 0.5) * 0x1p-31
    let rest = (Float(Int32.max - place) + 0.5) * 0x1p-31
    // −log(1 − t²)
    let r = rest * (2 - rest)
    let bits = Int32(bitPattern: r.bitPattern)
    let exponent = (bits - 0x3f35_04f3) >> 23
    let m = Float(bitPattern: UInt32(bitPattern: bits - exponent * (1 << 23)))
    let z = (m - 1) / (m + 1)
    let s = z * z
    let series = Self.polynomial([0.111111111, 0.142857143, 0.2, 0.333333333, 0], s)
    let w = -(Float(exponent) * 0.693147181 + (2 * z + 2 * z * series))
    let p = Self.polynomial(
      [2.8953139e-5, 1.01385211e-3, 1.20015704e-2, 9.05590335e-2, 4.5470959e-1, 1.2533143], w)
    let q = Self.polynomial(
      [9.87974474e-7, 1.69694662e-4, 2.33336255e-3, 3.27671954e-2, 1.01009524e-1, 1], w)
    let x = t * (p / q)
    return word >> 31 == 1 ? x : -x
  }

  /// Coefficients from the highest power down.
  private static func polynomial(_ coefficients: [Float], _ x: Float) -> Float {
    coefficients.dropFirst().reduce(coefficients[0]) { $0 * x + $1 }
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

  @Test("C and Swift compute the same bits of standard normal numbers")
  func sameNormalBits() {
    let philox = Philox(key: Self.key)
    let expected = (0..<4000).map { standardNormal(philox.words(UInt64($0 / 4))[$0 % 4]) }
    #expect(standardNormal(0, 4000) == expected)
    #expect(standardNormal(0, 4000, scale: 0.7) == expected.map { 0.7 * $0 })
    #expect(standardNormal(1000, 77) == Array(expected[1000..<1077]))
  }

  @Test("standard normal numbers invert the distribution function, the upper bit their sign")
  func standardNormalNumbers() {
    // Ends and middle, where series and polynomials have their worst places, and numbers between.
    var words: [UInt32] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, .max]
    words += (1..<3000).map { UInt32(truncatingIfNeeded: $0 &* 2_654_435_761) }
    for word in words {
      let x = Double(standardNormal(word))
      // The probability to lie farther out on the same side.
      let tail = (Double(0x7fff_ffff - (word & 0x7fff_ffff)) + 0.5) * 0x1p-32
      let difference = erfc(x.magnitude * 0.5.squareRoot()) / 2 - tail
      let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
      // A double's own rounding shows around the middle.
      #expect(abs(difference / density) < 6e-7 * abs(x) + 1e-15)
    }
    #expect(standardNormal(.max) == -standardNormal(0x7fff_ffff))
    #expect(abs(standardNormal(.max) - 6.338) < 1e-3)
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
