// The rules that can be broken, with the functions and circumstances. The sentences are in
// Wording/OwnershipWording.swift.

/// A broken rule for BSTRs between functions.
///
/// `rule` and `parties` follow from the case and its frames. A frame is `nil` where no stack was
/// recorded of that party.
public enum Verdict: Equatable, Sendable {
  // MARK: leaks

  /// The function that allocated a string did not free it.
  case ownNotFreed(owner: Frame)
  /// The function that received a result did not free it.
  case resultNotFreed(owner: Frame, producer: Frame)
  /// The function that received a result neither freed nor returned it.
  case resultNotFreedOrReturned(owner: Frame, producer: Frame)
  /// A function declared to have received a string, and did not free it.
  case receivedNotFreed(owner: Frame, producer: Frame?)
  /// A function declared to have handed a string over, and none to have received it.
  case handOverNotReceived(producer: Frame)
  /// A function declared to have taken a string over, and did not free it.
  case adoptedNotFreed(owner: Frame)
  /// A function declared to have lent a string, and did not free it afterwards.
  case lentNotFreed(owner: Frame)

  // MARK: double frees

  /// A callee freed a string that it had only borrowed from a function further down than the one
  /// that freed it again.
  case borrowedFreed(owner: Frame, consumer: Frame, freedAgainBy: Frame?)
  /// A callee freed its argument, and its caller then freed it again.
  case argumentFreed(owner: Frame, consumer: Frame)
  /// A callee freed an argument by reference and stored no other, and its caller then freed it
  /// again.
  case freedByReference(owner: Frame, consumer: Frame)
  /// A caller freed what it had given to a function that frees its arguments, as that did with
  /// others.
  case handedOverFreed(owner: Frame, consumer: Frame, others: Int)
  /// A function freed its own result, and the caller then freed it again.
  case resultFreedByProducer(owner: Frame, producer: Frame)
  /// The caller freed a result, and the function that had returned it then freed it, too.
  case returnedResultFreed(owner: Frame, producer: Frame)
  /// A function freed a string that another one had declared to have taken over.
  case adoptedFreed(owner: Frame, consumer: Frame)

  // MARK: declared contracts

  /// A function freed a string that was declared to be lent to it.
  case freedOnLoan(owner: Frame?, consumer: Frame?, producer: Frame?)
  /// A function freed a string that it had declared to have handed over.
  case freedAfterHandOver(consumer: Frame?, producer: Frame?)
  /// A variable that still owned a string was passed as `[out]`.
  case outOverwritten(owner: Frame?, producer: Frame?)
  /// A function failed and left a string in its `[out]` argument.
  case leftByFailure(owner: Frame?, producer: Frame?)
  /// An `[in,out]` argument was replaced without being freed.
  case replacedWithoutFree(owner: Frame?, producer: Frame?)
  /// A variable passed by reference lost the string that it owned.
  case lostByReference(owner: Frame?, producer: Frame?)
  /// An `[in,out]` argument was freed, and no other stored.
  case freedWithoutReplacement(owner: Frame?, consumer: Frame?, producer: Frame?)

  // MARK: wrong deallocators

  /// The function that allocated a string freed it with another function than SysFreeString.
  case ownFreedWrongly(owner: Frame)
  /// The function that received a result freed it with another function than SysFreeString.
  case resultFreedWrongly(owner: Frame, producer: Frame)

  /// The rule that was broken.
  public var rule: Ownership.Rule {
    switch self {
    case .ownNotFreed, .handOverNotReceived, .adoptedNotFreed, .lentNotFreed, .borrowedFreed,
      .argumentFreed, .handedOverFreed, .adoptedFreed, .freedOnLoan, .freedAfterHandOver,
      .ownFreedWrongly:
      .in
    case .resultNotFreed, .resultNotFreedOrReturned, .receivedNotFreed, .outOverwritten,
      .lostByReference, .resultFreedWrongly:
      .out
    case .resultFreedByProducer, .returnedResultFreed, .leftByFailure: .return
    case .freedByReference, .replacedWithoutFree, .freedWithoutReplacement: .inOut
    }
  }

  /// The functions that it names as owner, producer and consumer.
  public var parties: Ownership.Parties {
    switch self {
    case .ownNotFreed(let owner), .adoptedNotFreed(let owner), .lentNotFreed(let owner),
      .ownFreedWrongly(let owner):
      Ownership.Parties(owner: owner)
    case .handOverNotReceived(let producer): Ownership.Parties(producer: producer)
    case .resultNotFreed(let owner, let producer),
      .resultNotFreedOrReturned(let owner, let producer),
      .resultFreedByProducer(let owner, let producer),
      .returnedResultFreed(let owner, let producer), .resultFreedWrongly(let owner, let producer):
      Ownership.Parties(owner: owner, producer: producer)
    case .receivedNotFreed(let owner, let producer):
      Ownership.Parties(owner: owner, producer: producer)
    case .outOverwritten(let owner, let producer), .leftByFailure(let owner, let producer),
      .replacedWithoutFree(let owner, let producer), .lostByReference(let owner, let producer):
      Ownership.Parties(owner: owner, producer: producer)
    case .borrowedFreed(let owner, let consumer, _), .argumentFreed(let owner, let consumer),
      .freedByReference(let owner, let consumer), .handedOverFreed(let owner, let consumer, _),
      .adoptedFreed(let owner, let consumer):
      Ownership.Parties(owner: owner, consumer: consumer)
    case .freedOnLoan(let owner, let consumer, let producer),
      .freedWithoutReplacement(let owner, let consumer, let producer):
      Ownership.Parties(owner: owner, producer: producer, consumer: consumer)
    case .freedAfterHandOver(let consumer, let producer):
      Ownership.Parties(producer: producer, consumer: consumer)
    }
  }
}
