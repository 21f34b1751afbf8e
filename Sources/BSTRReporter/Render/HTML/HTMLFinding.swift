// One finding of the page: its row in the list, and its section.

/// A finding as the page shows it.
struct HTMLFinding {
  private let finding: Finding
  private let number: Int
  private let process: ProcessReport
  private let showsProcess: Bool

  /// Creates the form of a finding.
  ///
  /// - Parameters:
  ///   - number: its position on the page, from 1.
  ///   - showsProcess: whether the page has several processes.
  init(_ finding: Finding, number: Int, process: ProcessReport, showsProcess: Bool) {
    self.finding = finding
    self.number = number
    self.process = process
    self.showsProcess = showsProcess
  }

  private static func escaped(_ text: String) -> String { Markup.escaped(text) }

  /// The id of the rule that a finding breaks, or of its kind.
  static func ruleID(of finding: Finding) -> String {
    finding.kind.id + (finding.ownership.exampleRule.map { "-\($0.rawValue)" } ?? "")
  }

  /// The frame to look at.
  private var target: Frame? { culprit ?? finding.primaryFrame }

  private var isDetailed: Bool { number <= HTMLRenderer.maxDetailed }

  /// The function to change, or to look at.
  private var function: String { (finding.blamed ?? target)?.name ?? "?" }

  /// The line to change: a way out where one is proposed, or else the owner's.
  private var targetLocation: String {
    if let source = finding.source, let way = source.waysOut.first {
      return "\(Frame.lastComponent(of: source.file)):\(way.number)"
    }
    return target?.location ?? "?"
  }

  /// The blamed frame of faults, with a line or without; `nil` for leaks.
  private var culprit: Frame? { isLeak ? nil : finding.blamed }

  private var isLeak: Bool { finding.kind == .leak }

  // MARK: list

  /// Returns the row of the list: without attributes, since there may be thousands.
  ///
  /// - Parameter columns: the columns that only some pages have.
  func row(_ columns: [Column]) -> String {
    let location = Self.escaped(targetLocation)
    // "Rule 2", from "Rule 2: when a function returns a BSTR to you, you free it."
    let rule = finding.ownership.exampleRule.map { String($0.sentence.prefix { $0 != ":" }) } ?? ""
    let cells =
      [
        "\(number)", Self.escaped(finding.kind.title.lowercased()),
        isDetailed ? "<a href=\"#f\(number)\">\(location)</a>" : location,
        Self.escaped(function), Self.escaped(rule), "\(finding.strings)", "\(finding.bytes)",
      ]
      + columns.map { Self.escaped(text(of: $0)) }
    return "<tr><td>\(cells.joined(separator: "<td>"))</tr>\n"
  }

  /// A column that only some pages have; the raw values are their heads.
  enum Column: String, CaseIterable {
    case module = "Module"
    case process = "Process"
    case scope = "Scope"
  }

  /// Returns what a column has of the finding.
  func text(of column: Column) -> String {
    switch column {
    case .module: target?.moduleName ?? ""
    case .process: processText
    case .scope: finding.scope ?? ""
    }
  }

  private var processText: String {
    "\(Frame.lastComponent(of: process.name)) (\(process.pid))"
      + (finding.processes > 1 ? " and \(finding.processes - 1) more" : "")
  }

  private static func colour(of kind: FindingKind) -> String { kind == .leak ? "leak" : "fault" }

  // MARK: section

  /// The section on the finding.
  var section: String {
    let kind = Self.escaped(finding.kind.title.lowercased())
    var html = """
      <article class="finding" id="f\(number)" tabindex="-1">
      <h3><span class="no">\(number)</span> <i class="k \(Self.colour(of: finding.kind))">\(kind)</i> \
      <span class="size">\(Self.escaped(TextRenderer.size(of: finding)))</span></h3>
      <p class="say">\(Self.escaped(finding.message))</p>
      \(advice)
      """
    html += story
    html += source
    for remark in finding.remarks { html += "<p>\(Self.escaped(remark))</p>\n" }
    html += why
    html += facts
    html += stacks
    html += """
      <p class="suppress">Suppression rule: <code>\(Self.escaped(finding.suppression))</code> \
      <button type="button" class="copy" hidden>Copy</button></p>
      </article>

      """
    return html
  }

  /// The line to change, where an owner is known, or else the one to begin with.
  private var advice: String {
    guard let target else { return "" }
    let name = Self.escaped(function)
    let code = "<b class=\"where\">\(Self.escaped(targetLocation))</b>"
    let text: String
    if let source = finding.source, !source.waysOut.isEmpty, let free = source.frees.last {
      text =
        "Free it on the way out of <code>\(name)</code> at \(code), which does not reach the free on line "
        + "\(free.number)."
    } else if finding.kind == .wrongDeallocator {
      text = "Call <code>SysFreeString</code> on \(code), in <code>\(name)</code>."
    } else if finding.kind == .doubleFree, let rule = finding.ownership.rule, rule != .inOut {
      text = "Take out the free on \(code), in <code>\(name)</code>."
    } else if finding.ownership.rule != nil, finding.ownership.owner != nil {
      text =
        isLeak
        ? "Free it in <code>\(name)</code>, which gets it on \(code), after its last use and on every way out."
        : "Change \(code), in <code>\(name)</code>."
    } else {
      text = "Begin with \(code), in <code>\(Self.escaped(target.name))</code>."
    }
    return "<p class=\"advice\">\(text)</p>\n"
  }

