import Convc

/// What a layer says of inputs that it refuses; nil: it accepts them.
public func message(of layer: any Layer, on inputs: [Int]...) -> String? {
  do {
    _ = try layer.output(for: inputs.map { TensorType(shape: $0) })
    return nil
  } catch {
    return error.description
  }
}

/// The extents of a layer's output; nil: it refuses the inputs.
public func outputShape(of layer: any Layer, on inputs: [Int]...) -> [Int]? {
  try? layer.output(for: inputs.map { TensorType(shape: $0) }).shape
}
