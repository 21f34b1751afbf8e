// Strings that one call of a function makes and a later one frees, and strings that a function makes on its
// way and never returns: what looks like a mistake of the function, or of its caller, and need not be one.

import TraceStore

extension OwnershipInference {
  /// The function that freed in one call what another call of it had made; `nil` where none did.
  ///
  /// A setter does so that frees what it kept before, whether before or after it makes the next one.
  func replacer(in history: History) -> Int? {
    guard let height = history.height, height > 0, let consumer = history.consumer else {
      return nil
    }
    let made = history.allocated.steps[history.allocated.steps.count - height]
    return made.function == consumer.function ? made.function : nil
  }

  /// The function that seems to keep what it makes until its next call: whoever ends what it is kept in was to
  /// free the last one.
  ///
  /// - Parameter height: how many steps the strings went up.
  func replacer(
    among evidence: [History], _ height: Int, _ path: CallPath, _ leaked: Leaked
  ) -> Replacement? {
    let producers = path.steps.suffix(height + 1)
    if let step = producers.first(where: { $0.function.map { replacers.contains($0) } ?? false }) {
      return Replacement(function: step, evidence: .otherCall)
    }
    let owner = path.steps[path.steps.count - 1 - height]
    let before = evidence.first { isFreedBeforeMade($0) && $0.owner?.function == owner.function }
    if let before, let line = before.freed.steps.last.flatMap({ paths.frame($0).line }) {
      return Replacement(function: owner, evidence: .line(line))
    }
    guard isCalledFromOnePlace(owner, height, evidence, leaked) else { return nil }
    // What a function only received it seldom keeps.
    let (isMember, mayBeTheLatest) = (isMember(owner), mayBeTheLatest(leaked, evidence))
    guard height == 0 ? isMember || mayBeTheLatest : isMember && mayBeTheLatest else { return nil }
    return Replacement(function: owner, evidence: .none)
  }

  /// A function that may keep what it makes until its next call.
  struct Replacement {
    /// The function.
    var function: CallPath.Step
    /// What speaks for it.
    var evidence: Evidence

    /// What speaks for a function's keeping what it makes.
    enum Evidence {
      /// Two of its calls were told apart, of which one made and the other freed.
      case otherCall
      /// It frees in this line, and makes the next one there or behind it.
      case line(Int)
      /// Nothing speaks against it.
      case none
    }
  }

  /// The words for strings that a function may keep until its next call.
  func replaced(by replacement: Replacement) -> String {
    let name = name(replacement.function)
    let last = "the last one was to be freed by whoever ends what it is stored in."
    return switch replacement.evidence {
    case .otherCall: "\(name) frees in one call what an earlier call of it had made: \(last)"
    case .line(let line):
      "\(name) frees an earlier string when it makes the next one, in line \(line): \(last)"
    case .none:
      "\(name) freed its siblings: whether each call freed the string that it had got or made, or that of the "
        + "call before, which it had kept, cannot be told."
    }
  }

  /// Whether a string was freed by the very function that allocates or receives it, before the place that
  /// does: as is a variable's old value before it is given the next one.
  ///
  /// In one line the addresses of the calls tell the order; one call that does both is SysReAllocString's.
  private func isFreedBeforeMade(_ history: History) -> Bool {
    guard history.consumer == nil, let freed = history.freed.steps.last, let made = history.owner,
      made.function != nil, made.function == freed.function,
      let madeLine = paths.frame(made).line, let freedLine = paths.frame(freed).line,
      paths.frame(made).file == paths.frame(freed).file
    else { return false }
    return freedLine == madeLine
      ? freed.call.rawValue <= made.call.rawValue : freedLine < madeLine
  }

  /// Whether all calls of a function that received and freed strings itself came from one place.
  ///
  /// Then the stacks do not tell one call from another. `main` is called once.
  ///
  /// - Parameter height: how many steps the strings went up to the function.
  private func isCalledFromOnePlace(
    _ owner: CallPath.Step, _ height: Int, _ evidence: [History], _ leaked: Leaked
  ) -> Bool {
    guard paths.frame(owner).plainName != "main" else { return false }
    func callers(_ path: CallPath, above steps: Int) -> [FrameWord] {
      path.steps.dropLast(steps + 1).map(\.call)
    }
    let seen = evidence.filter { $0.height == height }.flatMap { history in
      let below = history.freed.steps.count - 1 - (history.allocated.steps.count - 1 - height)
      return [
        callers(history.allocated, above: height), callers(history.freed, above: max(0, below)),
      ]
    }
    return Set(seen + leaked.stacks.map { callers(path(of: $0), above: height) }).count == 1
  }

  /// Whether a function is a member of a class or a namespace: an object can keep what its setter makes.
  private func isMember(_ owner: CallPath.Step) -> Bool {
    guard let name = paths.frame(owner).enclosingClass else { return false }
    return name != "(anonymous namespace)"
  }

  /// Whether the strings that are left may all have been made after those that were freed, as are the last
  /// ones of a function that keeps what it makes.
  ///
  /// They are not where more allocations followed the first of them than there were of other functions.
  private func mayBeTheLatest(_ leaked: Leaked, _ evidence: [History]) -> Bool {
    let own = UInt64(clamping: leaked.live)
    let freed = evidence.reduce(UInt64(0)) { $0 &+ UInt64(clamping: $1.count) }
    let others = allocations - min(allocations, freed &+ own)
    return leaked.allocationsAfterFirst - min(leaked.allocationsAfterFirst, own - min(own, 1))
      <= others
  }

  /// Whether strings that nobody freed were allocated by other calls below their owner than those that were
  /// freed: an implementer makes them on its way, and returns another.
  ///
  /// Where the owner allocated them itself, it may be that of a function which is inlined into it.
  ///
  /// - Parameter height: how many steps the strings that were freed went up.
  func isDraft(_ stacks: [StackID], among evidence: [History], _ height: Int) -> Bool {
    func calls(_ path: CallPath) -> [FrameWord] { path.steps.suffix(max(1, height)).map(\.call) }
    let returned = Set(evidence.filter { $0.height == height }.map { calls($0.allocated) })
    return stacks.contains { !returned.contains(calls(path(of: $0))) }
  }

  /// The words for strings that a function may have made on its way and not returned.
  func drafted(by function: CallPath.Step, isReturned: Bool) -> String {
    let made = "Those that were freed had been allocated by another call in \(name(function)): "
    return made
      + (isReturned
        ? "whether that returned this one, or forgot it, cannot be told."
        : "whether this one was forgotten by it, or by what is inlined into it, cannot be told.")
  }
}
