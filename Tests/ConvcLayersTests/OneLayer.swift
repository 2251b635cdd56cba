import Convc

/// A program of one layer that only infers.
func oneLayerSession(_ layer: any Layer, _ shape: [Int]) async throws -> Session {
  let model = Model("one_layer", input: shape) { layer }
  let compilation = try model.compile(BuildOptions(batch: 1, trains: false))
  return try Session(await compilation.load(toolchain: Toolchain.find()))
}

/// What a refusal says; nil where nothing is refused.
func refusal(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch { return "\(error)" }
}
