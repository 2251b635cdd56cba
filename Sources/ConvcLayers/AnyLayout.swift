import ConvcIR

/// Candidates of a group whose kernels read and write one layout, whichever it is: the same template serves all.
///
/// - Parameter needsFullBlocks: a block of channels in part empty does not do.
func anyLayoutCandidates(
  for group: GroupContext, readsSums: Bool = false, needsFullBlocks: Bool = false,
  readsDeferred: Bool = false, deferred: (@Sendable (BackwardContext) -> DeferredGradient)? = nil,
  forward: @escaping @Sendable (ForwardContext) -> [KernelCall],
  backward: @escaping @Sendable (BackwardContext) -> [KernelCall],
  again: (@Sendable (ForwardContext) -> [KernelCall])? = nil
) -> [Candidate] {
  let target = group.target
  let types = group.inputTypes + [group.outputType]
  let bytes = types.reduce(0) { $0 + $1.bytes }
  var layouts: [(Layout, Double)] = [(.nchw, 1)]
  if target.hasVectors {
    let batch = types[0].maps.n
    let padded = (batch + target.lanes - 1) / target.lanes * target.lanes
    layouts.append((.lanes, Double(padded) / Double(batch)))
    if types.allSatisfy({ $0.maps.c % target.lanes == 0 }) {
      layouts.append((.blocked, 1))
    } else if !needsFullBlocks, types.allSatisfy({ $0.shape.count == 4 && group.fillsBlocks($0) }) {
      let channels = types[0].maps.c
      let rounded = (channels + target.lanes - 1) / target.lanes * target.lanes
      layouts.append((.blocked, Double(rounded) / Double(channels)))
    }
  }
  return layouts.map { layout, factor in
    Candidate(
      family: layout == .nchw ? "generic" : layout.rawValue,
      inputs: group.inputTypes.map { _ in layout },
      halos: group.inputTypes.map { _ in .none }, output: layout,
      microseconds: group.passes * factor * Double(bytes) / 10e3,
      readsSums: readsSums, readsDeferred: readsDeferred, deferred: deferred, forward: forward,
      backward: backward, again: again)
  }
}

/// The candidate of a group whose kernels know tensors in rows alone.
func rowsCandidate(
  for group: GroupContext, forward: @escaping @Sendable (ForwardContext) -> KernelCall,
  backward: @escaping @Sendable (BackwardContext) -> [KernelCall]
) -> Candidate {
  let types = group.inputTypes + [group.outputType]
  return Candidate(
    family: "generic", inputs: group.inputTypes.map { _ in .nchw },
    halos: group.inputTypes.map { _ in .none }, output: .nchw,
    microseconds: group.passes * Double(types.reduce(0) { $0 + $1.bytes }) / 10e3,
    forward: { [forward($0)] }, backward: backward)
}

/// Work of a kernel that is bound by memory.
func streamingWork(_ placements: Placement..., flopsPerValue: Double = 1) -> Work {
  let bytes = placements.reduce(0) { $0 + $1.bytes }
  return Work(flops: Double(bytes / 4) * flopsPerValue, bytes: Double(bytes), efficiency: 0.1)
}

extension Placement {
  /// Whether maps are too large for the second-level cache, so that it pays to ask for parts of them before they are needed.
  func comesFromMemory(_ target: Target) -> Bool {
    target.hasVectors && isMaps && bytes > target.level2
  }

  /// Whether it pays also where they are read in the order of memory.
  func comesLate(_ target: Target) -> Bool { comesFromMemory(target) && target.asksAhead }

  /// Whether results pass the caches: maps are so large that nothing of them is left there when they are read. Memory then
  /// is written without being read before, and inputs keep their places in the caches.
  func passesCaches(_ target: Target) -> Bool { comesLate(target) && bytes > 16 * target.level2 }
}

extension GradientPlacement {
  /// Whether gradients pass the caches: nothing is added to what is there, and they are too large to stay there.
  func passesCaches(_ target: Target) -> Bool {
    !accumulates && placement.passesCaches(target)
  }
}

extension GroupContext {
  /// Whether maps can stand in blocks of channels. Lanes without a channel hold zeros: weights and biases have zeros for
  /// them, and reorders write them. Kernels of the backward pass know full blocks alone.
  func fillsBlocks(_ type: TensorType) -> Bool {
    type.maps.c % target.lanes == 0 || !isTraining
  }
}
