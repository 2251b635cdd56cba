import ConvcTestSupport
import Testing

@testable import ConvcONNX

@Suite("Survey of a model")
struct SurveyTests {
  @Test("operators are counted, and every node that cannot be converted is named at once")
  func problems() throws {
    let model = Build.model(
      Build.graph(
        [
          Build.node("Relu", ["x"], ["a"]), Build.node("Relu", ["a"], ["b"]),
          Build.node("Cast", ["b"], ["c"], name: "half", ["to": .int(10)]),
          Build.node("Add", ["c", "c"], ["y"]),
          Build.node("Transpose", ["b"], ["z"], name: "turn", ["perm": .ints([0, 0])]),
          Build.node("Hash", ["x"], ["h"]),
        ], inputs: [Build.value("x", ["1", "2"])],
        outputs: ["y", "z", "h"].map { Build.value($0, []) }))
    let survey = try ConvertOperators().survey(try read(model))
    #expect(survey.operators.first?.op == "Relu" && survey.operators.first?.count == 2)
    #expect(
      survey.problems.map(\.description) == [
        "model: has operators that convc does not know: Hash (1)",
        "node 'half' (Cast): casts to type float16, expected float, int32, int64 or bool",
        "node 'turn' (Transpose): has perm [0, 0], expected each axis of [1, 2] once; export the model again",
      ])
  }

  @Test("a model that can be converted has no problems")
  func fine() throws {
    let survey = try ConvertOperators().survey(try read(Build.small))
    #expect(survey.problems.isEmpty && survey.operators.map(\.count) == [1, 1])
  }
}
