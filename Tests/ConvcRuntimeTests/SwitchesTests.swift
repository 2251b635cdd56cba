import Testing

@testable import ConvcRuntime

@Suite("Switches")
struct SwitchesTests {
  @Test("takes an empty variable for an unset one")
  func empty() {
    let switches = Switches(environment: ["CC": "", "CONVC_CC": "clang-14", "TMPDIR": ""])
    #expect(switches.systemCompiler == nil)
    #expect(switches.compiler == "clang-14")
    #expect(switches.temporaryFolder == "/tmp")
  }

  @Test("ignores a relative XDG_CACHE_HOME, as its standard asks")
  func relative() {
    #expect(Switches(environment: ["XDG_CACHE_HOME": "cache"]).userCacheFolder == nil)
  }

  @Test("splits PATH, and has one when there is none")
  func path() {
    #expect(Switches(environment: ["PATH": "/a:/b"]).searchPath == ["/a", "/b"])
    #expect(Switches(environment: [:]).searchPath.contains("/usr/bin"))
  }
}
