// The report in the log of a GitHub Actions job: annotations on lines, and the text for people
// where nothing in it is a command. The grammar is that of workflow commands:
// docs.github.com/actions/reference/workflow-commands-for-github-actions.

/// Renders a report for the log of a job.
struct GitHubLog {
  /// The folder that files are named relative to; `nil` for none.
  var sourceRoot: String?
  /// Whether rules that would silence the findings follow the text.
  var hasSuppressionRules: Bool
  /// Whether the job has a summary, which lists every finding.
  var hasSummary: Bool
  /// A word that the traced program cannot know: 128 random bits.
  var token = (0..<2).map { _ in
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }.joined()

  /// The maximum of annotations of one kind that GitHub shows of a step.
  static let maxAnnotations = 10

  /// Renders the whole report, ending with a newline.
  func render(_ report: Report) -> String {
    let text = TextRenderer()
    let rules = hasSuppressionRules ? text.suppressionRules(for: report) : ""
    let count = report.findings.count
    // What the program wrote last may lack the end of its line, and commands begin one.
    return "\n" + Self.command("group", GitHubWording.title(count))
      + Self.command("stop-commands", token)
      + text.render(report) + rules
      // Commands again.
      + Self.command(token, "")
      + Self.command("endgroup", "")
      + annotations(on: report)
  }

  private func annotations(on report: Report) -> String {
    let results = SARIFResult.heaviestFirst(report)
    var lines = results.prefix(Self.maxAnnotations).map(annotation)
    let more = results.count - lines.count
    if more > 0 {
      lines.append(
        Self.command("notice", GitHubWording.more(more, hasSummary), [("title", "bstrtrace")]))
    }
    return lines.joined()
  }

  private func annotation(on result: SARIFResult) -> String {
    let frame = result.finding.primaryFrame
    var properties: [(String, String)] = []
    if let file = frame?.file, let line = frame?.line {
      properties = [("file", SourceRoot.short(file, sourceRoot)), ("line", "\(line)")]
    }
    let rule = SARIFRule(result.finding)
    properties.append(("title", "\(rule.id): \(RuleWording(rule.kind, rule.broken).summary)"))
    let name = result.level == "note" ? "notice" : result.level
    let sentences = [result.finding.message, result.finding.stableReason].compactMap(\.self)
    return Self.command(name, sentences.joined(separator: " "), properties)
  }

  /// Returns a line with a command; nothing in its values ends it or begins another one.
  private static func command(
    _ name: String, _ message: String, _ properties: [(String, String)] = []
  ) -> String {
    let list = properties.map { "\($0)=\(escaped($1, ":,"))" }.joined(separator: ",")
    return "::\(name)\(list.isEmpty ? "" : " ")\(list)::\(escaped(message, ""))\n"
  }

  /// Returns a value without control characters, and with the percent escapes of these characters.
  private static func escaped(_ text: String, _ special: String) -> String {
    Printable.escaped(text).unicodeScalars.reduce(into: "") { result, scalar in
      if scalar == "%" || special.unicodeScalars.contains(scalar) {
        result += "%" + Hexadecimal.text([UInt8(scalar.value)]).uppercased()
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }
}
