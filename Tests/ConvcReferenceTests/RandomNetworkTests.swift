import ConvcTestSupport
import Testing

@testable import ConvcReference

@Suite("Random networks")
struct RandomNetworkTests {
  @Test("a seed always makes the same network")
  func seeded() throws {
    let (first, second) = (try RandomNetwork(seed: 7), try RandomNetwork(seed: 7))
    #expect(first.description == second.description)
    #expect(first.parameters == second.parameters)
    #expect(first.expected.total == second.expected.total)
    #expect(try RandomNetwork(seed: 8).description != first.description)
  }

  @Test("the reverse pass agrees with central differences", arguments: 0..<12)
  func gradients(_ seed: Int) throws {
    let network = try RandomNetwork(seed: UInt64(seed))
    let report = GradientCheck(samples: 3, seed: UInt64(seed)).run(
      network.reference, parameters: network.parameters, network.sample,
      gradients: network.expected.gradients.map(Float.init), options: network.options)
    #expect(report.agrees(within: 1e-5), "\(network)\n\(report)")
  }
}
