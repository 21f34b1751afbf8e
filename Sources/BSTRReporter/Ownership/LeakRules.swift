// The rules for strings that were not freed, in the order in which they are tried.
// Docs/Ownership.md lists them.

/// A rule: the first one with a decision is final.
struct LeakRule: Sendable {
  /// Its name in Docs/Ownership.md.
  let name: String
  /// The decision; `nil` leaves the strings to later rules.
  let decide: @Sendable (LeakCase) -> Ownership.Decision?

  private init(
    _ name: String, _ decide: @escaping @Sendable (LeakCase) -> Ownership.Decision?
  ) {
    self.name = name
    self.decide = decide
  }

  /// Returns a rule on strings whose siblings agree on their height.
  private static func majority(
    _ name: String,
    _ decide: @escaping @Sendable (LeakCase, LeakCase.Majority) -> Ownership.Decision?
  ) -> LeakRule {
    LeakRule(name) { leak in leak.majority.flatMap { decide(leak, $0) } }
  }

  /// Every rule, in order: those for strings with freed siblings, then those for strings without.
  static let all = withSiblings + withoutSiblings

  /// Returns the decision on a leak, and the name of the rule that made it.
  static func decision(on leak: LeakCase) -> (rule: String, decision: Ownership.Decision)? {
    for rule in leak.siblings.isEmpty ? withoutSiblings : withSiblings {
      if let decision = rule.decide(leak) { return (rule.name, decision) }
    }
    return nil
  }

  // MARK: with siblings

  /// The rules where siblings were freed.
  static let withSiblings: [LeakRule] = [
    LeakRule("other-thread") { leak in
      guard leak.majority == nil else { return nil }
      let crossed = leak.siblings.filter(\.crossedThreads).reduce(0) { $0 + $1.count }
      return crossed * 2 >= leak.total ? .uncertain(.siblingsFreedInOtherThread) : nil
    },
    LeakRule("different-levels") { leak in
      leak.majority == nil ? .uncertain(.siblingsFreedAtDifferentLevels) : nil
    },
    .majority("kept-until-next-call") { leak, majority in
      leak.inference.replacement(in: leak, majority).map { .uncertain($0) }
    },
    .majority("freed-by-callee") { leak, majority in
      guard let consumer = consumer(leak, majority) else { return nil }
      let (owner, freeing) = (leak.frame(majority.owner), leak.frame(consumer))
      return .uncertain(
        leak.isSameStack
          ? .handedToConsumer(owner: owner, consumer: freeing)
          : .othersHandToConsumer(owner: owner, consumer: freeing))
    },
    .majority("freed-by-owner-and-callees") { leak, majority in
      guard !leak.isNegligible(consumed(leak, majority)) else { return nil }
      let owner = leak.frame(majority.owner)
      return .uncertain(
        leak.isSameStack
          ? .freedByOwnerAndCallees(owner: owner) : freedByOwnersAndCallees(leak, majority))
    },
    .majority("owned-by-object") { leak, majority in
      let wrapper = leak.inference.isWrapper(majority.owner) ? majority.owner : nil
      return (leak.destructor ?? wrapper).map {
        .uncertain(.ownedByObject(shownBy: leak.frame($0)))
      }
    },
    .majority("other-call") { leak, majority in
      let height = majority.height
      guard leak.inference.isDraft(leak.leaked.stacks, among: leak.siblings, height) else {
        return nil
      }
      let function = leak.frame(leak.producer(below: max(1, height)))
      return .uncertain(
        height > 0 ? .draftOrResult(producer: function) : .allocatedByOtherCall(function: function))
    },
    .majority("passed-on") { leak, majority in
      leak.isSameStack ? passedOn(leak, majority).map { .uncertain($0) } : nil
    },
    .majority("siblings-agree") { leak, majority in
      let (owner, height) = (majority.owner, majority.height)
      let grounds = Ownership.Grounds.siblings(majority.count, of: leak.total)
      // Another caller than the siblings' may be one that returns the string.
      let mayReturn =
        height > 0 && !leak.isSameStack
        && !leak.inference.signature(of: leak.producer(below: height)).returnsStrings
      return .verdict(
        mayReturn ? leak.verdictOnReceiver(owner, height) : leak.verdict(owner, height), grounds)
    },
  ]

  /// Returns the count of agreeing siblings that were freed by a callee of their owner.
  private static func consumed(_ leak: LeakCase, _ majority: LeakCase.Majority) -> Int {
    leak.agreeing(majority).filter { $0.consumer != nil }.reduce(0) { $0 + $1.count }
  }

  /// Returns the function that owners of siblings hand them to, for nearly all of them.
  private static func consumer(
    _ leak: LeakCase, _ majority: LeakCase.Majority
  ) -> CallPath.Step? {
    guard leak.isDecisive(consumed(leak, majority)) else { return nil }
    return leak.agreeing(majority).filter { $0.consumer != nil }
      .max { $0.count < $1.count }?.consumer
  }