  /// An event in the life of the string.
  private struct Step {
    var label: String
    var frame: Frame?
    var remark: String?
    var isEnd = false
  }

  /// The line of the owner that an event came from, where the owner is not its innermost function:
  /// it tells two events in one function apart.
  private func caller(in trace: StackTrace) -> String? {
    let owner = finding.ownership.owner?.function
    let frame = trace.frames.dropFirst().first { $0.function != nil && $0.function == owner }
    return frame.map { "called from \($0.location)" }
  }

  private var steps: [Step] {
    let ownership = finding.ownership
    let labels = finding.kind.labels(ofDetail: finding.detail)
    let maker = finding.allocated?.frames.first
    var steps: [Step] = []
    let isOwnersOwn = maker != nil && ownership.owner == maker
    if finding.allocated != nil {
      steps.append(
        isOwnersOwn
          ? Step(
            label: "allocated and owned by", frame: maker,
            remark: isLeak ? "had to free it" : nil)
          : Step(label: "allocated by", frame: maker))
    }
    if let producer = ownership.producer, producer != maker {
      steps.append(Step(label: "returned by", frame: producer))
    }
    if let owner = ownership.owner, !isOwnersOwn {
      steps.append(
        Step(
          label: "owned by", frame: owner,
          remark: isLeak ? "had to free it" : nil))
    }
    if let consumer = ownership.consumer {
      steps.append(Step(label: "given to", frame: consumer))
    }
    if finding.kind == .leak, ownership.owner == nil {
      steps.append(Step(label: "owned by", remark: "uncertain: see below"))
    }
    for trace in finding.pinned {
      steps.append(Step(label: "pinned by", frame: trace.frames.first))
    }
    if let freed = finding.freed {
      steps.append(
        Step(
          label: labels.freed, frame: freed.frames.first, remark: caller(in: freed),
          isEnd: finding.detected == nil))
    }
    if let detected = finding.detected {
      steps.append(
        Step(
          label: labels.detected, frame: detected.frames.first, remark: caller(in: detected),
          isEnd: true))
    }
    if isLeak, finding.freed == nil {
      let isOver = !process.wasCutShort && process.end != .running
      let ways = finding.source?.waysOut ?? []
      let lines = ways.prefix(5).map { "\($0.number)" }.joined(separator: ", ")
      steps.append(
        Step(
          label: isOver ? "never freed" : "not freed yet",
          remark: ways.isEmpty ? TextRenderer.size(of: finding) : "left on line \(lines)",
          isEnd: true))
    }
    return steps
  }

