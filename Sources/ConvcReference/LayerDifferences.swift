import ConvcIR

/// Differences of single layers' outputs, for networks whose differences of the loss would take too long.
///
/// A convolution's weight changes one map of its output. Elements that change a map each are moved at once, so that one
/// evaluation of the layer serves as many of them as it has maps.
extension Differences {
  /// The derivatives by elements of a parameter: the gradient by the output of its layer, times the difference of that
  /// output; nil where every step crosses a kink.
  func layerDerivatives(
    _ parameter: Int, _ elements: [Int], step: Double, threads: Int
  ) -> [Double?] {
    guard let (node, maps) = changedMaps(parameter, elements, step) else {
      return concurrently(elements.count, moving: parameter, threads: threads) {
        layerDerivative(parameter, elements[$0], $1, step)
      }
    }
    var groups: [[Int]] = []
    for place in elements.indices {
      let free = groups.firstIndex { $0.allSatisfy { maps[$0] != maps[place] } }
      if let free { groups[free].append(place) } else { groups.append([place]) }
    }
    let derivatives = concurrently(groups.count, moving: parameter, threads: threads) {
      let places = groups[$0]
      let own = $1
      return slopes(
        parameter, places.map { elements[$0] }, of: node, maps: places.map { maps[$0] }, own, step)
        ?? places.map { layerDerivative(parameter, elements[$0], own, step) }
    }
    var results = [Double?](repeating: nil, count: elements.count)
    for (group, values) in zip(groups, derivatives) {
      for (place, value) in zip(group, values) { results[place] = value }
    }
    return results
  }

  /// The only layer that reads a parameter, and for each element the one map of its output that changes with it; nil: there
  /// are several, or others may change as well. A few elements are tried.
  private func changedMaps(
    _ parameter: Int, _ elements: [Int], _ step: Double
  ) -> (node: Node, maps: [Int])? {
    let readers = network.graph.nodes.filter { $0.parameters.contains(parameter) }
    guard elements.count > 8, readers.count == 1, let node = readers.first else { return nil }
    let shape = network.graph.parameters[parameter].spec.shape
    let output = base[node.output]
    var own = parameters
    own[parameter] = own[parameter].reshaped(shape)
    let moved = stride(from: 0, to: elements.count, by: elements.count / 4).map { place in
      let address = own[parameter].address + elements[place]
      let value = address.pointee
      defer { address.pointee = value }
      address.pointee = value + step
      return (place, network.evaluate(node, base, own, options).output)
    }
    for axis in shape.indices.prefix(2) where shape[axis] == output.maps.c {
      let below = shape[(axis + 1)...].reduce(1, *)
      let maps = elements.map { $0 / below % shape[axis] }
      if moved.allSatisfy({ $1.isEqual(to: output, butFor: maps[$0]) }) { return (node, maps) }
    }
    return nil
  }

  /// The derivatives by elements that change a map each; nil: a step of them crosses a kink.
  private func slopes(
    _ parameter: Int, _ elements: [Int], of node: Node, maps: [Int], _ own: [DoubleTensor],
    _ step: Double
  ) -> [Double?]? {
    guard let gradient = reverse.tensors[node.output.index] else { return nil }
    let values = elements.map { own[parameter].address[$0] }
    defer {
      for (element, value) in zip(elements, values) { own[parameter].address[element] = value }
    }
    var sums: [[Double]] = []
    for side in [step, -step] {
      for (element, value) in zip(elements, values) {
        own[parameter].address[element] = value + side
      }
      let result = network.evaluate(node, base, own, options)
      guard result.decisions == base.decisions[node.id.index] else { return nil }
      sums.append(
        maps.map { gradient.weightedChange(from: base[node.output], to: result.output, of: $0) })
    }
    return elements.indices.map { index in
      penaltySlope(parameter, at: values[index], step).map {
        $0 + (sums[0][index] - sums[1][index]) / (2 * step)
      }
    }
  }

  /// The derivative by one element.
  private func layerDerivative(
    _ parameter: Int, _ element: Int, _ own: [DoubleTensor], _ step: Double
  ) -> Double? {
    let address = own[parameter].address + element
    let value = address.pointee
    defer { address.pointee = value }
    guard var sum = penaltySlope(parameter, at: value, step) else { return nil }
    for node in network.graph.nodes where node.parameters.contains(parameter) {
      guard let gradient = reverse.tensors[node.output.index] else { continue }
      let decisions = base.decisions[node.id.index]
      func slope(_ step: Double) -> Double? {
        var sums: [Double] = []
        for side in [step, -step] {
          address.pointee = value + side
          let result = network.evaluate(node, base, own, options)
          guard result.decisions == decisions else { return nil }
          sums.append(gradient.weightedChange(from: base[node.output], to: result.output))
        }
        return (sums[0] - sums[1]) / (2 * step)
      }
      guard let slope = slope(step) ?? slope(step / 4) ?? slope(step / 16) else { return nil }
      sum += slope
    }
    return sum
  }

  /// The penalty's part; nil: |w| bends within the step.
  private func penaltySlope(_ parameter: Int, at value: Double, _ step: Double) -> Double? {
    guard let regularizer = network.graph.parameters[parameter].regularizer else { return 0 }
    if regularizer.l1 > 0, value.magnitude < step, value != 0 { return nil }
    return (regularizer.value(value + step) - regularizer.value(value - step)) / (2 * step)
  }
}

extension DoubleTensor {
  /// The sum of the changes of a tensor, or of one map of each image, each times the value here.
  fileprivate func weightedChange(
    from old: DoubleTensor, to new: DoubleTensor, of map: Int? = nil
  ) -> Double {
    let maps = self.maps
    var sum = 0.0
    for part in 0..<(map == nil ? 1 : maps.n) {
      var i = map.map { (part * maps.c + $0) * maps.pixels } ?? 0
      let end = map == nil ? count : i + maps.pixels
      while i < end {
        sum += address[i] * (new.address[i] - old.address[i])
        i &+= 1
      }
    }
    return sum
  }

  /// Whether all maps but one are the same.
  fileprivate func isEqual(to other: DoubleTensor, butFor map: Int) -> Bool {
    let maps = self.maps
    var i = 0
    while i < count {
      if address[i] != other.address[i], i / maps.pixels % maps.c != map { return false }
      i &+= 1
    }
    return true
  }
}
