import ConvcTraining
import Testing

@Suite("Recipes of networks and data sets")
struct RecipeDefaultsTests {
  @Test(
    "every built-in pair has a recipe of its own that is valid",
    arguments: [
      ("lenet5", "fashion-mnist"), ("lenet5", "mnist"), ("lenet5", "digits"),
      ("resnet8-digits", "digits"),
    ])
  func pairs(preset: String, data: String) throws {
    let recipe = Recipe.standard(preset: preset, data: data)
    #expect(recipe != Recipe())
    try recipe.validate()
    #expect(recipe.hints.isEmpty)
  }

  @Test("any other pair has the general one")
  func others() throws {
    #expect(Recipe.standard(preset: "mine", data: "digits") == Recipe())
    try Recipe().validate()
  }
}
