// Of two frees of one string, which was right: by where their stacks part from the one that allocated it.
// Where the stacks do not tell, the report says so.

import TraceStore

extension OwnershipInference {
  /// Who freed rightly and who did not, of two that freed one string.
  func ownership(ofDoubleFree event: EventRecord) -> Ownership {
    var ownership = Ownership()
    guard event.allocated != .none, event.freed != .none, event.detected != .none else {
      return ownership
    }
    if event.detail == EventDetail.reused.rawValue { return ownership }
    if event.freedThread != event.detectedThread {
      ownership.doubt =
        "It was freed in two threads: which of them had been given it cannot be told from the stacks."
      return ownership
    }
    if event.allocatedThread != event.freedThread {
      ownership.doubt =
        "Its owner is on another stack, that of the thread which allocated it: which of the two frees "
        + "was right cannot be told."
      return ownership
    }
    let (allocated, first, second) = (
      path(of: event.allocated), path(of: event.freed), path(of: event.detected)
    )
    guard case .at(let firstOwner) = allocated.meeting(with: first),
      case .at(let secondOwner) = allocated.meeting(with: second)
    else {
      ownership.doubt = "Which functions the three stacks have in common cannot be told."
      return ownership
    }
    judge(
      Allocation(steps: allocated.steps, whole: paths.path(of: event.allocated)),
      Free(path: first, whole: paths.path(of: event.freed), owner: firstOwner),
      Free(path: second, whole: paths.path(of: event.detected), owner: secondOwner), &ownership)
    return ownership
  }

  /// Where a string was allocated.
  private struct Allocation {
    /// Without wrappers.
    var steps: [CallPath.Step]
    /// With them.
    var whole: CallPath
  }

  /// One of the two frees of a string.
  private struct Free {
    /// Where it was freed, without wrappers.
    var path: CallPath
    /// The same, with them.
    var whole: CallPath
    /// Whose the string was by this free, as an index into the path of allocation.
    var owner: Int

    /// Whether the owner freed it, itself or through wrappers.
    var isOwn: Bool { owner == path.steps.count - 1 }
    /// Who freed it for the owner, if not the owner.
    var consumer: CallPath.Step? { isOwn ? nil : path.steps[owner + 1] }
  }

  private func judge(
    _ allocated: Allocation, _ first: Free, _ second: Free, _ ownership: inout Ownership
  ) {
    if let producer = repeatedProducer(allocated, first, second) {
      ownership.producer = paths.frame(producer)
      ownership.doubt = returnedTwice(producer, to: lastName(second))
      return
    }
    ownership.owner = paths.frame(allocated.steps[min(first.owner, second.owner)])
    if first.owner != second.owner {
      judgeDepths(allocated, first, second, &ownership)
      return
    }
    let owner = allocated.steps[first.owner]
    switch (first.consumer, second.consumer) {
    case (nil, nil): judgeOwn(allocated, owner, first, second, &ownership)
    case (let consumer?, nil): judgeConsumer(allocated, owner, consumer, first, second, &ownership)
    case (nil, let consumer?):
      ownership.consumer = paths.frame(consumer)
      ownership.doubt =
        "\(name(owner)) freed it and \(name(consumer)) freed it later: whether one had kept it without "
        + "a copy, or the other freed what it had given away, cannot be told."
    case (let one?, let other?):
      if one.function != nil, one.function == other.function {
        ownership.consumer = paths.frame(one)
        ownership.doubt = freedTwice(by: one, for: owner, areTwoCalls(first, second))
      } else {
        ownership.doubt =
          "\(name(owner)) gave it to \(name(one)) and to \(name(other)), and both freed "
          + "it: which of them had been handed it cannot be told."
      }
    }
  }

  /// The function that may have returned one string to two calls of the function which freed it, or twice to
  /// one: it had returned the string to that function, which freed it twice.
  private func repeatedProducer(
    _ allocated: Allocation, _ first: Free, _ second: Free
  ) -> CallPath.Step? {
    let receiver = max(first.owner, second.owner)
    guard receiver + 1 < allocated.steps.count,
      let function = allocated.steps[receiver].function,
      first.path.steps.last?.function == function, second.path.steps.last?.function == function
    else { return nil }
    return allocated.steps[receiver + 1]
  }

  private func returnedTwice(_ producer: CallPath.Step, to receiver: String) -> String {
    "\(receiver) freed twice what \(name(producer)) had returned: whether that returned one string twice, "
      + "or \(receiver) freed twice what it was given once, cannot be told."
  }

  /// Whether two consumers of one owner are two calls for certain; otherwise they may be one.
  private func areTwoCalls(_ first: Free, _ second: Free) -> Bool {
    first.path.makesAnotherCall(than: second.path, at: first.owner)
      || first.path.steps[first.owner].frame != second.path.steps[second.owner].frame
  }

  private func freedTwice(
    by consumer: CallPath.Step, for owner: CallPath.Step, _ areTwoCalls: Bool
  ) -> String {
    (areTwoCalls
      ? "\(name(owner)) gave it to \(name(consumer)) twice, which freed it each time: "
      : "\(name(owner)) gave it to \(name(consumer)), which freed it twice, in one call or in two: ")
      + "whether it should have freed it at all cannot be told."
  }

