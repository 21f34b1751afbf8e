// What a report says of who owned a string.

/// Who should have done what with a string, by which rule, and how that is known.
public struct Ownership: Sendable {
  /// One of the rules for BSTRs between functions.
  ///
  /// The raw values are the report's. Source: "Allocating and Releasing Memory for a BSTR" and
  /// KB Q108934.
  public enum Rule: String, Sendable {
    /// Who calls a function that expects a BSTR allocates it before and releases it after.
    case `in`
    /// Who calls a function that returns a BSTR frees it.
    case out
    /// Who implements a function that returns a BSTR does not free it.
    case `return`
    /// Who is given a BSTR by reference frees it before storing another one.
    case inOut = "in-out"

    /// The rule in a sentence.
    var sentence: String {
      switch self {
      case .in:
        "Rule 1: who calls a function that expects a BSTR allocates it before and releases it after; "
          + "the function does not."
      case .out: "Rule 2: when a function returns a BSTR to you, you free it."
      case .return:
        "Rule 3: who implements a function that returns a BSTR gives it away and does not free it."
      case .inOut:
        "Rule for [in,out]: who is given a BSTR by reference frees it when storing another one, and not "
          + "otherwise."
      }
    }
  }

  /// How it is known.
  public enum Basis: String, Sendable {
    /// From stacks.
    case inferred
    /// From what the program declared.
    case declared
  }

  /// What the other strings of the same stack became.
  public struct Siblings: Sendable {
    /// How many were freed by `freedBy`.
    public var freed: Int
    /// How many there were, this finding's included.
    public var total: Int
    /// Who freed most of them.
    public var freedBy: Frame
    /// Whether they did so in that frame's line alone.
    public var isOneLine = true
  }

  /// The rule that was broken; `nil` where that is not certain.
  public var rule: Rule?
  /// How that is known; `nil` without a rule.
  public var basis: Basis?
  /// What it was inferred from, for people: "97 siblings".
  public var evidence: String?
  /// The function activation that had to free the string.
  public var owner: Frame?
  /// The function that returned it to the owner.
  public var producer: Frame?
  /// The function that the owner gave it to.
  public var consumer: Frame?
  /// What became of the others.
  public var siblings: Siblings?
  /// What happened, in a sentence; `nil` leaves the finding's own.
  public var message: String?
  /// Why nothing more is said, in a sentence.
  public var doubt: String?

  /// Nothing is known.
  public init() {}
}
