import ConvcABI
import ConvcIR

/// The files by which build systems find a network: for pkg-config and for CMake.
///
/// They name places beside themselves, so that the folder may be moved; names are C identifiers, so nothing needs quotes
/// but folders, and those pkg-config quotes itself.
public struct PackageFiles: Sendable {
  private let name: String
  private let target: Target
  private let sources: [String]

  /// - Parameter files: what the network was written as.
  public init(_ module: CModule, _ files: EmittedFiles) {
    name = CText.prefix(module.name)
    target = module.target
    sources = (files.sources + (files.assembly.map { [$0] } ?? [])).map(\.name)
  }

  /// Files for a compiled library: `NAME.pc` and `NAMEConfig.cmake`.
  public var ofLibrary: [CSourceFile] {
    [
      CSourceFile(name: "\(name).pc", text: text(pkgConfig)),
      CSourceFile(name: "\(name)Config.cmake", text: text(importedLibrary)),
    ]
  }

  /// The file for sources, which CMake compiles: `NAMEConfig.cmake`.
  public var ofSources: CSourceFile {
    CSourceFile(name: "\(name)Config.cmake", text: text(compiledLibrary))
  }

  private func text(_ lines: [String]) -> String { lines.joined(separator: "\n") + "\n" }

  private var pkgConfig: [String] {
    [
      "# cc program.c $(PKG_CONFIG_PATH=FOLDER pkg-config --cflags --libs \(name))",
      "folder=${pcfiledir}",
      "",
      "Name: \(name)",
      "Description: the network \(name), compiled by convc",
      "Version: \(CONVC_ABI_VERSION)",
      "Cflags: -I${folder}",
      "Libs: -L${folder} -l\(name)",
    ]
  }

  private var usage: [String] {
    [
      "# find_package(\(name) CONFIG REQUIRED PATHS FOLDER), then target_link_libraries(PROGRAM PRIVATE \(name)::\(name))",
      "if(TARGET \(name)::\(name))",
      "  return()",
      "endif()",
      "",
    ]
  }

  private var importedLibrary: [String] {
    usage + [
      "add_library(\(name)::\(name) SHARED IMPORTED)",
      "set_target_properties(\(name)::\(name) PROPERTIES",
      "  IMPORTED_LOCATION \"${CMAKE_CURRENT_LIST_DIR}/lib\(name).so\"",
      "  IMPORTED_SONAME \"lib\(name).so\"",
      "  INTERFACE_INCLUDE_DIRECTORIES \"${CMAKE_CURRENT_LIST_DIR}\")",
    ]
  }

  private var compiledLibrary: [String] {
    let languages = sources.contains { $0.hasSuffix(".S") } ? ["C", "ASM"] : ["C"]
    let library = "convc_\(name)"
    return usage + languages.map { "enable_language(\($0))" }
      + ["add_library(\(library) STATIC"]
      + sources.map { "  \"${CMAKE_CURRENT_LIST_DIR}/\($0)\"" }
      + [
        ")",
        "add_library(\(name)::\(name) ALIAS \(library))",
        "target_include_directories(\(library) PUBLIC \"${CMAKE_CURRENT_LIST_DIR}\")",
        "set_target_properties(\(library) PROPERTIES C_STANDARD 99 POSITION_INDEPENDENT_CODE ON)",
        "target_compile_options(\(library) PRIVATE",
      ] + options.map { "  $<$<COMPILE_LANGUAGE:C>:\($0)>" }
      + [
        ")",
        "target_link_libraries(\(library) PUBLIC m)",
        "find_package(OpenMP QUIET COMPONENTS C)",
        "if(OpenMP_C_FOUND)",
        "  target_link_libraries(\(library) PRIVATE OpenMP::OpenMP_C)",
        "endif()",
      ]
  }

  /// Flags of the C compiler, those with which `convc build` compiles for the target.
  private var options: [String] {
    let wide = target.march == "x86-64-v4"
    return ["-O2", "-fno-math-errno"] + (target.march.map { ["-march=\($0)"] } ?? [])
      + ["$<$<C_COMPILER_ID:GNU>:-ffp-contract=fast>"]
      + ["$<$<C_COMPILER_ID:Clang,AppleClang>:-ffp-contract=on>"]
      + (wide ? ["$<$<C_COMPILER_ID:Clang,AppleClang>:-mprefer-vector-width=512>"] : [])
  }
}
