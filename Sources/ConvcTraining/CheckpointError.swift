/// Why a file of weights cannot be used or written. The description is one line.
public enum CheckpointError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file is missing, damaged, or no safetensors file.
  case unreadable(path: String, reason: String)
  case wrongModel(path: String, saved: String, expected: String)
  /// The same model's name, other layers or settings.
  case otherVersion(path: String, model: String)
  case missingTensor(String, shape: [Int], path: String)
  case extraTensor(String, shape: [Int], path: String, model: String)
  case wrongShape(String, expected: [Int], got: [Int], path: String)
  case wrongType(String, got: String, path: String)
  /// `position` counts the tensor's elements.
  case notFinite(String, value: Float, position: Int, path: String)
  /// The preprocessing in the file's metadata cannot be used.
  case preprocessing(path: String, reason: String)
  case cannotWrite(path: String, reason: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): \(reason)"
    case .wrongModel(let path, let saved, let expected):
      "\(path) holds weights of model '\(saved)', expected those of '\(expected)'; "
        + "give a file that \(expected) was trained to, or choose model \(saved)"
    case .otherVersion(let path, let model):
      "\(path) holds weights of another '\(model)', with other layers, sizes or settings; "
        + "give weights of this one, or train it anew"
    case .missingTensor(let name, let shape, let path):
      "\(path) lacks tensor '\(name)' of shape \(Self.text(shape)); "
        + "give weights of this very model, or train it anew"
    case .extraTensor(let name, let shape, let path, let model):
      "\(path) has tensor '\(name)' of shape \(Self.text(shape)), which model '\(model)' lacks; "
        + "give weights of this very model, or remove the tensor"
    case .wrongShape(let name, let expected, let got, let path):
      "\(path): tensor '\(name)' has shape \(Self.text(got)), expected \(Self.text(expected)); "
        + "give weights of this very model, or train it anew"
    case .wrongType(let name, let got, let path):
      "\(path): tensor '\(name)' is of type \(got), expected F32; convert it to float32"
    case .notFinite(let name, let value, let position, let path):
      "\(path): tensor '\(name)' holds \(NumberText.plain(Double(value))) at element \(position), expected finite numbers; "
        + "take a checkpoint from before, such as best.safetensors"
    case .preprocessing(let path, let reason):
      "\(path): convc.preprocessing in its metadata \(reason); "
        + "give weights of this very model, or correct the entry"
    case .cannotWrite(let path, let reason):
      "cannot write \(path): \(reason); free space or choose another folder with -o"
    }
  }

  private static func text(_ shape: [Int]) -> String {
    shape.isEmpty ? "()" : shape.map(String.init).joined(separator: "x")
  }
}