  /// Returns examples of functions that freed siblings of other owners: some themselves, some
  /// through a callee.
  private static func freedByOwnersAndCallees(
    _ leak: LeakCase, _ majority: LeakCase.Majority
  ) -> Uncertainty {
    func first(_ steps: [CallPath.Step]) -> Frame? {
      steps.map(leak.frame).min { $0.name < $1.name }
    }
    let agreeing = leak.agreeing(majority)
    return .freedByOwnersAndCallees(
      owner: leak.frame(majority.owner),
      example: first(agreeing.filter { $0.consumer == nil }.compactMap(\.freed.steps.last)),
      calleeExample: first(agreeing.compactMap(\.consumer)))
  }

  /// Returns whether some siblings were freed after the activation of the likely owner, or by
  /// another thread: it kept or passed them on, and may have done so with this one.
  private static func passedOn(_ leak: LeakCase, _ majority: LeakCase.Majority) -> Uncertainty? {
    let later = leak.siblings.filter { $0.crossedThreads || ($0.height ?? 0) > majority.height }
    let count = later.reduce(0) { $0 + $1.count }
    guard count > 0 else { return nil }
    return .siblingsPassedOn(
      receiver: leak.frame(majority.owner), count: count,
      freedBy: later.compactMap(\.freed.steps.last).map(leak.frame).min { $0.name < $1.name })
  }

  // MARK: without siblings

  /// The rules where no sibling was freed: by the stack alone.
  static let withoutSiblings: [LeakRule] = [
    LeakRule("siblings-of-other-calls") { leak in
      let isProductive = !leak.ofLine.isEmpty || leak.inference.isFromProductiveLine(leak.allocator)
      return isProductive ? .uncertain(.siblingsOfOtherCalls) : nil
    },
    LeakRule("siblings-of-other-lines") { leak in
      guard let function = leak.allocator.function, leak.inference.productive.contains(function)
      else { return nil }
      return .uncertain(.siblingsOfOtherLines(allocator: leak.frame(leak.allocator)))
    },
    LeakRule("kept-in-object") { leak in
      let owner = leak.ownerByType
      guard leak.inference.isWrapper(owner), leak.path.steps.count > 1 else { return nil }
      return .uncertain(.keptInObject(wrapper: leak.frame(owner)))
    },
    LeakRule("returned-by-type") { leak in
      let (owner, height) = (leak.ownerByType, leak.heightByType)
      // What a function receives that returns strings, too, it may have passed on.
      let receiver = leak.inference.signature(of: owner)
      guard height > 0, !leak.inference.returnsFromOtherLines(leak.path, height),
        !receiver.returnsStrings, !receiver.isKnown
      else { return nil }
      let producer = leak.inference.signature(of: leak.producer(below: height))
      if producer.isKnown { return .verdict(leak.verdictOnReceiver(owner, height), .functionName) }
      // It may return by value what it got in a VARIANT: names have no type of what is returned.
      let verdict =
        producer.isGivenReference
        ? leak.verdict(owner, height) : leak.verdictOnReceiver(owner, height)
      return .verdict(verdict, .parameterType)
    },
    LeakRule("no-caller") { leak in
      guard leak.path.isComplete, leak.path.steps.count == 1 else { return nil }
      return .verdict(leak.verdict(leak.ownerByType, 0), .noCaller)
    },
    LeakRule("siblings-of-other-paths") { leak in
      let owner = leak.ownerByType
      guard let function = owner.function, leak.inference.passed.contains(function) else {
        return nil
      }
      return .uncertain(.siblingsOfOtherPaths(receiver: leak.frame(owner)))
    },
    LeakRule("frees-not-recorded") { leak in
      leak.inference.knowsFrees
        ? nil : .uncertain(.freesNotRecorded(receiver: leak.frame(leak.ownerByType)))
    },
    LeakRule("never-freed") { leak in
      .uncertain(.neverFreed(receiver: leak.frame(leak.ownerByType)))
    },
  ]
}

extension LeakCase {
  /// Returns the destructor that freed most of the siblings, of a class that had made them itself.
  ///
  /// Destructors of string wrappers do not count: they end where their holders do.
  fileprivate var destructor: CallPath.Step? {
    var counts: [CallPath.Step: Int] = [:]
    for history in siblings {
      guard let last = history.whole.freed.steps.last, let name = frame(last).plainName,
        !inference.wrappers.isKnown(name), let destroyed = inference.paths.destroyedClass(last),
        inference.paths.classes(on: history.whole.allocated).contains(destroyed)
      else { continue }
      counts[last, default: 0] += history.count
    }
    return counts.first { isDecisive($0.value) }?.key
  }
}
