import Convc
import Foundation
import Testing

@Suite("train and eval")
struct TrainTests {
  private static let words = ["train", "lenet5", "--data", "digits"]

  private func train(_ tool: Tool, _ words: String...) async throws -> Tool.Result {
    try await tool.start(Self.words + words).result()
  }

  private func rows(_ tool: Tool, _ folder: String) throws -> [LogRow] {
    try LogRow.rows(of: tool.text("\(folder)/log.jsonl"))
  }

  @Test("a training leaves its files, tells where, and eval finds the test's numbers again")
  func whole() async throws {
    let tool = try Tool()
    let result = try await train(tool, "--epochs", "3", "--seed", "1", "-o", "run/a/")
    #expect(result.status == 0, "\(result)")
    for line in [
      "report   run/a/report.html", "weights  run/a/best.safetensors", "log      run/a/log.jsonl",
    ] {
      #expect(result.output.contains(line + "\n"))
    }
    #expect(result.errorLines.first?.hasPrefix("lenet5 on digits: 1,293 training, 144") == true)
    for epoch in 0...3 {
      #expect(result.errorLines.contains { $0.hasPrefix("epoch \(epoch)/3  train ") })
    }
    let rows = try rows(tool, "run/a")
    #expect(rows.map(\.epoch) == [0, 1, 2, 3])
    #expect(rows.map { $0.test != nil } == [false, false, false, true])
    let test = try #require(rows.last?.test)
    let accuracy = try #require(test.accuracy)
    #expect(accuracy > 0.5)
    for file in ["report.html", "last.safetensors", "recipe.json"] {
      #expect(tool.exists("run/a/\(file)"))
    }
    let eval = try await tool(
      "eval", "lenet5", "--data", "digits", "--weights", "run/a/best.safetensors", "--json")
    expectDone(eval)
    struct Report: Decodable {
      let images: Int
      let loss: Double
      let accuracy: Double
      let confusion: [[Int]]
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(eval.output.utf8))
    #expect(report.images == 360)
    #expect(report.accuracy == accuracy)
    #expect(abs(report.loss - test.loss) < 1e-5 * test.loss)
    #expect(report.confusion.flatMap { $0 }.reduce(0, +) == 360)
    let table = try await tool(
      "eval", "lenet5", "--data", "digits", "--weights", "run/a/best.safetensors")
    expectDone(table)
    #expect(table.output.hasPrefix("lenet5 on digits: 360 test images, loss "))
  }

  @Test("quiet is quiet; one thread gives the same bits; a run's recipe repeats it")
  func repeated() async throws {
    let tool = try Tool()
    expectDone(try await train(tool, "--epochs", "1", "--seed", "2", "-o", "a", "--quiet"))
    expectDone(
      try await train(
        tool, "--recipe", "a/recipe.json", "-o", "b", "--quiet", "--threads", "1"))
    func best(_ run: String) throws -> Data {
      try Data(contentsOf: URL(filePath: tool.path("\(run)/best.safetensors")))
    }
    #expect(try best("a") == best("b"))
    expectDone(
      try await train(
        tool, "--epochs", "1", "--init", "a/best.safetensors", "-o", "c", "--quiet"))
    let (first, second) = (try rows(tool, "a"), try rows(tool, "c"))
    let start = try #require(second.first?.validation?.loss)
    #expect(start < (try #require(first.first?.validation?.loss)) / 2)
  }

