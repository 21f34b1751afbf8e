// One event in the declared history of a string.

/// A declaration, and its stack.
public struct HistoryEvent: Sendable {
  /// The declared action.
  ///
  /// The raw values are the report's.
  public enum Action: String, Sendable {
    case lent
    case givenBack = "given-back"
    case received
    case handedOver = "handed-over"
    case adopted
    case noted
    case freed
  }

  /// The declared action.
  public var action: Action
  /// The stack, time and thread.
  public var trace: StackTrace
  /// A hint.
  public var note: String?
  /// Whether events between the one before and this one are left out.
  public var isAfterGap: Bool
}
