// The report as a page: one file with everything in it, and no request. HTMLFinding.swift has one
// finding, HTMLFlow.swift the map, HTMLProfile.swift the data of the flame graph, HTMLStyle.swift
// and HTMLScript.swift what browsers need. Docs/ReportFormat.md says what is on it.

/// Renders HTML.
public struct HTMLRenderer: TextualRenderer {
  /// True: the flame graph and the map.
  public var showsProfiles: Bool { true }

  /// The limit of findings that have a section of their own; the list has all.
  static let maxDetailed = 50

  /// The count of rows that a browser with scripts lays out before more are asked for: thousands
  /// of them take it seconds.
  static let firstRows = 200

  /// Creates a renderer.
  public init() {}

  /// Renders the whole report, ending with a newline.
  public func render(_ report: Report) -> String {
    let processes = report.processes.enumerated().flatMap { index, process in
      process.findings.map { (process: index, finding: $0) }
    }
    let findings = processes.enumerated().map { index, item in
      HTMLFinding(
        item.finding, number: index + 1, process: report.processes[item.process],
        showsProcess: report.processes.count > 1)
    }
    let profile = HTMLProfile(report.processes.compactMap(\.profile))
    let main = report.mainProcess.map { report.processes[$0] }
    let name = Self.escaped(String(Frame.lastComponent(of: main?.name ?? "")))
    var body = Self.header(of: report, main)
    if findings.isEmpty {
      body +=
        "<section class=\"empty\"><h2>\(Self.escaped(TextRenderer.nothingFound(report)))</h2></section>\n"
    } else {
      body += Self.list(of: findings, report)
      body += "<section id=\"details\" aria-label=\"Findings in full\">\n"
      for finding in findings.prefix(Self.maxDetailed) { body += finding.section }
      if findings.count > Self.maxDetailed {
        body += """
          <p class="note">The \(Self.maxDetailed) heaviest findings are shown in full. The others are in the list, and in \
          full in the text and in JSON.</p>

          """
      }
      body += "</section>\n"
    }
    if !profile.isEmpty { body += profile.section }
    body += HTMLFlow(report.processes.compactMap(\.profile?.map)).section
    body += Self.rules(of: report)
    body += Self.known(of: report)
    return Self.page(title: "\(name) – bstrtrace", body, data: profile.isEmpty ? nil : profile.json)
  }

  /// Renders the difference between two runs, ending with a newline.
  public func render(_ diff: FindingDiff) -> String {
    var body = """
      <header><p class="tool">bstrtrace diff</p><h1>\(Self.escaped(diff.summary))</h1></header>
      <main id="content"><section><h2>What changed</h2><div class="scroll"><table id="changes"><thead><tr><th>Change</th>\
      <th>Kind</th><th class="n">Before</th><th class="n">After</th><th>Functions</th><th>Where</th></tr></thead><tbody>

      """
    for entry in diff.entries {
      body += """
        <tr><td class="change \(entry.change.rawValue)">\(entry.change.rawValue)</td><td>\(Self.escaped(entry.key.kind))</td>\
        <td class="n">\(entry.before)</td><td class="n">\(entry.after)</td>\
        <td class="name">\(Self.escaped(entry.key.stack.joined(separator: " < ")))</td>\
        <td class="where">\(Self.escaped(entry.frame?.location ?? ""))</td></tr>

        """
    }
    body += "</tbody></table></div></section>\n"
    return Self.page(title: "Difference – bstrtrace", body, data: nil)
  }

  // MARK: page

