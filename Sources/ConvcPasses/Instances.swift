import ConvcIR

/// Where each tensor lies: one buffer for every layout that somebody reads, with the halo that the widest reader needs.
///
/// A group writes its output into the primary buffer; reorders make the others when they are first read.
final class Instances {
  private let fused: FusedGraph
  private let lanes: Int
  private let library: any KernelLibrary
  private let table: BufferTable
  private let calls: CallList

  private var instances: [Key: Placement] = [:]
  private var primaries: [Tensor.ID: Placement] = [:]
  /// The halos that readers need, by tensor and layout.
  private var halos: [Tensor.ID: [Layout: Halo]] = [:]
  /// Where a view of another shape reads: its memory has no halo.
  private var dense: Set<Key> = []

  /// A tensor's memory in one layout; `isDense`: without halo.
  private struct Key: Hashable {
    let tensor: Tensor.ID
    let layout: Layout
    let isDense: Bool
  }

  init(
    fused: FusedGraph, lanes: Int, library: any KernelLibrary, table: BufferTable, calls: CallList
  ) {
    self.fused = fused
    self.lanes = lanes
    self.library = library
    self.table = table
    self.calls = calls
  }

  private var graph: Graph { fused.graph }

  /// Notes that somebody will read a tensor so. Before a tensor is written, all its readers have to be known.
  func need(_ tensor: Tensor.ID, _ layout: Layout, _ halo: Halo) {
    let storage = fused.storage(of: tensor)
    if !fused.isReshaped(tensor) {
      halos[storage, default: [:]][layout] =
        halos[storage]?[layout].map { $0.union(halo) } ?? halo
    } else {
      precondition(halo.isNone, "internal error: a view of another shape cannot have a halo")
      dense.insert(Key(tensor: storage, layout: layout, isDense: true))
    }
  }

  // MARK: Writers

  /// The buffer that a group writes: with the halo its readers want, unless a view needs it without.
  func makePrimary(_ tensor: Tensor.ID, _ layout: Layout) -> Placement {
    let isViewed = dense.contains(Key(tensor: tensor, layout: layout, isDense: true))
    let halo = isViewed ? Halo.none : halos[tensor]?[layout] ?? .none
    let placement = make(tensor, layout, halo, name: graph[tensor].name)
    primaries[tensor] = placement
    return placement
  }

  /// A new buffer like the primary one, in whose place it stands from now on.
  func makePrimaryAgain(_ tensor: Tensor.ID) -> Placement {
    let old = primary(of: tensor)
    let placement = make(
      tensor, old.layout, old.halo, name: "\(graph[tensor].name)_again")
    primaries[tensor] = placement
    return placement
  }

  /// Forgets what a primary buffer holds: readers from now on need it written again.
  func forgetPrimary(of tensor: Tensor.ID) {
    let primary = primary(of: tensor)
    instances[Key(tensor: tensor, layout: primary.layout, isDense: primary.halo.isNone)] = nil
  }

  private func make(
    _ tensor: Tensor.ID, _ layout: Layout, _ halo: Halo, name: String
  ) -> Placement {
    let placement = table.arena(
      name, for: graph[tensor].type, layout: layout, halo: halo, lanes: lanes)
    instances[Key(tensor: tensor, layout: layout, isDense: halo.isNone)] = placement
    if !halo.isNone {
      calls.append(
        [
          library.clearHalo(
            of: placement, name: "\(name)_clear_halo", layers: [graph[tensor].name])
        ], on: placement.type)
    }
    return placement
  }

  // MARK: Readers

  /// Where a tensor that is no view was written; the caller's memory for an input of the network.
  func primary(of tensor: Tensor.ID) -> Placement { primaries[tensor] ?? input(tensor) }

  /// The layout in which a tensor was written; nil: no group writes it.
  func writtenLayout(of tensor: Tensor.ID) -> Layout? { primaries[tensor]?.layout }

  /// A tensor as a reader wants it, reordered where no buffer holds it so.
  func source(_ tensor: Tensor.ID, _ layout: Layout) -> Placement {
    let storage = fused.storage(of: tensor)
    let type = graph[tensor].type
    let halo = fused.isReshaped(tensor) ? Halo.none : halos[storage]?[layout] ?? .none
    let key = Key(tensor: storage, layout: layout, isDense: halo.isNone)
    if let found = instances[key] { return found.viewed(as: type) }
    let primary = primary(of: storage)
    if primary.layout == layout, primary.halo == halo { return primary.viewed(as: type) }
    let name = graph[storage].name
    let suffix = layout != primary.layout ? layout.rawValue : halo.isNone ? "dense" : "padded"
    let made = make(storage, layout, halo, name: "\(name)_\(suffix)")
    calls.append(
      [
        library.reorder(
          primary, to: made, name: "\(name)_to_\(layout.rawValue)", layers: [name],
          accumulates: false)
      ], on: made.type)
    return made.viewed(as: type)
  }

  /// Copies a tensor to an output of the network.
  func copy(_ tensor: Tensor.ID, toOutput index: Int, name: String) {
    let storage = fused.storage(of: tensor)
    let primary = primary(of: storage)
    let destination = Placement(
      buffer: table.outside(.output(index), name: name), type: graph[storage].type, layout: .nchw,
      lanes: lanes)
    calls.append(
      [
        library.reorder(
          primary, to: destination, name: "\(graph[storage].name)_to_output",
          layers: [graph[storage].name], accumulates: false)
      ], on: destination.type)
  }

  private func input(_ tensor: Tensor.ID) -> Placement {
    guard let index = graph.inputs.firstIndex(of: tensor) else {
      preconditionFailure("internal error: \(graph[tensor].name) is read before it is written")
    }
    return Placement(
      buffer: table.outside(.input(index), name: graph[tensor].name), type: graph[tensor].type,
      layout: .nchw, lanes: lanes)
  }
}

extension BufferTable {
  /// A new part of the arena for a tensor.
  func arena(
    _ name: String, for type: TensorType, layout: Layout, halo: Halo = .none, lanes: Int
  ) -> Placement {
    let sized = Placement(
      buffer: Buffer.ID(0), type: type, layout: layout, halo: halo, lanes: lanes)
    return Placement(
      buffer: arena(name, bytes: sized.bytes), type: type, layout: layout, halo: halo,
      lanes: lanes)
  }
}

extension Placement {
  /// The same memory read as another shape.
  func viewed(as type: TensorType) -> Placement {
    type == self.type
      ? self : Placement(buffer: buffer, type: type, layout: layout, halo: halo, lanes: lanes)
  }
}