  @Test("Ctrl-C leaves a whole checkpoint, and a resumed training ends as one that was not stopped")
  func interrupted() async throws {
    let tool = try Tool()
    let settings = ["--epochs", "40", "--seed", "3", "--quiet"]
    expectDone(try await tool.start(Self.words + settings + ["-o", "whole"]).result())
    let running = try tool.start(Self.words + settings + ["-o", "cut"])
    let log = tool.path("cut/log.jsonl")
    running.interrupt {
      (try? String(contentsOfFile: log, encoding: .utf8))?.contains("\"epoch\":2") == true
    }
    let stopped = await running.result()
    #expect(stopped.exited && stopped.status == 130, "\(stopped)")
    #expect(
      stopped.errors
        == "stopped; cut/last.safetensors is whole; go on with: convc train lenet5 --data digits --resume -o cut\n"
    )
    #expect(try rows(tool, "cut").count < 41)
    let eval = try await tool(
      "eval", "lenet5", "--data", "digits", "--weights", "cut/last.safetensors")
    expectDone(eval)
    expectDone(try await train(tool, "--resume", "-o", "cut", "--quiet"))
    for file in ["best.safetensors", "last.safetensors"] {
      let bytes = try ["whole", "cut"].map {
        try Data(contentsOf: URL(filePath: tool.path("\($0)/\(file)")))
      }
      #expect(bytes[0] == bytes[1])
    }
    expectRefusal(
      try await train(tool, "--resume", "-o", "cut", "--quiet"), 65,
      containing:
        "the training in cut is complete after 40 epochs")
    expectRefusal(
      try await train(tool, "--resume", "-o", "cut", "--quiet", "--rate", "0.5"), 65,
      containing:
        "was saved by a training with rate")
  }

  @Test("without -o every training has a folder of its own")
  func folders() async throws {
    let tool = try Tool()
    for name in ["lenet5-digits", "lenet5-digits-2"] {
      let result = try await train(tool, "--epochs", "1", "--quiet")
      expectDone(result)
      #expect(result.output.contains("log      runs/\(name)/log.jsonl\n"))
    }
    expectRefusal(
      try await train(tool, "--resume", "--quiet"), 65,
      containing:
        "the training in runs/lenet5-digits-2 is complete")
  }

  @Test("--loss trains, evaluates and resumes by another loss than the network's own")
  func otherLoss() async throws {
    let tool = try Tool()
    let hinge = ["--loss", "multi-class-hinge"]
    let run = ["--quiet", "--epochs", "3", "-o", "run"]
    expectDone(try await tool.start(Self.words + run + hinge).result())
    let test = try #require(try rows(tool, "run").last?.test)
    let eval = ["eval", "lenet5", "--data", "digits", "--weights", "run/best.safetensors"]
    for (words, isSame) in [(hinge, true), ([], false)] {
      let result = try await tool.start(eval + words).result()
      expectDone(result)
      let loss = "360 test images, loss \(String(format: "%.4f", test.loss)), "
      #expect(result.output.contains(loss) == isSame, "\(result.output)")
    }
    expectRefusal(
      try await tool.start(Self.words + run + ["--resume"]).result(), 65,
      containing:
        "was saved by a training with the loss multi-class-hinge, this one has softmax-cross-entropy"
    )
    expectRefusal(
      try await train(tool, "--quiet", "--loss", "mean-squared-error"), 65,
      containing: "has targets one value of int32, the model takes 10")
    expectRefusal(
      try await train(tool, "--loss", "hinge"), 64,
      containing: "the value 'hinge' is invalid for '--loss <LOSS>'")
  }

  @Test("settings out of range name the option, in a file the line")
  func settings() async throws {
    let tool = try Tool()
    for (words, message) in [
      (["--epochs", "0"], "--epochs is 0, expected 1...100000"),
      (["--batch", "0"], "--batch is 0, expected 1...65536"),
      (["--rate", "0"], "--rate is 0.0, expected a number above 0"),
      (["--momentum", "1"], "--momentum is 1.0, expected 0 to below 1"),
      (["--threads", "9999"], "--threads is 9999, expected 0...4096"),
      (["--resume", "--init", "x"], "--resume and --init exclude each other; leave one out"),
    ] {
      let result = try await tool.start(Self.words + words).result()
      expectRefusal(result, 64, "\(message); see 'convc train --help'")
    }
    try tool.write("epochs: 2\nlearning: 3\n", to: "a.yaml")
    expectRefusal(
      try await train(tool, "--recipe", "a.yaml"), 65,
      containing:
        "a.yaml: recipe, line 2: unknown setting 'learning'")
    try tool.write("{\"epochs\": 0}", to: "b.json")
    expectRefusal(
      try await train(tool, "--recipe", "b.json"), 65, "recipe: epochs is 0, expected 1...100000")
    expectRefusal(
      try await train(tool, "--recipe", "c.json"), 65, "c.json: no such file; check the path")
    expectRefusal(
      try await tool("train", "lenet5"), 64, containing: "missing expected argument '--data <DATA>'"
    )
    #expect(tool.folder.names == ["a.yaml", "b.json"])
  }

  @Test("what cannot begin or be written is refused")
  func refusals() async throws {
    let tool = try Tool()
    expectRefusal(
      try await train(tool, "--resume", "-o", "none"), 65,
      "no training to resume: none/last.state.safetensors is missing; leave out --resume to start one"
    )
    expectRefusal(
      try await train(tool, "--init", "none.safetensors"), 65,
      "none.safetensors: no such file; check the path")
    try tool.write("x", to: "file")
    expectRefusal(
      try await train(tool, "--epochs", "1", "--quiet", "-o", "file/run"), 73,
      containing:
        "cannot write file/run")
    let wild = try await train(tool, "--rate", "1e9", "--epochs", "1", "--quiet", "-o", "wild")
    expectRefusal(wild, 65, containing: "loss is", "in epoch 1 at step", "lower the rate")
    #expect(tool.folder.names == ["file", "wild"])
  }

  @Test("a disk that is full leaves the old checkpoint")
  func diskFull() async throws {
    let tool = try Tool()
    expectDone(try await train(tool, "--epochs", "1", "--quiet", "-o", "run"))
    let before = try Data(contentsOf: URL(filePath: tool.path("run/best.safetensors")))
    // Files may not grow beyond 32 KiB; the weights take more.
    let result = try await tool.shell(
      "ulimit -f 64; exec \"$CONVC\" train lenet5 --data digits --epochs 1 --seed 5 --quiet -o run")
    expectRefusal(result, 73, containing: "cannot write run/best.safetensors: ")
    #expect(try Data(contentsOf: URL(filePath: tool.path("run/best.safetensors"))) == before)
    #expect(try tool.names("run").allSatisfy { !$0.hasSuffix(".part") })
  }

  @Test("weights that do not fit are refused")
  func weights() async throws {
    let tool = try Tool()
    let eval = ["eval", "lenet5", "--data", "digits", "--weights"]
    expectRefusal(
      try await tool("eval", "lenet5", "--data", "digits"), 64,
      containing:
        "--weights FILE is missing: lenet5 has no trained weights of its own")
    try tool.write("no weights", to: "text")
    expectRefusal(
      try await tool.start(eval + ["text"]).result(), 65, containing: "text: no safetensors file")
    expectDone(try await tool("emit", "resnet8-digits", "-o", "other", "--target", "generic"))
    expectRefusal(
      try await tool.start(eval + ["other/resnet8_digits.safetensors"]).result(), 65,
      containing:
        "holds weights of model 'resnet8_digits', expected those of 'lenet5'")
  }
}
