// Where a finding is: the stack of the function that is responsible, and the frame to show first.

extension Finding {
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
