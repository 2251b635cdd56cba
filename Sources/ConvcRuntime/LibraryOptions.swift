import FoundationEssentials

/// How C is compiled.
public struct LibraryOptions: Sendable, Equatable {
  /// The instructions that the compiler may use.
  public enum Architecture: Sendable, Equatable {
    /// The compiler's default, which every machine of the kind runs.
    case baseline
    /// All that this machine has. The processor is then part of the cache key.
    case native
    /// A name that `-march=` takes, as `x86-64-v4`.
    case row(String)
  }

  public var architecture: Architecture
  /// Off: one thread, even where OpenMP is there.
  public var openMP: Bool
  /// More arguments for each compiler call, after all others.
  public var extraFlags: [String]
  /// The name by which programs that are linked with the library ask for it; nil: its path.
  public var soname: String?

  public init(
    architecture: Architecture = .native, openMP: Bool = true, extraFlags: [String] = [],
    soname: String? = nil
  ) {
    self.soname = soname
    self.architecture = architecture
    self.openMP = openMP
    self.extraFlags = extraFlags
  }

  /// The arguments that compile one file, without file names and without OpenMP.
  ///
  /// No fast-math: infinities, NaN and the order of additions keep their meaning. Contraction to
  /// fused multiply-add is wanted; gcc's `on` means off, so it gets `fast`.
  func compileFlags(_ family: Compiler.Family, processor: HostProcessor) -> [String] {
    var flags = ["-std=c99", "-O2", "-fno-math-errno", "-fPIC", "-fvisibility=hidden"]
    switch family {
    case .clang: flags.append("-ffp-contract=on")
    case .gcc: flags.append("-ffp-contract=fast")
    case .other: break
    }
    return flags + architectureFlags(family, processor: processor) + extraFlags
  }

  /// clang halves 512-bit vectors on many processors unless it is told not to.
  private func architectureFlags(
    _ family: Compiler.Family, processor: HostProcessor
  ) -> [String] {
    let wide = family == .clang ? ["-mprefer-vector-width=512"] : []
    switch architecture {
    case .baseline: return []
    case .row(let name): return ["-march=\(name)"] + (name == "x86-64-v4" ? wide : [])
    case .native:
      #if arch(x86_64)
        return ["-march=native"] + (processor.hasX86V4 ? wide : [])
      #else
        return ["-mcpu=native"]
      #endif
    }
  }

  /// What the flags leave open, for the cache key.
  func processorKey(_ processor: HostProcessor) -> [String] {
    architecture == .native ? [processor.model] + processor.features : []
  }
}

/// A file given to the C compiler.
public struct CSource: Sendable, Equatable {
  /// A plain file name. Files that end in `.c` or `.S` are compiled; others are there to be included.
  public let name: String
  public let text: String

  public init(name: String, text: String) {
    self.name = name
    self.text = text
  }
}

/// Bytes that an assembler file takes into a library.
public struct AttachedBytes: Sendable {
  /// A plain file name.
  public let name: String
  public let bytes: Data

  public init(name: String, bytes: Data) {
    self.name = name
    self.bytes = bytes
  }
}
