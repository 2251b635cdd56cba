/// A step of the compiler: from one stage to the next, without side effects.
public protocol Pass: Sendable {
  associatedtype Before
  associatedtype After
  /// Name in listings: `infer-shapes`.
  static var name: String { get }
  func run(_ stage: Before) throws(CompileError) -> After
}
