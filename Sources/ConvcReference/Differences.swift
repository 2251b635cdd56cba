import ConvcIR
import Dispatch

/// Central differences of the total loss, penalty included, around a point.
struct Differences {
  let network: ReferenceNetwork
  let sample: ReferenceSample
  let options: PassOptions
  let parameters: [DoubleTensor]
  let base: ForwardPass
  let reverse: ReversePass
  /// Of each parameter: the nodes whose values depend on it.
  let dependents: [Set<Node.ID>]

  init(
    _ network: ReferenceNetwork, _ block: [Double], _ sample: ReferenceSample,
    _ options: PassOptions
  ) {
    self.network = network
    self.sample = sample
    self.options = options
    parameters = network.tensors(block)
    base = network.forward(parameters, sample, options)
    reverse = network.backward(base, parameters, sample, options)
    dependents = network.graph.parameters.indices.map { network.graph.dependents(of: $0) }
  }

  /// The derivatives by elements of a parameter; nil where every step crosses a kink.
  func derivatives(
    _ parameter: Int, _ elements: [Int], step: Double, by method: GradientCheck.Method,
    threads: Int
  ) -> [Double?] {
    switch method {
    case .wholeNetwork:
      concurrently(elements.count, moving: parameter, threads: threads) {
        derivative(parameter, elements[$0], $1, step)
      }
    case .byLayer: layerDerivatives(parameter, elements, step: step, threads: threads)
    }
  }

  /// What a function gives for each index, on several threads, each with a copy of the parameter that it may move.
  func concurrently<Result>(
    _ count: Int, moving parameter: Int, threads: Int,
    _ result: (Int, [DoubleTensor]) -> Result
  ) -> [Result] {
    var results = [Result?](repeating: nil, count: count)
    let workers = max(1, min(threads, count))
    withoutActuallyEscaping(result) { result in
      results.withUnsafeMutableBufferPointer { results in
        // Each worker writes every so many-th place.
        nonisolated(unsafe) let results = results
        nonisolated(unsafe) let differences = self
        nonisolated(unsafe) let result = result
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
          var own = differences.parameters
          own[parameter] = own[parameter].reshaped(own[parameter].shape)
          for place in stride(from: worker, to: results.count, by: workers) {
            results[place] = result(place, own)
          }
        }
      }
    }
    return results.map { value in
      guard let value else { preconditionFailure("internal error: a result is missing") }
      return value
    }
  }

  private func derivative(
    _ parameter: Int, _ element: Int, _ own: [DoubleTensor], _ step: Double
  ) -> Double? {
    let address = own[parameter].address + element
    let value = address.pointee
    defer { address.pointee = value }
    let regularizer = network.graph.parameters[parameter].regularizer
    return shortened(step) { side in
      let moved = value + side
      // |w| bends where w changes its sign.
      if let regularizer, regularizer.l1 > 0, value * moved < 0 { return nil }
      address.pointee = moved
      let pass = network.forward(
        own, sample, options, changed: dependents[parameter], earlier: base)
      return (pass, regularizer?.value(moved) ?? 0)
    }
  }

  /// The derivative along a direction over the trainable part of the parameter block.
  func derivative(along direction: [Float], step: Double) -> Double? {
    let trainable = network.graph.parameters.enumerated().filter { $1.kind == .trainable }
    return shortened(step) { side in
      var moved = parameters
      for (index, parameter) in trainable {
        let tensor = parameters[index].reshaped(parameter.spec.shape)
        direction.withUnsafeBufferPointer { direction in
          var i = 0
          while i < tensor.count {
            tensor.address[i] += side * Double(direction[parameter.offset &+ i])
            i &+= 1
          }
        }
        moved[index] = tensor
      }
      return (network.forward(moved, sample, options), network.penalty(moved))
    }
  }

  /// For each trainable parameter the largest change of its gradients where all parameters, and all values and gradients
  /// on their way, move by up to the last bit of single precision.
  func changesByRounding(_ random: inout RandomValues) -> [Double] {
    let noise = RoundingNoise(RandomValues(seed: random.next()))
    let moved = parameters.map(noise.moved)
    let pass = network.forward(moved, sample, options, noise: noise)
    let block = network.backward(pass, moved, sample, options, noise: noise).block
    return network.graph.parameters.filter { $0.kind == .trainable }.map { parameter in
      (parameter.offset..<parameter.offset + parameter.spec.count).reduce(0) {
        max($0, (block[$1] - reverse.block[$1]).magnitude)
      }
    }
  }

  /// The slope between two steps of equal size; nil where every size crosses a kink.
  ///
  /// - Parameter move: what a step leads to: the values, and the penalty as far as it changes; nil: it crosses a kink.
  private func shortened(
    _ step: Double, _ move: (Double) -> (pass: ForwardPass, penalty: Double)?
  ) -> Double? {
    for h in [step, step / 4, step / 16] {
      guard let up = move(h), let down = move(-h), up.pass.decisions == base.decisions,
        down.pass.decisions == base.decisions
      else { continue }
      let data = network.total(of: up.pass, sample) - network.total(of: down.pass, sample)
      return (data + (up.penalty - down.penalty)) / (2 * h)
    }
    return nil
  }
}

extension Graph {
  /// The nodes whose values depend on a parameter.
  func dependents(of parameter: Int) -> Set<Node.ID> {
    var nodes: Set<Node.ID> = []
    var tensors: Set<Tensor.ID> = []
    for node in self.nodes
    where node.parameters.contains(parameter) || node.inputs.contains(where: tensors.contains) {
      nodes.insert(node.id)
      tensors.insert(node.output)
    }
    return nodes
  }
}
