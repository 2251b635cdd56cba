/// A row of the target table: what the generated C is written for.
///
/// C text depends on this row alone, never on the machine convc runs on.
public struct Target: Sendable, Hashable, CustomStringConvertible {
  public let name: String
  /// Floats of one vector register; 1: plain loops without vector types.
  public let lanes: Int
  /// Vector registers.
  public let registers: Int
  /// Registers that multiply-adds need beside their sums and the vectors they are made of: one for the factor of all
  /// lanes, two where the product needs a place of its own.
  public let spareRegisters: Int
  /// Bytes of first-level data cache and of second-level cache of one core, nominal.
  public let level1: Int
  public let level2: Int
  /// Bytes that a core reads from its second-level cache in a cycle, nominal.
  public let level2Speed: Int
  /// Whether loops ask for memory ahead also where they go through it in order. Measured: processors with vectors of
  /// 512 bits foresee what comes too late, others are slowed by up to a third.
  public let asksAhead: Bool
  /// Billions of floating-point operations a second of one core, nominal: it weighs candidates.
  public let peak: Double
  /// What `-march` is given; nil: nothing.
  public let march: String?

  /// Plain C99 loops for any processor.
  public static let generic = Target(
    name: "generic", lanes: 1, registers: 16, spareRegisters: 2, level1: 32 << 10,
    level2: 256 << 10, level2Speed: 16, asksAhead: false, peak: 8, march: nil)
  /// x86-64 with SSE4.2: multiplication and addition are two instructions.
  public static let x86v2 = Target(
    name: "x86-64-v2", lanes: 4, registers: 16, spareRegisters: 2, level1: 32 << 10,
    level2: 256 << 10, level2Speed: 16, asksAhead: false, peak: 20, march: "x86-64-v2")
  /// x86-64 with AVX2 and FMA.
  public static let x86v3 = Target(
    name: "x86-64-v3", lanes: 8, registers: 16, spareRegisters: 1, level1: 32 << 10,
    level2: 512 << 10, level2Speed: 24, asksAhead: false, peak: 80, march: "x86-64-v3")
  /// x86-64 with AVX-512.
  public static let x86v4 = Target(
    name: "x86-64-v4", lanes: 16, registers: 32, spareRegisters: 1, level1: 48 << 10,
    level2: 2 << 20, level2Speed: 64, asksAhead: true, peak: 160, march: "x86-64-v4")
  /// 64-bit ARM with NEON.
  public static let aarch64 = Target(
    name: "aarch64", lanes: 4, registers: 32, spareRegisters: 1, level1: 64 << 10,
    level2: 1 << 20, level2Speed: 24, asksAhead: false, peak: 40, march: "armv8-a")

  /// The table, each family of processors from the plainest to the widest.
  public static let all = [generic, x86v2, x86v3, x86v4, aarch64]

  /// The row of a name; nil where there is none.
  public static func named(_ name: String) -> Target? { all.first { $0.name == name } }

  /// The widest row that a processor with these features can run.
  ///
  /// - Parameter features: names as in `/proc/cpuinfo`.
  public static func best(for features: Set<String>) -> Target {
    rows.first { features.isSuperset(of: $0.1) }?.0 ?? generic
  }

  /// Whether a processor with these features can run code for this row.
  public func runs(on features: Set<String>) -> Bool {
    Self.rows.first { $0.0 == self }.map { features.isSuperset(of: $0.1) } ?? true
  }

  /// Rows with the features that they need, widest first.
  private static let rows: [(Target, Set<String>)] = [
    (x86v4, ["avx512f", "avx512bw", "avx512dq", "avx512vl", "fma"]),
    (x86v3, ["avx2", "fma", "bmi2"]), (x86v2, ["sse4_2", "popcnt"]), (aarch64, ["asimd"]),
  ]

  /// The same row with another second-level cache, in bytes: tests show loop orders of large networks on small ones.
  package func with(level2: Int, asksAhead: Bool? = nil) -> Target {
    Target(
      name: name, lanes: lanes, registers: registers, spareRegisters: spareRegisters,
      level1: level1, level2: level2, level2Speed: level2Speed,
      asksAhead: asksAhead ?? self.asksAhead, peak: peak, march: march)
  }

  public var hasVectors: Bool { lanes > 1 }
  /// Whether sums, what they are made of and what loops share crowd the vector registers: 16 instead of 32.
  public var hasFewRegisters: Bool { registers <= 16 }
  public var description: String { name }
}
