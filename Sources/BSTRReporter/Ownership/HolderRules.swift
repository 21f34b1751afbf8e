// The rules on strings that were not freed and that stacks leave open: by what holds them. They are
// asked behind LeakRules.swift and never against it. Docs/Ownership.md lists them.

/// A rule: the first one with a conclusion is final.
struct HolderRule: Sendable {
  /// Its name in Docs/Ownership.md.
  let name: String
  /// The conclusion; `nil` leaves the strings to later rules.
  let conclude: @Sendable (Holders, Uncertainty, Frame) -> Holding?

  private init(
    _ name: String, _ conclude: @escaping @Sendable (Holders, Uncertainty, Frame) -> Holding?
  ) {
    self.name = name
    self.conclude = conclude
  }

  /// Returns the decision on a leak that stacks leave open for a reason, and the name of the rule
  /// that made it; `nil` where the reason stands.
  static func decision(
    on leak: LeakCase, open reason: Uncertainty
  ) -> (rule: String, decision: Ownership.Decision)? {
    guard reason.leavesOpenWhetherKept, let holders = leak.leaked.holders, holders.looked > 0
    else { return nil }
    let allocator = leak.frame(leak.allocator)
    for rule in all {
      if let holding = rule.conclude(holders, reason, allocator) {
        let areAll = holders.looked == leak.leaked.count
        return (rule.name, .held(holding, .holders(ofAll: areAll)))
      }
    }
    return nil
  }

  /// Every rule, in order.
  static let all: [HolderRule] = [
    HolderRule("kept-by-variable") { holders, _, allocator in
      holders.keeper(ofAll: \.isVariable).map { .keptByVariable($0, allocator: allocator) }
    },
    HolderRule("kept-by-object") { holders, _, allocator in
      // A block is an object where its class is known.
      holders.keeper { $0.place == .heap && $0.type != nil }
        .map { .keptByObject($0, allocator: allocator) }
    },
    HolderRule("kept-by-nobody") { holders, reason, allocator in
      // What was passed on or kept for a while may have been lost there, by somebody else.
      guard case .neverFreed = reason, holders.isWhole, holders.unheld == holders.looked else {
        return nil
      }
      return .keptByNobody(allocator: allocator)
    },
  ]
}

extension Holders {
  /// Returns the place of a kind that keeps each string that was looked for.
  ///
  /// What is weak keeps none, and neither does an address inside a string, by which it cannot be
  /// freed.
  fileprivate func keeper(ofAll isOfKind: (Holder) -> Bool) -> Holder? {
    only { chain in
      !chain.isWeak && (chain.steps.last.map { [.exact, .start].contains($0.certainty) } ?? false)
    }.keepers.first { isOfKind($0.place) && $0.strings == looked }?.place
  }
}

extension Holder {
  fileprivate var isVariable: Bool { place == .data || place == .threadLocal }
}

extension Uncertainty {
  /// Whether a string that was kept would look like this: not one whose siblings were freed in the
  /// call that got them, and not one of which the process's end says nothing.
  fileprivate var leavesOpenWhetherKept: Bool {
    switch self {
    case .siblingsOfOtherCalls, .siblingsOfOtherLines, .siblingsFreedInOtherThread,
      .siblingsFreedAtDifferentLevels, .keptUntilNextCall, .possiblyKeptUntilNextCall,
      .ownedByObject, .draftOrResult, .allocatedByOtherCall, .siblingsPassedOn, .keptInObject,
      .siblingsOfOtherPaths, .freesNotRecorded, .neverFreed:
      true
    default: false
    }
  }
}
