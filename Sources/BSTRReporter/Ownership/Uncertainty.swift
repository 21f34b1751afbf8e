// The reasons why a report names no broken rule. The sentences are in
// Wording/OwnershipWording.swift.

/// A reason why it cannot be decided which rule was broken.
///
/// Frames labelled `owner`, `producer` and `consumer` are reported as such; others appear in the
/// sentence only.
public enum Uncertainty: Equatable, Sendable {
  // MARK: leaks

  /// The process did not end by itself, or its end was not seen: the string may have been freed
  /// later.
  case processCutShort
  /// Calls of `free` are not seen in this process: one may have freed the string.
  case freeUnwatched
  /// Strings of the same line were freed, which other calls had allocated.
  case siblingsOfOtherCalls
  /// Strings of the same function were freed, and none of this line.
  case siblingsOfOtherLines(allocator: Frame)
  /// The siblings were freed in another thread.
  case siblingsFreedInOtherThread
  /// The siblings were freed at different heights of the stack.
  case siblingsFreedAtDifferentLevels
  /// A function frees what an earlier call of it had made: the last string is freed elsewhere.
  case keptUntilNextCall(function: Frame, sign: ReplacementSign)
  /// A function may keep a string until its next call, or free what it made itself.
  case possiblyKeptUntilNextCall(function: Frame)
  /// The owner usually hands such strings to a function that frees them.
  case handedToConsumer(owner: Frame, consumer: Frame)
  /// Other owners hand such strings to a function that frees them.
  case othersHandToConsumer(owner: Frame, consumer: Frame)
  /// The siblings were freed by the owner and by what it calls.
  case freedByOwnerAndCallees(owner: Frame)
  /// Other owners freed the siblings, some themselves, some through what they call.
  case freedByOwnersAndCallees(owner: Frame, example: Frame?, calleeExample: Frame?)
  /// The string belongs to an object.
  case ownedByObject(shownBy: Frame)
  /// An implementer returned another string: this one may be a draft of its own, or its result.
  case draftOrResult(producer: Frame)
  /// The siblings had been allocated by another call in the function that allocated this one.
  case allocatedByOtherCall(function: Frame)
  /// Some siblings were freed after the activation that freed most, or in another thread.
  case siblingsPassedOn(receiver: Frame, count: Int, freedBy: Frame?)
  /// A wrapper keeps the string in an object.
  case keptInObject(wrapper: Frame)
  /// Strings that came through the function by other lines were freed.
  case siblingsOfOtherPaths(receiver: Frame)
  /// The stacks of frees were not recorded.
  case freesNotRecorded(receiver: Frame)
  /// No string of the function was ever freed.
  case neverFreed(receiver: Frame)

  // MARK: double frees

  /// Two threads freed the string.
  case freedInTwoThreads
  /// Another thread had allocated the string.
  case allocatedInOtherThread
  /// The stacks diverge below code that nothing names, or have nothing in common.
  case nothingInCommon
  /// A function may have returned one string twice, or its caller have freed it twice.
  case returnedOrFreedTwice(producer: Frame, receiver: Frame?)
  /// A callee without a string argument freed one that had been kept since an earlier call.
  case keptWithoutCopy(owner: Frame, consumer: Frame)
  /// Two owners freed the string, of which one had returned, kept or handed it over.
  case freedByTwoOwners(owner: Frame, producer: Frame, first: Frame?, second: Frame?)
  /// The object that allocated the string freed it, and so did another function.
  case givenAwayWithoutCopy(owner: Frame, consumer: Frame, keeper: Frame, other: Frame)
  /// The owner freed the string twice, in two functions where those differ.
  ///
  /// That alone breaks no rule of the owner's: a function that it called may have returned it the
  /// string that it was given, and each result is to be freed.
  case ownerFreedTwice(owner: Frame, functions: FunctionPair?)
  /// The owner freed what it had given to a function that frees its arguments: its producer may
  /// have returned one string twice.
  case handedOverResultFreed(receiver: Frame, consumer: Frame, producer: Frame)
  /// The owner freed the string, and a callee later.
  case freedByOwnerThenCallee(owner: Frame, consumer: Frame)
  /// One callee freed the string twice.
  case freedTwiceByCallee(owner: Frame, consumer: Frame, areTwoCalls: Bool)
  /// Two callees freed the string.
  case freedByTwoCallees(owner: Frame, first: Frame, second: Frame)

