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
        "gflops", "percent_of_peak", "peak_rss_mb", "first_step_s",
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

  @Test("without --json bench prints a table")
  func table() async throws {
    let result = try await Tool().start(
      ["bench"] + small + ["--batch", "3", "--steps", "1", "--quiet"]
    ).result()
    expectDone(result)
    #expect(result.output.contains("\nms_median "))
  }
}
