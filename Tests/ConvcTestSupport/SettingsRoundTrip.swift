import Convc
import Testing

/// Expects a layer or loss to come back from its own settings as the same.
public func expectSettings<Registered: Configurable>(
  _ registered: Registered, sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  let values = registered.settingValues
  do {
    let again = try Registered(settings: Settings(values, specs: Registered.settings))
    #expect(again.settingValues == values, sourceLocation: sourceLocation)
    #expect(again.summary == registered.summary, sourceLocation: sourceLocation)
  } catch {
    Issue.record(
      "\(Registered.registeredName) does not read its own settings: \(error)",
      sourceLocation: sourceLocation)
  }
  #expect(
    Set(values.keys).isSubset(of: Registered.settings.map(\.name)),
    sourceLocation: sourceLocation)
}
