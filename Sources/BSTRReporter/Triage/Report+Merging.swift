// Makes one finding of what has one fault: when a report is written, after rules and baselines,
// which go by stacks and processes.

public import TraceOptions
import TraceStore

extension Report {
  /// What makes two findings one.
  private struct Key: Hashable {
    /// The process, where those of several are not merged.
    var process: Int?
    var kind: FindingKind
    var detail: String?
    var scope: String?
    var locations: [String]
    var message: String?
    var reason: String?
    var rule: Ownership.Rule?
    var remarks: [String]
    var baselineState: Finding.BaselineState?

    /// `nil` for what is not merged: its fault is not known, or pins hold it.
    init?(_ finding: Finding, process: Int?, isByStack: Bool) {
      guard let fault = finding.fault, finding.pinned.isEmpty else { return nil }
      self.process = process
      kind = finding.kind
      detail = finding.detail
      scope = finding.scope
      locations = isByStack ? finding.locations : fault.locations
      if locations.isEmpty { return nil }
      // A sentence without parties has a count.
      message = finding.ownership.message
      reason = finding.ownership.uncertaintySentence
      rule = finding.ownership.rule
      remarks = finding.remarks
      baselineState = finding.baselineState
    }
  }

  /// What was merged under a key.
  private struct Merged {
    var process: Int
    var index: Int
    /// The last process that was counted.
    var last: Int
    /// The stacks, by their hashes.
    var stacks: Set<Int>
  }

  /// Returns the report with each fault once: where it is first, at its heaviest stack there, with
  /// the counts of all.
  ///
  /// - Parameter options: whether stacks that a reader can tell apart stay apart, and processes.
  public func merged(_ options: TraceOptions = TraceOptions()) -> Report {
    let (isByStack, isPerProcess) = (options.groupBy == .stack, options.perProcess)
    var merged = self
    var known: [Key: Merged] = [:]
    for process in processes.indices {
      merged.processes[process].findings = []
      for finding in processes[process].findings {
        let key = Key(finding, process: isPerProcess ? process : nil, isByStack: isByStack)
        guard let key, var first = known[key] else {
          let index = merged.processes[process].findings.count
          merged.processes[process].findings.append(finding)
          if let key {
            known[key] = Merged(
              process: process, index: index, last: process,
              stacks: [finding.locations.hashValue])
          }
          continue
        }
        first.stacks.insert(finding.locations.hashValue)
        merged.processes[first.process].findings[first.index]
          .add(finding, places: first.stacks.count, isOfNewProcess: first.last != process)
        if first.process != process { merged.processes[process].findingsAbove += 1 }
        first.last = process
        known[key] = first
      }
    }
    for process in processes.indices { merged.processes[process].sortFindings() }
    if !isPerProcess {
      var seen: Set<Key> = []
      merged.leftOut.removeAll { known in
        Key(known.finding, process: nil, isByStack: isByStack)
          .map { !seen.insert($0).inserted } ?? false
      }
    }
    return merged
  }
}

extension ProcessReport {
  /// Puts findings in the order of their weights again: leaks by bytes, faults by calls.
  fileprivate mutating func sortFindings() {
    func weight(_ finding: Finding) -> (Int, Int, Int) {
      guard let event = finding.kind.event else { return (-1, -finding.bytes, -finding.count) }
      return (Int(event.rawValue), -finding.count, 0)
    }
    findings = findings.enumerated().sorted { one, other in
      let (first, second) = (weight(one.element), weight(other.element))
      return first != second ? first < second : one.offset < other.offset
    }.map(\.element)
  }
}

extension Finding {
  /// Its stacks, with modules and lines.
  fileprivate var locations: [String] {
    [detected, freed, allocated].flatMap { trace in
      (trace?.frames ?? []).map(\.mergingLocation) + ["-"]
    }
  }

  /// Adds what another stack or process has of the same fault.
  fileprivate mutating func add(_ other: Finding, places: Int, isOfNewProcess: Bool) {
    count += other.count
    strings += other.strings
    bytes += other.bytes
    if let others = other.holders {
      if holders == nil { holders = others } else { holders?.add(others) }
    }
    if case .held(let holding, _) = ownership.decision {
      ownership.decision = .held(holding, .holders(ofAll: holders?.looked == count))
    }
    self.places = places
    if isOfNewProcess { processes += 1 }
    if ownership.message == nil, var words = wording {
      words.count = count
      message = words.sentence
    }
  }
}