  /// One of the frees happened deeper, inside what returned the string to the other's owner.
  private func judgeDepths(
    _ allocated: Allocation, _ first: Free, _ second: Free, _ ownership: inout Ownership
  ) {
    let (inner, outer) = first.owner > second.owner ? (first, second) : (second, first)
    let owner = allocated.steps[outer.owner]
    let producer = allocated.steps[outer.owner + 1]
    let keeper = allocated.steps[inner.owner]
    if let consumer = inner.consumer, first.owner > second.owner, !freesRightly(consumer) {
      ownership.owner = paths.frame(keeper)
      ownership.consumer = paths.frame(consumer)
      guard hasStringParameter(consumer) else {
        ownership.doubt = keptWithoutCopy(consumer)
        return
      }
      return settle(
        .in,
        "\(name(consumer)) freed an argument that it had only borrowed from \(name(keeper)); it was then "
          + "freed again, by \(lastName(second)).", &ownership)
    }
    ownership.producer = paths.frame(producer)
    // Who had it from somebody else may have freed it rightly.
    guard inner.isOwn, outer.isOwn, inner.owner == allocated.steps.count - 1 else {
      ownership.doubt =
        "\(lastName(first)) freed it, and \(lastName(second)) did: whether it had been returned, kept "
        + "without a copy, or handed over in between cannot be told."
      return
    }
    let order =
      first.owner > second.owner
      ? "\(name(producer)) freed what it returned; \(name(owner)) then freed it again."
      : "\(name(owner)) freed what \(name(producer)) had returned, and \(name(producer)) freed it too."
    settle(.return, order, &ownership)
  }

  /// Both frees were the owner's, itself or through wrappers.
  ///
  /// That alone breaks no rule of the owner's: a function that it called may have returned it the string that it
  /// was given, and each result is to be freed.
  private func judgeOwn(
    _ allocated: Allocation, _ owner: CallPath.Step, _ first: Free, _ second: Free,
    _ ownership: inout Ownership
  ) {
    var message = "\(name(owner)) freed its own BSTR twice."
    if let one = first.whole.steps.last, let other = second.whole.steps.last,
      one.function != other.function
    {
      if let keeper = keeper(first, second, allocated) {
        ownership.consumer = paths.frame(keeper)
        ownership.doubt = givenAwayWithoutCopy(keeper, keeper == one ? other : one)
        return
      }
      message =
        "\(name(owner)) freed its own BSTR twice: in \(name(one)), and then in \(name(other))."
    }
    ownership.message = message
    ownership.doubt =
      "Whether it freed one string twice, or a function that it had called returned it the string that it was "
      + "given, cannot be told."
  }

  /// A destructor among the two that freed it, of a class that had allocated the string itself: that had
  /// the right to.
  private func keeper(
    _ first: Free, _ second: Free, _ allocated: Allocation
  ) -> CallPath.Step? {
    let makers = paths.classes(on: allocated.whole)
    return [first, second].compactMap(\.whole.steps.last).first { step in
      paths.destroyedClass(step).map { makers.contains($0) } ?? false
    }
  }

  private func givenAwayWithoutCopy(_ keeper: CallPath.Step, _ other: CallPath.Step) -> String {
    "The object that allocated it freed it in \(name(keeper)), and \(name(other)) freed it, too: whether the "
      + "object had given it away without a copy cannot be told."
  }

  /// The first free was a callee's, the second the owner's.
  private func judgeConsumer(
    _ allocated: Allocation, _ owner: CallPath.Step, _ consumer: CallPath.Step, _ first: Free,
    _ second: Free, _ ownership: inout Ownership
  ) {
    ownership.consumer = paths.frame(consumer)
    if let keeper = keeper(first, second, allocated) {
      ownership.doubt = givenAwayWithoutCopy(keeper, consumer)
      return
    }
    if let others = consumer.function.flatMap({ rightFrees[$0] }), others > 0 {
      if first.owner + 1 < allocated.steps.count {
        let producer = allocated.steps[first.owner + 1]
        ownership.owner = nil
        ownership.producer = paths.frame(producer)
        ownership.doubt =
          "\(name(owner)) gave it to \(name(consumer)), which frees what it is given, and freed it again: "
          + "whether \(name(producer)) had returned one string twice cannot be told."
        return
      }
      let what = others == 1 ? "another one" : "\(others) others"
      return settle(
        .in,
        "\(name(owner)) gave its BSTR to \(name(consumer)), which frees what it is given, as it did with "
          + "\(what); \(name(owner)) then freed it again.", &ownership)
    }
    if isProducerByType(consumer) {
      return settle(
        .inOut,
        "\(name(consumer)) freed a BSTR that it was given by reference and stored no other; "
          + "\(name(owner)) then freed it again.", &ownership)
    }
    guard hasStringParameter(consumer) else {
      ownership.doubt = keptWithoutCopy(consumer)
      return
    }
    settle(
      .in,
      "\(name(consumer)) freed an argument that it had only borrowed; \(name(owner)) then freed it "
        + "again.", &ownership)
  }

  private func keptWithoutCopy(_ consumer: CallPath.Step) -> String {
    "\(name(consumer)) takes no string: it freed one that had been kept since an earlier call. Whether that "
      + "was handed over, or only lent and not copied, cannot be told."
  }

  private func freesRightly(_ step: CallPath.Step) -> Bool {
    step.function.flatMap { rightFrees[$0] } ?? 0 > 0
  }

  /// Whether a function may have been given the string: of one whose type is known to have no parameters
  /// it is not so.
  private func hasStringParameter(_ step: CallPath.Step) -> Bool {
    guard let function = paths.frame(step).function, let plain = paths.frame(step).plainName else {
      return true
    }
    return !function.dropFirst(plain.count).hasPrefix("()")
  }

  private func lastName(_ free: Free) -> String {
    (free.path.steps.last ?? free.whole.steps.last).map { name($0) } ?? "somebody"
  }

  private func settle(_ rule: Ownership.Rule, _ message: String, _ ownership: inout Ownership) {
    ownership.rule = rule
    ownership.basis = .inferred
    ownership.evidence = "the three stacks"
    ownership.message = message
  }
}
