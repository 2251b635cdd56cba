extension String {
  /// Whether C accepts the text as a name that is not one of its own.
  public var isCIdentifier: Bool {
    guard let first = utf8.first, !(48...57).contains(first) else { return false }
    let allowed = utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
    }
    return allowed && !Self.cKeywords.contains(self) && utf8.count <= 64
  }

  private static let cKeywords: Set<String> = [
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum",
    "extern", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict",
    "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
    "unsigned", "void", "volatile", "while", "main",
  ]
}
