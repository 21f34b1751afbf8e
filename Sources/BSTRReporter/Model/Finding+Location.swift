// Where a finding is: its stacks, that of the function that is responsible, and the frame to show
// first.

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

  /// The owner's frame, if its line is known, or else the innermost one of the culprit's stack or
  /// of the other stacks.
  var primaryFrame: Frame? {
    if let owner = ownership.owner, owner.line != nil { return owner }
    let frames = [culprit, allocated, freed].compactMap { $0?.located }
    return frames.first { $0.line != nil } ?? frames.first
  }
}
