import Testing

/// Expects the one line of a refusal, and an end without a trap.
func expectRefusal(
  _ result: Tool.Result, _ status: Int32, _ message: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.exited, "\(result)", sourceLocation: sourceLocation)
  #expect(result.status == status, "\(result)", sourceLocation: sourceLocation)
  #expect(result.errors == "error: \(message)\n", sourceLocation: sourceLocation)
}

/// The same for a message of which a part is known.
func expectRefusal(
  _ result: Tool.Result, _ status: Int32, containing parts: String...,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.exited, "\(result)", sourceLocation: sourceLocation)
  #expect(result.status == status, "\(result)", sourceLocation: sourceLocation)
  #expect(result.errorLines.count == 1, "\(result)", sourceLocation: sourceLocation)
  #expect(result.errors.hasPrefix("error: "), "\(result)", sourceLocation: sourceLocation)
  for part in parts {
    #expect(result.errors.contains(part), "\(result)", sourceLocation: sourceLocation)
  }
}

/// Expects success without anything on standard error.
func expectDone(_ result: Tool.Result, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(result.exited && result.status == 0, "\(result)", sourceLocation: sourceLocation)
  #expect(result.errors == "", sourceLocation: sourceLocation)
}
