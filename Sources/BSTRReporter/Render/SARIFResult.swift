// One result of a SARIF file: a finding on the line that is to change, with the way of its string.

/// A finding as code scanning shows it.
struct SARIFResult {
  /// The finding.
  let finding: Finding
  /// The path of the program, where no frame has a line or a module.
  let program: String
  /// The key, by which it is recognised in later runs.
  let key: FindingKey
  /// Whether a rule or a baseline took it out of the report.
  let isKnown: Bool
  /// The rule that silenced it; `nil` for none.
  let rule: SuppressionRule?
  /// Its position among the findings of one key, from 1.
  var ordinal = 1

  /// Creates the result for a finding.
  init(finding: Finding, program: String, isKnown: Bool = false, rule: SuppressionRule? = nil) {
    self.finding = finding
    self.program = program
    self.isKnown = isKnown
    self.rule = rule
    key = FindingKey(finding)
  }

  /// Where the finding is, line by line, for the order of those of one key.
  var lines: [Line] {
    [finding.allocated, finding.detected, finding.freed].flatMap { $0?.frames ?? [] }
      .map { Line(file: $0.file ?? $0.module, line: $0.line ?? 0, column: $0.column ?? 0) }
  }

  /// A line of a file, before those behind it.
  struct Line: Comparable {
    var file: String
    var line: Int
    var column: Int

    static func < (one: Line, other: Line) -> Bool {
      (one.file, one.line, one.column) < (other.file, other.line, other.column)
    }
  }

  /// Its rank, the lowest first: new before known, faults before leaks, then by bytes and count.
  private var rank: (Int, Int, Int, Int) {
    (isKnown ? 1 : 0, finding.kind == .leak ? 1 : 0, -finding.bytes, -finding.count)
  }

  /// Returns whether it matters more than another one.
  func outweighs(_ other: SARIFResult) -> Bool { rank < other.rank }

  /// Returns the findings of a report: the gravest kinds, and of these the heaviest first.
  static func heaviestFirst(_ report: Report) -> [SARIFResult] {
    // A stable sort: findings of the same weight stay in the order of the report.
    report.processes.flatMap { process in
      process.findings.map { SARIFResult(finding: $0, program: process.executable) }
    }.sorted { $0.outweighs($1) }
  }

  /// Returns the result.
  ///
  /// - Parameter ruleIndex: the index of its rule in the tool's.
  func json(ruleIndex: Int, _ locations: inout SARIFLocations) -> JSONValue {
    let frame = finding.primaryFrame
    let related = relatedFrames(besides: frame)
    let steps = steps(&locations)
    return [
      "ruleId": .string(SARIFRule(finding).id),
      "ruleIndex": .number(ruleIndex),
      "level": .string(level),
      "message": ["text": .string(message(related, hasLine: frame?.line != nil))],
      "locations": [
        frame.map { locations.location(of: $0) } ?? locations.location(ofFile: program)
      ],
      "relatedLocations": .array(
        related.map {
          locations.location(of: $0.frame, id: $0.party.rawValue, message: $0.party.label)
        } + holders(&locations)),
      "codeFlows": steps.isEmpty ? nil : [codeFlow(steps, &locations)],
      "stacks": .array(steps.map(\.stack)),
      "occurrenceCount": .number(max(1, finding.count)),
      "partialFingerprints": Self.fingerprints(key, ordinal: ordinal),
      "baselineState": finding.baselineState.map { .string($0.rawValue) },
      "suppressions": suppressions,
      "properties": ["precision": .string(precision)],
    ]
  }

  /// Returns what a finding is recognised by.
  ///
  /// - Parameter ordinal: its position among the findings of the key, from 1.
  static func fingerprints(_ key: FindingKey, ordinal: Int) -> JSONValue {
    [
      "primaryLocationLineHash": .string("\(String(key.hash, radix: 16)):\(ordinal)"),
      "bstrtrace/v2": .string(ordinal == 1 ? key.text : "\(key.text) #\(ordinal)"),
    ]
  }

  // MARK: judgement

  /// The severity: what was live in a process that was cut short, or whose `free` is not seen, is
  /// no proof of a leak.
  var level: String {
    switch finding.ownership.uncertainty {
    case .processCutShort, .freeUnwatched: "note"
    default: SARIFRule(finding).level
    }
  }

