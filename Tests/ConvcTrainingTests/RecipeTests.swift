import ConvcTraining
import Testing

@Suite("Recipe")
struct RecipeTests {
  @Test("settings of a file replace those of the recipe, the rest stays")
  func changes() throws {
    let changes = try Recipe.Changes(
      text: """
        # what differs
        epochs: 4
        rate: 0.02   # lower
        warm_up_steps: 30
        """)
    let recipe = Recipe(batch: 32).applying(changes)
    #expect(recipe == Recipe(epochs: 4, batch: 32, rate: 0.02, warmUp: .steps(30)))
  }

  @Test("recipe.json is valid JSON, and reading it gives the recipe")
  func roundTrip() throws {
    let recipe = Recipe(
      epochs: 2, batch: 17, rate: 0.1, momentum: 0, weightDecay: 1e-5, warmUp: .fraction(0.25),
      endRate: 0.001, seed: .max, validationFraction: 0, threads: 2)
    #expect(try Recipe().applying(Recipe.Changes(text: recipe.json)) == recipe)
    #expect(
      Recipe(seed: 3).json == """
        {
          "epochs": 10,
          "batch": 64,
          "rate": 0.05,
          "momentum": 0.9,
          "weight_decay": 0.0005,
          "warm_up_fraction": 0.1,
          "end_rate": 0.0,
          "seed": 3,
          "validation_fraction": 0.1,
          "threads": 0
        }

        """)
  }

  @Test("JSON on one line is read as well")
  func oneLine() throws {
    let changes = try Recipe.Changes(text: #"{"epochs": 3, "warm_up_fraction": 0.5}"#)
    #expect(changes.epochs == 3)
    #expect(changes.warmUp == .fraction(0.5))
  }

  @Test(
    "a file that cannot be read says where",
    arguments: [
      (
        "epochs: 3\nlearning: 1",
        "recipe, line 2: unknown setting 'learning'; there are epochs, batch, rate, momentum, "
          + "weight_decay, warm_up_fraction, warm_up_steps, end_rate, seed, validation_fraction, "
          + "threads"
      ),
      ("epochs: 3.5", "recipe, line 1: epochs is '3.5', expected a whole number"),
      ("seed: -1", "recipe, line 1: seed is '-1', expected a whole number from 0 on"),
      (
        "\n\nrate fast", "recipe, line 3: 'rate fast' is no setting; write one 'name: value' a line"
      ),
      ("rate: 1\nrate: 2", "recipe, line 2: rate stands there twice; remove one"),
      (
        "warm_up_steps: 1\nwarm_up_fraction: 0.1",
        "recipe: warm_up_fraction and warm_up_steps are both given; remove one"
      ),
    ])
  func errors(text: String, expected: String) {
    #expect(message { _ = try Recipe.Changes(text: text) } == expected)
  }

  @Test(
    "a setting out of its range is refused",
    arguments: [
      (Recipe(epochs: 0), "recipe: epochs is 0, expected 1...100000"),
      (Recipe(batch: 0), "recipe: batch is 0, expected 1...65536"),
      (Recipe(rate: .nan), "recipe: rate is nan, expected a number above 0"),
      (Recipe(momentum: 1), "recipe: momentum is 1.0, expected 0 to below 1"),
      (Recipe(weightDecay: -1), "recipe: weight_decay is -1.0, expected a number from 0 on"),
      (Recipe(warmUp: .fraction(2)), "recipe: warm_up_fraction is 2.0, expected 0 to 1"),
      (Recipe(warmUp: .steps(-1)), "recipe: warm_up_steps is -1, expected 0 or more"),
      (Recipe(endRate: 1), "recipe: end_rate is 1.0, expected 0 to the rate, 0.05"),
      (
        Recipe(validationFraction: 1),
        "recipe: validation_fraction is 1.0, expected 0 to below 1"
      ),
      (Recipe(threads: -1), "recipe: threads is -1, expected 0...4096"),
    ])
  func ranges(recipe: Recipe, expected: String) {
    #expect(message { try recipe.validate() } == expected)
  }

  @Test("an unusual batch gives a hint")
  func hints() {
    #expect(
      Recipe(batch: 1).hints == ["batch 1 is outside of the usual 10 to a few hundred images"])
    #expect(Recipe(batch: 64).hints.isEmpty)
  }
}
