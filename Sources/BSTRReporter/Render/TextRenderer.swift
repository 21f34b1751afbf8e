// The report for people. Wording is part of the contract: golden tests hold it.

/// Renders text.
public struct TextRenderer: TextualRenderer {
  /// Whether to use colour.
  public var colour: Bool

  /// Creates a renderer.
  public init(colour: Bool = false) {
    self.colour = colour
  }

  /// Renders the whole report, ending with a newline.
  public func render(_ report: Report) -> String {
    var text = text(of: report.damage.map { "bstrtrace: \($0)" })
    let program = report.mainProcess
    // Of a run without BSTR calls the last line explains how the main process relates to BSTRs.
    let explained = report.hasCalls ? nil : program
    for (index, process) in report.processes.enumerated()
    where isShown(process, of: report, isExplained: index == explained) {
      text += render(process, of: report, isProgram: index == program)
    }
    var lines = render(report.suppressions)
    if report.inBaseline > 0 {
      lines.append("BASELINE  \(Self.count(report.inBaseline, "finding")) known already")
      lines.append("")
    }
    for process in report.processes {
      guard let map = process.map else { continue }
      lines += render(map, of: process)
    }
    if !report.findings.isEmpty {
      lines.append(TextLine(summary(report)))
    } else if !report.processes.isEmpty || report.damage.isEmpty {
      lines.append(TextLine(Self.nothingFound(report)))
    }
    return text + self.text(of: lines)
  }

  /// Returns lines as they are written, each with its end.
  func text(of lines: [TextLine]) -> String {
    var text = ""
    for line in lines {
      line.append(to: &text, colour: colour)
      text += "\n"
    }
    return text
  }

  // MARK: process

  /// Returns whether there is more to say of a process than that nothing was found.
  private func isShown(
    _ process: ProcessReport, of report: Report, isExplained: Bool
  ) -> Bool {
    !process.findings.isEmpty || !process.notes.isEmpty
      || !isExplained && !process.coverage.isEmpty
      // What was given, and nothing came of: the explanation does not know of it.
      || process.coverage.contains { $0.reason == .notLoaded }
      || process.wasCutShort && !report.findings.isEmpty
  }

  /// Returns the text on one process: of a million leaks, text takes less memory than lines.
  private func render(
    _ process: ProcessReport, of report: Report, isProgram: Bool
  ) -> String {
    let above = process.findingsAbove > 0 ? " and \(process.findingsAbove) shown above" : ""
    let found = Self.count(process.findings.count, "finding") + above
    let allocated = Self.count(process.totals.allocations, "allocation")
    let name = "\(process.name) (pid \(process.pid))"
    // The allocations of the whole process say nothing of one scope. That nothing was found is said
    // in the last line, and there how the program ended.
    let hasFindings = report.processes.contains { !$0.findings.isEmpty }
    var lines: [TextLine] = [
      report.scope.map { "bstrtrace: scope '\($0)' of \(name): \(found)" }
        ?? (hasFindings ? "bstrtrace: \(name): \(found) in \(allocated)" : "bstrtrace: \(name)")
    ]
    if let end = process.endText, hasFindings || !isProgram {
      lines.append("   It \(end).")
    }
    lines += process.coverage.map {
      "   note: \($0.sentence(foreignFrees: process.totals.foreignFrees))"
    }
    lines += process.notes.map { "   note: \($0)" }
    var text = text(of: lines)
    for (index, finding) in process.findings.enumerated() {
      text += self.text(
        of: [""] + render(finding, number: index + 1, isOfOneScope: report.scope != nil))
    }
    return text + "\n"
  }

  static func nothingFound(_ report: Report) -> String {
    guard let first = report.processes.first else { return "bstrtrace: nothing was recorded" }
    let last = report.mainProcess.map { report.processes[$0] } ?? first
    let name = last.name
    let others = Set(report.processes.map(\.pid)).count - 1
    let traced =
      others == 0 ? name : "\(name) and \(Self.count(others, "process", "processes")) more"
    guard report.hasCalls else {
      let reason = report.explanation.map { " \($0)" } ?? ""
      let end = last.endText.map { " It \($0)." } ?? ""
      return "bstrtrace: \(traced): no BSTR function was called.\(reason)\(end)"
    }
    let all = Self.count(report.allocations, "allocation")
    let kind = report.suppressed > 0 ? "no new findings" : "no findings"
    if report.unrecorded > 0 {
      let recorded = report.allocations - min(report.allocations, report.unrecorded)
      return "bstrtrace: \(traced): \(kind) in the \(recorded) of \(all) that were recorded"
        + Self.ends(of: report, last)
    }
    return "bstrtrace: \(traced): \(kind) in \(all)" + Self.ends(of: report, last)
  }