  private var precision: String {
    finding.ownership.basis == .declared ? "very-high" : SARIFRule(finding).precision
  }

  private var suppressions: JSONValue? {
    guard let rule else { return nil }
    return [
      [
        "kind": "external", "status": "accepted",
        "justification": .string(rule.reason ?? rule.text),
      ]
    ]
  }

  // MARK: locations

  /// A function beside the blamed one; the raw values are the ids of its location.
  private enum Party: Int {
    case producer = 1
    case consumer, freed, allocated, siblings, owner

    var label: String {
      switch self {
      case .producer: "producer"
      case .consumer: "consumer"
      case .freed: "first free"
      case .allocated: "allocation"
      case .siblings: "free of siblings"
      case .owner: "owner"
      }
    }
  }

  private func relatedFrames(besides primary: Frame?) -> [(party: Party, frame: Frame)] {
    let all: [(Party, Frame?)] = [
      (.owner, finding.ownership.owner), (.producer, finding.ownership.producer),
      (.consumer, finding.ownership.consumer),
      (.freed, finding.freed?.located), (.allocated, finding.allocated?.located),
      (.siblings, finding.ownership.siblings?.freedBy),
    ]
    // One link for each line: what allocated a string may have returned it, too.
    var seen: Set<Frame> = primary.map { [$0] } ?? []
    return all.compactMap { party, frame in
      guard let frame, frame.line != nil || !frame.module.isEmpty, seen.insert(frame).inserted
      else { return nil }
      return (party, frame)
    }
  }

  /// Returns the locations of what holds the strings: a variable's is its module.
  private func holders(_ locations: inout SARIFLocations) -> [JSONValue] {
    (finding.holders?.keepers ?? []).prefix(Holders.maxListed).enumerated().map { index, keeper in
      locations.location(
        ofVariable: keeper.place.symbol, inFile: keeper.place.module ?? program,
        id: Party.owner.rawValue + 1 + index,
        message: "held by \(HolderWording.text(of: keeper.chains[0]))")
    }
  }

  /// The sentence, with the rule or the uncertainty, and with links to the related locations.
  private func message(_ related: [(party: Party, frame: Frame)], hasLine: Bool) -> String {
    var sentences = [finding.stableSentence, finding.stableReason].compactMap(\.self)
      .map(SARIFText.withoutLinks)
    if !hasLine { sentences.append("No line of it is known: the location is the module.") }
    if !related.isEmpty {
      let links = related.map { "[\($0.party.label)](\($0.party.rawValue))" }
      sentences.append("See \(links.joined(separator: ", ")).")
    }
    return sentences.joined(separator: " ")
  }

  // MARK: code flow

  /// One event in the life of the string.
  private struct Step {
    var label: String
    var trace: StackTrace
    /// Its stack, which stands in two places.
    var stack: JSONValue
  }

  /// Returns the events, in the order of their times.
  private func steps(_ locations: inout SARIFLocations) -> [Step] {
    let labels = finding.kind.labels(ofDetail: finding.detail)
    var events: [(String, StackTrace?)] = [("allocated by", finding.allocated)]
    events += finding.history.filter { $0.action != .freed }
      .map { (HistoryWording.words(for: $0.action), $0.trace) }
    events += finding.pinned.map { ("pinned by", $0) }
    events += [(labels.freed, finding.freed), (labels.detected, finding.detected)]
    var steps: [Step] = []
    for (label, trace) in events.prefix(SARIFLocations.maxLocations) {
      guard let trace, let frame = trace.frames.first else { continue }
      let label = "\(label) \(Finding.withoutOffsets(frame.name))"
      let stack = locations.stack(trace.framesFromMain, message: label)
      steps.append(Step(label: label, trace: trace, stack: stack))
    }
    return steps
  }

  private func codeFlow(_ steps: [Step], _ locations: inout SARIFLocations) -> JSONValue {
    var locatedSteps: [JSONValue] = []
    for (index, step) in steps.enumerated() {
      guard let frame = step.trace.located else { continue }
      locatedSteps.append([
        "location": locations.location(of: frame, message: step.label), "stack": step.stack,
        "executionOrder": .number(index + 1),
        "properties": step.trace.context?.milliseconds.map { ["milliseconds": .number($0)] },
      ])
    }
    return ["threadFlows": [["locations": .array(locatedSteps)]]]
  }
}
