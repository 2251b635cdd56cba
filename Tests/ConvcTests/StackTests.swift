import Convc
import ConvcEmit
import Testing

/// Threads of other programs may have small stacks.
@Suite("Stack")
struct StackTests {
  @Test(
    "no function of a training step takes more than 64 KB",
    .enabled(if: Target.native.lanes > 1 && Target.native != .aarch64, "needs an x86-64"),
    arguments: ["lenet5", "keypoints-net2"], [Target.x86v2, .x86v3, .x86v4])
  func frames(preset: String, target: Target) async throws {
    let preset = try #require(Preset.named(preset))
    let options = BuildOptions(batch: 64, target: target)
    let files = EmitC().run(try preset.make().compile(options).stages.module)
    _ = try await Toolchain.find().load(
      sources: files.all.map { CSource(name: $0.name, text: $0.text) },
      options: LibraryOptions(
        architecture: .row(target.name),
        extraFlags: ["-Wframe-larger-than=65536", "-Werror=frame-larger-than"]))
  }
}
