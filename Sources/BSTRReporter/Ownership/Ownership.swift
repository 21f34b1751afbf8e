// What a report says of a string's ownership. The sentences are in Wording/OwnershipWording.swift.

/// Which function should have done what with a string, by which rule, and how that is known.
public struct Ownership: Sendable {
  /// One of the rules for BSTRs between functions.
  ///
  /// The raw values are the report's. Source: "Allocating and Releasing Memory for a BSTR" and
  /// KB Q108934.
  public enum Rule: String, Sendable {
    /// The caller of a function that expects a BSTR allocates it before and frees it after.
    case `in`
    /// The caller of a function that returns a BSTR frees it.
    case out
    /// The implementer of a function that returns a BSTR does not free it.
    case `return`
    /// A function that is given a BSTR by reference frees it before storing another one.
    case inOut = "in-out"
  }

  /// How it is known.
  public enum Basis: String, Sendable {
    /// From stacks.
    case inferred
    /// From what the program declared.
    case declared
  }

  /// What a verdict was reached from.
  public enum Grounds: Equatable, Sendable {
    /// So many of all siblings, which agree.
    case siblings(Int, of: Int)
    /// The type of the producer's parameter.
    case parameterType
    /// The lack of any caller.
    case noCaller
    /// The stacks that allocated a string and freed it.
    case twoStacks
    /// The stacks that allocated a string and freed it twice.
    case threeStacks
    /// What the program declared.
    case declaration
  }

  /// What is concluded from the stacks and declarations of a string.
  public enum Decision: Equatable, Sendable {
    /// A rule was broken.
    case verdict(Verdict, Grounds)
    /// Which rule was broken is not certain, for this reason.
    case uncertain(Uncertainty)
    /// No question of ownership: what was done to the string is wrong whoever owned it.
    case parties(Parties)
  }

  /// The functions between which a string went.
  public struct Parties: Equatable, Sendable {
    /// The function activation that had to free the string.
    public var owner: Frame?
    /// The function that returned it to the owner.
    public var producer: Frame?
    /// The function that the owner gave it to.
    public var consumer: Frame?
  }

  /// What the other strings of the same stack became.
  public struct Siblings: Sendable {
    /// How many were freed by `freedBy`.
    public var freed: Int
    /// How many there were, this finding's included.
    public var total: Int
    /// The function that freed most of them.
    public var freedBy: Frame
    /// Whether it did so in that frame's line alone.
    public var isOneLine = true
  }

  /// What is concluded; `nil` where nothing is.
  public var decision: Decision?
  /// What became of the others.
  public var siblings: Siblings?

  /// An ownership; nothing is known without arguments.
  public init(_ decision: Decision? = nil, siblings: Siblings? = nil) {
    self.decision = decision
    self.siblings = siblings
  }

  /// The broken rule and its circumstances; `nil` where that is not certain.
  public var verdict: Verdict? {
    if case .verdict(let verdict, _) = decision { verdict } else { nil }
  }

  /// What the verdict was reached from; `nil` without one.
  public var grounds: Grounds? {
    if case .verdict(_, let grounds) = decision { grounds } else { nil }
  }

  /// Why there is no verdict; `nil` where there is one, or nothing to judge.
  public var uncertainty: Uncertainty? {
    if case .uncertain(let uncertainty) = decision { uncertainty } else { nil }
  }

  /// The functions that are certain.
  public var parties: Parties {
    switch decision {
    case .verdict(let verdict, _): verdict.parties
    case .uncertain(let uncertainty): uncertainty.parties
    case .parties(let parties): parties
    case nil: Parties()
    }
  }

  /// The rule that was broken; `nil` where that is not certain.
  public var rule: Rule? { verdict?.rule }
  /// How that is known; `nil` without a rule.
  public var basis: Basis? { grounds.map { $0 == .declaration ? .declared : .inferred } }
  /// The function activation that had to free the string.
  public var owner: Frame? { parties.owner }
  /// The function that returned it to the owner.
  public var producer: Frame? { parties.producer }
  /// The function that the owner gave it to.
  public var consumer: Frame? { parties.consumer }
}
