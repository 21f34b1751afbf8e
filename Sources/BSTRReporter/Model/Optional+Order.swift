// An order of values that may be absent.

extension Optional where Wrapped: Comparable {
  /// Returns whether this stands in front of another one: none in front of all values, so that of
  /// two that differ one does, an empty text and none too.
  func precedes(_ other: Wrapped?) -> Bool {
    guard let self, let other else { return self == nil && other != nil }
    return self < other
  }
}
