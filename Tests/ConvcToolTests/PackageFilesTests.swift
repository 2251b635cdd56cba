import Foundation
import Testing

/// The files by which build systems find a network.
@Suite("pkg-config and CMake")
struct PackageFilesTests {
  /// A program that says what the network answers.
  static let program = """
    #include <stdio.h>
    #include "net.h"
    int main(void) { return printf("%s %d\\n", net_model()->name, net_model()->abi_version) < 0; }
    """

  /// A project as a user would write it; `FOLDER` is where the network stands.
  static let project = """
    cmake_minimum_required(VERSION 3.16)
    project(program C)
    find_package(net CONFIG REQUIRED PATHS "${CMAKE_SOURCE_DIR}/../moved here" NO_DEFAULT_PATH)
    find_package(net CONFIG REQUIRED PATHS "${CMAKE_SOURCE_DIR}/../moved here" NO_DEFAULT_PATH)
    add_executable(program main.c)
    target_link_libraries(program PRIVATE net::net)
    """

  /// Whether a program is there; what it is needed for is skipped else.
  static func finds(_ program: String, _ tool: Tool) async throws -> Bool {
    if try await tool.shell("command -v \(program)").status == 0 { return true }
    print("skipped: there is no \(program)")
    return false
  }

  static let network = small + ["--name", "net", "--target", "generic"]

  @Test("pkg-config finds a library in a folder that was moved")
  func pkgConfig() async throws {
    let tool = try Tool()
    guard try await Self.finds("pkg-config", tool) else { return }
    try tool.write(Self.program, to: "main.c")
    expectDone(try await tool.start(["build"] + Self.network + ["-o", "out"]).result())
    for folder in ["moved", "moved here"] {
      let result = try await tool.shell(
        """
        set -e
        rm -rf "\(folder)" && cp -r out "\(folder)"
        export PKG_CONFIG_PATH="$PWD/\(folder)" LD_LIBRARY_PATH="$PWD/\(folder)"
        pkg-config --validate net
        eval cc main.c $(pkg-config --cflags --libs net) -o main
        ./main
        """)
      expectDone(result)
      #expect(result.output == "lenet5 2\n")
    }
    #expect(try await tool.shell("PKG_CONFIG_PATH=out pkg-config --modversion net").output == "2\n")
  }

  @Test("CMake finds a library, or compiles emitted sources", arguments: ["build", "emit"])
  func cmake(verb: String) async throws {
    let tool = try Tool()
    guard try await Self.finds("cmake", tool) else { return }
    expectDone(try await tool.shell("mkdir project"))
    try tool.write(Self.program, to: "project/main.c")
    try tool.write(Self.project, to: "project/CMakeLists.txt")
    for weights in ["file", "embed"] {
      expectDone(
        try await tool.start([verb] + Self.network + ["-o", "out", "--weights", weights]).result())
      let result = try await tool.shell(
        """
        set -e
        rm -rf 'moved here' made && mv out 'moved here'
        cmake -S project -B made -Werror=dev >log && cmake --build made >>log
        made/program
        """)
      #expect(result.status == 0, "\(result)\((try? tool.text("log")) ?? "")")
      #expect(result.output == "lenet5 2\n")
    }
  }

  @Test("a library is asked for by its name, not by its path")
  func soname() async throws {
    let tool = try Tool()
    guard try await Self.finds("readelf", tool) else { return }
    expectDone(try await tool.start(["build"] + Self.network + ["-o", "out"]).result())
    let result = try await tool.shell("readelf -d out/libnet.so | grep SONAME")
    #expect(result.output.contains("[libnet.so]"))
  }

  @Test("names of the system's headers and libraries are not taken")
  func occupied() async throws {
    let tool = try Tool()
    for name in ["math", "stdint", "c", "run", "convc"] {
      expectRefusal(
        try await tool("emit", "lenet5", "-o", "out", "--name", name), 64,
        "--name \(name) is taken by C, by convc, or by a header or library of the system; use another; "
          + "see 'convc emit --help'")
    }
  }
}
