import ConvcIR

/// What generated code reaches memory and settings through.
enum Root: String, CaseIterable, Hashable {
  case parameters, packed, inputs, targets, outputs, gradients, losses, arena
  case batch, groups, accumulate, seed, step
}

/// What a piece of a region function needs at hand.
struct Needs {
  var roots: Set<Root> = []
  var places: Set<Place> = []
  /// A clock, in a profiled build.
  var clock = false

  mutating func formUnion(_ other: Needs) {
    clock = clock || other.clock
    roots.formUnion(other.roots)
    places.formUnion(other.places)
  }
}

/// Writes calls of kernels: their scalars and buffers as C expressions.
struct CallText {
  private let kernels: KernelGraph
  private let pointers: Pointers

  init(kernels: KernelGraph, pointers: Pointers) {
    self.kernels = kernels
    self.pointers = pointers
  }

  /// The call as lines, and what it needs at hand.
  func lines(
    _ call: KernelCall, function: String, indentation: String
  ) -> (lines: [String], needs: Needs) {
    var needs = Needs()
    var items: [String] = []
    for scalar in call.scalars {
      if let count = images(scalar, call) {
        items.append("\(count)")
      } else {
        items.append(scalar.rawValue)
        needs.roots.insert(Self.root(of: scalar))
      }
    }
    for argument in call.arguments { items.append(expression(argument, &needs)) }
    return (CText.list("\(indentation)\(function)(", items, ");"), needs)
  }

  /// Outputs that a call writes or reads, as indices.
  func outputs(of call: KernelCall) -> [Int] {
    var indices: [Int] = []
    for argument in call.arguments {
      guard case .output(let index) = kernels[argument.buffer].kind else { continue }
      if !indices.contains(index) { indices.append(index) }
    }
    return indices
  }

  /// Entries of the packed block that a call reads.
  func packedKeys(read call: KernelCall) -> [String] {
    call.arguments.compactMap { argument in
      guard case .packed(let key) = kernels[argument.buffer].kind, argument.access.reads else {
        return nil
      }
      return key
    }
  }

  /// The images, or the vectors of them, of a call that has a number of its own.
  private func images(_ scalar: Scalar, _ call: KernelCall) -> Int? {
    guard let images = call.images else { return nil }
    switch scalar {
    case .batch: return images
    case .groups: return (images + kernels.target.lanes - 1) / kernels.target.lanes
    case .accumulate, .seed, .step: return nil
    }
  }

  private static func root(of scalar: Scalar) -> Root {
    switch scalar {
    case .batch: .batch
    case .groups: .groups
    case .accumulate: .accumulate
    case .seed: .seed
    case .step: .step
    }
  }

  private func expression(_ argument: Argument, _ needs: inout Needs) -> String {
    let buffer = kernels[argument.buffer]
    let pointer = Pointer(argument)
    if let place = kernels.place(of: buffer) {
      needs.roots.insert(place.root)
      needs.places.insert(place)
      let name = pointers.name(place)
      switch place {
      case .arena: return pointer.own(name)
      case .packed: return pointer.own(name, floats: buffer.offset)
      case .copy, .parameter, .gradient, .parameters, .gradients: return pointer.floats(name)
      }
    }
    let (text, root) = outside(buffer)
    needs.roots.insert(root)
    return root == .losses ? pointer.floats(text) : pointer.tensor(text)
  }

  /// What the caller passes in an array of its own.
  private func outside(_ buffer: Buffer) -> (String, Root) {
    switch buffer.kind {
    case .input(let index): return ("inputs[\(index)]", .inputs)
    case .target(let index): return ("targets[\(index)]", .targets)
    case .output(let index): return ("outputs[\(index)]", .outputs)
    case .losses: return ("losses", .losses)
    case .arena, .parameter, .gradient, .gradients, .packed:
      preconditionFailure("internal error: \(buffer.name) has a place of its own")
    }
  }
}

/// An argument's pointer type, and the step to the first element that the kernel sees.
private struct Pointer {
  let argument: Argument

  init(_ argument: Argument) { self.argument = argument }

  private func cast(_ element: String) -> String {
    "(\(argument.access == .read ? "const " : "")\(element) *)"
  }

  /// A `void` pointer to memory of our own, whose elements may be vectors.
  ///
  /// - Parameter floats: floats before the part that the argument is.
  func own(_ place: String, floats: Int = 0) -> String {
    guard floats > 0 else {
      return argument.origin == 0 ? place : moved(cast(argument.element) + place)
    }
    let part = "\(cast("float"))\(place) + \(floats)"
    return moved(argument.element == "float" ? part : "\(cast(argument.element))(\(part))")
  }

  /// A caller's tensor: a `void` pointer, with no alignment for vectors.
  func tensor(_ tensor: String) -> String {
    if ["lanes", "masks", "bytes"].contains(argument.element) {
      preconditionFailure("internal error: \(argument.name): \(tensor) is not aligned for vectors")
    }
    return argument.origin == 0 ? tensor : moved(cast(argument.element) + tensor)
  }

  /// A pointer to floats.
  func floats(_ place: String) -> String {
    guard argument.element == "float" else {
      preconditionFailure("internal error: \(argument.name): \(place) holds floats")
    }
    return moved(place)
  }

  private func moved(_ text: String) -> String {
    if argument.origin == 0 { return text }
    return argument.origin < 0 ? "\(text) - \(-argument.origin)" : "\(text) + \(argument.origin)"
  }
}
