/// The operators that convc converts, by name; those of constants alone are not among them.
enum OperatorTable {
  static let converters: [String: OperatorConverter] = [
    windowOperators, activationOperators, arithmeticOperators, shapeOperators, movingOperators,
    normalizationOperators, reductionOperators, matrixOperators, comparisonOperators,
    resizeOperators, typeOperators, lossOperators, trainingOperators, fusedOperators,
  ].reduce(into: [:]) { table, part in table.merge(part) { first, _ in first } }

  /// Whether an operator can be converted, or at least computed where its inputs are constants.
  static func knows(_ title: String) -> Bool {
    converters[title] != nil || Evaluation.evaluators[title] != nil || title == "If"
  }
}
