// Merges what was found in several processes.

extension Report {
  /// What makes findings of two processes one.
  private struct Key: Hashable {
    var key: FindingKey
    var message: String
    var doubt: String?
    var rule: Ownership.Rule?
    var scope: String?

    init(_ finding: Finding) {
      key = FindingKey(finding)
      // Sentences have counts, which differ; what is said of ownership has none.
      message = finding.ownership.message ?? ""
      doubt = finding.ownership.doubt
      rule = finding.ownership.rule
      scope = finding.scope
    }
  }

  /// The report with each finding once: at the first process that has it, with the counts of all.
  ///
  /// Within one process nothing is merged that was not before.
  func mergingProcesses() -> Report {
    guard processes.count > 1 else { return self }
    var merged = self
    /// Where the first process has its findings of a key, and how many of them the current one had.
    var firsts: [Key: [(process: Int, index: Int)]] = [:]
    for process in processes.indices {
      var seen: [Key: Int] = [:]
      var kept: [Finding] = []
      for finding in processes[process].findings {
        let key = Key(finding)
        let ordinal = seen[key, default: 0]
        seen[key] = ordinal + 1
        if let places = firsts[key], ordinal < places.count, places[ordinal].process < process {
          let place = places[ordinal]
          merged.processes[place.process].findings[place.index].merge(finding)
        } else {
          firsts[key, default: []].append((process, kept.count))
          kept.append(finding)
        }
      }
      merged.processes[process].findings = kept
    }
    return merged
  }
}

extension Finding {
  /// Adds what another process has of the same.
  fileprivate mutating func merge(_ other: Finding) {
    processes += 1
    // Counts come from stores, which may be damaged.
    count = Self.sum(count, other.count)
    strings = Self.sum(strings, other.strings)
    bytes = Self.sum(bytes, other.bytes)
    places = max(places, other.places)
  }

  private static func sum(_ one: Int, _ other: Int) -> Int {
    let (sum, overflow) = one.addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
