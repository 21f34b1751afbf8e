// The rules for strings that were freed twice, in the order in which they are tried: the points at
// which the stacks of the two frees diverge from the allocation's show which free was right.
// Docs/Ownership.md lists the rules.

import TraceStore

/// A rule: the first one with a decision is final.
struct DoubleFreeRule: Sendable {
  typealias Stacks = DoubleFreeCase.Stacks

  /// Its name in Docs/Ownership.md.
  let name: String
  /// The decision; `nil` leaves the frees to later rules.
  let decide: @Sendable (DoubleFreeCase) -> Ownership.Decision?

  private init(
    _ name: String, _ decide: @escaping @Sendable (DoubleFreeCase) -> Ownership.Decision?
  ) {
    self.name = name
    self.decide = decide
  }

  /// Returns a rule on stacks that have an activation in common.
  private static func stacks(
    _ name: String, _ decide: @escaping @Sendable (Stacks) -> Ownership.Decision?
  ) -> DoubleFreeRule {
    DoubleFreeRule(name) { $0.stacks.flatMap(decide) }
  }

  /// Returns a rule on a string that a callee of its owner freed, and then the owner.
  private static func calleeThenOwner(
    _ name: String,
    _ decide: @escaping @Sendable (Stacks, CallPath.Step) -> Ownership.Decision?
  ) -> DoubleFreeRule {
    .stacks(name) { stacks in
      guard stacks.second.isOwn, let callee = stacks.first.consumer else { return nil }
      return decide(stacks, callee)
    }
  }

  /// Returns the decision on two frees, and the name of the rule that made it.
  static func decision(
    on doubleFree: DoubleFreeCase
  ) -> (rule: String, decision: Ownership.Decision)? {
    for rule in all {
      if let decision = rule.decide(doubleFree) { return (rule.name, decision) }
    }
    return nil
  }

  /// Every rule, in order.
  static let all = unrelated + differentOwners + sameOwner

  // MARK: stacks that cannot be compared

  private static let unrelated: [DoubleFreeRule] = [
    DoubleFreeRule("two-threads") { doubleFree in
      doubleFree.event.freedThread != doubleFree.event.detectedThread
        ? .uncertain(.freedInTwoThreads) : nil
    },
    DoubleFreeRule("other-thread") { doubleFree in
      doubleFree.event.allocatedThread != doubleFree.event.freedThread
        ? .uncertain(.allocatedInOtherThread) : nil
    },
    DoubleFreeRule("nothing-in-common") { doubleFree in
      doubleFree.stacks == nil ? .uncertain(.nothingInCommon) : nil
    },
    .stacks("repeated-result") { stacks in
      stacks.repeatedProducer.map {
        .uncertain(
          .returnedOrFreedTwice(
            producer: stacks.frame($0), receiver: stacks.freeing(stacks.second)))
      }
    },
  ]

  // MARK: two owners

  /// The rules where one free is deeper: inside the function that returned the string to the other
  /// one's owner.
  ///
  /// The last of them decides on every such string.
  private static let differentOwners: [DoubleFreeRule] = [
    .stacks("borrowed-below") { stacks in
      let (first, second) = (stacks.first, stacks.second)
      guard first.owner > second.owner, let consumer = first.consumer,
        stacks.rightFrees(of: consumer) == 0
      else { return nil }
      let owner = stacks.frame(stacks.allocated.steps[first.owner])
      guard stacks.mayTakeString(consumer) else {
        return .uncertain(.keptWithoutCopy(owner: owner, consumer: stacks.frame(consumer)))
      }
      return .verdict(
        .borrowedFreed(
          owner: owner, consumer: stacks.frame(consumer), freedAgainBy: stacks.freeing(second)),
        .threeStacks)
    },
    .stacks("freed-by-implementer") { stacks in
      let (inner, outer) = stacks.byDepth
      // The caller of the function that allocated the string may have freed it rightly.
      guard inner.owner != outer.owner, inner.isOwn, outer.isOwn,
        inner.owner == stacks.allocated.steps.count - 1
      else { return nil }
      let owner = stacks.frame(stacks.owner)
      let producer = stacks.frame(stacks.allocated.steps[outer.owner + 1])
      return .verdict(
        stacks.first.owner > stacks.second.owner
          ? .resultFreedByProducer(owner: owner, producer: producer)
          : .returnedResultFreed(owner: owner, producer: producer), .threeStacks)
    },
    .stacks("two-owners") { stacks in
      let (inner, outer) = stacks.byDepth
      guard inner.owner != outer.owner else { return nil }
      return .uncertain(
        .freedByTwoOwners(
          owner: stacks.frame(stacks.owner),
          producer: stacks.frame(stacks.allocated.steps[outer.owner + 1]),
          first: stacks.freeing(stacks.first), second: stacks.freeing(stacks.second)))
    },
  ]

