import Testing

@testable import ConvcRuntime

@Suite("HostProcessor")
struct HostProcessorTests {
  @Test("reads an x86 processor, whose flags may say x86-64-v4")
  func x86() {
    let processor = HostProcessor(
      cpuinfo: """
        processor\t: 0
        model name\t: A Processor
        flags\t\t: sse avx512f avx512bw avx512cd avx512dq avx512vl

        processor\t: 1
        model name\t: Another
        flags\t\t: sse
        """)
    #expect(processor.model == "A Processor")
    #expect(processor.hasX86V4)
    #expect(processor.features.first == "avx512bw")
  }

  @Test("reads an ARM processor, which has numbers for a name")
  func arm() {
    let processor = HostProcessor(
      cpuinfo: "Features\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n")
    #expect(processor.model == "0x41 0xd0c")
    #expect(processor.features == ["asimd", "fp"])
    #expect(!processor.hasX86V4)
  }
}