  /// Returns the clause on how processes ended, for the line that nothing was found.
  private static func ends(of report: Report, _ program: ProcessReport) -> String {
    let lost = report.processes.count { $0.pid != program.pid && $0.wasCutShort }
    let own = program.endText.map { "; it \($0)" } ?? ""
    if lost == 0 { return own }
    return own
      + (lost == 1
        ? "; 1 other process was killed or became a program that is not recorded"
        : "; \(lost) other processes were killed or became programs that are not recorded")
  }

  private func summary(_ report: Report) -> String {
    let findings = report.findings
    let found = Self.count(findings.count, "finding")
    let kinds = FindingKind.all.compactMap { kind -> String? in
      let count = findings.count { $0.kind == kind }
      if count == 0 { return nil }
      let text = Self.count(count, kind.title.lowercased(), kind.plural)
      return kind == .leak
        ? "\(text) (\(Self.count(report.leakedBstrs, "BSTR")), "
          + "\(Self.count(report.leakedBytes, "byte")))"
        : text
    }
    let suppressed = report.suppressed > 0 ? "; \(report.suppressed) suppressed" : ""
    return "SUMMARY: bstrtrace: \(found): \(kinds.joined(separator: ", "))\(suppressed)"
  }

  // MARK: suppressions

  private func render(_ uses: [Suppressions.Use]) -> [TextLine] {
    if uses.isEmpty { return [] }
    return ["SUPPRESSIONS"]
      + uses.map { use in
        let rule = use.entry.rule
        let verdict: TextLine =
          switch use.problem {
          case nil: "\(Self.count(use.findings, "finding")), \(use.count) in all"
          case .unused: "\(strong: "matched nothing")"
          case .expired: "\(strong: "expired after \(rule.until ?? "?")")"
          case .exceeded:
            "\(strong: "exceeded: \(use.count) where it accepts \(rule.max ?? 0), all shown")"
          }
        let reason = rule.reason.map { "   (\($0))" } ?? ""
        return "   \(rule.text)   \(verdict)   \(use.entry.file):\(use.entry.line)\(reason)"
      } + [""]
  }

  /// Returns rules that would silence the findings of a report, ready for a file.
  public func suppressionRules(for report: Report) -> String {
    var seen: Set<String> = []
    let rules = report.findings.map(\.suppression).filter { seen.insert($0).inserted }
    // A rule has no characters that would be escaped (`Frame.suppressionPattern`).
    return rules.map { "\(Printable.escaped($0)) reason=?\n" }.joined()
  }

  // MARK: map

  private func render(_ map: OwnershipMap, of process: ProcessReport) -> [TextLine] {
    guard !map.functions.isEmpty else { return [] }
    func line(_ flow: OwnershipMap.Flow) -> TextLine {
      let owner = flow.owner.map { $0 == flow.producer ? "" : ", owned by \($0.text)" } ?? ""
      let notFreed =
        process.wasCutShort || process.end == .running ? "not freed yet" : "never freed"
      let end: TextLine = flow.freedBy.map { "freed by \($0.text)" } ?? "\(strong: notFreed)"
      let size = "\(Self.count(flow.count, "BSTR")), \(Self.count(flow.bytes, "byte"))"
      return "     \(flow.producer.text)\(owner), \(end)   \(size)"
    }
    return ["OWNERSHIP MAP of \(process.name) (pid \(process.pid))", "   between modules"]
      + map.modules.map(line) + ["   between functions"] + map.functions.map(line) + [""]
  }

  // MARK: finding

