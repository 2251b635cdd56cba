import ConvcIR
import ConvcLayers
import Foundation

extension ModelFile {
  /// The form of a model file as a JSON Schema (draft 2020-12), made from the registry: editors complete and check by it.
  public static var schema: String {
    let layers = LayerRegistry.layers.map { layer in
      variant("layer", layer.registeredName, layer.settings, beside: layerKeys)
    }
    let losses = LayerRegistry.losses.map { loss in
      variant("loss", loss.registeredName, loss.settings, beside: lossKeys)
    }
    let name: JSON = ["type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$"]
    let root: JSON = [
      "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A network of convc",
      "type": "object", "additionalProperties": false,
      "required": ["convc", "name", "inputs", "layers", "outputs"],
      "properties": [
        "convc": ["const": version, "description": "version of the form"] as JSON,
        "name": ["type": "string", "description": "begins all C symbols"] as JSON,
        "unbatched": [
          "type": "boolean", "default": false,
          "description": "whether shapes are whole, axis 0 with them, and a call is one run",
        ] as JSON,
        "inputs": [
          "type": "object", "propertyNames": name,
          "additionalProperties": [
            "type": "array", "items": ["type": "integer", "minimum": 1] as JSON,
            "description":
              "extents of one image: [C, H, W], [C, L] or [F]; of an unbatched network all extents",
          ] as JSON,
        ] as JSON,
        "preprocessing": [
          "type": "object", "additionalProperties": false,
          "description":
            "(pixel * scale - mean) / deviation, a mean and deviation for each channel",
          "properties": [
            "scale": ["type": "number"] as JSON, "mean": numbers, "deviation": numbers,
          ] as JSON,
        ] as JSON,
        "regularizer": regularizer,
        "classes": ["type": "array", "items": ["type": "string"] as JSON] as JSON,
        "layers": [
          "type": "object", "propertyNames": name,
          "additionalProperties": ["oneOf": layers] as JSON,
        ] as JSON,
        "outputs": [
          "type": "object", "additionalProperties": ["type": "string"] as JSON,
        ] as JSON,
        "losses": [
          "type": "object", "additionalProperties": ["oneOf": losses] as JSON,
        ] as JSON,
      ] as JSON,
    ]
    let options: JSONSerialization.WritingOptions = [
      .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
    ]
    guard let data = try? JSONSerialization.data(withJSONObject: root, options: options) else {
      preconditionFailure("internal error: the schema is no JSON")
    }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  private typealias JSON = [String: Any]

  private static var numbers: JSON {
    ["type": "array", "items": ["type": "number"] as JSON]
  }

  private static var layerKeys: JSON {
    let names: JSON = ["type": "array", "items": ["type": "string"] as JSON]
    return [
      "reads": [
        "oneOf": [["type": "string"] as JSON, names],
        "description": "layers or inputs; without it the layer before",
      ] as JSON,
      "frozen": ["type": "boolean", "description": "training leaves its parameters alone"] as JSON,
      "regularizer": regularizer,
    ]
  }

  private static var regularizer: JSON {
    func factor(_ sum: String) -> JSON {
      ["type": "number", "minimum": 0, "default": 0, "description": "factor of the sum of \(sum)"]
    }
    return [
      "type": "object", "additionalProperties": false,
      "description": "penalty on weights; without it that of the model file, if it has one",
      "properties": [
        "l1": factor("magnitudes"), "l2": factor("squares"),
        "biases": [
          "type": "boolean", "default": false,
          "description": "whether biases and normalisation are penalised as well",
        ] as JSON,
      ] as JSON,
    ]
  }

  private static var lossKeys: JSON {
    [
      "output": ["type": "string", "description": "the output it judges"] as JSON,
      "target": ["type": "string", "description": "name of what the caller passes"] as JSON,
      "weight": ["type": "number", "description": "factor in the sum that is minimised"] as JSON,
    ]
  }

  private static func variant(
    _ key: String, _ name: String, _ settings: [SettingSpec], beside keys: JSON
  ) -> JSON {
    var properties = keys
    properties[key] = ["const": name] as JSON
    for spec in settings { properties[spec.name] = property(spec) }
    let required = [key] + settings.filter { $0.standard == nil }.map(\.name)
    return [
      "type": "object", "additionalProperties": false, "properties": properties,
      "required": key == "loss" ? required + ["output", "target"] : required,
    ]
  }

  private static func property(_ spec: SettingSpec) -> JSON {
    let whole: JSON = ["type": "integer"]
    func list(_ count: Int) -> JSON {
      ["type": "array", "items": whole, "minItems": count, "maxItems": count]
    }
    var property: JSON =
      switch spec.kind {
      case .boolean: ["type": "boolean"]
      case .booleanOr(let words): ["oneOf": [["type": "boolean"] as JSON, ["enum": words] as JSON]]
      case .integer: whole
      case .number: ["type": "number"]
      case .integers: ["type": "array", "items": whole]
      case .numbers: numbers
      case .size: ["oneOf": [whole, list(2)]]
      case .padding(let words):
        ["oneOf": [whole, list(4)] + (words.isEmpty ? [] : [["enum": words] as JSON])]
      case .sides(let words): ["oneOf": [whole, list(2), ["enum": words] as JSON]]
      case .word(let words): ["enum": words]
      case .text: ["type": "string"]
      }
    property["description"] = spec.meaning
    if let standard = spec.standard, standard != .list([]) {
      property["default"] = json(standard)
    }
    return property
  }

  private static func json(_ value: SettingValue) -> Any {
    switch value {
    case .boolean(let value): value
    case .integer(let value): value
    case .number(let value): value
    case .word(let word): word
    case .list(let values): values.map(json)
    }
  }
}
