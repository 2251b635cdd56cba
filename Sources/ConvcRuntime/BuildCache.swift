import FoundationEssentials
import Glibc

/// The folder of compiled libraries and of what is known of compilers.
///
/// A library's name is the hash of all that made it, so a file never changes its contents: it is
/// written under another name and renamed, which does no harm when two processes do it at once.
/// Beside it stands its size and SHA-256; a library that differs is taken for damaged and built
/// again. Above a size limit the libraries that were not used for longest go.
final class BuildCache: Sendable {
  /// `$CONVC_CACHE`, `$XDG_CACHE_HOME/convc`, `~/.cache/convc`, or a temporary folder.
  let folder: String
  /// Why the folder is a temporary one; nil when it is not.
  let note: String?
  private let limit: Int
  private let isTemporary: Bool

  /// Finds the folder and makes it.
  ///
  /// - Parameter limit: bytes of libraries to keep.
  /// - Errors: neither the folder nor a temporary one can be written.
  init(switches: Switches, limit: Int) throws(ToolchainError) {
    self.limit = limit
    let wanted =
      switches.cacheFolder.map(FileSystem.absolute)
      ?? switches.userCacheFolder.map { $0 + "/convc" }
      ?? switches.home.map { FileSystem.absolute($0) + "/.cache/convc" }
    let reason: String
    do throws(FileError) {
      guard let wanted else { throw FileError("HOME", reason: "not set") }
      try Self.prepare(wanted)
      (folder, note, isTemporary) = (wanted, nil, false)
      return
    } catch {
      reason = "\(error.path): \(error.reason)"
    }
    do throws(FileError) {
      folder = try FileSystem.makeUniqueFolder(
        FileSystem.absolute(switches.temporaryFolder) + "/convc-")
      try Self.prepare(folder)
    } catch {
      throw ToolchainError(error)
    }
    isTemporary = true
    note =
      "the cache folder cannot be written (\(reason)), so compiled code is not kept; "
      + "set CONVC_CACHE to a folder that can"
  }

  deinit {
    if isTemporary { FileSystem.removeTree(folder) }
  }

  /// Makes the folders, and a file in them to see that one can.
  private static func prepare(_ folder: String) throws(FileError) {
    try FileSystem.makeFolder(folder)
    for name in ["libraries", "probes", "work"] { try FileSystem.makeFolder("\(folder)/\(name)") }
    FileSystem.removeTree(try FileSystem.makeUniqueFolder(folder + "/work/try-"))
  }

  /// A new empty folder on the cache's file system; whoever asks removes it.
  func makeWorkFolder() throws(ToolchainError) -> String {
    do {
      return try FileSystem.makeUniqueFolder(folder + "/work/\(getpid())-")
    } catch {
      throw ToolchainError(error)
    }
  }

  // MARK: Libraries

  /// The library made from `key`, if it is there and whole; marks it as used.
  func library(_ key: String) -> String? {
    let path = libraryPath(key)
    guard let seal = try? FileSystem.read(sealPath(key)),
      let bytes = try? FileSystem.read(path),
      String(decoding: seal, as: UTF8.self) == Self.seal(bytes)
    else { return nil }
    FileSystem.touch(path)
    return path
  }

  /// Moves a finished library out of a work folder into the cache and returns its path there.
  func publish(_ file: String, key: String) throws(ToolchainError) -> String {
    do {
      let seal = file + ".seal"
      try FileSystem.write(Self.seal(try FileSystem.read(file)), to: seal)
      try FileSystem.rename(file, to: libraryPath(key))
      try FileSystem.rename(seal, to: sealPath(key))
    } catch {
      throw ToolchainError(error)
    }
    tidy(keeping: key)
    return libraryPath(key)
  }

  /// Forgets a library.
  func removeLibrary(_ key: String) {
    FileSystem.removeFile(sealPath(key))
    FileSystem.removeFile(libraryPath(key))
  }

  private func libraryPath(_ key: String) -> String { "\(folder)/libraries/\(key).so" }
  private func sealPath(_ key: String) -> String { "\(folder)/libraries/\(key).seal" }

  private static func seal(_ bytes: [UInt8]) -> String {
    "\(bytes.count) \(bytes.withUnsafeBytes { SHA256.hexadecimal($0) })\n"
  }

  /// Removes the libraries that were not used for longest until the rest fits the limit, and work
  /// folders that a killed process left a day ago.
  private func tidy(keeping key: String) {
    let libraries = FileSystem.names(in: folder + "/libraries")
      .filter { $0.hasSuffix(".so") }
      .compactMap { name in
        FileSystem.status("\(folder)/libraries/\(name)").map { (String(name.dropLast(3)), $0) }
      }
      .sorted { ($0.1.seconds, $0.1.nanoseconds) < ($1.1.seconds, $1.1.nanoseconds) }
    var total = libraries.reduce(0) { $0 + $1.1.size }
    for (oldest, status) in libraries where total > limit && oldest != key {
      removeLibrary(oldest)
      total -= status.size
    }
    let yesterday = time(nil) - 24 * 3600
    for name in FileSystem.names(in: folder + "/work") {
      let path = "\(folder)/work/\(name)"
      guard let status = FileSystem.status(path), status.seconds < yesterday else { continue }
      FileSystem.removeTree(path)
    }
  }

  // MARK: Compilers

  /// What a trial of a compiler found.
  func probe(_ key: String) -> Compiler? {
    guard let bytes = try? FileSystem.read("\(folder)/probes/\(key).json") else { return nil }
    return try? JSONDecoder().decode(Compiler.self, from: Data(bytes))
  }

  /// Keeps what a trial found. That it cannot be kept costs time only, so no error.
  func store(_ compiler: Compiler, probe key: String) {
    guard let data = try? JSONEncoder().encode(compiler), let work = try? makeWorkFolder() else {
      return
    }
    defer { FileSystem.removeTree(work) }
    let file = work + "/probe.json"
    try? FileSystem.write(String(decoding: data, as: UTF8.self), to: file)
    try? FileSystem.rename(file, to: "\(folder)/probes/\(key).json")
  }
}
