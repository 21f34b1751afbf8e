// The difference between two runs, by the key of baselines. Rendered in every format.

/// What is new, gone, grown and shrunk from one run to another.
public struct FindingDiff: Sendable {
  /// The change of the findings of one key; the raw values are the report's.
  public enum Change: String, CaseIterable, Sendable {
    case new, grown, shrunk, gone
  }

  /// The findings of one key that changed.
  struct Entry: Sendable {
    var change: Change
    var key: FindingKey
    /// How many there were before, and how many there are after.
    var before, after: Int
    /// The line, where one of the two runs knows it.
    var frame: Frame?
  }

  /// What changed: new, grown, shrunk and gone, each in the order of keys.
  let entries: [Entry]
  /// The count of keys that both runs have as many of.
  let unchanged: Int

  /// Compares two runs, by the newest keys that both have.
  ///
  /// `nil` where that is none: for baselines of two versions.
  public init?(from before: FindingSums, to after: FindingSums) {
    let common = FindingKey.Version.allCases.reversed().lazy.compactMap { version in
      before.sums[version].flatMap { old in after.sums[version].map { (old, $0) } }
    }
    guard let (before, after) = common.first else { return nil }
    var entries: [Entry] = []
    var unchanged = 0
    for key in Set(before.keys).union(after.keys) {
      let (old, new) = (before[key], after[key])
      let (oldCount, newCount) = (old?.count ?? 0, new?.count ?? 0)
      let change: Change? =
        if old == nil {
          .new
        } else if new == nil {
          .gone
        } else if oldCount == newCount {
          nil
        } else {
          newCount > oldCount ? .grown : .shrunk
        }
      guard let change else {
        unchanged += 1
        continue
      }
      entries.append(
        Entry(
          change: change, key: key, before: oldCount, after: newCount,
          frame: new?.frame ?? old?.frame))
    }
    let order = Change.allCases
    self.entries = order.flatMap { change in
      entries.filter { $0.change == change }.sorted { $0.key < $1.key }
    }
    self.unchanged = unchanged
  }

  /// Returns how many keys changed in a way.
  func count(_ change: Change) -> Int { entries.count { $0.change == change } }

  /// Whether something is new or has grown.
  public var isWorse: Bool { count(.new) + count(.grown) > 0 }

  /// "1 new, 0 grown, 0 shrunk, 2 gone, 5 unchanged".
  var summary: String {
    (Change.allCases.map { "\(count($0)) \($0.rawValue)" } + ["\(unchanged) unchanged"])
      .joined(separator: ", ")
  }
}