  /// The evidence that a function frees what an earlier call of it had made.
  public enum ReplacementSign: Equatable, Sendable {
    /// Two of its calls have different addresses: one allocated, and the other freed.
    case otherCall
    /// It frees in this line, and allocates the next string there or behind it.
    case line(Int)
  }

  /// Two functions in which one owner freed a string.
  public struct FunctionPair: Equatable, Sendable {
    /// The function of the first free.
    public var first: Frame
    /// The function of the second free.
    public var second: Frame
  }

  /// The code in reports for programs; does not change.
  public var code: String {
    switch self {
    case .processCutShort: "process-cut-short"
    case .freeUnwatched: "free-unwatched"
    case .siblingsOfOtherCalls: "siblings-of-other-calls"
    case .siblingsOfOtherLines: "siblings-of-other-lines"
    case .siblingsFreedInOtherThread: "siblings-freed-in-other-thread"
    case .siblingsFreedAtDifferentLevels: "siblings-freed-at-different-levels"
    case .keptUntilNextCall: "kept-until-next-call"
    case .possiblyKeptUntilNextCall: "possibly-kept-until-next-call"
    case .handedToConsumer: "handed-to-consumer"
    case .othersHandToConsumer: "others-hand-to-consumer"
    case .freedByOwnerAndCallees: "freed-by-owner-and-callees"
    case .freedByOwnersAndCallees: "freed-by-owners-and-callees"
    case .ownedByObject: "owned-by-object"
    case .draftOrResult: "draft-or-result"
    case .allocatedByOtherCall: "allocated-by-other-call"
    case .siblingsPassedOn: "siblings-passed-on"
    case .keptInObject: "kept-in-object"
    case .siblingsOfOtherPaths: "siblings-of-other-paths"
    case .freesNotRecorded: "frees-not-recorded"
    case .neverFreed: "never-freed"
    case .freedInTwoThreads: "freed-in-two-threads"
    case .allocatedInOtherThread: "allocated-in-other-thread"
    case .nothingInCommon: "nothing-in-common"
    case .returnedOrFreedTwice: "returned-or-freed-twice"
    case .keptWithoutCopy: "kept-without-copy"
    case .freedByTwoOwners: "freed-by-two-owners"
    case .givenAwayWithoutCopy: "given-away-without-copy"
    case .ownerFreedTwice: "owner-freed-twice"
    case .handedOverResultFreed: "handed-over-result-freed"
    case .freedByOwnerThenCallee: "freed-by-owner-then-callee"
    case .freedTwiceByCallee: "freed-twice-by-callee"
    case .freedByTwoCallees: "freed-by-two-callees"
    }
  }

  /// The functions that are certain all the same.
  public var parties: Ownership.Parties {
    switch self {
    case .processCutShort, .freeUnwatched, .siblingsOfOtherCalls, .siblingsOfOtherLines,
      .siblingsFreedInOtherThread, .siblingsFreedAtDifferentLevels, .keptUntilNextCall,
      .possiblyKeptUntilNextCall, .ownedByObject, .allocatedByOtherCall, .siblingsPassedOn,
      .keptInObject, .siblingsOfOtherPaths, .freesNotRecorded, .neverFreed, .freedInTwoThreads,
      .allocatedInOtherThread, .nothingInCommon:
      Ownership.Parties()
    case .freedByOwnerAndCallees(let owner), .freedByOwnersAndCallees(let owner, _, _),
      .ownerFreedTwice(let owner, _), .freedByTwoCallees(let owner, _, _):
      Ownership.Parties(owner: owner)
    case .draftOrResult(let producer), .returnedOrFreedTwice(let producer, _):
      Ownership.Parties(producer: producer)
    case .handedToConsumer(let owner, let consumer),
      .othersHandToConsumer(let owner, let consumer), .keptWithoutCopy(let owner, let consumer),
      .givenAwayWithoutCopy(let owner, let consumer, _, _),
      .freedByOwnerThenCallee(let owner, let consumer),
      .freedTwiceByCallee(let owner, let consumer, _):
      Ownership.Parties(owner: owner, consumer: consumer)
    case .freedByTwoOwners(let owner, let producer, _, _):
      Ownership.Parties(owner: owner, producer: producer)
    case .handedOverResultFreed(_, let consumer, let producer):
      Ownership.Parties(producer: producer, consumer: consumer)
    }
  }
}
