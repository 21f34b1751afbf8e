// The conclusions on a string's ownership. The sentences are in Wording/OwnershipWording.swift.

/// The ownership of a string: parties, broken rule, and the basis of the conclusion.
public struct Ownership: Sendable {
  /// One of the rules for BSTRs between functions.
  ///
  /// The raw values are the report's. Source: "Allocating and Releasing Memory for a BSTR" and
  /// KB Q108934.
  public enum Rule: String, CaseIterable, Sendable {
    /// The caller of a function that expects a BSTR allocates it before and frees it after.
    case `in`
    /// The caller of a function that returns a BSTR frees it.
    case out
    /// The implementer of a function that returns a BSTR does not free it.
    case `return`
    /// A function that is given a BSTR by reference frees it before storing another one.
    case inOut = "in-out"
  }

  /// The basis of a conclusion.
  public enum Basis: String, Sendable {
    /// Stacks.
    case inferred
    /// What holds the strings, where stacks do not decide.
    case held
    /// The program's declarations.
    case declared
  }

  /// The evidence for a verdict.
  public enum Grounds: Equatable, Sendable {
    /// The count of siblings that agree, and of all.
    case siblings(Int, of: Int)
    /// The type of the producer's parameter.
    case parameterType
    /// The name of the producer.
    case functionName
    /// The lack of any caller.
    case noCaller
    /// The stacks that allocated a string and freed it.
    case twoStacks
    /// The stacks that allocated a string and freed it twice.
    case threeStacks
    /// What holds those strings that were looked for, which are all or a few.
    case holders(ofAll: Bool)
    /// The program's declarations.
    case declaration
  }

  /// The conclusion from the stacks, declarations and holders of a string.
  public enum Decision: Equatable, Sendable {
    /// A rule was broken.
    case verdict(Verdict, Grounds)
    /// What holds the strings, or that nobody does, decides; no function is to blame.
    case held(Holding, Grounds)
    /// Which rule was broken is uncertain, for this reason.
    case uncertain(Uncertainty)
    /// No question of ownership: the fault does not depend on the owner.
    case parties(Parties)
  }

  /// The functions that a string passed between.
  public struct Parties: Equatable, Sendable {
    /// The function activation that had to free the string.
    public var owner: Frame?
    /// The function that returned it to the owner.
    public var producer: Frame?
    /// The function that the owner gave it to.
    public var consumer: Frame?
  }

  /// The fates of the other strings of the same stack.
  public struct Siblings: Sendable {
    /// The count of those that were freed by `freedBy`.
    public var freed: Int
    /// The count of all, this finding's included.
    public var total: Int
    /// The function that freed most of them.
    public var freedBy: Frame
    /// Whether it freed them in that frame's line alone.
    public var isOneLine = true
  }

  /// The conclusion; `nil` where there is none.
  public var decision: Decision?
  /// The fates of the other strings.
  public var siblings: Siblings?
  /// The frames of the owner's function from which it freed siblings, by whichever callee.
  var frees: [Frame] = []

  /// Creates an ownership; without arguments nothing is known.
  public init(_ decision: Decision? = nil, siblings: Siblings? = nil) {
    self.decision = decision
    self.siblings = siblings
  }

  /// The broken rule and its circumstances; `nil` where that is uncertain.
  public var verdict: Verdict? {
    if case .verdict(let verdict, _) = decision { verdict } else { nil }
  }

  /// The conclusion from what holds the strings; `nil` where that does not decide.
  public var holding: Holding? {
    if case .held(let holding, _) = decision { holding } else { nil }
  }

  /// The evidence for the verdict or conclusion; `nil` without one.
  public var grounds: Grounds? {
    switch decision {
    case .verdict(_, let grounds), .held(_, let grounds): grounds
    case .uncertain, .parties, nil: nil
    }
  }

  /// The reason why there is no verdict; `nil` where there is one or what holds the strings
  /// decides, or nothing to judge.
  public var uncertainty: Uncertainty? {
    if case .uncertain(let uncertainty) = decision { uncertainty } else { nil }
  }

  /// The functions that are certain.
  public var parties: Parties {
    switch decision {
    case .verdict(let verdict, _): verdict.parties
    case .uncertain(let uncertainty): uncertainty.parties
    case .parties(let parties): parties
    case .held, nil: Parties()
    }
  }

  /// The rule that was broken; `nil` where that is uncertain.
  public var rule: Rule? { verdict?.rule }
  /// The basis of that, or of the conclusion without a rule; `nil` where nothing is decided.
  public var basis: Basis? {
    switch grounds {
    case .declaration: .declared
    case .holders: .held
    case .siblings, .parameterType, .functionName, .noCaller, .twoStacks, .threeStacks: .inferred
    case nil: nil
    }
  }
  /// The function activation that had to free the string.
  public var owner: Frame? { parties.owner }
  /// The function that returned it to the owner.
  public var producer: Frame? { parties.producer }
  /// The function that the owner gave it to.
  public var consumer: Frame? { parties.consumer }
}
