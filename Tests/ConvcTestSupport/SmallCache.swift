@testable import ConvcIR

extension Target {
  /// The same processor with another second-level cache: loop orders for large networks on small ones.
  ///
  /// - Parameter level2: in bytes.
  public func with(level2: Int) -> Target {
    Target(
      name: name, lanes: lanes, registers: registers, spareRegisters: spareRegisters,
      level1: level1, level2: level2, peak: peak, march: march)
  }
}