  private var story: String {
    var html = "<ol class=\"story\">\n"
    for step in steps {
      html += "<li\(step.isEnd ? " class=\"end\"" : "")><span>\(Self.escaped(step.label))</span>"
      if let frame = step.frame {
        html += "<code class=\"name\">\(Self.escaped(frame.name))</code>"
        if frame.function != nil {
          html += "<span class=\"where\">\(Self.escaped(frame.location))</span>"
        }
      }
      if let remark = step.remark { html += "<em>\(Self.escaped(remark))</em>" }
      html += "</li>\n"
    }
    html += "</ol>\n"
    if let siblings = finding.ownership.siblings {
      let by = siblings.freedBy
      let location = by.function == nil || !siblings.isOneLine ? "" : ", \(by.location)"
      html += """
        <p class="siblings">\(siblings.freed) of \(siblings.total) BSTRs from this stack were freed by \
        <code class="name">\(Self.escaped(by.name))</code>\(Self.escaped(location)).</p>

        """
    }
    return html
  }

  /// The rule and its grounds, or the reason why none is named.
  private var why: String {
    let ownership = finding.ownership
    let sentences = [ownership.consequence(gap: " "), ownership.uncertaintySentence]
      .compactMap(\.self).map(Self.escaped).joined()
    let link = "<a href=\"#rule-\(Self.escaped(Self.ruleID(of: finding)))\">Rule with examples</a>"
    return "<p class=\"why\">\(sentences) \(link)</p>\n"
  }

  // MARK: source

  private var source: String {
    guard let source = finding.source else { return "" }
    let name = Frame.lastComponent(of: source.file)
    if source.isNewer {
      return
        "<p class=\"note\">\(Self.escaped("\(name) was changed after it was built: no line of it is shown."))</p>\n"
    }
    var lines: [Int: (text: String, mark: String, kind: String)] = [:]
    for line in source.lines { lines[line.number] = (line.text, "", "") }
    let free = source.frees.last?.number ?? 0
    for line in source.waysOut {
      lines[line.number] = (line.text, "leaves before line \(free)", "out")
    }
    for line in source.frees { lines[line.number] = (line.text, "frees it when reached", "free") }
    if let blamed = culprit, let line = blamed.line, line != source.owner,
      blamed.file == source.file
    {
      lines[line]?.mark = "to change"
      lines[line]?.kind = "out"
    }
    let isMaker = finding.allocated?.frames.first == finding.ownership.owner
    lines[source.owner]?.mark = isMaker ? "allocates the string" : "gets the string"
    lines[source.owner]?.kind = "owner"
    var html = "<figure class=\"source\"><figcaption>\(Self.escaped(source.file))</figcaption><pre>"
    var last: Int?
    for (number, line) in lines.sorted(by: { $0.key < $1.key }) {
      if let last, number > last + 1 { html += "<span class=\"gap\">…</span>" }
      last = number
      let mark = line.mark.isEmpty ? "" : "<b>\(Self.escaped(line.mark))</b>"
      html +=
        "<span class=\"line \(line.kind)\"><i>\(number)</i> \(Self.escaped(line.text))\(mark)</span>"
    }
    return html + "</pre></figure>\n"
  }

  // MARK: facts and stacks

  private var facts: String {
    var rows: [(String, String)] = []
    for (index, event) in finding.history.enumerated() {
      let frame = event.trace.frames.first
      let by = frame.map { "\($0.name) \($0.function == nil ? "" : $0.location)" } ?? "somebody"
      let note = event.note.map { ": \($0)" } ?? ""
      rows.append(
        (index == 0 ? "history" : "", "\(HistoryWording.words(for: event.action)) \(by)\(note)"))
    }
    for (index, value) in finding.values.enumerated() {
      let unit =
        value.kind == .text
        ? TextRenderer.count(value.characterCount, "character")
        : TextRenderer.count(value.byteCount, "byte")
      let quoted =
        value.kind == .text ? "“\(value.escaped)\(value.isCut ? "…" : "")”" : value.escaped
      rows.append((index == 0 ? "value" : "", "\(quoted), \(unit)"))
    }
    let heldBy = finding.holders.map { HolderWording.rows(on: $0, ofStrings: finding.count) } ?? []
    for (index, text) in heldBy.enumerated() {
      rows.append((index == 0 ? "held by" : "", text))
    }
    if finding.places > 1 {
      rows.append(("called from", "\(finding.places) places; the heaviest is shown"))
    }
    if showsProcess { rows.append(("process", processText)) }
    if let scope = finding.scope { rows.append(("scope", scope)) }
    if !finding.serials.isEmpty {
      let more = finding.strings > finding.serials.count ? ", …" : ""
      rows.append(
        (
          finding.serials.count == 1 && more.isEmpty ? "serial number" : "serial numbers",
          finding.serials.map { "\($0)" }.joined(separator: ", ") + more
        ))
    }
    if rows.isEmpty { return "" }
    return "<dl class=\"facts\">\n"
      + rows.map { "<dt>\($0)</dt><dd>\(Self.escaped($1))</dd>\n" }.joined() + "</dl>\n"
  }

  private var stacks: String {
    let shown = finding.labelledStacks
    if shown.isEmpty { return "" }
    // Where nobody is named, the stacks are what there is to go by.
    let isOpen = finding.ownership.uncertaintySentence != nil
    var html =
      "<details\(isOpen ? " open" : "")><summary>\(TextRenderer.count(shown.count, "stack"))</summary>\n"
    for (label, trace, _) in shown {
      html += "<h4>\(Self.escaped(label))</h4>\n<ol class=\"stack\">\n"
      for frame in trace.framesFromMain {
        let isOwner = frame == finding.ownership.owner
        let location = frame.function == nil ? "" : frame.location
        html += """
          <li\(isOwner ? " class=\"owner\"" : "")><code class="name">\(Self.escaped(frame.name))</code> \
          <span class="where">\(Self.escaped(location))</span>\(frame.inlined ? " <em>inlined</em>" : "")\
          \(isOwner ? " <b>owner</b>" : "")</li>

          """
      }
      if trace.framesFromMain.isEmpty { html += "<li>no stack was recorded</li>\n" }
      html += "</ol>\n"
      if trace.truncated { html += "<p>… more frames; --depth keeps more</p>\n" }
      if let context = trace.context {
        let thread = context.isMainThread ? "the main thread" : "thread \(context.thread)"
        let time = context.milliseconds.map { ", after \($0) ms" } ?? ""
        html += "<p class=\"context\">in \(thread)\(time)</p>\n"
      }
    }
    return html + "</details>\n"
  }
}
