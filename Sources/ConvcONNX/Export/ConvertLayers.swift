import ConvcIR

/// Turns a network of layers into an ONNX model: the reverse of ``ConvertOperators``.
///
/// Before: layers with the shapes of one image. After: operators of the standard's set ``opset``, under the layers' names, with
/// the parameters as initializers under theirs. Dropout stays, which does nothing in inference; losses and penalties are
/// left out. Inputs and outputs keep their labels.
public struct ConvertLayers: Sendable {
  /// The version of the operator set that models are written for.
  public static let opset = 20
  /// The version of the file format.
  public static let irVersion = 9

  /// The extent of axis 0: a number of images, or a name for any. Networks whose shapes are whole have their own.
  public let batch: ONNXDimension

  public init(batch: ONNXDimension = .symbol("N")) { self.batch = batch }

  /// - Parameters:
  ///   - graph: the network, for a batch of one.
  ///   - parameters: the whole parameter block, statistics included.
  /// - Throws: layers that the standard has no operators for, every one at once; weights that no ONNX file holds.
  public func run(_ graph: Graph, parameters: [Float]) throws(ONNXError) -> ExportedModel {
    precondition(
      parameters.count == graph.parameterCount, "internal error: a block for other parameters")
    try Self.checkLayers(of: graph)
    let writer = ModelWriter(graph, parameters: parameters, batch: batch)
    for node in graph.nodes {
      guard let layer = node.layer as? any ExportableLayer else { continue }
      layer.write(to: LayerWriter(node: node, model: writer))
    }
    return try writer.finish()
  }

  private static func checkLayers(of graph: Graph) throws(ONNXError) {
    let unknown = graph.nodes.filter { !($0.layer is any ExportableLayer) }
    guard !unknown.isEmpty else { return }
    let list = unknown.map { "\($0.name) (\(type(of: $0.layer)))" }.joined(separator: ", ")
    throw ONNXError(
      graph.name,
      "has layers that cannot be written as operators of ONNX: \(list); replace them, or build C of the network"
    )
  }
}

/// A layer that operators of ONNX can say.
protocol ExportableLayer: Layer {
  /// Writes the operators that compute the layer in inference, and names the last one's result.
  func write(to onnx: LayerWriter)
}
