import Glibc

/// A shared library that could not be opened, or lacks a symbol. Its description is one line.
public struct LibraryError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The library's path.
  public let path: String
  /// The symbol looked for; nil when the library itself could not be opened.
  public let symbol: String?
  /// What the dynamic linker said.
  public let reason: String

  public var description: String {
    guard let symbol else { return "cannot open the library \(path): \(reason)" }
    return "the library \(path) has no symbol '\(symbol)': \(reason); was it built under this name?"
  }
}

/// A shared library, open until its last user lets go of it.
///
/// The OpenMP runtime that it brings stays in the process for good: its worker threads outlive a
/// parallel region, and unmapping their code under them would crash.
public final class LoadedLibrary: @unchecked Sendable {
  /// The file that was opened.
  public let path: String
  private let handle: UnsafeMutableRawPointer

  /// Opens a library, with all its symbols bound and none of them shared.
  ///
  /// - Errors: no such file, not a library of this machine, an undefined symbol.
  public init(path: String) throws(LibraryError) {
    // Without a slash the linker would search its own folders.
    let file = path.contains("/") ? path : "./" + path
    guard let handle = dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
      throw LibraryError(path: path, symbol: nil, reason: Self.lastError())
    }
    self.path = path
    self.handle = handle
    Self.pinOpenMP()
  }

  deinit {
    dlclose(handle)
  }

  /// The address of an exported symbol, valid as long as this object lives.
  public func symbol(_ name: String) throws(LibraryError) -> UnsafeMutableRawPointer {
    guard let address = dlsym(handle, name) else {
      throw LibraryError(path: path, symbol: name, reason: Self.lastError())
    }
    return address
  }

  /// Keeps whichever OpenMP runtime is loaded; no function of a library ran before this.
  private static func pinOpenMP() {
    for name in ["libomp.so.5", "libomp.so", "libgomp.so.1", "libiomp5.so"] {
      _ = dlopen(name, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE)
    }
  }

  private static func lastError() -> String {
    dlerror().map { String(cString: $0).firstLine } ?? "unknown reason"
  }
}
