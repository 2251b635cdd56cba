import ConvcABI
import FoundationEssentials

/// A network's `prepare`, which makes the packed form of its weights.
public struct WeightsPacker {
  private typealias Prepare =
    @convention(c) (
      UnsafePointer<Float>?, UnsafeMutableRawPointer?
    ) -> Int32

  private let library: LoadedLibrary
  private let prepare: Prepare
  private let parameterCount: Int
  private let packedBytes: Int

  /// - Parameters:
  ///   - library: kept open as long as the packer lives.
  ///   - prefix: the name the C was written under.
  ///   - parameters: floats of the parameter block.
  ///   - packedBytes: bytes of the packed form.
  /// - Errors: no such function.
  public init(
    library: LoadedLibrary, prefix: String, parameters: Int, packedBytes: Int
  ) throws(ProgramError) {
    do {
      prepare = unsafeBitCast(try library.symbol("\(prefix)_prepare"), to: Prepare.self)
    } catch {
      throw .library(error)
    }
    self.library = library
    parameterCount = parameters
    self.packedBytes = packedBytes
  }

  /// The packed form of a parameter block.
  ///
  /// - Errors: another number of parameters; out of memory.
  public func pack(_ parameters: [Float]) throws(ProgramError) -> Data {
    guard parameters.count == parameterCount else {
      throw .values(
        name: "the parameter block", given: "\(parameters.count) floats",
        expected: "\(parameterCount) floats")
    }
    guard let packed = AlignedBuffer(byteCount: packedBytes) else {
      throw .outOfMemory(bytes: packedBytes, block: "packed parameters")
    }
    let status = parameters.withUnsafeBufferPointer { prepare($0.baseAddress, packed.address) }
    guard Int(status) == CONVC_OK else {
      throw .refused(function: "prepare", reason: "status \(status)")
    }
    // The data keeps the block.
    return Data(
      bytesNoCopy: packed.address, count: packedBytes,
      deallocator: .custom { _, _ in withExtendedLifetime(packed) {} })
  }
}
