import Testing

@testable import BSTRReporter

/// The order of keys in files.
@Suite struct FindingKeyTests {
  @Test func ofTwoDifferentKeysOneStandsInFront() {
    let keys = [
      FindingKey("double-free", nil, []), FindingKey("double-free", nil, ["show"]),
      FindingKey("double-free", "", ["show"]), FindingKey("double-free", "reused", ["show"]),
      FindingKey("double-free", nil, ["show", "main"]), FindingKey("leak", nil, ["show"]),
    ]
    for (index, key) in keys.enumerated() {
      for (otherIndex, other) in keys.enumerated() {
        #expect((key < other) == (index < otherIndex), "\(key), \(other)")
      }
    }
  }
}
