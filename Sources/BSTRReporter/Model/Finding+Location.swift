// Where a finding is: its stacks, that of the function that is responsible, and the line to change.
// Whatever names one line of a finding takes it from here.

extension Finding {
  /// The stacks with their labels, the latest event first, and with the owner in that of the
  /// allocation.
  var labelledStacks: [(label: String, trace: StackTrace, owner: Frame?)] {
    let labels = kind.labels(ofDetail: detail)
    let all: [(String, StackTrace?, Frame?)] =
      [(labels.detected, detected, nil), (labels.freed, freed, nil)]
      + pinned.map { ("pinned by", $0, nil) } + [("allocated by", allocated, ownership.owner)]
    return all.compactMap { label, trace, owner in trace.map { (label, $0, owner) } }
  }

  /// The stack of the function that is responsible.
  var culprit: StackTrace? {
    switch kind.culprit {
    case .detected: detected ?? freed ?? allocated
    case .allocated: allocated
    }
  }

  /// The frame of the function that is to change, as the sentences name it; `nil` where none is
  /// known.
  var blamed: Frame? {
    // Its callee frees what it is given: the owner is not to free it again.
    if case .handedOverFreed(let owner, _, _) = ownership.verdict {
      return detected?.frames.first { $0.function == owner.function } ?? owner
    }
    return blamed(by: ownership.rule, ownership.parties)
  }

  /// The blamed frame or the owner's, if its line is known, or else the innermost one of the
  /// culprit's stack or of the other stacks.
  var primaryFrame: Frame? { primaryFrame(blaming: blamed, ownership.parties) }

  /// Returns the primary frame by the rule and the parties of a report that was read.
  func primaryFrame(by rule: Ownership.Rule?, _ parties: Ownership.Parties) -> Frame? {
    primaryFrame(blaming: blamed(by: rule, parties), parties)
  }

  private func primaryFrame(blaming blamed: Frame?, _ parties: Ownership.Parties) -> Frame? {
    let known = [blamed, parties.owner].compactMap(\.self)
    if let frame = known.first(where: { $0.line != nil }) { return frame }
    let frames = [culprit, allocated, freed].compactMap { $0?.located }
    return frames.first { $0.line != nil } ?? frames.first
  }

  private func blamed(by rule: Ownership.Rule?, _ parties: Ownership.Parties) -> Frame? {
    // The line that calls the wrong function is to call another one, whatever function owns it.
    if kind == .wrongDeallocator { return detected?.located ?? parties.owner }
    guard kind != .leak, let rule else { return parties.owner }
    // The free is in the function that freed what it was to return or had borrowed, or else it is
    // the last one.
    let party = rule == .return ? parties.producer : parties.consumer
    let frames = [freed, detected].compactMap { $0?.frames }.joined()
    return party.flatMap { party in frames.first { $0.function == party.function } }
      ?? parties.owner
  }
}
