import Foundation
import Testing

@Suite("check and bench")
struct ComputeTests {
  private static let quick = ["--batch", "3", "--images", "3", "--samples", "2", "--quiet"]

  @Test("check names the worst element of every parameter, and the direction")
  func check() async throws {
    let result = try await Tool().start(["check"] + small + Self.quick).result()
    expectDone(result)
    let lines = result.output.split(separator: "\n")
    for parameter in ["conv1.weight", "conv1.bias", "dense3.weight", "all "] {
      let line = try #require(lines.first { $0.hasPrefix(parameter) })
      #expect(line.contains("expected"))
    }
    #expect(lines.last == "all gradients agree within 1.00e-04")
  }

  @Test("a gradient that is off is a bug, named in one line")
  func wrong() async throws {
    let result = try await Tool().start(
      ["check"] + small + Self.quick + ["--tolerance", "1e-14"]
    ).result()
    expectRefusal(
      result, 70, containing: "a gradient of lenet5 is wrong: ", "expected",
      "above 1.00e-14; please report it")
  }

  @Test("bench prints one line with the contract's fields", arguments: ["infer", "train"])
  func bench(_ mode: String) async throws {
    let words = ["--mode", mode, "--batch", "3", "--steps", "5", "--threads", "1", "--json"]
    let result = try await Tool().start(["bench"] + small + words + ["--quiet"]).result()
    expectDone(result)
    #expect(result.output.split(separator: "\n").count == 1)
    let names = result.output.matches(of: /"([a-z0-9_]+)":/).map { String($0.1) }
    #expect(
      names == [
        "model", "mode", "batch", "threads", "ms_median", "ms_min", "ms_p90", "images_per_s",
        "gflops", "percent_of_peak", "peak_gflops", "peak_rss_mb", "compile_s", "first_step_s",
      ])
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let values = try #require(object as? [String: Any])
    #expect(values["model"] as? String == "lenet5")
    #expect(values["mode"] as? String == mode)
    #expect(values["batch"] as? Int == 3)
    let median = try #require(values["ms_median"] as? Double)
    let least = try #require(values["ms_min"] as? Double)
    #expect(least > 0 && least <= median)
    for name in ["images_per_s", "percent_of_peak", "peak_rss_mb", "first_step_s"] {
      #expect(try #require(values[name] as? Double) > 0)
    }
  }

  @Test("paced, bench measures once for each line of standard input")
  func paced() async throws {
    let words = (small + ["--batch", "3", "--steps", "5", "--json", "--paced", "--quiet"])
      .joined(separator: " ")
    let result = try await Tool().shell("printf '\\n\\n' | \"$CONVC\" bench \(words)")
    expectDone(result)
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.first == "{\"ready\": true}")
    #expect(lines.dropFirst().allSatisfy { $0.contains("\"ms_median\"") })
    expectRefusal(
      try await Tool()("bench", "lenet5", "--paced"), 64,
      containing: "--paced prints lines of JSON; add --json, without --profile")
  }

  @Test("a profile has every kernel, and what it cannot tell apart", arguments: ["infer", "train"])
  func profile(_ mode: String) async throws {
    let tool = try Tool()
    let words = ["--mode", mode, "--batch", "3", "--steps", "5", "--threads", "2"]
    let options = ["--profile", "--svg", "profile.svg", "--quiet"]
    let result = try await tool.start(["bench"] + small + words + options + ["--json"]).result()
    expectDone(result)
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let profile = try #require((object as? [String: Any])?["profile"] as? [String: Any])
    let kernels = try #require(profile["kernels"] as? [[String: Any]])
    let names = kernels.compactMap { $0["name"] as? String }
    #expect(names.contains { $0.hasPrefix("conv2") && $0.hasSuffix("_forward") })
    #expect(names.contains("update") == (mode == "train"))
    #expect(names.contains { $0.hasSuffix("_backward_weight") } == (mode == "train"))
    let times = kernels.compactMap { $0["ms"] as? Double }
    #expect(times == times.sorted(by: >))
    let step = try #require(profile["step_ms"] as? Double)
    let others = try ["barriers_ms", "rest_ms"].map { try #require(profile[$0] as? Double) }
    #expect(times.reduce(0, +) + others.reduce(0, +) >= 0.99 * step)
    for key in ["gflops", "percent_of_peak", "percent_of_step", "gb_per_s"] {
      #expect(kernels.allSatisfy { $0[key] is Double })
    }
    let picture = try tool.text("profile.svg")
    #expect(picture.contains("barrier"))
    #expect(picture.contains(try #require(names.first)))

    let table = try await tool.start(["bench"] + small + words + ["--profile"]).result()
    expectDone(table)
    for part in ["kernel ", "GFLOP/s", "entry and exit", "step with clocks"] {
      #expect(table.output.contains(part))
    }
  }

  @Test("a picture without a profile, and too many threads for one, are refused")
  func profileOptions() async throws {
    let tool = try Tool()
    expectRefusal(
      try await tool("bench", "lenet5", "--svg", "a.svg"), 64,
      containing: "--svg draws a profile; add --profile")
    expectRefusal(
      try await tool("bench", "lenet5", "--profile", "--svg", ""), 64,
      containing: "--svg needs a file's name")
    expectRefusal(
      try await tool("bench", "lenet5", "--profile", "--threads", "257"), 64,
      containing: "--threads is 257, expected at most 256 with --profile")
  }

  @Test("without --json bench prints a table")
  func table() async throws {
    let result = try await Tool().start(
      ["bench"] + small + ["--batch", "3", "--steps", "1", "--quiet"]
    ).result()
    expectDone(result)
    #expect(result.output.contains("\nms_median "))
  }
}
