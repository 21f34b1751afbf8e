// One moment of what a program declared of a string.

/// Something declared, and where.
public struct HistoryEvent: Sendable {
  /// What was declared.
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

  /// What was declared.
  public var action: Action
  /// Where, when and in which thread.
  public var trace: StackTrace
  /// A hint.
  public var note: String?
  /// Whether moments between the one before and this one are left out.
  public var isAfterGap: Bool
}
