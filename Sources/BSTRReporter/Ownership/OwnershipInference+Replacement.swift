// Functions that free in one call what an earlier call of them made, and functions that make
// strings on their way which they never return: both look like a mistake of the function, or of its
// caller, and need not be one.

import TraceStore

extension OwnershipInference {
  /// Returns the function that freed in one call what another call of it had made; `nil` where none
  /// did.
  ///
  /// A setter does so that frees what it kept before, whether before or after it makes the next
  /// one.
  func replacer(in history: History) -> Int? {
    guard let height = history.height, height > 0, let consumer = history.consumer else {
      return nil
    }
    let made = history.allocated.steps[history.allocated.steps.count - height]
    return made.function == consumer.function ? made.function : nil
  }

  /// Returns the reason for which a function seems to keep what it makes until its next call: the
  /// code that destroys the object in which the string is kept should have freed the last one.
  func replacement(in leak: LeakCase, _ majority: LeakCase.Majority) -> Uncertainty? {
    let producers = leak.path.steps.suffix(majority.height + 1)
    if let step = producers.first(where: { $0.function.map { replacers.contains($0) } ?? false }) {
      return .keptUntilNextCall(function: paths.frame(step), sign: .otherCall)
    }
    let owner = majority.owner
    let before = leak.siblings.first {
      isFreedBeforeMade($0) && $0.owner?.function == owner.function
    }
    if let before, let line = before.freed.steps.last.flatMap({ paths.frame($0).line }) {
      return .keptUntilNextCall(function: paths.frame(owner), sign: .line(line))
    }
    guard isCalledFromOnePlace(owner, majority.height, leak.siblings, leak.leaked) else {
      return nil
    }
    // A function that only received a string rarely keeps it.
    let isMember = isMember(owner)
    let mayBeTheLatest = mayBeTheLatest(leak.leaked, leak.siblings)
    let mayKeep = majority.height == 0 ? isMember || mayBeTheLatest : isMember && mayBeTheLatest
    return mayKeep ? .possiblyKeptUntilNextCall(function: paths.frame(owner)) : nil
  }

  /// Returns whether a string was freed by the very function that allocates or receives it, before
  /// the line that does: a variable's old value is freed so before the next one is assigned.
  ///
  /// In one line the addresses of the calls give the order; one call that does both is
  /// SysReAllocString's.
  private func isFreedBeforeMade(_ history: History) -> Bool {
    guard history.consumer == nil, let freed = history.freed.steps.last, let made = history.owner,
      made.function != nil, made.function == freed.function,
      let madeLine = paths.frame(made).line, let freedLine = paths.frame(freed).line,
      paths.frame(made).file == paths.frame(freed).file
    else { return false }
    return freedLine == madeLine
      ? freed.call.rawValue <= made.call.rawValue : freedLine < madeLine
  }

  /// Returns whether all calls of a function that received and freed strings itself came from one
  /// address.
  ///
  /// Then the stacks do not distinguish one call from another. `main` is called once.
  ///
  /// - Parameter height: the steps up from the allocation to the function.
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

  /// Returns whether a function is a member of a class or a namespace: an object can keep what its
  /// setter makes.
  private func isMember(_ owner: CallPath.Step) -> Bool {
    guard let name = paths.frame(owner).enclosingClass else { return false }
    return name != "(anonymous namespace)"
  }

  /// Returns whether the leaked strings may all have been made after those that were freed, as are
  /// the last ones of a function that keeps what it makes.
  ///
  /// They were not where more allocations followed the first of them than there were of other
  /// functions.
  private func mayBeTheLatest(_ leaked: Leaked, _ evidence: [History]) -> Bool {
    let own = UInt64(clamping: leaked.live)
    let freed = evidence.reduce(UInt64(0)) { $0 &+ UInt64(clamping: $1.count) }
    let others = allocations - min(allocations, freed &+ own)
    return leaked.allocationsAfterFirst - min(leaked.allocationsAfterFirst, own - min(own, 1))
      <= others
  }

  /// Returns whether leaked strings were allocated by other calls below their owner than those that
  /// were freed: an implementer makes them on its way, and returns another.
  ///
  /// Where the owner allocated them itself, the call may be that of a function which is inlined
  /// into it.
  ///
  /// - Parameter height: the steps up from the allocation of the strings that were freed.
  func isDraft(_ stacks: [StackID], among evidence: [History], _ height: Int) -> Bool {
    func calls(_ path: CallPath) -> [FrameWord] { path.steps.suffix(max(1, height)).map(\.call) }
    let returned = Set(evidence.filter { $0.height == height }.map { calls($0.allocated) })
    return stacks.contains { !returned.contains(calls(path(of: $0))) }
  }
}