  private func render(_ finding: Finding, number: Int, isOfOneScope: Bool) -> [TextLine] {
    var lines: [TextLine] = [
      "\(number). \(strong: finding.kind.title)  \(Self.size(of: finding))"
    ]
    lines.append("   \(finding.message)")
    lines += Self.text(of: finding.ownership).map { "   \($0)" }
    lines += finding.remarks.map { "   \($0)" }
    for (label, trace, owner) in finding.labelledStacks {
      lines += render(trace, label: label, owner: owner)
    }
    if finding.places > 1 {
      lines.append(
        Self.row("", "… and from \(Self.count(finding.places - 1, "more place", "more places"))"))
    }
    if let siblings = finding.ownership.siblings {
      let by = siblings.freedBy
      lines.append(
        Self.row(
          "siblings",
          "\(siblings.freed) of \(siblings.total) BSTRs from this stack were freed by "
            + "\(by.name)\(by.function == nil || !siblings.isOneLine ? "" : " \(by.location)")"))
    }
    lines += render(finding.source)
    for (index, event) in finding.history.enumerated() {
      lines.append(Self.row(index == 0 ? "history" : "", Self.text(of: event)))
    }
    let heldBy = finding.holders.map { HolderWording.rows(on: $0, ofStrings: finding.count) } ?? []
    for (index, text) in heldBy.enumerated() {
      lines.append(Self.row(index == 0 ? "held by" : "", text))
    }
    if finding.processes > 1 {
      lines.append(Self.row("processes", "\(finding.processes), of which this is the first"))
    }
    if let scope = finding.scope, !isOfOneScope { lines.append(Self.row("scope", scope)) }
    for (index, value) in finding.values.enumerated() {
      lines.append(Self.row(index == 0 ? "value" : "", Self.text(of: value)))
    }
    if !finding.serials.isEmpty {
      let more = finding.strings > finding.serials.count ? ", …" : ""
      lines.append(
        Self.row("serial", finding.serials.map { "\($0)" }.joined(separator: ", ") + more))
    }
    lines.append(Self.row("suppress", finding.suppression))
    return lines
  }

  /// Returns the quantity behind a finding's title.
  static func size(of finding: Finding) -> String {
    switch finding.kind.size {
    case .stringsAndBytes:
      "\(count(finding.count, "BSTR")), \(count(finding.bytes, "byte"))"
    case .calls:
      count(finding.count, "call")
        + (finding.strings == finding.count ? "" : ", \(count(finding.strings, "BSTR"))")
    case .strings:
      count(finding.strings, "BSTR")
        + (finding.strings == finding.count ? "" : ", \(count(finding.count, "time"))")
    }
  }

  private static func text(of ownership: Ownership) -> [String] {
    [ownership.consequence(gap: "   "), ownership.uncertaintySentence].compactMap(\.self)
  }

  func render(
    _ trace: StackTrace?, label: String, owner: Frame? = nil
  ) -> [TextLine] {
    guard let trace else { return [] }
    let shown = trace.framesFromMain
    let width = min(48, shown.map(\.name.count).max() ?? 0)
    // Of a recursive function's frames, one.
    let ownerIndex = owner.flatMap { shown.lastIndex(of: $0) }
    var lines = shown.enumerated().map { index, frame in
      let name = frame.name
      let location = frame.function == nil ? "" : frame.location
      let gap = String(repeating: " ", count: max(0, width - name.count) + 3)
      let inlined = frame.inlined ? " (inlined)" : ""
      let mark = index == ownerIndex ? "   <- owner" : ""
      return Self.row(
        index == 0 ? label : "",
        (location.isEmpty ? name : name + gap + location + inlined) + mark)
    }
    if shown.isEmpty { lines.append(Self.row(label, "(no stack was recorded)")) }
    if trace.truncated { lines.append(Self.row("", "… more frames; --depth keeps more")) }
    if let context = trace.context {
      let thread = context.isMainThread ? "the main thread" : "thread \(context.thread)"
      let time = context.milliseconds.map { ", after \($0) ms" } ?? ""
      lines.append(Self.row("", "in \(thread)\(time)"))
    }
    return lines
  }

  // MARK: words

  private static func text(of event: HistoryEvent) -> String {
    let words = HistoryWording.words(for: event.action)
    let frame = event.trace.frames.first
    let function = frame.map { "\($0.name)\($0.function == nil ? "" : " \($0.location)")" }
    let note = event.note.map { ": \($0)" } ?? ""
    return "\(event.isAfterGap ? "… " : "")\(words) \(function ?? "somebody")\(note)"
  }

  private static func text(of value: StringValue) -> String {
    let cut = value.isCut ? "…" : ""
    return switch value.kind {
    case .text: "\"\(value.escaped)\(cut)\" (\(count(value.characterCount, "character")))"
    case .bytes: "\(value.escaped)\(cut) (\(count(value.byteCount, "byte")))"
    case .guid: "\(value.escaped) (\(count(value.byteCount, "byte")))"
    }
  }

  static func row(_ label: String, _ text: String) -> TextLine {
    "     \(label)\(String(repeating: " ", count: max(1, 17 - label.count)))\(text)"
  }

  static func count(
    _ number: some BinaryInteger, _ singular: String, _ plural: String? = nil
  ) -> String {
    "\(number) \(number == 1 ? singular : plural ?? singular + "s")"
  }
}
