import ConvcTraining
import Testing

@Suite("RateSchedule")
struct RateScheduleTests {
  @Test("rises from 0 before the first step to the rate, then falls to the end rate")
  func risesAndFalls() {
    let schedule = RateSchedule(rate: 0.4, endRate: 0.1, warmUpSteps: 4, steps: 7)
    let rates = (0..<7).map { schedule.rate(at: $0) }
    #expect(rates == [0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.1])
  }

  @Test("without a warm-up begins at the rate")
  func noWarmUp() {
    let schedule = RateSchedule(rate: 1, endRate: 0, warmUpSteps: 0, steps: 5)
    #expect((0..<5).map { schedule.rate(at: $0) } == [1, 0.75, 0.5, 0.25, 0])
  }

  @Test("a warm-up over all steps ends at the rate")
  func onlyWarmUp() {
    let schedule = RateSchedule(rate: 1, endRate: 0, warmUpSteps: 9, steps: 4)
    #expect((0..<4).map { schedule.rate(at: $0) } == [0.25, 0.5, 0.75, 1])
    #expect(schedule.rate(at: 4) == 0)
  }

  @Test("a single step has the rate")
  func oneStep() {
    #expect(RateSchedule(rate: 0.5, endRate: 0, warmUpSteps: 0, steps: 1).rate(at: 0) == 0.5)
  }

  @Test("a recipe's warm-up is a share of all steps or a number of them")
  func recipe() {
    #expect(Recipe(warmUp: .fraction(0.1)).schedule(steps: 186).warmUpSteps == 19)
    #expect(Recipe(warmUp: .steps(5)).schedule(steps: 186).warmUpSteps == 5)
    #expect(Recipe(batch: 64).stepsPerEpoch(images: 129) == 3)
  }
}
