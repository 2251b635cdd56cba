import ConvcIR

extension Conv2D {
  public func candidates(for group: GroupContext) -> [Candidate] {
    var all = [genericCandidate(for: group)]
    if group.target.hasVectors, groups == 1, window.dilation == 1 {
      all += [lanesCandidate(for: group)].compactMap { $0 } + blockedCandidates(for: group)
    }
    if group.target.hasVectors { all += [depthwiseCandidate(for: group)].compactMap { $0 } }
    return all
  }
}

extension Dense {
  public func candidates(for group: GroupContext) -> [Candidate] {
    var all = [genericCandidate(for: group)]
    if group.target.hasVectors {
      all += [lanesCandidate(for: group)] + [rowsCandidate(for: group)].compactMap { $0 }
    }
    return all
  }
}

extension MaxPool2D {
  public func candidates(for group: GroupContext) -> [Candidate] {
    Pool2DKernels(window: window, kind: .maximum).candidates(for: group)
  }
}

extension AveragePool2D {
  public func candidates(for group: GroupContext) -> [Candidate] {
    Pool2DKernels(window: window, kind: countsPadding ? .average : .averageInside)
      .candidates(for: group)
  }
}

extension GlobalAveragePool {
  public func candidates(for group: GroupContext) -> [Candidate] {
    let maps = group.inputTypes[0].maps
    let window = Window2D(kernelSize: Size2D(height: maps.h, width: maps.w))
    return Pool2DKernels(window: window, kind: .average).candidates(for: group)
  }
}
