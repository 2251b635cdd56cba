import ConvcData
import Testing

@Suite struct ValidationSplitTests {
  /// 50 of class 0, 30 of class 1, 20 of class 2, mixed.
  let labels = (0..<100).map { Int32($0 % 10 < 5 ? 0 : $0 % 10 < 8 ? 1 : 2) }

  private func counts(_ indices: [Int]) -> [Int] {
    (0..<3).map { label in indices.count { labels[$0] == label } }
  }

  @Test func everyImageIsInOnePart() throws {
    let split = try ValidationSplit(labels: labels, fraction: 0.2, seed: 1)
    #expect((split.train + split.validation).sorted() == Array(0..<100))
    #expect(split.train == split.train.sorted() && split.validation == split.validation.sorted())
  }

  @Test func everyClassHasItsShare() throws {
    let split = try ValidationSplit(labels: labels, fraction: 0.1, seed: 1)
    #expect(counts(split.validation) == [5, 3, 2])
    // 1.5, 0.9 and 0.6: whole shares first, then the largest remainders.
    #expect(counts(try ValidationSplit(labels: labels, count: 3, seed: 1).validation) == [1, 1, 1])
  }

  @Test func seedDecides() throws {
    let first = try ValidationSplit(labels: labels, count: 10, seed: 1)
    #expect(first == (try ValidationSplit(labels: labels, count: 10, seed: 1)))
    #expect(first != (try ValidationSplit(labels: labels, count: 10, seed: 2)))
    // Recorded: the same on every machine and with every release.
    #expect(first.validation == [17, 20, 33, 37, 61, 76, 80, 89, 94, 99])
  }

  @Test func nothingMayBeKept() throws {
    let split = try ValidationSplit(labels: labels, fraction: 0, seed: 1)
    #expect(split.train.count == 100 && split.validation.isEmpty)
  }

  @Test(arguments: [(100, "100 of 100"), (-1, "-1 of 100")])
  func trainingNeedsImages(count: Int, text: String) {
    #expect {
      _ = try ValidationSplit(labels: labels, count: count, seed: 1)
    } throws: {
      "\($0)" == "\(text) training images cannot be kept for validation: expected 0...99; "
        + "give another validation_fraction"
    }
  }

  @Test(arguments: [1.0, 0.999, -0.5, .nan, .infinity])
  func fractionsOutOfRangeAreRefused(fraction: Double) {
    #expect {
      _ = try ValidationSplit(labels: labels, fraction: fraction, seed: 1)
    } throws: {
      "\($0)" == "a share of \(fraction) of 100 training images cannot be kept for validation: "
        + "expected 0...99; give another validation_fraction"
    }
  }
}
