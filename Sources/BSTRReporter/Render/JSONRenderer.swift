// The report for programs: version 1 of the format in Docs/ReportFormat.md and its schema.

import FoundationEssentials

/// Renders JSON.
public struct JSONRenderer: TextualRenderer {
  /// Findings are there as they were found, and once more each fault once.
  public var mergesFaults: Bool { true }

  /// Creates a renderer.
  public init() {}

  /// Renders the whole report, ending with a newline.
  ///
  /// Every key is always present; keys are sorted.
  public func render(_ report: Report) -> String { Self.text(of: Document(report)) }

  /// Returns a document as JSON, ending with a newline; keys are sorted.
  static func text(of document: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Encoding strings and integers cannot fail.
    let json = (try? encoder.encode(document)) ?? Data()
    return Printable.escapedInJSON(String(decoding: json, as: UTF8.self)) + "\n"
  }
}

/// The top of the format.
private struct Document: Encodable {
  let report: Report

  init(_ report: Report) { self.report = report }

  private enum Key: CodingKey {
    case schema, version, processes, merged, summary, damage, explanation, suppressions, symbolizer
  }
  private enum SummaryKey: CodingKey { case findings, leakedBstrs, leakedBytes, suppressed }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode("bstrtrace-report", forKey: .schema)
    try container.encode(1, forKey: .version)
    try container.encode(report.processes.map(Process.init), forKey: .processes)
    try container.encode(report.merged().findings.map(FindingEntry.init), forKey: .merged)
    try container.encode(report.damage, forKey: .damage)
    try container.encode(report.explanation, forKey: .explanation)
    try container.encode(report.symbolizer?.rawValue, forKey: .symbolizer)
    try container.encode(report.suppressions.map(SuppressionEntry.init), forKey: .suppressions)
    var summary = container.nestedContainer(keyedBy: SummaryKey.self, forKey: .summary)
    try summary.encode(report.findings.count, forKey: .findings)
    try summary.encode(report.leakedBstrs, forKey: .leakedBstrs)
    try summary.encode(report.leakedBytes, forKey: .leakedBytes)
    try summary.encode(report.suppressed, forKey: .suppressed)
  }

  private struct Process: Encodable {
    let process: ProcessReport

    init(_ process: ProcessReport) { self.process = process }

    private enum Key: CodingKey {
      case pid, parentPid, executable, arguments, ended, status, profile, totals, findings, notes
      case map, coverage, coverageComplete
    }
    private enum ProfileKey: CodingKey { case olecharBytes, payloadOffset }
    private enum TotalsKey: CodingKey {
      case allocations, frees, foreignFrees, live, liveBytes, peakLive, immortals, ignored,
        unrecorded
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(process.pid, forKey: .pid)
      try container.encode(process.parentPid, forKey: .parentPid)
      try container.encode(process.executable, forKey: .executable)
      try container.encode(process.arguments, forKey: .arguments)
      let (ended, status): (String, Int?) =
        switch process.end {
        case .exit(let status): ("exit", status)
        case .signal(let signal): ("signal", signal)
        case .unknown, .running: ("unknown", nil)
        }
      try container.encode(ended, forKey: .ended)
      try container.encode(status, forKey: .status)
      var profile = container.nestedContainer(keyedBy: ProfileKey.self, forKey: .profile)
      try profile.encode(process.olecharBytes, forKey: .olecharBytes)
      try profile.encode(process.payloadOffset, forKey: .payloadOffset)
      var totals = container.nestedContainer(keyedBy: TotalsKey.self, forKey: .totals)
      try totals.encode(process.totals.allocations, forKey: .allocations)
      try totals.encode(process.totals.frees, forKey: .frees)
      try totals.encode(process.totals.foreignFrees, forKey: .foreignFrees)
      try totals.encode(process.totals.live, forKey: .live)
      try totals.encode(process.totals.liveBytes, forKey: .liveBytes)
      try totals.encode(process.totals.peakLive, forKey: .peakLive)
      try totals.encode(process.totals.immortals, forKey: .immortals)
      try totals.encode(process.totals.ignored, forKey: .ignored)
      try totals.encode(process.totals.unrecorded, forKey: .unrecorded)
      try container.encode(process.findings.map(FindingEntry.init), forKey: .findings)
      try container.encode(process.notes, forKey: .notes)
      try container.encode(process.map.map(MapEntry.init), forKey: .map)
      try container.encode(
        process.coverage.map {
          CoverageEntry(unseen: $0, foreignFrees: process.totals.foreignFrees)
        }, forKey: .coverage)
      try container.encode(process.isCoverageComplete, forKey: .coverageComplete)
    }
  }

  private struct CoverageEntry: Encodable {
    let unseen: UnseenStrings
    let foreignFrees: UInt64

    private enum Key: CodingKey { case module, reason, symbol, message }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(unseen.module, forKey: .module)
      try container.encode(unseen.reason.rawValue, forKey: .reason)
      try container.encode(unseen.symbol, forKey: .symbol)
      try container.encode(unseen.sentence(foreignFrees: foreignFrees), forKey: .message)
    }
  }

  private struct SuppressionEntry: Encodable {
    let use: Suppressions.Use

    init(_ use: Suppressions.Use) { self.use = use }

    private enum Key: CodingKey {
      case rule, reason, max, until, file, line, findings, count, problem
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(use.entry.rule.text, forKey: .rule)
      try container.encode(use.entry.rule.reason, forKey: .reason)
      try container.encode(use.entry.rule.max, forKey: .max)
      try container.encode(use.entry.rule.until, forKey: .until)
      try container.encode(use.entry.file, forKey: .file)
      try container.encode(use.entry.line, forKey: .line)
      try container.encode(use.findings, forKey: .findings)
      try container.encode(use.count, forKey: .count)
      try container.encode(use.problem?.rawValue, forKey: .problem)
    }
  }

  private struct MapEntry: Encodable {
    let modules: [FlowEntry]
    let functions: [FlowEntry]

    init(_ map: OwnershipMap) {
      modules = map.modules.map(FlowEntry.init)
      functions = map.functions.map(FlowEntry.init)
    }
  }

  private struct FlowEntry: Encodable {
    let flow: OwnershipMap.Flow

    init(_ flow: OwnershipMap.Flow) { self.flow = flow }

    private enum Key: CodingKey { case producer, owner, freedBy, count, bytes }
    private enum PartyKey: CodingKey { case function, module }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      for (key, party) in [
        (Key.producer, flow.producer), (.owner, flow.owner), (.freedBy, flow.freedBy),
      ] as [(Key, OwnershipMap.Party?)] {
        guard let party else {
          try container.encodeNil(forKey: key)
          continue
        }
        var entry = container.nestedContainer(keyedBy: PartyKey.self, forKey: key)
        try entry.encode(party.function, forKey: .function)
        try entry.encode(party.module, forKey: .module)
      }
      try container.encode(flow.count, forKey: .count)
      try container.encode(flow.bytes, forKey: .bytes)
    }
  }

  private struct FindingEntry: Encodable {
    let finding: Finding

    init(_ finding: Finding) { self.finding = finding }

    private enum Key: CodingKey {
      case kind, detail, count, bytes, message, rule, basis, owner, producer, consumer, stacks
      case scope, values, suppression, remarks, moments, pinned
      case evidence, doubt, doubtCode, siblings, events, serials, strings, source, places, key,
        processes, holders, holdersOf, keepers
    }
    private enum StacksKey: CodingKey { case allocated, freed, detected }
    private enum ContextKey: CodingKey { case thread, milliseconds }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(finding.kind.id, forKey: .kind)
      try container.encode(finding.detail, forKey: .detail)
      try container.encode(finding.count, forKey: .count)
      try container.encode(finding.bytes, forKey: .bytes)
      try container.encode(finding.strings, forKey: .strings)
      try container.encode(finding.places, forKey: .places)
      try container.encode(finding.processes, forKey: .processes)
      try container.encode(FindingKey(finding).stack, forKey: .key)
      try container.encode(finding.message, forKey: .message)
      let ownership = finding.ownership
      try container.encode(ownership.rule?.rawValue, forKey: .rule)
      try container.encode(ownership.basis?.rawValue, forKey: .basis)
      try container.encode(ownership.owner.map(FrameEntry.init), forKey: .owner)
      try container.encode(ownership.producer.map(FrameEntry.init), forKey: .producer)
      try container.encode(ownership.consumer.map(FrameEntry.init), forKey: .consumer)
      try container.encode(ownership.evidence, forKey: .evidence)
      try container.encode(ownership.uncertaintySentence, forKey: .doubt)
      try container.encode(ownership.uncertainty?.code, forKey: .doubtCode)
      try encode(ownership.siblings, in: &container)
      try container.encode(finding.scope, forKey: .scope)
      var stacks = container.nestedContainer(keyedBy: StacksKey.self, forKey: .stacks)
      try stacks.encode(Self.frames(of: finding.allocated), forKey: .allocated)
      try stacks.encode(Self.frames(of: finding.freed), forKey: .freed)
      try stacks.encode(Self.frames(of: finding.detected), forKey: .detected)
      try container.encode(finding.pinned.map { Self.frames(of: $0) }, forKey: .pinned)
      var moments = container.nestedContainer(keyedBy: StacksKey.self, forKey: .moments)
      for (key, trace) in [
        (StacksKey.allocated, finding.allocated), (.freed, finding.freed),
        (.detected, finding.detected),
      ] {
        guard let context = trace?.context else {
          try moments.encodeNil(forKey: key)
          continue
        }
        var entry = moments.nestedContainer(keyedBy: ContextKey.self, forKey: key)
        try entry.encode(context.thread, forKey: .thread)
        try entry.encode(context.milliseconds, forKey: .milliseconds)
      }
      try container.encode(finding.source.map(SourceEntry.init), forKey: .source)
      try container.encode(finding.holders?.entries.map(HolderEntry.init), forKey: .holders)
      try container.encode(finding.holders?.looked, forKey: .holdersOf)
      try container.encode(
        finding.holders?.keepers.prefix(Holders.maxListed).map(KeeperEntry.init), forKey: .keepers)
      try container.encode(finding.remarks, forKey: .remarks)
      try container.encode(finding.serials, forKey: .serials)
      try container.encode(finding.history.map(EventEntry.init), forKey: .events)
      try container.encode(finding.values.map(\.escaped), forKey: .values)
      try container.encode(finding.suppression, forKey: .suppression)
    }

    private enum SiblingsKey: CodingKey { case freed, total, freedBy }

    private func encode(
      _ siblings: Ownership.Siblings?, in container: inout KeyedEncodingContainer<Key>
    ) throws {
      guard let siblings else { return try container.encodeNil(forKey: .siblings) }
      var entry = container.nestedContainer(keyedBy: SiblingsKey.self, forKey: .siblings)
      try entry.encode(siblings.freed, forKey: .freed)
      try entry.encode(siblings.total, forKey: .total)
      try entry.encode(FrameEntry(siblings.freedBy), forKey: .freedBy)
    }

    fileprivate static func frames(of trace: StackTrace?) -> [FrameEntry] {
      (trace?.frames ?? []).map(FrameEntry.init)
    }
  }

  private struct HolderEntry: Encodable {
    let entry: Holders.Entry

    init(_ entry: Holders.Entry) { self.entry = entry }

    private enum Key: CodingKey { case strings, weak, text, via }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(entry.strings, forKey: .strings)
      try container.encode(entry.chain.isWeak, forKey: .weak)
      try container.encode(HolderWording.text(of: entry.chain), forKey: .text)
      try container.encode(
        entry.chain.steps.dropFirst().map(HolderStepEntry.init), forKey: .via)
      // The outermost step has its keys here.
      if let first = entry.chain.steps.first { try HolderStepEntry(first).encode(to: encoder) }
    }
  }

  private struct KeeperEntry: Encodable {
    let keeper: Holders.Keeper

    init(_ keeper: Holders.Keeper) { self.keeper = keeper }

    private enum Key: CodingKey { case strings, ways, weak, text }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(keeper.strings, forKey: .strings)
      try container.encode(keeper.chains.count, forKey: .ways)
      try container.encode(keeper.chains[0].isWeak, forKey: .weak)
      try container.encode(HolderWording.name(of: keeper.place), forKey: .text)
    }
  }

  private struct HolderStepEntry: Encodable {
    let holder: Holder

    init(_ holder: Holder) { self.holder = holder }

    private enum Key: CodingKey {
      case place, certainty, module, symbol, section, offset, type, bytes, thread, function
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(holder.place.rawValue, forKey: .place)
      try container.encode(holder.certainty.rawValue, forKey: .certainty)
      try container.encode(holder.module, forKey: .module)
      try container.encode(holder.symbol, forKey: .symbol)
      try container.encode(holder.section, forKey: .section)
      try container.encode(holder.offset, forKey: .offset)
      try container.encode(holder.type, forKey: .type)
      try container.encode(holder.bytes, forKey: .bytes)
      try container.encode(holder.thread, forKey: .thread)
      try container.encode(holder.function, forKey: .function)
    }
  }

  private struct SourceEntry: Encodable {
    let source: SourceExcerpt

    init(_ source: SourceExcerpt) { self.source = source }

    private enum Key: CodingKey { case file, newer, owner, lines, frees, leaves }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(source.file, forKey: .file)
      try container.encode(source.isNewer, forKey: .newer)
      try container.encode(source.owner, forKey: .owner)
      try container.encode(source.lines.map(LineEntry.init), forKey: .lines)
      try container.encode(source.frees.map(LineEntry.init), forKey: .frees)
      try container.encode(source.waysOut.map(LineEntry.init), forKey: .leaves)
    }
  }

  private struct LineEntry: Encodable {
    let line: Int
    let text: String

    init(_ line: SourceExcerpt.Line) {
      self.line = line.number
      text = line.text
    }
  }

  private struct EventEntry: Encodable {
    let event: HistoryEvent

    init(_ event: HistoryEvent) { self.event = event }

    private enum Key: CodingKey { case action, stack, thread, milliseconds, note, afterGap }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(event.action.rawValue, forKey: .action)
      try container.encode(FindingEntry.frames(of: event.trace), forKey: .stack)
      try container.encode(event.trace.context?.thread, forKey: .thread)
      try container.encode(event.trace.context?.milliseconds, forKey: .milliseconds)
      try container.encode(event.note, forKey: .note)
      try container.encode(event.isAfterGap, forKey: .afterGap)
    }
  }

  private struct FrameEntry: Encodable {
    let frame: Frame

    init(_ frame: Frame) { self.frame = frame }

    private enum Key: String, CodingKey {
      case function, file, line, column, module, offset, inlined
      case buildID = "buildId"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(frame.function, forKey: .function)
      try container.encode(frame.file, forKey: .file)
      try container.encode(frame.line, forKey: .line)
      try container.encode(frame.column, forKey: .column)
      try container.encode(frame.module, forKey: .module)
      try container.encode(frame.buildID, forKey: .buildID)
      try container.encode(frame.offset, forKey: .offset)
      try container.encode(frame.inlined, forKey: .inlined)
    }
  }
}
