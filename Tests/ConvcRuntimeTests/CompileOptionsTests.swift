import Testing

@testable import ConvcRuntime

@Suite("LibraryOptions")
struct CompileOptionsTests {
  let narrow = HostProcessor(cpuinfo: "model name: narrow\nflags: avx2\n")
  let wide = HostProcessor(
    cpuinfo: "model name: wide\nflags: avx512f avx512bw avx512cd avx512dq avx512vl\n")

  @Test("asks each compiler for fused multiply-add in its own words")
  func contraction() {
    let options = LibraryOptions(architecture: .baseline, extraFlags: ["-g"])
    let common = ["-std=c99", "-O2", "-fno-math-errno", "-fPIC", "-fvisibility=hidden"]
    #expect(
      options.compileFlags(.clang, processor: wide) == common + ["-ffp-contract=on", "-g"])
    #expect(
      options.compileFlags(.gcc, processor: wide) == common + ["-ffp-contract=fast", "-g"])
    #expect(options.compileFlags(.other, processor: wide) == common + ["-g"])
  }

  @Test("keeps clang from halving 512-bit vectors")
  func vectorWidth() {
    func flags(_ architecture: LibraryOptions.Architecture, _ processor: HostProcessor) -> [String]
    {
      LibraryOptions(architecture: architecture).compileFlags(.clang, processor: processor)
        .filter { $0.hasPrefix("-m") }
    }
    let width = "-mprefer-vector-width=512"
    #expect(flags(.row("x86-64-v4"), narrow) == ["-march=x86-64-v4", width])
    #expect(flags(.row("x86-64-v3"), wide) == ["-march=x86-64-v3"])
    #if arch(x86_64)
      #expect(flags(.native, wide) == ["-march=native", width])
      #expect(flags(.native, narrow) == ["-march=native"])
    #endif
  }

  @Test("makes the processor part of the cache key only where it matters")
  func processorKey() {
    #expect(LibraryOptions(architecture: .row("x86-64-v3")).processorKey(wide) == [])
    #expect(LibraryOptions().processorKey(narrow) == ["narrow", "avx2"])
  }

  @Test("quotes a command for a shell")
  func commandLine() {
    #expect(CompilerError.commandLine(["a", "b c", "d'e", ""]) == "a 'b c' 'd'\\''e' ''")
  }
}