  // MARK: one owner

  private static let sameOwner: [DoubleFreeRule] = [
    .stacks("freed-by-object") { stacks in
      guard stacks.first.isOwn, stacks.second.isOwn, let (one, other) = stacks.innermost,
        one.function != other.function, let keeper = stacks.keeper
      else { return nil }
      return .uncertain(
        .givenAwayWithoutCopy(
          owner: stacks.frame(stacks.owner), consumer: stacks.frame(keeper),
          keeper: stacks.frame(keeper), other: stacks.frame(keeper == one ? other : one)))
    },
    .stacks("freed-by-owner") { stacks in
      guard stacks.first.isOwn, stacks.second.isOwn else { return nil }
      let functions = stacks.innermost.flatMap { one, other in
        one.function == other.function
          ? nil
          : Uncertainty.FunctionPair(first: stacks.frame(one), second: stacks.frame(other))
      }
      return .uncertain(.ownerFreedTwice(owner: stacks.frame(stacks.owner), functions: functions))
    },
    .calleeThenOwner("freed-by-object-below") { stacks, callee in
      stacks.keeper.map {
        .uncertain(
          .givenAwayWithoutCopy(
            owner: stacks.frame(stacks.owner), consumer: stacks.frame(callee),
            keeper: stacks.frame($0), other: stacks.frame(callee)))
      }
    },
    .calleeThenOwner("given-to-freeing-callee") { stacks, callee in
      let others = stacks.rightFrees(of: callee)
      guard others > 0 else { return nil }
      let (owner, consumer) = (stacks.frame(stacks.owner), stacks.frame(callee))
      guard stacks.first.owner + 1 < stacks.allocated.steps.count else {
        return .verdict(
          .handedOverFreed(owner: owner, consumer: consumer, others: others), .threeStacks)
      }
      let producer = stacks.frame(stacks.allocated.steps[stacks.first.owner + 1])
      return .uncertain(
        .handedOverResultFreed(receiver: owner, consumer: consumer, producer: producer))
    },
    .calleeThenOwner("freed-by-reference") { stacks, callee in
      guard stacks.inference.signature(of: callee).isGivenReference else { return nil }
      return .verdict(
        .freedByReference(owner: stacks.frame(stacks.owner), consumer: stacks.frame(callee)),
        .threeStacks)
    },
    .calleeThenOwner("callee-without-argument") { stacks, callee in
      guard !stacks.mayTakeString(callee) else { return nil }
      return .uncertain(
        .keptWithoutCopy(owner: stacks.frame(stacks.owner), consumer: stacks.frame(callee)))
    },
    .calleeThenOwner("argument-freed") { stacks, callee in
      .verdict(
        .argumentFreed(owner: stacks.frame(stacks.owner), consumer: stacks.frame(callee)),
        .threeStacks)
    },
    .stacks("owner-then-callee") { stacks in
      guard stacks.first.isOwn, let callee = stacks.second.consumer else { return nil }
      return .uncertain(
        .freedByOwnerThenCallee(
          owner: stacks.frame(stacks.owner), consumer: stacks.frame(callee)))
    },
    .stacks("two-callees") { stacks in
      guard let one = stacks.first.consumer, let other = stacks.second.consumer else { return nil }
      let owner = stacks.frame(stacks.owner)
      return .uncertain(
        one.function != nil && one.function == other.function
          ? .freedTwiceByCallee(
            owner: owner, consumer: stacks.frame(one), areTwoCalls: stacks.areTwoCalls)
          : .freedByTwoCallees(
            owner: owner, first: stacks.frame(one), second: stacks.frame(other)))
    },
  ]
}

extension DoubleFreeCase.Stacks {
  /// The functions that called SysFreeString, wrappers included.
  fileprivate var innermost: (first: CallPath.Step, second: CallPath.Step)? {
    guard let one = first.whole.steps.last, let other = second.whole.steps.last else { return nil }
    return (one, other)
  }
}