  private static func page(title: String, _ body: String, data: String?) -> String {
    let script =
      data.map {
        "<script type=\"application/json\" id=\"profile\">\($0)</script>\n"
      } ?? ""
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
      script-src 'unsafe-inline'; img-src data:">
      <link rel="icon" href="data:,">
      <title>\(title)</title>
      <style>
      \(HTMLStyle.text)</style>
      <script>document.documentElement.className = 'scripts';</script>
      </head>
      <body>
      <a class="skip" href="#content">Skip to the findings</a>
      \(body)</main>
      \(script)<script>
      \(HTMLScript.text)</script>
      </body>
      </html>

      """
  }

  private static func header(of report: Report, _ main: ProcessReport?) -> String {
    let findings = report.findings
    let title =
      findings.isEmpty
      ? "No findings"
      : TextRenderer.count(findings.count, "finding")
    let others = Set(report.processes.map(\.pid)).count - 1
    let program = main.map { process in
      "<code class=\"name\">\(escaped(process.arguments.isEmpty ? process.executable : process.arguments.joined(separator: " ")))</code>"
        + (process.endText.map { " \(escaped($0))" } ?? "")
        + (others > 0
          ? ", and \(TextRenderer.count(others, "more process", "more processes"))" : "")
    }
    var tiles: [(value: String, label: String, isBad: Bool)] = []
    if report.leakedBstrs > 0 {
      tiles.append(
        ("\(report.leakedBstrs)", report.leakedBstrs == 1 ? "leaked BSTR" : "leaked BSTRs", true))
      tiles.append((grouped(report.leakedBytes), "bytes leaked", true))
    }
    for kind in FindingKind.all where kind != .leak {
      let count = findings.count { $0.kind == kind }
      if count == 0 { continue }
      tiles.append(("\(count)", count == 1 ? kind.title.lowercased() : kind.plural, true))
    }
    let allocations = Int(clamping: report.allocations)
    tiles.append((grouped(allocations), allocations == 1 ? "allocation" : "allocations", false))
    if report.suppressed > 0 { tiles.append(("\(report.suppressed)", "known already", false)) }
    var html = """
      <header>
      <p class="tool">bstrtrace</p>
      <h1>\(title)</h1>
      <p class="program">\(program ?? "")</p>
      <ul class="tiles">

      """
    for tile in tiles {
      html +=
        "<li\(tile.isBad ? " class=\"bad\"" : "")><b>\(tile.value)</b> <span>\(tile.label)</span></li>\n"
    }
    html += "</ul>\n"
    let notes = report.circumstances
    if !notes.isEmpty {
      html += "<ul class=\"notes\" aria-label=\"Notes\">\n"
      for note in notes { html += "<li>\(escaped(note))</li>\n" }
      html += "</ul>\n"
    }
    return html + "</header>\n<main id=\"content\">\n"
  }

  // MARK: list

  private static func list(of findings: [HTMLFinding], _ report: Report) -> String {
    let columns = HTMLFinding.Column.allCases.filter { column in
      Set(findings.map { $0.text(of: column) }).count > 1
    }
    var html = """
      <section id="findings">
      <h2>What to change</h2>
      <noscript><p class="note">Sorting and filtering need scripts.</p></noscript>
      <form id="filter" hidden role="search"></form>
      <p id="shown" role="status"></p>
      <div class="scroll"><table id="list">
      <thead><tr><th>#</th><th>Kind</th><th>Where to look</th><th>Function</th><th>Rule</th><th class="n">BSTRs</th>\
      <th class="n">Bytes</th>\(columns.map { "<th>\($0.rawValue)</th>" }.joined())</tr></thead>
      <tbody>

      """
    for (index, finding) in findings.enumerated() {
      if index == firstRows { html += "</tbody>\n<tbody>\n" }
      html += finding.row(columns)
    }
    return html + "</tbody></table></div>\n"
      + "<p><button type=\"button\" id=\"more\" hidden></button></p>\n</section>\n"
  }

  // MARK: rules

  /// Returns the rules that are broken, each with its examples, once.
  private static func rules(of report: Report) -> String {
    var ids: Set<String> = []
    var html = ""
    for finding in report.findings {
      let id = HTMLFinding.ruleID(of: finding)
      guard ids.insert(id).inserted else { continue }
      let words = RuleWording(finding.kind, finding.ownership.exampleRule)
      html += """
        <article class="rule" id="rule-\(escaped(id))">
        <h3>\(escaped(words.summary))</h3>
        <p>\(escaped(words.description))</p>
        <div class="pair"><figure><figcaption>Wrong</figcaption><pre>\(escapedLines(words.wrong))</pre></figure>
        <figure><figcaption>Right</figcaption><pre>\(escapedLines(words.right))</pre></figure></div>
        </article>

        """
    }
    return html.isEmpty ? "" : "<section id=\"rules\">\n<h2>The rules</h2>\n\(html)</section>\n"
  }

  private static func known(of report: Report) -> String {
    if report.suppressions.isEmpty { return "" }
    var html = """
      <section id="suppressions"><h2>Suppressions</h2><div class="scroll"><table>
      <thead><tr><th>Rule</th><th class="n">Findings</th><th class="n">Count</th><th>State</th><th>File</th></tr></thead>
      <tbody>

      """
    for use in report.suppressions {
      html += """
        <tr><td class="name">\(escaped(use.entry.rule.text))</td><td class="n">\(use.findings)</td>\
        <td class="n">\(use.count)</td><td>\(escaped(use.problem?.rawValue ?? "in use"))</td>\
        <td class="name">\(escaped("\(use.entry.file):\(use.entry.line)"))</td></tr>

        """
    }
    return html + "</tbody></table></div></section>\n"
  }

  // MARK: words

  static func escaped(_ text: String) -> String { Markup.escaped(text) }

  /// Returns lines of code of this tool, escaped one by one.
  static func escapedLines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }
      .joined(separator: "\n")
  }

  /// Returns a count with a thin space between groups of three digits.
  static func grouped(_ count: Int) -> String {
    var digits = Array(String(count))
    for index in stride(from: digits.count - 3, to: count < 0 ? 1 : 0, by: -3) {
      digits.insert("\u{202F}", at: index)
    }
    return String(digits)
  }
}
