// Stacks that many processes have, once in memory.

/// The frames of findings so far, each list of them once.
struct SharedStacks {
  private var stacks: [[Frame]: [Frame]] = [:]
  private var texts: [[String]: [String]] = [:]

  /// Lets the findings of a process share what those of earlier ones have.
  mutating func share(_ process: inout ProcessReport) {
    for index in process.findings.indices { share(&process.findings[index]) }
  }

  private mutating func share(_ finding: inout Finding) {
    share(&finding.allocated)
    share(&finding.freed)
    share(&finding.detected)
    for index in finding.pinned.indices { share(&finding.pinned[index].frames) }
    for index in finding.history.indices { share(&finding.history[index].trace.frames) }
    share(&finding.ownership.frees)
    guard var fault = finding.fault else { return }
    fault.locations = Self.shared(fault.locations, &texts)
    fault.functions = Self.shared(fault.functions, &texts)
    finding.fault = fault
  }

  private mutating func share(_ trace: inout StackTrace?) {
    guard var shared = trace else { return }
    share(&shared.frames)
    trace = shared
  }

  private mutating func share(_ frames: inout [Frame]) {
    frames = Self.shared(frames, &stacks)
  }

  /// Returns the equal list that is known, or this one, which is known then.
  private static func shared<Element: Hashable>(
    _ list: [Element], _ known: inout [[Element]: [Element]]
  ) -> [Element] {
    if let same = known[list] { return same }
    known[list] = list
    return list
  }
}
