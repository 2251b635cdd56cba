/// What a network is compiled for.
public struct CompileOptions: Sendable {
  /// Largest batch: any batch from 1 to this can be run.
  public var batch: Int
  public var target: Target
  /// Families of kernels that may be chosen; nil: all.
  public var families: Set<String>?
  /// Whether layers may be fused.
  public var fuses: Bool
  /// Bytes of arena and parameters above which a network is refused.
  public var memoryLimit: Int
  /// Bytes from which on an output that backward can write again is not kept, and packed weights of a training step stand
  /// in the arena only while they are read.
  public var smallestSaving: Int
  /// Bytes of arena above which inference takes a batch in slices.
  public var nearBytes: Int

  public init(
    batch: Int, target: Target, families: Set<String>? = nil, fuses: Bool = true,
    memoryLimit: Int = 16 << 30, smallestSaving: Int = 1 << 19,
    nearBytes: Int = 64 << 20
  ) {
    self.batch = batch
    self.target = target
    self.families = families
    self.fuses = fuses
    self.memoryLimit = memoryLimit
    self.smallestSaving = smallestSaving
    self.nearBytes = nearBytes
  }
}
