// Expectations in loops.

public import Testing

/// Records an issue where a condition does not hold.
///
/// In place of `#expect` in loops of thousands of rounds: that keeps what it compares each time,
/// which takes longer than most of what is tested.
public func expectEachTime(
  _ condition: Bool, _ comment: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  if !condition { Issue.record(Comment(rawValue: comment()), sourceLocation: sourceLocation) }
}
